# make run    the app in the browser          make lint   linter, formatter, type checker
# make test   everything CI checks            make wheel  the package, in dist/
# A virtual environment in .venv is made when there is none.

PYTHON ?= python3
PORT   ?= 8501
HOST   ?= 127.0.0.1
ARGS   ?=

VENV := .venv
BIN  := $(VENV)/bin

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PYTHONUNBUFFERED := 1
ifdef CI
export NO_COLOR := 1
export PIP_NO_COLOR := 1
export PIP_PROGRESS_BAR := off
PYTEST_COLOUR := --color=no
QUIET := --quiet
endif

.DEFAULT_GOAL := help
.PHONY: help run test lint wheel chromium node

help:
	@sed -n 's/^# //p' Makefile | head -n 3

run: $(VENV)/.run-ready
	$(BIN)/python -m streamlit run serve.py --server.address=$(HOST) --server.port=$(PORT) --server.showEmailPrompt=false $(ARGS)

# On all cores, and then alone what a browser shows: live video does not share its processor well.
test: lint chromium
ifeq ($(strip $(ARGS)),)
	npm run --silent test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PYTEST_COLOUR) -n auto --dist loadfile \
	  -m "not browser" </dev/null
	$(BIN)/python -m pytest $(PYTEST_COLOUR) -m browser </dev/null
else
	$(BIN)/python -m pytest $(PYTEST_COLOUR) $(ARGS) </dev/null
endif

lint: $(VENV)/.test-ready node_modules/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	npm run --silent lint

wheel: $(VENV)/.test-ready
	$(BIN)/python -m pip wheel $(QUIET) --no-deps --no-build-isolation --wheel-dir dist .

# Stamps lie in the environment, so that deleting it deletes them. An environment that somebody
# made by hand is used as it is; one that was left half made is made again.
$(VENV)/.run-ready: requirements.txt $(VENV)/.made
	@echo "Installing what gymform needs into $(VENV), once. The first time takes minutes."
	$(BIN)/python -m pip install $(QUIET) -r requirements.txt
	@touch $@

$(VENV)/.test-ready: requirements-dev.txt requirements.txt $(VENV)/.made
	$(BIN)/python -m pip install $(QUIET) -r requirements-dev.txt
	@touch $@

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Python is missing: install Python 3.11 or newer (Debian: apt install python3 python3-venv)," \
	       "or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "gymform needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	       "Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 \
	  || $(PYTHON) -c 'import ensurepip, venv' >/dev/null 2>&1 || { \
	  echo "Python's venv module is missing. On Debian or Ubuntu: sudo apt install python3-venv" >&2; \
	  exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(VENV) holds a Python older than 3.11: delete that folder and try again." >&2; exit 1; }
	@touch $@

# The browser tests drive Debian's own Chromium; Playwright would download one of its own.
chromium:
	@command -v chromium >/dev/null || test -x /usr/bin/chromium || { \
	  command -v apt-get >/dev/null || { \
	    echo "The browser tests need Chromium as /usr/bin/chromium: please install it." >&2; exit 1; }; \
	  if [ "$$(id -u)" -eq 0 ]; then as_root=""; else as_root="sudo"; fi; \
	  $$as_root apt-get update -qq && \
	  $$as_root env DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends chromium </dev/null; }

# Node checks the scripts of the pages; the app itself does without it. Debian's own will do.
node_modules/.ready: package.json package-lock.json .npmrc | node
	npm ci --silent
	@touch $@

node:
	@{ command -v node && command -v npm; } >/dev/null || { \
	  command -v apt-get >/dev/null || { \
	    echo "The scripts of the pages are checked with Node 18.18 or newer and npm: please" \
	         "install them." >&2; exit 1; }; \
	  if [ "$$(id -u)" -eq 0 ]; then as_root=""; else as_root="sudo"; fi; \
	  $$as_root apt-get update -qq && \
	  $$as_root env DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends nodejs npm </dev/null; }
	@node -p 'process.versions.node' | { IFS=. read -r major minor _; \
	  [ "$$major" -gt 18 ] || { [ "$$major" -eq 18 ] && [ "$$minor" -ge 18 ]; }; } || { \
	  echo "The scripts of the pages are checked with Node 18.18 or newer; this one is" \
	       "$$(node --version). Newer ones: https://nodejs.org" >&2; exit 1; }
