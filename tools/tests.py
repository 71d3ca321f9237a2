"""`make test`: the tests in two parts.

    crowd   most of them, on as many processes as there are cores, a file at a time
    alone   those marked so, since they measure time: one after the other, when nothing else runs

Arguments go to pytest in both parts. The last line names what this machine could not run (`tests.needs`).
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.needs import LEFT_OUT, PARTS, in_ci, left_out_in, missing, sentence

#: pytest's exit codes (its `ExitCode`).
OK, USAGE, NO_TESTS = 0, 4, 5


def main(arguments: list[str]) -> int:
    """Run both parts; says the first fault of the two, or that there was nothing to run in either."""
    if in_ci() and missing():
        print(f"CI is set, so every test must run. {missing()}", file=sys.stderr)
        return USAGE
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder)
        codes = [_run(part, arguments, notes / part) for part in PARTS]
        left_out = sum((left_out_in(notes / part) for part in PARTS), Counter[str]())
    if left_out:
        print(f"not run: {sentence(left_out)}")
    faults = [code for code in codes if code not in (OK, NO_TESTS)]
    return faults[0] if faults else min(codes)


def _run(part: str, arguments: list[str], note: Path) -> int:
    """One part, in a pytest of its own that writes down what it leaves out."""
    crowd = ["-n", str(os.cpu_count() or 1), "--dist", "loadfile"] if part == "crowd" else []
    command = [sys.executable, "-m", "pytest", "--part", part, *crowd, *arguments]
    return subprocess.run(command, env=os.environ | {LEFT_OUT: str(note)}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
