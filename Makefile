# One rule builds every program: NAME.c in a mechanism's folder, on its own,
# becomes $(BIN)/NAME. `make help` lists the targets.

# The mechanisms in teaching order. Programs are found, not listed.
MECHANISMS := pipe fifo posix-shm posix-sem posix-mqueue sysv unix-socket \
              signals shell-pipeline
SOURCES    := $(wildcard $(MECHANISMS:%=%/*.c))
NAMES      := $(notdir $(SOURCES:.c=))

# A tool, and not among the programs: several files, one binary.
LANES := $(wildcard lanes/*.c)

BIN    = bin
CFLAGS = -g -O2 -D_FORTIFY_SOURCE=2
# Every program is held to these, whatever CFLAGS says.
STRICT = -std=gnu11 -Wall -Wextra -Wpedantic

# A BIN inside this folder is ours to build. One elsewhere holds somebody
# else's programs, which are tested and never written to.
OURS := $(filter $(CURDIR)/%,$(abspath $(BIN)))

# GNU parallel lets bats run the files side by side. Two for each core: much
# of a test is waiting.
PARALLEL := $(shell parallel --version 2>/dev/null | grep -q GNU && \
    echo --no-parallelize-within-files --jobs $$(($$(nproc) * 2)))

# The longest first, so that nothing is left to wait for at the end. lanes is
# in our BIN alone.
TESTS := tests/suite.bats $(filter-out tests/suite.bats \
    $(if $(OURS),,tests/lanes%),$(wildcard tests/*.bats))

# $(call need,COMMAND,PACKAGES) names the packages of a missing tool.
need = command -v $(1) >/dev/null || \
    { echo "$(1) is missing: sudo apt-get install $(2)" >&2; exit 1; }

# Elsewhere some programs cannot be built and say why; the rest can.
ifneq ($(shell uname),Linux)
MAKEFLAGS += --keep-going
endif

.DELETE_ON_ERROR:
.PHONY: all demo lecture slides check lint clean clean-ipc help
vpath %.c $(MECHANISMS)

all: $(if $(OURS),$(NAMES:%=$(BIN)/%) $(BIN)/lanes) ## build all programs into BIN [bin]

$(BIN)/%: %.c | $(BIN)
	$(CC) $(STRICT) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -pthread $(LDLIBS)

$(BIN)/lanes: $(LANES) lanes/lanes.h | $(BIN)
	$(CC) $(STRICT) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $(LANES) $(LDLIBS)

$(BIN):
	mkdir -p $@

# A folder's README has a heading for each program, in teaching order.
demo: ## run every program once; M=pipe: those of one folder
	@$(MAKE) -s --no-print-directory all >&2
	@PATH="$(abspath $(BIN)):$$PATH"; \
	for folder in $(or $(M),$(dir $(wildcard $(MECHANISMS:%=%/README.md)))); do \
	    names=$$(sed -n 's/^### //p' $$folder/README.md) || exit; \
	    for name in $$names; do \
	        printf '\n%s\n$$ %s\n' "$$(sed -n '2s/^ \* //p' $$folder/$$name.c)" $$name; \
	        $$name </dev/null 2>&1 || exit; \
	    done; \
	done

lecture: all ## one program, call by call: P=pipe-eof A='--no-close'
	@test -n "$(P)" || { echo "which program? make lecture P=pipe-eof" >&2; exit 2; }
	@PATH="$(abspath $(BIN)):$$PATH" lanes -s $(patsubst %,-c %,$(wildcard \
	    $(MECHANISMS:%=%/$(P)$(filter --%,$(firstword $(A))).captions))) -- $(P) $(A) || true

slides: all ## a page to step through for each recorded run, and an index
	@PATH="$(abspath $(BIN)):$$PATH" lanes/slides build/slides $(MECHANISMS)

check: all ## build, then all tests; T=pipe: one file; BIN=DIR: programs there
	@$(call need,bats,bats bats-assert bats-file bats-support)
	@report=$$(mktemp -d) && trap 'rm -rf "$$report"' EXIT && \
	export BIN="$(abspath $(BIN))" && \
	{ timeout -k 9 600 bats $(PARALLEL) --print-output-on-failure --report-formatter tap \
	      --output "$$report" $(if $(T),$(T:%=tests/%.bats),$(TESTS)); \
	  awk -f tests/summary.awk "$$report/report.tap"; }

lint: ## compilers with -Werror, clang-tidy, cppcheck, shellcheck, clang-format
	@$(call need,gcc,gcc)
	@$(call need,clang,clang)
	@$(call need,clang-tidy,clang-tidy)
	@$(call need,cppcheck,cppcheck)
	@$(call need,shellcheck,shellcheck)
	@$(call need,clang-format,clang-format)
	for cc in gcc clang; do for source in $(SOURCES) $(LANES); do \
	    $$cc $(STRICT) -Werror -O2 -D_FORTIFY_SOURCE=2 -c -o /dev/null $$source || exit; \
	done; done
	clang-tidy --quiet $(SOURCES) -- $(STRICT)
	@# One at a time: of several with va_list clang-tidy 14 says what is wrong.
	for source in $(LANES); do clang-tidy --quiet $$source -- $(STRICT) || exit; done
	cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr \
	    --enable=warning,performance,portability $(SOURCES) $(LANES)
	clang-format --dry-run -Werror $(SOURCES) $(LANES) lanes/lanes.h
	shellcheck -x .ci/run lanes/slides tests/lanes/record tests/*.bash tests/*.bats

clean: ## remove what make builds
	rm -rf bin build

# What a killed program can leave in a file system is named
# PROGRAM.UID.something. Of what it can leave of System V, a queue and a set
# have a key of 0x1bc5 and its pid, a segment has 0x1bc5 bytes and says who
# made it: yours, if you did, and no program of sysv/ with that pid runs.
LEFT_IN = "$${TMPDIR:-/tmp}" /dev/shm /dev/mqueue
LEFT = -mindepth 1 -maxdepth 1 -user "$$(id -u)" \( -false $(foreach n,$(NAMES),\
    -o -name "$(n).$$(id -u).*" -o -name "sem.$(n).$$(id -u).*") \) \
    -print -exec rm -rf {} +
clean-ipc: ## remove what your killed runs left, of files and of System V
	@find $(LEFT_IN) $(LEFT) 2>/dev/null || true
	@# Message queues are seen where they are mounted. Root can mount them
	@# for itself alone.
	@test -d /dev/mqueue || \
	    unshare --mount sh -c 'mount -t mqueue mqueue /tmp && cd /tmp && find . $(LEFT)' 2>/dev/null || \
	    echo 'to find queues, too: sudo mkdir /dev/mqueue; sudo mount -t mqueue mqueue /dev/mqueue' >&2
	@{ grep -ls sysv- /proc/[0-9]*/cmdline; cat /proc/sysvipc/*; } 2>/dev/null | \
	awk -v me="$$(id -u)" ' \
	    sub("^/proc/", "") { pid = $$0 + 0; runs[pid] = half[pid % 32768] = 1; next } \
	    $$1 == "key" { kind = $$2; for (i = 1; i <= NF; i++) col[$$i] = i; next } \
	    $$col["cuid"] != me { next } \
	    kind == "shmid" && $$col["size"] == 7109 && !($$col["cpid"] in runs) { print "-m", $$2 } \
	    kind != "shmid" && int($$1 / 65536) == 7109 && !($$1 % 65536 in half) { \
	        print kind == "semid" ? "-s" : "-q", $$2 }' | \
	xargs -rt -n 2 ipcrm 2>&1

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.* ## /\1 /p' $(MAKEFILE_LIST) | \
	    while read -r target does; do printf 'make %-10s %s\n' "$$target" "$$does"; done
