# `make help` tells what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= python3
WORKERS ?= 2
BIN := .venv/bin
CONSOLE_SOURCES := $(shell find frontend -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)

##@ Run
up: install console  ## Run Weir here in the foreground: stores, migrations, console, workers
	@$(BIN)/weir up

demo: install console  ## The same with real traffic: GitHub's webhooks and Google's events
	@npm ci --silent --prefix infra/demo
	@$(BIN)/weir demo

install: .venv/.installed frontend/node_modules/.installed chromium  ## Install what `up` and `test` need

console: frontend/dist/index.html  ## Build the console into frontend/dist

##@ Check
test: install lint typecheck drift console-test test-python  ## Every test and gate of the project

lint: install  ## Style, formatting and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

typecheck: install  ## mypy, strict
	$(BIN)/mypy

drift: install  ## What is generated is what the sources say
	$(BIN)/python -m shared.runtime.generate --check
	$(BIN)/python -m tests.contract.report --check
	cd frontend && npx --no-install openapi-ts -o node_modules/.cache/api >/dev/null && diff -r node_modules/.cache/api src/api

console-test: console  ## The console's types, style, unit tests and size
	npm run --silent --prefix frontend typecheck
	npm run --silent --prefix frontend lint
	npm run --silent --prefix frontend test
	npm run --silent --prefix frontend budget

test-python: install console  ## Unit, integration, contract and browser tests, with coverage
	rm -f .coverage .coverage.*
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup --ignore=tests/knative --cov --cov-report=
	$(BIN)/coverage report

test-knative: install console  ## The way of an event on a real Knative (KUBECONFIG, or ../shared/cluster)
	$(BIN)/pytest tests/knative -p no:xdist -s

##@ Measure
bench: install  ## Figures beside their references: a table, build/bench.json, docs/benchmarks.md
	$(BIN)/python -m tests.bench.run

torture: install console  ## kill -9 under load, and what was lost (nothing): a table, build/torture.json
	$(BIN)/python -m tests.torture.run

##@ Make
generate: install  ## Write all generated files anew
	$(BIN)/python -m shared.runtime.generate
	$(BIN)/python -m tests.contract.report
	npm run --silent --prefix frontend api
	$(BIN)/ruff format -q .

image: install console  ## Build the container image (IMAGE names it)
	$(BIN)/python infra/docker/build

clean:  ## Remove what was built; data and installed packages stay
	rm -rf build dist frontend/dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache

help:  ## This list
	@awk 'BEGIN {FS = ":.*##"} \
	  /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*##/ {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: up demo install console test lint typecheck drift console-test test-python test-knative bench \
  torture generate image clean help chromium

.venv/.installed: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Weir needs Python 3.11 or later; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true)." >&2; \
	  echo "Install one and name it: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv sync --quiet --frozen
	@touch $@

frontend/node_modules/.installed: frontend/package.json frontend/package-lock.json
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' 2>/dev/null || { \
	  echo "Weir's console needs Node 20 or later; found: $$(node --version 2>/dev/null || echo none)." >&2; \
	  echo "Install it from your system's packages or nodejs.org and run make again." >&2; exit 1; }
	npm ci --silent --no-audit --no-fund --prefix frontend
	@touch $@

frontend/dist/index.html: frontend/node_modules/.installed $(CONSOLE_SOURCES)
	npm run --silent --prefix frontend build
	@touch $@

# The browser of the end-to-end tests. Elsewhere than on Debian as root it has to be there already.
chromium:
	@if ! command -v chromium >/dev/null && [ "$$(id -u)" = 0 ] && [ -f /etc/debian_version ]; then \
	  echo "installing Debian's chromium for the browser tests" >&2; \
	  { apt-get -qq update && apt-get -qq -y install --no-install-recommends chromium; } >/dev/null 2>/tmp/weir-chromium.log \
	    || echo "chromium could not be installed; the browser tests will say so (/tmp/weir-chromium.log)" >&2; \
	fi
