"""Whole messages that mean one thing: refusals and hesitations, with politeness around them.

A free string takes any words as its answer, so nothing here looks inside a sentence. A message is brought into a plain
form (lower case, no punctuation, contractions written out), and then compared as a whole; if it is not in the list,
one polite word is taken off its head or tail, and it is compared again:

    "Hm, I really don't know, sorry."  →  hm i do not know sorry  →  i do not know sorry  →  i do not know

`REFUSALS` and `HESITATIONS` are printed in docs/scripted-speaker.md, and a test holds the two together.
"""

import re
from collections.abc import Iterable, Iterator

REFUSALS = (
    "I don't know", "I don't know yet", "don't know", "dunno", "I have no idea", "no idea", "I have no clue",
    "no clue", "I'm not sure", "not sure", "I can't remember", "I don't remember", "I can't say", "I'd rather not",
    "rather not", "I'd rather not say", "rather not say", "I'd rather not answer", "I'd rather not answer that",
    "I prefer not to say", "prefer not to say", "I'd prefer not to say", "I'd prefer not to", "I don't want to say",
    "I don't want to answer", "I don't want to answer that", "I won't say", "I won't tell you",
    "none of your business", "that's none of your business", "that's private", "that's confidential", "no comment",
)  # fmt: skip

HESITATIONS = (
    "let me think", "let me think about it", "let me think about that", "let me see", "let me check",
    "I need to think", "I need to think about it", "I have to think", "I'm thinking", "thinking", "wait", "hold on",
    "hang on", "one moment", "just a moment", "one second", "just a second", "a second", "give me a moment",
    "give me a second", "give me a minute", "one minute", "good question", "that's a good question",
    "what should I say", "where do I start",
)  # fmt: skip

#: No phrase is longer (code points).
LONGEST = 160

#: How far back a word such as "not" may stand (code points).
_NEAR = 60

#: Sounds. Alone they are a hesitation; before something else they are nothing.
FILLERS = r"h+m+|m+h*m+|u+h+m*|u+m+|e+r+m*|a+h+|o+h+|well"

_HEADS = re.compile(
    rf"(?:{FILLERS}|please|okay|ok|sorry|so|and|but|no|actually|honestly|thanks|thank you|to be honest|i am afraid"
    r"|can we|could we|can you|could you|would you|can i|could i|may i|shall we|i want to|i would like to|i need to"
    r"|let us|i think|then|just|alright|all right|hey)(?: |$)"
)
_TAILS = re.compile(
    rf"(?:^| )(?:{FILLERS}|please|thanks|thank you|sorry|now|for now|for today|right now|then|okay|ok|yet|honestly"
    r"|really|i am afraid|if you do not mind|if possible|if i may|for a moment|for a second|for a minute|first"
    r"|to be honest|i guess)$"
)
_SOFTENERS = re.compile(r"\b(?:really|honestly|just|actually|simply|already) ")
_NOT_A_WORD = re.compile(r"[^\w']+")
_SOUNDS = re.compile(rf"(?:{FILLERS})(?: (?:{FILLERS}))*")

_CONTRACTIONS = tuple(
    (re.compile(pattern), whole)
    for pattern, whole in (
        (r"\bwon't\b|\bwont\b", "will not"),
        (r"\bcan't\b|\bcant\b|\bcannot\b", "can not"),
        (r"\bdont\b", "do not"),
        (r"n't\b", " not"),
        (r"\blet's\b|\blets\b", "let us"),
        (r"\bi'm\b|\bim\b", "i am"),
        (r"'d\b", " would"),
        (r"'ll\b", " will"),
        (r"'re\b", " are"),
        (r"'ve\b", " have"),
        (r"\b(it|that|what|there|he|she|where|who)'s\b|\b(that|what)s\b", r"\1\2 is"),
    )
)


def straight(words: str) -> str:
    """The same words with plain apostrophes; nothing moves, so spans stay true."""
    return words.replace("’", "'").replace("‘", "'")


def plain(words: str) -> str:
    """The words as they are compared: lower case, contractions written out, single spaces, no punctuation."""
    text = straight(words).lower()
    for pattern, whole in _CONTRACTIONS:
        text = pattern.sub(whole, text)
    return _NOT_A_WORD.sub(" ", text).strip()


def before(pattern: re.Pattern[str], words: str, at: int) -> bool:
    """Whether the pattern, which ends in `$`, holds for what stands right before that place."""
    return pattern.search(words, max(0, at - _NEAR), at) is not None


def table(phrases: Iterable[str]) -> frozenset[str]:
    """The phrases in the form in which they are compared."""
    return frozenset(plain(phrase) for phrase in phrases)


def peeled(words: str) -> Iterator[str]:
    """The message in plain form, then with ever less politeness around it."""
    if len(words) > LONGEST:
        return
    text = plain(words)
    yield text
    text = _SOFTENERS.sub("", text)
    while text:
        yield text
        shorter = _HEADS.sub("", text, count=1) if _HEADS.match(text) else _TAILS.sub("", text, count=1)
        if shorter == text:
            return
        text = shorter.strip()


def among(words: str, phrases: frozenset[str]) -> bool:
    """Whether the whole message, politeness aside, is one of the phrases."""
    return any(text in phrases for text in peeled(words))


_REFUSALS = table(REFUSALS)
_HESITATIONS = table(HESITATIONS)

#: Answers to a question for something exact, that say inside a sentence that there will be none.
_DECLINES = re.compile(
    r"\b(?:rather|prefer) not\b|\bnone of your business\b|\b(?:no|any) (?:idea|clue)\b|\bdunno\b"
    r"|\b(?:private|confidential|secret)\b|\bdo not (?:know|have|remember)\b|\bcan not (?:say|tell|remember)\b"
    r"|\b(?:will|do) not (?:want to )?(?:say|tell|give|share|answer)\b|\bnot (?:quite |really )?sure\b"
    r"|^(?:n a|not applicable|have none)$"
)
_NONE = table(("no", "nope", "none", "no thanks", "none of them", "none of these", "none of those", "neither"))


def refusal(words: str) -> bool:
    """Whether the whole message says: I will not tell, or I do not know."""
    return among(words, _REFUSALS)


def hesitation(words: str) -> bool:
    """Whether the whole message only gains time: "hm, let me think …"."""
    if not words.strip() or len(words) > LONGEST:
        return False
    pieces = [piece for piece in re.split(r"[.,;!…\s-]*[.,;!…\n][.,;!…\s-]*", words) if piece.strip()]
    return all(_SOUNDS.fullmatch(plain(piece)) is not None or among(piece, _HESITATIONS) for piece in pieces)


def declines(words: str) -> bool:
    """Whether an answer that holds no value says so: looser than `refusal`, for fields that are not free strings."""
    return among(words, _NONE) or _DECLINES.search(plain(words)) is not None
