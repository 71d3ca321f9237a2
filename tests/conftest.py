"""What holds for every test: see `tests.needs` for what some of them need beside Python."""

from hypothesis import settings

pytest_plugins = ["tests.needs"]

# A slow machine is no fault of the code; how many examples is a choice between seconds and certainty.
settings.register_profile("everyday", deadline=None, max_examples=50)
settings.load_profile("everyday")
