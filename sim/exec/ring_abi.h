/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory that the preloaded library (preload.c) and `ioasis exec` (ring.c) share, one
 * for each process. The library posts a call in a slot, and waits; exec answers it, if it
 * is looking: while hot is set. Each side believes nothing that it has not checked: the
 * library may take a call back that was not taken (RING_POSTED to RING_FREE), and then makes
 * it as a system call.
 */
#ifndef IOASIS_SIM_EXEC_RING_ABI_H
#define IOASIS_SIM_EXEC_RING_ABI_H

#include <linux/ioctl.h>
#include <stdint.h>

#define RING_BYTES 4096u
#define RING_SLOTS 8u
#define RING_ARG_BYTES 128u

enum ring_state {
	RING_FREE,
	RING_CLAIMED, /* a thread of the client fills it */
	RING_POSTED,
	RING_TAKEN,   /* exec works on it */
	RING_DONE,    /* result and data are there */
	RING_REFUSED, /* nothing was done: it is to be made as a system call */
};

struct ring_slot {
	uint32_t state;	    /* enum ring_state; __atomic */
	uint32_t asleep;    /* the client waits for state with futex(2); __atomic */
	uint32_t tid;
	int32_t fd;
	uint32_t cmd;
	uint32_t arg_bytes; /* how much of the argument is in data; 0: none */
	uint64_t arg;
	int64_t result;	    /* of ioctl(2): value or -errno */
	uint32_t out_first, out_bytes; /* what of data was changed */
	char data[RING_ARG_BYTES];
	char pad[80];
};

struct ring_memory {
	uint32_t hot; /* __atomic */
	char pad[252];
	struct ring_slot slots[RING_SLOTS];
};

_Static_assert(sizeof(struct ring_slot) == 256, "a slot shares no cache line");
_Static_assert(sizeof(struct ring_memory) <= RING_BYTES, "all is in a page");

/* ioctl of an open file of the device: from now on exec looks into this memory. 0 or -errno. */
struct ring_offer {
	int32_t memfd; /* of RING_BYTES, that can be sealed; exec seals it */
	uint32_t pid, tid; /* as the caller sees itself */
	uint32_t reserved;
};
#define RING_OFFER _IOW(0xfa, 0xa6, struct ring_offer)

#endif
