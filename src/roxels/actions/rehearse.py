"""Try an output out: the request it would make, of samples, and what is needed to send that."""

import msgspec

from roxels.actions import author
from roxels.domain import rehearsal
from roxels.domain.ids import Ids, derived
from roxels.domain.rehearsal import Given, Which
from roxels.domain.rendering import Frozen
from roxels.domain.templates import Output
from roxels.storage import outbox, secrets
from roxels.storage.transaction import Reading


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """Which output of which template, and what is to stand in place of samples."""

    template_id: str
    #: None: the published one.
    version: int | None = None
    which: Which = Which()
    given: Given = Given()


class Rehearsed(msgspec.Struct, frozen=True, kw_only=True):
    """A request, ready to be looked at or sent once. Secrets stand in it by name."""

    output: Output
    #: `webhook-id` and `Idempotency-Key` of the one attempt.
    id: str
    commit_id: str
    request: Frozen
    #: Webhook secrets, oldest first, and those that the request names: (id, sealed).
    signing: list[tuple[str, str]]
    named: dict[str, tuple[str, str]]

    @property
    def missing(self) -> list[str]:
        """Secrets that the request names and that are not there."""
        return sorted(self.request.secrets - self.named.keys())


def rehearse(tx: Reading, wanted: Rehearsal, ids: Ids, once: str | None = None) -> Rehearsed:
    """Make the request. Raises `NotFound`, `Invalid`.

    `once`: whoever asks again with the same gets the same ids, so that a receiver drops the repeat.
    """
    kept = (
        author.current(tx, wanted.template_id)
        if wanted.version is None
        else author.version(tx, wanted.template_id, wanted.version)
    )
    template = kept.read()
    output = rehearsal.chosen(template, kept.raw, wanted.which)
    stem = derived("commit", wanted.template_id, once) if once else ids.new("commit")
    name = "test_" + stem.removeprefix("commit_")
    request = rehearsal.rehearse(template, output, wanted.which, wanted.given, commit_id=f"commit_{name}", at=tx.now)
    return Rehearsed(
        output=output,
        id=f"del_{name}",
        commit_id=f"commit_{name}",
        request=request,
        signing=outbox.signing(tx, {tx.environment}).get(tx.environment, []),
        named=secrets.sealed(tx, tx.environment, request.secrets),
    )
