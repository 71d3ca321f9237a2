# `make help` lists the targets. Everything the project needs is installed into .venv by its own files.
.DEFAULT_GOAL := help
.PHONY: help setup
VENV := .venv
UV_VERSION := 0.13.9

help: ## what can be done here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

setup: $(VENV)/.setup-stamp ## create .venv and install what the lock file names

$(VENV)/.setup-stamp: requirements.lock pyproject.toml
	@python3 -m venv $(VENV) >&2
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) >&2
	@$(VENV)/bin/uv pip install --quiet --compile-bytecode --python $(VENV)/bin/python --require-hashes -r requirements.lock >&2
	@$(VENV)/bin/uv pip install --quiet --python $(VENV)/bin/python --no-deps -e . >&2
	@touch $@
