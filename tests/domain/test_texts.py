"""What can be kept is kept as it is; what cannot becomes something that can, and nothing else changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roxels.domain.errors import Invalid
from roxels.domain.texts import Mender, can_be_kept, check, mended

CHARACTERS = st.characters() | st.sampled_from("\0\ud800\udbff\udc00\udfff\U0001f600")
TEXTS = st.text(CHARACTERS, max_size=20)


@given(TEXTS)
def test_mended_text_can_be_kept(text: str) -> None:
    assert can_be_kept(mended(text))
    assert mended(mended(text)) == mended(text)
    if can_be_kept(text):
        assert mended(text) == text
        check(text, "`name`")
    else:
        with pytest.raises(Invalid, match="`name` contains"):
            check(text, "`name`", "name")


@given(st.lists(TEXTS, max_size=6))
def test_pieces_come_to_the_same_as_the_whole(pieces: list[str]) -> None:
    mender = Mender()
    assert "".join([*map(mender.feed, pieces), mender.end()]) == mended("".join(pieces))


def test_a_value_is_mended_throughout() -> None:
    value = {"a\0": [1, None, True, {"b": "\ud83d\ude00", "c": 2.5}]}
    assert mended(value) == {"a\ufffd": [1, None, True, {"b": "\U0001f600", "c": 2.5}]}
