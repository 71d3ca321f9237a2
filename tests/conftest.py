"""What holds for every test: see `tests.needs` for what some of them need beside Python."""

pytest_plugins = ["tests.needs"]
