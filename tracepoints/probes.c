/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probes of all providers: what writes an event into LTTng's buffers. */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES

#include "tracepoints/ioasis_sim_tp.h"
#include "tracepoints/iommufd_backend_tp.h"
#include "tracepoints/iommufd_dev_tp.h"
