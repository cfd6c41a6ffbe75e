# Everything a newcomer needs is `make demo` and `make test`; every target sets up first.
PYTHON ?= python3.11
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help setup demo run test check audit hostile bench crash contracts soak proof fuzz lock

help:
	@echo "make demo   set up and play a photo's whole way"
	@echo "make run    start the bot, its console and its shelf"
	@echo "make test   set up and run the tests"
	@echo "make check  ruff, mypy --strict, import-linter"
	@echo "make audit  bandit over the code, pip-audit over what it stands on"
	@echo "make hostile  3,000 hostile requests against the web application"
	@echo "make bench | crash | contracts | soak | proof | fuzz   longer measurements"

setup: .venv/ready

.venv/ready: requirements-dev.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked dependencies (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

demo: setup
	@$(BIN)/packshot demo

run: setup
	@$(BIN)/packshot run

test: setup
	@$(BIN)/python -m pytest -m "not soak and not contracts" -n auto --dist loadfile -rs

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy --config-file tests/mypy.ini --cache-dir .mypy_cache/tests -p tests -p benchmarks
	@$(BIN)/lint-imports

# The auditor asks an advisory service outside, so it is not in the lock.
audit: setup
	@$(BIN)/bandit -q -c pyproject.toml -r bot domain handlers imaging platforms storage
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target .audit --require-hashes -r benchmarks/audit.txt
	@PYTHONPATH=.audit $(BIN)/python -m pip_audit --disable-pip --require-hashes -r requirements.lock

hostile: setup
	@$(BIN)/python benchmarks/hostile.py

bench: setup
	@$(BIN)/python benchmarks/enhance.py
	@$(BIN)/python benchmarks/ack.py

crash: setup
	@$(BIN)/python -m pytest tests/crash -m "soak or not soak" -rs --kills=5

# Servers that nobody here wrote; installs Prism into .contracts/ once (needs node).
contracts: setup
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest tests/contracts -m contracts -rs

soak: setup
	@$(BIN)/python -m pytest -m soak -rs

# The stock ledger's state machine, 500 runs of 60 steps, and the 28 days of three stores: half an hour on one core.
proof: setup
	@$(BIN)/python -m pytest tests/stock/test_machine.py tests/stock/test_planted_bugs.py --hypothesis-profile=proof -rs -s
	@$(BIN)/python benchmarks/oversell.py

# The fuzzer has wheels for Linux only, so it is not in the lock.
fuzz: setup
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target .fuzz --require-hashes -r benchmarks/fuzz.txt
	@PYTHONPATH=.fuzz $(BIN)/python benchmarks/fuzz_decode.py

lock:
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group dev pyproject.toml -o requirements-dev.lock
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml -c requirements-dev.lock -o requirements.lock
