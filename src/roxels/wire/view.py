"""What a client shows: a fold of the frames it received, the same however often the connection broke.

Written for `roxels talk` and for tests; the page in the frame does the same in `embed/view.js`.
"""

from typing import Any

import msgspec


class Shown(msgspec.Struct, kw_only=True):
    """One message as it stands on the screen."""

    id: str
    role: str
    text: str = ""
    final: bool = False
    interrupted: bool = False


class ClientView:
    """The conversation as this client knows it."""

    def __init__(self) -> None:
        self.after = 0
        self.messages: dict[str, Shown] = {}
        self.data: dict[str, dict[str, Any]] = {}
        self.committed: dict[str, int] = {}
        self.active: str | None = None
        self.ended_by: str | None = None
        self.resumption: dict[str, Any] | None = None
        self.writing: str | None = None

    def apply(self, frame: dict[str, Any]) -> None:
        """Take in one frame of the server. Raises `ValueError` where a piece does not join what is shown."""
        match frame["frame"]:
            case "welcome":
                self.resumption = frame["resumption"]
            case "piece":
                self._grow(frame["utterance_id"], frame["from"], frame["text"])
            case "event":
                self.after = frame["seq"]
                self._learn(frame)
            case _:
                pass

    @property
    def rendered(self) -> dict[str, Any] | None:
        """What to say in a hello: how much of the answer under way is shown."""
        shown = self.messages.get(self.writing or "")
        return None if shown is None else {"utterance_id": shown.id, "chars": len(shown.text)}

    def as_json(self) -> bytes:
        """The view as canonical JSON, for comparing."""
        return msgspec.json.encode(
            {
                "after": self.after,
                "messages": list(self.messages.values()),
                "data": self.data,
                "committed": self.committed,
                "active": self.active,
                "ended_by": self.ended_by,
            },
            order="sorted",
        )

    def _grow(self, utterance_id: str, start: int, text: str) -> None:
        shown = self.messages.setdefault(utterance_id, Shown(id=utterance_id, role="agent"))
        if start != len(shown.text):
            raise ValueError(f"a piece from {start} does not join {len(shown.text)} characters of {utterance_id}")
        shown.text += text
        self.writing = utterance_id

    def _learn(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "person.said":
                self.messages[event["id"]] = Shown(id=event["id"], role="user", text=event["text"], final=True)
            case "agent.started":
                self.messages.setdefault(event["utterance_id"], Shown(id=event["utterance_id"], role="agent"))
                self.writing = event["utterance_id"]
            case "agent.said":
                self._finish(event)
            case "field.captured":
                self.data.setdefault(event["goal_id"], {})[event["field"]] = event["value"]
            case "goal.activated":
                self.active = event["goal_id"]
            case "goal.committed":
                self.committed[event["goal_id"]] = event["revision"]
            case "conversation.ended":
                self.ended_by = event["ended_by"]
            case _:
                pass

    def _finish(self, event: dict[str, Any]) -> None:
        shown = self.messages.setdefault(event["utterance_id"], Shown(id=event["utterance_id"], role="agent"))
        if not event["text"].startswith(shown.text):
            raise ValueError(f"what is shown of {shown.id} was replaced")
        shown.text, shown.final, shown.interrupted = event["text"], True, event["interrupted"]
        if self.writing == shown.id:
            self.writing = None
