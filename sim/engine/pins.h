/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of some pages is pinned. Only pages.c and its neighbours need it. */
#ifndef IOASIS_ENGINE_PINS_H
#define IOASIS_ENGINE_PINS_H

#include "sim/engine/pages.h"

/* Frees pages->pins; nothing may be pinned. */
void iopt_pins_free(struct iopt_pages *pages);

/* Aborts when the pins are not as they must be. */
void iopt_pins_verify(const struct iopt_pages *pages);

#endif
