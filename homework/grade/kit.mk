# Builds bin/NAME from NAME/NAME.c. `make help` lists the targets.

NAMES  := $(patsubst %/,%,$(dir $(wildcard */*.bats)))
CFLAGS = -g -O2
STRICT = -std=gnu11 -Wall -Wextra -Wpedantic
P      =

$(if $(filter-out $(NAMES),$P),$(error P=$P: there is no such assignment))
.PHONY: all check watch clean help

all: $(NAMES:%=bin/%) ## build all programs, into bin

bin/%: | bin
	$(CC) $(STRICT) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -pthread $(LDLIBS)
$(foreach n,$(NAMES),$(eval bin/$n: $n/$n.c))

bin:
	mkdir -p $@

# It says which process waits for which, and at which line.
bin/lanes: $(wildcard grade/lanes/*) | bin
	@$(CC) -O1 -o $@ $(filter %.c,$^)

check: bin/lanes ## your points, and why a test fails
##   P=connect2   of one assignment
	@grade/one -f -n total . $(or $P,$(NAMES))

watch: ## the same, again and again, when you save a file
##   P=connect2   of one assignment
	@command -v entr >/dev/null || { echo 'missing: sudo apt-get install -y entr'; exit 1; }
	@ls $(or $(P:%=%/%.c),$(NAMES:%=*/%.c)) | entr -c $(MAKE) -s check P=$P

clean: ## remove what make builds
	rm -rf bin

help: ## print this list
	@awk -F ' ## ' '\
	    /^[a-z-]+:.* ## / { printf "make %-7s %s\n", substr($$1, 1, index($$1, ":") - 1), $$2 } \
	    sub(/^## /, "") { printf "%13s%s\n", "", $$0 }' Makefile
