"""The command line: `roxels demo | serve | talk | migrate | key`. Every command has an example in its help."""


import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
