"""The heavy libraries of the server, imported when first needed, so that it starts quickly.

The composition root hands these out; `understanding.lazy` has its own table, because it stands below.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from types import ModuleType

#: What each is for.
LIBRARIES = {"openai": "talking to a language model; takes most of a second to import"}

Library = Callable[[], Awaitable[ModuleType]]


async def openai() -> ModuleType:
    """The library that talks to language models; imported in a thread, so that nobody waits for it."""
    return await asyncio.to_thread(importlib.import_module, "openai")
