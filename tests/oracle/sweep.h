/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sweep: every command number, with all sizes, each word of its structure changed.
 * What its parts share: the objects that a question finds, and how it is asked.
 */
#ifndef IOASIS_TESTS_ORACLE_SWEEP_H
#define IOASIS_TESTS_ORACLE_SWEEP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

typedef uint32_t u32;
typedef uint64_t u64;

#define SWEEP_CMD(nr) _IO(';', nr)

/* The client's memory, 1 MiB, and where in it arrays are answered. */
#define SWEEP_AREA 0x10000000u
#define SWEEP_OUT  0x80000u

/* Objects of a fresh file: address spaces (one with a mapping), a mock device and its page
 * table, more page tables, a fault queue. */
extern int device_fd, fault_fd;
extern u32 ioas, ioas2, stdev, hwpt, idev, tracked, parent, nested, fault;

/* Opens the device anew and makes them. */
void sweep_setup(void);

/* One call: 0, positive, or -errno. */
long sweep_call(unsigned nr, void *argument);

/* The same, and a line that says what it gave and which words changed. */
void sweep_ask(const char *name, unsigned nr, u32 *words, size_t count);

void sweep_directed(void);

#endif
