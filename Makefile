# One line for each target after `##` is what `make help` prints.
PYTHON ?= python3
SERVE ?= 1
PORT ?= 8000
T ?= tests
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test check fix bench docs wheel lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

demo: .venv/run.done ## set up, record two years of generated evidence, sign the badges, serve them (SERVE=0: end there)
ifeq ($(SERVE),0)
	@$(BIN)/mlds demo --no-serve
else
	@$(BIN)/mlds demo --port $(PORT)
endif

test: .venv/test.done ## set up and run every test (T=path for some of them)
	@sh tests/support/system-packages.sh
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(T)

check: .venv/test.done ## ruff, mypy --strict, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "Some files are not formatted: make fix"; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

fix: .venv/test.done ## format, and mend what ruff can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: .venv/test.done ## figures: append, derive, issue, verify, import, each beside its baseline
	@$(BIN)/python -m tests.benchmarks

docs: .venv/test.done ## write the generated lists in docs/ anew
	@$(BIN)/python -m apps.docs

wheel: .venv/test.done ## build dist/*.whl
	@$(BIN)/python -m build --wheel --no-isolation --outdir dist .

lock: ## lock the dependencies of pyproject.toml with hashes (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url pyproject.toml --group build -o requirements/run.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url pyproject.toml --group build --group test -c requirements/run.txt -o requirements/test.txt

clean: ## remove the virtual environment and what tools left
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed."; exit 1; }
	@$(PYTHON) -m venv .venv 2>/dev/null || { rm -rf .venv; sh tests/support/install-venv.sh && $(PYTHON) -m venv .venv; }

.venv/run.done: .venv/bin/python requirements/run.txt pyproject.toml
	@echo "Installing the locked dependencies into .venv …"
	@$(PIP) --require-hashes -r requirements/run.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/test.done: .venv/run.done requirements/test.txt
	@echo "Installing what the tests need …"
	@$(PIP) --require-hashes -r requirements/test.txt
	@touch $@
