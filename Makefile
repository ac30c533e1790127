# Every target sets up what it needs, prints one line while it does so, and needs no network once
# .venv/.ready is younger than the lock and pyproject.toml.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
SBOM   ?= sbom.cdx.json

PIP     = $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check --no-input
# Locks are made from one index alone: a private find-links or extra index would leave its hashes in them.
# PIP_INDEX_URL still names a mirror.
COMPILE = env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE=/dev/null \
  CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe \
  --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
  $(if $(UPGRADE),--upgrade)

# Where this is set, each of the hundreds of processes of a test run would compile the program anew.
unexport PYTHONDONTWRITEBYTECODE

MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help demo test lint imports lock audit sbom soak bench bench-quick peers secrets clean python mongod

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "make %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(READY) mongod  ## a whole night against simulated provinces, on this machine alone
	@$(BIN)/subcmc demo

test: $(READY) mongod imports  ## the import contracts and the tests; PYTEST_ARGS="-k walking" narrows them
	@$(BIN)/pytest -q -n auto $(PYTEST_ARGS)

lint: $(READY) imports  ## ruff, its format, mypy strict and the import contracts
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "ruff format would change files: run $(BIN)/ruff format" >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary

imports: $(READY)
	@out=$$($(BIN)/lint-imports 2>&1) || { printf '%s\n' "$$out" >&2; exit 1; }

lock: $(READY)  ## write the hash locks again from pyproject.toml; UPGRADE=1 takes the newest releases
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo "locks are made with Python 3.11, the oldest supported: make clean, then make PYTHON=python3.11 lock" >&2; exit 1; }
	@echo "resolving four locks: production, production with Dask, build, development" >&2
	@$(COMPILE) --extra metrics --output-file requirements.lock pyproject.toml
	@$(COMPILE) --only-build-deps --build-deps-for wheel --output-file requirements-build.lock pyproject.toml
	@$(COMPILE) --extra metrics --extra distributed --constraint requirements.lock --constraint requirements-build.lock \
	  --output-file requirements-distributed.lock pyproject.toml
	@$(COMPILE) --extra dev --extra embedded --extra metrics --extra distributed --build-deps-for editable \
	  --constraint requirements.lock --constraint requirements-distributed.lock --constraint requirements-build.lock \
	  --output-file requirements-dev.lock pyproject.toml

audit: $(READY)  ## known vulnerabilities of everything locked; asks the PyPI advisory service
	@$(BIN)/python .ci/audit.py $(AUDIT_ARGS) $(BIN)/pip-audit requirements-dev.lock

sbom: $(READY)  ## sbom.cdx.json: what is in production, as CycloneDX, from the lock
	@$(BIN)/python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml --output-reproducible --of JSON -o $(SBOM) requirements.lock

soak: $(READY) mongod  ## hundreds of kills and sixty nights, a quarter of an hour; SOAK_ARGS="--kills 20 --nights 15" for less
	@$(BIN)/python tests/faults/soak.py $(SOAK_ARGS)

bench: $(READY) peers  ## this product against its peers and the floor, and how it grows; needs nginx, takes half an hour
	@$(BIN)/python benchmarks/night.py --results benchmarks/RESULTS.md
	@$(BIN)/python benchmarks/growth.py

bench-quick: $(READY)  ## the nights against the floor, a round, in under two minutes; needs nginx
	@$(BIN)/python benchmarks/night.py --quick --rounds 1

peers: $(READY)
	@[ benchmarks/.peers/.ready -nt benchmarks/requirements-peers.txt ] || { \
	  echo "setting up benchmarks/.peers" >&2; $(PYTHON) -m venv --clear benchmarks/.peers \
	    && benchmarks/.peers/bin/python -m pip --quiet --quiet --disable-pip-version-check install -r benchmarks/requirements-peers.txt \
	    && touch benchmarks/.peers/.ready; }

secrets:  ## the passwords and URIs that docker-compose.yml mounts; never overwrites one
	@sh deploy/make-secrets.sh

clean:  ## remove .venv, caches and builds; data (.subcmc) and secrets stay
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements-dev.lock pyproject.toml
	@$(MAKE) python
	@echo "setting up $(VENV) from requirements-dev.lock (a minute the first time)" >&2
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "Python 3.11 or newer is needed as $(PYTHON): name another with make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	  || { echo "$(PYTHON) has no venv module: apt install python3-venv" >&2; exit 1; }

# The mongod of the embedded wheel is linked to two libraries that a bare Debian or Ubuntu may lack.
mongod: $(READY)
	@[ "$$(uname -s)" = Linux ] || exit 0; \
	[ -z "$$MONGODB_URI$$MONGODB_URI_FILE$$SUBCMC_MONGOD" ] || exit 0; \
	! command -v mongod >/dev/null || exit 0; \
	for library in libcurl.so.4:libcurl4 libssl.so.3:libssl3; do \
	  $(BIN)/python -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$${library%:*}" 2>/dev/null \
	    || { echo "the embedded mongod needs $${library%:*}: apt install $${library#*:}" >&2; exit 1; }; \
	done
