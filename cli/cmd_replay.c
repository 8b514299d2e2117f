/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ioasis replay: a recorded trace's calls, made again on any device. */
#include "cli/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/analysis.h"
#include "analysis/table.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/read_traces.h"
#include "sim/scenario/replay.h"
#include "tracepoints/identity.h"

struct options {
	const char *device;
	uint64_t slowness_permille;
	bool json;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

struct shown {
	struct progress progress;
	uint64_t calls; /* to be made */
};

static bool go_on(void *opaque, uint64_t calls)
{
	struct shown *shown = opaque;

	if (progress_is_due(&shown->progress))
		progress_show(&shown->progress, calls, calls, shown->calls);
	return !interrupted;
}

static bool set_device(void *opaque, const char *value)
{
	((struct options *)opaque)->device = strcmp(value, "inproc") ? value : NULL;
	return *value;
}

/* recorded, max, or a factor with three decimals at most: 2, 0.5, 100. */
static bool set_speed(void *opaque, const char *value)
{
	struct options *options = opaque;
	unsigned long long whole = 0, thousandths = 0, unit = 100;
	const char *c = value;

	if (!strcmp(value, "max")) {
		options->slowness_permille = 0;
		return true;
	}
	if (!strcmp(value, "recorded")) {
		options->slowness_permille = 1000;
		return true;
	}
	for (; *c >= '0' && *c <= '9' && whole < 1000000; c++)
		whole = whole * 10 + (unsigned int)(*c - '0');
	if (*c == '.') {
		for (c++; *c >= '0' && *c <= '9' && unit; c++, unit /= 10)
			thousandths += (unsigned int)(*c - '0') * unit;
	}
	thousandths += whole * 1000;
	if (*c || c == value || !thousandths || thousandths > 1000000)
		return false;
	options->slowness_permille = 1000000 / thousandths;
	return true;
}

static const struct cli_option option_table[] = {
	{ "device", 0, "inproc|PATH", "inproc or the path of a device",
	  "where to make the calls (default inproc: in this process)", .set = set_device },
	{ "speed", 0, "SPEED", "recorded, max, or a factor from 0.001 to 1000",
	  "recorded, times as fast as that, or max (default)", .set = set_speed },
	{ "json", 0, NULL, NULL, "print JSON", CLI_FLAG(struct options, json) },
	{ 0 },
};

static const struct cli_command command = {
	.name = "replay",
	.synopsis = "TRACE... [OPTIONS]",
	.summary = "Makes the calls of a recorded trace again and compares the answers.",
	.details = "Reads traces of the backend (on the fake or on a real device), of QEMU's own\n"
		   "events, of 'ioasis simulate', and what the fake device tells of programs without\n"
		   "the backend: each of their open files is one there. Exit status 0: all answers\n"
		   "are the same; 1: some differ; 3: nothing could be replayed.",
	.options = option_table,
	.error_status = 3,
};

/* ---- from a trace to calls ---------------------------------------------------- */

/* A call, before it is known whether it is made again. */
struct recorded {
	struct replay_call call;
	uint32_t process;
	bool raw; /* an ioctl of its own, not one inside a call of the backend */
};

struct recording {
	struct recorded *kept; /* owned */
	size_t kept_count, size;
	struct table backends; /* (process, 0): has calls of a backend, or of QEMU's */
	struct table opened;   /* (serial of a context, 0): raw calls were made in it */
	struct replay_call *calls; /* those that are made again; owned */
	size_t count;
	uint64_t unfinished; /* calls that never came back */
	uint64_t unknown;    /* calls of a kind that is not replayed */
	bool out_of_memory;
};

static enum replay_op op_of(enum event_op op)
{
	switch (op) {
	case OP_CONNECT:
		return REPLAY_CONNECT;
	case OP_DISCONNECT:
		return REPLAY_DISCONNECT;
	case OP_ALLOC_IOAS:
		return REPLAY_ALLOC_IOAS;
	case OP_FREE_ID:
		return REPLAY_FREE_ID;
	case OP_MAP_DMA:
		return REPLAY_MAP;
	case OP_MAP_FILE_DMA:
		return REPLAY_MAP_FILE;
	case OP_UNMAP_DMA:
		return REPLAY_UNMAP;
	case OP_GET_DEVICE_INFO:
		return REPLAY_DEVICE_INFO;
	case OP_ALLOC_HWPT:
		return REPLAY_ALLOC_HWPT;
	case OP_SET_DIRTY:
		return REPLAY_SET_DIRTY;
	case OP_GET_DIRTY_BITMAP:
		return REPLAY_GET_DIRTY;
	default:
		return REPLAY_OP_COUNT;
	}
}

static void keep(struct recording *recording, const struct recorded *recorded)
{
	if (recording->kept_count == recording->size) {
		size_t size = recording->size ? recording->size * 2 : 1024;
		struct recorded *more = realloc(recording->kept, size * sizeof(*more));

		if (!more) {
			recording->out_of_memory = true;
			return;
		}
		recording->kept = more;
		recording->size = size;
	}
	recording->kept[recording->kept_count++] = *recorded;
}

static void note(struct recording *recording, struct table *table, uint64_t number)
{
	if (number && !table_get(table, number, 0) &&
	    table_set(table, number, 0, (void *)(uintptr_t)1))
		recording->out_of_memory = true;
}

/* Opening and closing the file of a program without the backend: its backend's first and last. */
static void keep_file(struct recording *recording, const struct state_context *context,
		      enum replay_op op, int64_t time_ns, uint64_t order)
{
	const struct recorded recorded = {
		.call = {
			.op = op,
			.backend = (uint32_t)context->serial - 1,
			.op_id = order,
			.begin_ns = time_ns,
		},
		.process = context->process->number,
		.raw = true,
	};

	keep(recording, &recorded);
}

static void on_context_end(void *opaque, const struct state_context *context, int64_t time_ns)
{
	struct recording *recording = opaque;

	if (table_get(&recording->opened, context->serial, 0))
		keep_file(recording, context, REPLAY_DISCONNECT, time_ns, UINT64_MAX);
}

/* Whether the ioctl can be made again: the trace must say what it named. */
static bool raw_is_told(const struct state_op *op, enum replay_op replay_op)
{
	if (replay_op == REPLAY_ALLOC_IOAS)
		return op->ret < 0 || op->new_id;
	return (replay_op == REPLAY_FREE_ID || replay_op == REPLAY_MAP ||
		replay_op == REPLAY_UNMAP) && (op->id || op->told);
}

static void keep_call(void *opaque, const struct state_op *op)
{
	bool raw = op->layer == STATE_DEVICE;
	enum replay_op replay_op = op_of(raw ? event_op_plain(op->op) : op->op);
	struct recording *recording = opaque;
	struct recorded recorded;

	if (op->op == OP_SET_FD || (raw && op->outer))
		return;
	if (!op->returned || !op->context) {
		recording->unfinished += !raw;
		return;
	}
	if (!raw)
		note(recording, &recording->backends, op->process->number);
	if (replay_op == REPLAY_OP_COUNT || (raw && !raw_is_told(op, replay_op))) {
		recording->unknown++;
		return;
	}
	recorded = (struct recorded){
		.call = {
			.op = replay_op,
			.readonly = op->op == OP_SET_DIRTY ? op->start : op->readonly,
			.any_errno = op->qemu,
			.backend = (uint32_t)op->context->serial - 1,
			.id = (uint32_t)op->id,
			.new_id = (uint32_t)op->new_id,
			.device_id = (uint32_t)op->dev_id,
			.ret = (int32_t)(op->non_exist && !op->ret ? -ENOENT : op->ret),
			.op_id = op->op_id,
			.iova = op->iova,
			/* A commit tells the range; what went is no more than what was asked. */
			.size = raw && !op->told ? iova_range_bytes(op->iova, op->last) : op->size,
			.begin_ns = op->begin_ns,
		},
		.process = op->process->number,
		.raw = raw,
	};
	if (raw && !table_get(&recording->opened, op->context->serial, 0)) {
		note(recording, &recording->opened, op->context->serial);
		keep_file(recording, op->context, REPLAY_CONNECT, op->context->born_ns, 0);
	}
	keep(recording, &recorded);
}

/* A process's own calls, or, of one that tells none, what the device says. */
static void choose_calls(struct recording *recording)
{
	recording->calls = calloc(recording->kept_count + 1, sizeof(*recording->calls));
	if (!recording->calls) {
		recording->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < recording->kept_count; i++) {
		const struct recorded *recorded = &recording->kept[i];

		if (!recorded->raw || !table_get(&recording->backends, recorded->process, 0))
			recording->calls[recording->count++] = recorded->call;
	}
}

static int compare_calls(const void *a, const void *b)
{
	const struct replay_call *x = a, *y = b;

	if (x->begin_ns != y->begin_ns)
		return x->begin_ns < y->begin_ns ? -1 : 1;
	return x->op_id < y->op_id ? -1 : x->op_id > y->op_id;
}

/* ---- what came out --------------------------------------------------------------- */

static const char *answer(int32_t ret)
{
	return ret ? strerrorname_np(-ret) ? strerrorname_np(-ret) : "an unknown error" : "success";
}

static uint64_t rate(const struct replay_result *result)
{
	return result->wall_ns
		       ? (uint64_t)((unsigned __int128)result->calls * 1000000000 / result->wall_ns)
		       : 0;
}

/* What a difference comes from most of the time; the first row that fits. */
enum {
	ANY_ERROR = 1, /* no errno is positive */
	ANY_ANSWER,
};

static const struct reason {
	int32_t recorded, now; /* 0, -errno, or one of the above */
	const char *text;
} reasons[] = {
	{ 0, -ENOENT,
	  "what it names is not there: the recording needs a device that made it, or a call that "
	  "was not recorded" },
	{ 0, -ENOTTY, "this device has no such command: take one of a newer Linux (--linux)" },
	{ 0, -ENOMEM, "less memory may be locked here: raise ulimit -l" },
	{ -ENOTTY, 0, "recorded on an older Linux: replay on 'ioasis exec --linux VERSION'" },
	{ -EFAULT, 0, "the recorded memory could not be mapped; a replay has memory of its own" },
	{ -ENOMEM, 0, "recorded with --fail, or with less memory that may be locked" },
	{ ANY_ERROR, 0, "recorded with --fail, or on a device with other rules" },
	{ ANY_ANSWER, ANY_ANSWER,
	  "recorded on a device of another kind (--device, --linux, --test-ops), or beside calls "
	  "of other threads" },
};

static bool answer_fits(int32_t ret, int32_t wanted)
{
	return ret == wanted || wanted == ANY_ANSWER || (wanted == ANY_ERROR && ret);
}

static const char *likely_reason(const struct replay_call *call, int32_t now)
{
	const struct reason *reason = reasons;

	while (!answer_fits(call->ret, reason->recorded) || !answer_fits(now, reason->now))
		reason++;
	return reason->text;
}

static const char *recorded_answer(const struct replay_call *call)
{
	return call->any_errno && call->ret ? "a failure" : answer(call->ret);
}

/* The first call that differs, in one line, with what to look at. */
static void tell_first_difference(const struct recording *recording,
				  const struct replay_result *result)
{
	const struct replay_call *call = result->differences[0].call;
	int32_t now = result->differences[0].ret;

	fprintf(stderr,
		"ioasis replay: the first of %" PRIu64 " different answers is call %td of %zu, "
		"%s: recorded %s, now %s; %s\n",
		result->calls - result->same, call - recording->calls + 1, recording->count,
		replay_op_name(call->op), recorded_answer(call), answer(now),
		likely_reason(call, now));
}

static void print_table(const struct recording *recording, const struct replay_result *result)
{
	printf("%-18s %12s %12s %12s\n", "call", "made", "same", "different");
	for (unsigned int op = 0; op < REPLAY_OP_COUNT; op++) {
		if (result->calls_count[op])
			printf("%-18s %12" PRIu64 " %12" PRIu64 " %12" PRIu64 "\n",
			       replay_op_name((enum replay_op)op), result->calls_count[op],
			       result->same_count[op],
			       result->calls_count[op] - result->same_count[op]);
	}
	for (size_t i = 0; i < result->differences_count; i++) {
		const struct replay_call *call = result->differences[i].call;

		printf("different: call %td, op %" PRIu64 ":%" PRIu64 " %s id %" PRIu32
		       " iova 0x%" PRIx64 " size 0x%" PRIx64 ": recorded %s, now %s\n",
		       call - recording->calls + 1, (uint64_t)TRACE_WORD_PID(call->op_id >> 32), call->op_id & UINT32_MAX,
		       replay_op_name(call->op), call->id, call->iova, call->size,
		       recorded_answer(call), answer(result->differences[i].ret));
	}
	if (result->unmade)
		printf("not made: %" PRIu64 " calls that need a device, which a replay binds only "
		       "without --device\n",
		       result->unmade);
	if (recording->unfinished || recording->unknown)
		printf("not replayed: %" PRIu64 " calls that never came back, %" PRIu64
		       " of other kinds\n",
		       recording->unfinished, recording->unknown);
	printf("%" PRIu64 " calls, %" PRIu64 " answers differ; %" PRIu64 " calls a second\n",
	       result->calls, result->calls - result->same, rate(result));
}

static void print_json(const struct recording *recording, const struct replay_result *result)
{
	printf("{\n  \"calls\": %" PRIu64 ",\n  \"same\": %" PRIu64 ",\n  \"unmade\": %" PRIu64
	       ",\n  \"unfinished\": %" PRIu64 ",\n  \"unknown\": %" PRIu64
	       ",\n  \"calls_per_s\": %" PRIu64 ",\n  \"operations\": {",
	       result->calls, result->same, result->unmade, recording->unfinished,
	       recording->unknown, rate(result));
	for (unsigned int op = 0, first = 1; op < REPLAY_OP_COUNT; op++) {
		if (!result->calls_count[op])
			continue;
		printf("%s\n    \"%s\": {\"calls\": %" PRIu64 ", \"same\": %" PRIu64 "}",
		       first ? "" : ",", replay_op_name((enum replay_op)op),
		       result->calls_count[op], result->same_count[op]);
		first = 0;
	}
	printf("\n  }");
	if (result->differences_count) {
		const struct replay_call *call = result->differences[0].call;

		printf(",\n  \"first_difference\": {\"call\": %td, \"operation\": \"%s\", "
		       "\"recorded\": \"%s\", \"now\": \"%s\"}",
		       call - recording->calls + 1, replay_op_name(call->op),
		       recorded_answer(call), answer(result->differences[0].ret));
	}
	printf("\n}\n");
}

static int run(const struct options *options, struct recording *recording)
{
	struct shown shown = { .calls = recording->count };
	struct replay_options replay_options = {
		.device = options->device,
		.slowness_permille = options->slowness_permille,
		.go_on = go_on,
		.opaque = &shown,
	};
	struct sigaction action = { .sa_handler = on_signal };
	char error[REPLAY_ERROR_BYTES];
	struct replay_result result;
	int err;

	if (!recording->count)
		return cli_fail(&command,
				"the trace holds no call that could be made again; record one "
				"with 'ioasis record'");
	qsort(recording->calls, recording->count, sizeof(*recording->calls), compare_calls);
	sigaction(SIGINT, &action, NULL);
	progress_begin(&shown.progress, stderr, "calls");
	err = replay_run(recording->calls, recording->count, &replay_options, &result, error);
	progress_end(&shown.progress);
	if (err && err != -EINTR)
		return cli_fail(&command, "%s", error);
	if (options->json)
		print_json(recording, &result);
	else
		print_table(recording, &result);
	if (result.differences_count)
		tell_first_difference(recording, &result);
	if (err)
		return 128 + SIGINT;
	return result.same != result.calls;
}

int cmd_replay(int argc, char **argv)
{
	static const struct analysis_observer observer = {
		.op = keep_call,
		.context_end = on_context_end,
	};
	struct recording recording = { .count = 0 };
	struct options options = { .json = false };
	struct analysis *analysis;
	int first, status = 3;

	first = cli_parse(&command, argc, argv, &options, &status);
	if (first < 0)
		return status;
	if (first == argc)
		return cli_fail(&command, "no trace given; say the folder of a trace");
	analysis = analysis_create();
	if (!analysis || analysis_observe(analysis, &observer, &recording)) {
		analysis_destroy(analysis);
		return cli_fail(&command, "out of memory");
	}
	status = cli_read_traces(&command, analysis, argv + first, argc - first);
	analysis_destroy(analysis);
	if (!status)
		choose_calls(&recording);
	if (!status && recording.out_of_memory)
		status = cli_fail(&command, "out of memory");
	if (!status)
		status = run(&options, &recording);
	table_fini(&recording.backends);
	table_fini(&recording.opened);
	free(recording.kept);
	free(recording.calls);
	return status;
}
