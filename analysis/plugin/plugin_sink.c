/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sink.ioasis.check and sink.ioasis.stats: the checker and the tables behind any
 * babeltrace2 source. At the end of the messages they print what `ioasis check`
 * and `ioasis stats` print.
 *
 * Parameters of both:  json (boolean)      print JSON
 *                      output (string)     a file to write; default: standard output
 * of check:            budget-ns (unsigned)      of every call of the backend
 *                      still-running (boolean)   what lives at the end is no leak
 *                      rules (string, or array of strings)   files with rules of the user
 * of stats:            by (string)         operation, process or space
 */
#include "analysis/plugin/plugin_sink.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/analysis.h"
#include "analysis/check/check.h"
#include "analysis/decode/decode.h"
#include "analysis/rules/rules.h"
#include "analysis/stats/stats.h"

struct plugin_sink {
	struct analysis *analysis;
	struct decoder *decoder;
	struct check *check; /* with rules, or */
	struct rules *rules;
	struct stats *stats;
	enum stats_view view;
	bool json;
	bool still_running;
	FILE *out; /* owned unless standard output */
	bt_message_iterator *messages;
};

#define blame(self, ...) \
	BT_CURRENT_THREAD_ERROR_APPEND_CAUSE_FROM_COMPONENT( \
		bt_self_component_sink_as_self_component(self), __VA_ARGS__)

static void sink_free(struct plugin_sink *sink)
{
	if (!sink)
		return;
	if (sink->out && sink->out != stdout)
		fclose(sink->out);
	bt_message_iterator_put_ref(sink->messages);
	decoder_destroy(sink->decoder);
	check_destroy(sink->check);
	rules_destroy(sink->rules);
	stats_destroy(sink->stats);
	analysis_destroy(sink->analysis);
	free(sink);
}

/* ---- parameters ----------------------------------------------------------------- */

struct reading {
	bt_self_component_sink *self;
	struct plugin_sink *sink;
	struct check_config *config; /* of a check, else NULL */
	bool is_check;
};

static bool read_by(struct reading *reading, const char *by)
{
	if (stats_view_find(by, &reading->sink->view))
		return true;
	blame(reading->self, "parameter 'by' is " STATS_VIEWS_TEXT ", not '%s'", by);
	return false;
}

static bool read_output(struct reading *reading, const char *path)
{
	reading->sink->out = fopen(path, "we");
	if (!reading->sink->out)
		blame(reading->self, "%s: %s", path, strerror(errno));
	return reading->sink->out != NULL;
}

static bool read_rule(struct reading *reading, const bt_value *path)
{
	struct rules_error error = { .text = "" };

	if (!bt_value_is_string(path)) {
		blame(reading->self, "parameter 'rules' is a path or an array of paths");
		return false;
	}
	if (!rules_add(reading->sink->rules, bt_value_string_get(path), &error))
		return true;
	blame(reading->self, "%s", error.text[0] ? error.text : "out of memory");
	return false;
}

/* One path or an array of them. */
static bool read_rules(struct reading *reading, const bt_value *value)
{
	if (!bt_value_is_array(value))
		return read_rule(reading, value);
	for (uint64_t i = 0; i < bt_value_array_get_length(value); i++) {
		if (!read_rule(reading, bt_value_array_borrow_element_by_index_const(value, i)))
			return false;
	}
	return true;
}

static bt_value_map_foreach_entry_const_func_status
read_param(const char *name, const bt_value *value, void *data)
{
	struct reading *reading = data;
	bool known = true, ok = true;

	if (!strcmp(name, "json") && bt_value_is_bool(value)) {
		reading->sink->json = bt_value_bool_get(value);
	} else if (!strcmp(name, "output") && bt_value_is_string(value)) {
		ok = read_output(reading, bt_value_string_get(value));
	} else if (reading->is_check && !strcmp(name, "still-running") &&
		   bt_value_is_bool(value)) {
		reading->sink->still_running = bt_value_bool_get(value);
	} else if (reading->is_check && !strcmp(name, "budget-ns") &&
		   (bt_value_is_unsigned_integer(value) || bt_value_is_signed_integer(value))) {
		uint64_t ns = bt_value_is_unsigned_integer(value) ?
			bt_value_integer_unsigned_get(value) :
			(uint64_t)bt_value_integer_signed_get(value);

		for (int op = OP_NONE + 1; op < OP_IOCTL; op++)
			reading->config->latency_ns[op] = ns;
	} else if (reading->is_check && !strcmp(name, "rules")) {
		ok = read_rules(reading, value);
	} else if (!reading->is_check && !strcmp(name, "by") && bt_value_is_string(value)) {
		ok = read_by(reading, bt_value_string_get(value));
	} else {
		known = false;
	}
	if (!known)
		blame(reading->self, "parameter '%s' is unknown or of the wrong type; %s", name,
		      reading->is_check ? "json, output, budget-ns, still-running, rules are known"
					: "json, output, by are known");
	return known && ok ? BT_VALUE_MAP_FOREACH_ENTRY_CONST_FUNC_STATUS_OK
			   : BT_VALUE_MAP_FOREACH_ENTRY_CONST_FUNC_STATUS_ERROR;
}

/* ---- life ----------------------------------------------------------------------- */

static bt_component_class_initialize_method_status
sink_init(bt_self_component_sink *self, const bt_value *params, bool is_check)
{
	struct plugin_sink *sink = calloc(1, sizeof(*sink));
	struct check_config config = { 0 };
	struct reading reading = { self, sink, &config, is_check };

	if (sink)
		sink->rules = rules_create();
	if (!sink || !sink->rules) {
		sink_free(sink);
		return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_MEMORY_ERROR;
	}
	if (bt_value_map_foreach_entry_const(params, read_param, &reading) !=
		    BT_VALUE_MAP_FOREACH_ENTRY_CONST_STATUS_OK ||
	    bt_self_component_sink_add_input_port(self, "in", NULL, NULL) !=
		    BT_SELF_COMPONENT_ADD_PORT_STATUS_OK) {
		sink_free(sink);
		return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_ERROR;
	}
	if (!sink->out)
		sink->out = stdout;
	sink->analysis = analysis_create();
	if (sink->analysis) {
		sink->decoder = decoder_create(sink->analysis);
		if (is_check)
			sink->check = check_create(sink->analysis, &config);
		else
			sink->stats = stats_create(sink->analysis);
	}
	if (!sink->decoder || (!sink->check && !sink->stats) ||
	    rules_observe(sink->rules, sink->analysis)) {
		sink_free(sink);
		return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_MEMORY_ERROR;
	}
	bt_self_component_set_data(bt_self_component_sink_as_self_component(self), sink);
	return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

bt_component_class_initialize_method_status
check_sink_init(bt_self_component_sink *self, bt_self_component_sink_configuration *config,
		const bt_value *params, void *data)
{
	(void)config;
	(void)data;
	return sink_init(self, params, true);
}

bt_component_class_initialize_method_status
stats_sink_init(bt_self_component_sink *self, bt_self_component_sink_configuration *config,
		const bt_value *params, void *data)
{
	(void)config;
	(void)data;
	return sink_init(self, params, false);
}

static struct plugin_sink *sink_of(bt_self_component_sink *self)
{
	return bt_self_component_get_data(bt_self_component_sink_as_self_component(self));
}

void plugin_sink_finalize(bt_self_component_sink *self)
{
	sink_free(sink_of(self));
}

bt_component_class_sink_graph_is_configured_method_status
plugin_sink_configured(bt_self_component_sink *self)
{
	if (bt_message_iterator_create_from_sink_component(
		    self, bt_self_component_sink_borrow_input_port_by_index(self, 0),
		    &sink_of(self)->messages) !=
	    BT_MESSAGE_ITERATOR_CREATE_FROM_SINK_COMPONENT_STATUS_OK)
		return BT_COMPONENT_CLASS_SINK_GRAPH_IS_CONFIGURED_METHOD_STATUS_ERROR;
	return BT_COMPONENT_CLASS_SINK_GRAPH_IS_CONFIGURED_METHOD_STATUS_OK;
}

/* ---- messages ------------------------------------------------------------------- */

static void sink_print(struct plugin_sink *sink)
{
	struct json_object *object;

	analysis_finish(sink->analysis, sink->still_running);
	if (sink->json) {
		object = sink->check ? rules_to_json_with(sink->rules, sink->check)
				     : stats_to_json(sink->stats);
		fprintf(sink->out, "%s\n",
			json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY));
		json_object_put(object);
	} else if (sink->check) {
		rules_print_with(sink->rules, sink->check, sink->out);
	} else {
		stats_print(sink->stats, sink->view, sink->out);
	}
	fflush(sink->out);
}

bt_component_class_sink_consume_method_status plugin_sink_consume(bt_self_component_sink *self)
{
	struct plugin_sink *sink = sink_of(self);
	bt_message_array_const messages;
	bt_message_iterator_next_status status;
	uint64_t count;
	int ret = 0;

	status = bt_message_iterator_next(sink->messages, &messages, &count);
	if (status == BT_MESSAGE_ITERATOR_NEXT_STATUS_END)
		sink_print(sink);
	if (status != BT_MESSAGE_ITERATOR_NEXT_STATUS_OK)
		return (bt_component_class_sink_consume_method_status)status;
	for (uint64_t i = 0; i < count; i++) {
		if (!ret)
			ret = decoder_message_untimed(sink->decoder, messages[i]);
		bt_message_put_ref(messages[i]);
	}
	if (!ret)
		return BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_OK;
	blame(self, "%s", ret == -EINVAL ? "a stream has no clock" : strerror(-ret));
	return BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_ERROR;
}
