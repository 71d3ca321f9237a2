"""Write the next migration: `python -m tools.migration "what changes"`. Read and mend what it wrote."""

import sys
import tempfile
from pathlib import Path

from roxels.storage.database import MIGRATIONS, Database
from roxels.storage.migrate import upgrade, write_revision


def main() -> None:
    """Compare the migrated database with the schema and write the difference."""
    number = f"{len(list(MIGRATIONS.glob('[0-9]*.py'))) + 1:04}"
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "empty.db")
        if number != "0001":
            upgrade(database)
        print(write_revision(database, number, sys.argv[1]))
        database.close()


if __name__ == "__main__":
    main()
