/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/learn/learn.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/engine/engine.h"
#include "sim/learn/watch.h"
#include "sim/scenario/actors.h"
#include "sim/scenario/estimate.h"
#include "sim/scenario/load.h"
#include "sim/scenario/result.h"
#include "sim/scenario/schema.h"
#include "sim/scenario/world.h"
#include "sim/scenario/world_report.h"
#include "text/json_out.h"

#define SETTINGS_MAX 64u
#define IOTLB_SHOWN  4096u

/* What the memory of WebAssembly can grow to. */
#define MEMORY_BYTES (2ull << 30)
/* What takes less is not worth a word. */
#define TOLD_NS 5000000000u

/* The one run of the page. */
static struct {
	struct scenario scenario;
	bool is_loaded;
	char *settings_text; /* owned; settings point into it */
	const char *settings[SETTINGS_MAX];
	size_t settings_count;
	uint64_t seed;
	struct watch *watch; /* owned, as the others */
	struct sim_log *log;
	struct world *world;
	struct report report;
	bool has_report;
	char error[SCENARIO_ERROR_BYTES];
	const double *moments; /* borrowed from watch */
	double moments_count;
} page;

/* ---- text that is returned ---------------------------------------------------- */

static char *text;
static size_t text_size;

static FILE *text_begin(void)
{
	FILE *file;

	free(text);
	text = NULL;
	file = open_memstream(&text, &text_size);
	if (!file)
		abort(); /* the page says that the engine ended */
	return file;
}

static const char *text_end(FILE *file)
{
	if (fclose(file) || !text)
		abort();
	return text;
}

/* ---- a scenario ----------------------------------------------------------------- */

static void run_drop(void)
{
	char error[256];

	/* Devices are detached before the engine ends under them, also in the middle of a run. */
	if (page.world)
		world_finish(page.world);
	world_destroy(page.world);
	page.world = NULL;
	if (page.log)
		sim_log_finish(page.log, error, sizeof(error));
	page.log = NULL;
	watch_destroy(page.watch);
	page.watch = NULL;
	if (page.has_report)
		report_fini(&page.report);
	page.has_report = false;
	page.moments_count = 0;
}

/* Lines with something in them, without the spaces around. */
static const char *settings_split(const char *settings)
{
	char *rest;

	free(page.settings_text);
	page.settings_count = 0;
	page.settings_text = rest = strdup(settings);
	if (!rest)
		return "out of memory";
	while (rest) {
		char *line = strsep(&rest, "\n");
		size_t length;

		line += strspn(line, " \t\r");
		length = strlen(line);
		while (length && strchr(" \t\r", line[length - 1]))
			line[--length] = 0;
		if (!length)
			continue;
		if (page.settings_count == SETTINGS_MAX)
			return "--set: more than 64 settings; write them into the scenario";
		page.settings[page.settings_count++] = line;
	}
	return NULL;
}

static const char *write_text(const char *file, const char *content)
{
	FILE *out = fopen(file, "w");

	if (!out || fwrite(content, 1, strlen(content), out) != strlen(content)) {
		if (out)
			fclose(out);
		return "out of memory";
	}
	return fclose(out) ? "out of memory" : NULL;
}

const char *learn_load(const char *file, const char *content, const char *settings)
{
	const char *problem;

	run_drop();
	if (page.is_loaded)
		scenario_fini(&page.scenario);
	page.is_loaded = false;
	problem = write_text(file, content);
	if (!problem)
		problem = settings_split(settings);
	if (problem)
		return problem;
	if (scenario_load(file, page.settings, page.settings_count, &page.scenario, page.error)) {
		unlink(file);
		return page.error;
	}
	unlink(file);
	page.is_loaded = true;
	return "";
}

const char *learn_scenario(void)
{
	struct scenario_estimate estimate = scenario_estimate(&page.scenario);
	char takes[ESTIMATE_TEXT_BYTES];
	FILE *out = text_begin();
	struct json_out json;

	json_out_init(&json, out);
	json_out_begin(&json, NULL, '{');
	json_out_string(&json, "name", page.scenario.top.name);
	json_out_string(&json, "about", page.scenario.top.about);
	json_out_u64(&json, "duration_ns", page.scenario.top.duration_ns);
	json_out_u64(&json, "guests", page.scenario.guest.count);
	json_out_u64(&json, "iotlb_entries", page.scenario.iommu.iotlb_entries);
	if (estimate.host_ns > TOLD_NS)
		json_out_string(&json, "takes", scenario_estimate_text(estimate.host_ns, takes));
	json_out_end(&json, '}');
	return text_end(out);
}

/* ---- a run ------------------------------------------------------------------------ */

static bool watch_begin(void)
{
	struct sim_sink sink;

	page.watch = watch_create(page.scenario.top.name);
	if (!page.watch)
		return false;
	sink = watch_sink(page.watch);
	page.log = sim_log_create(&sink);
	return page.log;
}

const char *learn_begin(const char *seed, int watched)
{
	struct world_options options = { 0 };
	char *end, error[256];
	int err;

	run_drop();
	if (!page.is_loaded)
		return "no scenario is loaded";
	errno = 0;
	page.seed = strtoull(seed, &end, 10);
	if (errno || *end || seed[0] < '0' || seed[0] > '9')
		return "the seed is a number from 0 to 18446744073709551615";
	if (scenario_estimate_refuse(&page.scenario, MEMORY_BYTES, SCENARIO_HOST_NS_MAX, "",
				     page.error, sizeof(page.error)))
		return page.error;
	if (watched && !watch_begin()) {
		run_drop();
		return "out of memory";
	}
	options.seed = page.seed;
	options.log = page.log;
	page.world = world_create(&page.scenario, &options, &err, error);
	if (!page.world) {
		snprintf(page.error, sizeof(page.error), "%s", error);
		run_drop();
		return page.error;
	}
	return "";
}

int learn_run(double until_ns, double events_max)
{
	uint64_t until = (uint64_t)until_ns, end = page.scenario.top.duration_ns;

	if (!page.world)
		return 1;
	if (until > end)
		until = end;
	for (double i = 0; i < events_max && page.world->des.now_ns < until; i++) {
		if (!des_step(&page.world->des, until))
			break;
		if (page.log)
			sim_log_advance(page.log, page.world->des.now_ns);
	}
	return page.world->des.now_ns >= until;
}

int learn_step(void)
{
	return page.world && world_step(page.world);
}

double learn_now_ns(void)
{
	return page.world ? (double)page.world->des.now_ns : 0;
}

const double *learn_moments(void)
{
	page.moments_count =
		page.watch ? (double)watch_take(page.watch, &page.moments) : 0;
	return page.moments;
}

double learn_moments_count(void)
{
	return page.moments_count;
}

double learn_moments_lost(void)
{
	return page.watch ? watch_lost(page.watch) : 0;
}

/* ---- what is to be shown ------------------------------------------------------------ */

/* The first guest's device; NULL: it has none now. */
static const struct sim_device *device_shown(void)
{
	const struct guest *guest = &page.world->guests[0];
	const struct sim_device *device = nic_device(guest);

	if (!device || !device->hwpt_id)
		device = nvme_device(guest);
	return device && device->hwpt_id ? device : NULL;
}

/* Whether the page tables lead somewhere: asked by a read, with no trace of it. */
static bool is_mapped(const struct sim_device *device, uint64_t iova)
{
	uint64_t fault_iova;
	int ret;

	sim_log_mute(page.log, true);
	ret = engine_device_dma(device->bound, iova, 1, false, NULL, &fault_iova);
	sim_log_mute(page.log, false);
	return !ret;
}

static void print_levels(struct json_out *json)
{
	struct actor_level sums[2 * ACTOR_LEVELS_MAX];
	size_t count = 0;

	for (unsigned int k = 0; k < actor_kinds_count; k++) {
		const struct actor_kind *kind = actor_kinds[k];
		size_t first = count, n = 0;

		if (!kind->levels || !page.scenario.has[kind->section] ||
		    count + ACTOR_LEVELS_MAX > sizeof(sums) / sizeof(*sums))
			continue;
		for (uint64_t g = 0; g < page.scenario.guest.count; g++) {
			struct actor_level levels[ACTOR_LEVELS_MAX];

			n = kind->levels(&page.world->guests[g], levels);
			for (size_t i = 0; i < n; i++) {
				if (first + i == count)
					sums[count++] = (struct actor_level){ levels[i].name, 0 };
				sums[first + i].count += levels[i].count;
			}
		}
	}
	json_out_begin(json, "levels", '[');
	for (size_t i = 0; i < count; i++) {
		json_out_begin(json, NULL, '{');
		json_out_string(json, "name", sums[i].name);
		json_out_u64(json, "count", sums[i].count);
		json_out_end(json, '}');
	}
	json_out_end(json, ']');
}

static uint64_t ahead_ns(const struct des_calendar *calendar)
{
	uint64_t end_ns = des_calendar_last_end(calendar), now_ns = page.world->des.now_ns;

	return end_ns > now_ns ? end_ns - now_ns : 0;
}

/* Each entry: place, page, leaf size as a shift, 1 while it is mapped and 0 when stale. */
static void print_iotlb(struct json_out *json, const struct iommu *iommu)
{
	const struct sim_device *device = device_shown();
	uint64_t entries = page.scenario.iommu.iotlb_entries;

	json_out_u64(json, "iotlb_entries", entries);
	json_out_u64(json, "iotlb_ways", iommu->iotlb.ways);
	json_out_begin(json, "iotlb", '[');
	for (uint64_t i = 0; i < entries && i < IOTLB_SHOWN; i++) {
		struct iommu_entry entry;
		bool mapped = true;

		if (!iommu_entry_at(iommu, i, &entry))
			continue;
		if (device && device->domain == entry.domain)
			mapped = is_mapped(device, entry.iova);
		json_out_begin(json, NULL, '[');
		json_out_u64(json, NULL, i);
		json_out_hex(json, NULL, entry.iova);
		json_out_u64(json, NULL, entry.leaf_shift);
		json_out_u64(json, NULL, mapped);
		json_out_end(json, ']');
	}
	json_out_end(json, ']');
}

const char *learn_state(int iotlb)
{
	const struct world *world = page.world;
	FILE *out = text_begin();
	struct json_out json;

	json_out_init(&json, out);
	json_out_begin(&json, NULL, '{');
	if (world) {
		const struct iommu *iommu = &world->iommus[0];

		json_out_u64(&json, "now_ns", world->des.now_ns);
		json_out_u64(&json, "events", world->des.fired_count);
		json_out_u64(&json, "calls", world->counts.calls);
		json_out_u64(&json, "live_maps", world->counts.live_maps);
		json_out_u64(&json, "faults", world->counts.dma_faults);
		json_out_u64(&json, "stale", world->counts.dma_stale);
		json_out_u64(&json, "hits", iommu->hits_count);
		json_out_u64(&json, "misses", iommu->misses_count);
		json_out_u64(&json, "invalidation_ahead_ns", ahead_ns(&iommu->invalidation_queue));
		json_out_u64(&json, "lock_ahead_ns", ahead_ns(&iommu->lock));
		print_levels(&json);
		if (iotlb)
			print_iotlb(&json, iommu);
	}
	json_out_end(&json, '}');
	return text_end(out);
}

static void print_walk(struct json_out *json, const struct sim_device *device, uint64_t iova)
{
	const struct iommu *iommu = device->guest->iommu;
	struct iommu_walk walk = iommu_walk_ahead(iommu, device->domain, iova, device->leaf_shift);

	json_out_hex(json, "iova", iova);
	json_out_u64(json, "leaf_shift", device->leaf_shift);
	json_out_bool(json, "in_iotlb", walk.in_iotlb);
	json_out_bool(json, "mapped", is_mapped(device, iova));
	json_out_u64(json, "steps", walk.steps);
	json_out_u64(json, "step_ns", page.scenario.iommu.walk_step_ns);
	json_out_u64(json, "hit_ns", page.scenario.iommu.iotlb_hit_ns);
	json_out_begin(json, "levels", '[');
	for (unsigned int i = 0; i < walk.levels_count; i++) {
		json_out_begin(json, NULL, '{');
		json_out_u64(json, "shift", walk.levels[i].shift);
		json_out_u64(json, "index", walk.levels[i].index);
		json_out_bool(json, "skipped", walk.levels[i].skipped);
		json_out_end(json, '}');
	}
	json_out_end(json, ']');
}

const char *learn_walk(const char *iova)
{
	const struct sim_device *device = page.world ? device_shown() : NULL;
	struct json_out json;
	uint64_t address;
	char *end;
	FILE *out;

	errno = 0;
	address = strtoull(iova, &end, 0);
	if (!device || errno || *end || end == iova)
		return "";
	out = text_begin();
	json_out_init(&json, out);
	json_out_begin(&json, NULL, '{');
	print_walk(&json, device, address);
	json_out_end(&json, '}');
	return text_end(out);
}

/* ---- the end ------------------------------------------------------------------------ */

const char *learn_end(void)
{
	char error[256];
	FILE *out;

	if (!page.world)
		return "";
	report_init(&page.report);
	page.has_report = true;
	world_report(page.world, &page.report);
	world_destroy(page.world);
	page.world = NULL;
	if (page.log)
		sim_log_finish(page.log, error, sizeof(error));
	page.log = NULL;
	out = text_begin();
	result_print_json(&page.scenario, page.settings, page.settings_count, page.seed,
			  &page.report, out);
	return text_end(out);
}

const char *learn_rows(void)
{
	FILE *out = text_begin();
	struct json_out json;

	json_out_init(&json, out);
	json_out_begin(&json, NULL, '[');
	for (size_t i = 0; page.has_report && i < page.report.count; i++) {
		const struct report_row *row = &page.report.rows[i];
		char shown[REPORT_SHOWN_BYTES];

		json_out_begin(&json, NULL, '{');
		json_out_string(&json, "group", row->group);
		json_out_string(&json, "name", row->name);
		json_out_string(&json, "text", row->text);
		json_out_string(&json, "shown", report_shown(row, shown));
		json_out_u64(&json, "value", row->value);
		json_out_end(&json, '}');
	}
	json_out_end(&json, ']');
	return text_end(out);
}

const char *learn_check(void)
{
	FILE *out = text_begin();

	if (page.watch)
		watch_print_check(page.watch, out);
	return text_end(out);
}

int learn_check_status(void)
{
	return page.watch ? watch_check_status(page.watch) : 2;
}

const char *learn_keys(void)
{
	FILE *out = text_begin();

	schema_print(out);
	return text_end(out);
}
