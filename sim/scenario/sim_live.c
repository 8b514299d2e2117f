/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulator's own events as LTTng events, in real time. */
#include "sim/scenario/sim_log.h"

#include "tracepoints/ioasis_sim_tp.h"

#define EMIT(name, ...) lttng_ust_tracepoint(ioasis_sim, name, __VA_ARGS__)
#define U8(i)		((uint8_t)v[i])
#define U32(i)		((uint32_t)v[i])

void sim_live_emit(enum sim_event event, const uint64_t *v)
{
	switch (event) {
	case EV_SIM_SCENARIO:
		EMIT(scenario, v[0], v[1], v[2], U32(3));
		break;
	case EV_SIM_BOOT:
		EMIT(boot, v[0], U32(1), U32(2), U32(3), v[4]);
		break;
	case EV_SIM_INVALIDATE:
		EMIT(invalidate, v[0], U32(1), U32(2), v[3], v[4], v[5]);
		break;
	case EV_SIM_FLUSH:
		EMIT(flush, v[0], U32(1), U32(2), U32(3), v[4]);
		break;
	case EV_SIM_STALE_DMA:
		EMIT(stale_dma, v[0], U32(1), U32(2), v[3], U8(4));
		break;
	case EV_SIM_MIGRATION_ROUND:
		EMIT(migration_round, v[0], U32(1), U32(2), v[3], v[4]);
		break;
	case EV_SIM_MIGRATION_END:
		EMIT(migration_end, v[0], U32(1), U8(2), U32(3), v[4]);
		break;
	case EV_SIM_PLUG:
		EMIT(plug, v[0], U32(1), U8(2), U8(3), v[4], v[5]);
		break;
	case EV_SIM_PLANTED_FAULT:
		EMIT(planted_fault, v[0], U32(1), U32(2), v[3]);
		break;
	default:
		break;
	}
}
