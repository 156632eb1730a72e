# The commands of the project; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROCESSES ?= 2
BENTOFILE ?= bentofile.yaml
DATA ?= data
MODEL ?= digits
API_ADDRESS ?= http://127.0.0.1:$(or $(PORT),3000)
USERS ?= 32
SECONDS_OF_LOAD ?= 30
MINUTES ?= 30
REQUESTS ?= 20000
PROFILE ?= full
ROLL ?= api page
COMPOSE ?= docker compose

LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.10 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links

# Compose with its files: full.env, what the profile changes in it, and what you change in both.
STACK = env CERTIFICATE=$(abspath $(CERTIFICATE)) $(COMPOSE) --project-directory deploy/compose --file deploy/compose/compose.yaml \
	$(if $(CERTIFICATE),--file deploy/compose/compose.tls.yaml) $(addprefix --file ,$(COMPOSE_FILES)) --env-file deploy/compose/full.env \
	$(addprefix --env-file ,$(wildcard deploy/compose/$(filter-out full,$(PROFILE)).env deploy/compose/local.env))
SECRETS ?= deploy/compose/secrets

export BENTOML_DO_NOT_TRACK := True
export ORT_DISABLE_TELEMETRY := 1

.PHONY: help setup setup-dev setup-train models run serve ui test check lint format evaluate robustness bench loadtest soak fuzz attacks bento image \
	image-ui gpu-check up roll down sbom audit train lock clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.10 to 3.13 is needed: make PYTHON=python3.12 ...") if not (3, 10) <= sys.version_info[:2] <= (3, 13) else None'
	@$(PYTHON) -m venv $(VENV)

# Stamps say what is installed; a lock file that changes installs again. The development set holds the base set.
$(VENV)/base.stamp: requirements/base.txt | $(BIN)/python
	@echo "Installing the locked requirements into $(VENV); this takes a minute, once."
	@test -e $(VENV)/dev.stamp || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt | $(BIN)/python
	@echo "Installing the locked requirements for development into $(VENV); this takes a minute, once."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@ $(VENV)/base.stamp

$(VENV)/train.stamp: requirements/train.txt $(VENV)/dev.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

setup: $(VENV)/base.stamp ## install what the service and the page need
setup-dev: $(VENV)/dev.stamp ## install what tests and load tests need besides
setup-train: $(VENV)/train.stamp ## install what training needs besides

models: setup ## check the models and import them into the BentoML model store
	@$(BIN)/python -m models import

run: models ## start the API (:3000) and the page (:8501); Ctrl-C ends both
	@exec $(BIN)/python -m serving

serve: models ## start the API alone
	@exec $(BIN)/bentoml serve service:ImageClassifier

ui: setup ## start the page alone; it asks the API at API_ADDRESS
	@exec $(BIN)/python -m ui --api_address $(API_ADDRESS)

test: setup-dev ## run the whole test suite, PROCESSES files at a time
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest --numprocesses $(PROCESSES) --dist loadscope --no-loadscope-reorder

check: lint ## check style and types, and run the quick unit tests
	$(BIN)/pytest --quiet --numprocesses $(PROCESSES) --dist loadscope -m "not slow" --ignore tests/served --ignore tests/browser \
		--ignore tests/loadtests --ignore tests/training

lint: setup-dev ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup-dev ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

evaluate: setup-train ## send the test images of every model under DATA to the API at API_ADDRESS and measure the answers
	$(BIN)/python -m training.served --data $(DATA) --api_address $(API_ADDRESS)

robustness: setup-train ## measure 2,000 MNIST test digits under DATA with 20 perturbations, and several in an image; writes docs/robustness.md
	$(BIN)/python -m training.robustness --data $(DATA)

bench: setup-dev ## measure the service against other servers; writes docs/benchmarks.md (BENCH='--rounds 1 ...')
	$(BIN)/python -m loadtests.benchmark run $(BENCH)

loadtest: setup-dev ## USERS users for SECONDS_OF_LOAD s against API_ADDRESS; the report goes to build/loadtest
	mkdir -p build/loadtest
	$(BIN)/locust -f loadtests/scenarios/locustfile.py --headless --host $(API_ADDRESS) --users $(USERS) --spawn-rate $(USERS) \
		--run-time $(SECONDS_OF_LOAD)s --html build/loadtest/report.html --csv build/loadtest/report --only-summary

soak: setup-dev ## send good and bad requests for MINUTES at half of the peak rate; writes build/soak/soak.jsonl
	@$(BIN)/python -m loadtests.soak --minutes $(MINUTES)

fuzz: setup-dev ## post REQUESTS valid, malformed and malicious images to a service
	@$(BIN)/python -m loadtests.fuzz --requests $(REQUESTS)

attacks: setup-dev ## attack a service in eleven ways and measure ordinary requests meanwhile (ATTACKS='headers exif')
	@$(BIN)/python -m loadtests.attacks $(ATTACKS)

gpu-check: setup-dev ## compare a GPU with the CPU and measure it; needs requirements/gpu.txt and a GPU
	@$(BIN)/python -m loadtests.gpu_check

bento: models ## build the Bento (BENTOFILE=bentofile.gpu.yaml for CUDA; CATALOGUE=DIR DEFAULT_MODEL=NAME for your models)
	@$(BIN)/python -m deploy.bento $(BENTOFILE)

image: setup-dev bento ## build the image image_classifier of the API; needs Docker
	@$(BIN)/python -m deploy.images api $(if $(findstring gpu,$(BENTOFILE)),--gpu)

image-ui: setup-dev ## build the image image_classifier_ui of the drawing page; needs Docker
	@$(BIN)/python -m deploy.images page

up: ## start API and page in containers behind a proxy, with PostgreSQL and monitoring (PROFILE=minimal: without); needs Docker
	@$(PYTHON) -m deploy.compose.create_secrets $(SECRETS)
	@$(STACK) up --detach --wait --remove-orphans
	@$(STACK) ps --format 'table {{.Service}}\t{{.Status}}\t{{.Ports}}'

roll: ## replace the containers of API and page one at a time, without a failed request: after a change of images or settings
	@$(PYTHON) -m deploy.compose.rolling_update $(ROLL) -- $(STACK)

down: ## stop and remove the containers; the gallery stays
	@$(STACK) --profile '*' down --remove-orphans

sbom: setup-dev ## write the bill of materials of BENTOFILE to build/sbom.json (CycloneDX)
	@$(BIN)/python -m deploy.sbom $(BENTOFILE) build/sbom.json

audit: setup-dev ## look up known vulnerabilities of the locked packages; needs a network
	@$(BIN)/python -m deploy.audit

train: setup-train ## train MODEL (digits, letters, category, fashion) on the files under DATA
	$(BIN)/python -m training $(MODEL) --data $(DATA)

lock: setup-dev ## write requirements/*.txt from pyproject.toml
	$(LOCK) --group dev -o requirements/dev.txt pyproject.toml
	$(LOCK) --group base -c requirements/dev.txt -o requirements/base.txt pyproject.toml
	$(LOCK) --group bento -c requirements/dev.txt -o requirements/bento.txt pyproject.toml
	$(LOCK) --group ui -c requirements/dev.txt -o requirements/ui.txt pyproject.toml
	$(LOCK) --group gpu -c requirements/dev.txt -o requirements/gpu.txt pyproject.toml

clean: ## remove what was built and installed
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis
