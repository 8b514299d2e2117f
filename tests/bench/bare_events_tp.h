/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two events, as LTTng's manual writes them. Of a provider that `ioasis record` turns on. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER ioasis_sim

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "tests/bench/bare_events_tp.h"

#if !defined(IOASIS_BENCH_BARE_EVENTS_TP_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define IOASIS_BENCH_BARE_EVENTS_TP_H

#include <lttng/tracepoint.h>
#include <stdint.h>

LTTNG_UST_TRACEPOINT_EVENT(
	ioasis_sim, bare_begin,
	LTTNG_UST_TP_ARGS(uint64_t, op_id, uint32_t, be, uint32_t, tid, int32_t, iommufd,
		uint32_t, ioas, uint64_t, iova, uint64_t, size, uint8_t, readonly),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, op_id, op_id)
		lttng_ust_field_integer(uint32_t, be, be)
		lttng_ust_field_integer(uint32_t, tid, tid)
		lttng_ust_field_integer(int32_t, iommufd, iommufd)
		lttng_ust_field_integer(uint32_t, ioas, ioas)
		lttng_ust_field_integer_hex(uint64_t, iova, iova)
		lttng_ust_field_integer_hex(uint64_t, size, size)
		lttng_ust_field_integer(uint8_t, readonly, readonly)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	ioasis_sim, bare,
	LTTNG_UST_TP_ARGS(uint64_t, op_id, uint32_t, be, int32_t, iommufd, uint32_t, ioas,
		uint64_t, iova, uint64_t, size, uint8_t, readonly, int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, op_id, op_id)
		lttng_ust_field_integer(uint32_t, be, be)
		lttng_ust_field_integer(int32_t, iommufd, iommufd)
		lttng_ust_field_integer(uint32_t, ioas, ioas)
		lttng_ust_field_integer_hex(uint64_t, iova, iova)
		lttng_ust_field_integer_hex(uint64_t, size, size)
		lttng_ust_field_integer(uint8_t, readonly, readonly)
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

#endif

#include <lttng/tracepoint-event.h>
