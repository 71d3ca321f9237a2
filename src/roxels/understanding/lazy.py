"""The heavy libraries, imported when first needed, so that a server starts quickly.

This is the one place where a module is imported late.
"""

import importlib
from functools import cache
from typing import Any, Literal

Library = Literal["dateparser", "email_validator", "phonenumbers"]

#: What each is for.
LIBRARIES: dict[Library, str] = {
    "dateparser": "dates in languages other than English",
    "email_validator": "what counts as an e-mail address",
    "phonenumbers": "what counts as a phone number, and where it belongs",
}


@cache
def library(name: Library) -> Any:
    """The module of that name."""
    return importlib.import_module(name)
