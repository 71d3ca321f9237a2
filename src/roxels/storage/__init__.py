"""Where it is kept: the same code on SQLite and PostgreSQL; transactions that carry their environment."""
