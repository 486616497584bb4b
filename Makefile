# The commands a person types. Everything is done by CMake presets and the scripts named here.
PRESET ?= release
BUILD := build$(if $(filter-out release,$(PRESET)),-$(PRESET))

.PHONY: all tests run test test-asan test-vm bench format lint package install clean goldens

# The programs alone: what the tests need beside them may not be installed.
all: $(BUILD)/build.ninja
	cmake --build $(BUILD) --target awl awl-run

$(BUILD)/build.ninja: CMakeLists.txt CMakePresets.json
	cmake --preset $(PRESET) -DAWL_TESTS=OFF

# The programs and the tests.
tests:
	cmake --preset $(PRESET) -DAWL_TESTS=ON
	cmake --build $(BUILD)

# Installs what is missing, builds, and traces this machine for a few seconds.
run:
	scripts/install-packages build
	$(MAKE) all
	scripts/demo $(BUILD)/bin/awl

# Installs what is missing, builds, runs every test and says what was skipped and why.
test:
	scripts/install-packages build test
	$(MAKE) tests
	scripts/run-tests $(BUILD)

# The whole run suite on the kernels 5.10, 6.1, 6.12 and 7.2, compiled there and as objects; the table at the end.
test-vm:
	scripts/install-packages build test
	$(MAKE) tests
	test/vm/run --jobs 2 --build $(BUILD)

# What needs no kernel (unit tests, parsing, generated code, errors, 10,000 scripts through the parser) with address
# and undefined behaviour sanitizers: a build of its own, which takes as long as the other one.
test-asan:
	scripts/install-packages build test
	cmake --preset asan -DAWL_TESTS=ON
	cmake --build build-asan --target awl awl-run awl_unit awl_parse_fuzz
	ASAN_OPTIONS=detect_leaks=0 ctest --test-dir build-asan --output-on-failure -j2 \
	  -R '^(lit-parse|lit-codegen|lit-errors|parse-fuzz)$$|\.'

bench:
	scripts/install-packages build test
	$(MAKE) tests
	test/bench/run $(BUILD)

format:
	scripts/install-packages dev
	git ls-files '*.cpp' '*.h' | xargs clang-format -i

lint:
	scripts/install-packages dev
	git ls-files '*.cpp' | xargs -n 8 -P 2 clang-tidy -p $(BUILD) --quiet

# Rewrites the expected outputs of test/peer from this build; the diff is the review.
goldens: all
	test/peer/run --update $(BUILD)/bin

# awl_VERSION_ARCH.deb and awl-run_VERSION_ARCH.deb, in the build folder.
package: all
	scripts/install-packages package
	cd $(BUILD) && cpack -G DEB

install: all
	cmake --install $(BUILD)

clean:
	rm -rf $(BUILD)
