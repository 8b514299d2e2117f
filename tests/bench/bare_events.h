/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two bare LTTng events with the fields of map_dma_begin and map_dma: what ours are measured by. */
#ifndef IOASIS_BENCH_BARE_EVENTS_H
#define IOASIS_BENCH_BARE_EVENTS_H

#include <stdint.h>

/* Emits both `calls` times. By dlsym() from bare_events.so: a program has nothing of LTTng. */
typedef void bare_events_fn(uint32_t calls, int32_t fd, uint32_t ioas, uint64_t size);
#define BARE_EVENTS_SYMBOL "bare_events_emit"
bare_events_fn bare_events_emit;

#endif
