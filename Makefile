# `make help` lists the targets. Everything the project needs is installed into .venv by its own files.
.DEFAULT_GOAL := help
.PHONY: help setup run test attack crash bench check types fix lock docs pictures
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.setup-stamp
TSC := tools/js/node_modules/.bin/tsc
UV_VERSION := 0.13.9
ARGS ?=

# A machine may ask Python not to keep compiled modules; then every start compiles this project again.
export PYTHONDONTWRITEBYTECODE :=

help: ## what can be done here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

setup: $(STAMP) ## create .venv and install what the lock file names (PYTHON=python3.12 chooses another)
	@:

$(STAMP): requirements.lock pyproject.toml tools/setup.sh
	@PYTHON="$(PYTHON)" sh tools/setup.sh >&2

run: $(STAMP) ## run the demo (ARGS="--port 8123 --data DIR --json" are passed on)
	@exec $(BIN)/roxels demo $(ARGS)

test: $(STAMP) ## the everyday tests (ARGS="-k name" are passed on); with CI=1 nothing may be left out
	@$(BIN)/python -m tools.tests $(ARGS)

attack: $(STAMP) ## play every attack against every victim, and write docs/attacks.md
	@$(BIN)/python -m tests.attack $(ARGS)

crash: $(STAMP) ## cut answers of real servers 500 times, and write docs/reliability.md (ARGS="--seed 7" repeats)
	@$(BIN)/python -m tests.crash $(ARGS)

bench: $(STAMP) ## measure what docs/benchmarks.md says, and write it again (ARGS="--only P2" prints one figure)
	@$(BIN)/python -m bench $(ARGS)

check: $(STAMP) types ## format, lint, types, floors, docs and house rules: what a change has to pass
	@$(BIN)/ruff format --check --quiet . || { echo "Run: make fix" >&2; exit 1; }
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m pytest -q -rP tests/house

types: $(TSC) ## check the types of the browser's files (part of make check; needs Node.js with npm)
	@$(TSC) -p tools/js/tsconfig.host.json
	@$(TSC) -p tools/js/tsconfig.json

$(TSC): tools/js/package-lock.json
	@command -v npm >/dev/null || { echo "TypeScript comes with npm, which is not here. On Debian: sudo apt-get install -y nodejs npm" >&2; exit 1; }
	@cd tools/js && npm ci --silent --no-audit --no-fund && touch node_modules/.bin/tsc

fix: $(STAMP) ## format the code and mend what the linter can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: $(STAMP) ## write the generated pages of docs/ again
	@$(BIN)/python -m tools.generate

pictures: $(STAMP) ## take the pictures in docs/ again (needs Chromium; ARGS="demo" takes one)
	@$(BIN)/python -m tools.pictures $(ARGS)

lock: $(STAMP) ## choose versions again and write them, with their hashes, to requirements.lock (needs the network)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" pyproject.toml --group dev -o requirements.lock $(ARGS)
