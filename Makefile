# Two commands for a newcomer: `make reproduce` and `make test`. Everything runs in the environment .venv.
PYTHON ?= $(firstword $(foreach version,3.11 3.12 3.13,$(shell python$(version) -c 'import sys; print(sys.executable)' 2>/dev/null)))
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help reproduce toy test quick proofs faults lint format docs publish bench bench-parts install clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

reproduce: .venv/installed ## make or fetch the data, train every run of the preset, write its tables and figures
	@mtbalance reproduce

toy: .venv/installed ## balancers' trajectories on the toy problem: results/figures/toy.png, in five minutes
	@snakemake toy

test: .venv/installed ## the tests, in eleven minutes on two cores
	@python -m pytest -n $(CORES)

quick: .venv/installed ## the fast tests, in three minutes on two cores
	@python -m pytest -n $(CORES) -m "not slow and not long"

proofs: .venv/installed ## the tests that repeat slow ones for many more cases, in some minutes
	@python -m pytest -n $(CORES) -m long

faults: .venv/installed ## kill runs, damage files, fill disks; what came of it: docs/reference/faults.md, in ten minutes
	@python -m pytest -n $(CORES) -m faults -o junit_family=xunit1 --junitxml build/faults.xml tests/faults
	@python tests/faults/table.py docs/reference/faults.md build/faults.xml

lint: .venv/installed ## check the formatting, style and types of Python and of the workflow
	ruff check . && ruff format --check . && snakefmt --check Snakefile workflow && mypy

format: .venv/installed ## format the code
	ruff format . && ruff check --fix . && snakefmt Snakefile workflow

docs: .venv/installed ## the documentation as a site: build/docs/index.html; warnings are errors
	@python -m sphinx -q -W --keep-going -b html docs build/docs
	@echo "build/docs/index.html"

publish: .venv/installed ## put the tables, figures and records of the finished preset PRESET into docs/results
	python docs/publish.py $(PRESET)

bench: .venv/installed ## training steps as ratios to LS, plain torch and TorchJD: results/bench/report.md, in an hour or two
	@snakemake bench

bench-parts: .venv/installed ## ratios of single parts: preparing, batches, scenes, solvers
	python bench/prepare.py && python bench/batches.py && python bench/scenes.py && python bench/solvers.py

install: .venv/installed ## the environment .venv, with the exact versions of requirements.lock

.venv/installed: requirements.lock pyproject.toml
	@command -v "$(PYTHON)" >/dev/null || { echo "mtbalance needs Python 3.11, 3.12 or 3.13; name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Installing into .venv (a few minutes and 2.2 GB, or 6.3 GB where torch brings CUDA along; once) ..."
	"$(PYTHON)" -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

clean: ## delete all results (data stay)
	find results -mindepth 1 -maxdepth 1 -type d -exec rm -rf {} +
	rm -rf mlflow.db* mlruns mlartifacts logs benchmarks
