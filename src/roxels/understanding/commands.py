"""What a message wants of the conversation itself: an answer, or one of a few commands.

A command is the whole message, politeness aside: "Stop the Press Ltd" stops nothing. "change my … to …" is one only
where the … names a field. The phrases are printed in docs/scripted-speaker.md, and a test holds the two together.
"""

import re
from collections.abc import Sequence

import msgspec

from roxels.domain.fields import Field
from roxels.understanding import yesno
from roxels.understanding.labels import called
from roxels.understanding.phrases import among, straight, table


class Answer(msgspec.Struct, frozen=True):
    """Anything that is no command: an answer to what was asked."""


class Change(msgspec.Struct, frozen=True):
    """Correct what was captured before."""

    #: Name of the field; None means the one captured last ("change it to …"), or several could be meant.
    field: str | None
    #: The new answer as it was said; empty where it is still to be asked for ("change my e-mail").
    words: str


class Back(msgspec.Struct, frozen=True):
    """Ask the question before once more."""


class Skip(msgspec.Struct, frozen=True):
    """Leave this question open and go on."""


class Stop(msgspec.Struct, frozen=True):
    """End the conversation."""


class Question(msgspec.Struct, frozen=True):
    """The person asks back: the message ends in a question mark, or is a listed question."""


class Yes(msgspec.Struct, frozen=True):
    """A whole message that says yes. It answers a confirmation; elsewhere it may be an answer as any other."""


class No(msgspec.Struct, frozen=True):
    """A whole message that says no. It answers a confirmation; elsewhere it may be an answer as any other."""


class Repeat(msgspec.Struct, frozen=True):
    """Say the last thing again."""


class StartOver(msgspec.Struct, frozen=True):
    """Begin from the first question."""


class Recall(msgspec.Struct, frozen=True):
    """What did I tell you about …?"""

    #: What it is about, as it was said.
    about: str


Intent = Answer | Change | Back | Skip | Stop | Question | Yes | No | Repeat | StartOver | Recall

BACK = (
    "back", "go back", "go back one", "go back a step", "one step back", "step back", "back up", "previous",
    "previous question", "go to the previous question", "the previous question", "undo", "undo that",
)  # fmt: skip
SKIP = (
    "skip", "skip it", "skip this", "skip that", "skip this one", "skip that one", "skip the question",
    "skip this question", "next", "next one", "next question", "pass", "I'll pass", "move on", "go on", "later",
    "maybe later", "ask me later", "not now", "come back to this later", "leave it out", "leave it blank",
)  # fmt: skip
STOP = (
    "stop", "stop it", "stop here", "stop this", "quit", "exit", "end", "end this", "cancel", "abort", "enough",
    "that's enough", "I'm done", "we're done", "I have to go", "I need to go", "I've got to go", "bye", "goodbye",
    "end the conversation", "stop the conversation", "finish here", "let's stop", "let's stop here",
)  # fmt: skip
REPEAT = (
    "repeat", "repeat that", "repeat it", "repeat the question", "say that again", "say it again", "come again",
    "once more", "pardon", "pardon me", "what", "what did you say", "what was the question", "again",
    "I didn't get that", "I didn't understand", "I didn't catch that",
)  # fmt: skip
START_OVER = (
    "start over", "start again", "restart", "begin again", "start from the beginning", "from the beginning",
    "start from scratch", "begin from the start",
)  # fmt: skip
QUESTIONS = (
    "what do you mean", "what does that mean", "why do you ask", "why do you want to know", "why do you need that",
    "why do you need to know", "why", "how so", "what for", "who are you", "are you a robot", "are you human",
    "can you explain", "please explain", "explain that", "help", "I don't understand", "what are my options",
    "what can I say", "what are the choices",
)  # fmt: skip

#: Looked up in this order.
COMMANDS = (
    (table(BACK), Back()),
    (table(SKIP), Skip()),
    (table(STOP), Stop()),
    (table(REPEAT), Repeat()),
    (table(START_OVER), StartOver()),
    (table(QUESTIONS), Question()),
)

_LEAD = (
    r"^\W*(?:(?:please|sorry|ok|okay|oh|wait|well|no|actually|correction|um+|uh+|hm+|hey|can you|could you"
    r"|can i|could i|can we|could we|may i|i want to|i['’]?d like to|i would like to|i need to|let['’]?s"
    r"|let me)\b[\s,.:;!…-]*)*"
)
_END = r"[\s.?!]*$"
_RECALL = re.compile(
    _LEAD + r"(?:(?:tell|remind) me |do you (?:still )?(?:remember|know) )?what (?:else )?"
    r"(?:did i|have i|i(?:['’]ve| have)?) (?:ever )?(?:tell|told|say|said|mention|mentioned)(?: to)?(?: you)? "
    rf"(?:about|on|regarding) (?P<about>\S.{{0,200}}?)(?: (?:before|earlier|last time))?{_END}"
    rf"|{_LEAD}what do you (?:still )?(?:remember|know) (?:of|about) (?P<known>\S.{{0,200}}?){_END}",
    re.IGNORECASE,
)
_VERB = r"(?:change|correct|update|fix|edit)"
_WHOSE = r"(?P<whose>(?:my|our|the)\s+)"
_LABEL = r"(?P<label>[^\s,.:;?!](?:[^,.:;?!\n]{0,58}?[^\s,.:;?!])?)"
_IT = re.compile(_LEAD + rf"{_VERB}\s+(?:it|that|this)\s+(?:to|into)\s+(?P<new>\S.*)$", re.IGNORECASE | re.DOTALL)
_CHANGES = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        # change my company to Acme
        _LEAD + rf"{_VERB}\s+{_WHOSE}?{_LABEL}\s+(?:to|into|from\s+\S.{{0,80}}?\s+to)\s+(?P<new>\S.*)$",
        # change my company
        _LEAD + rf"{_VERB}\s+{_WHOSE}?{_LABEL}{_END}(?P<new>)",
        # no, my company is Acme
        r"^\W*(?:(?:oh|sorry|ah|um+|uh+|hm+|well)\b[\s,.…]*)*(?:no|actually|wait|sorry|correction|i\s+mean)\b[\s,.:;!…-]+"
        rf"(?:(?:no|wait|sorry|actually)\b[\s,.:;!…-]+)*{_WHOSE}{_LABEL}\s+(?:is|are|should\s+be)\s+(?:actually\s+)?"
        r"(?P<new>\S.*)$",
        # my company should be Acme; my company is actually Acme
        rf"^\s*{_WHOSE}{_LABEL}\s+(?:should\s+be|should\s+have\s+been|is\s+actually|is\s+now)\s+(?P<new>\S.*)$",
    )
)
_ASKED = re.compile(r"\W*(?:please\s+)?(?:can|could|may)\b", re.IGNORECASE)
_POLITE_END = re.compile(r"(?:[\s,]+(?:please|thanks|thank you|instead))+[\s.!]*$", re.IGNORECASE)


def intent(words: str, fields: Sequence[Field]) -> Intent:
    """What the message wants. `fields` are those that "change my … to …" may name."""
    if not words.strip():
        return Answer()
    if recall := _RECALL.match(words):
        return Recall((recall["about"] or recall["known"]).strip().strip("\"'“”"))
    if change := _change(words, fields):
        return change
    for phrases, command in COMMANDS:
        if among(words, phrases):
            return command
    if yesno.yes(words):
        return Yes()
    if yesno.no(words):
        return No()
    return Question() if words.rstrip().endswith(("?", "？", "؟")) else Answer()


def _change(words: str, fields: Sequence[Field]) -> Change | None:
    text = straight(words)
    if match := _IT.match(text):
        return Change(None, _new(words, match))
    for pattern in _CHANGES:
        match = pattern.match(text)
        if match and (meant := called(fields, match["label"], plainly=not match["whose"])):
            return Change(meant[0].name if len(meant) == 1 else None, _new(words, match))
    return None


def _new(words: str, match: re.Match[str]) -> str:
    end = r"[\s?]+$" if _ASKED.match(words) else r"\s+$"
    return _POLITE_END.sub("", re.sub(end, "", words[slice(*match.span("new"))]))
