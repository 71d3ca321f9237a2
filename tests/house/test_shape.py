"""Budgets and places: how long a function may be, and where an import may stand (docs/house.md, habits 1 and 2)."""

import ast

from tests.house.source import ROOT, functions, python_files, tree

FOLDERS = ("src", "tests", "tools")


def test_functions_stay_short() -> None:
    longest = sorted(functions(*FOLDERS), key=lambda function: -function.lines)
    print("\nthe ten longest functions:")
    for function in longest[:10]:
        print(f"  {function.lines:4d} {function.where}")
    assert longest[0].lines <= 100
    assert longest[len(longest) // 20].lines <= 50, "one function in twenty is longer than 50 lines"


def test_imports_stand_at_the_top() -> None:
    hidden = [
        f"{path.relative_to(ROOT)}:{inner.lineno}"
        for path in python_files(*FOLDERS)
        if path != ROOT / "src/roxels/lazy.py"
        for outer in ast.walk(tree(path))
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for inner in ast.walk(outer)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert not hidden, "imports inside functions belong to the top of the file, or into roxels/lazy.py"


def test_public_names_say_what_they_are_for() -> None:
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in python_files("src")
        for body in _bodies(tree(path))
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]
    assert not silent, "a public name carries a docstring: what it is for, shapes, units, errors"


def _bodies(module: ast.Module) -> list[list[ast.stmt]]:
    classes = [node.body for node in module.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    return [module.body, *classes]


def test_rooms_say_which_question_they_answer() -> None:
    silent = [str(path.relative_to(ROOT)) for path in python_files("src", "tools") if not ast.get_docstring(tree(path))]
    assert not silent, "a module begins with a docstring"
