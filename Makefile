# `make help` explains every target. A fresh machine needs Python 3.11 or newer, make, and
# Debian's or macOS' package manager (for Pango, which draws the text of the PDF).
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(shell command -v $(p))))
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

.DEFAULT_GOAL := help
.PHONY: help install demo study-small test test-all planted lint format bench bench-memory bench-overhead bench-statistics bench-start bench-report wheel docs pictures verapdf schema clean pango

help:  ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

install: $(INSTALLED)  ## create .venv and install hipaudit with pinned packages (about 6 GB, once)

$(INSTALLED): pyproject.toml constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Expected Python 3.11 or newer, found $$("$(PYTHON)" --version). Run: make PYTHON=/path/to/python3.11"; exit 2; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv 2>/dev/null || true
	@echo "Installing pinned packages into $(VENV) (torch is large; the first time takes minutes) …"
	@if [ -x $(BIN)/uv ]; then \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[dev]'; \
	else \
	  $(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'; \
	fi
	@touch $@

pango:  # WeasyPrint needs Pango at run time
	@sh tools/pango.sh

demo: $(INSTALLED) pango  ## synthesise radiographs, train, audit, write the report (about 8 minutes)
	$(BIN)/hipaudit demo

SMALL := hipaudit-out/study-small
# From random weights and this little the range test has no slope to find: the rate is given, the
# same for body and head, and the test only chooses the weight decay.
STUDY_SMALL := --weights none --size 64 --freeze-epochs 2 --epochs 4 --batch-size 16 \
  --lr 0.002 --set spread=even --preset ci --audit-samples 48 --seed 0

# In full: hipaudit phantom radiographs/ && hipaudit study --data radiographs/ --device cuda
study-small: $(INSTALLED) pango  ## seven small networks on synthetic images (about 30 minutes)
	$(BIN)/hipaudit phantom hipaudit-out/radiographs-small --spec examples/study_small.toml
	$(BIN)/hipaudit study --data hipaudit-out/radiographs-small $(STUDY_SMALL) --device cpu --out $(SMALL)
	$(BIN)/python benchmarks/study.py $(SMALL) --name study-small

test: $(INSTALLED) pango  ## the test suite without the slow tests, and the built wheel
	$(BIN)/python -m pytest
	sh tools/check_wheel.sh $(BIN)

test-all: $(INSTALLED) pango  ## every test, the slow ones too
	$(BIN)/python -m pytest -m ""
	sh tools/check_wheel.sh $(BIN)

planted: $(INSTALLED)  ## audit models with planted flaws and sound ones; write docs/planted.md
	HIPAUDIT_PLANTED=docs/planted.md $(BIN)/python -m pytest -m "" tests/planted

lint: $(INSTALLED)  ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(INSTALLED)  ## let ruff format and fix what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# torchattacks pins an old requests, which it hardly uses: it comes without what it asks for.
bench: $(INSTALLED)  ## speed beside ART, foolbox and torchattacks (about an hour)
	@if [ -x $(BIN)/uv ]; then \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps torchattacks==3.5.1; \
	else \
	  $(BIN)/python -m pip install --quiet --no-deps torchattacks==3.5.1; \
	fi || echo "torchattacks could not be installed; its arm will be named as absent."
	$(BIN)/python -W ignore -m benchmarks.peers

bench-memory: $(INSTALLED)  ## peak memory of an audit at 100, 1,000 and 10,000 cases
	$(BIN)/python benchmarks/memory.py

bench-overhead: $(INSTALLED)  ## a whole audit against the forwards and backwards it needed
	$(BIN)/python -m benchmarks.overhead

bench-statistics: $(INSTALLED)  ## every number of 10,000 cases under 60 runs: seconds and memory
	$(BIN)/python benchmarks/derive.py

bench-start: $(INSTALLED)  ## how long hipaudit --help and hipaudit gate take
	$(BIN)/python benchmarks/start.py

bench-report: $(INSTALLED) pango  ## how long hipaudit report takes with 400 findings and 60 pictures
	$(BIN)/python benchmarks/report.py

REPORT ?= hipaudit-out/demo/report.pdf
verapdf:  ## validate REPORT=report.pdf by veraPDF, where that is installed
	@command -v verapdf >/dev/null || { echo "veraPDF is not installed: conformance not validated. See https://verapdf.org"; exit 3; }
	verapdf --flavour 0 --format text $(REPORT)

docs: $(INSTALLED)  ## write docs/reference.md and the tables of other pages from the code
	PYTHONPATH=. $(BIN)/python tools/reference.py

pictures: $(INSTALLED)  ## docs/images/*.png for README.md, from the synthetic demo's report
	$(BIN)/python tools/report_pictures.py

schema: $(INSTALLED)  ## write the JSON Schema of audit.json anew
	$(BIN)/python -m audit.json_schema

wheel: $(INSTALLED)  ## build the wheel into dist/
	$(BIN)/python -m build --wheel --no-isolation

clean:  ## remove what was built and written, not .venv
	rm -rf dist build hipaudit-out .pytest_cache .mypy_cache .ruff_cache .hypothesis
