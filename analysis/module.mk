# Reading traces: decode, state, checkers, reports.

# The one pass: events to state and observers.
analysis_core_srcs := \
	analysis/analysis.c \
	analysis/check.c \
	analysis/check_backend.c \
	analysis/check_call.c \
	analysis/check_dma.c \
	analysis/check_id.c \
	analysis/check_layers.c \
	analysis/check_print.c \
	analysis/check_space.c \
	analysis/event_names.c \
	analysis/quality.c \
	analysis/range_set.c \
	analysis/state.c \
	analysis/state_commit.c \
	analysis/state_dump.c \
	analysis/state_op.c \
	analysis/state_settle.c \
	analysis/stats.c \
	analysis/stats_print.c \
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
