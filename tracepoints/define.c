/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Defines the tracepoints of all providers, once a program or shared library.
 *
 * The probes are not linked in: they are in libioasis-probes.so, and the LTTng
 * library itself is looked for at run time only. Without either a tracepoint
 * is one test of a variable.
 */
#define LTTNG_UST_TRACEPOINT_DEFINE
#define LTTNG_UST_TRACEPOINT_PROBE_DYNAMIC_LINKAGE

#include "tracepoints/ioasis_sim_tp.h"
#include "tracepoints/iommufd_backend_tp.h"
#include "tracepoints/iommufd_dev_tp.h"
