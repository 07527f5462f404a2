# `make` alone says what there is. Each target makes .venv ready first, which takes no time when it is.
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo run test lint bench clean

help:
	@echo "make demo    the whole way once, then the pages: a simulated city, real decoding, alerts, e-mails"
	@echo "             ONCE=1 checks each step and exits;  PHOTOS=folder adds your own pictures"
	@echo "make run     the server and its worker on the embedded database"
	@echo "make test    every test, on SQLite and PostgreSQL;  ARGS='-k fill' chooses"
	@echo "make lint    ruff, mypy strict and the arrows between the rooms"
	@echo "make bench   judging speed and decode rates, measured on this machine"
	@echo "make setup   only make .venv ready for all of the above"
	@echo "make clean   remove .venv, caches and the demo's data"

setup:
	@sh .ci/setup test

demo:
	@sh .ci/setup demo
	@$(BIN)/cylinder-trace demo $(if $(filter-out 0,$(ONCE)),--once) $(if $(PHOTOS),--photos "$(PHOTOS)") \
		$(if $(DIRECTORY),--directory "$(DIRECTORY)")

run:
	@sh .ci/setup demo
	@$(BIN)/cylinder-trace db upgrade
	@sh .ci/serve

test:
	@sh .ci/setup test
	@$(BIN)/pytest -n auto --maxprocesses 4 --dist worksteal $(ARGS)

lint:
	@sh .ci/setup test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench:
	@sh .ci/setup demo
	@$(BIN)/cylinder-trace bench
	@$(BIN)/cylinder-scan bench

# Not the ledger, the key files and the secret that `make run` and the commands made: those are somebody's.
clean:
	rm -rf .venv .demo .bench .screens build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.import_linter_cache __pycache__
	find cylinder_trace scanner migrations tests -type d -name __pycache__ -prune -exec rm -rf {} +
