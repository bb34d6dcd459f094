# One rule builds every program: NAME.c in a mechanism's folder, on its own,
# becomes $(BIN)/NAME. `make help` lists the targets.

# The mechanisms in teaching order. Programs are found, not listed.
MECHANISMS := pipe shell-pipeline fifo posix-shm posix-sem posix-mqueue sysv \
              unix-socket signals
SOURCES    := $(wildcard $(MECHANISMS:%=%/*.c))
NAMES      := $(notdir $(SOURCES:.c=))

# Tools, and not among the programs: several files, one binary.
LANES := $(wildcard lanes/*.c)
BENCH := $(wildcard bench/*.c)

BIN    = bin
CFLAGS = -g -O2 -D_FORTIFY_SOURCE=2
# Every program is held to these, whatever CFLAGS says.
STRICT = -std=gnu11 -Wall -Wextra -Wpedantic

# bin and folders in build are ours to build in. Any other BIN holds somebody
# else's programs, which are run and never written to; the tools are then in bin.
OURS  := $(filter $(CURDIR)/bin $(CURDIR)/build/%,$(abspath $(BIN)))
TOOLS := $(if $(OURS),$(BIN),bin)

# What cannot be meant is one line and status 2, before anything is built.
$(if $(OURS)$(wildcard $(BIN)/.),,$(error BIN=$(BIN): there is no such folder))
unknown = $(if $(filter-out $2,$($1)),$(error $1=$($1): there is no such $3))
$(call unknown,P,$(NAMES),program)
$(call unknown,M,$(MECHANISMS),mechanism)
$(call unknown,T,$(patsubst tests/%.bats,%,$(wildcard tests/*.bats)),file in tests)

# $(call need,COMMAND...) names the packages of the commands that are missing.
package.musl-gcc := musl-tools
package.gnuplot  := gnuplot-nox
missing = $(strip $(foreach c,$1,\
    $(if $(shell command -v $c),,$(or $(package.$c),$c))))
need    = $(if $1,$(error missing: sudo apt-get install -y $1))

compiler := $(shell command -v $(firstword $(CC)))
compile   = $(if $(compiler),,$(call need,gcc libc6-dev))$(CC) $(STRICT) \
    $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)

# Where bats looks for its libraries.
bats-path := $(subst :, ,$(or $(BATS_LIB_PATH),/usr/lib/bats))
bats       = $(call missing,bats) $(foreach l,bats-support bats-assert bats-file,\
    $(if $(wildcard $(bats-path:%=%/$l/load.bash)),,$l))

# What every program is held to.
CONTRACT := tests/leaves.bats tests/ends.bats tests/suite.bats
# All tests but those for more tools, roughly the longest first, so that nothing
# is left to wait for at the end. The tools are tested where we have built them.
CHECKS := $(CONTRACT) tests/lanes-stuck.bats tests/lanes-why.bats
CHECKS += $(filter-out $(CHECKS) tests/tools.bats,$(shell ls -S tests/*.bats))
CHECKS := $(filter-out $(if $(OURS),,tests/lanes% tests/bench%),$(CHECKS))
# Those for one program: its folder's, and the contract's.
TESTS_OF_P := $(wildcard $(patsubst %/,tests/%.bats,\
    $(dir $(filter %/$(P).c,$(SOURCES)))) $(CONTRACT))

ifeq ($(shell uname),Linux)
# Functions are looked up when a program starts. Looked up when they are called,
# each child of a launcher would do so again.
LDFLAGS ?= -Wl,-z,now
else
# Elsewhere some programs cannot be built and say why; the rest can.
MAKEFLAGS += --keep-going
endif

LINTERS ?= clang-format shellcheck cppcheck gcc clang clang-tidy

.DELETE_ON_ERROR:
.PHONY: all demo lecture slides check check-tools lint lint-needs $(LINTERS:%=lint-%) \
        bench bench-full bench-plot grade grade-tests kit clean clean-ipc help
vpath %.c $(MECHANISMS)

# Beside somebody else's programs lanes is welcome, but not needed.
all: $(if $(OURS),$(NAMES:%=$(BIN)/%))
all: $(if $(OURS),$(TOOLS)/ipcbench)
all: $(if $(OURS)$(compiler),$(TOOLS)/lanes) ## build all programs, into BIN [bin]

$(BIN)/%: %.c | $(BIN)
	$(compile) -o $@ $< -pthread $(LDLIBS)

# Its files' objects stay, hidden: a test asks nm which file uses which.
$(TOOLS)/lanes: $(LANES:lanes/%.c=$(TOOLS)/.lanes/%.o)
	$(compile) -o $@ $^ $(LDLIBS)

$(TOOLS)/.lanes/%.o: lanes/%.c $(wildcard lanes/*.h) | $(TOOLS)/.lanes
	$(compile) -c -o $@ $<

$(TOOLS)/ipcbench: $(BENCH:bench/%.c=$(TOOLS)/.bench/%.o)
	$(compile) -o $@ $^ -pthread $(LDLIBS)

$(TOOLS)/.bench/%.o: bench/%.c $(wildcard bench/*.h) | $(TOOLS)/.bench
	$(compile) -pthread -c -o $@ $<

$(sort $(BIN) $(TOOLS) $(TOOLS)/.lanes $(TOOLS)/.bench):
	mkdir -p $@

demo: ## run every program once
##   M=pipe       those of one folder
	@$(MAKE) -s --no-print-directory all >&2
	@BIN="$(abspath $(BIN))" tools/demo $(or $(M),$(MECHANISMS))

lecture: all ## one program, call by call
##   P=pipe-eof   which one
##   A=--no-close its arguments
	@$(if $(P),,$(error which program? make lecture P=pipe-eof))
	@PATH="$(abspath $(BIN)):$(abspath $(TOOLS)):$$PATH" lanes -s $(patsubst %,-c %,$(wildcard \
	    $(MECHANISMS:%=%/$(P)$(filter --%,$(firstword $(A))).captions))) -- $(P) $(A)

slides: all ## a page to step through for each recorded run, and an index
	@PATH="$(abspath $(BIN)):$(abspath $(TOOLS)):$$PATH" lanes/slides build/slides $(MECHANISMS)

check: all ## build, then run the tests, all but those of check-tools
##   T=pipe       those in tests/pipe.bats
##   P=pipebuffer those of one program
##   BIN=DIR      of somebody else's programs, which are not written to
##   OUT=DIR      leave the results there, as TAP and JUnit
	@$(call need,$(strip $(bats)))
	@BIN="$(abspath $(BIN))" tests/run $(or $(T:%=tests/%.bats),$(if $(P),$(TESTS_OF_P),$(CHECKS)))

check-tools: all ## the tests that need more tools: clang, musl, valgrind, spin
	@$(call need,$(strip $(bats)))
	@missing='$(call missing,gcc clang musl-gcc valgrind spin)'; test -z "$$missing" || \
	    echo "missing, so what needs it is skipped: sudo apt-get install -y $$missing"
	@BIN="$(abspath $(BIN))" tests/run tests/tools.bats

# Submissions and the tests of the graded tests: as many side by side as make -j
# says, or as there are cores.
side-by-side = $(patsubst %,-j %,$(patsubst -j%,%,$(filter -j%,$(MAKEFLAGS))))

grade: $(if $(compiler),$(TOOLS)/lanes) ## grade homework, in a box
##   SUBMISSION=DIR   what one student has submitted
##   SUBMISSIONS=DIR  a class: a folder for each; late work is graded alone
##   A=connect2       these assignments alone
##   TESTS=F.bats     hidden tests, for the assignment F
##   OUT=DIR          all reports; of a class [build/grades]
##   SHARD=2/8        of a class, the second of eight parts
	@$(if $(SUBMISSION)$(SUBMISSIONS),,$(error whose? make grade SUBMISSION=DIR))
	@$(if $(SUBMISSION),homework/grade/one $(OUT:%=-o "%") "$(SUBMISSION)" $(A) $(TESTS),\
	    homework/grade/class $(side-by-side) $(SHARD:%=-s %) \
	    -o "$(or $(OUT),build/grades)" "$(SUBMISSIONS)" $(A) $(TESTS))

grade-tests: $(if $(compiler),$(TOOLS)/lanes) ## test the graded tests, by right and wrong programs
##   A=connect2   those of these assignments
	@homework/grade/test $(side-by-side) $(A)

kit: ## what students get of the homework, in OUT: tasks, starters, tests
##   A=connect2   these assignments alone
	@$(if $(OUT),,$(error where to? make kit OUT=DIR))
	@homework/grade/kit "$(OUT)" $(A)

bench: $(TOOLS)/ipcbench ## what a message costs, in 20 s; best with nothing else running
	@$< && $< ladder

bench-full: $(TOOLS)/ipcbench ## all sizes, pinnings and percentiles; takes minutes
	@$< --full && $< ladder --rounds 5

bench-plot: $(TOOLS)/ipcbench ## latency and throughput over size: two SVGs in build/bench
	@$(call need,$(call missing,gnuplot))
	@IPCBENCH=$< bench/plot build/bench

CHECKED := $(SOURCES) $(LANES) $(BENCH) $(wildcard homework/*/*.c homework/grade/nudges/*.c)
# Solutions in other people's style: the compilers find nothing in them.
OTHERS  := $(wildcard homework/*/right/*.c)
SCRIPTS := .ci/run tests/run tests/report $(wildcard tools/*) lanes/slides bench/plot \
           bench/record tests/lanes/record $(wildcard tests/*.bash tests/*.bats) \
           $(wildcard $(addprefix homework/grade/,one class test judge kit *.bash \
           report/write) homework/*/*.bats homework/grade/hostile/*.bats)
# $(call each,COMMAND,MORE) runs a command for each file, the largest first, on as
# many cores as there are; it is silent if all is well.
each = @echo '$1'; ls -S $(CHECKED) $2 | xargs -P "$$(nproc)" -n 1 sh -c \
    'said=$$($1 2>&1) || { printf "%s\n" "$$said" >&2; exit 1; }'

lint: $(LINTERS:%=lint-%) ## -Werror, and what other tools object to
##   LINTERS=gcc  one of clang-format shellcheck cppcheck gcc clang clang-tidy
$(LINTERS:%=lint-%): | lint-needs
lint-needs:
	@$(call need,$(call missing,$(LINTERS)))
lint-clang-format:
	@echo clang-format; clang-format --dry-run -Werror $(CHECKED) $(wildcard */*.h)
lint-shellcheck:
	@echo shellcheck; ls -S $(SCRIPTS) | xargs -P "$$(nproc)" -n 4 shellcheck -x
lint-cppcheck:
	@echo cppcheck; cppcheck -j "$$(nproc)" --quiet --error-exitcode=1 --std=c11 \
	    --inline-suppr --enable=warning,performance,portability $(CHECKED)
lint-gcc lint-clang: lint-%:
	$(call each,$* $(STRICT) -Werror -O2 -D_FORTIFY_SOURCE=2 -c -o /dev/null "$$0",$(OTHERS))
lint-clang-tidy:
	$(call each,clang-tidy --quiet "$$0" -- $(STRICT))

clean: ## remove what make builds
	rm -rf bin build

clean-ipc: ## remove what your killed runs left, of files and of System V
	@tools/clean-ipc $(NAMES) ipcbench

help: ## print this list
	@awk -F ' ## ' '\
	    /^[a-z-]+:.* ## / { printf "make %-11s %s\n", substr($$1, 1, index($$1, ":") - 1), $$2 } \
	    sub(/^## /, "") { printf "%17s%s\n", "", $$0 }' $(MAKEFILE_LIST)
