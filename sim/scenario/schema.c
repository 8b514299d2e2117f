/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of a scenario file. docs/COSTS.md says where the defaults of costs are from. */
#include "sim/scenario/schema.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario/units.h"

#define AT(member) offsetof(struct scenario, member)
#define MODES	   "passthrough strict deferred never"
#define SECOND	   1000000000ull
#define HOUR	   (3600 * SECOND)
#define MONTH	   (31 * 24 * HOUR)
#define TIB	   (1ull << 40)

static const struct {
	const char *name;
	const char *help;
} sections[SECTION_COUNT] = {
	[SECTION_TOP] = { "", "the scenario itself" },
	[SECTION_HOST] = { "host", "the machine" },
	[SECTION_IOMMU] = { "iommu", "each IOMMU: its caches and its invalidation queue" },
	[SECTION_COST] = { "cost", "what software does, in time of a CPU" },
	[SECTION_GUEST] = { "guest", "the guests and their memory" },
	[SECTION_DMA] = { "dma", "how drivers map buffers" },
#define ACTOR(SECTION, name, text, own, keys) [SECTION_##SECTION] = { #name, text },
#include "sim/scenario/actors.def"
#undef ACTOR
};

#define KEY(sec, key, kind, member, def, lo, hi, words, text) \
	{ .section = SECTION_##sec, .name = key, .type = SCHEMA_##kind, .offset = AT(member), \
	  .fallback = def, .min = lo, .max = hi, .choices = words, .help = text }

const struct schema_key schema_keys[] = {
	KEY(TOP, "name", TEXT, top.name, NULL, 1, 60, NULL, "short name, for tables and traces"),
	KEY(TOP, "about", TEXT, top.about, "", 0, 500, NULL, "what it shows, in a sentence"),
	KEY(TOP, "duration", TIME, top.duration_ns, NULL, 1, 12 * MONTH, NULL,
	    "how long it runs, in virtual time"),
	KEY(TOP, "seed", COUNT, top.seed, "1", 0, UINT64_MAX, NULL,
	    "seed of what the world is like; --seed is that of the run"),

	KEY(HOST, "clock", HERTZ, host.clock_hertz, "3GHz", 100000000, 10000000000, NULL,
	    "CPU frequency, for costs in cycles"),
	KEY(HOST, "iommus", COUNT, host.iommus_count, "1", 1, 1024, NULL,
	    "IOMMUs; guests take turns"),

	KEY(IOMMU, "iotlb_entries", COUNT, iommu.iotlb_entries, "64", 1, 1 << 20, NULL,
	    "translations that the IOTLB holds"),
	KEY(IOMMU, "iotlb_ways", COUNT, iommu.iotlb_ways, "4", 1, 1024, NULL,
	    "of each set; the entries for one set: fully associative"),
	KEY(IOMMU, "iotlb_replacement", CHOICE, iommu.iotlb_replacement, "lru", 0, 0,
	    "lru fifo random", "which entry of a set goes"),
	KEY(IOMMU, "iotlb_hit", COST, iommu.iotlb_hit_ns, "2ns", 0, SECOND, NULL,
	    "translation that is in the IOTLB"),
	KEY(IOMMU, "walk_cache_entries", COUNT, iommu.walk_cache_entries, "32", 0, 65536, NULL,
	    "upper-level entries that the walker keeps, per level"),
	KEY(IOMMU, "walk_levels", COUNT, iommu.walk_levels, "4", 3, 6, NULL,
	    "levels of the page tables"),
	KEY(IOMMU, "walk_step", COST, iommu.walk_step_ns, "82ns", 0, SECOND, NULL,
	    "one memory access of a page walk"),
	KEY(IOMMU, "walkers", COUNT, iommu.walkers_count, "1", 1, 16, NULL,
	    "page walks at once"),
	KEY(IOMMU, "huge_pages", BOOL, iommu.huge_pages, "yes", 0, 1, NULL,
	    "2 MiB and 1 GiB leaves where a mapping allows"),
	KEY(IOMMU, "invalidate", COST, iommu.invalidate_ns, "700ns", 0, SECOND, NULL,
	    "one invalidation, from the request until the wait ends"),
	KEY(IOMMU, "invalidate_all", COST, iommu.invalidate_all_ns, "700ns", 0, SECOND, NULL,
	    "invalidation of a whole address space"),
	KEY(IOMMU, "dirty_tracking", BOOL, iommu.dirty_tracking, "yes", 0, 1, NULL,
	    "page tables with dirty bits"),
	KEY(IOMMU, "address_width", COUNT, iommu.address_bits, "48", 32, 57, NULL,
	    "bits of the addresses that it translates: 39, 48 or 57 on real machines"),

	KEY(COST, "call", COST, cost.call_ns, "150ns", 0, SECOND, NULL,
	    "a system call's entry, exit and copies; 0 inside a kernel"),
	KEY(COST, "exit", COST, cost.exit_ns, "0ns", 0, SECOND, NULL,
	    "VM exit per map and unmap of a guest's own IOMMU"),
	KEY(COST, "iova_alloc", COST, cost.iova_alloc_ns, "33ns", 0, SECOND, NULL,
	    "a driver finds a free address"),
	KEY(COST, "iova_find", COST, cost.iova_find_ns, "0ns", 0, SECOND, NULL,
	    "a driver finds the mapping to take away"),
	KEY(COST, "iova_visit", COST, cost.iova_visit_ns, "0ns", 0, SECOND, NULL,
	    "dma.allocator search: each taken range that a search passes"),
	KEY(COST, "iova_free", COST, cost.iova_free_ns, "33ns", 0, SECOND, NULL,
	    "a driver gives an address back"),
	KEY(COST, "map", COST, cost.map_ns, "71ns", 0, SECOND, NULL,
	    "page tables: the first leaf of a mapping"),
	KEY(COST, "map_more", COST, cost.map_more_ns, "1ns", 0, SECOND, NULL,
	    "page tables: every further leaf"),
	KEY(COST, "unmap", COST, cost.unmap_ns, "77ns", 0, SECOND, NULL,
	    "page tables: the first leaf taken away"),
	KEY(COST, "unmap_more", COST, cost.unmap_more_ns, "1ns", 0, SECOND, NULL,
	    "page tables: every further leaf"),
	KEY(COST, "pin", COST, cost.pin_ns, "200ns", 0, SECOND, NULL,
	    "pinning one page (of guest.page) of a process"),
	KEY(COST, "unpin", COST, cost.unpin_ns, "20ns", 0, SECOND, NULL, "and letting it go"),
	KEY(COST, "lock", COST, cost.lock_ns, "40ns", 0, SECOND, NULL,
	    "time that a call holds the IOMMU's shared lock"),
	KEY(COST, "object", COST, cost.object_ns, "2us", 0, SECOND, NULL,
	    "making or freeing an object"),
	KEY(COST, "attach", COST, cost.attach_ns, "20us", 0, SECOND, NULL,
	    "attaching, moving or detaching a device"),
	KEY(COST, "dirty_read", COST, cost.dirty_read_ns, "2ns", 0, SECOND, NULL,
	    "reading and clearing one dirty bit"),
	KEY(COST, "defer", COST, cost.defer_ns, "5ns", 0, SECOND, NULL,
	    "putting an unmap into the flush queue"),

	KEY(GUEST, "count", COUNT, guest.count, "1", 1, 100000, NULL, "how many"),
	KEY(GUEST, "memory", BYTES, guest.memory_bytes, "4GiB", 1 << 20, 16 * TIB, NULL,
	    "of each"),
	KEY(GUEST, "page", BYTES, guest.page_bytes, "4KiB", 4096, 1 << 30, NULL,
	    "of the host's memory behind it: 4KiB, 2MiB or 1GiB"),
	KEY(GUEST, "layout", CHOICE, guest.layout, "q35", 0, 0, "q35 flat none",
	    "what is mapped at boot"),
	KEY(GUEST, "boot_after", DIST_TIME, guest.boot_after, "0ns", 0, MONTH, NULL,
	    "when each starts"),

	KEY(DMA, "flush_batch", COUNT, dma.flush_batch, "256", 1, 65536, NULL,
	    "deferred: unmaps that are invalidated together at most"),
	KEY(DMA, "flush_after", TIME, dma.flush_after_ns, "10ms", 1000, HOUR, NULL,
	    "deferred: and this long after the first at the latest"),
	KEY(DMA, "aperture", BYTES, dma.aperture_bytes, "4GiB", 1 << 20, 16 * TIB, NULL,
	    "addresses that a driver gives out, of each device"),
	KEY(DMA, "allocator", CHOICE, dma.allocator, "keep", 0, 0, "keep search",
	    "how a free address is found: of those kept, or searched as Linux did to 4.6"),
	KEY(DMA, "check", BOOL, dma.check, "yes", 0, 1, NULL,
	    "devices access memory through the engine's page tables; no: for speed"),

#define ACTOR(SECTION, name, text, own, keys) keys
#define ACTOR_KEY(SECTION, key, kind, name, member, ...) \
	KEY(SECTION, key, kind, name.member, __VA_ARGS__),
#include "sim/scenario/actors.def"
#undef ACTOR_KEY
#undef ACTOR

	{ .name = NULL },
};

const char *schema_section_name(enum scenario_section section)
{
	return sections[section].name;
}

enum scenario_section schema_section_find(const char *name)
{
	for (unsigned int i = SECTION_TOP + 1; i < SECTION_COUNT; i++) {
		if (!strcmp(sections[i].name, name))
			return (enum scenario_section)i;
	}
	return SECTION_COUNT;
}

const struct schema_key *schema_find(enum scenario_section section, const char *name)
{
	for (const struct schema_key *key = schema_keys; key->name; key++) {
		if (key->section == section && !strcmp(key->name, name))
			return key;
	}
	return NULL;
}

/* ---- values ------------------------------------------------------------- */

/* The number of word in words, or -1. */
static int choice_find(const char *words, const char *word)
{
	size_t length = strlen(word);

	for (int i = 0; *words; i++) {
		size_t n = strcspn(words, " ");

		if (n == length && !memcmp(words, word, n))
			return i;
		words += n + (words[n] == ' ');
	}
	return -1;
}

static void print_value(enum schema_type type, uint64_t value, char buf[UNITS_TEXT_BYTES])
{
	switch (type) {
	case SCHEMA_BYTES:
	case SCHEMA_DIST_BYTES:
		units_print_bytes(value, buf);
		break;
	case SCHEMA_TIME:
	case SCHEMA_COST:
	case SCHEMA_DIST_TIME:
		units_print_time(value, buf);
		break;
	case SCHEMA_RATE:
		units_print_rate(value, buf);
		break;
	case SCHEMA_SHARE:
		units_print_share(value, buf);
		break;
	case SCHEMA_HERTZ:
		snprintf(buf, UNITS_TEXT_BYTES, "%" PRIu64 "MHz", value / 1000000);
		break;
	default:
		units_print_count(value, buf);
	}
}

static const char *check_range(const struct schema_key *key, uint64_t value, char *buf)
{
	char low[UNITS_TEXT_BYTES], high[UNITS_TEXT_BYTES];

	if (value >= key->min && value <= key->max)
		return NULL;
	print_value(key->type, key->min, low);
	print_value(key->type, key->max, high);
	snprintf(buf, SCHEMA_PROBLEM_BYTES, "is out of range; write one from %s to %s", low, high);
	return buf;
}

static const char *set_text(const struct schema_key *key, const char *value,
			    struct scenario *scenario, char *buf)
{
	char **text = (char **)((char *)scenario + key->offset);
	size_t length = strlen(value);

	if (length < key->min || length > key->max) {
		snprintf(buf, SCHEMA_PROBLEM_BYTES,
			 "is %zu characters long; write %" PRIu64 " to %" PRIu64, length, key->min,
			 key->max);
		return buf;
	}
	free(*text);
	*text = strdup(value);
	return *text ? NULL : "cannot be kept: out of memory";
}

static const char *set_choice(const struct schema_key *key, const char *value, uint64_t *number,
			      char *buf)
{
	int choice = choice_find(key->choices, value);

	if (choice < 0) {
		snprintf(buf, SCHEMA_PROBLEM_BYTES, "is not one of its words; write one of: %s",
			 key->choices);
		return buf;
	}
	*number = (uint64_t)choice;
	return NULL;
}

static const char *set_dist(const struct schema_key *key, const char *value,
			    struct des_dist *dist, char *buf)
{
	enum units_of_dist unit = key->type == SCHEMA_DIST_TIME	 ? UNITS_TIME
				  : key->type == SCHEMA_DIST_BYTES ? UNITS_BYTES
								   : UNITS_COUNT;
	const char *problem = units_parse_dist(value, unit, dist);

	if (!problem)
		problem = check_range(key, dist->a, buf);
	if (!problem && dist->b)
		problem = check_range(key, dist->b, buf);
	return problem;
}

const char *schema_set(const struct schema_key *key, const char *value,
		       struct scenario *scenario, char buf[SCHEMA_PROBLEM_BYTES])
{
	void *member = (char *)scenario + key->offset;
	const char *problem = NULL;
	uint64_t number = 0;

	switch (key->type) {
	case SCHEMA_TEXT:
		return set_text(key, value, scenario, buf);
	case SCHEMA_CHOICE:
		return set_choice(key, value, member, buf);
	case SCHEMA_DIST_TIME:
	case SCHEMA_DIST_BYTES:
	case SCHEMA_DIST_COUNT:
		return set_dist(key, value, member, buf);
	case SCHEMA_COUNT:
		problem = units_parse_count(value, &number);
		break;
	case SCHEMA_BYTES:
		problem = units_parse_bytes(value, &number);
		break;
	case SCHEMA_TIME:
		problem = units_parse_time(value, 0, &number);
		break;
	case SCHEMA_COST:
		problem = units_parse_time(value, scenario->host.clock_hertz, &number);
		break;
	case SCHEMA_RATE:
		problem = units_parse_rate(value, &number);
		break;
	case SCHEMA_HERTZ:
		problem = units_parse_hertz(value, &number);
		break;
	case SCHEMA_SHARE:
		problem = units_parse_share(value, &number);
		break;
	case SCHEMA_BOOL:
		problem = units_parse_bool(value, &number);
		break;
	}
	if (!problem)
		problem = check_range(key, number, buf);
	if (!problem)
		*(uint64_t *)member = number;
	return problem;
}

/* ---- suggestions --------------------------------------------------------- */

#define NAME_MAX_LENGTH 32

/* How many letters have to change to get from a to b (Levenshtein). */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[NAME_MAX_LENGTH + 1];
	size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length > NAME_MAX_LENGTH || b_length > NAME_MAX_LENGTH)
		return NAME_MAX_LENGTH;
	for (size_t j = 0; j <= b_length; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_length; j++) {
			unsigned int best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b_length];
}

const char *schema_suggest(enum scenario_section section, const char *name)
{
	const char *best = NULL;
	unsigned int best_distance = 3;

	for (const struct schema_key *key = schema_keys; key->name; key++) {
		unsigned int d = key->section == section ? distance(name, key->name) : 99;

		if (d < best_distance) {
			best = key->name;
			best_distance = d;
		}
	}
	for (unsigned int i = SECTION_TOP + 1; section == SECTION_TOP && i < SECTION_COUNT; i++) {
		unsigned int d = distance(name, sections[i].name);

		if (d < best_distance) {
			best = sections[i].name;
			best_distance = d;
		}
	}
	return best;
}

static const char *type_name(enum schema_type type)
{
	static const char *const names[] = {
		[SCHEMA_TEXT] = "text",	  [SCHEMA_COUNT] = "count",
		[SCHEMA_BYTES] = "size",  [SCHEMA_TIME] = "time",
		[SCHEMA_COST] = "cost",	  [SCHEMA_RATE] = "rate",
		[SCHEMA_HERTZ] = "frequency", [SCHEMA_SHARE] = "share",
		[SCHEMA_BOOL] = "yes/no", [SCHEMA_CHOICE] = "word",
		[SCHEMA_DIST_TIME] = "times", [SCHEMA_DIST_BYTES] = "sizes",
		[SCHEMA_DIST_COUNT] = "counts",
	};

	return names[type];
}

void schema_print(FILE *out)
{
	for (unsigned int i = 0; i < SECTION_COUNT; i++) {
		if (i)
			fprintf(out, "\n%s:  # %s\n", sections[i].name, sections[i].help);
		else
			fprintf(out, "# %s\n", sections[i].help);
		for (const struct schema_key *key = schema_keys; key->name; key++) {
			if (key->section != i)
				continue;
			fprintf(out, "%s%-20s %-10s %-26s %s", i ? "  " : "", key->name,
				type_name(key->type),
				key->fallback ? key->fallback : "(must be given)", key->help);
			if (key->choices)
				fprintf(out, " [%s]", key->choices);
			fputc('\n', out);
		}
	}
}
