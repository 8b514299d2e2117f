/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For programs of ioasis that link the backend and have a trace of their own. */
#ifndef IOASIS_BACKEND_TRACE_TO_H
#define IOASIS_BACKEND_TRACE_TO_H

#include <ioasis/iommufd_backend.h>

struct trace;

/*
 * The events of be go to trace from now on (NULL: nowhere), which numbers it. A new backend's go
 * to the trace of the process. trace is borrowed and must outlive be. Before the first call.
 */
void backend_trace_to(IOMMUFDBackend *be, struct trace *trace);

#endif
