/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracepoints/load.h"

#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROBES_NAME "libioasis-probes.so"

enum trace_mode trace_mode;

/* Tries to load PROBES_NAME from the folder of file, or from lib beside that folder. */
static bool load_beside(const char *file)
{
	static const char *const below[] = { "", "../lib/" };
	char folder[PATH_MAX], path[PATH_MAX + 64];
	size_t i;

	if (snprintf(folder, sizeof(folder), "%s", file) >= (int)sizeof(folder))
		return false;
	for (i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		char copy[PATH_MAX];

		memcpy(copy, folder, sizeof(copy));
		snprintf(path, sizeof(path), "%s/%s" PROBES_NAME, dirname(copy), below[i]);
		if (!access(path, R_OK) && dlopen(path, RTLD_NOW | RTLD_GLOBAL))
			return true;
	}
	return false;
}

static bool load_beside_this(void)
{
	char program[PATH_MAX];
	ssize_t len;
	Dl_info info;

	if (dladdr(&trace_mode, &info) && info.dli_fname && load_beside(info.dli_fname))
		return true;
	len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (len < 0)
		return false;
	program[len] = 0;
	return load_beside(program);
}

const char *trace_load_probes(void)
{
	const char *path = secure_getenv("IOASIS_PROBES");
	bool loaded;

	if (trace_mode != TRACE_MODE_OFF)
		return NULL;
	if (path && *path)
		loaded = dlopen(path, RTLD_NOW | RTLD_GLOBAL) != NULL;
	else
		loaded = load_beside_this() || dlopen(PROBES_NAME, RTLD_NOW | RTLD_GLOBAL);
	if (!loaded)
		return dlerror();
	trace_mode = TRACE_MODE_ON;
	return NULL;
}

/*
 * Without a message when it fails: a program must run as it is where there is
 * no LTTng. Who wants to know asks trace_load_probes() (`ioasis record` does).
 */
__attribute__((constructor)) static void trace_load_init(void)
{
	const char *wanted = secure_getenv("IOASIS_TRACE");
	bool late = wanted && !strcmp(wanted, "late");

	/* Someone may have preloaded the probes, as LTTng's users do. */
	if (dlopen(PROBES_NAME, RTLD_NOW | RTLD_NOLOAD))
		trace_mode = TRACE_MODE_ON;
	else if (wanted && *wanted && strcmp(wanted, "0"))
		trace_load_probes();
	if (late && trace_mode == TRACE_MODE_ON)
		trace_mode = TRACE_MODE_LATE;
}
