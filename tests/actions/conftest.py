"""Actions run on the same real database as storage's tests."""

from tests.storage.conftest import clock, database, ids, store, template_id

__all__ = ["clock", "database", "ids", "store", "template_id"]
