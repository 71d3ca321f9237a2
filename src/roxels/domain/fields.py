"""One field of a goal: what may be captured, and what counts as a value.

A `Field` is read from either schema dialect by `domain.templates`; `understanding` turns words into its value, and
`fault` says in one sentence why a value does not fit. Nothing else decides what counts.
"""

from typing import Any, Literal

import msgspec

FieldType = Literal["string", "number", "integer", "boolean", "array", "object"]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One property of a goal's schema, in JSON Schema's words (draft 2020-12)."""

    #: Key in the goal's data.
    name: str
    type: FieldType = "string"
    #: What is asked for, in words that a person can be asked with.
    description: str = ""
    required: bool = False
    #: An empty text or list is as good as none: `required_before_commit` asks for more than JSON Schema's `required`.
    nonempty: bool = False
    #: The allowed values, or None.
    enum: tuple[Any, ...] | None = None
    #: email, phone (also `tel`), date, date-time, time, uri, or None.
    format: str | None = None
    #: What one element of an array is.
    items: "Field | None" = None
    minimum: float | None = None
    maximum: float | None = None
    #: Unicode code points.
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None

    @property
    def is_free(self) -> bool:
        """A free string: any words at all are an answer."""
        return self.type == "string" and self.enum is None and self.format is None and self.pattern is None

    @property
    def is_answerable(self) -> bool:
        """Whether it can be asked for in words: an object cannot, nor can a list of them. A model may still fill it."""
        return self.type != "object" and (self.items is None or self.items.type != "object")

    @property
    def label(self) -> str:
        """What to call the field in a sentence: its description, else its name in words."""
        return self.description.strip().rstrip("?.:") or self.name.replace("_", " ")
