"""The types of the browser's files, which nothing compiles: `make types` reads them, and finds what is planted."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.source import ROOT

pytestmark = pytest.mark.node

TSC = ROOT / "tools" / "js" / "node_modules" / ".bin" / "tsc"
FILES = ("src/roxels/embed", "src/roxels/dashboard/static")
#: By what reads it: a file, what stands there, what is put in its place, and what is said then.
PLANTED = {
    "tsconfig.host.json": [
        ("embed/embed.js", "    destroy: () => talk.finish(),\n", "", "Property 'destroy' is missing in type"),
        ("embed/embed.d.ts", "hangUp(): void;", "hangUp(why: string): Promise<void>;", "'Promise<void>'"),
    ],
    "tsconfig.json": [
        ("embed/socket.js", "this.attempt = 0;", "this.attempt = '0';", "embed/socket.js"),
        ("embed/talk.js", "this.wire?.rest();", "this.wire?.rests();", "'rests' does not exist on type 'Wire'"),
        (
            "embed/demo/demo.js",
            "Roxels.showFab()",
            "Roxels.showFabs()",
            "'showFabs' does not exist on type 'RoxelsApi'",
        ),
        ("dashboard/static/design.js", "on.write()", "on.writes()", "'writes' does not exist on type 'On'"),
    ],
}


@pytest.fixture(scope="module")
def tsc() -> Path:
    subprocess.run(["make", "-s", "types"], cwd=ROOT, check=True)
    return TSC


@pytest.mark.parametrize("config", PLANTED)
def test_planted_faults_are_found(tsc: Path, config: str, tmp_path: Path) -> None:
    for folder in FILES:
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "tools/js").mkdir(parents=True)
    for each in PLANTED:
        shutil.copy(ROOT / "tools/js" / each, tmp_path / "tools/js")
    for name, right, wrong, _ in PLANTED[config]:
        file = tmp_path / "src/roxels" / name
        text = file.read_text()
        assert right in text, f"{name} has no {right!r} any more: plant another fault"
        file.write_text(text.replace(right, wrong))
    done = subprocess.run([tsc, "-p", tmp_path / "tools/js" / config], capture_output=True, text=True)
    assert done.returncode
    assert [said for *_, said in PLANTED[config] if said not in done.stdout] == [], done.stdout
