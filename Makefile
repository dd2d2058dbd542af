# eoss: set up, build, run, test, measure, install. `make` alone says what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build run test lint bench install clean

SCRIPT ?= scripts/quickstart.lua
ARGS ?=
PREFIX ?= /usr/local
DESTDIR ?=

# What the program needs of Debian, beside a Swift toolchain. `a|b`: either will do, and the first is installed.
PACKAGES := liblua5.4-dev libopenblas0-pthread libedit-dev libmd-dev libsqlite3-dev zlib1g-dev pkgconf|pkg-config \
	gnuplot-nox|gnuplot-qt|gnuplot-x11 dataset-fashion-mnist

RELEASE := swift build -c release --static-swift-stdlib
TESTING := -c release -Xswiftc -enable-testing --scratch-path .build-test
SWIFT_FOLDERS := Package.swift Sources Tests Benchmarks

help: ## say what there is
	@echo 'make TARGET:'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install the Debian packages that are missing
	@PACKAGES='$(PACKAGES)' .ci/setup

build: setup ## build .build/release/eoss
	$(RELEASE) --product eoss

run: build ## build and run an experiment: SCRIPT=scripts/quickstart.lua ARGS='--set lr=0.1'
	.build/release/eoss run '$(SCRIPT)' $(ARGS)

test: setup lint ## check the style, run all tests, and LuaBridge's again under AddressSanitizer
	swift build $(TESTING) --build-tests
	swift test $(TESTING) --skip-build --disable-xctest
	EOSS_ONLY=LuaBridge swift test --sanitize=address --disable-xctest --scratch-path .build-asan

lint: ## check the style of the Swift code
	swift format lint --strict --parallel --recursive $(SWIFT_FOLDERS)

bench: setup ## measure speed against this machine's limits, and against torch and jax: PEERS_PYTHON=python3
	$(RELEASE) --product eoss-bench
	.build/release/eoss-bench $(ARGS)

install: build ## install eoss: PREFIX=/usr/local (asks for sudo where that needs it)
	@bin='$(DESTDIR)$(PREFIX)/bin'; sudo=; \
	mkdir -p "$$bin" 2>/dev/null && [ -w "$$bin" ] || sudo=sudo; \
	(set -x; $$sudo install -D -m 755 .build/release/eoss "$$bin/eoss")

clean: ## remove everything that was built
	rm -rf .build .build-test .build-asan
