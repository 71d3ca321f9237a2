"""The techniques, by family. A module that is named here is in the registry."""

from tests.attack.techniques import claims, devices, doors, frames, tickets, tokens, tools, words

FAMILIES = (claims, tickets, devices, tokens, doors, frames, words, tools)
