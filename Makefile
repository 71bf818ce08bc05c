# The front door. Each target is one command that can be run by hand as well; `make help` lists them.
PRESET ?= release
TIER   ?= all
KEEP   ?=
# The packages that `make deps` installs belong to Debian's own python3.
PYTHON ?= /usr/bin/python3

export KEEP

.DEFAULT_GOAL := help
.PHONY: deps build demo test bench format lint clean help

deps: ## install what is missing, from Debian's packages; starts no service
	@tools/deps.sh

build: ## build build/$(PRESET)/agent/primacy and what belongs to it (PRESET=release)
	@tools/build.sh $(PRESET) primacy primacy-fence-host

demo: deps build ## a told story on three real servers: seen, told, ended (KEEP=1 leaves them up)
	@/usr/bin/python3 demo/demo.py

# The first tier and the fuzz targets build what they need themselves.
test: deps $(if $(filter 1 model fuzz,$(TIER)),,build) ## every test that can run here (TIER=1, model, 2, 3, 5 or fuzz runs one)
	@PRESET=$(PRESET) tools/test.sh $(TIER)

bench: deps build ## measure the promised figures
	@/usr/bin/python3 tests/bench/run.py

format: ## rewrite the sources as .clang-format says
	@tools/sources.sh cpp | xargs -0 clang-format-14 -i

lint: ## formatting, clang-tidy, Python and shell syntax; everything found is an error
	@tools/lint.sh

clean: ## remove what was built; keeps build/roots, build/tools and build/test-cache
	@rm -rf build/dev build/release build/ci build/fuzz build/lint build/test build/bench \
	    build/demo build/configure-*.log

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 17
