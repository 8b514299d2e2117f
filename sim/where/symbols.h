/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of a process as functions, files and lines, with what the compiler put inline. */
#ifndef IOASIS_SIM_WHERE_SYMBOLS_H
#define IOASIS_SIM_WHERE_SYMBOLS_H

#include <elfutils/libdwfl.h>

#include "sim/where/where.h"

/*
 * The frames at address, the innermost first: more than one where calls were put inline.
 * Their texts are of dwfl. Returns how many, at least 1 if max is.
 */
size_t symbols_find(Dwfl *dwfl, uint64_t address, struct where_frame *frames, size_t max);

#endif
