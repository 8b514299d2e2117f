/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/decode/reason.h"

#include <babeltrace2/babeltrace.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOG_BYTES 16384

/* Details for its own programmers end a message: "WHAT: stream-addr=0x..., ...". */
static void cut_details(char *text)
{
	char *at = strstr(text, "-addr=");

	while (at && at > text && strncmp(at, ": ", 2))
		at--;
	if (at && at > text)
		*at = 0;
}

void reason_of_error(char *text, size_t size)
{
	const bt_error *error = bt_current_thread_take_error();

	snprintf(text, size, "babeltrace2 gives no reason");
	if (!error)
		return;
	if (bt_error_get_cause_count(error)) {
		const bt_error_cause *cause = bt_error_borrow_cause_by_index(error, 0);

		snprintf(text, size, "%s", bt_error_cause_get_message(cause));
		text[strcspn(text, "\n")] = 0;
		cut_details(text);
	}
	bt_error_release(error);
}

/*
 * What a line of the log says: "MM-DD hh:mm:ss.mmm PID TID E TAG function@file:line [NAME] TEXT".
 * NULL: it is no error.
 */
static char *log_text(char *line)
{
	char *at = strstr(line, " E "), *end;

	at = at ? strchr(at, '@') : NULL;
	at = at ? strchr(at, ' ') : NULL;
	if (!at)
		return NULL;
	at++;
	if (*at == '[') { /* of a component: its name */
		end = strstr(at, "] ");
		at = end ? end + 2 : at;
	}
	return at;
}

void reason_log_of_metadata(void)
{
	setenv("BABELTRACE_PLUGIN_CTF_METADATA_LOG_LEVEL", "E", 0);
}

void reason_log_begin(struct reason_log *log)
{
	fflush(stderr);
	log->log = memfd_create("log", MFD_CLOEXEC);
	log->saved = log->log < 0 ? -1 : dup(STDERR_FILENO);
	if (log->saved >= 0) {
		dup2(log->log, STDERR_FILENO);
		return;
	}
	if (log->log >= 0)
		close(log->log);
	log->log = -1;
}

void reason_log_end(struct reason_log *log, char *text, size_t size)
{
	char bytes[LOG_BYTES], *line, *next, *said = NULL;
	ssize_t got;

	if (log->log < 0)
		return;
	fflush(stderr);
	dup2(log->saved, STDERR_FILENO);
	close(log->saved);
	got = pread(log->log, bytes, sizeof(bytes) - 1, 0);
	close(log->log);
	bytes[got < 0 ? 0 : got] = 0;
	for (line = bytes; line && *line && !said; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		said = log_text(line);
	}
	if (!said)
		return;
	cut_details(said);
	snprintf(text, size, "%.*s", (int)size - 1, said);
}
