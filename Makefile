# The shop's everyday commands. `make` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
TOOLS = $(shell infra/local/tools.sh $(1))

.PHONY: help run run-grown test check fmt schemas openapi bench bench-full clean-data

help: ## list these commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: ## build the shop and start it with the demo catalogue, data in ./data
	cargo build --workspace --bins
	exec target/debug/jangteo up --demo $(ARGS)

run-grown: ## the same shop on its log's wire, PostgreSQL, NATS and Elasticsearch, all started here; its data goes when it ends
	cargo build --workspace --bins
	exec infra/local/grown.sh $(ARGS)

test: ## everything that can be tested on this machine; ends with what was skipped and why
	infra/local/test.sh $(ARGS)

check: ## what must be clean before a commit: format, lints, licences, house rules
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	PATH="$(call TOOLS,cargo-deny):$$PATH" cargo deny --log-level error check licenses bans sources
	cargo test --quiet --workspace --no-fail-fast -- house_rules

fmt: ## format all code
	cargo fmt --all

schemas: ## write the JSON Schemas of the stored events anew; a test tells whether a difference is breaking
	JANGTEO_WRITE_SCHEMAS=1 cargo test --workspace --quiet -- no_committed_schema_is_broken

openapi: ## print the OpenAPI document
	cargo run --quiet --bin jangteo -- openapi

bench: ## measure, as ratios against limits taken in the same run (about three minutes; the first time some more, to build the peers)
	cargo build --release --workspace --bins
	target/release/jangteo-bench short $(ARGS)

bench-full: ## the same, longer and with the real data sets where they are
	cargo build --release --workspace --bins
	target/release/jangteo-bench full $(ARGS)

clean-data: ## throw the demo shop's data away
	rm -rf data
