/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sinks of the babeltrace2 plugin: plugin.c registers them. */
#ifndef IOASIS_ANALYSIS_PLUGIN_SINK_H
#define IOASIS_ANALYSIS_PLUGIN_SINK_H

#include <babeltrace2/babeltrace.h>

bt_component_class_initialize_method_status
check_sink_init(bt_self_component_sink *self, bt_self_component_sink_configuration *config,
		const bt_value *params, void *data);
bt_component_class_initialize_method_status
stats_sink_init(bt_self_component_sink *self, bt_self_component_sink_configuration *config,
		const bt_value *params, void *data);

/* Shared by both. */
bt_component_class_sink_graph_is_configured_method_status
plugin_sink_configured(bt_self_component_sink *self);
bt_component_class_sink_consume_method_status plugin_sink_consume(bt_self_component_sink *self);
void plugin_sink_finalize(bt_self_component_sink *self);

#endif
