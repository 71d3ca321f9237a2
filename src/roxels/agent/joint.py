"""Where a cut answer goes on: what was said, and the model's new words, become one text. Pure.

A model that is asked to go on does one of these things, and each has its seam (`Seam`: from where on the new words are
shown, and what stands between):

    it goes on                          show all
    it says the last words again        show what follows them
    it starts over in the same words    show what follows what was said
    it starts over in other words       show what follows our last words; else drop the sentences that were said already
    it announces ("Sure, continuing:")  drop the announcement, then judge what follows
    it changes its mind                 "… " before it, where our sentence was open

The seam is decided as soon as the words tell, at the latest after `len(said) + LOOK_AHEAD` code points; from there on
words pass straight through. `whole_words` keeps cuts off the inside of words, where no reader could tell "is" from the
beginning of "island".
"""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

import msgspec

#: New words are held back for so many code points at most, beyond the length of what was said.
LOOK_AHEAD = 400
#: An announcement is no longer than this.
LONGEST_PREFACE = 120
#: What begins like an announcement is watched for so long.
UNDECIDED = 40
#: So many tokens in common with the beginning of a sentence mean that it is being said again.
SAME_START = 4
#: So alike are two sentences that say the same.
ALIKE = 0.75
#: A text without blanks is shown after so many code points.
LONGEST_WORD = 40

_TOKEN = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
_SENTENCE = re.compile(r"[^.!?…。!?\n]*(?:[.!?…。!?]+[\"”’)]*\s*|\n+|$)")
_SENTENCE_END = re.compile(r"[.!?…:。!?][\"”’)]*\s*$|\n\s*$")
_ASSENT = (
    r"(?:sure|of course|certainly|okay|ok|alright|all right|absolutely|understood|got it|sorry|apologies|my apologies|"
    r"no problem|right)\b"
)
#: How announcements begin, in the languages that the scripted speaker knows.
_PREFACE = re.compile(
    r"\s*(?:(?:assistant|agent)\s*:"
    rf"|{_ASSENT}(?=[^.:!?\n]*\b(?:continu|rest|resum|left off|carry|cut off|go on|interrupt|where i was|going on))"
    rf"|{_ASSENT}(?=[,.!]+\s*(?:continu|here|i[’']?ll|let me|as i|to continue|resum|picking|going on)|\s*:)"
    r"|continuing\b|continued\b|to continue\b|here(?:[’']s| is) the (?:rest|continuation|remainder)|as i was saying"
    r"|where was i\b|(?:i[’']ll|i will|let me) (?:continue|go on|carry on|pick up)\b|picking up (?:where|from)\b"
    r"|resuming\b|(?:gern|natürlich)\b(?=[^.:!?\n]*(?:weiter|fort))|ich (?:fahre fort|mache weiter)\b|weiter geht"
    r"|bien sûr\b(?=[^.:!?\n]*(?:suite|contin))|je continue\b|claro\b(?=[^.:!?\n]*contin)|continuando\b|continuo\b)",
    re.IGNORECASE,
)
#: What may still become an announcement.
_PREFACE_BEGINS = re.compile(
    rf"(?:{_ASSENT}|(?:continu\w*|to|here|as|where|i|let|picking|resum\w*|gern|natürlich|ich|bien|je|claro|assistant"
    r"|agent)\b).*|\.{1,3}|…",
    re.IGNORECASE | re.DOTALL,
)
_PREFACE_END = re.compile(r"(?:\.{3}|…|[:.!?—–\n]|-\s)[\"”’)]*\s*")
_ELLIPSIS = re.compile(r"\s*(?:\.{3}|…)\s*")
#: Words that begin a new thought rather than go on with an open one.
_TURNS = re.compile(
    r"\s*(?:actually|thanks|thank you|hello|hi|hey|great|good|sure|sorry|so|okay|ok|well|let|let[’']s|what|which|how"
    r"|who|when|where|why|could|can|do|does|did|would|will|is|are|please|to|before|first|also|now|my|nice|wait|instead"
    r"|on second|danke|hallo|was|welche[rs]?|wie|wer|wann|könn\w+|bitte|merci|bonjour|quel\w*|comment|gracias|hola"
    r"|cuál)\b",
    re.IGNORECASE,
)


class Seam(msgspec.Struct, frozen=True):
    """The new words count from code point `start` on; `glue` stands before them."""

    start: int
    glue: str = ""


class Joint:
    """One going on: new words go in as they come (`feed`, then `end`), what may be shown comes out."""

    def __init__(self, said: str) -> None:
        self._said = said
        self._held = ""
        self._is_joined = not said

    def feed(self, words: str) -> str:
        """The next words of the model; what may be shown now."""
        if self._is_joined:
            return words
        self._held += words
        return self._show(seam(self._said, self._held, done=len(self._held) >= len(self._said) + LOOK_AHEAD))

    def end(self) -> str:
        """The model has nothing more to say; what was held back and may be shown."""
        return "" if self._is_joined else self._show(seam(self._said, self._held, done=True))

    def _show(self, found: Seam | None) -> str:
        if found is None:
            return ""
        rest = self._held[found.start :]
        if not rest.strip():
            return ""
        self._is_joined, self._held = True, ""
        return found.glue + rest


class WholeWords:
    """Lets words pass when they are whole: what it gives out ends with a blank, until `end`."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, words: str) -> str:
        """The next words; those that are whole."""
        self._held += words
        cut = next((at for at in range(len(self._held), 0, -1) if _is_boundary(self._held[at - 1])), 0)
        if not cut and len(self._held) > LONGEST_WORD:
            cut = len(self._held)
        whole, self._held = self._held[:cut], self._held[cut:]
        return whole

    def end(self) -> str:
        """The last word."""
        whole, self._held = self._held, ""
        return whole


def seam(said: str, new: str, *, done: bool) -> Seam | None:
    """Where `new` goes on from `said`; None while more words are needed to tell. `done`: no more will come."""
    start = _after_preface(new, done=done)
    if start is None or (not done and len(new) - start < 2):
        return None
    found = _overlap(said, new, start, done=done)
    if found == _WAIT:
        return None
    if found is not None:
        return _glued(said, new, found, start_over=False)
    if _says_again(said, new, start, done=done):
        return _rewritten(said, new, start, done=done)
    if _may_say_again(new, start, done=done):
        return None
    return _glued(said, new, start, start_over=True)


def _is_boundary(char: str) -> bool:
    """A blank, or a character of a script that writes without blanks."""
    return char.isspace() or "\u3000" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7af"


def _after_preface(new: str, *, done: bool) -> int | None:
    """The place behind announcements; None while one may still be under way."""
    start = 0
    while True:
        dots = _ELLIPSIS.match(new, start)
        if dots and (done or dots.end() < len(new)):
            start = dots.end()
        opening = _PREFACE.match(new, start)
        if opening is None:
            held = new[start:].strip()
            return None if not done and len(held) < UNDECIDED and _PREFACE_BEGINS.fullmatch(held) else start
        close = _PREFACE_END.search(new, max(start, opening.end() - 1))
        if close is None or close.end() - start > LONGEST_PREFACE:
            return start if done or len(new) - start > LONGEST_PREFACE else None
        if close.end() == len(new) and not done:
            return None
        start = close.end()


_WAIT = -1


def _overlap(said: str, new: str, start: int, *, done: bool) -> int | None:
    """Behind which place of `new` what was said ends, where `new` begins with any end of it; `_WAIT`: may yet come."""
    before = list(_TOKEN.finditer(said))
    after = list(_TOKEN.finditer(new, start))
    whole = after if done or (after and after[-1].end() < len(new)) else after[:-1]
    if not after:
        return None if done else _WAIT
    is_apart = new[start : start + 1].isspace()
    for first in range(len(before)):
        tail = before[first:]
        same = _common(tail, whole)
        if same == len(tail):
            return whole[same - 1].end()
        if same == len(tail) - 1 and same < len(whole) and not said[-1:].isspace():
            part, full = tail[-1].group(), whole[same].group()
            if full.casefold().startswith(part.casefold()) and (same or not is_apart):
                return whole[same].start() + len(part)
        if same == len(whole) and not done and _may_grow(tail[same:], after[len(whole) :]):
            return _WAIT
    return None


def _common(one: list[re.Match[str]], other: list[re.Match[str]]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if _plain(left.group()) != _plain(right.group()):
            break
        count += 1
    return count


def _may_grow(tail: list[re.Match[str]], growing: list[re.Match[str]]) -> bool:
    """Whether a token that is not whole yet may become the next one of what was said."""
    if not growing:
        return bool(tail)
    ours, theirs = _plain(tail[0].group()), _plain(growing[0].group())
    return ours.startswith(theirs) or theirs.startswith(ours)


def _plain(token: str) -> str:
    return token.casefold().replace("’", "'").replace("–", "-").replace("—", "-").replace("“", '"').replace("”", '"')


def _sentences(text: str, start: int = 0) -> Iterator[tuple[int, int]]:
    for match in _SENTENCE.finditer(text, start):
        if match.group().strip():
            yield match.span()


def _may_say_again(new: str, start: int, *, done: bool) -> bool:
    """Whether the first new sentence has to be read to its end: it looks like the beginning of an answer."""
    begins = new[start:].lstrip()[:1].isupper()
    first = next(_sentences(new, start), (start, start))
    return not done and begins and first[1] == len(new) and len(new) - start < LONGEST_PREFACE


def _says_again(said: str, new: str, start: int, *, done: bool) -> bool:
    """Whether the new words begin as something that was said, in the same words at first or in others throughout."""
    fresh = list(_TOKEN.finditer(new, start))
    ours = [said[a:b] for a, b in _sentences(said)]
    if any(_common(list(_TOKEN.finditer(one)), fresh) >= SAME_START for one in ours):
        return True
    if not done and _may_say_again(new, start, done=done):
        return False
    first = next((new[a:b] for a, b in _sentences(new, start)), "")
    return any(_alike(one, first) for one in ours)


def _alike(one: str, other: str) -> bool:
    left, right = [[_plain(token) for token in _TOKEN.findall(text)] for text in (one, other)]
    if min(len(left), len(right)) < SAME_START:
        return left == right and len(left) > 1
    return SequenceMatcher(None, left, right, autojunk=False).ratio() >= ALIKE


def _rewritten(said: str, new: str, start: int, *, done: bool) -> Seam | None:
    """Our last words stand in the new text: go on behind them. Else what was not said before, as a new thought."""
    last = list(_TOKEN.finditer(said))[-3:]
    fresh = list(_TOKEN.finditer(new, start))
    for first in range(len(fresh) - len(last) + 1):
        end = fresh[first + len(last) - 1].end()
        if len(last) == 3 and _common(last, fresh[first:]) == len(last) and (done or end < len(new)):
            return _glued(said, new, end, start_over=False)
    if not done:
        return None
    ours = [said[a:b] for a, b in _sentences(said)]
    for a, b in _sentences(new, start):
        if not any(_alike(one, new[a:b]) or _begins_alike(one, new[a:b]) for one in ours):
            return _glued(said, new, a, start_over=True)
    return Seam(len(new))


def _begins_alike(one: str, other: str) -> bool:
    """One is the other's beginning, in the same words."""
    left, right = list(_TOKEN.finditer(one)), list(_TOKEN.finditer(other))
    return _common(left, right) == min(len(left), len(right)) >= SAME_START


def _glued(said: str, new: str, start: int, *, start_over: bool) -> Seam:
    """The blank, or the mark of a broken-off sentence, that stands between."""
    rest = new[start:]
    words = rest.lstrip()
    blank, had = rest[: len(rest) - len(words)], said[len(said.rstrip()) :]
    is_open = bool(said.strip()) and not _SENTENCE_END.search(said) and "\n" not in blank
    if start_over and is_open and words[:1].isupper() and _TURNS.match(words):
        return Seam(start + len(blank), "… ")
    if had:  # the blank that was said stays the only one; line breaks add up to an empty line at most
        most = 2 if start_over else blank.count("\n")
        return Seam(start + len(blank), "\n" * max(0, min(blank.count("\n"), most - had.count("\n"))))
    if blank or not words:
        return Seam(start)
    ends_clause = said[-1:] in ",;:.!?…)" and words[:1].isalpha()
    return Seam(start, " " if ends_clause else "")
