# What is made of a trace: rules of the user, exports, the report.

rules_dot_srcs := \
	analysis/rules_automaton.c \
	analysis/rules_dot.c \
	analysis/rules_words.c

rules_srcs := \
	analysis/rules.c \
	analysis/rules_print.c \
	analysis/rules_run.c

report_srcs := \
	analysis/histogram.c \
	analysis/json_out.c \
	analysis/live_mappings.c \
	analysis/page.c \
	analysis/report_collect.c \
	analysis/report_html.c \
	analysis/report_space.c \
	analysis/timeline.c \
	analysis/top.c

export_srcs := \
	analysis/export.c \
	analysis/export_json.c \
	analysis/export_perfetto.c \
	analysis/export_sqlite.c \
	analysis/proto_out.c

diff_srcs := \
	analysis/diff.c \
	analysis/stat_test.c

analysis_srcs += $(diff_srcs) $(rules_dot_srcs) $(rules_srcs) $(report_srcs) $(export_srcs)

# The report's page is built in, D3 from Debian's libjs-d3 with it.
D3_JS ?= /usr/share/javascript/d3/d3.min.js
D3_LICENCE ?= /usr/share/doc/libjs-d3/copyright
cflags_analysis_page := -DD3_JS='"$(D3_JS)"' -DD3_LICENCE='"$(D3_LICENCE)"'
$(O)/analysis/page.o: $(wildcard analysis/page/*) $(D3_JS) $(D3_LICENCE)
