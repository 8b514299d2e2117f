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

analysis_srcs := \
	$(analysis_core_srcs) \
	$(analysis_decode_srcs)

include analysis/outputs.mk
