/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracepoints/load.h"

#include <dlfcn.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tracepoints/op_id.h"
#include "tracepoints/probes.h"

#define PROBES_NAME "libioasis-probes.so"

enum trace_mode trace_mode;

static uint64_t process_number(struct trace *trace, enum trace_numbered what)
{
	static uint32_t backends;

	(void)trace;
	switch (what) {
	case TRACE_NUMBER_CALL:
		return trace_op_id_next();
	case TRACE_NUMBER_FILE:
		return trace_file_id_next();
	case TRACE_NUMBER_BACKEND:
		return __atomic_add_fetch(&backends, 1, __ATOMIC_RELAXED);
	}
	return 0;
}

static uint32_t process_tid(struct trace *trace)
{
	(void)trace;
	return trace_tid();
}

/* Of the probes; the numbers are this program's. */
static struct trace process_trace = {
	.number = process_number,
	.tid = process_tid,
};

struct trace *trace_of_process(void)
{
	return trace_armed() ? &process_trace : NULL;
}

/* Puts what the library holds behind the trace. NULL, or why it does not fit. */
static const char *take_probes(void *library)
{
	const struct trace_probes *probes = dlsym(library, TRACE_PROBES_SYMBOL);

	if (!probes || strcmp(probes->events_text, trace_events_text) != 0)
		return PROBES_NAME " is of another release of ioasis";
	process_trace.wanted = probes->wanted;
	process_trace.emit = probes->emit;
	trace_mode = TRACE_MODE_ON;
	return NULL;
}

/*
 * Looks for the library called name in the folder of file (where it was built), and where it is installed:
 * beside the library in libdir, and in libdir beside the programs' bindir.
 */
static bool find_beside(const char *file, const char *name, char found[PATH_MAX])
{
	static const char *const below[] = {
		"", "ioasis/", "../lib/ioasis/", "../lib/" IOASIS_MULTIARCH "/ioasis/",
		"../lib64/ioasis/",
	};
	char folder[PATH_MAX], path[PATH_MAX + 128];
	size_t i;

	if (snprintf(folder, sizeof(folder), "%s", file) >= (int)sizeof(folder))
		return false;
	for (i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		char copy[PATH_MAX];

		memcpy(copy, folder, sizeof(copy));
		snprintf(path, sizeof(path), "%s/%s%s", dirname(copy), below[i], name);
		if (!access(path, R_OK) && realpath(path, found))
			return true;
	}
	return false;
}

bool trace_find_library(const char *name, char path[PATH_MAX])
{
	char program[PATH_MAX];
	ssize_t len;
	Dl_info info;

	if (dladdr(&trace_mode, &info) && info.dli_fname && find_beside(info.dli_fname, name, path))
		return true;
	len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (len < 0)
		return false;
	program[len] = 0;
	return find_beside(program, name, path);
}

bool trace_find_probes(char path[PATH_MAX])
{
	return trace_find_library(PROBES_NAME, path);
}

static void *load_beside_this(void)
{
	char path[PATH_MAX];

	return trace_find_probes(path) ? dlopen(path, RTLD_NOW | RTLD_GLOBAL) : NULL;
}

const char *trace_load_probes(void)
{
	const char *path = secure_getenv("IOASIS_PROBES");
	void *library;

	if (trace_mode != TRACE_MODE_OFF)
		return NULL;
	if (path && *path)
		library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
	else if (!(library = load_beside_this()))
		library = dlopen(PROBES_NAME, RTLD_NOW | RTLD_GLOBAL);
	return library ? take_probes(library) : dlerror();
}

/* A recording without this program's events would look whole. */
static void load_and_say(void)
{
	const char *why = trace_load_probes(), *say = secure_getenv("IOASIS_TRACE_SAY");

	if (why && say && *say && strcmp(say, "0"))
		fprintf(stderr, "ioasis: %s is not traced: %s\n", program_invocation_short_name,
			why);
}

/*
 * Without a message when it fails, if nobody asks for one: a program must run as it is where there is
 * no LTTng. Who wants to know asks trace_load_probes() (`simulate --lttng` does).
 */
__attribute__((constructor)) static void trace_load_init(void)
{
	const char *wanted = secure_getenv("IOASIS_TRACE");
	void *library = dlopen(PROBES_NAME, RTLD_NOW | RTLD_NOLOAD);
	bool late = wanted && !strcmp(wanted, "late");

	/* Someone may have preloaded the probes, as LTTng's users do. */
	if (library)
		take_probes(library);
	else if (wanted && *wanted && strcmp(wanted, "0"))
		load_and_say();
	if (late && trace_mode == TRACE_MODE_ON)
		trace_mode = TRACE_MODE_LATE;
}
