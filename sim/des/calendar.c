/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/des/calendar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void des_calendar_init(struct des_calendar *calendar)
{
	*calendar = (struct des_calendar){ 0 };
}

void des_calendar_fini(struct des_calendar *calendar)
{
	free(calendar->busy);
	calendar->busy = NULL;
}

/* Room for one more at the end: what is long ago goes first. */
static void make_room(struct des_calendar *calendar)
{
	size_t count = calendar->end - calendar->first;

	if (calendar->end < calendar->size)
		return;
	if (count < calendar->size / 2) {
		memmove(calendar->busy, calendar->busy + calendar->first,
			count * sizeof(*calendar->busy));
	} else {
		size_t size = calendar->size ? calendar->size * 2 : 16;
		struct des_stretch *busy = malloc(size * sizeof(*busy));

		if (!busy) {
			fprintf(stderr, "calendar: out of memory\n");
			abort();
		}
		if (count)
			memcpy(busy, calendar->busy + calendar->first, count * sizeof(*busy));
		free(calendar->busy);
		calendar->busy = busy;
		calendar->size = size;
	}
	calendar->first = 0;
	calendar->end = count;
}

/* The first stretch that ends after now_ns. */
static size_t find(const struct des_calendar *calendar, uint64_t now_ns)
{
	size_t low = calendar->first, high = calendar->end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (calendar->busy[middle].end_ns <= now_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Marks [start, end) busy; it lies between stretches i - 1 and i. */
static void insert(struct des_calendar *calendar, size_t i, uint64_t start_ns, uint64_t end_ns)
{
	struct des_stretch *busy = calendar->busy;
	bool joins_before = i > calendar->first && busy[i - 1].end_ns == start_ns;
	bool joins_after = i < calendar->end && busy[i].start_ns == end_ns;

	if (joins_before && joins_after) {
		busy[i - 1].end_ns = busy[i].end_ns;
		memmove(&busy[i], &busy[i + 1], (--calendar->end - i) * sizeof(*busy));
	} else if (joins_before) {
		busy[i - 1].end_ns = end_ns;
	} else if (joins_after) {
		busy[i].start_ns = start_ns;
	} else {
		memmove(&busy[i + 1], &busy[i], (calendar->end++ - i) * sizeof(*busy));
		busy[i] = (struct des_stretch){ start_ns, end_ns };
	}
}

uint64_t des_calendar_use(struct des_calendar *calendar, uint64_t floor_ns, uint64_t now_ns,
			  uint64_t work_ns)
{
	uint64_t start_ns = now_ns;
	size_t i;

	while (calendar->first < calendar->end && calendar->busy[calendar->first].end_ns < floor_ns)
		calendar->first++;
	make_room(calendar);
	for (i = find(calendar, now_ns); i < calendar->end; i++) {
		if (calendar->busy[i].start_ns >= start_ns &&
		    calendar->busy[i].start_ns - start_ns >= work_ns)
			break;
		start_ns = calendar->busy[i].end_ns;
	}
	if (work_ns)
		insert(calendar, i, start_ns, start_ns + work_ns);
	calendar->jobs_count++;
	calendar->busy_ns += work_ns;
	calendar->wait_ns += start_ns - now_ns;
	calendar->waited_count += start_ns > now_ns;
	return start_ns + work_ns;
}

uint64_t des_calendar_last_end(const struct des_calendar *calendar)
{
	return calendar->first < calendar->end ? calendar->busy[calendar->end - 1].end_ns : 0;
}
