SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
QUIET := --quiet
EXAMPLES ?= 20000
# Tests that wait for the local AWS overlap with tests that compute.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(2 * (os.cpu_count() or 1))')
UV := $(BIN)/uv pip
unexport PYTHONDONTWRITEBYTECODE # tests and commands start many Python processes: compiled modules are kept
COMPILE = $(UV) compile --quiet $(UPGRADE) --generate-hashes --universal --python-version 3.11 --custom-compile-command 'make lock'

.PHONY: help install install-cli check-install lock upgrade demo test unit fuzz simulate permissions coverage mutants lint lint-workflows scan bench format docs package check-wheel clean \
  bootstrap validate init plan apply outputs destroy

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 15

install: $(VENV)/installed ## Create .venv with exactly the versions of requirements/dev.txt

$(VENV)/installed: requirements/installer.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is required (set PYTHON=...)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV)"
	@$(BIN)/python -m pip install $(QUIET) --disable-pip-version-check --require-hashes --no-deps -r requirements/installer.txt
	@$(UV) install $(QUIET) --compile-bytecode --python $(BIN)/python --require-hashes --no-deps -r requirements/dev.txt
	@$(UV) install $(QUIET) --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# For the job that holds AWS credentials: the command line, without tests, sandbox and tools.
install-cli: $(VENV)/installed-cli ## Create .venv with only what validate, plan and apply need (requirements/cli.txt)

$(VENV)/installed-cli: requirements/installer.txt requirements/cli.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install $(QUIET) --disable-pip-version-check --require-hashes --no-deps -r requirements/installer.txt
	@$(UV) install $(QUIET) --python $(BIN)/python --require-hashes --no-deps -r requirements/cli.txt
	@$(UV) install $(QUIET) --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

check-install: install ## Check that old and new versions of pip install the same, without a warning
	@$(BIN)/python -m scripts.check_install

lock: install ## Update the lock files after a change of dependencies; keeps all other versions
	@$(COMPILE) pyproject.toml --extra lambda --extra sandbox --extra report --extra dev -o requirements/dev.txt
	@$(COMPILE) reconciler/pipeline/lambda.in --constraint requirements/dev.txt \
	  $(addprefix --no-emit-package ,boto3 botocore s3transfer python-dateutil six urllib3) -o reconciler/pipeline/lambda.txt
	@$(BIN)/python -m scripts.lambda_lock
	@$(COMPILE) pyproject.toml --constraint requirements/dev.txt -o requirements/cli.txt
	@$(COMPILE) requirements/scan.in -o requirements/scan.txt
	@$(COMPILE) requirements/workflows.in -o requirements/workflows.txt
	@$(COMPILE) requirements/bench.in --constraint requirements/dev.txt -o requirements/bench.txt
	@$(COMPILE) requirements/installer.in --constraint requirements/dev.txt -o requirements/installer.txt

upgrade: ## Update the lock files to the newest version of every dependency
	@$(MAKE) --no-print-directory lock UPGRADE=--upgrade

demo: install ## Show the main workflow on a local AWS; leaves nothing running
	@$(BIN)/python -m scripts.demo

test: install ## Run all tests
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

unit: install ## Run the fast tests: those of the pure modules and of the manifests
	@$(BIN)/python -m pytest -n auto -m 'not sandbox' tests/core tests/planning tests/output tests/manifests

simulate: install ## Simulate faults, races and crashes at random; STEPS=n, SECONDS=n; SEED=n repeats one run
	@PYTHONPATH=tests $(BIN)/python -m simulation $(if $(SEED),--seed $(SEED)) $(if $(STEPS),--steps $(STEPS)) \
	  $(if $(SECONDS),--seconds $(SECONDS)) $(if $(BUGS),--bugs)

fuzz: install ## Run all property tests with EXAMPLES=n examples each (20,000)
	@HYPOTHESIS_PROFILE=search EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -n $(WORKERS) -m 'hypothesis and not sandbox'

permissions: install ## Compare 1,000,000 pairs of permissions with brute force; PAIRS=n for another number
	@PAIRS=$(or $(PAIRS),1000000) $(BIN)/python -m pytest -n0 tests/planning/test_permission_properties.py

coverage: install ## Check that the tests of the pure modules cover every branch
	@$(BIN)/python -m pytest -n auto tests/core tests/planning tests/output tests/manifests --cov=reconciler.core --cov=reconciler.planning --cov-branch --cov-fail-under=100 \
	  --cov-report=term-missing:skip-covered

lint: install ## Check style, formatting, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo

scan: ## Scan the Terraform for security problems
	@test -e .venv-scan/installed || { $(PYTHON) -m venv .venv-scan; \
	  .venv-scan/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/scan.txt; \
	  touch .venv-scan/installed; }
	@.venv-scan/bin/checkov --directory terraform --framework terraform --compact --quiet --skip-download

lint-workflows: install ## Check the GitHub workflows, also those of `init`: security (zizmor), expressions and shell (actionlint), schema
	@test -e .venv-workflows/installed || { $(PYTHON) -m venv .venv-workflows; \
	  .venv-workflows/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/workflows.txt; \
	  touch .venv-workflows/installed; }
	@.venv-workflows/bin/zizmor --quiet --offline --persona auditor --config .github/zizmor.yml .github action.yml
	@.venv-workflows/bin/actionlint
	@.venv-workflows/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@.venv-workflows/bin/check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml
	@.venv-workflows/bin/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	@rm -rf build/own-repository; mkdir -p build
	@$(BIN)/reconcile init build/own-repository --action example/smtp-users@$$(git rev-parse HEAD) > build/own-repository.txt
	@.venv-workflows/bin/zizmor --quiet --offline --persona auditor --config .github/zizmor.yml build/own-repository/.github
	@.venv-workflows/bin/actionlint build/own-repository/.github/workflows/*.yml

bench: install ## Measure time, memory and AWS calls; writes docs/performance.md. QUICK=1: a short run, writes nothing
	@cmp --silent requirements/bench.txt .venv-bench/installed || { rm -rf .venv-bench; $(PYTHON) -m venv .venv-bench; \
	  $(UV) install --quiet --compile-bytecode --python .venv-bench/bin/python --require-hashes --no-deps -r requirements/bench.txt; \
	  cp requirements/bench.txt .venv-bench/installed; }
	@$(BIN)/python -m scripts.bench $(if $(QUICK),--quick)

format: install ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: install ## Write the current output of the examples into README and docs, and draw their picture
	@$(BIN)/python -m scripts.picture
	@$(BIN)/python -m scripts.replay_docs --write

package: install ## Build build/lambda.zip; the same input gives the same bytes
	@$(BIN)/reconcile package --output build/lambda.zip

check-wheel: install ## Build the wheel, install it and run the main workflow with it in an empty folder
	@$(BIN)/python -m scripts.check_wheel

# Terraform for ENV=sandbox, test or prod. AWS_PROFILE selects the credentials.
ENV ?= sandbox
DEPLOYMENT = $(BIN)/python -m scripts.terraform

bootstrap: install ## ENV=...: create the S3 bucket for the Terraform state, before the first apply (can be repeated)
	@$(DEPLOYMENT) bootstrap $(ENV)

validate: install ## ENV=...: check all manifests, and the Terraform of ENV, offline
	@$(BIN)/reconcile validate
	@$(DEPLOYMENT) validate $(ENV)

init: install ## ENV=...: terraform init
	@$(DEPLOYMENT) init $(ENV)

plan: install ## ENV=...: terraform plan; saves the plan
	@$(DEPLOYMENT) plan $(ENV)

apply: install ## ENV=...: plan, then apply exactly that plan; asks first if `confirm: true`
	@$(DEPLOYMENT) apply $(ENV)

outputs: install ## ENV=...: show endpoints, roles, policies and topics
	@$(DEPLOYMENT) outputs $(ENV)

destroy: install ## ENV=...: destroy all resources; refuses while IAM users exist; asks first if `confirm: true`
	@$(DEPLOYMENT) destroy $(ENV)

clean: ## Remove the sandbox and everything that was built
	@if test -x $(BIN)/reconcile; then $(BIN)/reconcile sandbox down; fi
	@rm -rf build .venv-scan .venv-workflows .venv-bench .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage htmlcov
