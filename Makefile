# `make run` sets up, builds and shows the main job; `make test` sets up and tests everything.

VALIDATION := $(CURDIR)/target/validation.log
CARGO_TEST := VKD_VALIDATION=$(VALIDATION) cargo test --release

.PHONY: help run test bench build lint rust-test lua-test spirv-val validation leak header clean
help:
	@echo "make run      install what is missing, build, compute the Psalms from LuaJIT"
	@echo "make test     install what is missing, run all checks and tests"
	@echo "make bench    measure against the direct method and numpy"
	@echo "make header   write include/vkd.h and lua/vkd_cdef.lua from the Rust sources"

run:
	@.ci/setup run
	cargo build --release
	luajit examples/psalms.lua

test:
	@.ci/setup test
	@mkdir -p target && rm -f $(VALIDATION)
	$(MAKE) lint
	$(MAKE) build
	$(MAKE) spirv-val
	$(MAKE) lua-test
	$(MAKE) leak
	$(MAKE) rust-test
	$(MAKE) validation

build:
	cargo build --release

lint:
	cargo fmt --check
	cargo clippy --release --all-targets -- -D warnings
	luacheck -q lua examples tests/lua

rust-test:
	$(CARGO_TEST)

lua-test:
	VKD_VALIDATION=$(VALIDATION) busted --lua=luajit tests/lua

# Every kernel variant that was built is valid SPIR-V for Vulkan 1.1.
spirv-val:
	@for file in target/release/build/vkd-*/out/*.spv; do \
		spirv-val --target-env vulkan1.1 $$file || exit 1; \
	done; echo "spirv-val: all kernels are valid"

# No test may have caused a message of the validation layer.
validation:
	@if [ -s $(VALIDATION) ]; then \
		echo "the validation layer had something to say:"; cat $(VALIDATION); exit 1; \
	fi; echo "validation layer: no message"

leak:
	tests/c/leak

bench:
	@.ci/setup bench
	cargo bench --bench psalms

header:
	VKD_BLESS=1 cargo test --release --test header

clean:
	cargo clean
