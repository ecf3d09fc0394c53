# Needs make, git and Python 3.10 or later with its venv module; tox, in .venv,
# brings the rest. What the targets do is written in tox.ini.

PYTHON ?= python3
READY := .venv/.ready
TOX := .venv/bin/python -m tox

# Options of the sandbox, such as SANDBOX="--trouble --chains".
SANDBOX =

.PHONY: help demo sandbox announce-demo announce-sandbox test lint format \
    docs recording cover bench dist deb release clean

help:
	@echo 'make demo       watch the plugin work on an embedded cloud'
	@echo 'make test       run the unit and the functional tests'
	@echo 'make sandbox    start the embedded cloud, to try commands;'
	@echo '                with options: make sandbox SANDBOX="--trouble"'
	@echo 'make lint       check style, format, types and release notes'
	@echo 'make format     format the code as lint requires'
	@echo 'make docs       build the documentation into doc/build/html'
	@echo 'make recording  record the demo for the README'
	@echo 'make cover      run all tests and measure coverage'
	@echo 'make bench      count requests and seconds of large deletions'
	@echo 'make dist       build and check the wheel and the sdist, in dist'
	@echo 'make deb        build Debian packages, in build/deb'
	@echo 'make release    tag and build a release: make release VERSION=...'
	@echo 'make clean      remove everything that the other targets created'

demo: announce-demo $(READY)
	@$(TOX) -qq --colored no run -e demo

# tox is silent here and leaves the colors alone, so that only the program's
# own output is on the screen.
announce-demo announce-sandbox: announce-%:
	@test -d .tox/$* || echo 'Setting up (the first time takes a minute)...' >&2

test: $(READY)
	@$(TOX) -e py3,functional

sandbox: announce-sandbox $(READY)
	@$(TOX) -qq --colored no run -e sandbox -- $(SANDBOX)

lint: $(READY)
	@$(TOX) -e pep8

format: $(READY)
	@$(TOX) -q -e format

docs: $(READY)
	@$(TOX) -e docs

recording: $(READY)
	@$(TOX) -qq --colored no run -e recording

cover: $(READY)
	@$(TOX) -e cover

bench: $(READY)
	@$(TOX) -qq --colored no run -e bench

dist: $(READY)
	@$(TOX) -q -e dist

deb: dist
	@.ci/deb

release: $(READY)
	@.ci/release $(VERSION)

clean:
	rm -rf .venv .tox build dist doc/build cover .coverage .coverage.* \
	    .mypy_cache .ruff_cache .pytest_cache .hypothesis .eggs *.egg-info \
	    AUTHORS ChangeLog CHANGES.rst releasenotes/notes/reno.cache

$(READY): Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	    { echo 'Python 3.10 or later is needed; name it with PYTHON=...' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo 'The venv module of Python is missing; on Debian: apt install python3-venv' >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/python -m pip install -qq --disable-pip-version-check 'tox>=4.23,<5'
	@touch $@
