# Two commands for a newcomer: `make reproduce` and `make test`. Everything runs in the environment .venv.
PYTHON ?= python3.11
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help reproduce toy test lint format bench install clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

reproduce: .venv/installed ## make or fetch the data, train every run of the preset, write its tables and figures
	@mtbalance reproduce

toy: .venv/installed ## balancers' ways through the toy problem: results/figures/toy.png, in five minutes
	@snakemake toy

test: .venv/installed ## all tests, in a few minutes
	@python -m pytest -n $(CORES)

lint: .venv/installed ## formatting and static checks of Python and of the workflow
	ruff check . && ruff format --check . && snakefmt --check Snakefile workflow

format: .venv/installed ## put formatting right
	ruff format . && ruff check --fix . && snakefmt Snakefile workflow

bench: .venv/installed ## what is measured against what: preparing, batches, steps, scenes, solvers, as ratios in one run
	python bench/prepare.py && python bench/batches.py && python bench/steps.py && python bench/scenes.py && \
		python bench/solvers.py

install: .venv/installed ## the environment .venv, with the exact versions of requirements.lock

.venv/installed: requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "mtbalance needs Python 3.11; say which: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Installing into .venv (about two minutes and 2.2 GB, once) ..."
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

clean: ## forget all results (data stay)
	rm -rf results mlflow.db* mlruns logs benchmarks
