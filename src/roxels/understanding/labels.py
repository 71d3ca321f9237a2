"""What people call a field: "my company" is `company_name`, "my mail" is the field with format email."""

import re
from collections.abc import Sequence

from rapidfuzz import fuzz

from roxels.domain.fields import Field

#: Similarity (0–100) with the field's name at which a misspelt label is still that field.
NEAR = 85

#: What a format or type is called, whatever the field's own name is.
_CALLED = {
    "email": ("email", "e-mail", "mail", "email address", "mail address", "e-mail address"),
    "phone": ("phone", "phone number", "telephone", "telephone number", "mobile", "cell", "number"),
    "tel": ("phone", "phone number", "telephone", "telephone number", "mobile", "cell", "number"),
    "uri": ("website", "web site", "url", "link", "page", "web address", "homepage"),
    "url": ("website", "web site", "url", "link", "page", "web address", "homepage"),
    "date": ("date", "day"),
    "time": ("time",),
    "date-time": ("date", "time", "appointment", "meeting"),
}
#: Words of a question that name nothing.
_EMPTY = frozenset((
    "a", "about", "an", "and", "any", "are", "at", "be", "been", "best", "by", "called", "can", "current",
    "currently", "did", "do", "does", "for", "from", "give", "has", "have", "how", "i", "in", "is", "it",
    "know", "like", "many", "me", "much", "my", "name", "new", "of", "old", "on", "or", "our", "please", "s",
    "say", "should", "tell", "that", "the", "their", "there", "they", "this", "to", "us", "use", "want", "was",
    "we", "what", "when", "where", "which", "who", "will", "with", "would", "you", "your", "yours",
))  # fmt: skip


def tokens(text: str) -> frozenset[str]:
    """The words of a label that name something, without a plural's s."""
    said = re.findall(r"[^\W_]+", text.lower())
    return frozenset(word[:-1] if len(word) > 3 and word.endswith("s") else word for word in said if word not in _EMPTY)


def _spoken(name: str) -> str:
    """`companyName` and `company_name` as "company name"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_\W]+", " ", name).strip().lower()


def _score(field: Field, phrase: str) -> float:
    """How well it names the field: 4 its name, 3 what its kind is called, 2 a part of that, 1 words of its question."""
    name = _spoken(field.name)
    if phrase == name or (tokens(phrase) and tokens(phrase) == tokens(name)):
        return 4
    if phrase in _CALLED.get(field.format or "", ()):
        return 3
    said = tokens(phrase)
    if said and (said <= tokens(name) or fuzz.ratio(phrase, name) >= NEAR):
        return 2
    kind = tokens(" ".join(_CALLED.get(field.format or "", ())))
    return 1 if said and said <= tokens(name) | tokens(field.description) | kind else 0


def called(fields: Sequence[Field], phrase: str, *, plainly: bool = False) -> tuple[Field, ...]:
    """The fields that the phrase may mean: none, the one, or several that it names equally well.

    `plainly`: only by the whole name, or by what such a field is called.
    """
    plain = re.sub(r"\s+", " ", phrase.strip().lower())
    scores = [(_score(field, plain), field) for field in fields]
    best = max((score for score, _ in scores), default=0)
    return tuple(field for score, field in scores if score == best and score > (2 if plainly else 0))
