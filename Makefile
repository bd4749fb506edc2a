# Every target works on a machine with nothing but make and Python 3.11 or later; .ci/venv makes the environment.
.DEFAULT_GOAL := help
.PHONY: help demo test check lint bench bench-viewer crash fuzz docs viewer clean venv
SHELL := /bin/sh
BIN := .venv/bin
ARGS ?=
KILLS ?= 300
# npm trusts the certificates that the machine trusts, as pip does; behind an inspecting proxy it fails otherwise.
export NODE_USE_SYSTEM_CA ?= 1

say = @printf '\033[1m==> %s\033[0m\n'

help: ## show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv:
	@.ci/venv

viewer: venv ## build the browser viewer into the collector's static folder, when its source changed
	@.ci/viewer

demo: viewer ## start a collector, run the example agents against it, serve the viewer (ARGS=--once: check and exit)
	@$(BIN)/milepost demo $(ARGS)

lint: venv
	$(say) 'ruff'
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	$(say) 'codespell'
	@$(BIN)/codespell
	$(say) 'mypy --strict'
	@$(BIN)/mypy --strict
	$(say) 'import-linter'
	@$(BIN)/lint-imports --no-cache --no-logo

check: lint viewer ## ruff, mypy --strict, import-linter, codespell, svelte-check and the viewer's unit tests
	$(say) 'svelte-check and tsc'
	@.ci/npm run --silent check
	$(say) 'vitest'
	@.ci/npm run --silent test

test: check ## everything: check, then all tests (ARGS='tests/cli -k serve' narrows the tests)
	@.ci/chromium
	@.ci/postgres
	@.ci/venv frameworks
	$(say) 'pytest'
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

bench: viewer ## run the benchmarks and print their figures (minutes; an idle machine gives honest ones)
	$(say) 'benchmarks'
	@$(BIN)/python -m tests.benchmarks $(ARGS)

bench-viewer: viewer ## measure the viewer in Chromium on runs of up to 300,000 spans (ARGS=--quick: small)
	@.ci/chromium
	$(say) 'viewer'
	@$(BIN)/python -m tests.benchmarks.bench_viewer $(ARGS)

crash: venv ## the crash test as a longer loop (KILLS=300)
	$(say) 'crash loop, $(KILLS) kills'
	@$(BIN)/python -m pytest -m crash -o timeout=0 --kills $(KILLS) -s $(ARGS)

fuzz: venv ## 200,000 mutated OTLP bodies through the ingest (ARGS='--seed N': the same ones again)
	$(say) 'fuzz'
	@$(BIN)/python -m tests.fuzz $(ARGS)

docs: venv ## renew the generated part of README.md
	@$(BIN)/python .ci/readme

clean: ## remove the environment, the built viewer and every cache
	rm -rf .venv build dist viewer/node_modules collector/milepost_collector/static
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
