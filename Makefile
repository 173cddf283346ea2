# `make run` sets up, builds and shows the main job; `make test` sets up and tests everything.

VALIDATION := $(CURDIR)/target/validation.log
# Tests leave the user's cache of compiled kernels alone.
test rust-test lua-test leak examples tsan: export VKD_PIPELINE_CACHE := $(CURDIR)/target/kernels

.PHONY: help run devices test bench bench-growth fuzz tsan build install uninstall examples lint rust-test lua-test spirv-val validation leak header clean
help:
	@echo "make run      install what is missing, build, compute the Psalms from LuaJIT"
	@echo "make test     install what is missing, run all checks and tests"
	@echo "make devices  list the devices that vkd can use"
	@echo "make install  install library, header and LuaJIT module below PREFIX (default /usr/local)"
	@echo "make bench    measure against the direct method and numpy; CORPUS=file.npy adds a corpus"
	@echo "make fuzz     ten minutes of random files for the reader of results"
	@echo "make tsan     the job tests under ThreadSanitizer (needs the Rust component rust-src)"
	@echo "make header   write include/vkd.h and lua/vkd_cdef.lua from the Rust sources"

run:
	@.ci/setup run
	cargo build --release
	luajit examples/psalms.lua

devices:
	@.ci/setup run
	@cargo build --release --quiet
	@luajit examples/devices.lua

test:
	@.ci/setup test
	@mkdir -p target && rm -f $(VALIDATION)
	$(MAKE) lint
	$(MAKE) build
	$(MAKE) spirv-val
	$(MAKE) lua-test
	$(MAKE) examples
	$(MAKE) leak
	tests/install
	$(MAKE) rust-test
	$(MAKE) validation

build:
	cargo build --release

lint:
	cargo fmt --check
	cargo clippy --release --all-targets -- -D warnings
	luacheck -q lua examples tests/lua

rust-test:
	VKD_VALIDATION=$(VALIDATION) tests/rust

lua-test:
	VKD_DEVICE=cpu busted --lua=luajit tests/lua
	VKD_DEVICE=llvmpipe VKD_VALIDATION=$(VALIDATION) busted --lua=luajit tests/lua

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

# CORPUS: another npy file (f2 or f4) beside the Psalms.
bench:
	@.ci/setup bench
	cargo bench --bench cpu -- $(CORPUS)
	cargo bench --bench psalms
	cargo bench --bench start
	cargo bench --bench neighbors -- $(CORPUS)
	luajit benches/sites.lua $(CORPUS)

fuzz:
	fuzz/run 600

# The standard library is built anew with the sanitizer: without that it reports locks it cannot see.
tsan:
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=thread CARGO_TARGET_DIR=target/tsan \
		cargo test -Zbuild-std --target $$(rustc -vV | sed -n 's/^host: //p') --release --test jobs --test cancels

# Some minutes: writes docs/growth.svg.
bench-growth:
	cargo bench --bench growth

# What `make run` shows, on the built-in engine and on a Vulkan driver: the same picks.
examples:
	VKD_DEVICE=cpu luajit examples/psalms.lua | tail -n 11 >target/psalms.cpu
	VKD_DEVICE=llvmpipe luajit examples/psalms.lua | tail -n 11 >target/psalms.llvmpipe
	cmp target/psalms.cpu target/psalms.llvmpipe
	luajit examples/devices.lua

PREFIX ?= /usr/local
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
LUA_MODULES := $(DESTDIR)$(PREFIX)/share/lua/5.1

install: build
	install -d $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib/pkgconfig $(LUA_MODULES)
	install -m 644 include/vkd.h $(DESTDIR)$(PREFIX)/include/
	install -m 755 target/release/libvkd.so $(DESTDIR)$(PREFIX)/lib/
	install -m 644 target/release/libvkd.a $(DESTDIR)$(PREFIX)/lib/
	install -m 644 lua/*.lua $(LUA_MODULES)/
	printf '%s\n' 'prefix=$(PREFIX)' 'Name: vkd' 'Version: $(VERSION)' \
		'Description: diversity sequences of embedded texts' \
		'Cflags: -I$${prefix}/include' 'Libs: -L$${prefix}/lib -lvkd' \
		'Libs.private: -lm -lpthread -ldl -lgcc_s' >$(DESTDIR)$(PREFIX)/lib/pkgconfig/vkd.pc

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/include/vkd.h $(DESTDIR)$(PREFIX)/lib/libvkd.so \
		$(DESTDIR)$(PREFIX)/lib/libvkd.a $(DESTDIR)$(PREFIX)/lib/pkgconfig/vkd.pc
	cd lua && for module in *.lua; do rm -f $(LUA_MODULES)/$$module; done

header:
	VKD_BLESS=1 cargo test --release --test header header_and_cdef

clean:
	cargo clean
