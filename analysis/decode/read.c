/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trace processing graph of `ioasis`: sources, and our sink, which puts their
 * messages in order itself (mux.h).
 */
#include "analysis/analysis.h"

#include <babeltrace2/babeltrace.h>
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/analysis_internal.h"
#include "analysis/ctf/feed.h"
#include "analysis/decode/decode.h"
#include "analysis/decode/mip.h"
#include "analysis/decode/mux.h"
#include "analysis/decode/packets.h"
#include "analysis/decode/reason.h"
#include "analysis/text/text_feed.h"

/* Messages between two looks at whether to stop. */
#define MESSAGES_AT_ONCE 64

struct reader {
	struct analysis *analysis;
	struct decoder *decoder;
	struct mux *mux;
	struct packets *packets;
	int failure; /* of our own sink */
	const char *why; /* the same in words; NULL: as strerror() says */
	char **folders; /* of traces, in the order in which they are read; owned */
	size_t folders_count;
	char **logs; /* text files, likewise; owned array of borrowed paths */
	size_t logs_count;
	bool live; /* one of the paths is a live session */
	bt_graph *graph;
	const bt_component_sink *sink; /* borrowed of the graph */
	uint64_t ports; /* of the sink that are connected; it has one more */
	const char *path; /* of the trace that was added last; borrowed */
	const char **port_paths; /* whose each port is; owned array of borrowed texts */
	char *error;
	size_t error_size;
};

#define fail(reader, ret, ...) \
	(snprintf((reader)->error, (reader)->error_size, __VA_ARGS__), (ret))

/* ---- the sink ------------------------------------------------------------------- */

static struct reader *reader_of(bt_self_component_sink *self)
{
	return bt_self_component_get_data(bt_self_component_sink_as_self_component(self));
}

static int add_port(bt_self_component_sink *self, uint64_t number)
{
	char name[32];

	snprintf(name, sizeof(name), "in%llu", (unsigned long long)number);
	return bt_self_component_sink_add_input_port(self, name, NULL, NULL) ==
			       BT_SELF_COMPONENT_ADD_PORT_STATUS_OK
		       ? 0
		       : -ENOMEM;
}

static bt_component_class_initialize_method_status
sink_init(bt_self_component_sink *self, bt_self_component_sink_configuration *config,
	  const bt_value *params, void *data)
{
	(void)config;
	(void)params;
	bt_self_component_set_data(bt_self_component_sink_as_self_component(self), data);
	return add_port(self, 0) ? BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_MEMORY_ERROR
				 : BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

/* There is always one more port, for the next stream. */
static bt_component_class_port_connected_method_status
sink_port_connected(bt_self_component_sink *self, bt_self_component_port_input *port,
		    const bt_port_output *from)
{
	(void)port;
	(void)from;
	return add_port(self, reader_of(self)->ports + 1)
		       ? BT_COMPONENT_CLASS_PORT_CONNECTED_METHOD_STATUS_MEMORY_ERROR
		       : BT_COMPONENT_CLASS_PORT_CONNECTED_METHOD_STATUS_OK;
}

static bt_component_class_sink_graph_is_configured_method_status
sink_configured(bt_self_component_sink *self)
{
	struct reader *reader = reader_of(self);

	for (uint64_t i = 0; i < reader->ports; i++) {
		bt_message_iterator *iterator;

		if (bt_message_iterator_create_from_sink_component(
			    self, bt_self_component_sink_borrow_input_port_by_index(self, i),
			    &iterator) != BT_MESSAGE_ITERATOR_CREATE_FROM_SINK_COMPONENT_STATUS_OK)
			return BT_COMPONENT_CLASS_SINK_GRAPH_IS_CONFIGURED_METHOD_STATUS_ERROR;
		if (mux_add(reader->mux, iterator, reader->port_paths[i])) {
			bt_message_iterator_put_ref(iterator);
			reader->failure = -ENOMEM;
			return BT_COMPONENT_CLASS_SINK_GRAPH_IS_CONFIGURED_METHOD_STATUS_ERROR;
		}
	}
	return BT_COMPONENT_CLASS_SINK_GRAPH_IS_CONFIGURED_METHOD_STATUS_OK;
}

/* The iterators go before the components that they read. */
static void sink_finalize(bt_self_component_sink *self)
{
	struct reader *reader = reader_of(self);

	mux_destroy(reader->mux);
	reader->mux = NULL;
}

static bt_component_class_sink_consume_method_status
sink_fail(struct reader *reader, int failure, const char *why)
{
	reader->failure = failure;
	reader->why = why;
	return BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_ERROR;
}

static bt_component_class_sink_consume_method_status sink_consume(bt_self_component_sink *self)
{
	struct reader *reader = reader_of(self);

	for (int i = 0; i < MESSAGES_AT_ONCE; i++) {
		const bt_message *message;
		int64_t time_ns;
		int ret;

		switch (mux_next(reader->mux, &message, &time_ns)) {
		case MUX_OK:
			break;
		case MUX_END:
			return BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_END;
		case MUX_AGAIN:
			return BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_AGAIN;
		case MUX_ERROR:
			return BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_ERROR;
		case MUX_CLOCKS:
			return sink_fail(reader, -EXDEV,
					 "the streams count time from different origins, so their "
					 "events have no order; read such traces one by one");
		case MUX_BACKWARDS:
			return sink_fail(reader, -EILSEQ,
					 "time goes backwards in one of the streams");
		}
		ret = decoder_message(reader->decoder, message, time_ns);
		bt_message_put_ref(message);
		if (ret)
			return sink_fail(reader, ret,
					 ret == -EINVAL ? "a stream has no clock" : NULL);
	}
	return analysis_stopped(reader->analysis)
		       ? BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_END
		       : BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_OK;
}

static int add_sink(struct reader *reader)
{
	bt_component_class_sink *class = bt_component_class_sink_create("ioasis", sink_consume);
	bool made;

	made = class &&
	       bt_component_class_sink_set_initialize_method(class, sink_init) ==
		       BT_COMPONENT_CLASS_SET_METHOD_STATUS_OK &&
	       bt_component_class_sink_set_input_port_connected_method(
		       class, sink_port_connected) == BT_COMPONENT_CLASS_SET_METHOD_STATUS_OK &&
	       bt_component_class_sink_set_graph_is_configured_method(class, sink_configured) ==
		       BT_COMPONENT_CLASS_SET_METHOD_STATUS_OK &&
	       bt_component_class_sink_set_finalize_method(class, sink_finalize) ==
		       BT_COMPONENT_CLASS_SET_METHOD_STATUS_OK &&
	       bt_graph_add_sink_component_with_initialize_method_data(
		       reader->graph, class, "sink", NULL, reader, BT_LOGGING_LEVEL_NONE,
		       &reader->sink) == BT_GRAPH_ADD_COMPONENT_STATUS_OK;
	bt_component_class_sink_put_ref(class);
	if (made)
		return 0;
	bt_current_thread_clear_error();
	return fail(reader, -ENOMEM, "cannot make the trace processing graph");
}

/* ---- babeltrace2's own components ----------------------------------------------- */

static int find_plugin(struct reader *reader, const char *name, const bt_plugin **plugin)
{
	if (bt_plugin_find(name, BT_TRUE, BT_TRUE, BT_TRUE, BT_TRUE, BT_TRUE, plugin) ==
	    BT_PLUGIN_FIND_STATUS_OK)
		return 0;
	bt_current_thread_clear_error();
	return fail(reader, -ENOENT,
		    "babeltrace2's plugin '%s' is not installed (Debian: libbabeltrace2-0)", name);
}

/* Remembers that the next port is of the trace being added. */
static int keep_port_path(struct reader *reader)
{
	const char **paths = realloc(reader->port_paths, (reader->ports + 1) * sizeof(*paths));

	if (!paths)
		return -ENOMEM;
	reader->port_paths = paths;
	paths[reader->ports] = reader->path;
	return 0;
}

/* Connects every output port of source to a free input port of the sink. */
static int connect_source(struct reader *reader, const bt_component_source *source)
{
	uint64_t count = bt_component_source_get_output_port_count(source);

	for (uint64_t i = 0; i < count; i++) {
		const bt_port_output *out =
			bt_component_source_borrow_output_port_by_index_const(source, i);
		const bt_port_input *in = bt_component_sink_borrow_input_port_by_index_const(
			reader->sink, reader->ports);

		if (bt_graph_connect_ports(reader->graph, out, in, NULL) !=
		    BT_GRAPH_CONNECT_PORTS_STATUS_OK) {
			bt_current_thread_clear_error();
			return fail(reader, -ENOMEM, "cannot connect babeltrace2's components");
		}
		if (keep_port_path(reader))
			return fail(reader, -ENOMEM, "out of memory");
		reader->ports++;
	}
	return 0;
}

/*
 * Replaces cause, why a source could not be made, by what babeltrace2's log says when it is tried
 * again (a graph that failed takes no more): a source that is made keeps quiet.
 */
static void try_again(const bt_component_class_source *class, const bt_value *params, char *cause,
		      size_t cause_size)
{
	const bt_component_source *source;
	bt_graph *graph = bt_graph_create(mip_of_our_graphs());
	struct reason_log log;

	reason_log_begin(&log);
	if (graph && bt_graph_add_source_component(graph, class, "again", params,
						   BT_LOGGING_LEVEL_ERROR, &source) !=
			     BT_GRAPH_ADD_COMPONENT_STATUS_OK)
		bt_current_thread_clear_error();
	bt_graph_put_ref(graph);
	reason_log_end(&log, cause, cause_size);
}

static int add_source(struct reader *reader, const char *plugin_name, const char *class_name,
		      const char *path, const bt_value *params)
{
	const bt_component_source *source;
	const bt_component_class_source *class;
	char name[64], cause[256] = "babeltrace2 has no such source";
	const bt_plugin *plugin;
	int ret;

	reason_log_of_metadata();
	ret = find_plugin(reader, plugin_name, &plugin);
	if (ret)
		return ret;
	class = bt_plugin_borrow_source_component_class_by_name_const(plugin, class_name);
	snprintf(name, sizeof(name), "source%llu", (unsigned long long)reader->ports);
	reader->path = path;
	analysis_path(reader->analysis, path);
	if (!class || bt_graph_add_source_component(reader->graph, class, name, params,
						    BT_LOGGING_LEVEL_NONE, &source) !=
			      BT_GRAPH_ADD_COMPONENT_STATUS_OK) {
		if (class) {
			reason_of_error(cause, sizeof(cause));
			if (!analysis_is_live(path))
				try_again(class, params, cause, sizeof(cause));
		}
		ret = fail(reader, -EINVAL, "%s: cannot be read as a CTF trace: %s", path, cause);
	} else {
		ret = connect_source(reader, source);
	}
	bt_plugin_put_ref(plugin);
	return ret;
}

/* {"inputs": [path]}, and what else the source wants. NULL: out of memory. */
static bt_value *make_params(const char *path, bool live)
{
	bt_value *params = bt_value_map_create(), *inputs = NULL;

	if (!params ||
	    bt_value_map_insert_empty_array_entry(params, "inputs", &inputs) !=
		    BT_VALUE_MAP_INSERT_ENTRY_STATUS_OK ||
	    bt_value_array_append_string_element(inputs, path) !=
		    BT_VALUE_ARRAY_APPEND_ELEMENT_STATUS_OK ||
	    (live && bt_value_map_insert_string_entry(params, "session-not-found-action", "end") !=
			     BT_VALUE_MAP_INSERT_ENTRY_STATUS_OK)) {
		bt_value_put_ref(params);
		return NULL;
	}
	return params;
}

/* Notes a folder that holds a trace. */
static int find_directory(struct reader *reader, const char *path)
{
	char **folders;

	if (!packets_metadata_is_whole(path))
		return fail(reader, -EINVAL,
			    "%s: its file metadata is cut off or damaged: record again, or copy "
			    "the whole folder", path);
	folders = realloc(reader->folders, (reader->folders_count + 1) * sizeof(*folders));
	if (folders)
		reader->folders = folders;
	if (!folders || !(folders[reader->folders_count] = strdup(path)))
		return fail(reader, -ENOMEM, "out of memory");
	reader->folders_count++;
	packets_add(reader->packets, path);
	return 0;
}

static int add_directory(struct reader *reader, const char *path)
{
	bt_value *params;
	int ret;

	params = make_params(path, false);
	if (!params)
		return fail(reader, -ENOMEM, "out of memory");
	ret = add_source(reader, "ctf", "fs", path, params);
	bt_value_put_ref(params);
	return ret;
}

#define LIVE_FORM "net://HOST/host/NAME/SESSION (HOST may be HOST:PORT)"

bool analysis_is_live(const char *path)
{
	return !strncmp(path, "net://", 6) || !strncmp(path, "net4://", 7);
}

/* Whether address is of the form that babeltrace2's source takes; it would say so less well. */
static bool is_live_form(const char *address)
{
	const char *host = strstr(address, "://") + 3;
	const char *name = strchr(host, '/'), *session;

	if (!name || name == host || strncmp(name, "/host/", 6))
		return false;
	name += 6;
	session = strchr(name, '/');
	return session && session != name && session[1];
}

static int add_live(struct reader *reader, const char *address)
{
	bt_value *params;
	int ret;

	if (!is_live_form(address))
		return fail(reader, -EINVAL, "%s: no session's address; write " LIVE_FORM, address);
	params = make_params(address, true);
	if (!params)
		return fail(reader, -ENOMEM, "out of memory");
	ret = add_source(reader, "ctf", "lttng-live", address, params);
	bt_value_put_ref(params);
	return ret;
}

/* ---- finding traces ------------------------------------------------------------- */

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Finds every folder at or below path that holds a file `metadata`. */
static int find_below(struct reader *reader, const char *path, size_t *found)
{
	char *roots[] = { (char *)path, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW, by_name);
	FTSENT *entry;
	int ret = 0;

	if (!walk)
		return fail(reader, -errno, "%s: %s", path, strerror(errno));
	while (!ret && (entry = fts_read(walk))) {
		char *folder;

		if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR) {
			ret = fail(reader, -entry->fts_errno, "%s: %s", entry->fts_path,
				   strerror(entry->fts_errno));
			break;
		}
		if (entry->fts_info != FTS_F || strcmp(entry->fts_name, "metadata"))
			continue;
		folder = strndup(entry->fts_path,
				 (size_t)(strrchr(entry->fts_path, '/') - entry->fts_path));
		if (!folder) {
			ret = fail(reader, -ENOMEM, "out of memory");
			break;
		}
		ret = find_directory(reader, folder);
		(*found)++;
		free(folder);
	}
	fts_close(walk);
	return ret;
}

/* Notes a file: it can only be a log, which its reader will say. */
static int find_log(struct reader *reader, const char *path)
{
	char **logs = realloc(reader->logs, (reader->logs_count + 1) * sizeof(*logs));

	if (!logs)
		return fail(reader, -ENOMEM, "out of memory");
	reader->logs = logs;
	logs[reader->logs_count++] = (char *)path;
	return 0;
}

static int find_path(struct reader *reader, const char *path)
{
	size_t found = 0;
	struct stat st;
	int ret;

	if (analysis_is_live(path)) {
		reader->live = true;
		return 0;
	}
	if (!*path)
		return fail(reader, -ENOENT, "'' is no trace; say the folder of a trace");
	if (strstr(path, "://"))
		return fail(reader, -EINVAL, "%s: no address of a relay daemon; write " LIVE_FORM,
			    path);
	if (stat(path, &st))
		return fail(reader, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return find_log(reader, path);
	ret = find_below(reader, path, &found);
	if (!ret && !found)
		return fail(reader, -ENOENT,
			    "%s: no trace in there (no folder with a file 'metadata')", path);
	return ret;
}

/* ---- running -------------------------------------------------------------------- */

static int build_graph(struct reader *reader, char *const *paths, size_t count)
{
	int ret = add_sink(reader);

	for (size_t i = 0; !ret && i < reader->folders_count; i++)
		ret = add_directory(reader, reader->folders[i]);
	for (size_t i = 0; !ret && i < count; i++) {
		if (analysis_is_live(paths[i]))
			ret = add_live(reader, paths[i]);
	}
	if (ret)
		return ret;
	if (!reader->ports)
		return fail(reader, -ENODATA, "%s%s: the trace has no stream: nothing was traced",
			    paths[0], count > 1 ? " and the others" : "");
	return 0;
}

static int run_graph(struct reader *reader)
{
	const char *path;
	char cause[256];

	for (;;) {
		switch (bt_graph_run(reader->graph)) {
		case BT_GRAPH_RUN_STATUS_OK:
			return 0;
		case BT_GRAPH_RUN_STATUS_AGAIN:
			if (analysis_stopped(reader->analysis))
				return 0;
			usleep(100000); /* a live session has nothing new yet */
			continue;
		default:
			break;
		}
		path = mux_path(reader->mux);
		if (!path)
			path = reader->path;
		reason_of_error(cause, sizeof(cause));
		if (reader->failure)
			return fail(reader, reader->failure, "%s: %s", path,
				    reader->why ? reader->why : strerror(-reader->failure));
		if (analysis_is_live(path))
			return fail(reader, -EIO, "%s: %s; %s", path, cause,
				    strncmp(cause, "Invalid", 7)
					    ? "is lttng-relayd running there, with a session made "
					      "with 'lttng create --live'?"
					    : "write " LIVE_FORM);
		return fail(reader, -EIO, "%s: cannot be read to its end: %s", path, cause);
	}
}

static void on_path(void *opaque, const char *path)
{
	analysis_path(opaque, path);
}

/* Everything by babeltrace2: live sessions, and what the own reader does not know. */
static int read_by_babeltrace2(struct reader *reader, char *const *paths, size_t count)
{
	int ret;

	reader->decoder = decoder_create(reader->analysis);
	reader->mux = mux_create(on_path, reader->analysis);
	reader->graph = bt_graph_create(mip_of_our_graphs());
	if (!reader->decoder || !reader->mux || !reader->graph)
		ret = fail(reader, -ENOMEM, "out of memory");
	else
		ret = build_graph(reader, paths, count);
	if (!ret)
		ret = run_graph(reader);
	free(reader->port_paths);
	bt_graph_put_ref(reader->graph);
	mux_destroy(reader->mux); /* where no sink was made to do it */
	decoder_destroy(reader->decoder);
	return ret;
}

/* IOASIS_READER: "babeltrace2" reads all with it, "own" nothing; otherwise what fits. */
static int read_all(struct reader *reader, char *const *paths, size_t count)
{
	const char *wanted = getenv("IOASIS_READER");
	int ret = -ENOTSUP;

	if (reader->logs_count && (reader->live || reader->folders_count))
		return fail(reader, -EXDEV, "%s: a log counts time for itself, so it has no order "
					    "with traces; read it alone", reader->logs[0]);
	if (reader->logs_count)
		return text_feed(reader->analysis, reader->logs, reader->logs_count, reader->error,
				 reader->error_size);
	if (!reader->live && (!wanted || strcmp(wanted, "babeltrace2")))
		ret = ctf_feed(reader->analysis, reader->folders, reader->folders_count,
			       reader->error, reader->error_size);
	if (ret != -ENOTSUP)
		return ret;
	if (wanted && !strcmp(wanted, "own"))
		return fail(reader, ret, "%s: only babeltrace2 can read it, but IOASIS_READER "
					 "is 'own'", paths[0]);
	return read_by_babeltrace2(reader, paths, count);
}

int analysis_read(struct analysis *analysis, char *const *paths, size_t count, char *error,
		  size_t error_size)
{
	struct reader reader = { .analysis = analysis, .error = error, .error_size = error_size };
	const struct quality *quality = analysis_quality(analysis);
	int ret = 0;

	reader.packets = packets_create(analysis);
	if (!reader.packets)
		ret = fail(&reader, -ENOMEM, "out of memory");
	for (size_t i = 0; !ret && i < count; i++)
		ret = find_path(&reader, paths[i]);
	if (!ret)
		packets_tell(reader.packets);
	packets_destroy(reader.packets);
	if (!ret)
		ret = read_all(&reader, paths, count);
	if (!ret && !quality->events_known && !analysis_stopped(analysis))
		ret = fail(&reader, -ENODATA, quality->events
			? "%s%s: a trace of something else: none of its events is of "
			  "iommufd_backend, iommufd_dev, ioasis_sim or qemu:iommufd_backend_*"
			: "%s%s: the trace has no event", paths[0],
			count > 1 ? " and the others" : "");
	if (!ret)
		analysis_finish(analysis, analysis_still_running(analysis) ||
						  analysis_stopped(analysis));
	for (size_t i = 0; i < reader.folders_count; i++)
		free(reader.folders[i]);
	free(reader.folders);
	free(reader.logs);
	return ret;
}
