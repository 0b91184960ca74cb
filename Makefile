# Each target sets up .venv by itself; nothing has to be installed or activated before.
#
#   make lesson N=7          run a lesson (ARGS="--epochs 3" is passed on)
#   make lessons             run all twelve, in order
#   make notebook N=7        write it as a notebook, lessons/07_….ipynb
#   make data                fetch the real data sets ahead of time
#   make tensorboard         show each lesson's newest run, on http://localhost:6006 (N=7: all runs of one; PORT=6007)
#   make test  make lint     the whole suite; the style check
#   make bench               speed and memory of every lesson
#   make pictures            run lessons 7, 9 and 12 and draw the README's pictures
#   make clean               remove .venv and caches, never your data, runs or weights

PYTHON ?= python3
RUN := .venv/bin/python
LESSON := $(wildcard lessons/0$(N)_*.py lessons/$(N)_*.py)

.PHONY: help lesson lessons notebook data tensorboard test lint bench pictures clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^#   //p' Makefile

# Touched when an installation is complete, so that a changed requirements.txt installs again and nothing else does.
.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "The lessons need Python 3.10 or newer: make PYTHON=/path/to/python3" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed
	$(RUN) -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

define no_such_lesson
	@echo "make $@: N must be the number of a lesson, 1 to 12 (N='$(N)'):" >&2
	@ls lessons | sed -n '/^[01].*py$$/s/^/  /p' >&2
	@exit 2
endef

ifeq ($(words $(LESSON)),1)
lesson: .venv/installed
	@$(RUN) $(LESSON) $(ARGS)

notebook: .venv/installed-dev
	@$(RUN) tests/to_notebook.py $(LESSON)
else
lesson notebook:
	$(no_such_lesson)
endif

lessons: .venv/installed
	@for lesson in lessons/[01]*.py; do echo "== $$lesson"; $(RUN) $$lesson || exit $$?; done

data: .venv/installed
	@$(RUN) -m shared.download $(ARGS)

# Without N of all lessons, with N of this one.
ifeq ($(if $(N),$(words $(LESSON)),1),1)
tensorboard: .venv/installed
	@$(RUN) -m shared.board $(if $(N),--lesson $(basename $(notdir $(LESSON)))) $(if $(PORT),--port $(PORT)) $(ARGS)
else
tensorboard:
	$(no_such_lesson)
endif

test: .venv/installed-dev
	@$(RUN) -m pytest $(ARGS)

lint: .venv/installed-dev
	@$(RUN) -m ruff check

bench: .venv/installed-dev
	@$(RUN) tests/bench.py $(ARGS)

pictures: .venv/installed-dev
	@$(RUN) tests/pictures.py $(ARGS)

clean:
	rm -rf .venv .pytest_cache .ruff_cache *.egg-info */__pycache__
