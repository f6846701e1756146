# Everything is installed below .venv from hashed locks; needs Python 3.11+, git and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help demo up ingest doctor test test-fast chaos lint lock clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: .venv/run ## The whole product on generated jobs: no key, no network
	@exec $(BIN)/job-market demo

up: .venv/run ## The whole product on the real sources
	@exec $(BIN)/job-market up

ingest: .venv/run ## One run in the foreground
	@exec $(BIN)/job-market --ingest-once

doctor: .venv/run ## What is configured, reachable and missing
	@exec $(BIN)/job-market doctor

lint: .venv/test ## Style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint ## Style, types and all tests
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder

test-fast: .venv/test ## Most tests, in about two minutes
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder -m "not slow"

chaos: .venv/test ## An hour of random faults (nightly)
	$(BIN)/python -m benchmarks.chaos --minutes 60 --every 20

lock: .venv/uv ## Renew the locks from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --output-file requirements/run.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --group dev --constraints requirements/run.lock --output-file requirements/test.lock

clean: ## Remove what the installation made, but no data
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/uv:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check 'uv>=0.9'
	@touch $@

.venv/run: .venv/uv requirements/run.lock pyproject.toml
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes --requirements requirements/run.lock
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --editable .
	@touch $@

.venv/test: .venv/uv requirements/test.lock pyproject.toml
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes --requirements requirements/test.lock
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --editable .
	@touch $@ .venv/run
