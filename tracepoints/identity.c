/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracepoints/identity.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Fields of /proc/PID/stat, whose third is the first behind the process's name: when the process
 * started, in ticks since boot, and where its stack begins, which is another after each exec().
 * Source: do_task_stat() in fs/proc/array.c.
 */
#define FIELDS_TO_START 19
#define FIELDS_TO_STACK 25

/* What tells one start of a program from another; 0: not known. */
static uint64_t start_mark(const char *folder)
{
	char path[64], text[1024], *at;
	uint64_t ticks = 0;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/stat", folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got <= 0)
		return 0;
	text[got] = 0;
	at = strrchr(text, ')'); /* the name may hold anything */
	for (int i = 0; at && i <= FIELDS_TO_STACK; i++) {
		at = strchr(at + 1, ' ');
		if (at && i == FIELDS_TO_START)
			ticks = strtoull(at, NULL, 10);
	}
	return at ? ticks * 0x9e3779b97f4a7c15ull + strtoull(at, NULL, 10) : 0;
}

void trace_identity_read(const char *folder, struct trace_identity *identity)
{
	uint64_t mark = start_mark(folder);
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "%s/ns/pid", folder);
	identity->pid_ns = stat(path, &st) ? 0 : (uint32_t)st.st_ino;
	identity->start = 0;
	if (!mark)
		return;
	/* Fibonacci hashing: neighbours differ. 0 stands for unknown. */
	mark = (mark ^ mark >> 29 ^ identity->pid_ns) * 0x9e3779b97f4a7c15ull;
	identity->start = (uint32_t)(mark >> (64 - TRACE_START_BITS));
	identity->start += !identity->start;
}
