"""Exporting a person: asked for once, made by a job, fetched as one zip within a day."""

from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

from roxels.actions import jobs as work
from roxels.dashboard.desk import Desk
from roxels.dashboard.pages import HEADERS
from roxels.dashboard.viewer import Viewer
from roxels.domain.errors import Conflict, NotFound
from roxels.domain.persons import Person
from roxels.storage import jobs, persons
from roxels.storage.jobs import Job
from roxels.storage.transaction import Reading, Writing


class Exporting:
    """The pages about an export."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def begin(self, viewer: Viewer, request: Request, _form: FormData) -> Response:
        """Have it made."""
        person_id, services = request.path_params["person_id"], self._desk.services

        def begun(tx: Writing) -> Job:
            job = work.begin_export(tx, person_id, services.ids)
            services.audit.note(tx, viewer.actor, "export.asked", ("person", person_id), job_id=job.id)
            return job

        job = await services.store.write(viewer.environment, begun)
        services.jobs.wake()
        return RedirectResponse(f"/dashboard/exports/{quote(job.id, safe='')}", 303)

    async def one(self, viewer: Viewer, request: Request) -> Response:
        """How far it is; the file, once that is made."""
        job, person = await self._desk.services.store.read(viewer.environment, _read, request.path_params["job_id"])
        return self._desk.pages.fresh(request, viewer, "export.html", job=job, person=person)

    async def file(self, viewer: Viewer, request: Request) -> Response:
        """The zip."""
        services = self._desk.services
        job, person = await services.store.read(viewer.environment, _read, request.path_params["job_id"])
        if job.status != "done":
            raise Conflict("The file is not ready yet.")
        path = services.jobs.exports.path(job.id)
        if not await services.store.run(path.is_file):
            raise NotFound("This file is gone: an export is kept for a day.")
        await services.store.write(
            viewer.environment,
            services.audit.note,
            viewer.actor,
            "export.fetched",
            ("person", person.id),
            job_id=job.id,
        )
        return FileResponse(path, media_type="application/zip", filename=f"{job.id}.zip", headers=HEADERS)


def _read(tx: Reading, job_id: str) -> tuple[Job, Person]:
    job = jobs.get(tx, job_id)
    person = None if job is None or job.person_id is None else persons.get(tx, job.person_id)
    if job is None or person is None:
        raise NotFound("There is no such export in this environment; each is kept for a day.")
    return job, person
