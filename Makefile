# kontur-ari: every command a developer needs. `make` alone lists them.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
UNIT        := $(shell go list ./... 2>/dev/null | grep -v /e2e)
FUZZTIME    ?= 20s
SERVERFUZZTIME ?= 30s
E2E         := $(shell go list ./e2e/... 2>/dev/null | grep -v /e2e/faults)
REPEAT      ?= 20
# How many cases test-long draws for each property.
LONGCHECKS  ?= 3000
# How many tests of calls run at a time, each on an Asterisk of its own. They wait
# more than they compute.
LABS        ?= 4
# How many daemons the fault suite breaks at a time.
OFFICES     ?= 6
# Some distributions keep Go from fetching the version that go.mod asks for.
export GOTOOLCHAIN ?= auto

.DEFAULT_GOAL := help
.PHONY: help build test test-long lint unit e2e e2e-repeat faults faults-short demo bench bench-page fuzz fuzz-server tools lab clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/kontur-ari
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/kontur-ari ./cmd/kontur-ari

test: tools lint unit fuzz-server e2e faults-short ## everything: lint, unit and property tests with the race detector, the endpoint's fuzz test, calls on a real Asterisk, a short fault suite

# golangci-lint only where it is installed: building it takes longer than all other lints.
lint: ## gofmt, go vet, staticcheck, go.mod tidy; golangci-lint where it is installed
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not gofmt-clean:"; echo "$$unformatted"; exit 1; fi
	go mod tidy -diff
	go vet ./...
	go tool staticcheck ./...
	@if command -v golangci-lint >/dev/null; then set -x; golangci-lint run ./...; \
		else echo "lint: golangci-lint is not installed and LEFT OUT; CONTRIBUTING.md says how to install it"; fi

unit: ## unit and property tests with the race detector
	go test -race -shuffle=on $(UNIT)

test-long: ## the unit and property tests with LONGCHECKS (3000) cases a property and large counts, without the race detector
	KONTUR_ARI_LONG_TESTS=on RAPID_CHECKS=$(LONGCHECKS) go test -timeout=2h -shuffle=on $(UNIT)

# One package at a time: phones have seconds to answer in.
e2e: tools lab ## calls on a real Asterisk, with real SIP phones (needs root)
	@if [ "$${KONTUR_ARI_E2E:-on}" = off ]; then echo "e2e: LEFT OUT, KONTUR_ARI_E2E=off"; else \
		set -x; go test -race -count=1 -p 1 -parallel $(LABS) -timeout=20m $(E2E); fi

e2e-repeat: tools lab ## the calls REPEAT (20) times in a row: none may ever fail (needs root)
	go test -v -race -count=$(REPEAT) -failfast -parallel $(LABS) -timeout=4h ./e2e \
		| grep --line-buffered -vE '^(=== | +--- PASS)'

faults: ## the fault suite: the daemon killed, without power, disk or CRM, 1300 times (a quarter of an hour); writes docs/faults.md (needs root)
	go test -count=1 -parallel $(OFFICES) -timeout=90m ./e2e/faults -args -full -page ../../docs/faults.md
	@sed -n '/^| fault/,/end of what/{/end of what/!p}' docs/faults.md

faults-short: tools ## the same in about a minute, each fault a few times (needs root)
	go test -race -count=1 -parallel $(OFFICES) -timeout=10m ./e2e/faults

demo: tools lab ## four real SIP calls, one ordered by the CRM, and what it received (needs root)
	go run ./e2e/demo

bench: ## figures beside what the machine can do, then the benchmarks of the code
	go run ./bench
	go test -run='^$$' -bench=. -benchmem ./...

bench-page: ## the same figures, written into docs/benchmarks.md
	go run ./bench -page docs/benchmarks.md

fuzz: ## every fuzz test for FUZZTIME (20s)
	@for package in $(UNIT); do \
		for test in $$(go test -list '^Fuzz' "$$package" | grep '^Fuzz' || true); do \
			echo "== $$package $$test"; go test -run='^$$' -fuzz="^$$test\$$" -fuzztime=$(FUZZTIME) "$$package"; \
		done; \
	done

# Minimising what is merely new would take most of the time on two cores.
fuzz-server: ## the fuzz test of the endpoint that faces the internet, for 30 s
	go test -run='^$$' -fuzz='^FuzzServer$$' -fuzztime=$(SERVERFUZZTIME) -fuzzminimizetime=10x ./crm/server

tools: ## check for Go and install the C compiler that the race detector needs
	@e2e/lab/tools.sh

lab: ## install a real Asterisk 22 into a folder, once (needs root)
	@e2e/lab/provision.sh

clean: ## remove what was built
	rm -rf bin
