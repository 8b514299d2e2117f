/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/text/text_feed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/analysis_internal.h"
#include "analysis/text/qemu_log.h"

/* A log, and what it gives next. */
struct input {
	const char *path;
	struct qemu_log *log;
	uint32_t machine;
	enum qemu_log_status status;
	struct event *event;
	struct event_loss loss;
};

static int64_t input_time(const struct input *input)
{
	return input->status == QEMU_LOG_EVENT ? input->event->time_ns : input->loss.last_ns;
}

static int open_input(struct analysis *analysis, struct input *input, const char *path,
		      uint32_t number, char *error, size_t error_size)
{
	int ret;

	input->path = path;
	analysis_path(analysis, path);
	ret = qemu_log_open(path, &input->log);
	if (ret == -ENODATA)
		snprintf(error, error_size,
			 "%s: not a trace: a trace is a folder, a tar of one, or a log that QEMU "
			 "wrote with -trace 'iommufd*' -D FILE", path);
	else if (ret)
		snprintf(error, error_size, "%s: %s", path, strerror(-ret));
	if (ret)
		return ret;
	input->machine = quality_machine(analysis_quality(analysis), path, "");
	if (input->machine == UINT32_MAX) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	input->status = qemu_log_next(input->log, &input->event, &input->loss);
	if (number && !qemu_log_has_times(input->log)) {
		snprintf(error, error_size,
			 "%s: its lines have no time, so it has no order with other logs; read it "
			 "alone, or start QEMU with -msg timestamp=on", path);
		return -EXDEV;
	}
	return 0;
}

static void feed_one(struct analysis *analysis, struct input *input, uint32_t number)
{
	if (input->status == QEMU_LOG_LOSS) {
		input->loss.machine = input->machine;
		input->loss.stream = number;
		analysis_loss(analysis, &input->loss);
	} else {
		input->event->machine = input->machine;
		input->event->stream = number;
		analysis_event(analysis, input->event);
	}
	input->status = qemu_log_next(input->log, &input->event, &input->loss);
}

/* The input whose next event is the earliest; at equal times the first; NULL: all have ended. */
static struct input *choose(struct input *inputs, size_t count)
{
	struct input *first = NULL;

	for (size_t i = 0; i < count; i++) {
		if (inputs[i].status != QEMU_LOG_END &&
		    (!first || input_time(&inputs[i]) < input_time(first)))
			first = &inputs[i];
	}
	return first;
}

int text_feed(struct analysis *analysis, char *const *paths, size_t count, char *error,
	      size_t error_size)
{
	struct input *inputs = calloc(count, sizeof(*inputs)), *input;
	int ret = 0;

	if (!inputs) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; !ret && i < count; i++)
		ret = open_input(analysis, &inputs[i], paths[i], (uint32_t)i, error, error_size);
	if (!ret && count > 1 && !qemu_log_has_times(inputs[0].log)) {
		snprintf(error, error_size,
			 "%s: its lines have no time, so it has no order with other logs; read it "
			 "alone, or start QEMU with -msg timestamp=on", paths[0]);
		ret = -EXDEV;
	}
	analysis_quality(analysis)->streams += count;
	while (!ret && !analysis_stopped(analysis) && (input = choose(inputs, count))) {
		analysis_path(analysis, input->path);
		feed_one(analysis, input, (uint32_t)(input - inputs));
	}
	for (size_t i = 0; i < count; i++)
		qemu_log_close(inputs[i].log);
	free(inputs);
	return ret;
}
