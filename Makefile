# Needs python3 (3.11 or newer, with venv) and make; everything else is installed into .venv-run, and for developers into
# .venv.
# `make` alone prints what there is. ARGS is handed on: make test ARGS="-k signature -x"

PYTHON ?= python3
ARGS ?=
# So many tests at a time: the live ones mostly wait. JOBS=0 runs them one after the other.
JOBS ?= 4

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# What the gateway itself needs, and nothing else: no package of the developers is there when it runs.
RUN := .venv-run
RUNTIME := $(RUN)/.installed
# With the Python of an environment before it.
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all:
# Clients are heavy, and not ours: they get an environment of their own.
CLIENTS := .venv-clients
# So are the agents that are run by hand.
AGENTS := .venv-agents
# So are those that read the description of the interface.
DESCRIPTION := .venv-description
# So are Envoy and the schemas of Kubernetes.
DEPLOY := .venv-deploy
# Only what is there: a sparse checkout is checked as far as it goes.
SOURCES := $(wildcard app deploy/wheel upstream_emulator demo bench tests wsgi.py gunicorn.conf.py)

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show what can be made
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: install
install: $(STAMP) ## Install the pinned packages into .venv (does nothing when they are there)

# The stamp is gone while something is installed. Where there is none, what was interrupted is begun from nothing.
$(STAMP): requirements.txt requirements-dev.txt
	@$(CHECK_PYTHON)
	@test -e $@ && $(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@rm -f $@
	$(BIN)/python $(PIP_INSTALL) -r requirements.txt -r requirements-dev.txt
	@touch $@

# Always from nothing. In Python 3.11 venv brings setuptools, which runs at every start of Python; nobody needs it here.
$(RUNTIME): requirements.txt
	@$(CHECK_PYTHON)
	@$(PYTHON) -m venv --clear $(RUN)
	@$(RUN)/bin/python -m pip uninstall --quiet --quiet --yes --disable-pip-version-check setuptools
	$(RUN)/bin/python $(PIP_INSTALL) -r requirements.txt
	@touch $@

CHECK_PYTHON = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
  echo "glm-api needs Python 3.11 or newer, but '$(PYTHON)' is: $$($(PYTHON) --version 2>&1)" >&2; \
  echo "Install a newer one and name it: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }

.PHONY: demo
demo: install ## Hold a conversation through the gateway with the upstream emulator, then stop
	$(BIN)/python -m demo $(ARGS)

.PHONY: demo-serve
demo-serve: $(RUNTIME) ## Keep the gateway and the upstream emulator running to try by hand
	$(RUN)/bin/python -m demo --serve $(ARGS)

.PHONY: run
run: $(RUNTIME) ## Start the gateway for real use on port 8000 (PORT=... for another)
	$(RUN)/bin/python -m gunicorn -c gunicorn.conf.py wsgi:app

.PHONY: doctor
doctor: $(RUNTIME) ## Say what is wrong with the gateway here, and what to do (ARGS="--chat")
	$(RUN)/bin/python -m app.doctor $(ARGS)

.PHONY: key
key: $(RUNTIME) ## Make a gateway key: make key LABEL=laptop
	$(RUN)/bin/python -m app.keys new $(LABEL)

.PHONY: test
test: install ## Run all tests (JOBS=0 one after the other)
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist worksteal $(ARGS)

.PHONY: test-browser
test-browser: install ## Test the page in Debian's Chromium (SCREENSHOTS=directory keeps pictures of it)
	$(BIN)/python -m pytest tests/browser $(ARGS)

.PHONY: picture
picture: install ## Make docs/page.png anew: the page as it is, in Debian's Chromium
	SCREENSHOTS=docs $(BIN)/python -m pytest -q tests/browser -k "wider and 1280-light-en"
	mv docs/try-1280-light-en.png docs/page.png
	rm docs/*-1280-light-en.png

.PHONY: test-deploy
test-deploy: $(DEPLOY)/.installed ## Test what is in deploy/ with the programs it is for (Debian's: see .ci/run)
	$(BIN)/python -m pytest tests/deploy $(ARGS)

$(DEPLOY)/.installed: tests/deploy/requirements.txt | install
	$(BIN)/uv venv --quiet --no-config --clear --python $(BIN)/python $(DEPLOY)
	$(BIN)/uv pip sync --quiet --no-config --system-certs --python $(DEPLOY)/bin/python --require-hashes \
	  --only-binary :all: tests/deploy/requirements.txt
	@touch $@

.PHONY: test-clients
test-clients: $(CLIENTS)/.installed ## Run the recipes of docs/clients/ with the clients themselves (needs node and npm)
	$(BIN)/python -m pytest tests/clients $(ARGS)

$(CLIENTS)/.installed: tests/clients/requirements.txt tests/clients/package-lock.json | install
	@command -v npm >/dev/null || { echo "The recipes for JavaScript need Node.js 20 or newer, with npm." >&2; exit 1; }
	$(BIN)/uv venv --quiet --no-config --clear --python $(BIN)/python $(CLIENTS)
	$(BIN)/uv pip sync --quiet --no-config --system-certs --python $(CLIENTS)/bin/python --require-hashes \
	  --only-binary :all: tests/clients/requirements.txt
	npm ci --prefix tests/clients --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel error
	@touch $@

# What passed is noted, so that a test can say when the description has changed since.
.PHONY: test-description
test-description: $(DESCRIPTION)/.installed ## Generate clients from /openapi.json and lint it: after each change (needs node and npm)
	$(BIN)/python -m pytest tests/description $(ARGS)
	sha256sum app/routes/openapi.json | cut -d ' ' -f 1 > tests/description/passed.sha256

$(DESCRIPTION)/.installed: tests/description/requirements.txt tests/description/package-lock.json | install
	@command -v npm >/dev/null || { echo "Node.js 20 or newer is needed, with npm." >&2; exit 1; }
	$(BIN)/uv venv --quiet --no-config --clear --python $(BIN)/python $(DESCRIPTION)
	$(BIN)/uv pip sync --quiet --no-config --system-certs --python $(DESCRIPTION)/bin/python --require-hashes \
	  --only-binary :all: tests/description/requirements.txt
	npm ci --prefix tests/description --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel error
	@touch $@

.PHONY: test-agents
test-agents: $(AGENTS)/.installed ## Run real agents before the gateway, by hand (needs node and npm; 2 GB; RUNS=10 in a row)
	$(BIN)/python -m pytest tests/agents $(ARGS)

$(AGENTS)/.installed: tests/agents/requirements.txt tests/agents/package-lock.json | install
	@command -v npm >/dev/null || { echo "The agents need Node.js 20 or newer, with npm." >&2; exit 1; }
	$(BIN)/uv venv --quiet --no-config --clear --python $(BIN)/python $(AGENTS)
	$(BIN)/uv pip sync --quiet --no-config --system-certs --python $(AGENTS)/bin/python --require-hashes \
	  --only-binary :all: tests/agents/requirements.txt
	npm ci --prefix tests/agents --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel error
	@touch $@

.PHONY: test-markdown
test-markdown: tests/markdown/node_modules/.installed ## Compare how the page reads Markdown with markdown-it (needs node and npm)
	$(BIN)/python -m pytest tests/markdown $(ARGS)

tests/markdown/node_modules/.installed: tests/markdown/package-lock.json | install
	@command -v npm >/dev/null || { echo "Node.js 20 or newer is needed, with npm." >&2; exit 1; }
	npm ci --prefix tests/markdown --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel error
	@touch $@

.PHONY: check
check: lint types layers test ## Format, lint, types, layers and tests: what a change must pass

.PHONY: format
format: install ## Rewrite the source in the house format
	$(BIN)/ruff check --quiet --fix-only $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

.PHONY: lint
lint: install ## Check the format and the rules of the house
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)

.PHONY: types
types: install ## Check the types
	$(BIN)/mypy $(SOURCES)

.PHONY: layers
layers: install ## Check who imports whom
	$(BIN)/lint-imports

.PHONY: coverage
coverage: install ## Run all tests and show the lines and branches they miss
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

.PHONY: mutants
mutants: install ## Make mistakes in a copy of the heart, one at a time: do its tests notice? (ARGS="--sample 300")
	nice $(BIN)/python -m tests.mutants $(ARGS)

.PHONY: bench
bench: install ## Measure the gateway against the upstream emulator
	$(BIN)/python -m bench $(ARGS)

.PHONY: bench-compare
bench-compare: install ## Measure another gateway: make bench-compare BASE=http://... PID=...
	$(BIN)/python -m bench --base $(BASE) --pid $(PID) $(ARGS)

.PHONY: bench-accounts
bench-accounts: install ## Measure how accounts and conversations are treated (ARGS=--quick: a minute)
	$(BIN)/python -m tests.acceptance.accounts $(ARGS)

.PHONY: soak
soak: install ## Ten minutes of everything at once, then look what is left (SECONDS=... for another time)
	$(BIN)/python -m tests.acceptance.soak $(or $(SECONDS),600)

.PHONY: hooks
hooks: install ## Run the checks before each commit of this clone
	$(BIN)/pre-commit install

.PHONY: audit
audit: install ## Look for dangerous calls, and for known holes in the packages (the latter asks PyPI's advisories)
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml app wsgi.py gunicorn.conf.py
	$(BIN)/pip-audit --strict --disable-pip --requirement requirements.txt

.PHONY: sbom
sbom: install ## Write what the gateway is made of to sbom.json (CycloneDX)
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-file sbom.json \
	  requirements.txt

.PHONY: openapi
openapi: install ## Write what /openapi.json serves, from openapi.yaml
	$(BIN)/python -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout, ensure_ascii=False, indent=1)' \
	  < openapi.yaml > app/routes/openapi.json

.PHONY: errors
errors: install ## Write the tables of docs/errors.md and its twin, from app/catalogue
	$(BIN)/python -m tests.house.error_table

# Releases younger than a week are left alone: bad ones are mostly found and withdrawn within days.
.PHONY: lock
lock: install ## Pin requirements*.in anew, keeping pins that still fit (ARGS=--upgrade moves them all)
	for name in requirements requirements-dev tests/agents/requirements tests/clients/requirements \
	  tests/deploy/requirements tests/description/requirements; do \
	  overrides=; test ! -e $$name-overrides.in || overrides="--overrides $$name-overrides.in"; \
	  $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	    --only-binary :all: --exclude-newer "7 days" --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command "make lock" $$overrides $(ARGS) --output-file $$name.txt $$name.in || exit 1; \
	done
	for place in tests/agents tests/clients tests/description tests/markdown; do \
	  npm install --prefix $$place --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved \
	    --no-audit --no-fund --loglevel error --before "$$(date --iso-8601 --date '7 days ago')" || exit 1; \
	done

.PHONY: clean
clean: ## Remove caches and measurements (.venv and .venv-run stay)
	rm -rf sbom.json .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
