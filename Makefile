SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
UV := .venv/bin/uv pip

.PHONY: help install lock demo test fast simulate coverage mutants lint scan format package clean bootstrap validate init plan apply outputs destroy

help: ## What each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

install: .venv/installed ## Make .venv from the hashed lock

.venv/installed: requirements/installer.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is required (set PYTHON=...)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing into .venv"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/installer.txt
	@$(UV) install --quiet --python $(BIN)/python --require-hashes --no-deps -r requirements/dev.txt
	@$(UV) install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

lock: install ## Pin every dependency again, with hashes
	@$(BIN)/uv pip compile --quiet --upgrade pyproject.toml --extra lambda --extra sandbox --extra dev \
	  --generate-hashes --universal --python-version 3.11 --custom-compile-command 'make lock' -o requirements/dev.txt
	@$(BIN)/uv pip compile --quiet --upgrade reconciler/pipeline/lambda.in --constraint requirements/dev.txt \
	  --generate-hashes --universal --python-version 3.11 --custom-compile-command 'make lock' \
	  $(addprefix --no-emit-package ,boto3 botocore s3transfer python-dateutil six urllib3) -o reconciler/pipeline/lambda.txt
	@$(BIN)/uv pip compile --quiet --upgrade requirements/scan.in \
	  --generate-hashes --universal --python-version 3.11 --custom-compile-command 'make lock' -o requirements/scan.txt
	@$(BIN)/uv pip compile --quiet requirements/installer.in --constraint requirements/dev.txt \
	  --generate-hashes --universal --python-version 3.11 --custom-compile-command 'make lock' -o requirements/installer.txt

demo: install ## The main job on a local AWS, step by step; leaves nothing running
	@$(BIN)/python -m scripts.demo

test: install ## All tests
	@$(BIN)/python -m pytest -n auto --dist loadgroup

fast: install ## The tests that need no local AWS
	@$(BIN)/python -m pytest -n auto --dist loadgroup -m 'not sandbox'

simulate: install ## Random stories of faults, races and crashes; STEPS=n, SECONDS=n; SEED=n for one of them
	@PYTHONPATH=tests $(BIN)/python -m simulation $(if $(SEED),--seed $(SEED)) $(if $(STEPS),--steps $(STEPS)) \
	  $(if $(SECONDS),--seconds $(SECONDS)) $(if $(BUGS),--bugs)

coverage: install ## Every branch of the pure core is tested by its own tests
	@$(BIN)/python -m pytest -n auto tests/core tests/planning tests/output tests/manifests --cov=reconciler.core --cov=reconciler.planning --cov-branch --cov-fail-under=100 \
	  --cov-report=term-missing:skip-covered

mutants: install ## Change core and table adapter on purpose and see which tests notice; NAMES='reconciler.core.user*' for a part. Slow
	@nice -n 19 $(BIN)/mutmut run --max-children 1 $(NAMES)
	@$(BIN)/mutmut results

lint: install ## Style, formatting and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

scan: ## Static security scan of the Terraform, in an environment of its own
	@test -e .venv-scan/installed || { $(PYTHON) -m venv .venv-scan; \
	  .venv-scan/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/scan.txt; \
	  touch .venv-scan/installed; }
	@.venv-scan/bin/checkov --directory terraform --framework terraform --compact --quiet --skip-download

format: install ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

package: install ## build/lambda.zip, the same bytes for the same input
	@$(BIN)/python -m reconciler.pipeline.lambda_zip

# Terraform, for ENV=sandbox, test or prod. AWS_PROFILE says as whom.
ENV ?= sandbox
DEPLOYMENT = $(BIN)/python -m scripts.terraform

bootstrap: install ## ENV=…: make the bucket of Terraform's state (idempotent)
	@$(DEPLOYMENT) bootstrap $(ENV)

validate: install ## All manifests, and the Terraform of ENV=…, offline
	@$(BIN)/reconcile validate
	@$(DEPLOYMENT) validate $(ENV)

init: install ## ENV=…: terraform init
	@$(DEPLOYMENT) init $(ENV)

plan: install ## ENV=…: terraform plan, saved
	@$(DEPLOYMENT) plan $(ENV)

apply: install ## ENV=…: plan, and apply exactly that plan; prod asks first
	@$(DEPLOYMENT) apply $(ENV)

outputs: install ## ENV=…: DNS records, endpoints, roles
	@$(DEPLOYMENT) outputs $(ENV)

destroy: install ## ENV=…: destroy everything; prod asks first
	@$(DEPLOYMENT) destroy $(ENV)

clean: ## Remove what was built, and the sandbox
	@if test -x $(BIN)/reconcile; then $(BIN)/reconcile sandbox down; fi
	@rm -rf build .venv-scan .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage htmlcov
