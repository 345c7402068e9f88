# Everything that is done with this repository. `make help` lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
CLUSTER ?= ../shared/cluster/cluster
BIN := .venv/bin
BUILD := build
KUBECONFORM := github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0
KUSTOMIZE := sigs.k8s.io/kustomize/kustomize/v5@v5.8.1
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/.venv
unexport VIRTUAL_ENV

CONSOLE_SOURCES = $(shell find frontend/src frontend/public frontend/index.html frontend/vite.config.ts \
	frontend/tsconfig.json frontend/package-lock.json -type f 2>/dev/null)

##@ Run
.PHONY: up demo console
up: install console ## Start Weir on 127.0.0.1:$WEIR_PORT (8480); Ctrl-C ends it
	@exec $(BIN)/weir up --end-with-parent

demo: install console ## The same with real traffic in it
	@exec $(BIN)/weir demo --end-with-parent

console: frontend/dist/index.html ## Build the console where its sources have changed

##@ Prepare
.PHONY: install tools clean
install: .venv/.installed frontend/node_modules/.installed infra/demo/node_modules/.installed $(BUILD)/.chromium $(BUILD)/.promtool ## Get everything that running and testing need

tools: $(BUILD)/tools/.installed ## Build kubeconform and kustomize, where there is Go

clean: ## Remove what was built and installed, but no data
	rm -rf $(BUILD) dist .venv frontend/node_modules frontend/dist infra/demo/node_modules \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*

##@ Check
.PHONY: test lint typecheck check-drift test-console test-python test-e2e test-manifests test-knative
test: install lint typecheck check-drift test-console test-python test-e2e ## Every gate and every suite

lint: install ## ruff, import-linter, eslint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	cd frontend && npm run --silent lint

typecheck: install ## mypy --strict, vue-tsc
	$(BIN)/mypy
	cd frontend && npm run --silent typecheck

check-drift: install ## Is every generated file what it would be now?
	$(BIN)/python -m shared.runtime.generate --check
	@mkdir -p $(BUILD) && rm -rf $(BUILD)/api
	cd frontend && npx openapi-ts --silent --output ../$(BUILD)/api
	diff -r frontend/src/api $(BUILD)/api

test-console: install console ## The console's unit tests and its budgets
	cd frontend && npm test --silent
	cd frontend && npm run --silent budget

test-python: install console tools ## Unit, integration and contract tests, with coverage
	rm -f .coverage .coverage.*
	$(BIN)/pytest -n 2 --dist loadgroup -m "not e2e" --cov --cov-report=term

test-e2e: install console ## The built console in a real browser
	$(BIN)/pytest -m e2e tests/e2e

test-manifests: install tools ## The Knative manifests by kubeconform, and what is said of them
	$(BIN)/pytest tests/manifests tests/unit/runtime/knative

test-knative: install console ## The generated manifests on a Knative: $KUBECONFIG, or the one of $CLUSTER
	WEIR_KNATIVE=1 $(BIN)/pytest tests/knative -s -o faulthandler_timeout=0  # its waits have limits of their own

##@ Make
.PHONY: generate manifests image bench torture
generate: install ## Write every generated file
	$(BIN)/python -m shared.runtime.generate
	$(BIN)/python -m tests.contract.report
	cd frontend && npm run --silent api

manifests: install tools ## Write every overlay, as it would be applied, into build/manifests
	$(BIN)/python -m shared.runtime.generate
	@mkdir -p $(BUILD)/manifests
	@for overlay in infra/knative/overlays/*/; do \
		name=$(BUILD)/manifests/$$(basename $$overlay).yaml; \
		if [ -x $(BUILD)/tools/kustomize ]; then $(BUILD)/tools/kustomize build $$overlay >$$name; \
		else kubectl kustomize $$overlay >$$name; fi; \
		echo $$name; \
	done

image: console ## Build the container image
	infra/docker/build

bench: install ## Measure, each figure beside its reference
	$(BIN)/python -m tests.bench.run

torture: install ## Break everything under load, and account for every event
	$(BIN)/python -m tests.torture.run

##@ Help
.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: .python .node
.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		found=$$($(PYTHON) --version 2>/dev/null || true); \
		echo "Weir needs Python 3.11 or newer; $(PYTHON) is: $${found:-not there}." \
			"Install one, or name it: make PYTHON=python3.12 up" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments. On Debian: apt-get install python3-venv" >&2; exit 1; }

.node:
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' 2>/dev/null || { \
		found=$$(node --version 2>/dev/null || true); \
		echo "Weir needs Node 20 or newer; node is: $${found:-not there}. See https://nodejs.org" >&2; exit 1; }
	@command -v npm >/dev/null || { echo "npm is not there; it comes with Node: https://nodejs.org" >&2; exit 1; }

.venv/.installed: pyproject.toml uv.lock | .python
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.13,<1"
	$(BIN)/uv sync --quiet --frozen --inexact
	@touch $@

frontend/node_modules/.installed: frontend/package.json frontend/package-lock.json | .node
	cd frontend && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

infra/demo/node_modules/.installed: infra/demo/package.json infra/demo/package-lock.json | .node
	cd infra/demo && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# The browser of the end-to-end tests. Nothing else needs it, so its absence only says so.
$(BUILD)/.chromium:
	@mkdir -p $(BUILD)
	@if ! command -v chromium >/dev/null && [ "$$(id -u)" = 0 ] && [ -f /etc/debian_version ]; then \
		echo "apt-get install chromium"; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } \
			>$(BUILD)/chromium.log 2>&1 || echo "chromium was not installed: see $(BUILD)/chromium.log" >&2; \
	fi
	@if command -v chromium >/dev/null; then touch $@; else \
		echo "there is no chromium: the end-to-end tests will be skipped" >&2; fi

# Prometheus' own judge of the alert rules, from Debian's package. Only their test needs it.
$(BUILD)/.promtool:
	@mkdir -p $(BUILD)/tools/prometheus
	@if ! command -v promtool >/dev/null && command -v apt-get >/dev/null; then \
		echo "apt-get download prometheus"; \
		{ cd $(BUILD)/tools/prometheus \
			&& { apt-get download -qq prometheus || { apt-get update -qq && apt-get download -qq prometheus; }; } \
			&& dpkg-deb --extract prometheus_*.deb . && mv usr/bin/promtool ..; } \
			>$(BUILD)/promtool.log 2>&1 || echo "promtool was not got: see $(BUILD)/promtool.log" >&2; \
	fi
	@rm -rf $(BUILD)/tools/prometheus
	@if command -v promtool >/dev/null || test -x $(BUILD)/tools/promtool; then touch $@; else \
		echo "there is no promtool: it does not test the alert rules" >&2; fi

# What checks manifests. Nothing else needs it, so its absence only says so.
$(BUILD)/tools/.installed: Makefile
	@mkdir -p $(BUILD)/tools
	@if ! command -v go >/dev/null; then \
		echo "there is no Go to build kubeconform with: tests of manifests will be skipped" >&2; \
	elif GOBIN=$(CURDIR)/$(BUILD)/tools go install $(KUBECONFORM) >$(BUILD)/tools/log 2>&1 && \
		{ command -v kubectl >/dev/null || GOBIN=$(CURDIR)/$(BUILD)/tools go install $(KUSTOMIZE) >>$(BUILD)/tools/log 2>&1; }; then \
		touch $@; \
	else \
		echo "kubeconform and kustomize were not built (see $(BUILD)/tools/log): tests of manifests will be skipped" >&2; \
	fi

frontend/dist/index.html: $(CONSOLE_SOURCES) frontend/node_modules/.installed
	cd frontend && node_modules/.bin/vite build --logLevel warn
	@touch $@
