"""From what a template's author wrote about a field to a question, and to what the field is called in a sentence.

Authors write descriptions in four ways. In English:

    a question       "How many people work there?"    as it stands
    half a question  "How many people work there"     with its question mark
                     "how they heard of us"           → Please tell me how you heard of us.
    an instruction   "Describe your product"          → Please describe your product.
    a thing          "Company name"                   → What is your company name?
                     "Tools you use"                  → What are the tools you use?

In other languages a description that is no question gets its question mark and nothing else.
"""

import re

from roxels.domain.fields import Field
from roxels.domain.templates import Goal

_ASKING = re.compile(
    r"(?:(?:what|who|where|when|why|how)(?:'s|\s+(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|had"
    r"|many|much|often|long|big|large|old|far|soon|well|satisfied|happy|likely))|(?:what|which|whose)\s+\w+"
    r"|do|does|did|is|are|was|were|can|could|will|would|should|may|have|has)\b",
    re.IGNORECASE,
)
#: "how they heard of us", "when you want to start": the subject follows at once.
_INDIRECT = re.compile(
    r"(?:how|what|when|where|why|which|whether|if|who)\s+(?:you|they|the|their|your|we|it|to)\b", re.IGNORECASE
)
_INSTRUCTION = re.compile(
    r"(?:please\b|(?:tell|give|enter|describe|name|list|choose|pick|select|say|provide|share|explain|specify|type|write"
    r"|state|let)\s+(?:me|us|in|the|your|a|an|all|any|one|some|what|how|which|where|when|why|briefly|shortly)\b"
    r"|(?:describe|explain|specify)\s)",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(r"\b(?:the )?(?:user|participant|respondent|interviewee|visitor)(?:'s|s'|’s)", re.IGNORECASE)
_TELLING = re.compile(r"\b(?:you|your|we|our|they|who|that|which|for|in|on|at|with|to|from|by|of)\b|[,(:]")
_AIM = re.compile(
    r"(?:learn|find out|understand|collect|gather|get|capture|determine|discover|explore|talk about|know|identify)\b",
    re.IGNORECASE,
)
_LABEL_WORDS = 4


def question(field: Field, *, english: bool) -> str:
    """The question for a field, in the words of its description."""
    text = _first_sentence(field.description) or in_words(field.name)
    if text.endswith("?"):
        return capital(text)
    if not english:
        return f"{capital(text)}?"
    text = _POSSESSIVE.sub("your", text)
    text = re.sub(r"^their\b", "your", text, flags=re.IGNORECASE)
    if field.type == "boolean" and not _ASKING.match(text) and not _INDIRECT.match(text):
        return f"{capital(text)}: yes or no?"
    if _INDIRECT.match(text):
        return f"Please tell me {_to_you(lowered(text))}."
    if _ASKING.match(text):
        return f"{capital(text)}?"
    if _INSTRUCTION.match(text):
        return f"{capital(text)}." if text.lower().startswith("please") else f"Please {lowered(text)}."
    return _about_a_thing(text)


def is_question(field: Field) -> bool:
    """Whether the author wrote a question, for a person to be asked."""
    return _first_sentence(field.description).endswith("?")


def remark(field: Field) -> str:
    """What the description says after its first sentence: an explanation for whoever asks."""
    line = " ".join(field.description.split())
    rest = line[len(_first_sentence(line)) :].lstrip(" .!:;")
    return rest if not rest or rest.endswith((".", "!", "?")) else f"{rest}."


def called(field: Field) -> str:
    """What the field is called inside a sentence, without article: its description where that is a short name."""
    text = _first_sentence(field.description)
    text = re.sub(r"^(?:the|your|a|an|their)\s+", "", _POSSESSIVE.sub("your", text), flags=re.IGNORECASE)
    is_name = not text.endswith("?") and not any(pattern.match(text) for pattern in (_ASKING, _INDIRECT, _INSTRUCTION))
    return lowered(text) if text and is_name and len(text.split()) <= _LABEL_WORDS else in_words(field.name)


def in_words(name: str) -> str:
    """`team_size` and `teamSize` as `team size`."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return " ".join(lowered(word) for word in re.split(r"[\s_.-]+", apart) if word) or name


def introduction(prompt: str) -> tuple[str, bool]:
    """A goal's prompt as it can be said, and whether it only names an aim: "Find out what they use" is one."""
    text = " ".join(prompt.split())
    if not _AIM.match(text):
        return text, False
    return _to_you(lowered(_POSSESSIVE.sub("your", text).rstrip("."))), True


def asks_already(intro: str, asked: str) -> bool:
    """Whether the introduction is a question that asks this already, so that it need not be asked twice."""
    return bool(intro) and (intro == asked or (intro.endswith("?") and _words(asked) <= _words(intro)))


def goal_named(goal: Goal) -> str:
    """What to call a goal in a sentence."""
    return goal.label or in_words(goal.id)


def capital(text: str) -> str:
    """With a capital first letter."""
    return text[:1].upper() + text[1:]


def lowered(text: str) -> str:
    """With a small first letter, unless the first word looks like an abbreviation or a name (`VAT`, `iOS`, `I`)."""
    first = re.split(r"\W", text, maxsplit=1)[0]
    if first == "I" or any(letter.isupper() for letter in first[1:]):
        return text
    return text[:1].lower() + text[1:]


def _about_a_thing(text: str) -> str:
    thing = lowered(text)
    article, _, rest = thing.partition(" ")
    if article in {"a", "an", "any", "some", "all"}:
        return f"Please give me {thing}."
    head = _TELLING.split(rest if article in {"the", "your", "our"} else thing)[0].split()
    many = bool(head) and head[-1].endswith("s") and not head[-1].endswith(("ss", "us", "is"))
    verb = "are" if many else "is"
    if article in {"the", "your", "our", "my"}:
        return f"What {verb} {thing}?"
    whose = "the" if re.search(r"\b(?:of|you|we|they)\b", thing) else "your"
    return f"What {verb} {whose} {thing}?"


def _first_sentence(text: str) -> str:
    """Up to the first sentence's end; the mark stays only where it is a question's."""
    line = " ".join(text.split())
    end = re.search(r"[?]|[.!:;](?=\s|$)", line)
    if end is None:
        return line
    return line[: end.end()] if end.group() == "?" else line[: end.start()]


def _to_you(text: str) -> str:
    swapped = re.sub(r"\b(?:they|them)\b", "you", text, flags=re.IGNORECASE)
    return re.sub(r"\btheir\b", "your", swapped, flags=re.IGNORECASE)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower())) - {"what", "is", "are", "your", "the", "a", "please", "tell", "me"}
