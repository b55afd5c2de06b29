# make            build everything into build/release
# make check      unit, corpus and command tests: fast
# make test       install what is missing, then run every test
# make demo       install what is missing, then a whole exchange on loopback
# make demo-up    the same, left running; make demo-down stops it
# make test-databases  PostgreSQL and MariaDB, if tests/deps databases was run
# make crash      power cuts, failing calls, kill -9, at length; SEEDS=, STATES=
# make bench      measure; writes build/bench.json
# make bench-big  measure a large audit log; ENTRIES=; writes build/bench-big.json
# make bench-grants  one grant of GRANTS=100000; writes build/bench-grants.json
# make lint       boundaries, format, cppcheck, manual pages, scripts
# make torture    unit tests with every failing allocation
# make coverage   lines tested           make fuzz     libFuzzer, needs clang
# make install    DESTDIR= PREFIX=     make hooks    git hooks of this tree
#
# Knobs: CC, CFLAGS, LDFLAGS, SAN=address,undefined | thread, WERROR=1, V=1,
# TEST_JOBS=3.
PREFIX  ?= /usr/local
DESTDIR ?=
SHELL   := /bin/sh
VERSION := $(shell sed -n 's/^\#define HT_VERSION "\(.*\)"/\1/p' lib/base/version.h)
PKGS    := libzmq libsodium lmdb msgpack jansson yaml-0.1 libpcre2-8 \
           smartcols libcrypto odbc

# --- variants: each has its own folder under build/ ---
comma := ,
ifdef SAN
  VARIANT   := san-$(subst $(comma),-,$(SAN))
  SAN_FLAGS := -fsanitize=$(SAN) -fno-sanitize-recover=all \
               -fno-omit-frame-pointer
  # Their checks of pointers make gcc take a union's first member for its size,
  # and lose sight of what was set.
  SAN_FLAGS += -Wno-stringop-overflow -Wno-maybe-uninitialized
  # Sanitizers and fortified calls do not mix.
  HARDEN    := -fstack-protector-strong -fPIE
else ifneq (,$(findstring clang,$(CC)))
  VARIANT   ?= clang
else
  VARIANT   ?= release
endif
HARDEN ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
B := build/$(VARIANT)

# With checks at every access, more optimising costs more than it saves.
CFLAGS   ?= $(if $(SAN),-O1,-O2) -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wconversion -Wvla -Wformat=2 -Wundef $(if $(WERROR),-Werror)
# Asked for once, at first use: nothing may run pkg-config before `make deps`.
once = $(eval $(1) := $(shell $(2)))$($(1))
PKG_CFLAGS = $(call once,PKG_CFLAGS,pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   = $(call once,PKG_LIBS,pkg-config --libs $(PKGS) 2>/dev/null)
# Of p11-kit the header alone: what a token's maker gives is loaded by its path.
P11_CFLAGS = $(call once,P11_CFLAGS,pkg-config --cflags p11-kit-1 2>/dev/null)
HT_CPPFLAGS = -D_GNU_SOURCE -I. $(PKG_CFLAGS) $(P11_CFLAGS)
HT_CFLAGS   = -std=gnu17 -MMD -MP $(WARNINGS) $(HARDEN) $(PIC) $(SAN_FLAGS)
HT_LDFLAGS  = -pie -Wl,-z,relro,-z,now,--as-needed $(SAN_FLAGS)
HT_LDLIBS   = $(PKG_LIBS) -pthread -lm

# --- what is built ---
# A program exists when its main file does; every other source of the rooms
# goes into libhutong.a.
MAIN_hutong         := adapters/hutong.c
MAIN_hutong-adapter := adapters/hutong-adapter.c
MAIN_hutong-broker  := broker/hutong-broker.c
MAIN_hutong-audit   := broker/hutong-audit.c
ALL_PROGRAMS := hutong hutong-adapter hutong-broker hutong-audit
PROGRAMS  := $(foreach p,$(ALL_PROGRAMS),$(if $(wildcard $(MAIN_$(p))),$(p)))
MAINS     := $(foreach p,$(PROGRAMS),$(MAIN_$(p)))
ROOMS     := lib keys schemas broker adapters
LIB_SRCS  := $(sort $(filter-out $(MAINS) %_main.c,\
               $(foreach r,$(ROOMS),$(wildcard $(r)/*.c $(r)/*/*.c))))
UNIT_SRCS := $(wildcard tests/unit/t_*.c)
FUZZ_SRCS := $(wildcard tests/fuzz/fuzz_*.c)
TLIB_SRCS := $(wildcard tests/lib/*.c)
BENCH_SRCS := $(wildcard tests/bench/*.c)
HELP_SRCS := $(wildcard tests/prog/*.c)
obj = $(patsubst %.c,$(B)/%.o,$(1))
LIB    := $(B)/libhutong.a
PROGS  := $(PROGRAMS:%=$(B)/%)
UNITS  := $(UNIT_SRCS:tests/unit/%.c=$(B)/tests/%)
FUZZ   := $(FUZZ_SRCS:tests/fuzz/%.c=$(B)/tests/%)
BENCH  := $(B)/bench/bench
# Small programs that shell tests need: one source each.
HELPS  := $(HELP_SRCS:tests/prog/%.c=$(B)/prog/%)
# Power cuts, failing calls, kill -9: tests/crash/README.md.
CRASH_SRCS := $(wildcard tests/crash/*.c)
CRASH := $(addprefix $(B)/crash/,recorder.so drive drive-blind check restored)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(patsubst $(B)/%,%,$@)';)

# Building and installing bear spaces in paths; the scripts of demo and tests
# do not, and it is better said at once.
BY_SCRIPTS := check test test-run test-databases demo demo-up demo-down crash \
              lint bench bench-big bench-grants examples coverage
ifneq (,$(and $(word 2,$(CURDIR)),$(filter $(BY_SCRIPTS),$(MAKECMDGOALS))))
  $(error '$(CURDIR)' has a space in it, which only `make all` and `make \
      install` bear: move the clone to a path without)
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all progs check test-run test test-databases demo demo-up demo-down \
        bench bench-big bench-grants deps torture crash fuzz fuzz-programs \
        lint examples format coverage hooks install clean FORCE

all: $(LIB) $(PROGS)

define program
$(B)/$(1): $(call obj,$(MAIN_$(1))) $(LIB)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))
$(PROGS):
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) $(HT_LDFLAGS) -o $@ $^ $(HT_LDLIBS)
# The library may go into a shared object, of a binding for instance.  That its
# functions can be replaced there is not promised, so calls stay direct.
$(call obj,$(LIB_SRCS)): PIC := -fPIC -fno-semantic-interposition
$(LIB): $(call obj,$(LIB_SRCS))
	$(call say,AR)rm -f $@ && $(AR) rcs $@ $^

WRAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup
# A hundred programs are linked for tests alone: by binutils' fast linker, where
# there is one (which has too much to say of clang's sanitizers).  Those that
# are installed are linked by the system's.
FAST_LD := $(if $(findstring clang,$(CC)),,$(if $(wildcard \
    /usr/bin/ld.gold),-fuse-ld=gold))
$(UNITS): $(B)/tests/%: $(B)/tests/unit/%.o $(call obj,$(TLIB_SRCS)) $(LIB)
	$(Q)mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) $(HT_LDFLAGS) $(FAST_LD) $(WRAP) \
	    -o $@ $^ $(HT_LDLIBS) -lcmocka
# libFuzzer brings its own main; without it replay.c plays the corpus.
REPLAY = $(if $(HT_LIBFUZZER),,$(call obj,tests/fuzz/replay.c))
$(FUZZ): $(B)/tests/%: $(B)/tests/fuzz/%.o $(REPLAY) $(B)/libtests.a $(LIB)
	$(Q)mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) $(HT_LDFLAGS) $(FAST_LD) -o $@ $^ \
	    $(HT_LDLIBS)
$(BENCH): $(call obj,$(BENCH_SRCS)) $(B)/libtests.a $(LIB)
	$(Q)mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) $(HT_LDFLAGS) -o $@ $^ $(HT_LDLIBS)
# They take from tests/lib what they name, and no more; and nothing of cmocka,
# which the demo does not install.
$(B)/libtests.a: $(call obj,$(shell grep -L '"tests/lib/test[.]h"' $(TLIB_SRCS)))
	$(call say,AR)rm -f $@ && $(AR) rcs $@ $^
$(HELPS): $(B)/prog/%: $(B)/tests/prog/%.o $(B)/libtests.a $(LIB)
	$(Q)mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) $(HT_LDFLAGS) -o $@ $^ $(HT_LDLIBS)
# The vault rolls after 24 KiB here, not after 256 MiB.
$(B)/crash/vault.o: broker/log/vault.c $(B)/.flags
	$(Q)mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(HT_CPPFLAGS) $(CFLAGS) $(HT_CFLAGS) \
	    -DHT_SEGMENT_MAX=24576u -c -o $@ $<
$(B)/crash/drive $(B)/crash/check $(B)/crash/restored: $(B)/crash/%: \
    $(B)/tests/crash/%.o $(B)/crash/vault.o $(B)/libtests.a $(LIB)
	$(Q)mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) $(HT_LDFLAGS) -o $@ $^ $(HT_LDLIBS)
# A log that signs without having read: a control that must be caught.
$(B)/crash/drive-blind: $(call obj,tests/crash/drive.c tests/crash/blind.c) \
    $(B)/crash/vault.o $(B)/libtests.a $(LIB)
	$(Q)mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) $(HT_LDFLAGS) \
	    -Wl,--wrap=ht_log_readback -o $@ $^ $(HT_LDLIBS)
# It stands under every program, so it has no sanitizer in it.
$(B)/crash/recorder.so: tests/crash/recorder.c tests/crash/trace.h $(B)/.flags
	$(Q)mkdir -p $(@D)
	$(call say,LD)$(CC) -D_GNU_SOURCE -I. -std=gnu17 $(WARNINGS) -O2 -g \
	    -fPIC -shared -o $@ $< -ldl -pthread
$(B)/%.o: %.c $(B)/.flags
	$(Q)mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(HT_CPPFLAGS) $(CFLAGS) $(HT_CFLAGS) -c -o $@ $<
# A script as the lines of a C array: what `export` puts beside a case.
$(B)/gen/broker/cli/verify_sh.inc: broker/cli/verify.sh
	$(Q)mkdir -p $(@D)
	$(call say,GEN)sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/"&",/' $< >$@
$(B)/broker/cli/export_script.o: $(B)/gen/broker/cli/verify_sh.inc
$(B)/broker/cli/export_script.o: HT_CPPFLAGS += -I$(B)/gen
# Objects are made anew when the compiler or what it is told changes: these
# flags stand in a file, which is written only if they are others.  WERROR
# changes no object.
FLAGS = $(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(P11_CFLAGS) $(CFLAGS) \
    $(filter-out -Werror,$(WARNINGS)) $(HARDEN) $(SAN_FLAGS) $(LDFLAGS)
# What is installed is what was built, whatever it was told.
ifeq ($(MAKECMDGOALS) $(wildcard $(B)/.flags),install $(B)/.flags)
  FLAGS = $(shell cat $(B)/.flags)
endif
$(B)/.flags: FORCE | $(B)/.ready
	$(Q)printf '%s\n' '$(FLAGS)' | cmp -s - $@ || \
	    printf '%s\n' '$(FLAGS)' >$@
FORCE:
# One clear sentence instead of a page of missing headers.
$(B)/.ready:
	$(Q)pkg-config --exists $(PKGS) p11-kit-1 2>/dev/null || { \
	    echo "Some libraries are missing; 'make deps' installs them:" >&2; \
	    tests/deps --list build >&2; exit 1; }
	$(Q)mkdir -p $(@D) && touch $@

# --- proof: prove is the only runner, and one summary closes it ---
TEST_ENV = HT_BUILD="$(CURDIR)/$(B)" CMOCKA_MESSAGE_OUTPUT=TAP \
    ASAN_OPTIONS=$${ASAN_OPTIONS:-strict_string_checks=1} \
    UBSAN_OPTIONS=$${UBSAN_OPTIONS:-print_stacktrace=1} \
    TSAN_OPTIONS=$${TSAN_OPTIONS:-suppressions="$(CURDIR)"/tests/tsan.supp}
# A test that hangs fails; one that fails says why.
PROVE := prove --exec 'tests/lib/run $(if $(SAN),900,300)'
# What runs nothing of ours is the same, whatever the compiler was told; and
# what a sanitizer sees in these, it sees in exchange.t, trust.t and audit.t.
SAN_LEAVES := $(if $(SAN),tests/cli/deps.t tests/cli/completion.t \
    tests/cli/install.t tests/cli/sheet.t tests/e2e/demo.t)
CLI_TESTS := $(filter-out $(SAN_LEAVES),$(wildcard tests/cli/*.t))
# The long ones first: what is short fills the gaps at the end.
E2E_LONG  := demo broker outage hostile-records exchange hostile
E2E_TESTS := $(filter-out $(SAN_LEAVES),$(E2E_LONG:%=tests/e2e/%.t) \
    $(filter-out $(E2E_LONG:%=tests/e2e/%.t),$(wildcard tests/e2e/*.t)))
CRASH_TESTS := $(wildcard tests/crash/*.t)
# Sources and vectors read the same whatever the compiler was told.
LINT_TESTS := $(if $(SAN),,$(wildcard tests/lint/*.t))
NEEDED    := $(LIB) $(PROGS) $(UNITS) $(FUZZ) $(HELPS) $(CRASH)
# The runner shows no test's own words; this one should be seen.
SHARED = $${HT_SHARED:-../shared}
say_skipped = $(Q)[ -d "$(SHARED)/vectors" ] || echo "No public test vectors" \
    "at $(SHARED)/vectors: tests skip them (see CONTRIBUTING.md)"

check: $(NEEDED)
	$(say_skipped)
	$(Q)$(TEST_ENV) $(PROVE) -Q -j2 $(UNITS) $(FUZZ) $(CLI_TESTS)
test:
	$(Q)tests/deps build demo test
	$(Q)$(MAKE) --no-print-directory test-run
# More than there are processors, for what starts daemons mostly waits.
TEST_JOBS ?= 3
test-run: $(NEEDED)
	$(say_skipped)
	$(Q)$(TEST_ENV) HT_TORTURE=1 $(PROVE) --timer -j$(TEST_JOBS) \
	    $(CRASH_TESTS) $(LINT_TESTS) $(E2E_TESTS) $(CLI_TESTS) $(UNITS) \
	    $(FUZZ)
# A server of each for a quarter of a minute; skipped where there is none.
test-databases: $(PROGS) $(HELPS)
	$(Q)$(TEST_ENV) $(PROVE) --directives tests/databases/*.t
# As make test, but every state that there is time for.
crash: $(PROGS) $(HELPS) $(CRASH)
	$(Q)HT_BUILD="$(CURDIR)/$(B)" tests/crash/at-length
torture: $(UNITS)
	$(Q)$(TEST_ENV) HT_TORTURE=1 $(PROVE) -j2 $(UNITS)
lint:
	$(Q)tests/deps test
	$(Q)$(PROVE) tests/lint/*.t
deps:
	$(Q)tests/deps build demo test
demo:
	$(Q)tests/deps build demo
	$(Q)$(MAKE) --no-print-directory -j2 all $(HELPS)
	$(Q)HT_BUILD="$(CURDIR)/$(B)" tests/demo/run
demo-up:
	$(Q)tests/deps build demo
	$(Q)$(MAKE) --no-print-directory -j2 all $(HELPS)
	$(Q)HT_BUILD="$(CURDIR)/$(B)" tests/demo/run up
demo-down:
	$(Q)HT_BUILD="$(CURDIR)/$(B)" tests/demo/run down
bench: $(PROGS) $(BENCH)
	$(Q)HT_BUILD="$(CURDIR)/$(B)" tests/bench/run
# A log of ENTRIES (a million; 1 GiB), kept in build/biglog for the next time.
bench-big: $(PROGS) $(B)/prog/biglog
	$(Q)HT_BUILD="$(CURDIR)/$(B)" tests/bench/run-big
# A catalog of GRANTS, kept in build/bigcatalog for the next time.
bench-grants: $(PROGS) $(B)/prog/bigcatalog $(B)/prog/effect
	$(Q)HT_BUILD="$(CURDIR)/$(B)" tests/bench/run-grants

fuzz-programs: $(FUZZ)
fuzz:
	$(Q)$(MAKE) VARIANT=fuzz CC=clang HARDEN=-fPIE HT_LIBFUZZER=1 \
	    LDFLAGS=-fsanitize=fuzzer,address,undefined \
	    CFLAGS='-O1 -g -fsanitize=fuzzer-no-link,address,undefined' \
	    fuzz-programs
	$(Q)for f in $(FUZZ_SRCS:tests/fuzz/%.c=%); do \
	    mkdir -p build/fuzz/corpus/$$f; \
	    build/fuzz/tests/$$f -max_total_time=$${SECONDS_EACH:-60} \
	        build/fuzz/corpus/$$f tests/fuzz/corpus/$${f#fuzz_} || exit 1; \
	done
coverage:
	$(Q)$(MAKE) VARIANT=cov HARDEN=-fPIE CFLAGS='-O0 -g --coverage' \
	    LDFLAGS=--coverage check
	$(Q)tests/coverage build/cov $(FILES)
# What the code says in docs/: the protocol's examples and codes, and the
# manual's programs.
examples: $(B)/prog/protocol
	$(Q)HT_BUILD="$(CURDIR)/$(B)" tests/lib/protocol-docs
	$(Q)tests/lib/manual-examples docs/man/hutong.3 >$(B)/page && \
	    cat $(B)/page >docs/man/hutong.3
format:
	$(Q)clang-format -i $$(git ls-files '*.[ch]')
hooks:
	git config core.hooksPath .githooks

# hutong.h and what it includes, under include/hutong; pkg-config says where.
define install_headers
	install -D -m 0644 adapters/hutong.h \
	    "$(DESTDIR)$(PREFIX)"/include/hutong/hutong.h
	set -e; for header in $$($(CC) $(HT_CPPFLAGS) -MM -MT x adapters/hutong.h | \
	    tr -d '\\' | tr ' ' '\n' | grep '/.*[.]h$$' | \
	    grep -v -e '^/' -e '^adapters/hutong[.]h$$'); do \
	    install -D -m 0644 $$header \
	        "$(DESTDIR)$(PREFIX)"/include/hutong/$$header; done
	install -d "$(DESTDIR)$(PREFIX)"/lib/pkgconfig
	printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$${prefix}/lib' \
	    'includedir=$${prefix}/include/hutong' '' 'Name: hutong' \
	    'Description: a node of the Hutong data exchange' \
	    'Version: $(VERSION)' 'Requires: $(PKGS)' \
	    'Libs: -L$${libdir} -lhutong -pthread -lm' 'Cflags: -I$${includedir}' \
	    > "$(DESTDIR)$(PREFIX)"/lib/pkgconfig/hutong.pc
endef
install: all
	install -d "$(DESTDIR)$(PREFIX)"/bin "$(DESTDIR)$(PREFIX)"/sbin
	set -e; for p in $(PROGRAMS); do case $$p in \
	    hutong|hutong-audit) to=bin ;; *) to=sbin ;; esac; \
	    install -m 0755 $(B)/$$p "$(DESTDIR)$(PREFIX)"/$$to/$$p; done
	install -D -m 0644 $(LIB) "$(DESTDIR)$(PREFIX)"/lib/libhutong.a
	$(if $(wildcard adapters/hutong.h),$(call install_headers))
	set -e; for page in docs/man/*.[1-8]; do [ -f "$$page" ] || continue; \
	    install -D -m 0644 $$page \
	    "$(DESTDIR)$(PREFIX)"/share/man/man$${page##*.}/$${page##*/}; done
	install -d "$(DESTDIR)$(PREFIX)"/share/doc/hutong/examples
	install -m 0644 docs/examples/*.c \
	    "$(DESTDIR)$(PREFIX)"/share/doc/hutong/examples
	set -e; for p in $(PROGRAMS); do \
	    install -D -m 0644 docs/completion.bash \
	    "$(DESTDIR)$(PREFIX)"/share/bash-completion/completions/$$p; done
	set -e; for file in docs/formats/*.json; do \
	    install -D -m 0644 $$file \
	    "$(DESTDIR)$(PREFIX)"/share/hutong/formats/$${file##*/}; done
clean:
	rm -rf build

-include $(patsubst %.o,%.d,$(call obj,$(LIB_SRCS) $(MAINS) $(UNIT_SRCS) \
    $(FUZZ_SRCS) $(TLIB_SRCS) $(BENCH_SRCS) $(HELP_SRCS) $(CRASH_SRCS) \
    tests/fuzz/replay.c)) $(B)/crash/vault.d
