"""The API's description: true of the routes, complete, and readable as one page."""

import html
import json
import re
from html.parser import HTMLParser

import httpx2
from starlette.routing import Route

from roxels.api.app import RESOURCES, document


async def test_openapi_is_served(stranger: httpx2.AsyncClient) -> None:
    assert (await stranger.get("/openapi.json")).json() == document()


def test_every_route_is_described_with_what_may_come_back() -> None:
    for prefix, router, is_described in RESOURCES:
        for route in router.routes:
            assert isinstance(route, Route)
            for method in route.methods or ():
                path = prefix + route.path
                operation = document()["paths"].get(path, {}).get(method.lower())
                assert (operation is not None) == is_described, path
                if operation is not None:
                    assert operation["summary"][0].isupper()
                    assert {"400", "401", "404", "429", "500"} < set(operation["responses"])
                    assert ("413" in operation["responses"]) == ("requestBody" in operation)
                    assert not {"405", "422", "503"} & set(operation["responses"])
    ready = document()["paths"]["/readyz"]["get"]["responses"]
    assert ready["503"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}


def test_idempotency_key_is_described_where_it_is_honoured() -> None:
    described, with_secret_key = set(), set()
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            names = [each["name"] for each in operation.get("parameters", ())]
            described |= {(method, path)} if "Idempotency-Key" in names else set()
            with_secret_key |= {(method, path)} if {"secret_key": []} in operation.get("security", ()) else set()
    posts = {(method, path) for method, path in with_secret_key if method == "post"}
    previews = {("post", "/v1/retention/preview"), ("post", "/v1/templates/{template_id}/preview-output")}
    assert previews < posts
    assert described == posts - previews


def test_no_name_of_the_framework_shows() -> None:
    names = list(document()["components"]["schemas"])
    assert not [name for name in names if "_" in name]
    ids = [operation["operationId"] for methods in document()["paths"].values() for operation in methods.values()]
    assert len(set(ids)) == len(ids)


class Links(HTMLParser):
    """All ids and all links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: set[str] = set()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.targets |= {(found["href"] or "")[1:]} if (found.get("href") or "").startswith("#") else set()


async def test_the_page_shows_every_operation_and_all_its_links_lead_somewhere(stranger: httpx2.AsyncClient) -> None:
    answer = await stranger.get("/docs")
    links = Links()
    links.feed(answer.text)
    assert len(set(links.ids)) == len(links.ids)
    assert links.targets <= set(links.ids)
    described = document()
    assert {each["operationId"] for methods in described["paths"].values() for each in methods.values()} < set(
        links.ids
    )
    assert "The body is larger than 1 MB." in answer.text
    assert "script" not in links.tags
    assert not re.search(r"(src|href)=\"(https?:)?//", answer.text), "nothing is loaded from elsewhere"
    assert "script-src" not in answer.headers["content-security-policy"]
    style = await stranger.get("/docs/reference.css")
    assert style.headers["content-type"] == "text/css; charset=utf-8"


async def test_an_example_sends_a_list_where_a_list_is_wanted(stranger: httpx2.AsyncClient) -> None:
    page = html.unescape((await stranger.get("/docs")).text)
    example = page[page.index('curl -X POST "$ROXELS_URL/v1/interviews/erase"') :].partition("</pre>")[0]
    assert json.loads(example.partition("'")[2].rpartition("'")[0]) == {"ids": ["…"]}
