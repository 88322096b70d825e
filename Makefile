# Everything sets itself up in .venv; it needs Python 3.11 or newer, make and a package index, nothing else.
# Another Python: make test PYTHON=python3.13

PYTHON ?= python3
VENV := .venv
OLDEST := .venv-oldest
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Two workers halve the time on two cores; more gain little, because each compiles the kernels for itself.
WORKERS ?= 2
QUICK := not slow and not browser

.DEFAULT_GOAL := help
.PHONY: help demo workbench test test-all test-oldest lint bench docs images sample clean

help:
	@echo "make demo      set up and run the whole main job on the sample borough; prints the path of the report"
	@echo "make workbench draw proposals for the sample borough in the browser; Ctrl-C ends it"
	@echo "make test      set up, then lint, types and the quick tests"
	@echo "make test-all  the same with the slow tests and those that need a browser"
	@echo "make test-oldest  the quick tests with the oldest versions of all dependencies that pyproject.toml allows"
	@echo "make bench     the speed measurements in benchmarks/"
	@echo "make docs      the documentation as a site"
	@echo "make images    draw the pictures of the documents again, from the sample borough"
	@echo "make sample    make the sample borough again (data/, from tools/make_sample.py)"
	@echo "make clean     remove what these commands made"

# A stamp is newer than pyproject.toml when everything named there is installed, so a second run installs nothing.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "community_routes needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "python3 -m venv failed; on Debian and Ubuntu install the package python3-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	@echo "Installing community_routes into $(VENV) ..."
	@$(PIP) install --quiet --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	@echo "Installing community_routes and the test tools into $(VENV) ..."
	@$(PIP) install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: pyproject.toml | $(VENV)/bin/python
	@echo "Installing community_routes and the documentation tools into $(VENV) ..."
	@$(PIP) install --quiet --editable '.[docs]'
	@touch $@ $(VENV)/.installed

demo: $(VENV)/.installed
	@$(BIN)/community-routes demo

$(VENV)/.installed-workbench: pyproject.toml | $(VENV)/bin/python
	@echo "Installing community_routes and its workbench into $(VENV) ..."
	@$(PIP) install --quiet --editable '.[workbench]'
	@touch $@ $(VENV)/.installed

workbench: $(VENV)/.installed-workbench
	@$(BIN)/community-routes workbench data/study.yaml scenarios/*.yaml

# Without a cache: whether an import is our own depends on other files, which the cache does not see.
lint: $(VENV)/.installed-dev
	@$(BIN)/python -m ruff check --no-cache
	@$(BIN)/python -m ruff format --check --no-cache
	@$(BIN)/python -m mypy

# The tests come last, so that the last line says how many passed.
test: lint
	@$(BIN)/python -m pytest -q -m '$(QUICK)' -n $(WORKERS) --dist loadfile

test-all: lint
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile

# An environment of its own, with every dependency at its declared minimum.
test-oldest:
	@$(MAKE) --no-print-directory VENV=$(OLDEST) $(OLDEST)/bin/python
	@$(PYTHON) tools/oldest.py > $(OLDEST)/oldest.txt
	@$(OLDEST)/bin/python -m pip --disable-pip-version-check install --quiet --editable '.[dev]' --constraint $(OLDEST)/oldest.txt
	@$(OLDEST)/bin/python -m pytest -q -m '$(QUICK)' -n $(WORKERS) --dist loadfile

bench: $(VENV)/.installed-dev
	@for script in benchmarks/bench_*.py benchmarks/region.py; do echo "$$script"; $(BIN)/python "$$script" || exit 1; done

docs: $(VENV)/.installed-docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet --site-dir site
	@echo "site/index.html"

images: $(VENV)/.installed
	@for script in tools/make_images.py tools/make_proposal_images.py tools/make_drawings.py tools/make_house.py; do $(BIN)/python $$script || exit 1; done

sample: $(VENV)/.installed
	@$(BIN)/python tools/make_sample.py

clean:
	rm -rf $(VENV) $(OLDEST) out site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
