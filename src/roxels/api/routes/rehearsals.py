"""Outputs tried out: what one would send, and what its receiver says to it."""

from fastapi import APIRouter
from starlette.responses import Response

from roxels.actions.rehearse import Rehearsed, rehearse
from roxels.api import bodies, outgoing
from roxels.api.answers import Answer, reply
from roxels.api.auth import Secret
from roxels.api.reading import StrictRoute
from roxels.domain.outputs import captured
from roxels.outbound.rehearsing import Locked
from roxels.outbound.sending import Letter

router = APIRouter(prefix="/v1/templates", route_class=StrictRoute, tags=["Templates"])


@router.post("/{template_id}/preview-output", response_model=outgoing.Preview)
async def preview_output(key: Secret, template_id: str, body: bodies.TryOutput) -> Response:
    """Show the request that an output would make, of sample data. Nothing is sent; secrets stand in it by name."""
    made = await key.read(rehearse, body.wanted(template_id), key.services.ids)
    return reply(Answer(body=outgoing.preview(made)))


@router.post("/{template_id}/test-output", response_model=outgoing.TriedOut)
async def test_output(key: Secret, template_id: str, body: bodies.TryOutput) -> Response:
    """Send what an output would send, once, of sample data and marked as a test, and tell what came back.

    It is no delivery: it is not tried again, and nothing of it is kept.
    """
    once = key.once.key if key.once else None
    made = await key.read(rehearse, body.wanted(template_id), key.services.ids, once)

    async def send() -> Answer:
        outcome = await key.services.rehearser.send(
            Letter(id=made.id, key=made.commit_id, request=made.request), _locked(key.environment, made)
        )
        found = captured(made.output.response_capture, outcome.answer)
        return Answer(body=outgoing.tried_out(made, outcome, found))

    return await key.post_after(send)


def _locked(environment: str, made: Rehearsed) -> Locked:
    return Locked(environment=environment, signing=made.signing, named=made.named)
