"""Where it is kept: SQLAlchemy Core, the same code on SQLite and PostgreSQL; the only room that knows SQL."""
