"""What holds for every test: see `tests.needs` for what some need beside Python, `tests.cluster` for databases."""

from hypothesis import settings

pytest_plugins = ["tests.needs", "tests.cluster"]

# A slow machine is no fault of the code; how many examples is a choice between seconds and certainty.
settings.register_profile("everyday", deadline=None, max_examples=50)
settings.load_profile("everyday")
