"""Welcome operators: a code, shown on the server itself, with which somebody chooses a password for the dashboard."""

from roxels.actions.audit import Auditor
from roxels.domain.errors import Invalid
from roxels.domain.ids import Ids
from roxels.storage import operators
from roxels.storage.audit import COMMAND
from roxels.storage.transaction import AcrossWriting


def show_code(tx: AcrossWriting, email: str | None, ids: Ids, auditor: Auditor) -> str:
    """Make a code for this e-mail; None: for the only operator, or for whoever becomes the first.

    Raises `Invalid` where there are several and none is named.
    """
    known = operators.emails(tx)
    if email is None and len(known) > 1:
        raise Invalid(f"There are several operators; say whose code it is: {', '.join(known)}.", field="email")
    code = operators.new_code(ids)
    operators.keep_code(tx, code, email if email is not None else next(iter(known), None))
    auditor.note_entry(tx, COMMAND, "operator.code_made")
    return code


def show_first_code(tx: AcrossWriting, ids: Ids, auditor: Auditor) -> str | None:
    """A code for the first operator; None where there is one already."""
    return None if operators.count(tx) else show_code(tx, None, ids, auditor)
