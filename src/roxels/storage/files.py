"""The files of exports, in one folder: one per job, written under another name until it is whole.

Two processes may carry out one job at the same time: each writes a draft of its own, and whoever ends the job gives its
draft the name of the job, in the transaction that ends it. The other removes its draft and nothing else.

A file may stand only while its job does. Erasing removes the job's row and then sweeps, so no file outlives what it
tells of. An exporter opens its file before it reads a row: whatever it read is in a file that a sweep can see.
"""

import os
from collections.abc import Set
from pathlib import Path

SUFFIX = ".zip"
#: Of a file that is being written.
PART = ".part"


class Exports:
    """The folder of exports."""

    def __init__(self, folder: Path) -> None:
        """`folder` lies beside the database; it is made when the first file is."""
        self.folder = folder

    def path(self, job_id: str) -> Path:
        """Where the file of that job stands, once it is whole."""
        return self.folder / f"{job_id}{SUFFIX}"

    def draft(self, job_id: str, name: str) -> Path:
        """Make the empty file to write the job's export to, under a name of its own; only its owner can read it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{job_id}.{name}{PART}"
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return path

    def publish(self, draft: Path, job_id: str) -> None:
        """Give a whole draft the name of its job, now ended. Raises `FileNotFoundError` where it was swept."""
        draft.replace(self.path(job_id))

    def sweep(self, may_stand: Set[str]) -> int:
        """Remove every file whose job is not among these; says how many."""
        if not self.folder.is_dir():
            return 0
        lost = [path for path in self.folder.iterdir() if path.name.partition(".")[0] not in may_stand]
        for path in lost:
            path.unlink(missing_ok=True)
        return len(lost)
