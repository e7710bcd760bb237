# Lodestar. Every target makes its own virtual environment first; nothing else has to be installed.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PY := .venv/bin/python
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help setup demo up test check lint bench migrations messages requirements clean

help: ## What there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## Virtual environment and packages; starts nothing
	@bash .ci/setup

demo: setup ## A running system with people, petitions, segments and an appeal on its way
	@exec $(PY) -m tests.demo

up: setup ## Engines, migrations, web, workers and beat on this machine
	@exec $(PY) manage.py up

check: setup ## What a commit must hold: style, import borders, models and migrations in step
	@.venv/bin/ruff check -q .
	@.venv/bin/ruff format -q --check .
	@.venv/bin/lint-imports --no-logo > var/imports.log 2>&1 || { cat var/imports.log; exit 1; }
	@SECRET_KEY=check DATABASE_URL=postgresql://nobody@127.0.0.1:1/none $(PY) -W ignore manage.py makemigrations --check --dry-run

lint: check ## The same, by its usual name

test: setup check ## Everything, on real engines, in a browser too
	@bash .ci/browser
	@$(PY) -m pytest -q -n 2 --dist loadgroup

bench: setup ## Ours against others, a JSON object a line
	@bash .ci/peers
	@$(PY) -m tests.benchmarks

migrations: setup ## Rewrite the first migrations from the models (until the first release)
	@bash .ci/migrations

messages: setup ## Collect and compile the translations
	@for app in supporters campaigns crm; do \
	    mkdir -p $$app/locale && cd $$app && ../$(PY) ../manage.py makemessages --all -v 0 && ../$(PY) ../manage.py compilemessages -v 0 && cd ..; \
	done

requirements: setup ## Pin anew from pyproject.toml
	@bash .ci/requirements

clean: ## Remove the virtual environment, the embedded engines' data and caches
	rm -rf .venv var .pytest_cache .ruff_cache .import_linter_cache
