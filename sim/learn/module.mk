# The learning page: the engine, the event core and the scenarios in WebAssembly, one HTML file.
# Not part of `all`: emscripten is large. docs/SETUP.md says what it needs.

EMCC ?= emcc
NODE ?= node
CMARK ?= cmark
CODEMIRROR ?= /usr/share/javascript/codemirror
CODEMIRROR_LICENCE ?= /usr/share/doc/libjs-codemirror/copyright

# What a page has not: traces on disk, results to join, devices to replay on, JSON of users.
learn_without := backend/options.c sim/scenario/ctf_uuid.c sim/scenario/ctf_writer.c \
	sim/scenario/merge.c sim/scenario/merge_draw.c sim/scenario/replay.c \
	sim/scenario/simulate.c analysis/stats/stats.c analysis/stats/stats_print.c

learn_own_srcs := \
	sim/learn/host.c \
	sim/learn/learn.c \
	sim/learn/watch.c

learn_srcs = $(sort $(filter-out $(learn_without),$(engine_srcs) $(inproc_srcs) $(des_srcs) \
	$(scenario_srcs) $(backend_srcs) $(analysis_core_srcs)) analysis/decode/decoded.c \
	$(learn_own_srcs))

L := $(B)/learn
learn_site := $(B)/learn-site
libyaml_srcs := api loader parser reader scanner
learn_objs = $(learn_srcs:%.c=$(L)/obj/%.o) $(libyaml_srcs:%=$(L)/obj/libyaml/%.o)

# Sections, so that what the page does not call, and what that would need, is left out.
learn_cflags := -O2 -ffunction-sections -fdata-sections
learn_warn := -Wall -Wextra -Wshadow $(if $(filter 1,$(WERROR)),-Werror)
# Debian's emcc finds its modules there also where another node is installed.
learn_emcc := NODE_PATH=/usr/share/nodejs $(EMCC)
# Exactly what learn.h declares.
learn_exports = $(shell sed -nE 's/^[a-z].*(learn_[a-z_]+).*;$$/_\1/p' sim/learn/learn.h)
empty :=
comma := ,
space := $(empty) $(empty)

learn_page := $(sort $(wildcard sim/learn/page/*))

.PHONY: learn-site learn-site-now check-learn

# A second make, since emcc may have been missing when this one started.
learn-site:
	$(Q)./install-packages build learn
	$(Q)$(MAKE) --no-print-directory learn-site-now

learn-site-now: $(learn_site)/index.html

$(L)/libyaml/License: sim/learn/libyaml.sh
	$(say) FETCH libyaml
	$(Q)sim/learn/libyaml.sh $(L)/libyaml
	@touch $@

# json-c's header alone: of what uses it nothing is linked.
$(L)/include/json-c:
	@mkdir -p $(@D)
	$(Q)ln -sfn $(patsubst -I%,%,$(firstword $(filter %json-c,$(shell $(PKG_CONFIG) --cflags json-c)))) $@

$(L)/obj/libyaml/%.o: $(L)/libyaml/License
	@mkdir -p $(@D)
	$(say) EMCC libyaml/$*.c
	$(Q)$(learn_emcc) $(learn_cflags) -I$(L)/libyaml/include -DYAML_VERSION_STRING='"0.2"' \
		-DYAML_VERSION_MAJOR=0 -DYAML_VERSION_MINOR=2 -DYAML_VERSION_PATCH=0 \
		-c $(L)/libyaml/src/$*.c -o $@

$(L)/obj/%.o: %.c $(L)/libyaml/License | $(L)/include/json-c
	@mkdir -p $(@D)
	$(say) EMCC $<
	$(Q)$(learn_emcc) $(learn_cflags) $(learn_warn) -std=gnu11 -D_GNU_SOURCE \
		-DIOASIS_VERSION='"$(VERSION)"' -include sim/learn/host.h -I. -Ibackend/include \
		-I$(L)/libyaml/include -I$(L)/include -MMD -MP -c $< -o $@

$(L)/engine.js: $(learn_objs) sim/learn/module.mk sim/learn/learn.h
	$(say) EMCC $@
	$(Q)$(learn_emcc) $(learn_cflags) $(learn_objs) -o $@ -Wl,--gc-sections -sMODULARIZE=1 \
		-sEXPORT_NAME=createEngine -sSINGLE_FILE=1 -sALLOW_MEMORY_GROWTH=1 \
		-sENVIRONMENT=worker,node -sEXPORTED_RUNTIME_METHODS=ccall,HEAPF64,stringToUTF8,lengthBytesUTF8 \
		-sTOTAL_STACK=5242880 \
		-sEXPORTED_FUNCTIONS=_malloc,_free,$(subst $(space),$(comma),$(learn_exports))

-include $(shell find $(L)/obj -name '*.d' 2>/dev/null)

$(learn_site)/index.html: $(L)/engine.js sim/learn/build_page.mjs $(learn_page) docs/LEARN.md \
		$(wildcard sim/scenarios/*.yaml)
	@mkdir -p $(@D)
	$(say) PAGE $@
	$(Q)$(NODE) sim/learn/build_page.mjs $@ $(L)/engine.js $(D3_JS) $(D3_LICENCE) $(CODEMIRROR) \
		$(CODEMIRROR_LICENCE) $(L)/libyaml/License $(VERSION) $(CMARK)

# The page in a headless Chromium, and its engine next to the program.
check-learn: learn-site all
	$(Q)./install-packages test
	$(Q)BUILD=$(abspath $(B)) tests/run -t 600 tests/learn/same.sh tests/learn/page.sh
