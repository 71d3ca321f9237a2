"""How Alembic runs here: on the connection that `storage.migrate` hands over, in its transaction."""

from alembic import context

from roxels.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
    user_module_prefix="schema.",
)
context.run_migrations()
