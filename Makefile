# Everything a person or a machine needs: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# With bytecode kept, whoever has it switched off: four processes read all tests, and those start a thousand programs.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest

.PHONY: setup demo test test-services lint check bench campaign screenshots clouds clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("cloudtui needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(STAMP)
	$(BIN)/cloudtui demo

# Half of its time is waiting for processes and links, so four at once; the longest files are the first.
test: $(STAMP)
	$(PYTEST) -n 4 --dist loadfile --no-loadscope-reorder -m 'not services and not campaign'

# They wait more than they work, so two at once.
test-services: $(STAMP)
	$(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder -m services

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vermin --target=3.8- --violations --no-tips engine/cloudtui_host

check: lint test

# The rivals it measures beside want other versions than constraints.txt: in an environment of their own.
BENCH := .venv-bench

bench: $(BENCH)/.installed
	$(BENCH)/bin/python -m bench $(NAME)

$(BENCH)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[local,aws]'
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@touch $@

campaign: $(STAMP)
	$(PYTEST) -m campaign -s --timeout=0

screenshots: $(STAMP)
	$(BIN)/python -m assets.screenshots

# The README's table of clouds, from what each provider says it can do.
clouds: $(STAMP)
	$(BIN)/python -m assets.clouds

clean:
	rm -rf $(VENV) .venv-bench build dist .mypy_cache .ruff_cache .pytest_cache
