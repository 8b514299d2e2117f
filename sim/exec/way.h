/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way that an ioctl of CMD takes to the device: by FUSE, the one that always is there; by
 * seccomp notification (ioctl_calls.h); or by memory that is shared with programs that load
 * a library of ours (ring.h), with notification for the rest. The answers are the same.
 */
#ifndef IOASIS_SIM_EXEC_WAY_H
#define IOASIS_SIM_EXEC_WAY_H

#include <stdbool.h>

enum call_way {
	CALL_BY_FUSE,
	CALL_BY_NOTIFY,
	CALL_BY_RING,
};

/* The way of this name (IOASIS_CALL); NULL or empty: the best here. False: there is none. */
bool call_way_choose(const char *name, enum call_way *way);

/* The names, for a message. */
#define CALL_WAY_NAMES "fuse, notify or ring"

#endif
