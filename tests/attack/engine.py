"""Plays techniques against victims and looks at what came of it.

An attempt has failed, as it should, when no canary of anybody's was seen, neither by the attacker nor by the speaker of
one of his sessions, and the victim's next prompt is the same, byte for byte.
"""

import random
import string
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from roxels.testing.model import Interviewer
from tests.attack import techniques
from tests.attack.ground import Ground, ground_in
from tests.attack.people import Browser
from tests.attack.registry import TECHNIQUES, Technique
from tests.attack.victims import KINDS, Victim, make_victim, next_prompt

__all__ = ["TECHNIQUES", "techniques"]


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one."""

    technique: str
    victim: str
    #: Where the canaries stood that were seen.
    leaked: tuple[str, ...]
    is_poisoned: bool
    #: How many answers the attacker got: an attack that reaches nothing proves nothing.
    answers: int

    @property
    def is_harmless(self) -> bool:
        """Whether it came to nothing."""
        return not self.leaked and not self.is_poisoned


class Field:
    """The ground with its victims."""

    def __init__(self, ground: Ground, victims: list[Victim]) -> None:
        self.ground = ground
        self.victims = victims
        self.canaries = {
            f"{where} of {victim.label}": word for victim in victims for where, word in victim.canaries.items()
        }
        self._prompts: dict[str, str] = {}

    async def attempt(self, technique: Technique, victim: Victim) -> Attempt:
        """Play it once."""
        voices = self.ground.voices
        voices.is_scripted, voices.puppet.answering = False, Interviewer()
        voices.told.clear()
        if victim.label not in self._prompts:
            self._prompts[victim.label] = await next_prompt(self.ground, victim)
        attacker = Browser(self.ground)
        await technique.attack(attacker, victim)
        after = await next_prompt(self.ground, victim)
        return Attempt(
            technique=technique.name,
            victim=victim.label,
            leaked=tuple(where for where, word in self.canaries.items() if attacker.is_shown(word)),
            is_poisoned=after != self._prompts[victim.label],
            answers=len(attacker.seen),
        )


@asynccontextmanager
async def field_in(folder: Path, seed: int, kinds: Iterable[tuple[str, str]] = KINDS) -> AsyncIterator[Field]:
    """A ground in this folder, with a victim of each kind; canaries follow from the seed."""
    chance = random.Random(seed)
    async with ground_in(folder) as ground:
        victims = []
        for proof, policy in kinds:
            words = ["".join(chance.choices(string.ascii_lowercase, k=16)) for _ in range(5)]
            victims.append(await make_victim(ground, proof, policy, words))
        yield Field(ground, victims)
