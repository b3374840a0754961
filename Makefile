# make app    set everything up and open the app
# make demo   the whole journey in the terminal: what was decided, what it cost, how much better the model got
# make test   set everything up and pass the tests

PYTHON ?= python3
# Two processes: each test file stays in one of them.
PYTEST_ARGS ?= -n 2 --dist loadfile
VENV ?= .venv
RUN := $(VENV)/bin

.PHONY: app demo test lint setup setup-dev clean
.DEFAULT_GOAL := app

app: setup
	@$(RUN)/tuneworthy app

demo: setup
	@$(RUN)/tuneworthy demo

test: setup-dev lint
	@$(RUN)/python -m pytest $(PYTEST_ARGS)

lint: setup-dev
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/mypy
	@$(RUN)/lint-imports

setup:
	@$(PYTHON) set_up.py $(VENV)

setup-dev:
	@$(PYTHON) set_up.py $(VENV) --dev

clean:
	rm -rf $(VENV) build *.egg-info screenshots .pytest_cache .mypy_cache .ruff_cache
