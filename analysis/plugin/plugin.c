/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The babeltrace2 plugin `ioasis`: babeltrace2 --plugin-path DIR ... -c sink.ioasis.check
 *
 * The same code as in the program: plugin_sink.c and plugin_op.c say what the
 * components do and take.
 */
#include "analysis/decode/mip.h"
#include "analysis/plugin/plugin_op.h"
#include "analysis/plugin/plugin_sink.h"

BT_PLUGIN_MODULE();

BT_PLUGIN(ioasis);
BT_PLUGIN_DESCRIPTION("Check and measure the DMA mapping calls of iommufd clients");
BT_PLUGIN_LICENSE("GPL-2.0-or-later");

/* The versions of babeltrace2's protocol that we speak: see analysis/decode/mip.h. */
static bt_component_class_get_supported_mip_versions_method_status
add_mip_versions(bt_integer_range_set_unsigned *versions)
{
	return bt_integer_range_set_unsigned_add_range(versions, 0, MIP_NEWEST) ==
			       BT_INTEGER_RANGE_SET_ADD_RANGE_STATUS_OK
		       ? BT_COMPONENT_CLASS_GET_SUPPORTED_MIP_VERSIONS_METHOD_STATUS_OK
		       : BT_COMPONENT_CLASS_GET_SUPPORTED_MIP_VERSIONS_METHOD_STATUS_MEMORY_ERROR;
}

static bt_component_class_get_supported_mip_versions_method_status
sink_mip_versions(bt_self_component_class_sink *self, const bt_value *params, void *data,
		  bt_logging_level level, bt_integer_range_set_unsigned *versions)
{
	(void)self;
	(void)params;
	(void)data;
	(void)level;
	return add_mip_versions(versions);
}

static bt_component_class_get_supported_mip_versions_method_status
filter_mip_versions(bt_self_component_class_filter *self, const bt_value *params, void *data,
		    bt_logging_level level, bt_integer_range_set_unsigned *versions)
{
	(void)self;
	(void)params;
	(void)data;
	(void)level;
	return add_mip_versions(versions);
}

BT_PLUGIN_SINK_COMPONENT_CLASS(check, plugin_sink_consume);
BT_PLUGIN_SINK_COMPONENT_CLASS_DESCRIPTION(check, "Check that the rules of DMA mapping hold");
BT_PLUGIN_SINK_COMPONENT_CLASS_HELP(
	check,
	"At the end of the messages it prints what 'ioasis check' prints.\n\n"
	"Initialization parameters, none is needed:\n\n"
	"  json=BOOL           print JSON\n"
	"  output=STRING       file to write (default: standard output)\n"
	"  budget-ns=INT       calls that take longer break the rule 'latency'\n"
	"  still-running=BOOL  what lives at the end is no leak\n"
	"  rules=STRING        a file with a rule of your own, or an array of them");
BT_PLUGIN_SINK_COMPONENT_CLASS_GET_SUPPORTED_MIP_VERSIONS_METHOD(check, sink_mip_versions);
BT_PLUGIN_SINK_COMPONENT_CLASS_INITIALIZE_METHOD(check, check_sink_init);
BT_PLUGIN_SINK_COMPONENT_CLASS_FINALIZE_METHOD(check, plugin_sink_finalize);
BT_PLUGIN_SINK_COMPONENT_CLASS_GRAPH_IS_CONFIGURED_METHOD(check, plugin_sink_configured);

BT_PLUGIN_SINK_COMPONENT_CLASS(stats, plugin_sink_consume);
BT_PLUGIN_SINK_COMPONENT_CLASS_DESCRIPTION(stats, "Count and time the calls");
BT_PLUGIN_SINK_COMPONENT_CLASS_HELP(
	stats,
	"At the end of the messages it prints what 'ioasis stats' prints.\n\n"
	"Initialization parameters, none is needed:\n\n"
	"  json=BOOL      print JSON\n"
	"  output=STRING  file to write (default: standard output)\n"
	"  by=STRING      a row per what: operation (default), process or space");
BT_PLUGIN_SINK_COMPONENT_CLASS_GET_SUPPORTED_MIP_VERSIONS_METHOD(stats, sink_mip_versions);
BT_PLUGIN_SINK_COMPONENT_CLASS_INITIALIZE_METHOD(stats, stats_sink_init);
BT_PLUGIN_SINK_COMPONENT_CLASS_FINALIZE_METHOD(stats, plugin_sink_finalize);
BT_PLUGIN_SINK_COMPONENT_CLASS_GRAPH_IS_CONFIGURED_METHOD(stats, plugin_sink_configured);

BT_PLUGIN_FILTER_COMPONENT_CLASS(op, op_iterator_next);
BT_PLUGIN_FILTER_COMPONENT_CLASS_DESCRIPTION(op, "Pair the begin and the end of calls");
BT_PLUGIN_FILTER_COMPONENT_CLASS_HELP(
	op,
	"Lets every message through and adds, behind the end of each call, an event\n"
	"'ioasis:op' with who, what, begin and duration. It takes no parameters.");
BT_PLUGIN_FILTER_COMPONENT_CLASS_GET_SUPPORTED_MIP_VERSIONS_METHOD(op, filter_mip_versions);
BT_PLUGIN_FILTER_COMPONENT_CLASS_INITIALIZE_METHOD(op, op_filter_init);
BT_PLUGIN_FILTER_COMPONENT_CLASS_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD(op, op_iterator_init);
BT_PLUGIN_FILTER_COMPONENT_CLASS_MESSAGE_ITERATOR_CLASS_FINALIZE_METHOD(op, op_iterator_finalize);
