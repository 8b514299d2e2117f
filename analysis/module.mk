# Reading traces: decode, state, checkers, reports.

# The one pass: events to state and observers.
# A rule is a file of its own and a row in rules.def: none is listed here.
check_rules_srcs := $(sort $(wildcard analysis/check/rule_*.c))

analysis_core_srcs := \
	analysis/analysis.c \
	analysis/check/check.c \
	analysis/check/check_print.c \
	$(check_rules_srcs) \
	analysis/event_names.c \
	analysis/json_add.c \
	analysis/quality.c \
	analysis/state/range_set.c \
	analysis/state/state.c \
	analysis/state/state_commit.c \
	analysis/state/state_dump.c \
	analysis/state/state_move.c \
	analysis/state/state_op.c \
	analysis/state/state_process.c \
	analysis/state/state_stack.c \
	analysis/linearize/linearize.c \
	analysis/stats/stats.c \
	analysis/stats/stats_device.c \
	analysis/stats/stats_print.c \
	analysis/table.c \
	$(text_srcs) \
	tracepoints/describe.c

# From babeltrace2 to events.
analysis_decode_srcs := \
	analysis/decode/decode.c \
	analysis/decode/decoded.c \
	analysis/decode/mip.c \
	analysis/decode/mux.c \
	analysis/decode/packets.c \
	analysis/decode/read.c \
	analysis/decode/reason.c \
	analysis/text/qemu_log.c \
	analysis/text/text_feed.c

# The same from LTTng's and our own streams, without babeltrace2.
analysis_decode_srcs += \
	analysis/ctf/feed.c \
	analysis/ctf/json.c \
	analysis/ctf/metadata.c \
	analysis/ctf/plan.c \
	analysis/ctf/plan_run.c \
	analysis/ctf/reader.c \
	analysis/ctf/stream.c \
	analysis/ctf/trace.c \
	analysis/ctf/tsdl.c \
	analysis/ctf/tsdl_types.c \
	analysis/ctf/tsdl_words.c

# An event takes some twenty calls of babeltrace2: straight, not by way of the PLT. A new call of
# the state is cleared by libc, which is faster than the `rep stos` that gcc puts there.
cflags_analysis_decode_decode := -fno-plt
cflags_analysis_decode_mux := -fno-plt
cflags_analysis_decode_read := -fno-plt
cflags_analysis_state_state_op := -fno-builtin-memset

analysis_srcs := \
	$(analysis_core_srcs) \
	$(analysis_decode_srcs)

include analysis/outputs.mk

# The babeltrace2 plugin: the same objects, loaded by the stock program.
plugin_srcs := \
	analysis/plugin/plugin.c \
	analysis/plugin/plugin_op.c \
	analysis/plugin/plugin_sink.c \
	analysis/decode/decode.c \
	analysis/decode/decoded.c \
	analysis/decode/mip.c \
	analysis/stats/histogram.c \
	$(analysis_core_srcs) \
	$(rules_dot_srcs) \
	$(rules_srcs)
cflags_analysis_plugin_plugin := -fvisibility=default

libs += $(B)/babeltrace2/babeltrace-plugin-ioasis.so

$(B)/babeltrace2/babeltrace-plugin-ioasis.so: $(call objs,$(plugin_srcs))
	$(link) -shared -Wl,-Bsymbolic \
		$(shell $(PKG_CONFIG) --libs babeltrace2 json-c 2>/dev/null)
