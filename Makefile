# Everything a developer does. `make` alone lists it.
PORT ?= 8000
DATA ?= data
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATIC := clickatlas/static/index.html
SERVE := $(BIN)/clickatlas serve --data "$(DATA)" --port "$(PORT)"
# Folders that npm and the build fill are not looked into: that would cost every make a second.
WEB_SOURCES := $(shell find web \( -name node_modules -o -path web/public/basemap \) -prune -o -type f -print 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help run demo dev test lint types test-python test-web test-browser audit fuzz bench docs lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(VENV)/.installed $(STATIC) ## everything set up, then clickatlas on http://127.0.0.1:8000 (PORT=, DATA=)
	@$(SERVE)

demo: $(VENV)/.installed $(STATIC) ## make run with 200,000 sample clicks on the map
	@$(BIN)/clickatlas demo --data "$(DATA)"
	@$(SERVE)

dev: $(VENV)/.installed-dev $(STATIC) ## serve, and start again when a Python file changes; the page reloads on http://127.0.0.1:5173
	@(cd web && npm run --silent dev) & trap "kill $$!" EXIT; \
	$(BIN)/watchfiles --filter python --sigint-timeout 10 '$(SERVE)' clickatlas

test: lint types test-python test-web test-browser ## lint, types, Python, web and browser tests

lint: $(VENV)/.installed-dev web/node_modules/.installed ## ruff, lock files, known weaknesses of what they lock, and the page's own linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tests.locks
	$(BIN)/python -m tests.audit
	cd web && npm run --silent lint

types: $(VENV)/.installed-dev web/node_modules/.installed ## mypy --strict and tsc
	$(BIN)/mypy
	cd web && npm run --silent check

test-python: $(VENV)/.installed-dev $(STATIC) ## unit, store and server tests, on the real City database; two at a time, for most wait
	$(BIN)/pytest --numprocesses 2 --dist loadfile tests/unit tests/conformance tests/server

test-web: $(STATIC) ## the page's unit tests
	cd web && npm test --silent

test-browser: $(VENV)/.installed-dev $(STATIC) ## a real Chromium against a real server; pictures in artefacts/
	@CHROMIUM="$$(sh tests/browser/chromium.sh)" && export CHROMIUM && $(BIN)/pytest tests/browser

audit: $(VENV)/.installed-dev ## known weaknesses of every locked package; unlike in lint, being offline is a failure
	$(BIN)/python -m tests.audit --strict

fuzz: $(VENV)/.installed-dev $(STATIC) ## the API's document against the API, at length (FUZZ= requests per endpoint)
	FUZZ="$${FUZZ:-500}" $(BIN)/pytest --timeout 3600 tests/server/test_document.py tests/server/test_fuzz.py

bench: $(VENV)/.installed-dev $(STATIC) ## figures as ratios against a peer in the same run
	$(BIN)/python -m bench

docs: $(VENV)/.installed-dev web/node_modules/.installed ## write what is made from code: docs/settings.md, docs/export.md, docs/openapi.json, the page's API types
	$(BIN)/python -m clickatlas.settings > docs/settings.md
	$(BIN)/python -m clickatlas.app > docs/openapi.json
	$(BIN)/python -m clickatlas.api.export_document > docs/export.md
	cd web && npm run --silent api

lock: ## renew both lock files (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --extra install pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --extra install --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean: ## remove what make built; data and the download cache stay
	rm -rf $(VENV) web/node_modules clickatlas/static build *.egg-info

$(VENV)/.installed: requirements.lock pyproject.toml
	@test -x $(BIN)/python || { echo "• creating $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "• installing Python packages (about half a minute the first time)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "• installing the developers' Python packages"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

web/node_modules/.installed: web/package-lock.json
	@echo "• installing npm packages"
	@cd web && npm ci --silent --no-audit --no-fund
	@touch $@

$(STATIC): web/node_modules/.installed $(WEB_SOURCES)
	@echo "• building the web page"
	@cd web && npm run --silent build
	@touch $@
