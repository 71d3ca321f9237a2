"""Every error says what happened and carries the name that the wire calls it by (docs/house.md, habit 9)."""

import inspect

import pytest

from roxels.domain.errors import RoxelsError
from tools.generate import modules


def error_classes() -> list[type[Exception]]:
    """Every exception that our code defines, wherever it stands."""
    return [
        kind
        for module in modules()
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception) and kind.__module__ == module.__name__
    ]


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_error_has_a_sentence_and_a_name(kind: type[Exception]) -> None:
    sentence = inspect.cleandoc(kind.__doc__ or "")
    assert sentence.endswith("."), "the docstring of an error is its message: a sentence"
    assert isinstance(getattr(kind, "code", None), str), "`code` is what the wire calls it"


def test_each_code_names_one_error() -> None:
    kinds = [kind for kind in error_classes() if issubclass(kind, RoxelsError) and kind is not RoxelsError]
    codes = [kind.code for kind in kinds if "code" in vars(kind)]
    assert sorted(codes) == sorted(set(codes))
