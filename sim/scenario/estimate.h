/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a scenario will take of this machine, before it runs: within a factor of some three. */
#ifndef IOASIS_SCENARIO_ESTIMATE_H
#define IOASIS_SCENARIO_ESTIMATE_H

#include <stddef.h>
#include <stdint.h>

#include "sim/scenario/scenario.h"

struct scenario_estimate {
	uint64_t host_ns;      /* time of a CPU; UINT64_MAX: that or more */
	uint64_t memory_bytes; /* the same */
};

struct scenario_estimate scenario_estimate(const struct scenario *scenario);

/* "under a second", "about 26 s", "about 3 h", "about 2 years". */
#define ESTIMATE_TEXT_BYTES 32
const char *scenario_estimate_text(uint64_t host_ns, char text[ESTIMATE_TEXT_BYTES]);

/* Longer than this a run is refused unless the user asks for it. */
#define SCENARIO_HOST_NS_MAX (24ull * 3600 * 1000000000)

/*
 * Refuses a scenario that takes more than memory_bytes (0: not known) or host_ns_max. 0, or -EFBIG
 * with one line in error: how much it takes, and what to set. otherwise: the end of the line about
 * time, what else one may do, or "".
 */
int scenario_estimate_refuse(const struct scenario *scenario, uint64_t memory_bytes,
			     uint64_t host_ns_max, const char *otherwise, char *error,
			     size_t error_size);

#endif
