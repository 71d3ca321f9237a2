"""Long work: erasing many at once, exporting a person. It is accepted with 202 and a job to look at."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import FileResponse, Response

from roxels.actions import jobs as work
from roxels.api import bodies, shapes, views
from roxels.api.answers import Answer, reply
from roxels.api.auth import Secret, SecretKey
from roxels.api.reading import StrictRoute
from roxels.domain.errors import Conflict, NotFound
from roxels.storage import jobs
from roxels.storage.jobs import Item, Job, NamedBy
from roxels.storage.transaction import Reading, Writing

conversations = APIRouter(route_class=StrictRoute, tags=["Conversations"])
router = APIRouter(prefix="/v1", route_class=StrictRoute)

JobId = Annotated[str, Path(description="The `id` of a job.")]


@conversations.post("/erase", status_code=202, response_model=shapes.Accepted)
async def erase_interviews(key: Secret, body: bodies.EraseInterviews) -> Response:
    """Erase up to 1,000 conversations, as a job. Ids that are not there count as done."""
    return await _erase(key, body.targets())


@router.post("/persons/erase", status_code=202, response_model=shapes.Accepted, tags=["Persons"])
async def erase_persons(key: Secret, body: bodies.ErasePersons) -> Response:
    """Erase up to 1,000 persons with all that leads to them, by either identifier, as a job."""
    return await _erase(key, body.targets())


@router.post("/persons/{person_id}/export", status_code=202, response_model=shapes.Accepted, tags=["Persons"])
async def export_person(key: Secret, person_id: str) -> Response:
    """Export all that is kept of a person, as a job. When it is done, its `url` is one zip, for 24 hours."""

    def begin(tx: Writing) -> Answer:
        job = work.begin_export(tx, person_id, key.services.ids)
        key.note(tx, "export.asked", ("person", person_id), job_id=job.id)
        return _accepted(job, key, person_id=person_id)

    return await _begun(key, await key.post(begin))


@router.get("/jobs/{job_id}", response_model=shapes.Job, tags=["Jobs"])
async def get_job(key: Secret, job_id: JobId) -> Response:
    """Read a job: how far it is, and for each name that was to be erased, in the order sent, what became of it.

    It can be read until a day after it ended.
    """
    job, items = await key.read(_read, job_id)
    return reply(Answer(body=views.job(job, key.services.origin, items)))


@router.get("/jobs/{job_id}/file", response_class=Response, tags=["Jobs"])
async def get_job_file(key: Secret, job_id: JobId) -> Response:
    """Fetch the zip of an export: JSON, a transcript to read, and a manifest with hashes."""
    job, _ = await key.read(_read, job_id)
    if job.kind != "export_person":
        raise NotFound("This job has no file.")
    if job.status != "done":
        raise Conflict("The file is not ready: read the job until its `status` is `done`.")
    path = key.services.jobs.exports.path(job.id)
    if not await key.services.store.run(path.is_file):
        raise NotFound
    await key.write(lambda tx: key.note(tx, "export.fetched", ("person", job.person_id or ""), job_id=job.id))
    headers = {"Cache-Control": "no-store"}
    return FileResponse(path, media_type="application/zip", filename=f"{job.id}.zip", headers=headers)


async def _erase(key: SecretKey, targets: list[tuple[NamedBy, str]]) -> Response:
    def begin(tx: Writing) -> Answer:
        job = work.begin_erasing(tx, targets, key.services.ids)
        key.note(tx, "erase.asked", job_id=job.id, count=job.total)
        return _accepted(job, key)

    return await _begun(key, await key.post(begin))


async def _begun(key: SecretKey, answer: Response) -> Response:
    key.services.jobs.wake()
    return answer


def _accepted(job: Job, key: SecretKey, person_id: str | None = None) -> Answer:
    return Answer(body={"job": views.job(job, key.services.origin)}, status=202, person_id=person_id)


def _read(tx: Reading, job_id: str) -> tuple[Job, list[Item]]:
    job = jobs.get(tx, job_id)
    if job is None:
        raise NotFound
    return job, jobs.items(tx, job_id)
