"""Every technique of attack, by name. One is a short function that reads like its sentence.

    @technique("T1")
    async def claim_the_id(attacker, victim):
        \"\"\"Name her id, and ask.\"\"\"

The threat is a row of the list in `docs/attacks.md`. What comes back to the attacker is looked through afterwards, and
so is her next prompt; a technique asserts nothing itself.
"""

from collections.abc import Awaitable, Callable

import msgspec

from tests.attack.people import Browser
from tests.attack.victims import Victim

Attack = Callable[[Browser, Victim], Awaitable[object]]

#: What each threat is, in a few words.
THREATS = {
    "T1": "An id is guessed or known, and claimed",
    "T2": "The speaker is asked instead",
    "T3": "What she will be told is poisoned",
    "T4": "An id of a session, conversation or person is used as a key",
    "T5": "A session is planted before she signs in",
    "T6": "An identity token is forged, altered or used again",
    "T9": "A foreign site, or no site at all",
    "T10": "A hostile page in her own browser",
    "T16": "Orders hidden in data",
    "T17": "The way to other people's conversations",
    "T19": "Finding out who is known",
    "T22": "Junk ids",
    "T23": "The other environment",
    "T24": "Forged facts",
    "T27": "The operator's pages",
}


class Technique(msgspec.Struct, frozen=True, kw_only=True):
    """A way to attack."""

    name: str
    threat: str
    sentence: str
    family: str
    attack: Attack


TECHNIQUES: dict[str, Technique] = {}


def technique(threat: str) -> Callable[[Attack], Attack]:
    """Enter a function in the registry."""

    def enter(attack: Attack) -> Attack:
        name = getattr(attack, "__name__", "").strip("_")
        assert threat in THREATS, f"{name}: there is no threat {threat}"
        assert name not in TECHNIQUES, f"two techniques are called {name}"
        TECHNIQUES[name] = Technique(
            name=name,
            threat=threat,
            sentence=" ".join((attack.__doc__ or "").split()),
            family=attack.__module__.rpartition(".")[2],
            attack=attack,
        )
        return attack

    return enter
