# Everything that is done to this project is a target here; `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
unexport PYTHONDONTWRITEBYTECODE  # or each of the demo's commands compiles the whole program anew

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP_FLAGS := --quiet --disable-pip-version-check --no-deps --require-hashes
LOCK := $(CURDIR)/$(BIN)/uv pip compile --quiet --override overrides.txt --universal --python-version 3.11 \
	--no-header --generate-hashes --no-emit-index-url
WITHOUT := torch triton cuda-bindings cuda-pathfinder cuda-toolkit \
	nvidia-cublas nvidia-cuda-cccl nvidia-cuda-nvrtc nvidia-cudnn-cu13 nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvshmem-cu13
AUDIT := .venv-audit
AUDIT_FLAGS := --disable-pip --require-hashes --progress-spinner off -r requirements/app.txt
DATA ?= ../shared/data
PERSONS ?= 6000
PEOPLE ?= 1000
TEST_WORKERS ?= 2
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder
COMPILING := linkage_hub/analytics/test_looking_into_runs.py::test_a_run_says_what_other_thresholds_would_have_found \
	linkage_hub/refinement/test_refined_run.py::test_a_run_calibrates_decides_and_finishes \
	linkage_hub/refinement/test_selection.py linkage_hub/families/test_over_time.py \
	linkage_hub/linkage/similarity/test_views.py::test_tile_equals_plain_passes \
	partner_agent/encoding/test_hardened.py::test_the_file_stays_the_same_in_any_cut \
	partner_agent/refinement/test_answers.py::test_equal_rows_match
INTEROP ?= /tmp/hearthlink-interop
KILLS ?= 1000
LEAVES ?= 1000000
SEED ?= 1
STEPS ?= 1000000
SIZES ?= 100000 300000 1000000
MODES ?= exact fast

.PHONY: help
help: ## list what can be done
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | sort | expand -t 20

# --- installation -----------------------------------------------------------------------------

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/app.stamp: requirements/app.txt pyproject.toml | $(BIN)/python
	$(BIN)/pip install $(PIP_FLAGS) -r requirements/app.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/app.stamp
	$(BIN)/pip install $(PIP_FLAGS) -r requirements/dev.txt
	touch $@

$(VENV)/bench.stamp: requirements/bench.txt $(VENV)/dev.stamp
	$(BIN)/pip install $(PIP_FLAGS) -r requirements/bench.txt
	touch $@

$(VENV)/dp.stamp: requirements/dp.txt requirements/torch-cpu.txt $(VENV)/dev.stamp
	$(BIN)/pip install $(PIP_FLAGS) $(if $(TORCH),--find-links $(TORCH)) -r requirements/torch-cpu.txt -r requirements/dp.txt
	touch $@

.PHONY: install
install: $(VENV)/app.stamp ## install the three programs into .venv
	@echo "programs: $(BIN)/partner-agent  $(BIN)/linkage-hub  $(BIN)/governance"

.PHONY: dp
dp: $(VENV)/dp.stamp ## add torch (CPU), opacus, dp-accounting, opendp: TORCH=page or folder of torch 2.13.0+cpu (docs/risk.md)

.PHONY: services
services: ## find PostgreSQL and Chromium for the tests, or install them (Debian, as root)
	@bash scripts/services.sh

# --- the main job -----------------------------------------------------------------------------

.PHONY: demo
demo: $(VENV)/dev.stamp ## run the main job on a synthetic county: PERSONS=6000, KEEP=folder to keep it
	$(BIN)/python -m examples.county.demo --persons $(PERSONS) $(if $(KEEP),--keep $(KEEP))

.PHONY: demo-risk
demo-risk: $(VENV)/dp.stamp ## two runs of a county, then a private model paid for in its ledger (docs/risk.md): KEEP=folder
	$(BIN)/python -m examples.county.demo.risk --keep $(or $(KEEP),county-risk)

.PHONY: cycle
cycle: $(VENV)/dev.stamp ## the programme's months on the county, with a report of each: MONTHS=2, PERSONS; KEEP=folder, and again for the next month
	$(BIN)/python -m examples.county.cycle --persons $(PERSONS) $(if $(MONTHS),--months $(MONTHS)) $(if $(KEEP),--keep $(KEEP))

.PHONY: serve
serve: $(VENV)/dev.stamp ## bring a kept county up again, with pages in the browser: KEEP=folder
	$(BIN)/python -m examples.county.demo.again serve $(KEEP)

# --- checks -----------------------------------------------------------------------------------

.PHONY: test
test: ## everything that CI runs, after make dp
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target types lint kernels imports packages services
	$(MAKE) --no-print-directory tests

.PHONY: lint
lint: $(VENV)/dev.stamp ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: $(VENV)/dev.stamp ## mypy, strict
	$(BIN)/mypy

.PHONY: imports
imports: $(VENV)/dev.stamp ## who may import whom
	$(BIN)/lint-imports --no-cache

.PHONY: packages
packages: $(VENV)/dev.stamp ## what pip check may report, and that every package imports
	$(BIN)/python scripts/check_packages.py

.PHONY: kernels
kernels: $(VENV)/dev.stamp ## let numba compile while mypy has the other core: tests find it done, and not twice at once
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 0 -p no:cacheprovider $(addprefix tests/,$(COMPILING))

.PHONY: tests
tests: $(VENV)/dev.stamp services ## every test in one session, the longest first
	$(PYTEST) --junitxml=build/tests.xml

.PHONY: test-dp
test-dp: $(VENV)/dp.stamp ## tests of risk and time to progress, with those that make test skips without make dp
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 0 tests/linkage_hub/analytics/risk tests/linkage_hub/analytics/engagement

.PHONY: unit
unit: $(VENV)/dev.stamp services ## unit and documentation tests
	$(PYTEST) --ignore=tests/scenarios

.PHONY: scenarios
scenarios: $(VENV)/dev.stamp services ## whole stories with real processes
	$(PYTEST) tests/scenarios

.PHONY: explore
explore: $(VENV)/dev.stamp services ## unit tests whose properties draw other examples than CI's
	$(PYTEST) --hypothesis-profile=exploring --ignore=tests/scenarios

.PHONY: invariants
invariants: $(VENV)/dev.stamp services ## what is promised, what tried to break it, how often
	$(BIN)/python -m pytest -q --invariants --junitxml=build/invariants.xml

.PHONY: soak
soak: $(VENV)/dev.stamp ## STEPS=1000000 of consents, requests and forged orders from SEED=1 (hours)
	workers=(); for worker in $$(seq $(TEST_WORKERS)); do \
		HEARTHLINK_SOAK_STEPS=$$(($(STEPS) / $(TEST_WORKERS))) $(BIN)/python -m pytest -q -p no:cacheprovider \
			--hypothesis-seed=$$(($(SEED) * 1000 + worker)) tests/governance/release/test_machine.py & \
		workers+=($$!); done; \
	for worker in "$${workers[@]}"; do wait $$worker; done

.PHONY: crash
crash: $(VENV)/dev.stamp ## kill -9 ledger, hub, agents and commands at KILLS=1000 random instants of SEED=1
	HEARTHLINK_CRASH_KILLS=$(KILLS) HEARTHLINK_CRASH_SEED=$(SEED) \
		$(BIN)/python -m pytest -q tests/scenarios/test_crash.py

.PHONY: interop
interop: $(VENV)/dev.stamp ## another C2SP implementation verifies our checkpoints and proofs, and witnesses
	HEARTHLINK_INTEROP=$(INTEROP) $(BIN)/python scripts/interop.py

.PHONY: mutants
mutants: $(VENV)/dev.stamp ## change every line that guards a release, see that a test fails (docs/mutants.md)
	$(BIN)/mutmut run --max-children $(TEST_WORKERS)
	$(BIN)/mutmut results
	$(BIN)/python scripts/rule_mutants.py

.PHONY: format
format: $(VENV)/dev.stamp ## rewrite the code in the project's format
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

# --- benchmarks -------------------------------------------------------------------------------

.PHONY: bench-encoding
bench-encoding: $(VENV)/dev.stamp ## records a second beside clkhash
	$(BIN)/python -m benchmarks.encoding

.PHONY: bench-long-file
bench-long-file: $(VENV)/dev.stamp ## memory and rate of the encoder over ROWS=10000000 rows
	$(BIN)/python -m benchmarks.long_file $(if $(ROWS),--rows $(ROWS))

.PHONY: bench-hardening
bench-hardening: $(VENV)/dev.stamp ## hardened profile beside clk, and quality against attack: DATA=folder
	$(BIN)/python -m benchmarks.hardening --data $(DATA)
	$(BIN)/python -m benchmarks.hardening.choice --data $(DATA)/essnet_uk_dev --data $(DATA)/pseudopeople_dev

.PHONY: bench-attack
bench-attack: $(VENV)/dev.stamp ## how many people graph matching names: PEOPLE=1000
	$(BIN)/python -m benchmarks.attack --people $(PEOPLE)

.PHONY: bench-speed
bench-speed: $(VENV)/bench.stamp ## the similarity join beside its peers: SIZES="20000 100000"
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.speed $(if $(SIZES),--sizes $(SIZES)) --json bench-speed.json

.PHONY: bench-quality
bench-quality: $(VENV)/bench.stamp ## linkage quality beside its peers: DATA=folder
	for folder in essnet_uk_dev pseudopeople_dev anonlink_5party febrl4 febrl_dedupe foreigners_pl; do \
		$(BIN)/python -m benchmarks.quality --data $(DATA)/$$folder; done

.PHONY: bench-scale
bench-scale: $(VENV)/bench.stamp ## the whole job beside Splink: SIZES="100000 300000 1000000" MODES="exact fast"
	$(BIN)/python -m benchmarks.scale $(addprefix --records ,$(SIZES)) $(addprefix --mode ,$(MODES))

.PHONY: bench-estimates
bench-estimates: $(VENV)/dev.stamp ## how often intervals of the quality table hold the truth
	$(BIN)/python -m benchmarks.estimates

.PHONY: bench-solving
bench-solving: $(VENV)/dev.stamp ## candidate pairs to persons, beside anonlink's solvers
	$(BIN)/python -m benchmarks.solving

.PHONY: bench-ledger
bench-ledger: $(VENV)/dev.stamp services ## the ledger at LEAVES=1000000 on both databases, beside pymerkle (docs/ledger.md)
	$(BIN)/python -m benchmarks.ledger --leaves $(LEAVES) --json bench-ledger.json

.PHONY: bench-oversight
bench-oversight: $(VENV)/dev.stamp ## what a lead's pages cost over LEAVES=1000000, and their indexes (docs/ledger.md)
	$(BIN)/python -m benchmarks.oversight --leaves $(LEAVES)

.PHONY: bench-pages
bench-pages: $(VENV)/dev.stamp ## how long 50 people wait for pages while the hub links: KEEP=folder of make demo
	$(BIN)/python -m benchmarks.pages $(KEEP)

.PHONY: bench-consents
bench-consents: $(VENV)/dev.stamp ## an import of consents into a real ledger: ROWS=10000
	$(BIN)/python -m benchmarks.consents $(if $(ROWS),--rows $(ROWS))

.PHONY: bench-data
bench-data: ## make the public evaluation data anew in bench-data/
	$(PYTHON) scripts/bench_data.py

.PHONY: bench-outcomes
bench-outcomes: $(VENV)/dp.stamp ## time to progress and associations beside a known truth (docs/outcomes.md): FAMILIES="2600 10000"
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.outcomes $(addprefix --families ,$(FAMILIES)) --json bench-outcomes.json

.PHONY: bench-risk
bench-risk: $(VENV)/dp.stamp ## rule, logistic regression, trees and private models (docs/risk.md): FAMILIES="2600 10000 100000"
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.risk $(addprefix --families ,$(FAMILIES)) --json bench-risk.json

.PHONY: bench-risk-linked
bench-risk-linked: $(VENV)/dp.stamp ## the same on families that were linked, beside true ones (docs/risk.md): PERSONS=6000
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.risk.linked --persons $(PERSONS) --json bench-risk-linked.json

# --- upkeep -----------------------------------------------------------------------------------

.PHONY: lock
lock: $(BIN)/python ## compile requirements/*.in
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	cd requirements && for set in app dev bench audit; do $(LOCK) $$set.in -o $$set.txt; done; \
		$(LOCK) --override overrides-dp.txt $(addprefix --no-emit-package ,$(WITHOUT)) dp.in -o dp.txt

$(AUDIT)/stamp: requirements/audit.txt
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/pip install $(PIP_FLAGS) -r requirements/audit.txt
	touch $@

.PHONY: audit
audit: $(AUDIT)/stamp ## known faults in what the programs and pages are made of, and build/sbom.json: needs the internet
	mkdir -p build
	$(AUDIT)/bin/pip-audit $(AUDIT_FLAGS) --format cyclonedx-json --output build/sbom.json || true  # the next line judges
	$(AUDIT)/bin/pip-audit $(AUDIT_FLAGS) --strict
	cd assets && npm audit --package-lock-only

.PHONY: openapi
openapi: $(VENV)/dev.stamp ## write the OpenAPI documents of hub and ledger
	$(BIN)/python -m scripts.openapi

.PHONY: contracts
contracts: $(VENV)/dev.stamp ## schemathesis asks hub and ledger EXAMPLES=200 times a route
	HEARTHLINK_CONTRACT_EXAMPLES=$(or $(EXAMPLES),200) $(BIN)/python -m pytest -n 0 --timeout 3600 tests/test_contracts.py

.PHONY: assets
assets: ## build style sheets and scripts of the pages from assets/ (Node.js 20)
	cd assets && npm ci --ignore-scripts --no-audit --no-fund && node build.mjs

.PHONY: clean
clean: ## remove what was made, the environment included
	rm -rf $(VENV) $(AUDIT) assets/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis county county-risk bench-data bench-speed.json bench-ledger.json bench-risk.json bench-risk-linked.json bench-outcomes.json mutants
