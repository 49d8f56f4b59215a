# What people type. Everything is made below target/; nothing needs more than Rust, Python 3.11, a C compiler and git.

.PHONY: demo test test-deep sim fuzz bench venv clean

## Builds, shows what Tidegate does, and lets boto3 make a first endpoint.
demo:
	@scripts/demo.sh

## Everything CI runs.
test:
	@scripts/test.sh

## What takes longer.
test-deep:
	@scripts/test-deep.sh

## Twenty thousand lives of a simulated server; SIM_SEEDS and SIM_LEDGER say otherwise.
sim:
	@scripts/sim.sh

## Ten minutes of random bytes for everything that reads strangers' bytes; FUZZ_SECONDS and FUZZ_TARGETS say otherwise.
fuzz:
	@scripts/fuzz.sh

## Side by side with nginx and moto.
bench:
	@scripts/bench.sh

## The Python clients that the tests drive Tidegate with.
venv:
	@scripts/venv.sh

clean:
	cargo clean
