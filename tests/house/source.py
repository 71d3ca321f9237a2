"""The project's own files, as the house tests read them."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]


class Function(msgspec.Struct, frozen=True):
    """A function in our code: how long, and where."""

    lines: int
    where: str
    node: ast.FunctionDef | ast.AsyncFunctionDef


def files() -> list[Path]:
    """Every file that is, or is about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [path for path in (ROOT / name for name in sorted(listed)) if path.is_file()]


def python_files(*folders: str) -> list[Path]:
    """The Python files below these folders of the repository."""
    roots = [ROOT / folder for folder in folders]
    return [path for path in files() if path.suffix == ".py" and any(root in path.parents for root in roots)]


def tree(path: Path) -> ast.Module:
    """The file, parsed."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions(*folders: str) -> Iterator[Function]:
    """Every function and method below these folders."""
    for path in python_files(*folders):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                where = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
                yield Function((node.end_lineno or node.lineno) - node.lineno + 1, where, node)
