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

# The option --$1 with the value of the variable $2, if that is set.
option = $(if $($2),--$1 '$($2)')

export BENTOML_DO_NOT_TRACK := True
export ORT_DISABLE_TELEMETRY := 1
# Otherwise each of the hundreds of processes that the tests start would compile the project anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup setup-dev setup-train setup-bulk setup-peers models run serve ui test check lint format evaluate robustness drift bench loadtest \
	loadtest-compare soak fuzz attacks bento image image-ui gpu-check up roll down sbom audit train lock clean

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

# The versions are those of the base set, so that pip installs only what is missing: Ray.
$(VENV)/bulk.stamp: requirements/bulk.txt $(VENV)/base.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

# The versions are those of the development and bulk sets, so that pip installs only what is missing.
$(VENV)/peers.stamp: requirements/peers.txt $(VENV)/dev.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

setup: $(VENV)/base.stamp ## install what the service and the page need
setup-dev: $(VENV)/dev.stamp ## install what tests and load tests need besides
setup-train: $(VENV)/train.stamp ## install what training needs besides
setup-bulk: $(VENV)/bulk.stamp ## install what deploy.bulk needs besides: Ray, 200 MB
setup-peers: $(VENV)/peers.stamp ## install more servers for make bench to compare with: LitServe and Ray Serve, 300 MB

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

evaluate: setup-train ## send the test images of every model under DATA to the API at API_ADDRESS, and measure numbers and text here
	$(BIN)/python -m training.served --data $(DATA) --api_address $(API_ADDRESS)
	$(BIN)/python -m training.sequences --data $(DATA)

robustness: setup-train ## measure 2,000 MNIST test digits under DATA with 20 perturbations, and several in an image; writes docs/robustness.md
	$(BIN)/python -m training.robustness --data $(DATA)

drift: setup-train ## simulate how soon changes of pictures and models under DATA are noticed, and false alarms (docs/drift.md)
	$(BIN)/python -m training.drift --data $(DATA)

bench: setup-dev ## measure the service against other servers, in 25 minutes; writes docs/benchmarks.md (BENCH='--rounds 1 ...')
	$(BIN)/python -m loadtests.benchmark run $(BENCH)

loadtest: setup-dev ## find the peak of the service, or of the one at API_ADDRESS; SCENARIO=server RATE=200 runs one scenario
	@$(BIN)/python -m loadtests.peak --models $(MODEL) $(if $(filter-out file,$(origin API_ADDRESS)),--address $(API_ADDRESS)) \
		$(call option,scenario,SCENARIO) $(call option,rate,RATE) $(call option,users,USERS) $(call option,batch,BATCH) \
		$(call option,slo-ms,SLO_MS) $(call option,mix,MIX) $(call option,forms,FORMS) $(call option,pictures,PICTURES) \
		$(call option,duration,DURATION) $(call option,seed,SEED) $(call option,topology,TOPOLOGY) $(call option,workers,WORKERS)

# Files that are named after loadtest-compare are its arguments and not goals: make loadtest-compare A.json B.json.
ifeq ($(firstword $(MAKECMDGOALS)),loadtest-compare)
REPORTS := $(wordlist 2,$(words $(MAKECMDGOALS)),$(MAKECMDGOALS))
.PHONY: $(REPORTS)
$(REPORTS):
	@:
endif

loadtest-compare: setup-dev ## compare two load reports, A.json and B.json; writes build/loadtest/compare.html
	@$(BIN)/python -m loadtests.peak.compare $(or $(REPORTS),$(A) $(B)) --html build/loadtest/compare.html

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
	$(LOCK) --group bulk -c requirements/dev.txt -o requirements/bulk.txt pyproject.toml
	$(LOCK) --group peers -c requirements/dev.txt -c requirements/bulk.txt -o requirements/peers.txt pyproject.toml
	$(LOCK) --group gpu -c requirements/dev.txt -o requirements/gpu.txt pyproject.toml

clean: ## remove what was built and installed
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis
