# What is made of a trace: rules of the user, exports, the report.

rules_dot_srcs := \
	analysis/rules/rules_automaton.c \
	analysis/rules/rules_dot.c \
	analysis/rules/rules_words.c

rules_srcs := \
	analysis/rules/rules.c \
	analysis/rules/rules_print.c \
	analysis/rules/rules_run.c

report_srcs := \
	analysis/stats/histogram.c \
	analysis/state/live_mappings.c \
	analysis/report/page.c \
	analysis/report/report_collect.c \
	analysis/report/report_html.c \
	analysis/report/report_latency.c \
	analysis/report/report_space.c \
	analysis/report/timeline.c \
	analysis/stats/top.c

export_srcs := \
	analysis/export/export.c \
	analysis/export/export_json.c \
	analysis/export/export_perfetto.c \
	analysis/export/export_sqlite.c \
	analysis/export/proto_out.c

diff_srcs := \
	analysis/stats/diff.c \
	analysis/stats/diff_print.c \
	analysis/stats/stat_test.c

analysis_srcs += $(diff_srcs) $(rules_dot_srcs) $(rules_srcs) $(report_srcs) $(export_srcs)

# The report's page is built in, D3 from Debian's libjs-d3 with it.
D3_JS ?= /usr/share/javascript/d3/d3.min.js
D3_LICENCE ?= /usr/share/doc/libjs-d3/copyright
cflags_analysis_report_page := -DD3_JS='"$(D3_JS)"' -DD3_LICENCE='"$(D3_LICENCE)"'
$(O)/analysis/report/page.o: $(wildcard analysis/report/page/*) $(D3_JS) $(D3_LICENCE)
