# eoss: set up, build, run, test, measure, install. `make` alone says what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build run test sanitize fuzz check-peers check-slurm papers lint bench install clean

SCRIPT ?= scripts/quickstart.lua
ARGS ?=
PREFIX ?= /usr/local
DESTDIR ?=

# What the program needs of Debian, beside a Swift toolchain. `a|b`: either will do, and the first is installed.
PACKAGES := liblua5.4-dev libopenblas0-pthread libedit-dev libmd-dev libsqlite3-dev zlib1g-dev pkgconf|pkg-config \
	gnuplot-nox|gnuplot-qt|gnuplot-x11 dataset-fashion-mnist

# The library of the live page can forward requests, by Foundation's URLSession; eoss does not, and is linked without what that needs
# (Sources/CLivePage/NoCurl.c, docs/decisions/live-page.md).
# Of debugging information it has the lines, for backtraces and profiles; with all of it the build takes longer.
# Functions of any operation are not compiled once more for each of some thirty: that was a fifth of Graph's time, and made no plan faster.
RELEASE := swift build -c release --static-swift-stdlib -Xswiftc -gline-tables-only -Xcc -gline-tables-only \
	-Xswiftc -Xllvm -Xswiftc -sil-disable-pass=existential-specializer \
	-Xswiftc -Xfrontend -Xswiftc -disable-autolink-library -Xswiftc -Xfrontend -Xswiftc curl
# Tests are built for debugging, with every check on; C, where the kernels are, is optimized as it is shipped, and so is the Swift
# that tests wait for.
TESTING := -Xcc -O2
test check-peers check-slurm: export EOSS_OPTIMIZED := Graph,Compute
# C is optimized, so that kernels are those that are shipped; Swift is not, so that every check is made.
SANITIZED := -Xcc -O1 --disable-xctest
# Every kind of kernel and of memory, without what does the same for much longer; what runs on several threads.
ADDRESS_TESTS := ConvolutionKernel|Donation|MovingKernel|OperationKernel|Pool|ProductView|RegionChain|RegionPair|RegionReduction|RunsOfAPlan|Vector
ADDRESS_SKIPPED := sumsAndMaximaOfComputedValues|longReductionsGoThroughPartialSums
THREAD_TESTS := Cancellation|Donation|LanesTests/anyOrderOfTilesGives|Pool|RunsOfAPlan|Vector
# Leaks are not looked for: what Swift keeps behind tagged pointers looks lost.
# libFuzzer comes with Swift's clang; it is told of every branch of ours that an input takes.
FUZZ_SECONDS ?= 600
FUZZER = $(shell dirname "$$(readlink -f "$$(command -v swift)")")/../lib/clang/*/lib/linux/libclang_rt.fuzzer_no_main-$(shell uname -m).a
FUZZED = -Xcc -O1 --sanitize=address --scratch-path .build-fuzz \
	-Xswiftc -sanitize-coverage=edge,indirect-calls,trace-cmp,inline-8bit-counters,pc-table \
	-Xlinker $(wildcard $(FUZZER)) -Xlinker -lstdc++
# Where PyTorch and JAX live, and what is needed of them.
PEERS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/eoss-peers
PEERS_PACKAGES ?= torch jax numpy safetensors
PEER_TESTS := StableHLORunByXLA|PythonExchange|AgreementWithPyTorch|OptimizersOfPyTorch
SWIFT_FOLDERS := Package.swift Sources Tests Benchmarks

help: ## say what there is
	@echo 'make TARGET:'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install the Debian packages that are missing
	@PACKAGES='$(PACKAGES)' .ci/setup

build: setup ## build .build/release/eoss
	@echo 'building .build/release/eoss: about four minutes on two quiet cores the first time'
	@# Left to itself the C kernels, for which all other modules wait, would come last.
	$(RELEASE) --target CKernels
	$(RELEASE) --product eoss

run: build ## build and run an experiment: SCRIPT=scripts/quickstart.lua ARGS='--set lr=0.1'
	.build/release/eoss run '$(SCRIPT)' $(ARGS)

test: setup lint ## check the style and run all tests
	@echo 'building the tests: about four minutes on two quiet cores the first time; running them takes about as long'
	swift build $(TESTING) --build-tests
	swift test $(TESTING) --skip-build --disable-xctest

sanitize: setup ## run tests of what is unsafe again under AddressSanitizer and ThreadSanitizer
	@echo 'building under two sanitizers: about eight minutes on two quiet cores the first time, and four for the tests'
	EOSS_ONLY=LuaBridge,Compute swift build $(SANITIZED) --sanitize=address --scratch-path .build-asan --build-tests
	EOSS_ONLY=LuaBridge,Compute swift test $(SANITIZED) --sanitize=address --scratch-path .build-asan --skip-build \
		--filter LuaBridgeTests
	@# What plans keep until the end lies behind pointers with a tag in their upper bits, which look lost.
	EOSS_ONLY=LuaBridge,Compute ASAN_OPTIONS=detect_leaks=0 swift test $(SANITIZED) --sanitize=address \
		--scratch-path .build-asan --skip-build --filter 'ComputeTests\.($(ADDRESS_TESTS))' --skip '$(ADDRESS_SKIPPED)'
	EOSS_ONLY=Compute TSAN_OPTIONS="suppressions=$(CURDIR)/.ci/thread-sanitizer.supp" \
		swift test $(SANITIZED) --sanitize=thread --scratch-path .build-tsan --filter 'ComputeTests\.($(THREAD_TESTS))'

fuzz: export ASAN_OPTIONS := detect_leaks=0
fuzz: setup ## open damaged run files under AddressSanitizer for FUZZ_SECONDS=600, beginning with a few that are whole
	EOSS_ONLY=RunFileFuzzer swift build $(FUZZED) --product RunFileFuzzer
	mkdir -p .build-fuzz/corpus .build-fuzz/tmp
	test -e .build-fuzz/corpus/closed.eoss || .build-fuzz/debug/RunFileFuzzer --seeds .build-fuzz/corpus
	TMPDIR='$(CURDIR)/.build-fuzz/tmp' .build-fuzz/debug/RunFileFuzzer .build-fuzz/corpus \
		-max_total_time=$(FUZZ_SECONDS) -max_len=300000 -timeout=60 -rss_limit_mb=4096 -artifact_prefix=.build-fuzz/

check-peers: setup ## run the tests that compare with PyTorch and JAX, in a virtual environment made outside of here
	@test -x '$(PEERS)/bin/python' || (set -x; python3 -m venv '$(PEERS)')
	'$(PEERS)/bin/python' -m pip install --quiet --upgrade $(PEERS_PACKAGES)
	swift build $(TESTING) --build-tests
	PEERS_PYTHON='$(PEERS)/bin/python' swift test $(TESTING) --skip-build --disable-xctest --filter '$(PEER_TESTS)'

check-slurm: ## run a sweep on a Slurm of one node, started for it (as root)
	@PACKAGES='$(PACKAGES) slurm-wlm munge sqlite3' .ci/setup
	swift build $(TESTING) --product eoss
	.ci/check-slurm .build/debug/eoss

papers: build ## run scripts/papers, and put their tables and figures into docs/papers: PAPERS='autoencoder'
	scripts/papers/make.sh .build/release/eoss $(PAPERS)

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
	rm -rf .build .build-asan .build-tsan .build-fuzz
