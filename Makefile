# Everything here needs Go, git and make; what needs more says so.
BIN      := bin/velostream
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
GOBIN    := $(shell go env GOPATH)/bin
LINT     := $(GOBIN)/golangci-lint
LINT_VERSION := v2.15.0

# Packages whose code runs in several goroutines: what `make race` is about.
RACE     := ./cmd/... ./pgwire/... ./engine/session/... ./engine/job/... ./engine/dataflow/... ./engine/source/... \
            ./engine/sink/... ./engine/subscribe/... ./engine/connector/... ./storage/...

.DEFAULT_GOAL := help
.PHONY: help build demo run test race bench bench-compare fuzz lint fmt check test-kafka test-kafka-here test-recovery test-postgres test-oracle test-oracle-here test-clients clean

help: ## Print this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-14s %s\n", $$1, $$2 }'

build: ## Build bin/velostream
	go build -ldflags "-X main.version=$(VERSION)" -o $(BIN) ./cmd/velostream

demo: build ## Live view over a stream of trades; DURATION=10s ends by itself
	@./$(BIN) demo

run: build ## Server on 127.0.0.1:5433 with a development broker on 127.0.0.1:9092; data in .data/
	./$(BIN) serve --data-dir .data --dev-kafka 127.0.0.1:9092

test: ## All tests
	go test -timeout 8m ./...

race: ## Tests of the concurrent packages under the race detector
	go test -race -short -timeout 15m $(RACE)

bench: ## Speed beside hand-written loops and PostgreSQL: a table, and JSON in bench/out/; ARGS=-quick takes 90 s
	go run ./bench $(ARGS)

BASE ?= bench/baseline.json
bench-compare: ## Ratios of the last `make bench` beside those of BASE; fails when one fell
	go run ./bench -compare $(BASE)

FUZZTIME ?= 10s
fuzz: ## Each fuzz target for FUZZTIME
	@for pkg in $$(go list ./...); do \
	  for f in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$f"; go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
	  done; done

lint: $(LINT) ## golangci-lint and go vet
	$(LINT) run ./...
	$(LINT) fmt --diff ./...

$(LINT):
	go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)

fmt: $(LINT) ## Format all Go files
	$(LINT) fmt ./...

check: lint test race ## What must pass before a change lands
	DURATION=10s $(MAKE) --no-print-directory demo

test-kafka: ## The Kafka tests on a real Apache Kafka (needs Java and Maven; downloads once into .cache/)
	test/kafka/kafka.sh run $(MAKE) --no-print-directory test-kafka-here

# On the broker that VELOSTREAM_TEST_KAFKA names.
test-kafka-here:
	go test -count=1 -p 1 -timeout 10m ./engine/connector/kafka/... ./engine/source/...
	go test -count=1 -timeout 10m -run Kafka ./engine/enginetest/...
	VELOSTREAM_TEST_KILLS=$(or $(KILLS),15) go test -count=1 -timeout 20m -run 'TestKill$$|TestBroker' ./engine/recovery

KILLS ?=
test-recovery: ## Kill the server under load; KILLS=500 times (50 without), against the ledgers of its clients
	VELOSTREAM_TEST_KILLS=$(or $(KILLS),50) go test -count=1 -timeout 60m -v ./engine/recovery

test-postgres: ## The tests that compare with PostgreSQL (needs postgres, initdb and psql on the PATH)
	@command -v initdb >/dev/null || { echo "no PostgreSQL on the PATH: install it, or add its bin directory"; exit 1; }
	POSTGRES_REQUIRED=1 go test -count=1 -timeout 10m ./catalog/... ./engine/sql/... ./engine/enginetest/...
	$(MAKE) --no-print-directory test-oracle

test-oracle: ## Made-up expressions and broken statements beside a PostgreSQL it starts (in 20 s); SEED=7 makes up others
	test/postgres/run.sh $(MAKE) --no-print-directory test-oracle-here

# On the PostgreSQL that VELOSTREAM_TEST_POSTGRES names.
SEED ?= 3
test-oracle-here:
	go test -count=1 -timeout 10m ./engine/sql/expr -run Oracle -postgres "$$VELOSTREAM_TEST_POSTGRES" -seed $(SEED)
	go test -count=1 -timeout 10m ./engine/sql/parser -run 'Precedence|Mutations' -postgres "$$VELOSTREAM_TEST_POSTGRES" -seed $(SEED)

test-clients: build ## Drivers, ORMs and migration tools of Go, Node.js, Python, Java and C against the server; CLIENTS_TARGET=postgres://… against another
	test/clients/run.sh $(CLIENTS)

clean: ## Delete what was built, and the data of `make run`
	rm -rf bin .data
