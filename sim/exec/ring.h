/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls without a system call: exec's side of the memory that it shares with each process
 * that loaded libioasis-call.so (ring_abi.h).
 *
 * One thread, the lookout, looks into the rings of all processes while calls come quickly
 * one after the other, and for a short time longer; then it sleeps. Calls that come while
 * it sleeps are made as system calls, and wake it up when there are many of them. It
 * costs no processor time otherwise.
 *
 * A ring is its process's: the kernel says by FUSE who offers it. What a call is believed:
 * that thread's descriptor is an open file of the device only if that is known (known.h);
 * arguments are taken once; the rest goes as in every call. All that is rare is refused,
 * and made as a system call then. Whoever writes nonsense into a ring harms its own calls.
 */
#ifndef IOASIS_SIM_EXEC_RING_H
#define IOASIS_SIM_EXEC_RING_H

#include "sim/exec/fail_nth.h"
#include "sim/fuse/device.h"

struct rings;

/*
 * Starts the lookout, which looks for look_us after a call. fail_nth: borrowed; NULL: nobody
 * has one. 0; -EAGAIN, -ENOMEM;
 * -ENODEV: with one processor, looking takes the time that answering needs.
 */
int rings_start(struct fuse_device *device, struct fail_nth_table *fail_nth, unsigned int look_us,
		struct rings **out);

/* As long as a client may work between two calls of a quick sequence; and at most. */
#define RINGS_LOOK_US 50u
#define RINGS_LOOK_US_MAX 10000u

/* Ends it. Returns how many threads are stuck (with any, rings_destroy() must not follow). */
unsigned int rings_stop(struct rings *rings);
void rings_destroy(struct rings *rings);

/* How many calls it has answered. After rings_stop(). */
uint64_t rings_answered(const struct rings *rings);

/* fuse_device_config.offer. */
int rings_offer(void *opaque, struct process_client *pc, const void *data, size_t bytes);

/* The caller of pc has made a call as a system call. */
void rings_note_call(struct rings *rings, const struct process_client *pc);

#endif
