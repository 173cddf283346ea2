# `make run` sets up, builds and shows the main job; `make test` sets up and tests everything.

VALIDATION := $(CURDIR)/target/validation.log
# What `make test` makes, in this order; the two lanes side by side. One builds in target/debug, the
# other in target/release.
CHECKED := lint test-build
SHIPPED := build shipped lua-test examples leak install-test
STEPS := setup setup-test spirv-val rust-test validation
# Tests leave the user's cache of compiled kernels alone.
test rust-test lua-test leak examples install-test tsan test-slurm test-packages \
	test-arm test-windows: \
	export VKD_PIPELINE_CACHE := $(CURDIR)/target/kernels

.PHONY: help run devices test $(STEPS) $(CHECKED) $(SHIPPED) bench bench-growth fuzz tsan install \
	test-slurm test-packages test-drivers test-swiftshader test-arm test-windows deb build-library \
	install-rock uninstall header spirv site test-site clean
help:
	@echo "make run      install what is missing, build, compute the Psalms from LuaJIT"
	@echo "make site     build examples/site, a website of the Psalms, in target/site"
	@echo "make test     install what is missing, run all checks and tests"
	@echo "make test-slurm     shards and their merge on a cluster of two daemons here"
	@echo "make test-packages  the packages that users install; make deb makes one"
	@echo "make test-drivers   the same bits on several Vulkan drivers, fetched into target/drivers"
	@echo "make test-swiftshader  a minute of it, on one driver"
	@echo "make test-arm       the CPU engine on ARM processors of 64 bits, run by QEMU"
	@echo "make test-windows   library and command on Windows, run by Wine"
	@echo "make test-site      look at the website in Chromium"
	@echo "make devices  list the devices that vkd can use"
	@echo "make install  install library, header and LuaJIT module below PREFIX (/usr/local)"
	@echo "make bench    measure against the direct method and numpy; CORPUS=file.npy adds one"
	@echo "make fuzz     ten minutes of random files for the readers of files"
	@echo "make tsan     threads under ThreadSanitizer (needs the Rust component rust-src)"
	@echo "make header   write the C headers and the LuaJIT cdef from the Rust sources"
	@echo "make spirv    compile the shaders into shaders/spirv, for builds without a compiler"
	@echo "Without a shader compiler: CARGOFLAGS=--no-default-features"

run:
	@.ci/setup run
	@$(MAKE) --no-print-directory build
	luajit examples/psalms.lua

devices:
	@.ci/setup run
	@$(MAKE) --silent --no-print-directory build
	@luajit examples/devices.lua

site:
	@.ci/setup run
	@$(MAKE) --no-print-directory build
	luajit examples/site/build.lua

test:
	@mkdir -p target && rm -f "$(VALIDATION)"
	@for step in setup setup-test; do .ci/step $$step || exit 1; done
	@.ci/side-by-side "$(CHECKED)" "$(SHIPPED)"
	@for step in spirv-val rust-test validation; do .ci/step $$step || exit 1; done

setup:
	.ci/setup test

setup-test:
	tests/setup

# Library and command at once: their builds of the library have one name, so they must be one build.
# Programs that are linked in target/release look for the name in the library, libvkd.so.0.
build:
	DESTDIR= cargo build --release -p vkd -p vkd-cli $(CARGOFLAGS)
	@ln -sf libvkd.so target/release/libvkd.so.0

# The library is also checked as it ships, without the feature that tests need.
lint:
	cargo fmt --all --check
	cargo clippy -p vkd -p vkd-cli --all-targets -- -D warnings
	cargo clippy --lib -- -D warnings
	cargo clippy --lib --no-default-features -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps --quiet
	luacheck -q lua examples tests/lua benches
	tests/lint/test
	tests/lint/lines
	tests/lint/imports
	tests/lint/prose

shipped:
	tests/shipped

test-build:
	cargo test -p vkd -p vkd-cli --no-run

rust-test:
	VKD_VALIDATION="$(VALIDATION)" tests/rust

lua-test:
	VKD_DEVICE=cpu busted --lua=luajit tests/lua
	VKD_DEVICE=llvmpipe VKD_VALIDATION="$(VALIDATION)" busted --lua=luajit tests/lua

# Every kernel variant that was built or is committed is valid SPIR-V for Vulkan 1.1.
spirv-val:
	@for file in target/*/build/vkd-*/out/*.spv shaders/spirv/*.spv; do \
		spirv-val --target-env vulkan1.1 $$file || exit 1; \
	done; echo "spirv-val: all kernels are valid"

# No test may have caused a message of the validation layer.
validation:
	@if [ -s "$(VALIDATION)" ]; then \
		echo "the validation layer had something to say:"; cat "$(VALIDATION)"; exit 1; \
	fi; echo "validation layer: no message"

leak:
	tests/c/leak

install-test:
	tests/install

# A minute: daemons of Slurm on this machine. Not part of `make test`, which would install them.
test-slurm:
	@.ci/setup slurm
	@$(MAKE) --no-print-directory build
	tests/slurm/run

# Some minutes: what users install, each in a place of its own.
test-packages:
	@.ci/setup packages
	@$(MAKE) --no-print-directory build
	tests/packages

# A quarter of an hour each, most of it to build all for another processor or system.
test-arm:
	@.ci/setup arm
	tests/arm

test-windows:
	@.ci/setup windows
	tests/windows

# Many minutes: not part of `make test`, which would fetch the drivers.
test-drivers:
	@.ci/setup test
	@$(MAKE) --no-print-directory build
	tests/drivers/run

# A minute of it, with the driver that comes with Chromium.
test-swiftshader:
	@.ci/setup test
	@$(MAKE) --no-print-directory build
	VKD_QUICK=1 tests/drivers/run swiftshader

# target/debian/vkd_VERSION_ARCHITECTURE.deb
deb:
	@.ci/setup packages
	@$(MAKE) --no-print-directory build
	rm -rf target/deb-root target/debian
	PREFIX=/usr DESTDIR=target/deb-root build/install
	PATH="$(CURDIR)/target/tools/bin:$$PATH" cargo deb --no-build --no-strip --quiet \
		--manifest-path cli/Cargo.toml --output target/debian/

# CORPUS: another npy file (f2 or f4) beside the Psalms.
bench:
	@.ci/setup bench
	@$(MAKE) --no-print-directory build
	cargo bench --profile measure --bench cpu -- $(CORPUS)
	cargo bench --profile measure --bench psalms
	cargo bench --profile measure --bench start
	cargo bench --profile measure --bench neighbors -- $(CORPUS)
	cargo bench --profile measure --bench rules -- $(CORPUS)
	cargo bench --profile measure --bench large -- million
	luajit benches/sites.lua $(CORPUS)
	luajit benches/older.lua $(CORPUS)
	luajit benches/exports.lua $(CORPUS)
	luajit benches/json_load.lua
	luajit benches/site.lua $(CORPUS)

# Not part of `make test`: the browser takes 400 MB.
test-site:
	@.ci/setup site
	@$(MAKE) --no-print-directory build
	tests/site/run

fuzz:
	fuzz/run 600

# The standard library is built anew with the sanitizer: without that it reports locks that it
# cannot see.
tsan: HOST = $(shell rustc -vV | sed -n 's/^host: //p')
tsan:
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=thread CARGO_TARGET_DIR=target/tsan \
		cargo test -Zbuild-std --target $(HOST) --release --test jobs --test cancels \
		--test compat

# Some minutes: writes docs/growth.svg, docs/large-time.svg and docs/large-memory.svg.
bench-growth:
	cargo bench --profile measure --bench growth --bench scale

# What `make run` shows, on the built-in engine and on a Vulkan driver: the same picks.
examples:
	VKD_DEVICE=cpu luajit examples/psalms.lua | tail -n 11 >target/psalms.cpu
	VKD_DEVICE=llvmpipe luajit examples/psalms.lua | tail -n 11 >target/psalms.llvmpipe
	cmp target/psalms.cpu target/psalms.llvmpipe
	VKD_DEVICE=cpu luajit examples/rules.lua >target/rules.cpu
	VKD_DEVICE=llvmpipe luajit examples/rules.lua >target/rules.llvmpipe
	cmp target/rules.cpu target/rules.llvmpipe
	luajit examples/devices.lua

# PREFIX (/usr/local where none is given) and DESTDIR reach the script as they are, with spaces.
# With sudo there is often no cargo: what was built before is installed, if it is fresh.
install:
	@if command -v cargo >/dev/null; then $(MAKE) --no-print-directory build; fi
	@build/install

uninstall:
	@build/install remove

# What luarocks calls (build/rock): library and module into the two folders of a rock.
build-library:
	DESTDIR= cargo build --release $(CARGOFLAGS)

install-rock:
	@build/install rock "$(LUADIR)" "$(LIBDIR)"

header:
	VKD_BLESS=1 cargo test --test header header_and_cdef

# After a change of shaders; best on Debian 12, whose compiler's code is compared byte by byte.
spirv:
	VKD_BLESS=1 cargo test --test spirv

clean:
	cargo clean
