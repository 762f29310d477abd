# Everything is installed into this folder (.tools/, .venv/) from uv.lock, by the machine's own python3 (3.11 or newer).
#   make demo     see it work                      make test     checks and all tests
#   make up       start the local stack            make tick     synchronise now
#                 (both on a real server: make demo ERP=postgresql, ERP=mariadb)
#   make down     stop it, keep .local/            make clean    remove .local/ and builds
#   make deploy   to a real AWS account            make bench    figures
#   make audit    known weaknesses in the template and in the packages
#   make simulate histories of the production code: HISTORIES=100000, or SEED=n for one, told readably

PYTHON ?= python3
TIMEOUT ?= 300
HISTORIES ?= 10000

# `PANEL_KEY=… ERP_URL=… make up PANEL_URL=… POLICY=file SCHEDULES=off`: handed on in the environment, because some are
# secrets and a command line is for all to read.
export PANEL_URL PANEL_KEY ERP_URL ERP POLICY SCHEDULES
SEEN := $(strip $(if $(filter command%,$(origin PANEL_KEY)),PANEL_KEY) \
  $(if $(filter command%,$(origin ERP_URL)),$(if $(findstring @,$(ERP_URL)),ERP_URL)))
ifneq ($(SEEN),)
  $(warning $(SEEN) on the command line: `ps` shows it to everybody on this machine. Give it in the environment)
endif

IN := .venv/bin
CORES = $(shell $(PYTHON) -c 'import os; print(os.cpu_count() or 1)')
STACK := $(IN)/python -m local.stack

.PHONY: help lock test check ruff mypy lint-imports cfn-lint sam-validate audit format up tick down clean demo bench \
  deploy dev cloud simulate
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   /  /p' Makefile

# ---- installing: quick when there is nothing to do ----

dev:
	@$(PYTHON) local/bootstrap.py dev

cloud:
	@$(PYTHON) local/bootstrap.py dev cloud sam

lock:
	@$(PYTHON) local/bootstrap.py lock

# ---- the local stack ----

up: cloud
	@$(STACK) up

tick: dev
	@$(IN)/kartoteka tick --timeout $(TIMEOUT)

down: dev
	@$(STACK) down

clean: dev
	@$(STACK) clean

demo: cloud
	@$(IN)/python -m local.demo

bench: cloud
	@$(PYTHON) local/bootstrap.py bench
	@$(IN)/python -m bench
	@$(IN)/python -m bench.page --take result
	@$(IN)/python -m bench.cost

# ---- checks and tests ----

simulate: dev
	@$(IN)/python -m tests.simulation.main --histories $(HISTORIES) --seed "$(SEED)"

# A file's tests share what they set up. xdist would begin the files with the fewest tests last, which are those of the
# whole stack: long ones, beside idle cores.
test: check
	@$(IN)/pytest -n auto --dist loadfile --no-loadscope-reorder

check: cloud
	@$(MAKE) --no-print-directory -j $(CORES) ruff mypy lint-imports cfn-lint sam-validate

ruff:
	@$(IN)/ruff check .
	@$(IN)/ruff format --check .

mypy:
	@$(IN)/mypy

lint-imports:
	@$(IN)/lint-imports --no-cache

cfn-lint:
	@$(IN)/cfn-lint

sam-validate:
	@SAM_CLI_TELEMETRY=0 .tools/sam/bin/sam validate --lint --region eu-central-1

audit: cloud
	@$(PYTHON) local/bootstrap.py audit
	@$(IN)/python -m local.audit $(AUDIT)

format: dev
	@$(IN)/ruff check --fix .
	@$(IN)/ruff format .

# ---- a real account: with the SAM CLI of your own it is `sam build && sam deploy --guided` and nothing more ----

# Built by the Python that is here; psycopg has no wheel for the arm64 machine of python3.11.
RUNTIME = $(shell $(PYTHON) -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
BUILT_FOR = PythonRuntime=$(RUNTIME) Architecture=$(if $(filter python3.11,$(RUNTIME)),x86_64,arm64)

deploy: cloud
	@PATH="$(CURDIR)/.tools/uv/bin:$$PATH" .tools/sam/bin/sam build --parameter-overrides $(BUILT_FOR)
	@.tools/sam/bin/sam deploy --guided --parameter-overrides $(BUILT_FOR)
