.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 16

build: ## the static binary bin/llmspell
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o bin/llmspell ./cmd/llmspell

run: ## the tour, offline
	go run ./cmd/llmspell run examples/spells/tour.lua

test: ## all tests, as CI runs them
	go run ./test/run

race: ## the race detector over everything
	go test -race ./...

fmt: ## format
	gofmt -w $$(git ls-files '*.go')

lint: ## format check, vet, staticcheck
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go tool staticcheck ./...

arch: ## the import policy
	go test ./internal/archtest

check: lint arch test ## what must pass before a change lands

gen: ## generated pages: docs/config.md, docs/lua/, docs/man/, editor stubs, deploy/config.toml
	go run ./internal/docgen

verify: gen ## generated files and go.mod are up to date
	go mod tidy
	git diff --exit-code

golden: ## rewrite golden files after a deliberate change
	go test ./... -update

fuzz: ## ten seconds for each fuzz target
	go run ./test/fuzz

cover: ## coverage by package
	go test -cover ./...

bench: ## startup, memory and request time of the service
	go run ./bench/service

bench-lua: ## the VM beside lua5.4 in one run
	go run ./bench/lua

model: ## the tour against a real small model (needs PyPI, a C++ compiler)
	go test ./test/model -v -run TestTourWithRealModel -args -install

cross: ## every release target builds without cgo
	for t in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64; do GOOS=$${t%/*} GOARCH=$${t#*/} CGO_ENABLED=0 go build -o /dev/null ./cmd/llmspell || exit 1; done

.PHONY: help build run test race fmt lint arch check gen verify golden fuzz cover bench bench-lua model cross
