"""Yes and no, in the many ways people say them.

A whole message is looked up first. Inside a longer one only the plain words count, the longest first, so that "of
course not" is not "of course"; where both kinds stand there, what follows a correction decides ("yes… no wait, no"),
else the first word.
"""

import re

from roxels.understanding.phrases import among, plain, table

#: Count inside a sentence too. The short foreign ones are those that people slip into.
PLAIN_YES = (
    "yes", "yeah", "yea", "yep", "yup", "aye", "sure", "certainly", "of course", "absolutely", "definitely", "indeed",
    "why not", "no problem", "no doubt", "by all means", "I think so", "I guess so", "I believe so", "I hope so",
    "I'd love", "gladly", "please do", "go ahead", "I don't mind", "I don't see why not", "ja", "oui", "sí", "sim",
)  # fmt: skip
PLAIN_NO = (
    "no", "nope", "nah", "nay", "no way", "not", "never", "not at all", "not really", "not yet", "of course not",
    "certainly not", "absolutely not", "definitely not", "probably not", "I don't think so", "I don't believe so",
    "I guess not", "I hope not", "nein", "non", "nee", "não",
)  # fmt: skip

#: Count only as the whole message.
YES = (
    *PLAIN_YES, "y", "yes please", "ok", "okay", "sure thing", "exactly", "correct", "right", "true", "that's right",
    "that's correct", "that's true", "that's it", "sounds good", "looks good", "fine", "fine by me", "that's fine",
    "good", "great", "perfect", "agreed", "I agree", "with pleasure", "do it", "I'd say so", "I'd say yes",
    "I'd love to", "I do", "we do", "I am", "we are", "I have", "we have", "I did", "we did", "I would", "we would",
    "I will", "we will", "it is", "it does", "they do", "still right", "it's still right", "that's still right",
    "still the same", "all good", "confirmed", "sign me up", "I want it", "si",
)  # fmt: skip
NO = (
    *PLAIN_NO, "n", "no thanks", "no thank you", "not anymore", "not any more", "not now", "I'd say no",
    "I'd rather not", "I'm afraid not", "wrong", "false", "incorrect", "that's wrong", "that's not right",
    "that's incorrect", "that's not correct", "not correct", "not right", "not quite", "don't", "I don't", "we don't",
    "I'm not", "we aren't", "I haven't", "we haven't", "I didn't", "we didn't", "I wouldn't", "I won't", "we won't",
    "it isn't", "it's not", "it doesn't", "they don't", "I disagree", "negative", "neither", "none", "I'm good",
    "I'm fine",
)  # fmt: skip

_YES = table(YES)
_NO = table(NO)
_PLAIN = {**dict.fromkeys(table(PLAIN_YES), True), **dict.fromkeys(table(PLAIN_NO), False)}
_INSIDE = re.compile(rf"\b(?:{'|'.join(sorted(_PLAIN, key=len, reverse=True))})\b")
_OPEN = re.compile(
    r"\b(?:maybe|perhaps|depends?|sometimes|might|possibly|yes and no|either|not (?:yet )?(?:sure|certain|decided)"
    r"|do not know|no idea|no clue)\b"
)
_CORRECTION = re.compile(r"\b(?:wait|sorry|actually|i mean|rather)\b")
_SIGNS = {"👍": True, "👌": True, "✅": True, "✔": True, "👎": False, "❌": False}


def yes(words: str) -> bool:
    """Whether the whole message says yes."""
    return among(words, _YES) or _sign(words) is True


def no(words: str) -> bool:
    """Whether the whole message says no."""
    return among(words, _NO) or _sign(words) is False


def _sign(words: str) -> bool | None:
    return _SIGNS.get(words.strip().rstrip("\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"))


def meant(words: str) -> bool | None:
    """What an answer to a yes-or-no question means, or None."""
    if no(words):
        return False
    if yes(words):
        return True
    text = plain(words)
    if _OPEN.search(text):
        return None
    corrected = max((match.end() for match in _CORRECTION.finditer(text)), default=0)
    said = [(match.start(), _PLAIN[match[0]]) for match in _INSIDE.finditer(text)]
    answers = [answer for at, answer in said if at >= corrected] or [answer for _, answer in said]
    if not answers or (said[0][0] > 0 and len(set(answers)) > 1):
        return None
    return answers[0]
