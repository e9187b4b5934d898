# make book     both editions, HTML, PDF and EPUB, in _book/
# make test     everything that the chapters claim, and everything else
# make watch    run the chapters watched: their keys hold all that they reach
# make student  the notebooks of exercises for students, in student/
# make bench    how fast the layers are, beside PyTorch and SciPy
# make reproduce  the papers' numbers, on their data: hours; ARGS=--help
# make record   record what PyTorch, data and a GPU show, for machines without
#               them; HOURS=1 runs the cells that take hours too
# make preview  serve the book here and make again what changes
# make export   write cnnbook/ again from the notebooks
# make clean    remove what was made (not the environment)
#
# Narrow the book with LANG_=es or en, FORMAT=html, pdf or epub, ENGINE=quarto
# or pandoc. LIVE=no: pages that do not run Python. CNNBOOK_PYODIDE names where
# that Python is: a folder, or an address. Test on the oldest NumPy with
# `make test NUMPY=oldest`. Another Python: PYTHON=python3.12.

PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin
READY = $(VENV)/ready
OLD = .venv-oldest
OF_THE_BOOK = $(patsubst %,--ignore=tests/test_%.py,source house chapters execution export preview build book epub browser page paper one_truth quarto widgets runtime packs python_in_pages) --ignore-glob="*/test_live_*"
# What takes long, so that both halves end together.
TUTOR = mutants marks diagnosis tutor tutor_graded exercises live_chapters live_exercises live_apps python_in_pages
NARROW = $(if $(LANG_),--lang $(LANG_)) $(if $(FORMAT),--format $(FORMAT)) $(if $(ENGINE),--engine $(ENGINE)) $(if $(LIVE),--live $(LIVE))

.PHONY: book record reproduce export student test test-tutor test-rest watch bench preview clean

book: $(READY)
	@$(BIN)/cnnbook book $(NARROW)

record: $(READY)
	@$(BIN)/cnnbook record $(if $(HOURS),--hours)

preview: $(READY)
	@$(BIN)/cnnbook preview $(NARROW)

# The exporter is exported too; if it is missing or broken, it comes first.
export: $(READY)
	@$(BIN)/python -c "import cnnbook.press.export" 2>/dev/null || \
	  $(BIN)/python -c "from nbdev.export import nb_export; \
	    nb_export('chapters/making/export.ipynb', lib_path='cnnbook')" || \
	  { echo "chapters/making/export.ipynb cannot be exported: mend it, or git checkout chapters/making/export.ipynb" >&2; exit 1; }
	@$(BIN)/python -c "import cnnbook.press.export" || \
	  { echo "cnnbook/__init__.py or cnnbook/press/__init__.py, written by hand, is missing or broken: git checkout cnnbook" >&2; exit 1; }
	@$(BIN)/python -m cnnbook.press.export

student: $(READY)
	@$(BIN)/cnnbook student $(if $(LANG_),--lang $(LANG_)) $(if $(OUT),--out $(OUT))

ifeq ($(NUMPY),oldest)
test: $(OLD)/ready
	@$(OLD)/bin/nbdev-test
	@$(OLD)/bin/pytest -q tests $(OF_THE_BOOK)
else
test: $(READY)
	@$(BIN)/pytest -q tests/test_source.py tests/test_house.py
	@$(BIN)/pytest -q -s tests/test_chapters.py
	@$(MAKE) --no-print-directory -j2 --output-sync=target test-tutor test-rest
endif

# What the tutor, the grader and the live pages say, and all the rest.
test-tutor: $(READY)
	@$(BIN)/pytest -q --durations=10 -p no:cacheprovider $(patsubst %,tests/test_%.py,$(TUTOR))

test-rest: $(READY)
	@$(BIN)/pytest -q --durations=10 tests $(patsubst %,--ignore=tests/test_%.py,source house chapters $(TUTOR))

watch: $(READY)
	@$(BIN)/pytest -q -s tests/watched.py

reproduce: $(READY)
	@$(BIN)/python benchmarks/reproduce.py $(ARGS)

bench: $(READY)
	@$(BIN)/python benchmarks/bench.py

clean:
	rm -rf _book build .cache .pytest_cache .hypothesis

$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "cnnbook needs Python 3.10 or newer, and $(PYTHON) is not there: install it, or name another with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit("cnnbook needs Python 3.10 or newer; this is %s. Name another: make PYTHON=python3.12" % sys.version.split()[0] if sys.version_info < (3, 10) else 0)'
	@$(PYTHON) -m venv $(VENV) || { echo "cnnbook needs the venv module of Python: on Debian or Ubuntu, apt install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e ".[book,test]"
	@touch $@

$(OLD)/ready: pyproject.toml
	@$(PYTHON) -m venv $(OLD)
	$(OLD)/bin/python -m pip install --quiet --no-deps -e .
	$(OLD)/bin/python -m pip install --quiet -e ".[book,test]" $$($(OLD)/bin/python tests/oldest_numpy.py)
	@touch $@
