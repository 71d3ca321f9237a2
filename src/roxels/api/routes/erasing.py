"""Erasing, and its receipts. What is deleted is out of reach at once, and gone from the files with the receipt."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from roxels.actions.eraser import Erased, Sweeping
from roxels.api import paging, shapes, views
from roxels.api.answers import Answer, reply
from roxels.api.auth import Public, Secret
from roxels.api.reading import StrictRoute
from roxels.domain.errors import NotFound
from roxels.domain.persons import external_id as checked
from roxels.storage import receipts

SWEEPING: dict[int | str, dict[str, Any]] = {
    202: {
        "model": shapes.Sweeping,
        "description": "Out of reach; the receipt follows when the files are clean. Ask again with the same DELETE.",
    }
}

conversations = APIRouter(route_class=StrictRoute, tags=["Conversations"])
router = APIRouter(prefix="/v1", route_class=StrictRoute)


@conversations.delete("/{interview_id}", response_model=shapes.Erased, responses=SWEEPING)
async def delete_interview(key: Secret, interview_id: str) -> Response:
    """Erase a conversation with all that belongs to it. Whoever is in it is told, and its visits end.

    A repeat within 24 hours has the same receipt.
    """
    return _told(await key.services.eraser.conversation(key.environment, interview_id, "api", key.actor))


@router.delete("/persons/{person_id}", response_model=shapes.Erased, responses=SWEEPING, tags=["Persons"])
async def delete_person(key: Secret, person_id: str) -> Response:
    """Erase a person with every conversation and all else that leads to her. Who comes with her id then is a stranger.

    A repeat within 24 hours has the same receipt.
    """
    return _told(await key.services.eraser.person(key.environment, person_id, "api", key.actor))


@router.delete("/persons", response_model=shapes.Erased, responses=SWEEPING, tags=["Persons"])
async def delete_person_called(
    key: Secret, external_id: Annotated[str, Query(description="Your own id, compared exactly.")]
) -> Response:
    """Erase a person by your own id. The `id` of the answer is what you sent."""
    identity = checked(external_id) or external_id
    return _told(await key.services.eraser.person_called(key.environment, identity, "api", key.actor))


@router.get("/receipts", response_model=shapes.Page[shapes.Receipt], tags=["Receipts"])
async def list_receipts(
    key: Secret,
    cursor: paging.After = None,
    limit: paging.Limit = 50,
    about: Annotated[
        str | None, Query(description="An id that was erased, of a person or conversation: only receipts about it.")
    ] = None,
) -> Response:
    """List the receipts of what was erased, the newest first. Each names the one before it by its hash."""
    subjects = None if about is None else key.services.eraser.subjects(about)
    before = paging.place(cursor, key.environment)
    found = await key.read(receipts.newest, before=before, limit=limit + 1, subjects=subjects)
    return reply(Answer(body=views.receipts(found, limit, key.environment)))


@router.get("/receipts/key", response_model=shapes.ReceiptKeys, tags=["Receipts"])
async def get_receipt_keys(anyone: Public) -> Response:
    """Read the public keys that receipts are checked with, today's and those before it. This needs no key."""
    eraser = anyone.services.eraser
    return reply(Answer(body=views.receipt_keys(eraser.key_id, eraser.public_keys)))


@router.get("/receipts/{receipt_id}", response_model=shapes.Receipt, tags=["Receipts"])
async def get_receipt(key: Secret, receipt_id: str) -> Response:
    """Read one receipt."""
    found = await key.read(receipts.get, receipt_id)
    if found is None:
        raise NotFound
    return reply(Answer(body=views.receipt(found)))


def _told(answer: Erased | Sweeping) -> Response:
    return reply(Answer(body=views.erased(answer), status=202 if isinstance(answer, Sweeping) else 200))
