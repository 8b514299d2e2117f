/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events of the fake device, from the engine: every ioctl and what it changed.
 *
 * The clients' user addresses are in user_va alone.
 */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER iommufd_dev

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "tracepoints/iommufd_dev_tp.h"

#if !defined(IOASIS_IOMMUFD_DEV_TP_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define IOASIS_IOMMUFD_DEV_TP_H

#include <lttng/tracepoint.h>
#include <stdint.h>

/*
 * An open of the device. ctx: the open file, unique like an op_id. name: of the process, or "".
 * pid, tid, pid_ns, start: the caller as it sees itself (tracepoints/identity.h).
 */
LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_dev, open,
	LTTNG_UST_TP_ARGS(uint64_t, ctx, uint32_t, pid, uint32_t, tid, uint32_t, pid_ns,
		uint32_t, start, const char *, name),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, ctx, ctx)
		lttng_ust_field_integer(uint32_t, pid, pid)
		lttng_ust_field_integer(uint32_t, tid, tid)
		lttng_ust_field_integer(uint32_t, pid_ns, pid_ns)
		lttng_ust_field_integer(uint32_t, start, start)
		lttng_ust_field_string(name, name)
	)
)

/* The last close: after the commits of all that went with it. */
LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_dev, release,
	LTTNG_UST_TP_ARGS(uint64_t, ctx),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, ctx, ctx)
	)
)

/* pid, tid, pid_ns, start: the caller as it sees itself. */
LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_dev, ioctl_begin,
	LTTNG_UST_TP_ARGS(uint64_t, ctx, uint64_t, op_id, uint32_t, pid, uint32_t, tid,
		uint32_t, pid_ns, uint32_t, start, uint32_t, cmd),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, ctx, ctx)
		lttng_ust_field_integer(uint64_t, op_id, op_id)
		lttng_ust_field_integer(uint32_t, pid, pid)
		lttng_ust_field_integer(uint32_t, tid, tid)
		lttng_ust_field_integer(uint32_t, pid_ns, pid_ns)
		lttng_ust_field_integer(uint32_t, start, start)
		lttng_ust_field_integer_hex(uint32_t, cmd, cmd)
	)
)

/* ret: as the system call, errors as -errno. */
LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_dev, ioctl_end,
	LTTNG_UST_TP_ARGS(uint64_t, ctx, uint64_t, op_id, uint32_t, cmd, int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, ctx, ctx)
		lttng_ust_field_integer(uint64_t, op_id, op_id)
		lttng_ust_field_integer_hex(uint32_t, cmd, cmd)
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

/* What a call named that failed, before its ioctl_end. size 0: it names no range. */
LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_dev, refused,
	LTTNG_UST_TP_ARGS(uint64_t, ctx, uint64_t, op_id, uint32_t, id, uint64_t, iova,
		uint64_t, size),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, ctx, ctx)
		lttng_ust_field_integer(uint64_t, op_id, op_id)
		lttng_ust_field_integer(uint32_t, id, id)
		lttng_ust_field_integer_hex(uint64_t, iova, iova)
		lttng_ust_field_integer_hex(uint64_t, size, size)
	)
)

/* A change of object obj: see enum trace_commit_kind. seq: dense per object from 1 (ALLOC),
 * taken under the lock that orders the changes. op_id 0: not on behalf of a call (release). */
LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_dev, commit,
	LTTNG_UST_TP_ARGS(uint64_t, ctx, uint64_t, op_id, uint32_t, obj, uint64_t, seq,
		uint8_t, kind, uint64_t, iova, uint64_t, last, uint32_t, flags, uint64_t, arg),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, ctx, ctx)
		lttng_ust_field_integer(uint64_t, op_id, op_id)
		lttng_ust_field_integer(uint32_t, obj, obj)
		lttng_ust_field_integer(uint64_t, seq, seq)
		lttng_ust_field_integer(uint8_t, kind, kind)
		lttng_ust_field_integer_hex(uint64_t, iova, iova)
		lttng_ust_field_integer_hex(uint64_t, last, last)
		lttng_ust_field_integer_hex(uint32_t, flags, flags)
		lttng_ust_field_integer(uint64_t, arg, arg)
	)
)

/* The address that a MAP gave. Off by default: it gives away the memory layout. */
LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_dev, user_va,
	LTTNG_UST_TP_ARGS(uint64_t, ctx, uint64_t, op_id, uint64_t, user_va),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, ctx, ctx)
		lttng_ust_field_integer(uint64_t, op_id, op_id)
		lttng_ust_field_integer_hex(uint64_t, user_va, user_va)
	)
)

/* DMA of device dev through page table pt. */
LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_dev, dma,
	LTTNG_UST_TP_ARGS(uint64_t, ctx, uint32_t, dev, uint32_t, pt, uint64_t, iova,
		uint64_t, length, uint8_t, write, int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, ctx, ctx)
		lttng_ust_field_integer(uint32_t, dev, dev)
		lttng_ust_field_integer(uint32_t, pt, pt)
		lttng_ust_field_integer_hex(uint64_t, iova, iova)
		lttng_ust_field_integer_hex(uint64_t, length, length)
		lttng_ust_field_integer(uint8_t, write, write)
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

/* The first address that a DMA could not reach. Comes before its dma event. */
LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_dev, fault,
	LTTNG_UST_TP_ARGS(uint64_t, ctx, uint32_t, dev, uint32_t, pt, uint64_t, iova,
		uint8_t, write),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, ctx, ctx)
		lttng_ust_field_integer(uint32_t, dev, dev)
		lttng_ust_field_integer(uint32_t, pt, pt)
		lttng_ust_field_integer_hex(uint64_t, iova, iova)
		lttng_ust_field_integer(uint8_t, write, write)
	)
)

/* State dump of an open file, when tracing starts late: begin, objects, mappings, end. */
LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_dev, state_begin,
	LTTNG_UST_TP_ARGS(uint64_t, ctx, uint32_t, pid),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, ctx, ctx)
		lttng_ust_field_integer(uint32_t, pid, pid)
	)
)

/* seq: its last commit number. arg: its parent as in ALLOC. */
LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_dev, state_object,
	LTTNG_UST_TP_ARGS(uint64_t, ctx, uint32_t, obj, uint64_t, seq, uint8_t, type,
		uint64_t, arg),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, ctx, ctx)
		lttng_ust_field_integer(uint32_t, obj, obj)
		lttng_ust_field_integer(uint64_t, seq, seq)
		lttng_ust_field_integer(uint8_t, type, type)
		lttng_ust_field_integer(uint64_t, arg, arg)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_dev, state_mapping,
	LTTNG_UST_TP_ARGS(uint64_t, ctx, uint32_t, obj, uint64_t, iova, uint64_t, last,
		uint32_t, flags),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, ctx, ctx)
		lttng_ust_field_integer(uint32_t, obj, obj)
		lttng_ust_field_integer_hex(uint64_t, iova, iova)
		lttng_ust_field_integer_hex(uint64_t, last, last)
		lttng_ust_field_integer_hex(uint32_t, flags, flags)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_dev, state_end,
	LTTNG_UST_TP_ARGS(uint64_t, ctx),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, ctx, ctx)
	)
)

#endif

#include <lttng/tracepoint-event.h>
