# The two commands of the README, and what they are made of. Every target says what it runs.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
PYTEST_ARGS ?=

.PHONY: demo test lint types contracts unit system-packages bench docs lock clean

demo: .venv/.runtime
	$(BIN)/python -m gateway.cli demo $(ARGS)

test: .venv/.complete system-packages lint types contracts unit

# A virtual environment with exactly the locked packages; pip refuses a file whose hash is not in the lock.
.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	$(PYTHON) -m venv .venv || { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }

.venv/.runtime: .venv/bin/python requirements.lock setup.cfg
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m tools.link_project
	touch $@

.venv/.complete: .venv/bin/python requirements-dev.lock setup.cfg
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m tools.link_project
	touch .venv/.runtime $@

# Servers that some tests use. As root on Debian they are installed; elsewhere those tests say that they were skipped.
system-packages:
	@sh tools/system_packages.sh

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

contracts:
	$(BIN)/lint-imports

unit:
	$(BIN)/python -m pytest -n 2 $(PYTEST_ARGS)

bench: .venv/.complete
	$(BIN)/python -m bench $(ARGS)

# The site, in build/site; a warning of Sphinx is an error.
docs: .venv/.complete
	$(BIN)/python -m tools.site

# New locks from requirements*.in; needs the tool uv (see docs/dependencies.md).
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements.in -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements-dev.in -o requirements-dev.lock

clean:
	rm -rf .venv var build .mypy_cache .ruff_cache .pytest_cache
