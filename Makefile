# Everything runs in .venv, with the versions of constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= 2

.DEFAULT_GOAL := help
.PHONY: help install run test quick check lock clean

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/installed  ## make the virtual environment with the pinned packages

$(VENV)/installed: pyproject.toml constraints.txt
	@echo "installing into $(VENV) (about two minutes)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --progress-bar off -qq -c constraints.txt -e '.[dev,hub,s3,video]'
	@touch $@

run: install  ## run the sample pipeline and say where its report is
	$(BIN)/aigc run sample

test: install  ## every test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(CORES) --dist loadfile --no-loadscope-reorder

quick: install  ## the tests that take no more than a few seconds each
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(CORES) --dist loadfile --no-loadscope-reorder -m "not slow"

check: install  ## style, types and the direction of imports
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

lock: ## regenerate constraints.txt from what pyproject.toml asks for, in a fresh environment
	rm -rf $(VENV)-lock && $(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --disable-pip-version-check -qq -e '.[dev,hub,s3,sql,video]' 'torch==2.13.0'
	$(VENV)-lock/bin/pip freeze --exclude-editable --exclude aigc-foundry | sed 's/+cpu$$//' > constraints.txt
	rm -rf $(VENV)-lock

clean:  ## remove the environment and all local state; data, outputs and models are lost
	rm -rf $(VENV) .aigc outputs data .dvc/cache .dvc/tmp
