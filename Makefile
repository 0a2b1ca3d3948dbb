# Every target sets up what it needs. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:

# A setting of the shell that doubles the time every start of Prefect takes.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
# One stamp for each interpreter asked for: `make test PYTHON=python3.12` makes .venv anew.
INSTALLED := .venv/.installed$(if $(PYTHON),-$(subst /,_,$(PYTHON)))
# Processes that run tests.
JOBS ?= 2
# Percent of lines and branches that the fast tests run.
COVERAGE_FLOOR ?= 60

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile
	@echo
	@echo '  PYTHON=python3.12 chooses the interpreter; ARGS="..." goes to the homeostat command;'
	@echo '  JOBS=4 runs tests in so many processes.'

.PHONY: venv
venv: $(INSTALLED) ## Create .venv with everything locked, and the project itself

$(INSTALLED): requirements.lock pyproject.toml deployments/venv.sh
	PYTHON='$(PYTHON)' deployments/venv.sh
	touch $@

.PHONY: up
up: venv ## Start the embedded cloud, Prefect and its UI, and run the first forecast
	$(BIN)/homeostat up $(ARGS)

.PHONY: down
down: venv ## Stop what `make up` started
	$(BIN)/homeostat down $(ARGS)

.PHONY: check
check: venv ## Format, lint, types, layers, and the fast tests with coverage
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -m "not slow" -n $(JOBS) --cov --cov-report=term:skip-covered \
	  --cov-fail-under=$(COVERAGE_FLOOR) $(ARGS)

.PHONY: test
test: venv ## Run every test; ends with what was judged by real tools and what was skipped
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

.PHONY: bench
bench: venv ## Run every benchmark; results go to docs/results/
	$(BIN)/python -m benchmarks.run $(ARGS)

.PHONY: docs
docs: venv ## Render the tables in README.md and docs/ from docs/results/
	$(BIN)/python -m benchmarks.render $(ARGS)

.PHONY: tools
tools: venv ## Build the real tools that tests are judged by (needs Go, minutes the first time)
	$(BIN)/python -m deployments.tools.build $(ARGS)

.PHONY: lock
lock: venv ## Resolve pyproject.toml anew into requirements.lock (ARGS=--upgrade for newer releases)
	$(BIN)/uv pip compile pyproject.toml --extra embedded --extra dask --group dev --universal --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --quiet -p 3.11 \
	  -o requirements.lock $(ARGS)
	@$(MAKE) --no-print-directory venv
	$(BIN)/python -m pytest -q tests/infra/test_lock.py

.PHONY: clean
clean: ## Remove .venv and every cache; keeps .tools and .homeostat
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage* build dist
	find flows tasks blocks deployments benchmarks tests -name __pycache__ -type d -prune -exec rm -rf {} +
