/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the exporters share. */
#include "analysis/export/export.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const struct export_format *export_format_find(const char *name)
{
	static const struct export_format *const formats[] = {
		&export_perfetto,
		&export_sqlite,
		&export_json,
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		if (!strcmp(formats[i]->name, name))
			return formats[i];
	}
	return NULL;
}

const char *export_error_text(int64_t ret, char text[32])
{
	const char *name = strerrorname_np((int)-ret);

	if (name)
		return name;
	snprintf(text, 32, "errno %" PRId64, -ret);
	return text;
}

const char *export_commit_name(uint64_t kind)
{
	static const char *const names[] = {
		[TRACE_COMMIT_ALLOC] = "alloc",
		[TRACE_COMMIT_DESTROY] = "destroy",
		[TRACE_COMMIT_MAP] = "map",
		[TRACE_COMMIT_COPY] = "copy",
		[TRACE_COMMIT_UNMAP] = "unmap",
		[TRACE_COMMIT_ATTACH] = "attach",
		[TRACE_COMMIT_DETACH] = "detach",
		[TRACE_COMMIT_DIRTY_SET] = "dirty_set",
		[TRACE_COMMIT_DIRTY_READ] = "dirty_read",
		[TRACE_COMMIT_ALLOW] = "allow",
		[TRACE_COMMIT_OPTION] = "option",
		[TRACE_COMMIT_PROCESS] = "process",
		[TRACE_COMMIT_INVALIDATE] = "invalidate",
	};

	return kind < sizeof(names) / sizeof(*names) && names[kind] ? names[kind] : "other";
}
