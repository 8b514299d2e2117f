/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a function's units in real time: a thread for each unit that has had work, and one
 * that looks at watched areas for all of them.
 *
 * A unit that has just worked looks by itself for some microseconds; the watcher looks
 * ever less often while nothing happens. So a doorbell is seen within watch_least_ns of
 * a busy function and within watch_most_ns of one that rests (struct pci_description),
 * which costs one wake-up of a thread in that time, and none while the function is not in
 * use.
 */
#ifndef IOASIS_SIM_PCI_RUNNER_H
#define IOASIS_SIM_PCI_RUNNER_H

#include "sim/pci/pci_function.h"

/* Where the model's description says nothing. */
#define PCI_WATCH_LEAST_NS 5000u
#define PCI_WATCH_MOST_NS 2000000u

struct pci_runner;

/* NULL: out of memory. No thread yet. */
struct pci_runner *pci_runner_create(struct pci_function *function);
/*
 * Ends all threads. False: a unit waits for memory that does not answer; its thread, the
 * runner and the function must stay.
 */
bool pci_runner_destroy(struct pci_runner *runner);

/* In use or not: an idle function is not watched. */
void pci_runner_use(struct pci_runner *runner, bool in_use);

/* For pci_world_ops.wake. */
void pci_runner_wake(struct pci_runner *runner, unsigned int unit);

/* For pci_world_ops.now: CLOCK_MONOTONIC. */
uint64_t pci_runner_now(void);

#endif
