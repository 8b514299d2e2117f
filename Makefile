# ioasis. `make` builds, `make demo` and `make check` also install what is missing.
#
#   make V=1          show the commands        make WERROR=1   warnings are errors
#   make CFLAGS=...   your flags come last     make PROFILE=asan|ubsan|tsan|O0
#   make O=DIR        builds in DIR, as does `make -f SOURCES/Makefile` from DIR
#
# Each folder lists its own sources in module.mk; everything built lands in build/
# (build/<profile>/ for another profile than the default one), or in O=DIR.

top := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))

ifneq ($(CURDIR),$(top))
# From another folder: the same goals, with this folder to build in.
.DEFAULT_GOAL := all
.PHONY: all FORCE
all $(filter-out all,$(MAKECMDGOALS)): FORCE
	@$(MAKE) --no-print-directory -C '$(top)' O='$(if $(O),$(abspath $(O)),$(CURDIR))' $@
FORCE: ;
Makefile $(MAKEFILE_LIST): ;
else

PROFILE ?= default
VERSION := 0.3.0

# Where `make install` puts what; DESTDIR goes before all of them.
DESTDIR ?=
prefix ?= /usr/local
bindir ?= $(prefix)/bin
includedir ?= $(prefix)/include
libdir ?= $(prefix)/lib
datadir ?= $(prefix)/share
mandir ?= $(datadir)/man
docdir ?= $(datadir)/doc/ioasis
# Of babeltrace2: the stock program looks here below its own libdir.
btplugindir ?= $(libdir)/babeltrace2/plugins

# $(out): all that is built; $(B): of this profile; $(O): its objects.
out := $(if $(O),$(abspath $(O)),build)
B := $(out)$(if $(filter-out default,$(PROFILE)),/$(PROFILE))
override O := $(B)/obj

CC ?= cc
CXX ?= c++
AR ?= ar
PKG_CONFIG ?= pkg-config

opt_default := -O2 -g
opt_O0 := -O0 -g
opt_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
opt_ubsan := -O1 -g -fsanitize=undefined -fno-sanitize-recover=undefined
opt_tsan := -O1 -g -fsanitize=thread
opt_coverage := -O0 -g --coverage -fprofile-update=prefer-atomic
ifndef opt_$(PROFILE)
$(error PROFILE=$(PROFILE) is unknown; it is one of default O0 asan ubsan tsan coverage)
endif
san_asan := -fsanitize=address,undefined
san_ubsan := -fsanitize=undefined
san_tsan := -fsanitize=thread
san_coverage := --coverage

warn := -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes
ifeq ($(WERROR),1)
warn += -Werror
endif

# What pkg-config knows about; empty until the packages are installed (make deps).
pkgs := fuse3 libdw lttng-ust babeltrace2 glib-2.0 json-c sqlite3 yaml-0.1
pkg_cflags := $(shell $(PKG_CONFIG) --cflags $(pkgs) 2>/dev/null)
pkg_cflags += $(shell $(PKG_CONFIG) --atleast-version=2.1 babeltrace2 2>/dev/null && echo -DIOASIS_BABELTRACE_2_1)

# Nothing of what is built names the folder that it was built in.
prefix_map := -ffile-prefix-map='$(top)'=.
all_cflags = -std=gnu11 -fPIC -pthread -fvisibility=hidden $(opt_$(PROFILE)) $(warn) $(prefix_map) \
	-D_GNU_SOURCE -DIOASIS_MULTIARCH='"$(multiarch)"' -DIOASIS_VERSION='"$(VERSION)"' -I. -Ibackend/include $(pkg_cflags) $(CFLAGS)
all_ldflags = -pthread $(san_$(PROFILE)) $(LDFLAGS)

# Debian's folder of this architecture below lib; empty elsewhere.
multiarch := $(shell $(CC) -print-multiarch 2>/dev/null)

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
endif

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:

# Targets and files to build; the modules add to these.
libs :=
programs :=
tests :=

# $(call objs,SOURCES): where their objects are.
objs = $(patsubst %.c,$(O)/%.o,$(filter %.c,$(1))) $(patsubst %.cc,$(O)/%.o,$(filter %.cc,$(1)))

# A recipe that links says `$(link)`, then what else the linker is to know.
define link
@mkdir -p $(@D)
$(say) LD $@
$(Q)$(CC) $(all_ldflags) -o $@ $(filter %.o %.a,$^)
endef

# Modules say `@mkdir -p $(@D)` before they write below $(B).
include tracepoints/module.mk
include backend/module.mk
include text/module.mk
include sim/module.mk
include analysis/module.mk
include tests/bench/module.mk
include cli/module.mk
include sim/learn/module.mk
include packaging/module.mk
include tests/module.mk

.PHONY: all tests deps deps-check clean
all: $(libs) $(programs)
tests: all $(tests)

# Installs what is missing; the second also what the tests need.
deps:
	$(Q)./install-packages build run
deps-check:
	$(Q)./install-packages build run test

clean:
	$(Q)rm -rf $(out)/obj $(out)/tests $(out)/asan $(out)/ubsan $(out)/tsan $(out)/O0 \
		$(patsubst $(B)/%,$(out)/%,$(libs) $(programs)) $(out)/libioasis-backend.so.* \
		$(out)/babeltrace2 $(out)/share $(out)/demo $(out)/fuzz $(out)/deb \
		$(out)/learn $(out)/learn-site
	$(Q)rmdir $(out) 2>/dev/null || true

# All objects are made anew when the compiler or its flags change (-Werror apart).
flags_text = $(filter-out -Werror,$(CC) $(CXX) $(all_cflags) $(CXXFLAGS) $(all_ldflags))
.PHONY: FORCE
FORCE:
$(O)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(flags_text))' | cmp -s - $@ || \
		printf '%s\n' '$(subst ','\'',$(flags_text))' > $@

$(O)/%.o: %.c $(O)/flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(all_cflags) $(cflags_$(subst /,_,$(basename $<))) -MMD -MP -c -o $@ $<

$(O)/%.o: %.cc $(O)/flags
	@mkdir -p $(@D)
	$(say) CXX $<
	$(Q)$(CXX) -std=c++17 -fPIC -pthread $(opt_$(PROFILE)) -Wall -Wextra $(filter -Werror,$(warn)) $(prefix_map) -I. -Ibackend/include \
		$(CXXFLAGS) -MMD -MP -c -o $@ $<

-include $(shell find $(O) -name '*.d' 2>/dev/null)

endif
