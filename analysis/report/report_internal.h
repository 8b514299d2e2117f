/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the report share: report_collect.c fills it while the trace
 * is read, report_space.c makes pictures of it, report_html.c writes the page.
 */
#ifndef IOASIS_ANALYSIS_REPORT_INTERNAL_H
#define IOASIS_ANALYSIS_REPORT_INTERNAL_H

#include <errno.h>

#include "analysis/analysis.h"
#include "text/json_out.h"
#include "analysis/report/report.h"
#include "analysis/stats/stats.h"
#include "analysis/table.h"
#include "analysis/report/timeline.h"

#define REPORT_FINDINGS_MAX 100
#define REPORT_OBJECTS_MAX 400	/* drawn */
#define REPORT_OWNERS_MAX 7	/* colours; the last is "others" */
#define REPORT_REGIONS_MAX 24	/* parts of an address space that are drawn */
#define REPORT_SPACES_MAX 16	/* address spaces that are drawn */
#define REPORT_RECTS_MAX 12000	/* mappings drawn one by one, over all spaces */

#define REPORT_OCTAVES 64u
#define REPORT_SLOWEST_MAX 20u

/* What made a mapping. */
enum report_category {
	REPORT_BY_MAP,
	REPORT_BY_MAP_FILE,
	REPORT_BY_COPY,
	REPORT_BY_VFIO,
	REPORT_BY_DUMP,
	REPORT_CATEGORIES,
};

/* A mapping's life, as it goes to the temporary file. */
struct report_mapping {
	uint32_t space;	 /* index in spaces */
	uint8_t category;
	uint8_t owner;
	uint8_t prot;
	uint8_t spare;
	int64_t begin_ns;
	int64_t end_ns; /* INT64_MAX: lives at the end */
	uint64_t iova;
	uint64_t last;
	uint64_t op_id;
};

/* Parts of an address space that were ever mapped, sorted; gaps are left out when too many. */
struct report_regions {
	unsigned int count;
	uint64_t first[REPORT_REGIONS_MAX + 1];
	uint64_t last[REPORT_REGIONS_MAX + 1];
};

/* One address space. */
struct report_space {
	uint64_t serial; /* of its object */
	uint32_t machine, pid, id;
	int64_t born_ns;
	uint8_t owner;
	char *name;	   /* owned */
	uint64_t mappings; /* all that were */
	struct report_regions regions;
};

/* An object or a context in the picture of who holds whom. */
struct report_row {
	uint64_t serial; /* of the object; 0: a context */
	uint64_t context; /* serial of the context */
	uint64_t parent; /* row's id of what holds it: an object's id in the context, 0: the context */
	uint32_t id;
	uint8_t kind; /* colour */
	bool device;  /* parent is set by attaching */
	int64_t born_ns;
	int64_t died_ns; /* INT64_MAX: lives at the end */
	uint64_t mappings, attaches;
	char *name; /* owned */
};

/* A call that took long. */
struct report_slow {
	enum event_op op;
	uint64_t op_id;
	int64_t begin_ns;
	uint64_t took_ns;
	uint64_t tid;
	int64_t ret;
	const struct state_process *process; /* of the state */
};

struct report {
	struct analysis *analysis; /* borrowed, from report_observe on */
	struct stats *stats;	   /* owned */
	FILE *spool;		   /* of struct report_mapping */
	uint64_t spooled;
	int error; /* the first thing that went wrong, reported by report_write */

	struct timeline timeline;
	struct timeline_band *bytes, *mappings;
	struct timeline_counter *errors;
	struct timeline_counter *calls[OP_COUNT]; /* NULL: no such call yet */
	struct timeline_counter *took[REPORT_OCTAVES]; /* calls by duration: 2^n ns or more; NULL: none */
	struct report_slow slowest[REPORT_SLOWEST_MAX];
	size_t slowest_count;
	uint64_t live_bytes, live_mappings;

	enum report_category event_category; /* of the event under way */
	struct {
		uint64_t op_id;
		enum report_category category;
	} ioctls[256]; /* ioctls under way, by their op_id's low bits */
	struct table mapping_category; /* (space serial, iova): not by a plain map */

	char *owners[REPORT_OWNERS_MAX]; /* owned */
	uint64_t owner_keys[REPORT_OWNERS_MAX];
	unsigned int owners_count;

	struct report_space *spaces; /* owned */
	size_t spaces_count, spaces_room;
	struct table space_index; /* (serial, 0): index + 1 */

	struct report_row *rows;
	size_t rows_count, rows_room;
	struct table row_index; /* (serial, is context): index + 1 */
	uint64_t rows_left_out;

	struct report_finding findings[REPORT_FINDINGS_MAX]; /* all that they point to is owned */
	size_t findings_count;
	uint64_t findings_total;
	char *status, *text, *rules; /* of the verdict; owned */
};

/* The address space that a finding is about, or NULL. */
const struct report_space *report_space_of(const struct report *report,
					   const struct report_finding *finding);

/* Notes how long a call took that came back in this bin of the timeline. 0 or -ENOMEM. */
int report_latency_note(struct report *report, const struct state_op *op, unsigned int bin);

/* Writes the members "heat" and "slowest". */
void report_latency_write(const struct report *report, struct json_out *json);

/* Adds [iova, last] to the parts that are drawn. */
void report_regions_add(struct report_regions *regions, uint64_t iova, uint64_t last);

/*
 * Writes the array of address spaces. index_of: for each of report->spaces its
 * place in the array, or -1: not drawn; filled here. 0 or a negative errno.
 */
int report_spaces_write(struct report *report, struct json_out *json, int64_t end_ns,
			int *index_of);

#endif
