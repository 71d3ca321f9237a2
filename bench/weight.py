"""P6: what a page has to load."""

import gzip
from collections.abc import Sequence
from pathlib import Path

from bench.figures import Figure, Scale

EMBED = Path(__file__).resolve().parent.parent / "src" / "roxels" / "embed"
#: Not part of the app in the frame.
ELSEWHERE = {"embed.js", "embed.d.ts", "join.js", "compact.js"}


def embed(_scale: Scale) -> Sequence[Figure]:
    """P6."""
    script = _packed(EMBED / "embed.js")
    app = sum(_packed(file) for file in EMBED.iterdir() if file.is_file() and file.name not in ELSEWHERE)
    return [
        Figure(
            id="P6",
            what="`embed.js` / the whole app in the frame, gzipped",
            goal="≤ 6 KB / ≤ 40 KB",
            measured=f"{script / 1024:.1f} KB / {app / 1024:.1f} KB",
            holds=script <= 6 * 1024 and app <= 40 * 1024,
        )
    ]


def _packed(file: Path) -> int:
    return len(gzip.compress(file.read_bytes()))
