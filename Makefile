# Each target first sets up .venv. You need not install or activate anything yourself.
#
#   make lesson N=7          run lesson 7 (lesson 12 has flags: ARGS="--epochs 3"; ZH=1: in Chinese)
#   make lessons             run all twelve, in order
#   make exercise N=7        check what you wrote for lesson 7 (ARGS=--hint, --solution, --watch; ZH=1)
#   make exercises           your progress: all lessons, a line each
#   make notebook N=7        write lesson 7 as a notebook, lessons/07_….ipynb
#   make data                download the real data sets now, and not when a lesson needs them
#   make tensorboard         show the newest run of each lesson, on http://localhost:6006
#                            (N=7: all runs of lesson 7; PORT=6007: another port)
#   make train               the full trainer behind lesson 12 (ARGS="--recipe best")
#   make predict             what is on your photos? By the trainer's last run (ARGS="photo.jpg")
#   make test  make lint     all tests; the style check
#   make bench               seconds and memory of every lesson, and the trainer's speed
#   make pictures            run lessons 7, 9 and 12, and draw the README's pictures from them
#   make zh N=7              carry changes of lesson 7 over to the Chinese one (ARGS=--confirm)
#   make clean               remove .venv and caches, never your data, runs or weights

PYTHON ?= python3
RUN := .venv/bin/python

# N and PORT are text from the command line. Neither make nor a shell may run what is in them.
# `value` gives the text as it is, and := keeps it so. Recipes read it as $$N and $$PORT, from
# their environment. (ARGS is different: a shell reads it, as if you had typed it there.)
override N := $(value N)
override PORT := $(value PORT)
export N PORT

# The lesson's file, if N is one of the twelve numbers and nothing else.
NUMBERS := 1 2 3 4 5 6 7 8 9 10 11 12 01 02 03 04 05 06 07 08 09
NUMBER := $(if $(filter-out $(NUMBERS),$(N)),,$(filter $(NUMBERS),$(N)))
LESSON := $(wildcard lessons/0$(NUMBER)_*.py lessons/$(NUMBER)_*.py)

# ZH=1: the Chinese lesson of the same name, and messages in Chinese.
ifdef ZH
export LESSONS_LANG := zh
endif
IN_LANGUAGE := $(if $(value ZH),$(LESSON:lessons/%=lessons/zh/%),$(LESSON))

.PHONY: help lesson lessons exercise exercises notebook data tensorboard train predict test lint bench pictures zh clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^#   //p' Makefile

# This empty file says that an installation is complete. It is made last, so an installation that
# failed is done again, and so is one that is older than requirements.txt or pyproject.toml.
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
	@printf "make $@: N must be the number of a lesson, 1 to 12 (N='%s'):\n" "$$N" >&2
	@ls lessons | sed -n '/^[01].*py$$/s/^/  /p' >&2
	@exit 2
endef

ifeq ($(words $(LESSON)),1)
lesson: .venv/installed
	@$(RUN) $(IN_LANGUAGE) $(ARGS)

exercise: .venv/installed
	@$(RUN) -m shared.checking $(notdir $(LESSON)) $(ARGS)

notebook: .venv/installed-dev
	@$(RUN) tests/tools/notebook.py $(IN_LANGUAGE)

zh: .venv/installed-dev
	@$(RUN) tests/tools/zh.py $(LESSON) $(ARGS)
else
lesson exercise notebook zh:
	$(no_such_lesson)
endif

lessons: .venv/installed
	@for lesson in lessons/[01]*.py; do echo "== $$lesson"; $(RUN) $$lesson || exit $$?; done

exercises: .venv/installed
	@$(RUN) -m shared.checking

data: .venv/installed
	@$(RUN) -m shared.sources.download $(ARGS)

train: .venv/installed
	@$(RUN) -m shared.training $(ARGS)

predict: .venv/installed
	@$(RUN) -m shared.training.predict $(ARGS)

ifeq ($(if $(N),$(words $(LESSON)),1),1)
tensorboard: .venv/installed
	@$(RUN) tests/tools/board.py $(if $(N),--lesson $(basename $(notdir $(LESSON)))) \
		$(if $(PORT),--port "$$PORT") $(ARGS)
else
tensorboard:
	$(no_such_lesson)
endif

# In two processes, because most tests start programs, and wait while these import PyTorch.
test: .venv/installed-dev
	@$(RUN) -m pytest --numprocesses 2 --dist worksteal $(ARGS)

lint: .venv/installed-dev
	@$(RUN) -m ruff check

bench: .venv/installed-dev
	@$(RUN) tests/tools/bench.py $(ARGS)

pictures: .venv/installed-dev
	@$(RUN) tests/tools/pictures.py $(ARGS)

clean:
	rm -rf .venv .pytest_cache .ruff_cache *.egg-info */__pycache__ */*/__pycache__
