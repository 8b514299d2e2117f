/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a scenario file: read, or refused with one line that names the file,
 * never a crash; what is read keeps to the ranges of its keys. `make fuzz`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/scenario/load.h"
#include "sim/scenario/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ranges(const struct scenario *scenario)
{
	for (const struct schema_key *key = schema_keys; key->name; key++) {
		const void *member = (const char *)scenario + key->offset;

		switch (key->type) {
		case SCHEMA_TEXT:
			if (!*(char *const *)member)
				abort();
			break;
		case SCHEMA_DIST_TIME:
		case SCHEMA_DIST_BYTES:
		case SCHEMA_DIST_COUNT:
			if (((const struct des_dist *)member)->a > key->max)
				abort();
			break;
		case SCHEMA_CHOICE:
			if (*(const uint64_t *)member > 16)
				abort();
			break;
		default:
			/* A key that must be given has no value while its section is not there. */
			if (key->fallback && (*(const uint64_t *)member < key->min ||
					      *(const uint64_t *)member > key->max))
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64], error[SCENARIO_ERROR_BYTES] = "";
	int fd = memfd_create("scenario", MFD_CLOEXEC);
	struct scenario scenario;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!scenario_load(path, NULL, 0, &scenario, error)) {
		check_ranges(&scenario);
		scenario_fini(&scenario);
	} else if (!*error || strchr(error, '\n')) {
		abort();
	}
	close(fd);
	return 0;
}
