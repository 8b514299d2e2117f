/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client of INPROC_MEMORY_TRUSTED: memory that is always there. */
#ifndef IOASIS_SIM_INPROC_TRUSTED_H
#define IOASIS_SIM_INPROC_TRUSTED_H

#include "sim/engine/engine.h"

extern const struct engine_client_ops trusted_client_ops;

#endif
