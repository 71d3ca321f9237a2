#!/bin/sh
# Called by `make setup`: creates .venv and installs exactly what requirements.lock names, then leaves a stamp.
# The stamp holds the check sums of what was installed, so a file that only got a new date costs nothing and no network.
set -eu
python=${PYTHON:-python3}
venv=.venv
stamp=$venv/.setup-stamp

stop() {
  echo "$1" >&2
  exit 1
}

# Of pyproject.toml only what stands before the tools' own settings decides what is installed.
sums=$(cksum requirements.lock tools/setup.sh; sed '/^\[tool\./,$d' pyproject.toml | cksum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sums" ]; then
  touch "$stamp"
  exit 0
fi

command -v "$python" >/dev/null 2>&1 ||
  stop "Roxels needs Python 3.11 or newer, and there is no '$python' here. Install it (on Debian: apt-get install python3 python3-venv), or name one: make setup PYTHON=python3.12"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  stop "Roxels needs Python 3.11 or newer, and '$python' is $("$python" -V 2>&1). Name a newer one: make setup PYTHON=python3.12"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
  stop "'$python' cannot make virtual environments: its venv module is missing. On Debian: apt-get install python3-venv"

echo "Setting up .venv with $("$python" -V 2>&1) (once; about half a minute) ..."
"$python" -m venv --clear "$venv"
pip() { "$venv/bin/python" -m pip --disable-pip-version-check -qq "$@"; }
pip install --require-hashes -r requirements.lock
pip install --no-deps --editable .
printf '%s\n' "$sums" >"$stamp"
echo "Set up."
