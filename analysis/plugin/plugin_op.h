/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The filter of the babeltrace2 plugin: plugin.c registers it. */
#ifndef IOASIS_ANALYSIS_PLUGIN_OP_H
#define IOASIS_ANALYSIS_PLUGIN_OP_H

#include <babeltrace2/babeltrace.h>

bt_component_class_initialize_method_status
op_filter_init(bt_self_component_filter *self, bt_self_component_filter_configuration *config,
	       const bt_value *params, void *data);

bt_message_iterator_class_initialize_method_status
op_iterator_init(bt_self_message_iterator *self, bt_self_message_iterator_configuration *config,
		 bt_self_component_port_output *port);
bt_message_iterator_class_next_method_status op_iterator_next(bt_self_message_iterator *self,
							       bt_message_array_const messages,
							       uint64_t capacity, uint64_t *count);
void op_iterator_finalize(bt_self_message_iterator *self);

#endif
