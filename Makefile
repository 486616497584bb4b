# The commands a person types. Everything is done by CMake presets and the scripts named here.
PRESET ?= release
BUILD := build$(if $(filter-out release,$(PRESET)),-$(PRESET))

.PHONY: all run test bench format lint install clean goldens

all: $(BUILD)/build.ninja
	cmake --build $(BUILD)

$(BUILD)/build.ninja: CMakeLists.txt CMakePresets.json
	cmake --preset $(PRESET)

# Installs what is missing, builds, and traces this machine for a few seconds.
run:
	scripts/install-packages build
	$(MAKE) all
	scripts/demo $(BUILD)/bin/awl

# Installs what is missing, builds, runs every test and says what was skipped and why.
test:
	scripts/install-packages build test
	$(MAKE) all
	scripts/run-tests $(BUILD)

bench:
	scripts/install-packages build test
	$(MAKE) all
	test/bench/run $(BUILD)

format:
	git ls-files '*.cpp' '*.h' | xargs clang-format -i

lint:
	git ls-files '*.cpp' | xargs -n 8 -P 2 clang-tidy -p $(BUILD) --quiet

# Rewrites the expected outputs of test/peer from this build; the diff is the review.
goldens: all
	test/peer/run --update $(BUILD)/bin

install: all
	cmake --install $(BUILD)

clean:
	rm -rf $(BUILD)
