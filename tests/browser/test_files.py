"""Laws of the embed's files: weight, the copy of port.js, the types beside the object, nothing inline."""

import gzip
import re
import textwrap

import pytest

from tests.browser.fake_server import EMBED
from tests.browser.host import HostPage

FRAME_APP = sorted(
    path for path in EMBED.iterdir() if path.suffix in (".js", ".css", ".html") and path.name != "embed.js"
)
HOST_SCRIPT_BYTES = 6 * 1024
FRAME_APP_BYTES = 40 * 1024


def weight(*names: str) -> int:
    return sum(len(gzip.compress((EMBED / name).read_bytes(), 9)) for name in names)


def keys_of(interface: str) -> set[str]:
    source = re.sub(r"/\*.*?\*/", "", (EMBED / "embed.d.ts").read_text(), flags=re.S)
    found = re.search(rf"interface {interface} (?:extends \w+ )?\{{\n(.*?)\n\}}", source, re.S)
    assert found, interface
    return set(re.findall(r"^  (?:readonly )?(\w+)\??[:(]", found.group(1), re.M))


def test_host_script_is_light() -> None:
    assert weight("embed.js") <= HOST_SCRIPT_BYTES
    assert len((EMBED / "embed.js").read_text().splitlines()) <= 500


def test_frame_app_is_light() -> None:
    assert weight(*(path.name for path in FRAME_APP)) <= FRAME_APP_BYTES


def test_small_parts_stay_small() -> None:
    assert len((EMBED / "port.js").read_text().splitlines()) <= 80
    assert len((EMBED / "socket.js").read_text().splitlines()) <= 150


def test_port_in_the_host_script_is_the_module() -> None:
    module = re.search(r"^function createPort.*?^\}\n", (EMBED / "port.js").read_text(), re.S | re.M)
    copy = re.search(r"port\.js: a copy[^\n]*\n(.*?)  // end of port\.js", (EMBED / "embed.js").read_text(), re.S)
    assert module
    assert copy
    assert textwrap.dedent(copy.group(1)) == module.group(0)


def test_nothing_is_read_as_html() -> None:
    for path in [*EMBED.glob("*.js"), *EMBED.glob("demo/*.js")]:
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", path.read_text()
        ), path.name


def test_nothing_is_inline_in_the_frame() -> None:
    html = (EMBED / "frame.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", html)


def imports(name: str) -> set[str]:
    """The modules that this one loads, and those that they load."""
    found = set(re.findall(r'from "\./(\w+\.js)"', (EMBED / name).read_text()))
    return found.union(*map(imports, found))


def test_every_module_of_the_frame_is_asked_for_at_once() -> None:
    """A module behind a module behind a module is a way to the server and back each time."""
    html = (EMBED / "frame.html").read_text()
    preloaded = re.findall(r'<link rel="modulepreload" href="/embed/static/\{\{ v \}\}/(\w+\.js)">', html)
    assert preloaded == sorted(imports("frame.js"))


def test_every_language_has_every_label() -> None:
    source = (EMBED / "labels.js").read_text()
    blocks = re.findall(r"(?:const en =|  \w\w:) \{\n(.*?)\n ?\s?\}", source, re.S)
    names = [set(re.findall(r"^\s+(\w+): \"", block, re.M)) for block in blocks]
    assert len(names) == 5
    assert all(each == names[0] for each in names)


def test_options_events_and_callbacks_are_the_same_everywhere() -> None:
    """The types, the script, the table of the documentation."""
    script, page = (EMBED / "embed.js").read_text(), (EMBED.parents[2] / "docs" / "embed.md").read_text()
    ours = re.search(r"const OPTION = /\^\(([^)]*?)\|on\[A-Z\]", script)
    assert ours
    of_the_person = {"personName", "externalId", "identityToken", "context"}
    options = keys_of("Options") | keys_of("InitOptions") | keys_of("StartOptions")
    assert set(ours[1].split("|")) == options - of_the_person
    assert set(re.findall(r"`(\w+)`", rows_of(page, "Options of"))) >= options
    events = keys_of("Events")
    assert events == {
        name
        for row in re.findall(r"^\| (.*?) \|", rows_of(page, "Events"), re.M)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert {f"on{name.title().replace('_', '')}" for name in events} == keys_of("Callbacks")
    relayed = re.search(r"const EVENTS = \[(.*?)\]", script)
    assert relayed
    assert set(re.findall(r"\w+", relayed[1])) | {"status", "close", "error"} == events


def test_every_error_has_a_row_in_the_documentation() -> None:
    """What the embed says by itself, and what it and the check of identity tokens know of the server."""
    page = (EMBED.parents[2] / "docs" / "embed.md").read_text()
    code = re.compile(r"(?:\berror: |\berror === |Refusal\(|\bcode = )\"(\w+)\"")
    said = {name for path in EMBED.glob("*.js") for name in code.findall(path.read_text())}
    assert len(said) > 8
    for path in (EMBED.parent / "actions").glob("*.py"):
        said |= set(re.findall(r"\"(identity_token_\w+)\"", path.read_text()))
    assert "identity_token_invalid" in said
    explained = re.findall(r"^\| (.*?) \|", rows_of(page, "When something is"), re.M)
    assert said - {name for row in explained for name in re.findall(r"`(\w+)`", row)} == set()


def rows_of(page: str, heading: str) -> str:
    """The table below a heading of a page."""
    found = re.search(rf"^## {heading}.*?\n((?:\|.*\n)+)", page, re.S | re.M)
    assert found, heading
    return found[1].split("| --- |")[1]


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
async def test_types_name_what_the_object_has(host: HostPage) -> None:
    await host.open()
    assert set(await host.run("Object.keys(Roxels)")) == keys_of("RoxelsApi")
    await host.start(externalId="ada", display="none")
    assert set(await host.run("Object.keys(Roxels.call)")) == keys_of("Call")
    assert set(await host.run("Object.keys(Roxels.state)")) == keys_of("State")
