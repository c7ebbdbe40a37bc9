# The one interface to this project: people and the pipeline use the same targets.
SHELL := /bin/bash
.SHELLFLAGS := -eo pipefail -c
PYTHON ?= python3
BIN := .venv/bin
KAFKA_LIBS := deploy/kafka/libs

.DEFAULT_GOAL := help
.PHONY: help setup demo test check unit integration postgres faults clean

help: ## What each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 14

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The files name every package that is needed: asking pip to resolve as well would let a newer release of one break the install.
PIP_PINNED := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --require-hashes --no-deps
# An installation takes minutes: a line for every ten packages that came.
COUNTED = | { count=0; while read -r word _; do case "$$word" in Collecting|Requirement) count=$$((count + 1)); \
	[ $$((count % 10)) != 0 ] || echo "  $$count of $$(cat $(1) | grep -c ==) packages";; esac; done; }

.venv/run.stamp: requirements/run.txt requirements/build.txt pyproject.toml
	@echo "Installing pinned requirements into .venv ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP_PINNED) -r requirements/run.txt -r requirements/build.txt $(call COUNTED,requirements/run.txt requirements/build.txt)
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements/dev.txt
	@echo "Installing the pinned test tools into .venv ..."
	@$(PIP_PINNED) -r requirements/dev.txt $(call COUNTED,requirements/dev.txt)
	@$(BIN)/python -m pip check >/dev/null
	@touch $@

setup: .venv/dev.stamp ## Everything a developer needs, in .venv

# The programs from Debian that demo and tests start, as program:package. Of prometheus only promtool is used: its service is masked
# before the package comes, so that it never starts; and of postgresql no cluster is made, since the tests make their own.
SYSTEM_PROGRAMS := javac:openjdk-17-jdk-headless mvn:maven kcat:kcat promtool:prometheus pg_createcluster:postgresql

.PHONY: system
system: ## Java, Maven, kcat, promtool and PostgreSQL from Debian, when they are missing
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
	@echo "Fetching the jars of $< with Maven ..."
	@rm -rf $(@D)
	@mvn -B -f $< dependency:copy-dependencies -DoutputDirectory=$(abspath $(@D)) -DincludeScope=runtime 2>&1 | { count=0; \
		while read -r line; do case "$$line" in *ERROR*) echo "$$line" >&2;; *Downloaded\ from*) count=$$((count + 1)); \
		[ $$((count % 10)) != 0 ] || echo "  $$count files came";; esac; done; }
	@touch $@
endef

$(KAFKA_LIBS)/.stamp: deploy/kafka/pom.xml
	$(fetch_jars)

tests/contracts/java/libs/.stamp: tests/contracts/java/pom.xml
	$(fetch_jars)

JAVA_TEST_LIBS := tests/contracts/java/libs
PYTEST := $(BIN)/python -m pytest
# Where tests share nothing, one process for each core. Two exchanges run at once, each with a Kafka of its own: while one waits, the
# other works. The tests of a file stay together, and the files that may take longest begin (tests/conftest.py).
ON_EVERY_CORE := -n auto
TWO_EXCHANGES := -n 2 --dist loadfile --no-loadscope-reorder --timeout 300

demo: .venv/run.stamp $(KAFKA_LIBS)/.stamp ## The whole exchange on this machine, until Ctrl-C
	@$(BIN)/signal-exchange demo $(DEMO)

check: .venv/dev.stamp ## Format, lint, types, layers and schemas
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/signal-exchange schemas check
	$(BIN)/signal-exchange rules lint

unit: .venv/dev.stamp ## Tests that need nothing else, with branch coverage of the core
	$(PYTEST) $(ON_EVERY_CORE) tests/unit tests/oracle tests/contracts -m "not broker" --cov=signal_exchange --cov-report=
	$(BIN)/coverage report --fail-under=100 --include='*/domain/*,*/contracts/*,*/privacy/*'

export SEED

integration: .venv/dev.stamp system $(KAFKA_LIBS)/.stamp $(JAVA_TEST_LIBS)/.stamp ## Tests on a real Kafka and a real PostgreSQL, with Java's Avro and kcat
	$(PYTEST) $(TWO_EXCHANGES) tests/integration tests/contracts -m "broker or postgres"

# Every service that keeps a store: the same tests on SQLite, with all others, and on PostgreSQL.
STORES := $(addprefix tests/unit/,runtime routing worklist agenda statistics feedback linking oversight municipality pseudonyms stream)

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
	CASES=$(CASES) ROUND=$(ROUND) PYTHONPATH=tests $(BIN)/python tests/fuzz.py

.PHONY: soak
soak: .venv/dev.stamp $(KAFKA_LIBS)/.stamp ## Signals at a steady rate and a kill every 30 s (SOAK_MINUTES=20 SOAK_RATE=50)
	$(FAULTS) tests/faults/test_soak.py

test: .venv/dev.stamp system $(KAFKA_LIBS)/.stamp $(JAVA_TEST_LIBS)/.stamp check ## Everything that the pipeline runs
	$(PYTEST) $(ON_EVERY_CORE) -m "not slow and not broker" --cov=signal_exchange --cov-report=
	$(PYTEST) $(ON_EVERY_CORE) --postgres $(STORES) -m "not broker" -q --cov=signal_exchange --cov-append --cov-report=
	$(PYTEST) $(TWO_EXCHANGES) -m "not slow and broker" --cov=signal_exchange --cov-append --cov-report=
	$(BIN)/coverage report --fail-under=100 --include='*/domain/*,*/contracts/*,*/privacy/*'
	$(BIN)/coverage report --fail-under=99 --include='*/stream/*'
	$(BIN)/coverage report --fail-under=80 --skip-covered | tail -40

BENCH := .venv-bench/bin

.venv-bench/bench.stamp: requirements/bench.txt pyproject.toml
	@test -x $(BENCH)/python || $(PYTHON) -m venv .venv-bench
	@echo "Installing the peers of the bench into .venv-bench ..."
	@$(BENCH)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/bench.txt
	@$(BENCH)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# What the command line gives, as in `make bench ROUNDS=1 SIGNALS=200 PARTS=routing OUT=file.json`.
BENCH_ASKED = $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SIGNALS),--signals $(SIGNALS)) $(if $(RECORDS),--records $(RECORDS)) \
	$(if $(LOOKUPS),--lookups $(LOOKUPS)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(PARTS),--parts $(PARTS)) $(if $(OUT),--out $(OUT))

.PHONY: bench
bench: .venv-bench/bench.stamp system $(KAFKA_LIBS)/.stamp ## The figures of benchmarks/README.md (OUT=file.json ROUNDS=3 SIGNALS=3000)
	@PYTHONPATH=tests $(BENCH)/python benchmarks/bench.py $(BENCH_ASKED)

OPERATOR_DOCS := settings log-events metrics topics

.PHONY: docs
docs: .venv/run.stamp ## The operator's documents and the vendor's steps.json, which are generated from the code
	@mkdir -p docs/operator
	@PYTHONPATH=tests $(BIN)/python tests/written_steps.py
	@for each in $(OPERATOR_DOCS); do $(BIN)/signal-exchange $$each --markdown > docs/operator/$$each.md || exit 1; done

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
	@$(PYTHON) deploy/compose_check

.PHONY: migration
migration: .venv/dev.stamp ## Write the migration of every store whose tables changed
	@PYTHONPATH=tests $(BIN)/python tests/making_migrations.py

clean: ## Remove what was installed and made here
	rm -rf .venv .venv-bench var build dist $(KAFKA_LIBS) $(JAVA_TEST_LIBS)
