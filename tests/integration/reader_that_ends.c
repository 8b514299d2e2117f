/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plugin of babeltrace2 with the name of the one that reads CTF. It ends the program, as
 * libbabeltrace2's own assertions do, in the way that ENDS says: abort, segv, exit, hang; with
 * ENDS_LATER in the middle of the messages instead of at the trace's opening.
 */
#include <babeltrace2/babeltrace.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void end(void)
{
	const char *how = getenv("ENDS");

	if (!how)
		return;
	fprintf(stderr, "\n (oh no) x_x  reader.c:12: read_it(): Assertion `it_is_well` failed.\n");
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "segv"))
		raise(SIGSEGV);
	if (!strcmp(how, "exit"))
		exit(0);
	while (!strcmp(how, "hang"))
		pause();
}

static bt_component_class_initialize_method_status
source_init(bt_self_component_source *self, bt_self_component_source_configuration *config,
	    const bt_value *params, void *data)
{
	(void)config;
	(void)params;
	(void)data;
	if (!getenv("ENDS_LATER"))
		end();
	return bt_self_component_source_add_output_port(self, "out", NULL, NULL) ==
			       BT_SELF_COMPONENT_ADD_PORT_STATUS_OK
		       ? BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_OK
		       : BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_MEMORY_ERROR;
}

static bt_message_iterator_class_next_method_status
source_next(bt_self_message_iterator *self, bt_message_array_const messages, uint64_t capacity,
	    uint64_t *count)
{
	(void)self;
	(void)messages;
	(void)capacity;
	(void)count;
	end();
	return BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_END;
}

BT_PLUGIN_MODULE();
BT_PLUGIN(ctf);
BT_PLUGIN_SOURCE_COMPONENT_CLASS(fs, source_next);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_INITIALIZE_METHOD(fs, source_init);
