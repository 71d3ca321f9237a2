"""Two environments that look alike, and a great many requests that take things of one to the other.

In both there are the same external ids and templates of the same names, and everything in them holds a word that stands
in that environment only. Each request has a credential of one environment, and for the rest whatever comes to hand of
either: ids, external ids, cursors, tokens, join secrets, identity and webhook secrets, devices, keys of repeats.

A request has crossed when its answer holds the other's word, or an id of the other that it did not bring itself; and
all of them together when the rows of one environment hold the other's word, or what nobody of its own touched changed.

    person    ada      bob      carol    dave         in both environments
    test      hidden   own      own      hidden       own: its own requests may change and erase her
    live      hidden   hidden   own      own          hidden: they never do, so that whoever does has crossed
"""

import asyncio
import json
import random
import re
from collections import Counter
from typing import Any, get_args

import httpx2
import jwt
import msgspec
from sqlalchemy import select

from roxels.dashboard.gate import ENVIRONMENT
from roxels.dashboard.gate import SESSION as OPERATOR
from roxels.storage.schema import conversations, metadata
from roxels.storage.transaction import Across, Environment
from tests.attack.credentials import Things, bearer, made, operator_of
from tests.attack.ground import HOST, SESSION, Ground, time_passing
from tests.attack.people import FRAME
from tests.attack.table import TABLE, Row, filled, ids_of, missing

OWN: dict[Environment, tuple[str, ...]] = {"test": ("bob", "carol"), "live": ("dave", "carol")}
EVERYBODY = ("ada", "bob", "carol", "dave")
WORDS: dict[Environment, str] = {"test": "quixotry", "live": "zephyrine"}
#: Requests that are under way together, and how rarely something of their own is erased or taken away.
AT_ONCE, RARELY = 8, 0.04
#: Things that are looked at before and after, of whom nobody of their own touches.
KEPT = (
    "persons/{person_id}", "persons/{person_id}/memory", "persons/{person_id}/devices",
    "persons/{person_id}/conversations", "interviews/{interview_id}", "interviews/{interview_id}/events",
    "deliveries/{delivery_id}", "secrets/{secret_id}", "receipts/{receipt_id}",
)  # fmt: skip


#: A secret, as an output names it.
NAMED = re.compile(r"\{\{secret:\w+\}\}")


class Side(msgspec.Struct, kw_only=True):
    """One environment: what there is, and what opens it."""

    environment: Environment
    word: str
    own: list[Things]
    hidden: list[Things]
    #: Ids that only this environment has.
    ids: set[str]
    webhook_secret: str
    ticket: dict[str, str]
    cursors: list[str] = []


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request, as it is sent."""

    method: str
    path: str
    headers: dict[str, str]
    query: dict[str, str] = {}
    body: Any = None
    #: What it speaks of without bringing it: ids that an earlier one wrote into a template.
    mentions: tuple[str, ...] = ()


class Fuzz:
    """Both sides, and chance."""

    def __init__(self, ground: Ground, sides: dict[Environment, Side], operator: str, seed: int) -> None:
        self.ground = ground
        self.sides = sides
        self.chance = random.Random(seed)
        self.seen: list[str] = []
        self.statuses: Counter[int] = Counter()
        #: How many requests brought something of the other side.
        self.foreign = 0
        self._operator = operator

    async def crossings(self, count: int) -> list[str]:
        """What crossed while so many requests were sent, some at a time."""
        before = [await kept_of(self.ground, side) for side in self.sides.values()]
        await self._run(count)
        after = [await kept_of(self.ground, side) for side in self.sides.values()]
        changed = [f"{one} became {other}" for one, other in zip(before, after, strict=True) if one != other]
        return self.seen + changed + await self.ground.store.read_across(strayed)

    async def _run(self, count: int) -> None:
        async with self.ground.client() as client, time_passing(self.ground.clock):
            for start in range(0, count, AT_ONCE):
                await asyncio.gather(*(self._one(client, start + n) for n in range(min(AT_ONCE, count - start))))

    async def _one(self, client: httpx2.AsyncClient, number: int) -> None:
        mine, theirs = self.sides["test"], self.sides["live"]
        if number % 2:
            mine, theirs = theirs, mine
        sent = self._any(mine, theirs)
        answer = await client.request(
            sent.method, sent.path, headers=sent.headers, params=sent.query, json=sent.body, follow_redirects=False
        )
        brought = json.dumps([sent.path, sent.headers, sent.query, sent.body, sent.mentions])
        # A template may name whatever it likes; what counts is what is shown in its place.
        shown = NAMED.sub("", f"{dict(answer.headers)} {answer.text}")
        seen = [theirs.word] if theirs.word in shown else []
        seen += [id for id in theirs.ids if id in shown and id not in brought]
        if '"next_cursor"' in answer.text and sent.query.get("cursor") in theirs.cursors:
            seen.append("a foreign cursor was taken")
        self.foreign += any(id in brought for id in theirs.ids)
        self.statuses[answer.status_code] += 1
        if seen or answer.status_code >= 500:
            asked = f"{sent.method} {sent.path} as {mine.environment}"
            self.seen.append(f"#{number} {asked}: {answer.status_code} {seen}")
        found = re.search(r'"next_cursor":"([^"]+)"', answer.text)
        if found and len(mine.cursors) < 500:
            mine.cursors.append(found[1])

    def _any(self, mine: Side, theirs: Side) -> Request:
        ways = [self._start, self._exchange, self._talk, self._output, self._page]
        return self.chance.choice([*ways, self._server, self._server, self._server])(mine, theirs)

    def _pick(self, mine: Side, theirs: Side) -> dict[str, str]:
        """A thing of either side or of none, or ids of all of them mixed."""
        pools = [ids_of(self.chance.choice(mine.own)), ids_of(self.chance.choice(theirs.hidden)), missing()]
        pools += [ids_of(self.chance.choice(theirs.hidden + theirs.own))]
        if self.chance.random() < 0.3:
            return {name: self.chance.choice(pools)[name] for name in pools[0]}
        return self.chance.choice(pools)

    def _server(self, mine: Side, theirs: Side) -> Request:
        """Anything that a secret key may ask for."""
        line, row = self.chance.choice([(line, row) for line, row in TABLE.items() if row.takes == "secret"])
        method, _, path = line.partition(" ")
        ids = self._pick(mine, theirs)
        takes_away = method == "DELETE" or path.endswith(("/erase", "/end"))
        if takes_away and self.chance.random() > RARELY:
            ids = ids_of(self.chance.choice(theirs.hidden))
        # By her external id she is somebody of one's own, and hidden on the other side.
        ids = ids | {"external_id": self.chance.choice(OWN[mine.environment])}
        path = re.sub(r"\{(\w+)\}", lambda found: ids[row.names.get(found[1], found[1])], path)
        headers, query = bearer(self.ground.secrets[mine.environment]), filled(row.query, ids)
        if method == "POST" and self.chance.random() < 0.3:
            headers["idempotency-key"] = f"again-{self.chance.randrange(20)}"
        if method == "GET" and "{" not in line and self.chance.random() < 0.7:
            query = query if self.chance.random() < 0.5 else {}
            query |= self._page_of(mine, theirs)
        return Request(method=method, path=path, headers=headers, query=query, body=self._signed(mine, row, ids))

    def _page_of(self, mine: Side, theirs: Side) -> dict[str, str]:
        cursors = mine.cursors + theirs.cursors
        limit = {"limit": str(self.chance.randrange(1, 5))}
        return limit | ({"cursor": self.chance.choice(cursors)} if cursors and self.chance.random() < 0.7 else {})

    def _signed(self, mine: Side, row: Row, ids: dict[str, str]) -> Any:
        """The body, with the word of the side that sends it wherever something is kept."""
        body = filled(row.body, ids)
        if body is None:
            return None
        word = f"{mine.word} {self.chance.randrange(10**6)}"
        names = {name: word for name in ("name", "description") if name in body}
        more = {"context": {"plan": mine.word}} if "template_id" in body else {}
        more |= {"metadata": {"by": mine.word}} if "external_id" in body else {}
        return body | names | more | ({"value": mine.word} if "value" in body else {})

    def _token(self, mine: Side, theirs: Side) -> str:
        """An identity token that does not hold here: the other side's, or with its parts mixed."""
        my_secret, _ = self.ground.signing[mine.environment]
        their_secret, value = self.ground.signing[theirs.environment]
        kid = self.chance.choice([my_secret.id, their_secret.id])
        claims = {
            "sub": self.chance.choice(OWN[mine.environment]),
            "exp": int(self.ground.clock.now().timestamp()) + 300,
        }
        return jwt.encode(claims, value, "HS256", {"kid": kid})

    def _start(self, mine: Side, theirs: Side) -> Request:
        """A browser that starts as somebody: by name, by a foreign token, under a foreign device."""
        place = self.ground.places[mine.environment, self.chance.choice(["claimed", "device", "verified"])]
        body: dict[str, Any] = {
            "external_id": self.chance.choice(OWN[mine.environment]),
            "host_origin": HOST,
            "tab": "t",
            "context": {"plan": mine.word},
            "person_name": mine.word,
        }
        if self.chance.random() < 0.3:
            body |= {"identity_token": self._token(mine, theirs)}
        device = self.chance.choice(theirs.hidden).cookie
        renamed = device.replace(f"_{theirs.environment}_", f"_{mine.environment}_")
        cookie = self.chance.choice([device, renamed, f"{device}; {renamed}"])
        headers = FRAME | bearer(place.embed_key) | {"cookie": cookie}
        return Request(method="POST", path=SESSION, headers=headers, body=body)

    def _exchange(self, mine: Side, theirs: Side) -> Request:
        """A ticket whose parts are of both sides, or a spent one."""
        body = self.chance.choice(
            [
                {"interview_id": mine.ticket["id"], "join_secret": theirs.ticket["secret"]},
                {"interview_id": theirs.ticket["id"], "join_secret": mine.ticket["secret"]},
                {"session_id": self.chance.choice(theirs.hidden).session_id},
                {"session_id": theirs.ticket["id"]},
            ]
        )
        return Request(method="POST", path=f"{SESSION}/exchange", headers=FRAME, body=body | {"host_origin": HOST})

    def _talk(self, mine: Side, theirs: Side) -> Request:
        """A participant of one's own, with names of the other side's things."""
        token, ids = self.chance.choice(mine.own).token, self._pick(mine, theirs)
        if self.chance.random() < 0.3:
            identity = self.chance.choice([{"external_id": "carol"}, {"identity_token": self._token(mine, theirs)}])
            return Request(method="POST", path=f"{SESSION}/identify", headers=bearer(token), body=identity)
        frames: dict[str, dict[str, Any]] = {
            "say": {"id": f"m-{self.chance.randrange(50)}", "text": mine.word},
            "heard": {"utterance_id": ids["line_id"], "chars": 1},
            "correct": {"goal_id": "wishes", "field": "wish", "value": mine.word},
        }
        name = self.chance.choice(list(frames))
        beside = {"interview_id": ids["interview_id"], "session_id": ids["session_id"]}
        body = frames[name] | self.chance.choice([{}, beside])
        return Request(method="POST", path=f"/v1/wire/{name}", headers=bearer(token), query=beside, body=body)

    def _output(self, mine: Side, theirs: Side) -> Request:
        """A template that names the other side's secrets, a repeat of what the other side sent, or no key at all."""
        things = self.chance.choice(theirs.hidden)
        template = self.ground.places[mine.environment, "claimed"].template_id
        headers = bearer(self.ground.secrets[mine.environment])
        named = self.chance.choice([things.ids["secret_id"], "crm"])
        config = {"url": "https://example.com", "headers": {"x-crm": f"{{{{secret:{named}}}}}"}}
        output = {"type": "webhook", "config": config}
        design = {"settings": {"outputs": [output], "embedded": {"resumption": True}}}
        preview = f"/v1/templates/{template}/preview-output"
        repeated = headers | {"idempotency-key": "carol"}
        mentions = tuple(each.ids["secret_id"] for each in theirs.hidden)
        return self.chance.choice(
            [
                Request(method="PATCH", path=f"/v1/templates/{template}", headers=headers, body=design),
                Request(method="POST", path=preview, headers=headers, body={}, mentions=mentions),
                Request(method="POST", path="/v1/persons", headers=repeated, body={"external_id": "carol"}),
                Request(method="GET", path="/v1/persons", headers=bearer(theirs.webhook_secret)),
                Request(method="GET", path="/v1/persons", headers=bearer(things.cookie.partition("=")[2])),
            ]
        )

    def _page(self, mine: Side, theirs: Side) -> Request:
        """The operator, who looks at one environment and asks for what the other has."""
        ids = self._pick(mine, theirs)
        person, talk = f"people/{ids['person_id']}", f"conversations/{ids['interview_id']}"
        pages = [person, talk, f"{talk}/json", f"receipts/{ids['receipt_id']}", f"templates/{ids['template_id']}"]
        path = self.chance.choice([*pages, "", "templates", "embed"])
        query = {"q": self.chance.choice(OWN[mine.environment])} | self._page_of(mine, theirs) if path == "" else {}
        headers = {"cookie": f"{OPERATOR}={self._operator}; {ENVIRONMENT}={mine.environment}"}
        return Request(method="GET", path=f"/dashboard/{path}", headers=headers, query=query)


async def fuzz_on(ground: Ground, seed: int) -> Fuzz:
    """Both environments, furnished alike."""
    sides = {environment: await _side(ground, environment) for environment in get_args(Environment)}
    return Fuzz(ground, sides, await operator_of(ground), seed)


async def _side(ground: Ground, environment: Environment) -> Side:
    word = WORDS[environment]
    policies = {name: "claimed" if name in OWN[environment] else "device" for name in EVERYBODY}
    things = {
        name: await made(ground, environment, name, policy, f"{word} {name}") for name, policy in policies.items()
    }
    async with ground.owner(environment) as owner:
        for each in things.values():
            kept = {"name": f"{word} {each.external_id}", "org_context": {"note": word}, "metadata": {"note": word}}
            await owner.patch(f"/v1/persons/{each.ids['person_id']}", json=kept)
        secret = (await owner.post("/v1/webhook-secrets", json={"name": word})).json()["value"]
        place = ground.places[environment, "device"]
        body = {"template_id": place.template_id, "persons": [{"external_id": "ticket"}], "context": {"plan": word}}
        opened = (await owner.post("/v1/interviews", json=body)).json()
    ids = {value for each in things.values() for name, value in each.ids.items() if name != "number"}
    return Side(
        environment=environment,
        word=word,
        own=[things[name] for name in EVERYBODY if name in OWN[environment]],
        hidden=[things[name] for name in EVERYBODY if name not in OWN[environment]],
        ids=ids | {opened["id"], opened["session_id"], opened["person"]["id"]},
        webhook_secret=secret,
        ticket={"id": opened["id"], "secret": opened["join_url"].partition("#")[2]},
    )


async def kept_of(ground: Ground, side: Side) -> list[Any]:
    """What nobody of its own touches, as its own server reads it."""
    async with ground.owner(side.environment) as owner:
        return [(await owner.get("/v1/" + path.format(**things.ids))).json() for things in side.hidden for path in KEPT]


def strayed(across: Across) -> list[str]:
    """Rows that hold the word of the other environment."""
    of_talk = {row.id: row.environment for row in across.all(select(conversations.c.id, conversations.c.environment))}
    found = []
    for table in metadata.sorted_tables:
        for row in across.all(select(table)):
            values = dict(row._mapping)
            environment = values.get("environment") or of_talk.get(str(values.get("conversation_id")))
            others = [word for side, word in WORDS.items() if side != environment]
            found += [f"{table.name} of {environment}" for word in others if environment and word in repr(values)]
    return found
