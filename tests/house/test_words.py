"""Words that must not stand in the project: left undone, switched off, mocked, or true on one machine only."""

import re

import pytest

from tests.house.source import ROOT, files

#: What must not stand anywhere. Written so that this table does not find itself.
FORBIDDEN = {
    "left undone": r"\b(TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b|raise NotImplemented[E]rror",
    "a check switched off": r"type: [i]gnore|# no[q]a|pragma: no [c]over|eslint-[d]isable|@ts-[i]gnore|@ts-[n]ocheck",
    "a test that does not run": r"pytest\.[s]kip|pytest\.importor[s]kip|mark\.[s]kip|mark\.[x]fail|pytest\.[x]fail",
    "a mock": r"unittest\.[m]ock|import [m]ock|monkeypatch\.[s]etattr|monkeypatch\.[s]etitem|Magic[M]ock|Async[M]ock",
    "a path of one machine": r"(?<![\w./$])/(work|farm|tmp|root|home)/",
    "a download address": r"https?://[^\s\"']+\.(whl|tgz|tar\.gz|deb)\b",
}
NOT_TEXT = {".lock", ".png", ".ico", ".woff2"}


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_nowhere_stands(kind: str) -> None:
    pattern = re.compile(FORBIDDEN[kind])
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in files()
        if path.suffix not in NOT_TEXT
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, f"{kind}:\n" + "\n".join(found)
