# Everything that is done with this repository. `make help` lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
CLUSTER ?= ../shared/cluster/cluster
BIN := .venv/bin
BUILD := build
TOOLS := $(BUILD)/tools
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/.venv
unexport VIRTUAL_ENV

CONSOLE_SOURCES = $(shell find frontend/src frontend/public frontend/index.html frontend/vite.config.ts \
	frontend/tsconfig.json frontend/package-lock.json -type f 2>/dev/null)

# What `make test` is, in the order in which a mistake shows soonest.
GATES := lint typecheck check-drift test-workflows check
SUITES := test-console test-python test-e2e

include infra/tools.mk

# What builds and checks manifests; kubectl has a kustomize in it.
MANIFEST_TOOLS = $(TOOLS)/kubeconform $(if $(shell command -v kubectl),,$(TOOLS)/kustomize)

##@ Run
.PHONY: up demo console
up: install console ## Start Weir on 127.0.0.1:$WEIR_PORT (8480); Ctrl-C ends it
	@exec $(BIN)/weir up --end-with-parent

demo: install console ## The same with real traffic in it
	@exec $(BIN)/weir demo --end-with-parent

console: frontend/dist/index.html ## Build the console where its sources have changed

##@ Prepare
.PHONY: install tools clean
install: .venv/.installed frontend/node_modules/.installed infra/demo/node_modules/.installed tests/oidc/node_modules/.installed tests/lighthouse/node_modules/.installed $(BUILD)/.debian $(BUILD)/.promtool ## Get everything that running and testing need

tools: $(TOOLS)/actionlint $(MANIFEST_TOOLS) ## Build what checks workflows and manifests, where there is Go

clean: ## Remove what was built and installed, but no data
	rm -rf $(BUILD) dist .venv frontend/node_modules frontend/dist infra/demo/node_modules tests/oidc/node_modules tests/lighthouse/node_modules \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*

##@ Check
.PHONY: test lint typecheck check-drift test-workflows check test-console test-python test-e2e test-manifests test-knative test-image test-sign test-lambda test-infra
test: install $(GATES) $(SUITES) ## Every gate and every suite

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

test-workflows: install tools ## actionlint, zizmor, shellcheck
	$(BIN)/shellcheck .ci/run $$(git grep -lE '^#!.*\bbash' -- infra)
	@if [ ! -x $(TOOLS)/actionlint ]; then echo "skipped: actionlint is not there"; else \
		echo $(TOOLS)/actionlint; PATH="$(CURDIR)/$(BIN):$$PATH" $(TOOLS)/actionlint; fi
	$(BIN)/zizmor --offline --quiet .github

check: install $(TOOLS)/gitleaks ## Known faults of what is used, secrets in the tree and its history, bandit's rules
	$(BIN)/ruff check --select S --ignore S101 .
	$(BIN)/python infra/checks/advisories.py
	@if [ ! -x $(TOOLS)/gitleaks ]; then echo "skipped: secrets, because gitleaks is not there"; \
		elif [ ! -e .git ]; then $(TOOLS)/gitleaks dir --no-banner --redact --config .gitleaks.toml .; else \
		echo $(TOOLS)/gitleaks; $(TOOLS)/gitleaks git --no-banner --redact --config .gitleaks.toml . && \
		$(TOOLS)/gitleaks git --pre-commit --no-banner --redact --config .gitleaks.toml .; fi

test-console: install console ## The console's unit tests and its budgets
	cd frontend && npm test --silent
	cd frontend && npm run --silent budget

test-python: install console $(MANIFEST_TOOLS) ## Unit, integration and contract tests, with coverage
	rm -f .coverage .coverage.*
	$(BIN)/pytest -n 2 -m "not e2e" --cov --cov-report=term

test-e2e: install console ## The built console in a real browser
	$(BIN)/pytest -m e2e tests/e2e

test-manifests: install $(MANIFEST_TOOLS) ## The Knative manifests by kubeconform, and what is said of them
	$(BIN)/pytest tests/manifests tests/unit/runtime/knative

# Which of its files; all of them take a quiet machine, and half an hour of it.
KNATIVE ?= tests/knative
test-knative: install console ## The generated manifests on a Knative: $KUBECONFIG, or the one of $CLUSTER
	WEIR_KNATIVE=1 $(BIN)/pytest $(KNATIVE) -s -o faulthandler_timeout=0  # its waits have limits of their own

test-image: install ## The container image: what is in it, and that it runs as anybody; $WEIR_IMAGE, or built now
	WEIR_IMAGE_TESTS=1 $(BIN)/pytest -p no:cacheprovider tests/image # as root: others' tests write that folder as well

test-sign: install $(TOOLS)/cosign $(TOOLS)/crane ## Signing with a key and verifying, on a registry of one's own
	WEIR_SIGN_TESTS=1 $(BIN)/pytest tests/signing

LAMBDA_ARCH ?= x86_64
# Of the version that Lambda runs.
LAMBDA_PYTHON ?= python3.13

test-lambda: lambda-package ## The package for AWS Lambda in $LAMBDA_PYTHON (python3.13), by AWS's runtime client
	WEIR_LAMBDA_PACKAGE=$(BUILD)/lambda/weir-$(LAMBDA_ARCH).zip WEIR_LAMBDA_PYTHON=$(LAMBDA_PYTHON) \
		$(BIN)/pytest tests/integration/aws/test_package.py

test-infra: install ## Terraform against moto: valid, applied, planned empty, destroyed
	WEIR_INFRA=1 $(BIN)/pytest -n 2 --dist loadfile tests/infra -o faulthandler_timeout=0  # RDS alone takes the provider minutes

##@ Make
.PHONY: generate manifests lambda-package image-check sbom bench torture
generate: install ## Write every generated file
	$(BIN)/python -m shared.runtime.generate
	$(BIN)/python -m tests.contract.report
	cd frontend && npm run --silent api
	$(BIN)/uv export -q --frozen --only-group image -o infra/docker/tools.txt >/dev/null

manifests: install $(MANIFEST_TOOLS) ## Write what every overlay comes to into build/manifests
	$(BIN)/python -m shared.runtime.generate
	$(BIN)/python -m tests.manifests.tools $(BUILD)/manifests

lambda-package: install ## Build the package for AWS Lambda; LAMBDA_ARCH=x86_64 or arm64
	$(BIN)/python infra/lambda/build.py --arch $(LAMBDA_ARCH) --interpreter $(LAMBDA_PYTHON)

image-check: install ## Build it twice from nothing, and compare every file
	$(BIN)/python -m tests.image.reproduce --build localhost/weir:one localhost/weir:other

sbom: install ## List what the lock files name (CycloneDX): build/sbom.cdx.json; an image has its own
	@mkdir -p $(BUILD)
	$(BIN)/uv export -q --frozen --no-default-groups --format cyclonedx1.5 --preview-features sbom-export \
		-o $(BUILD)/functions.cdx.json
	cd frontend && npm sbom --package-lock-only --sbom-format cyclonedx >../$(BUILD)/console.cdx.json
	$(BIN)/python infra/docker/sbom.py $(BUILD)/functions.cdx.json $(BUILD)/console.cdx.json >$(BUILD)/sbom.cdx.json

bench: install console ## Measure, each figure beside its reference
	$(BIN)/python -m tests.bench.run
	$(BIN)/python -m tests.bench.explore
	$(BIN)/python -m tests.bench.live

torture: install ## Break everything under load, and account for every event
	$(BIN)/python -m tests.torture.run

##@ Ship
# IMAGE is an image's name; after `push` give the one with the digest, which $(BUILD)/image.digest holds.
IMAGE ?= weir:local
.PHONY: image push sign verify publish-console deploy stage promote rollback
image: ## Build the container image IMAGE
	infra/docker/build $(IMAGE)

push: $(TOOLS)/crane ## Push IMAGE to its registry, and print it with its digest
	@infra/docker/push $(IMAGE)

sign: $(TOOLS)/cosign $(TOOLS)/crane ## Sign IMAGE (with its digest) and attest its SBOM: keyless, or with COSIGN_KEY
	infra/docker/sign $(IMAGE)

verify: $(TOOLS)/cosign ## Is IMAGE signed, and is its SBOM? By SIGNER, or COSIGN_KEY
	infra/docker/verify $(IMAGE)

publish-console: install console ## Put the console into BUCKET; with API also where that is; DISTRIBUTION is refreshed
	$(BIN)/python infra/console/publish --bucket "$(BUCKET)" $(if $(API),--api "$(API)") \
		$(if $(DISTRIBUTION),--distribution "$(DISTRIBUTION)")

deploy: install ## Bring IMAGE to ENV: migrate, stage, smoke, promote, watch; back by itself when the watch fails
	$(BIN)/weir deploy $(ENV) --image $(IMAGE)

stage: install ## The same as far as the smoke test: `make promote` gives it the traffic
	$(BIN)/weir deploy $(ENV) --image $(IMAGE) --hold

promote: install ## Give what is staged in ENV the traffic, and take it back when the watch fails
	$(BIN)/weir deploy promote $(ENV)

rollback: install ## Give the version before its traffic in ENV again
	$(BIN)/weir deploy rollback $(ENV) --yes

##@ Help
.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

.PHONY: steps
steps: # The names of what `make test` does, for .ci/run to do them one by one
	@echo $(GATES) $(SUITES)

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

infra/demo/node_modules/.installed tests/oidc/node_modules/.installed tests/lighthouse/node_modules/.installed: %/node_modules/.installed: %/package.json %/package-lock.json | .node
	cd $* && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# Programs of Debian's that tests drive: a browser, and a server of static files. Nothing else needs them, so their
# absence only says so.
$(BUILD)/.debian:
	@mkdir -p $(BUILD)
	@missing=$$(PATH=$$PATH:/usr/sbin; command -v chromium google-chrome >/dev/null || echo chromium; command -v nginx >/dev/null || echo nginx-light); \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && [ -f /etc/debian_version ]; then \
		echo "apt-get install" $$missing; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; } \
			>$(BUILD)/debian.log 2>&1 || echo "not installed: see $(BUILD)/debian.log" >&2; \
	fi
	@if PATH=$$PATH:/usr/sbin command -v nginx >/dev/null && command -v chromium google-chrome >/dev/null; then touch $@; else \
		echo "there is no chromium, or no nginx: their tests will be skipped" >&2; fi

# Prometheus' own judge of the alert rules, from Debian's package. Only their test needs it.
$(BUILD)/.promtool:
	@mkdir -p $(TOOLS)/prometheus
	@if ! command -v promtool >/dev/null && command -v apt-get >/dev/null; then \
		echo "apt-get download prometheus"; \
		{ cd $(TOOLS)/prometheus \
			&& { apt-get download -qq prometheus || { apt-get update -qq && apt-get download -qq prometheus; }; } \
			&& dpkg-deb --extract prometheus_*.deb . && mv usr/bin/promtool ..; } \
			>$(BUILD)/promtool.log 2>&1 || echo "promtool was not got: see $(BUILD)/promtool.log" >&2; \
	fi
	@rm -rf $(TOOLS)/prometheus
	@if command -v promtool >/dev/null || test -x $(TOOLS)/promtool; then touch $@; else \
		echo "there is no promtool: it does not test the alert rules" >&2; fi

# Programs that are Go modules. Where one cannot be built, what needs it is skipped by name, and fails under CI=true.
$(TOOLS)/%: infra/tools.mk
	@mkdir -p $(TOOLS)
	@if ! command -v go >/dev/null; then \
		echo "there is no Go to build $* with: what needs it will be skipped" >&2; \
	elif GOBIN=$(CURDIR)/$(TOOLS) go install $(TOOL_$*) >$(TOOLS)/$*.log 2>&1; then \
		touch $@; \
	else \
		echo "$* was not built (see $(TOOLS)/$*.log): what needs it will be skipped" >&2; \
	fi
	@test -x $@ || test -z "$${CI:-}"

frontend/dist/index.html: $(CONSOLE_SOURCES) frontend/node_modules/.installed
	cd frontend && node_modules/.bin/vite build --logLevel warn
	@touch $@
