"""Samples fit what they stand for, whatever the bounds are."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from roxels.domain.fields import Field
from roxels.domain.samples import sample
from roxels.understanding.faults import FORMATS, fault


def bounds(kind: Any, low: int, high: int) -> st.SearchStrategy[tuple[Any, Any]]:
    """A least and a greatest value, either of which may be missing."""
    pair = st.tuples(kind, kind).map(sorted).map(lambda each: (each[0], each[1]))
    wide = pair.filter(lambda each: each[1] - each[0] >= 1 or each[0] == int(each[0]))
    return st.one_of(wide, wide.map(lambda each: (each[0], None)), wide.map(lambda each: (None, each[1])))


texts = st.builds(
    lambda span: Field(name="company", type="string", min_length=span[0], max_length=span[1]),
    bounds(st.integers(0, 60), 0, 60),
)
numbers = st.builds(
    lambda kind, span: Field(name="size", type=kind, minimum=span[0], maximum=span[1]),
    st.sampled_from(["number", "integer"]),
    bounds(st.integers(-1000, 1000) | st.floats(-1000, 1000), -1000, 1000),
)
others = st.one_of(
    st.sampled_from([Field(name="x", type="boolean"), Field(name="x", type="object"), Field(name="x", type="array")]),
    st.sampled_from(sorted(FORMATS)).map(lambda name: Field(name="x", format=name)),
    st.lists(st.text() | st.integers() | st.booleans(), min_size=1).map(lambda all: Field(name="x", enum=tuple(all))),
)
plain = texts | numbers | others


@given(plain | plain.map(lambda field: Field(name="list", type="array", items=field)))
def test_a_sample_fits_its_field(field: Field) -> None:
    assert fault(field, sample(field)) is None
