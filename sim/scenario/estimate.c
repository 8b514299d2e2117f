/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/estimate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "sim/scenario/actors.h"
#include "sim/scenario/units.h"

/* Of each mapping: the engine's, the caches', and what the actor keeps. */
#define MAPPING_BYTES 400u
/* Of each guest: its backend, its files, its boot. */
#define GUEST_BYTES   65536u
#define GUEST_NS      100000u

uint64_t actor_run_ns(const struct scenario *scenario, uint64_t start_ns)
{
	uint64_t duration_ns = scenario->top.duration_ns;

	return duration_ns > start_ns ? duration_ns - start_ns : 0;
}

uint64_t actor_times(const struct scenario *scenario, uint64_t start_ns, uint64_t every_ns)
{
	return actor_run_ns(scenario, start_ns) / (every_ns ? every_ns : 1);
}

static uint64_t times(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return product > UINT64_MAX ? UINT64_MAX : (uint64_t)product;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

struct scenario_estimate scenario_estimate(const struct scenario *scenario)
{
	struct scenario_estimate whole = {
		.host_ns = times(GUEST_NS, scenario->guest.count),
		.memory_bytes = times(GUEST_BYTES, scenario->guest.count),
	};

	for (unsigned int i = 0; i < actor_kinds_count; i++) {
		struct actor_estimate actor = { .guests = scenario->guest.count };

		if (!scenario->has[actor_kinds[i]->section] || !actor_kinds[i]->estimate)
			continue;
		actor_kinds[i]->estimate(scenario, &actor);
		whole.host_ns = sum(whole.host_ns, times(actor.host_ns, actor.guests));
		whole.memory_bytes =
			sum(whole.memory_bytes,
			    times(times(actor.mappings, MAPPING_BYTES), actor.guests));
	}
	return whole;
}

const char *scenario_estimate_text(uint64_t host_ns, char text[ESTIMATE_TEXT_BYTES])
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} units[] = {
		{ 365ull * 86400, "years" }, { 86400, "days" }, { 3600, "h" }, { 60, "min" },
		{ 1, "s" },
	};
	uint64_t seconds = host_ns / 1000000000;

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (seconds < 2 * units[i].seconds)
			continue;
		snprintf(text, ESTIMATE_TEXT_BYTES, "about %" PRIu64 " %s",
			 seconds / units[i].seconds, units[i].name);
		return text;
	}
	snprintf(text, ESTIMATE_TEXT_BYTES, seconds ? "about 1 s" : "under a second");
	return text;
}

int scenario_estimate_refuse(const struct scenario *scenario, uint64_t memory_bytes,
			     uint64_t host_ns_max, const char *otherwise, char *error,
			     size_t error_size)
{
	struct scenario_estimate estimate = scenario_estimate(scenario);
	char time[ESTIMATE_TEXT_BYTES], needs[UNITS_TEXT_BYTES], has[UNITS_TEXT_BYTES];

	if (memory_bytes && estimate.memory_bytes > memory_bytes) {
		snprintf(error, error_size,
			 "%s would take some %s of memory, and there are %s; lower guest.count, or "
			 "the rings and depths of its devices",
			 scenario->top.name, units_print_bytes(estimate.memory_bytes, needs),
			 units_print_bytes(memory_bytes, has));
		return -EFBIG;
	}
	if (estimate.host_ns > host_ns_max) {
		snprintf(error, error_size,
			 "%s would run for %s; shorten duration, lower guest.count or the rates of "
			 "its devices%s",
			 scenario->top.name, scenario_estimate_text(estimate.host_ns, time),
			 otherwise);
		return -EFBIG;
	}
	return 0;
}
