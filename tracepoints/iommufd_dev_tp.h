/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Provider iommufd_dev for LTTng; its events are in tracepoints/iommufd_dev.def. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER iommufd_dev

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "tracepoints/iommufd_dev_tp.h"

#if !defined(IOASIS_IOMMUFD_DEV_TP_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define IOASIS_IOMMUFD_DEV_TP_H

#include <lttng/tracepoint.h>
#include "tracepoints/events.h"
#include "tracepoints/lttng_event.h"

#include "tracepoints/iommufd_dev.def"

#endif

#include <lttng/tracepoint-event.h>
