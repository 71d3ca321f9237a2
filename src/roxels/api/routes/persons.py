"""Persons: who the conversations are with. Only a customer's server sees them."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from roxels.actions import forget_line, people, recollect, revoke
from roxels.api import bodies, paging, shapes, views
from roxels.api.answers import Answer, reply
from roxels.api.auth import Secret
from roxels.api.reading import StrictRoute
from roxels.domain.errors import NotFound
from roxels.domain.memory import Line, Memory, Remembered
from roxels.domain.persons import Person, external_id
from roxels.storage import conversations, devices, persons
from roxels.storage.conversations import ConversationFilter, Outline
from roxels.storage.devices import Device
from roxels.storage.pages import Page, Span
from roxels.storage.transaction import Reading, Writing

router = APIRouter(prefix="/v1/persons", route_class=StrictRoute, tags=["Persons"])


@router.post("", status_code=201, response_model=shapes.Person, responses={200: {"model": shapes.Person}})
async def upsert_person(key: Secret, body: bodies.UpsertPerson) -> Response:
    """Make a person known, or change what is known of her, by your own id: 201 new, 200 known before."""
    identity, changes = external_id(body.external_id), body.changes()

    def work(tx: Writing) -> Answer:
        person, is_new = people.upsert(tx, identity, changes, key.services.ids)
        return Answer(body=views.person(person), status=201 if is_new else 200, person_id=person.id)

    return await key.post(work)


@router.get("", response_model=shapes.Page[shapes.Person])
async def list_persons(
    key: Secret,
    external_id: Annotated[str | None, Query(description="Your own id, compared exactly: one person or none.")] = None,
    cursor: paging.After = None,
    limit: paging.Limit = 50,
) -> Response:
    """List persons, the latest seen first."""
    found = await key.read(persons.listed, external_id, paging.span(cursor, limit))
    return reply(Answer(body=views.page(found, views.person)))


@router.get("/{person_id}", response_model=shapes.Person)
async def get_person(key: Secret, person_id: str) -> Response:
    """Read a person."""
    return reply(Answer(body=views.person(await key.read(_person, person_id))))


@router.patch("/{person_id}", response_model=shapes.Person)
async def patch_person(key: Secret, person_id: str, body: bodies.PersonChanges) -> Response:
    """Change what is known of a person. Her external_id stays."""
    return reply(Answer(body=views.person(await key.write(people.patch, person_id, body.changes()))))


@router.get("/{person_id}/conversations", response_model=shapes.Page[shapes.ConversationItem])
async def list_conversations(
    key: Secret, person_id: str, cursor: paging.After = None, limit: paging.Limit = 50
) -> Response:
    """List a person's conversations, newest first."""
    found = await key.read(_conversations, person_id, paging.span(cursor, limit))
    return reply(Answer(body=views.page(found, views.conversation_item)))


@router.get("/{person_id}/memory", response_model=shapes.MemoryLines)
async def list_memory(key: Secret, person_id: str) -> Response:
    """List what is remembered of a person, the newest first: values that were captured, then her own words.

    Each line says where it came from. Whatever a session is told of it depends on its proof.
    """
    memory = await key.read(_memory, person_id)
    lines: list[Remembered | Line] = [*memory.facts, *reversed(memory.lines)]
    items = [views.memory_line(each) for each in lines]
    return reply(Answer(body={"items": items, "next_cursor": None, "has_more": False}))


@router.delete("/{person_id}/memory/{line_id}", response_model=shapes.LineForgotten)
async def forget_memory(key: Secret, person_id: str, line_id: str) -> Response:
    """Delete a line of memory: no later conversation is told of it, nor of what was captured from it.

    The conversation itself stays as it is; `DELETE /v1/interviews/{id}` erases that.
    """

    def work(tx: Writing) -> None:
        forget_line.forget_line(tx, _person(tx, person_id).id, line_id)
        key.note(tx, "memory.forgotten", ("person", person_id))

    await key.write(work)
    return reply(Answer(body={"deleted": True, "id": line_id}))


@router.get("/{person_id}/devices", response_model=shapes.Devices)
async def list_devices(key: Secret, person_id: str) -> Response:
    """List the browsers in which somebody talked as this person, the latest seen first."""
    items = [views.device(each) for each in await key.read(_devices, person_id)]
    return reply(Answer(body={"items": items, "next_cursor": None, "has_more": False}))


@router.delete("/{person_id}/devices/{device_id}", response_model=shapes.Device)
async def revoke_device(key: Secret, person_id: str, device_id: str) -> Response:
    """Revoke what a browser stands for, at once: its sessions as this person end, and it is a stranger to her."""

    def work(tx: Writing) -> Device:
        key.note(tx, "device.revoked", ("person", person_id))
        return revoke.revoke_device(tx, person_id, device_id)

    return reply(Answer(body=views.device(await key.write(work))))


def _memory(tx: Reading, person_id: str) -> Memory:
    return recollect.recollect_all(tx, _person(tx, person_id).id)


def _devices(tx: Reading, person_id: str) -> list[Device]:
    return devices.of_person(tx, _person(tx, person_id).id)


def _person(tx: Reading, person_id: str) -> Person:
    person = persons.get(tx, person_id)
    if person is None:
        raise NotFound
    return person


def _conversations(tx: Reading, person_id: str, span: Span) -> Page[Outline]:
    _person(tx, person_id)
    return conversations.listed(tx, ConversationFilter(person_id=person_id), span)
