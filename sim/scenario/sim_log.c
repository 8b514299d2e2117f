/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events in time order, handed on to the CTF writer. */
#include "sim/scenario/sim_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario/ctf_writer.h"

const struct sim_event_class sim_event_classes[EV_COUNT] = {
#define BE(name) "iommufd_backend:" name
#define BEGIN "u64 op_id, u32 be, u32 tid"
	[EV_CONNECT_BEGIN] = { BE("connect_begin"), BEGIN },
	[EV_CONNECT] = { BE("connect"), "u64 op_id, u32 be, i32 fd, u8 owned, u32 users, i32 ret" },
	[EV_DISCONNECT_BEGIN] = { BE("disconnect_begin"), BEGIN },
	[EV_DISCONNECT] = { BE("disconnect"), "u64 op_id, u32 be, i32 fd, u32 users, i32 ret" },
	[EV_ALLOC_IOAS_BEGIN] = { BE("alloc_ioas_begin"), BEGIN ", i32 iommufd" },
	[EV_ALLOC_IOAS] = { BE("alloc_ioas"), "u64 op_id, u32 be, i32 iommufd, u32 ioas, i32 ret" },
	[EV_FREE_ID_BEGIN] = { BE("free_id_begin"), BEGIN ", i32 iommufd, u32 id" },
	[EV_FREE_ID] = { BE("free_id"), "u64 op_id, u32 be, i32 iommufd, u32 id, i32 ret" },
	[EV_MAP_BEGIN] = { BE("map_dma_begin"),
			   BEGIN ", i32 iommufd, u32 ioas, x64 iova, x64 size, u8 readonly" },
	[EV_MAP] = { BE("map_dma"), "u64 op_id, u32 be, i32 iommufd, u32 ioas, x64 iova, "
				    "x64 size, u8 readonly, i32 ret" },
	[EV_UNMAP_BEGIN] = { BE("unmap_dma_begin"),
			     BEGIN ", i32 iommufd, u32 ioas, x64 iova, x64 size" },
	[EV_UNMAP] = { BE("unmap_dma"), "u64 op_id, u32 be, i32 iommufd, u32 ioas, x64 iova, "
					"x64 size, i32 ret" },
	[EV_UNMAP_NON_EXIST] = { BE("unmap_dma_non_exist"),
				 "u64 op_id, u32 be, i32 iommufd, u32 ioas, x64 iova, x64 size, "
				 "i32 ret" },
	[EV_DEVICE_INFO_BEGIN] = { BE("get_device_info_begin"),
				   BEGIN ", i32 iommufd, u32 dev_id" },
	[EV_DEVICE_INFO] = { BE("get_device_info"), "u64 op_id, u32 be, i32 iommufd, u32 dev_id, "
						    "u32 hw_type, u64 caps, i32 ret" },
	[EV_ALLOC_HWPT_BEGIN] = { BE("alloc_hwpt_begin"),
				  BEGIN ", i32 iommufd, u32 dev_id, u32 pt_id, x32 flags" },
	[EV_ALLOC_HWPT] = { BE("alloc_hwpt"),
			    "u64 op_id, u32 be, i32 iommufd, u32 dev_id, u32 pt_id, x32 flags, "
			    "u32 hwpt_type, u32 len, u32 out_hwpt_id, i32 ret" },
	[EV_SET_DIRTY_BEGIN] = { BE("set_dirty_begin"),
				 BEGIN ", i32 iommufd, u32 hwpt_id, u8 start" },
	[EV_SET_DIRTY] = { BE("set_dirty"),
			   "u64 op_id, u32 be, i32 iommufd, u32 hwpt_id, u8 start, i32 ret" },
	[EV_GET_DIRTY_BEGIN] = { BE("get_dirty_bitmap_begin"),
				 BEGIN ", i32 iommufd, u32 hwpt_id, x64 iova, x64 size, "
				       "u64 page_size" },
	[EV_GET_DIRTY] = { BE("get_dirty_bitmap"), "u64 op_id, u32 be, i32 iommufd, u32 hwpt_id, "
						   "x64 iova, x64 size, u64 page_size, i32 ret" },
#define DEV(name) "iommufd_dev:" name
	[EV_DEV_OPEN] = { DEV("open"), "u64 ctx, u32 pid, u32 tid" },
	[EV_DEV_RELEASE] = { DEV("release"), "u64 ctx" },
	[EV_IOCTL_BEGIN] = { DEV("ioctl_begin"), "u64 ctx, u64 op_id, u32 pid, u32 tid, x32 cmd" },
	[EV_IOCTL_END] = { DEV("ioctl_end"), "u64 ctx, u64 op_id, x32 cmd, i32 ret" },
	[EV_COMMIT] = { DEV("commit"), "u64 ctx, u64 op_id, u32 obj, u64 seq, u8 kind, x64 iova, "
				       "x64 last, x32 flags, u64 arg" },
	[EV_DMA] = { DEV("dma"),
		     "u64 ctx, u32 dev, u32 pt, x64 iova, x64 length, u8 write, i32 ret" },
	[EV_DMA_FAULT] = { DEV("fault"), "u64 ctx, u32 dev, u32 pt, x64 iova, u8 write" },
#define SIM(name) "ioasis_sim:" name
#define ACTOR "u64 virt_ns, u32 guest"
	[EV_SIM_SCENARIO] = { SIM("scenario"), "u64 virt_ns, u64 seed, u64 run_seed, u32 guests" },
	[EV_SIM_BOOT] = { SIM("boot"), ACTOR ", u32 be, u32 ioas, x64 memory" },
	[EV_SIM_INVALIDATE] = { SIM("invalidate"), ACTOR ", u32 domain, x64 iova, x64 size, "
							 "u64 done_ns" },
	[EV_SIM_FLUSH] = { SIM("flush"), ACTOR ", u32 domain, u32 entries, u64 done_ns" },
	[EV_SIM_STALE_DMA] = { SIM("stale_dma"), ACTOR ", u32 dev, x64 iova, u8 write" },
	[EV_SIM_MIGRATION_ROUND] = { SIM("migration_round"),
				     ACTOR ", u32 round, u64 dirty_pages, u64 send_ns" },
	[EV_SIM_MIGRATION_END] = { SIM("migration_end"),
				   ACTOR ", u8 converged, u32 rounds, u64 downtime_ns" },
	[EV_SIM_PLUG] = { SIM("plug"), ACTOR ", u8 what, u8 plugged, x64 iova, x64 size" },
	[EV_SIM_PLANTED_FAULT] = { SIM("planted_fault"), ACTOR ", u32 kind, x64 iova" },
};

/* A binary heap of records: few are ahead of time at once. */
struct sim_log {
	struct ctf_writer *writer; /* owned */
	struct ctf_record *heap;   /* owned */
	size_t count;
	size_t size;
	uint64_t next_sequence;
};

static bool record_before(const struct ctf_record *a, const struct ctf_record *b)
{
	return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->sequence < b->sequence;
}

struct sim_log *sim_log_create(const char *dir, const char *name, uint64_t seed,
			       uint64_t run_seed, char *error, size_t error_size)
{
	struct sim_log *log = calloc(1, sizeof(*log));

	if (!log) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	log->writer = ctf_writer_create(dir, name, seed, run_seed, error, error_size);
	if (!log->writer) {
		free(log);
		return NULL;
	}
	return log;
}

void sim_log_put(struct sim_log *log, uint64_t time_ns, enum sim_event event,
		 const uint64_t *values)
{
	struct ctf_record record = { .time_ns = time_ns, .event = event };
	size_t i;

	if (!log)
		return;
	if (log->count == log->size) {
		size_t size = log->size ? log->size * 2 : 256;
		struct ctf_record *heap = realloc(log->heap, size * sizeof(*heap));

		if (!heap) {
			ctf_writer_fail(log->writer, -ENOMEM);
			return;
		}
		log->heap = heap;
		log->size = size;
	}
	record.sequence = log->next_sequence++;
	memcpy(record.values, values,
	       ctf_writer_fields_count(log->writer, event) * sizeof(*values));
	for (i = log->count++; i && record_before(&record, &log->heap[(i - 1) / 2]);
	     i = (i - 1) / 2)
		log->heap[i] = log->heap[(i - 1) / 2];
	log->heap[i] = record;
}

static void pop_first(struct sim_log *log)
{
	struct ctf_record last = log->heap[--log->count];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= log->count)
			break;
		if (child + 1 < log->count &&
		    record_before(&log->heap[child + 1], &log->heap[child]))
			child++;
		if (!record_before(&log->heap[child], &last))
			break;
		log->heap[i] = log->heap[child];
		i = child;
	}
	log->heap[i] = last;
}

void sim_log_advance(struct sim_log *log, uint64_t now_ns)
{
	while (log && log->count && log->heap[0].time_ns < now_ns) {
		ctf_writer_put(log->writer, &log->heap[0]);
		pop_first(log);
	}
}

int sim_log_finish(struct sim_log *log, char *error, size_t error_size)
{
	int err;

	while (log->count) {
		ctf_writer_put(log->writer, &log->heap[0]);
		pop_first(log);
	}
	err = ctf_writer_finish(log->writer, error, error_size);
	free(log->heap);
	free(log);
	return err;
}
