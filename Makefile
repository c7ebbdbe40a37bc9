# The one interface to this project: people and the pipeline use the same targets.
SHELL := /bin/bash
.SHELLFLAGS := -eo pipefail -c
PYTHON ?= python3
BIN := .venv/bin
KAFKA_LIBS := deploy/kafka/libs

.DEFAULT_GOAL := help
.PHONY: help setup demo test check browser browser-all pictures unit integration postgres faults clean

help: ## What each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 14

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The files name every package that is needed: asking pip to resolve as well would let a newer release of one break the install.
PIP_PINNED := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --require-hashes --no-deps
# An installation takes minutes: a line for every ten packages that came.
COUNTED = | { count=0; while read -r word _; do case "$$word" in Collecting|Requirement) count=$$((count + 1)); \
	[ $$((count % 10)) != 0 ] || echo "  $$count of $$(cat $(1) | grep -c ==) packages" >&2;; esac; done; }

PROJECTS := pyproject.toml services/signal_exchange_demo/pyproject.toml

.venv/run.stamp: requirements/run.txt requirements/build.txt $(PROJECTS)
	@echo "Installing pinned requirements into .venv ..." >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP_PINNED) -r requirements/run.txt -r requirements/build.txt $(call COUNTED,requirements/run.txt requirements/build.txt)
	@$(PIP) --no-deps --no-build-isolation -e . -e services/signal_exchange_demo
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements/dev.txt
	@echo "Installing the pinned test tools into .venv ..." >&2
	@$(PIP_PINNED) -r requirements/dev.txt $(call COUNTED,requirements/dev.txt)
	@$(BIN)/python -m pip check >/dev/null
	@touch $@

setup: .venv/dev.stamp ## Everything a developer needs, in .venv

# The programs from Debian that demo and tests start, as program:package. Of prometheus only promtool is used: its service is masked
# before the package comes, so that it never starts; and of postgresql no cluster is made, since the tests make their own.
SYSTEM_PROGRAMS := javac:openjdk-17-jdk-headless mvn:maven kcat:kcat promtool:prometheus pg_createcluster:postgresql

# Apart, because it is large, and only the tests of the screens need it.
browser-system: SYSTEM_PROGRAMS := chromium:chromium

.PHONY: system browser-system
system: ## Java, Maven, kcat, promtool and PostgreSQL from Debian, when they are missing
system browser-system:
	@missing=""; \
	for each in $(SYSTEM_PROGRAMS); do command -v "$${each%%:*}" >/dev/null || missing="$$missing $${each##*:}"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if ! command -v apt-get >/dev/null || [ "$$(id -u)" != 0 ]; then \
		echo "These packages are missing:$$missing. Install them, or run \`make system\` as root on Debian." >&2; exit 1; \
	fi; \
	echo "Installing$$missing ..."; \
	case "$$missing" in *prometheus*) mkdir -p /etc/systemd/system; ln -sfn /dev/null /etc/systemd/system/prometheus.service;; esac; \
	case "$$missing" in *postgresql*) test -e /etc/postgresql-common/createcluster.conf || { \
		mkdir -p /etc/postgresql-common; echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf; };; esac; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null

# Fetches the jars that the pom beside a libs folder names; the stamp says that all of them arrived.
define fetch_jars
	@command -v java >/dev/null || { echo "Java is missing: install version 17 or later, or run \`make system\`." >&2; exit 1; }
	@command -v mvn >/dev/null || { echo "Maven is missing, which fetches the jars: install it, or run \`make system\`." >&2; exit 1; }
	@echo "Fetching the jars of $< with Maven ..." >&2
	@rm -rf $(@D)
	@mvn -B -f $< dependency:copy-dependencies -DoutputDirectory=$(abspath $(@D)) -DincludeScope=runtime 2>&1 | { count=0; \
		while read -r line; do case "$$line" in *ERROR*) echo "$$line" >&2;; *Downloaded\ from*) count=$$((count + 1)); \
		[ $$((count % 10)) != 0 ] || echo "  $$count files came" >&2;; esac; done; }
	@touch $@
endef

$(KAFKA_LIBS)/.stamp: deploy/kafka/pom.xml
	$(fetch_jars)

tests/contracts/java/libs/.stamp: tests/contracts/java/pom.xml
	$(fetch_jars)

# The identity provider at which the tests log in; built once, since it makes a program of its parts before it can start.
KEYCLOAK := tests/support/keycloak/dist

$(KEYCLOAK)/.stamp: tests/support/keycloak/pom.xml
	@command -v mvn >/dev/null || { echo "Maven is missing, which fetches Keycloak: install it, or run \`make system\`." >&2; exit 1; }
	@echo "Fetching and building Keycloak, the identity provider of the tests (165 MB, a minute) ..." >&2
	@rm -rf $(@D)
	@mvn -B -q -f $< dependency:unpack-dependencies -DincludeScope=runtime \
		-DoutputDirectory=$(abspath $(@D)) -DmarkersDirectory=$(abspath $(@D))/markers
	@JAVA_OPTS_APPEND="-XX:TieredStopAtLevel=1" sh $(@D)/keycloak-*/bin/kc.sh build --db=dev-mem >/dev/null
	@touch $@

JAVA_TEST_LIBS := tests/contracts/java/libs
PYTEST := $(BIN)/python -m pytest
# Where tests share nothing, one process for each core. Two exchanges run at once, each with a Kafka of its own: while one waits, the
# other works. The tests of a file stay together, and the files that may take longest begin (tests/conftest.py).
ON_EVERY_CORE := -n auto
TWO_EXCHANGES := -n 2 --dist loadfile --no-loadscope-reorder --timeout 300

demo: .venv/run.stamp $(KAFKA_LIBS)/.stamp ## The whole exchange on this machine, until Ctrl-C
	@$(BIN)/signal-exchange demo $(DEMO)

check: .venv/dev.stamp ## Format, lint, types, layers, schemas and documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/signal-exchange schemas check
	$(BIN)/signal-exchange rules lint
	$(PYTEST) -q -n 0 tests/unit/docs/test_named_things.py tests/unit/docs/test_rules_page.py

unit: .venv/dev.stamp ## Tests that need nothing else, with branch coverage of the core
	$(PYTEST) $(ON_EVERY_CORE) tests/unit tests/oracle tests/contracts -m "not broker" --cov --cov-report=
	$(BIN)/coverage report --fail-under=100 --include='*/domain/*,*/contracts/*,*/privacy/*'

export SEED

integration: .venv/dev.stamp system $(KAFKA_LIBS)/.stamp $(JAVA_TEST_LIBS)/.stamp $(KEYCLOAK)/.stamp ## Tests on a real Kafka, PostgreSQL and Keycloak, with Java's Avro and kcat
	$(PYTEST) $(TWO_EXCHANGES) tests/integration tests/contracts -m "broker or postgres or provider"

# Every service that keeps a store: the same tests on SQLite, with all others, and on PostgreSQL.
STORES := tests/unit/people tests/unit/runtime tests/unit/stream \
	$(patsubst services/signal_exchange/%/migrations,tests/unit/%,$(wildcard services/signal_exchange/*/migrations))

postgres: .venv/dev.stamp system ## The suites of every store on a real PostgreSQL, which the tests start themselves
	$(PYTEST) $(ON_EVERY_CORE) --postgres $(STORES) -m "not broker"

# Each test adds a line to FAULTS_REPORT: RESUME=1 leaves out what passed there, TESTS=... runs some of them, SEED=10-17 some seeds.
faults soak: export FAULTS_REPORT ?= var/faults.jsonl
faults soak: export FAULTS_RESUME := $(RESUME)
FAULTS := $(PYTEST) -v -p no:randomly

faults: .venv/dev.stamp system $(KAFKA_LIBS)/.stamp ## Every fault on a real Kafka, a hundred random schedules and a soak (SEED=17: that one only; RESUME=1: the rest)
	$(if $(RESUME)$(SEED)$(TESTS),,@rm -f $(FAULTS_REPORT))
	$(FAULTS) $(or $(TESTS),tests/faults) $(if $(SEED),-k random_faults)

.PHONY: fuzz
fuzz: .venv/dev.stamp ## Hostile records through codec, border and every handler (CASES=1000000 SEED=1; ROUND=170: from there on)
	CASES=$(CASES) ROUND=$(ROUND) PYTHONPATH=tests/support $(BIN)/python tests/support/fuzz.py

.PHONY: soak
soak: .venv/dev.stamp $(KAFKA_LIBS)/.stamp ## Signals at a steady rate and a kill every 30 s (SOAK_MINUTES=20 SOAK_RATE=50)
	$(FAULTS) tests/faults/test_soak.py

IN_BROWSERS := -n 2 --dist loadfile --no-loadscope-reorder

BROWSERS := .venv/dev.stamp system browser-system $(KAFKA_LIBS)/.stamp

browser: $(BROWSERS) ## Tests of the screens in a real browser, which leave pictures in build/screenshots
	$(PYTEST) $(IN_BROWSERS) tests/browser -m "not slow"

browser-all: $(BROWSERS) ## The same and the slow ones
	$(PYTEST) $(IN_BROWSERS) tests/browser

pictures: $(BROWSERS) ## The pictures in the documents for people, made anew from the screens as they are
	$(PYTEST) -n 0 tests/browser/test_journey.py -k mouse
	@mkdir -p docs/images && cp build/screenshots/documents/*.png docs/images/

test: .venv/dev.stamp system browser-system $(KAFKA_LIBS)/.stamp $(JAVA_TEST_LIBS)/.stamp $(KEYCLOAK)/.stamp check ## Everything that the pipeline runs
	$(PYTEST) $(ON_EVERY_CORE) -m "not slow and not broker and not provider and not browser" --cov --cov-report=
	$(PYTEST) $(ON_EVERY_CORE) --postgres $(STORES) -m "not broker" -q --cov --cov-append --cov-report=
	$(PYTEST) $(TWO_EXCHANGES) -m "not slow and not browser and (broker or provider)" --cov --cov-append --cov-report=
	$(PYTEST) $(IN_BROWSERS) tests/browser -m "not slow"
	$(BIN)/coverage report --fail-under=100 --include='*/domain/*,*/contracts/*,*/privacy/*'
	$(BIN)/coverage report --fail-under=99 --include='*/stream/*,*/recovery/*'
	$(BIN)/coverage report --fail-under=80 --skip-covered | tail -40

BENCH := .venv-bench/bin

.venv-bench/bench.stamp: requirements/bench.txt $(PROJECTS)
	@test -x $(BENCH)/python || $(PYTHON) -m venv .venv-bench
	@echo "Installing the peers of the bench into .venv-bench ..."
	@$(BENCH)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/bench.txt
	@$(BENCH)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . -e services/signal_exchange_demo
	@touch $@

# What the command line gives, as in `make bench ROUNDS=1 SIGNALS=200 PARTS=routing OUT=file.json`.
BENCH_ASKED = $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SIGNALS),--signals $(SIGNALS)) $(if $(RECORDS),--records $(RECORDS)) \
	$(if $(LOOKUPS),--lookups $(LOOKUPS)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(PARTS),--parts $(PARTS)) $(if $(OUT),--out $(OUT))

.PHONY: bench
bench: .venv-bench/bench.stamp system $(KAFKA_LIBS)/.stamp ## The figures of benchmarks/README.md (OUT=file.json ROUNDS=3 SIGNALS=3000)
	@PYTHONPATH=tests/support $(BENCH)/python benchmarks/bench.py $(BENCH_ASKED)

OPERATOR_DOCS := settings log-events metrics topics access

UI := services/signal_exchange/web/ui

build/ui/.stamp: $(UI)/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing, which fetches the packages of the screens: install Node 20 or later." >&2; exit 1; }
	@mkdir -p $(@D) && cp $(addprefix $(UI)/,package.json package-lock.json .npmrc) $(@D)
	@cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: ui
ui: build/ui/.stamp ## The stylesheet, icons, font and htmx of the screens, from packages of npm, into web/static
	@node $(UI)/build.mjs build/ui/node_modules
	@cp build/ui/node_modules/axe-core/axe.min.js tests/browser/

.PHONY: docs
docs: .venv/run.stamp ## The operator's documents and the vendor's steps.json, which are generated from the code
	@mkdir -p docs/operator
	@PYTHONPATH=tests/support $(BIN)/python tests/support/written_steps.py
	@for each in $(OPERATOR_DOCS); do $(BIN)/signal-exchange $$each --markdown > docs/operator/$$each.md || exit 1; done

.PHONY: schemas
schemas: .venv/dev.stamp ## Python types of every record, generated from schemas/
	$(BIN)/signal-exchange schemas records
	$(BIN)/ruff format $(addprefix services/signal_exchange/,domain/signals/coded_types.py contracts/records.py stream/views.py)

IMAGE := signal-exchange:0.1.0
, := ,
# Secrets of a build stay in no layer. They need BuildKit, and the Dockerfile does not: so they come in here, and only when asked for.
SECRETS := --mount=type=secret,id=pip,target=/run/secrets/pip.conf --mount=type=secret,id=pip-ca,target=/run/secrets/pip-ca.pem
BUILT_BEHIND := sed 's|^RUN /opt/build/bin/pip install|RUN $(SECRETS) /opt/build/bin/pip install|' deploy/Dockerfile \
	| docker build --secret id=pip,src=$(PIP_CONF) $(if $(PIP_CA),--secret id=pip-ca$(,)src=$(PIP_CA)) --tag $(IMAGE) --file - .

.PHONY: image
image: ## The image of every service; behind an index of your own with PIP_CONF=pip.conf and PIP_CA=ca.pem (cert = /run/secrets/pip-ca.pem)
	$(if $(PIP_CONF),@$(BUILT_BEHIND),@docker build --tag $(IMAGE) --file deploy/Dockerfile .)

.PHONY: compose-check
compose-check: ## What docker-compose.yml promises, in real containers: needs Docker with Compose and nothing else (ten minutes)
	@PYTHONPATH=services $(PYTHON) deploy/compose_check

.PHONY: migration
migration: .venv/dev.stamp ## Write the migration of every store whose tables changed
	@PYTHONPATH=tests/support $(BIN)/python tests/support/making_migrations.py

clean: ## Remove what was installed and made here
	rm -rf .venv .venv-bench var build dist $(KAFKA_LIBS) $(JAVA_TEST_LIBS) $(KEYCLOAK)
