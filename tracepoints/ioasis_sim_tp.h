/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Provider ioasis_sim for LTTng; its events are in tracepoints/ioasis_sim.def. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER ioasis_sim

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "tracepoints/ioasis_sim_tp.h"

#if !defined(IOASIS_IOASIS_SIM_TP_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define IOASIS_IOASIS_SIM_TP_H

#include <lttng/tracepoint.h>
#include "tracepoints/events.h"
#include "tracepoints/lttng_event.h"

#include "tracepoints/ioasis_sim.def"

#endif

#include <lttng/tracepoint-event.h>
