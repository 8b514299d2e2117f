/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages a device's DMA wrote, when a client asks the device for that rather than
 * the IOMMU: DMA_LOGGING_START, STOP, REPORT. Source: vfio_main.c, Linux 7.3.
 */
#include "sim/vfio/migration.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_SHIFT 12u
#define RANGES_MAX 256u /* they fill a page of the kernel's (LOG_MAX_RANGES) */
#define NO_PAGE UINT64_MAX

/* Pages are a hash set: there are as many slots as a power of two, at most half are used. */
struct vfio_log {
	pthread_mutex_t lock;
	bool active; /* also read without the lock */
	struct sim_vfio_log_range ranges[RANGES_MAX];
	uint32_t ranges_count;
	uint64_t *slots; /* page numbers; NO_PAGE: free */
	size_t room, used;
	bool lost; /* out of memory: every page of the ranges counts as written */
};

struct vfio_log *vfio_log_create(void)
{
	struct vfio_log *log = calloc(1, sizeof(*log));

	if (log)
		pthread_mutex_init(&log->lock, NULL);
	return log;
}

static void forget(struct vfio_log *log)
{
	free(log->slots);
	log->slots = NULL;
	log->room = log->used = 0;
	log->lost = false;
}

void vfio_log_destroy(struct vfio_log *log)
{
	if (!log)
		return;
	forget(log);
	pthread_mutex_destroy(&log->lock);
	free(log);
}

/* ---- the set, with the lock held ------------------------------------------------------ */

static void put_page(uint64_t *slots, size_t room, uint64_t page, size_t *used)
{
	size_t at = (size_t)(page * 0x9e3779b97f4a7c15ull >> 32) & (room - 1);

	while (slots[at] != NO_PAGE && slots[at] != page)
		at = (at + 1) & (room - 1);
	*used += slots[at] == NO_PAGE;
	slots[at] = page;
}

static bool set_grow(struct vfio_log *log)
{
	size_t room = log->room ? 2 * log->room : 1024, used = 0;
	uint64_t *slots = malloc(room * sizeof(*slots));

	if (!slots)
		return false;
	memset(slots, 0xff, room * sizeof(*slots));
	for (size_t i = 0; i < log->room; i++) {
		if (log->slots[i] != NO_PAGE)
			put_page(slots, room, log->slots[i], &used);
	}
	free(log->slots);
	log->slots = slots;
	log->room = room;
	log->used = used;
	return true;
}

void vfio_log_note(struct vfio_log *log, uint64_t iova, uint64_t last)
{
	if (!log || !__atomic_load_n(&log->active, __ATOMIC_ACQUIRE))
		return;
	pthread_mutex_lock(&log->lock);
	for (uint64_t page = iova >> PAGE_SHIFT; page <= last >> PAGE_SHIFT && !log->lost; page++) {
		if (2 * log->used >= log->room && !set_grow(log))
			log->lost = true;
		else
			put_page(log->slots, log->room, page, &log->used);
	}
	pthread_mutex_unlock(&log->lock);
}

void vfio_log_end(struct vfio_log *log)
{
	if (!log)
		return;
	pthread_mutex_lock(&log->lock);
	__atomic_store_n(&log->active, false, __ATOMIC_RELEASE);
	forget(log);
	pthread_mutex_unlock(&log->lock);
}

/* ---- START --------------------------------------------------------------------------- */

/* The checks of one range, given those before it. */
static int check_range(const struct sim_vfio_log_range *ranges, uint32_t count,
		       const struct sim_vfio_log_range *range, uint64_t page_size)
{
	uint64_t end;

	if (range->iova & (page_size - 1) || range->length & (page_size - 1))
		return -EINVAL;
	if (__builtin_add_overflow(range->iova, range->length, &end))
		return -EOVERFLOW;
	for (uint32_t i = 0; i < count; i++) {
		if (range->iova < ranges[i].iova + ranges[i].length && ranges[i].iova < end)
			return -EINVAL;
	}
	return 0;
}

static long log_start(const struct vfio_feature_call *call)
{
	const struct engine_client *client = call->client;
	struct sim_vfio_log_range ranges[RANGES_MAX];
	struct vfio_log *log = call->device->log;
	struct sim_vfio_log_control control;
	long rc = vfio_feature_check(call, SIM_VFIO_FEATURE_SET, sizeof(control));

	if (rc != 1)
		return rc;
	if (client->ops->copy_in(client, &control, call->arg, sizeof(control)))
		return -EFAULT;
	if (!control.num_ranges)
		return -EINVAL;
	if (control.num_ranges > RANGES_MAX)
		return -E2BIG;
	if (client->ops->copy_in(client, ranges, control.ranges,
				 control.num_ranges * sizeof(ranges[0])))
		return -EFAULT;
	for (uint32_t i = 0; i < control.num_ranges; i++) {
		rc = check_range(ranges, i, &ranges[i], control.page_size);
		if (rc)
			return rc;
	}
	pthread_mutex_lock(&log->lock);
	rc = log->active ? -EINVAL : 0;
	if (!rc) {
		memcpy(log->ranges, ranges, control.num_ranges * sizeof(ranges[0]));
		log->ranges_count = control.num_ranges;
		forget(log);
		__atomic_store_n(&log->active, true, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&log->lock);
	if (rc)
		return rc;
	control.page_size = 1u << PAGE_SHIFT; /* what it logs by */
	if (client->ops->copy_out(client, call->arg, &control, sizeof(control))) {
		vfio_log_end(log);
		return -EFAULT;
	}
	return 0;
}

/* ---- REPORT -------------------------------------------------------------------------- */

static int compare_pages(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/*
 * Takes the pages of [iova, +length) out of the log: *pages, sorted, is the caller's.
 * With the lock held. How many, or -ENOMEM.
 */
static ssize_t take_pages(struct vfio_log *log, uint64_t first, uint64_t last, uint64_t **pages)
{
	uint64_t *kept = NULL;
	size_t taken = 0, used = 0;

	*pages = malloc((log->used ? log->used : 1) * sizeof(**pages));
	kept = malloc((log->room ? log->room : 1) * sizeof(*kept));
	if (!*pages || !kept) {
		free(*pages);
		free(kept);
		return -ENOMEM;
	}
	memset(kept, 0xff, log->room * sizeof(*kept));
	for (size_t i = 0; i < log->room; i++) {
		if (log->slots[i] == NO_PAGE)
			continue;
		if (log->slots[i] >= first && log->slots[i] <= last)
			(*pages)[taken++] = log->slots[i];
		else
			put_page(kept, log->room, log->slots[i], &used);
	}
	free(log->slots);
	log->slots = kept;
	log->used = used;
	qsort(*pages, taken, sizeof(**pages), compare_pages);
	return (ssize_t)taken;
}

static uint64_t bit_of(const struct sim_vfio_log_report *report, uint64_t page,
		       unsigned int shift)
{
	uint64_t iova = page << PAGE_SHIFT;

	return iova <= report->iova ? 0 : (iova - report->iova) >> shift;
}

/* Sets the bits in the client's bitmap, word by word; others stay. */
static long set_bits(const struct engine_client *client, const struct sim_vfio_log_report *report,
		     const uint64_t *pages, size_t count)
{
	unsigned int shift = (unsigned int)__builtin_ctzll(report->page_size);
	size_t i = 0;

	while (i < count) {
		uint64_t bit = bit_of(report, pages[i], shift);
		uint64_t word = bit / 64, bits, at = report->bitmap + 8 * word;

		if (client->ops->copy_in(client, &bits, at, sizeof(bits)))
			return -EFAULT;
		for (; i < count && bit / 64 == word; i++) {
			bits |= 1ull << bit % 64;
			if (i + 1 < count)
				bit = bit_of(report, pages[i + 1], shift);
		}
		if (client->ops->copy_out(client, at, &bits, sizeof(bits)))
			return -EFAULT;
	}
	return 0;
}

static long log_report(const struct vfio_feature_call *call)
{
	struct vfio_log *log = call->device->log;
	struct sim_vfio_log_report report;
	long rc = vfio_feature_check(call, SIM_VFIO_FEATURE_GET, sizeof(report));
	uint64_t end, *pages = NULL;
	ssize_t count;

	if (rc != 1)
		return rc;
	if (call->client->ops->copy_in(call->client, &report, call->arg, sizeof(report)))
		return -EFAULT;
	if (report.page_size < 1u << PAGE_SHIFT || report.page_size & (report.page_size - 1))
		return -EINVAL;
	if (__builtin_add_overflow(report.iova, report.length, &end))
		return -EOVERFLOW;
	if (!report.length)
		return 0;
	pthread_mutex_lock(&log->lock);
	if (!log->active)
		count = -EINVAL;
	else if (log->lost)
		count = -ENOMEM;
	else
		count = take_pages(log, report.iova >> PAGE_SHIFT, (end - 1) >> PAGE_SHIFT, &pages);
	pthread_mutex_unlock(&log->lock);
	if (count < 0)
		return count;
	rc = set_bits(call->client, &report, pages, (size_t)count);
	free(pages);
	return rc;
}

long vfio_feature_log(const struct vfio_feature_call *call)
{
	int rc;

	if (!call->device->log)
		return -ENOTTY;
	switch (call->flags & SIM_VFIO_FEATURE_MASK) {
	case SIM_VFIO_FEATURE_LOG_START:
		return log_start(call);
	case SIM_VFIO_FEATURE_LOG_REPORT:
		return log_report(call);
	default:
		rc = vfio_feature_check(call, SIM_VFIO_FEATURE_SET, 0);
		if (rc != 1)
			return rc;
		vfio_log_end(call->device->log);
		return 0;
	}
}
