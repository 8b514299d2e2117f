/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/preload_env.h"

#include "tracepoints/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool preload_find(char path[PATH_MAX])
{
	return trace_find_library("libioasis-call.so", path) && !strpbrk(path, " :$");
}

/* Adds a word to a list in the environment. Out of memory: it stays as it was. */
static void append(const char *variable, const char *word)
{
	const char *before = getenv(variable);
	char *list;

	if (!before || !*before) {
		setenv(variable, word, 1);
		return;
	}
	if (asprintf(&list, "%s:%s", before, word) < 0)
		return;
	setenv(variable, list, 1);
	free(list);
}

void preload_set(const char *path)
{
	append("LD_PRELOAD", path);
	/* AddressSanitizer's library wants to be the first of all, and says so by ending. */
	append("ASAN_OPTIONS", "verify_asan_link_order=0");
}
