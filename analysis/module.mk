# Reading traces: decode, state, checkers, reports.

# The one pass: events to state and observers.
analysis_core_srcs := \
	analysis/analysis.c \
	analysis/event_names.c \
	analysis/quality.c \
	analysis/range_set.c \
	analysis/state.c \
	analysis/state_commit.c \
	analysis/state_dump.c \
	analysis/state_op.c \
	analysis/state_settle.c \
	analysis/table.c

# From babeltrace2 to events.
analysis_decode_srcs := \
	analysis/decode.c \
	analysis/packets.c \
	analysis/read.c

# What is made of a trace: rules of the user, exports, the report.
rules_dot_srcs := \
	analysis/rules_automaton.c \
	analysis/rules_dot.c

analysis_srcs := \
	$(analysis_core_srcs) \
	$(analysis_decode_srcs) \
	$(rules_dot_srcs) \
	analysis/histogram.c
