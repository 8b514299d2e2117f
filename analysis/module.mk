# Reading traces: decode, state, checkers, reports.

analysis_srcs := \
	analysis/quality.c \
	analysis/range_set.c \
	analysis/table.c

# What is made of a trace: rules of the user, exports, the report.
rules_dot_srcs := \
	analysis/rules_automaton.c \
	analysis/rules_dot.c

analysis_srcs += $(rules_dot_srcs) \
	analysis/histogram.c
