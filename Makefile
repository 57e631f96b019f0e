# Each target does everything that it needs by itself; the first one run installs the course into .venv (some minutes).
#
#   make course      run all notebooks on the local service; pages and the table of results in build/course
#   make lab         open the course in JupyterLab
#   make test        everything that must hold: format, lint, types, tests, and every notebook as a test
#   make notebooks   run all notebooks in place, so that their outputs can be committed
#   make slides      slide decks with speaker notes in build/slides
#   make study       the training notebooks with three seeds; the spread of their figures in studies/ (an hour or two)
#   make soak        kill the service at random moments, then a class of 30 on it; figures in studies/ (half an hour)
#   make bench       measure training, answers, an evaluation and the checks of training files on this machine
#
# PYTHON names another Python than python3 (3.11 or later).

PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
READY := $(VENV)/installed
RUN := $(BIN)/python
TORCH := $(shell sed -n 's/^torch==/torch==/p' constraints.txt)
CPU_INDEX := https://download.pytorch.org/whl/cpu

.PHONY: course lab test notebooks slides study soak bench clean

course: $(READY)
	$(RUN) -m helpers course

lab: $(READY)
	$(BIN)/jupyter lab --ServerApp.root_dir=. notebooks/00_start_here.ipynb

notebooks: $(READY)
	$(RUN) -m helpers notebooks

slides: $(READY)
	$(RUN) -m helpers slides

study: $(READY)
	$(RUN) -m helpers study

soak: $(READY)
	FINETUNE_LONG_TESTS=1 $(RUN) -m pytest tests/test_papermill.py
	PYTHONPATH=tests $(RUN) -m soak

bench: $(READY)
	$(RUN) tests/benchmarks/check.py
	$(RUN) tests/benchmarks/training.py
	$(RUN) tests/benchmarks/generation.py
	$(RUN) tests/benchmarks/evaluation.py

# The notebooks are tested with a home and a build folder of their own, made anew: no result of an earlier run helps, and
# a learner's files stay as they are.
test: export FINETUNE_HEADLESS := 1
test: $(READY)
	$(BIN)/ruff format --check src tests notebooks data
	$(BIN)/ruff check src tests notebooks data
	$(BIN)/mypy
	$(RUN) tests/browser/chromium.py
	$(RUN) -m pytest tests --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
	rm -rf build/test
	FINETUNE_HOME="$(CURDIR)/build/test/home" FINETUNE_BUILD="$(CURDIR)/build/test/build" \
		$(RUN) -m pytest --nbval-lax --nbval-current-env notebooks; \
		status=$$?; FINETUNE_HOME="$(CURDIR)/build/test/home" $(RUN) -m helpers stop; exit $$status

clean:
	rm -rf build .venv

# torch comes first and from PyTorch's own index of CPU builds, which are far smaller; where that cannot be reached the
# usual index is as good.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "The course needs Python 3.11 or later, and $(PYTHON) is older or missing. Install one and name it: make PYTHON=python3.12 …"; exit 1; }
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --disable-pip-version-check --quiet --timeout 8 --retries 0 --no-deps -c constraints.txt $(TORCH) \
		--index-url $(CPU_INDEX) || \
		{ echo "PyTorch's index of CPU builds could not be used (see above): taking $(TORCH) from the usual index."; \
		  $(RUN) -m pip install --disable-pip-version-check --quiet -c constraints.txt $(TORCH); }
	$(RUN) -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[test]'
	@touch $@
