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

# The babeltrace2 plugin: the same objects, loaded by the stock program.
plugin_srcs := \
	analysis/plugin.c \
	analysis/plugin_op.c \
	analysis/plugin_sink.c \
	analysis/decode.c \
	analysis/histogram.c \
	$(analysis_core_srcs)
cflags_analysis_plugin := -fvisibility=default

libs += $(B)/babeltrace2/babeltrace-plugin-ioasis.so

$(B)/babeltrace2/babeltrace-plugin-ioasis.so: $(call objs,$(plugin_srcs))
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(all_ldflags) -shared -Wl,-Bsymbolic -o $@ $^ \
		$(shell $(PKG_CONFIG) --libs babeltrace2 json-c 2>/dev/null)
