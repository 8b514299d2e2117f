/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mappings of all sizes and ages in one region of addresses, given out lowest fit
 * first: how many holes there are after a while, and how large the largest is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario/actors.h"
#include "sim/scenario/boot.h"
#include "sim/scenario/call.h"
#include "sim/scenario/report.h"

#define FRAGMENTATION_THREAD 8u
#define REGION_FIRST	     ((uint64_t)1 << 40) /* above all memory */
#define PAGE_BYTES	     4096u

struct range {
	uint64_t offset; /* in the region */
	uint64_t bytes;
};

struct fragmentation {
	struct guest *guest;
	struct des_random random;
	struct range *ranges; /* live, by rising offset; owned */
	uint64_t count;
	uint64_t size;
	uint64_t allocs;
	uint64_t refused;      /* no hole was large enough */
	uint64_t refused_room; /* of them with enough bytes free in all */
	uint64_t live_bytes;
	uint64_t count_peak;
};

static const struct scenario_fragmentation *config_of(const struct fragmentation *f)
{
	return &f->guest->world->scenario->fragmentation;
}

/* The index before which a new range of `bytes` fits; *offset: where. False: nowhere. */
static bool find_hole(const struct fragmentation *f, uint64_t bytes, uint64_t *index,
		      uint64_t *offset)
{
	uint64_t at = 0;

	for (uint64_t i = 0; i < f->count; i++) {
		if (f->ranges[i].offset - at >= bytes) {
			*index = i;
			*offset = at;
			return true;
		}
		at = f->ranges[i].offset + f->ranges[i].bytes;
	}
	*index = f->count;
	*offset = at;
	return config_of(f)->region_bytes - at >= bytes;
}

static bool insert(struct fragmentation *f, uint64_t index, uint64_t offset, uint64_t bytes)
{
	if (f->count == f->size) {
		uint64_t size = f->size ? f->size * 2 : 256;
		struct range *ranges = realloc(f->ranges, size * sizeof(*ranges));

		if (!ranges)
			return false;
		f->ranges = ranges;
		f->size = size;
	}
	memmove(&f->ranges[index + 1], &f->ranges[index], (f->count - index) * sizeof(*f->ranges));
	f->ranges[index] = (struct range){ offset, bytes };
	if (++f->count > f->count_peak)
		f->count_peak = f->count;
	f->live_bytes += bytes;
	return true;
}

/* The range at offset; it must be there. */
static uint64_t find(const struct fragmentation *f, uint64_t offset)
{
	uint64_t low = 0, high = f->count;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (f->ranges[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint64_t unmap_range(struct fragmentation *f, uint64_t now_ns, uint64_t index)
{
	struct range range = f->ranges[index];

	f->guest->tid = guest_tid(f->guest, FRAGMENTATION_THREAD);
	f->live_bytes -= range.bytes;
	f->count--;
	memmove(&f->ranges[index], &f->ranges[index + 1], (f->count - index) * sizeof(range));
	return call_unmap(f->guest, now_ns, f->guest->ioas_id, REGION_FIRST + range.offset,
			  range.bytes, NULL);
}

static void range_dies(void *opaque, uint64_t offset)
{
	struct fragmentation *f = opaque;

	unmap_range(f, f->guest->world->des.now_ns, find(f, offset));
}

static void range_comes(void *opaque, uint64_t arg)
{
	struct fragmentation *f = opaque;
	const struct scenario_fragmentation *config = config_of(f);
	struct world *world = f->guest->world;
	uint64_t bytes = des_dist_draw(&config->size, &f->random), index, offset;
	uint64_t lifetime_ns = des_dist_draw(&config->lifetime, &f->random);
	int ret;

	(void)arg;
	bytes = (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
	f->allocs++;
	f->guest->tid = guest_tid(f->guest, FRAGMENTATION_THREAD);
	if (bytes > config->region_bytes || !find_hole(f, bytes, &index, &offset)) {
		f->refused++;
		f->refused_room += config->region_bytes - f->live_bytes >= bytes;
	} else if (insert(f, index, offset, bytes)) {
		call_map(f->guest, world->des.now_ns, f->guest->ioas_id, REGION_FIRST + offset,
			 bytes, actor_arena_offset(world, &actor_fragmentation) + offset, false,
			 &ret);
		/* Not before the map has ended. */
		des_after(&world->des, lifetime_ns + 1000000000, range_dies, f, offset);
	}
	des_after(&world->des, des_dist_draw(&config->every, &f->random), range_comes, f, 0);
}

static uint64_t arena_bytes(const struct scenario *scenario)
{
	return scenario->fragmentation.region_bytes;
}

static int create(struct world *world)
{
	world->fragmentations =
		calloc(world->scenario->guest.count, sizeof(*world->fragmentations));
	return world->fragmentations ? 0 : -ENOMEM;
}

static void begin(struct guest *guest)
{
	struct world *world = guest->world;
	struct fragmentation *f = &world->fragmentations[guest->index];

	f->guest = guest;
	des_random_init(&f->random, world->options.seed, "fragmentation", guest->index);
	des_after(&world->des, des_dist_draw(&config_of(f)->every, &f->random), range_comes, f, 0);
}

static uint64_t end(struct guest *guest, uint64_t now_ns)
{
	struct fragmentation *f = &guest->world->fragmentations[guest->index];

	while (f->count)
		now_ns = unmap_range(f, now_ns, f->count - 1);
	return now_ns;
}

static void report(struct world *world, struct report *out)
{
	uint64_t allocs = 0, refused = 0, refused_room = 0, peak = 0, holes = 0, live = 0;
	uint64_t largest = 0, free_bytes = 0, live_bytes = 0;

	for (uint64_t i = 0; i < world->scenario->guest.count; i++) {
		const struct fragmentation *f = &world->fragmentations[i];
		uint64_t at = 0;

		allocs += f->allocs;
		refused += f->refused;
		refused_room += f->refused_room;
		live += f->count;
		live_bytes += f->live_bytes;
		peak = f->count_peak > peak ? f->count_peak : peak;
		for (uint64_t k = 0; k <= f->count; k++) {
			uint64_t next = k < f->count ? f->ranges[k].offset
						     : world->scenario->fragmentation.region_bytes;

			holes += next > at;
			free_bytes += next - at;
			largest = next - at > largest ? next - at : largest;
			if (k < f->count)
				at = next + f->ranges[k].bytes;
		}
	}
	report_add(out, "fragmentation", "allocs", "mappings asked for", REPORT_COUNT, allocs);
	report_add(out, "fragmentation", "refused", "no hole was large enough", REPORT_COUNT,
		   refused);
	report_add(out, "fragmentation", "refused_room", "though so much was free in all",
		   REPORT_COUNT, refused_room);
	report_add(out, "fragmentation", "live", "mappings at the end", REPORT_COUNT, live);
	report_add(out, "fragmentation", "live_bytes", "bytes in them", REPORT_BYTES, live_bytes);
	report_add(out, "fragmentation", "peak", "mappings at most, of a guest", REPORT_COUNT,
		   peak);
	report_add(out, "fragmentation", "holes", "holes at the end", REPORT_COUNT, holes);
	report_add(out, "fragmentation", "largest_hole_bytes", "the largest hole", REPORT_BYTES,
		   largest);
	report_add(out, "fragmentation", "free_bytes", "free in all", REPORT_BYTES, free_bytes);
	report_add(out, "fragmentation", "fragmented_ppm", "free, but not in the largest hole",
		   REPORT_PPM, free_bytes ? report_ppm(free_bytes - largest, free_bytes) : 0);
}

static void destroy(struct world *world)
{
	for (uint64_t i = 0; world->fragmentations && i < world->scenario->guest.count; i++)
		free(world->fragmentations[i].ranges);
	free(world->fragmentations);
	world->fragmentations = NULL;
}

static void fragmentation_estimate(const struct scenario *s, struct actor_estimate *estimate)
{
	uint64_t every_ns = des_dist_mean(&s->fragmentation.every);

	estimate->host_ns = actor_times(s, 0, every_ns) * 3000;
	estimate->mappings = every_ns ? des_dist_mean(&s->fragmentation.lifetime) / every_ns : 0;
	if (estimate->mappings > s->fragmentation.region_bytes / 4096)
		estimate->mappings = s->fragmentation.region_bytes / 4096;
}

const struct actor_kind actor_fragmentation = {
	.section = SECTION_FRAGMENTATION,
	.did = "allocs",
	.estimate = fragmentation_estimate,
	.arena_bytes = arena_bytes,
	.create = create,
	.begin = begin,
	.end = end,
	.report = report,
	.destroy = destroy,
};
