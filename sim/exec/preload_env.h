/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How CMD comes to load libioasis-call.so (preload.c). */
#ifndef IOASIS_SIM_EXEC_PRELOAD_ENV_H
#define IOASIS_SIM_EXEC_PRELOAD_ENV_H

#include <limits.h>
#include <stdbool.h>

/* Where the library is. False: it is not there, or LD_PRELOAD cannot name that place. */
bool preload_find(char path[PATH_MAX]);

/* Has programs that this process becomes or starts load path, after what they would load. */
void preload_set(const char *path);

#endif
