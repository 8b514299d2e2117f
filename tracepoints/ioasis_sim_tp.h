/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events of a simulation: what actors do beside calling the backend.
 *
 * virt_ns: virtual time; guest: its number, from 0.
 */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER ioasis_sim

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "tracepoints/ioasis_sim_tp.h"

#if !defined(IOASIS_SIM_TP_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define IOASIS_SIM_TP_H

#include <lttng/tracepoint.h>
#include <stdint.h>

/* The first event of a run: the seeds that say all that follows. */
LTTNG_UST_TRACEPOINT_EVENT(
	ioasis_sim, scenario,
	LTTNG_UST_TP_ARGS(uint64_t, virt_ns, uint64_t, seed, uint64_t, run_seed,
		uint32_t, guests),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, virt_ns, virt_ns)
		lttng_ust_field_integer(uint64_t, seed, seed)
		lttng_ust_field_integer(uint64_t, run_seed, run_seed)
		lttng_ust_field_integer(uint32_t, guests, guests)
	)
)

/* A guest has its memory mapped in address space ioas of backend be. */
LTTNG_UST_TRACEPOINT_EVENT(
	ioasis_sim, boot,
	LTTNG_UST_TP_ARGS(uint64_t, virt_ns, uint32_t, guest, uint32_t, be, uint32_t, ioas,
		uint64_t, memory),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, virt_ns, virt_ns)
		lttng_ust_field_integer(uint32_t, guest, guest)
		lttng_ust_field_integer(uint32_t, be, be)
		lttng_ust_field_integer(uint32_t, ioas, ioas)
		lttng_ust_field_integer_hex(uint64_t, memory, memory)
	)
)

/* Translations of [iova, iova + size) were invalidated one by one; done at done_ns. */
LTTNG_UST_TRACEPOINT_EVENT(
	ioasis_sim, invalidate,
	LTTNG_UST_TP_ARGS(uint64_t, virt_ns, uint32_t, guest, uint32_t, domain, uint64_t, iova,
		uint64_t, size, uint64_t, done_ns),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, virt_ns, virt_ns)
		lttng_ust_field_integer(uint32_t, guest, guest)
		lttng_ust_field_integer(uint32_t, domain, domain)
		lttng_ust_field_integer_hex(uint64_t, iova, iova)
		lttng_ust_field_integer_hex(uint64_t, size, size)
		lttng_ust_field_integer(uint64_t, done_ns, done_ns)
	)
)

/* A flush queue of `entries` unmaps was emptied with one invalidation. */
LTTNG_UST_TRACEPOINT_EVENT(
	ioasis_sim, flush,
	LTTNG_UST_TP_ARGS(uint64_t, virt_ns, uint32_t, guest, uint32_t, domain,
		uint32_t, entries, uint64_t, done_ns),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, virt_ns, virt_ns)
		lttng_ust_field_integer(uint32_t, guest, guest)
		lttng_ust_field_integer(uint32_t, domain, domain)
		lttng_ust_field_integer(uint32_t, entries, entries)
		lttng_ust_field_integer(uint64_t, done_ns, done_ns)
	)
)

/* A DMA went through an IOTLB entry whose mapping was gone. */
LTTNG_UST_TRACEPOINT_EVENT(
	ioasis_sim, stale_dma,
	LTTNG_UST_TP_ARGS(uint64_t, virt_ns, uint32_t, guest, uint32_t, dev, uint64_t, iova,
		uint8_t, write),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, virt_ns, virt_ns)
		lttng_ust_field_integer(uint32_t, guest, guest)
		lttng_ust_field_integer(uint32_t, dev, dev)
		lttng_ust_field_integer_hex(uint64_t, iova, iova)
		lttng_ust_field_integer(uint8_t, write, write)
	)
)

/* A round of a migration: pages to send, and how long sending them takes. */
LTTNG_UST_TRACEPOINT_EVENT(
	ioasis_sim, migration_round,
	LTTNG_UST_TP_ARGS(uint64_t, virt_ns, uint32_t, guest, uint32_t, round,
		uint64_t, dirty_pages, uint64_t, send_ns),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, virt_ns, virt_ns)
		lttng_ust_field_integer(uint32_t, guest, guest)
		lttng_ust_field_integer(uint32_t, round, round)
		lttng_ust_field_integer(uint64_t, dirty_pages, dirty_pages)
		lttng_ust_field_integer(uint64_t, send_ns, send_ns)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	ioasis_sim, migration_end,
	LTTNG_UST_TP_ARGS(uint64_t, virt_ns, uint32_t, guest, uint8_t, converged,
		uint32_t, rounds, uint64_t, downtime_ns),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, virt_ns, virt_ns)
		lttng_ust_field_integer(uint32_t, guest, guest)
		lttng_ust_field_integer(uint8_t, converged, converged)
		lttng_ust_field_integer(uint32_t, rounds, rounds)
		lttng_ust_field_integer(uint64_t, downtime_ns, downtime_ns)
	)
)

/* Something was plugged or unplugged. what: 0 memory, 1 a block of a balloon, 2 a device. */
LTTNG_UST_TRACEPOINT_EVENT(
	ioasis_sim, plug,
	LTTNG_UST_TP_ARGS(uint64_t, virt_ns, uint32_t, guest, uint8_t, what, uint8_t, plugged,
		uint64_t, iova, uint64_t, size),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, virt_ns, virt_ns)
		lttng_ust_field_integer(uint32_t, guest, guest)
		lttng_ust_field_integer(uint8_t, what, what)
		lttng_ust_field_integer(uint8_t, plugged, plugged)
		lttng_ust_field_integer_hex(uint64_t, iova, iova)
		lttng_ust_field_integer_hex(uint64_t, size, size)
	)
)

/* A driver did something wrong on purpose. kind: the number of the word of faults.kind. */
LTTNG_UST_TRACEPOINT_EVENT(
	ioasis_sim, planted_fault,
	LTTNG_UST_TP_ARGS(uint64_t, virt_ns, uint32_t, guest, uint32_t, kind, uint64_t, iova),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, virt_ns, virt_ns)
		lttng_ust_field_integer(uint32_t, guest, guest)
		lttng_ust_field_integer(uint32_t, kind, kind)
		lttng_ust_field_integer_hex(uint64_t, iova, iova)
	)
)

#endif

#include <lttng/tracepoint-event.h>
