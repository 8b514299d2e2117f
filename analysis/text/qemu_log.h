/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's log as a trace: what `-trace 'iommufd*' -D FILE` writes. A distribution's QEMU has no
 * other tracing than this (its backend `log`).
 *
 * A line is NAME and the event's words; before it, depending on QEMU's version and
 * `-msg timestamp=on`, "THREAD@SECONDS.MICROSECONDS:" (to 10.0), the time as ISO 8601 writes it
 * (from 10.1), or nothing. Other lines are of no interest. (QEMU: scripts/tracetool/backend/log.py,
 * util/log.c, backends/trace-events, hw/vfio/trace-events.)
 */
#ifndef IOASIS_ANALYSIS_QEMU_LOG_H
#define IOASIS_ANALYSIS_QEMU_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/event.h"

struct qemu_log;

enum qemu_log_status {
	QEMU_LOG_EVENT,
	QEMU_LOG_LOSS, /* a line that begins as one of these events cannot be read */
	QEMU_LOG_END,
};

/*
 * Opens the log at path and looks for its first event. 0; -ENODATA: it has none, so it is no such
 * log; -ENOMEM; or another -errno.
 */
int qemu_log_open(const char *path, struct qemu_log **log);
void qemu_log_close(struct qemu_log *log);

/* False: lines have an order, but no time; an event's time is the number of its line. */
bool qemu_log_has_times(const struct qemu_log *log);

/*
 * The next event (borrowed till the next call; machine and stream are 0), or in *loss the line
 * that could not be read. Times never go backwards.
 */
enum qemu_log_status qemu_log_next(struct qemu_log *log, struct event **event,
				   struct event_loss *loss);

#endif
