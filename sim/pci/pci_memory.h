/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of a BAR: a memfd that the model and drivers map.
 *
 * While it is hidden (the function does not decode memory accesses) the file has no
 * bytes, so whoever has mapped it gets SIGBUS; what it holds is kept aside, at the same
 * address for the model. What the model writes in the moment of hiding may be lost.
 *
 * Who has mapped the file may have the file, too, and cut it short. Then the model finds
 * zeros in its place, page by page: SIGBUS of such memory is caught. No thread that touches
 * it may block SIGBUS: the kernel ends a process by a fault whose signal is blocked.
 */
#ifndef IOASIS_SIM_PCI_MEMORY_H
#define IOASIS_SIM_PCI_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a mapping of it is called in /proc: the kernel never pins a BAR, so nor do we. */
#define PCI_MEMORY_NAME "ioasis-bar"

struct pci_memory {
	int fd;	    /* -1: there is none */
	uint8_t *base; /* the same address for ever */
	size_t bytes;
	bool hidden;
};

/*
 * Installs the handler of SIGBUS. The first memory does so; who has set another one since
 * calls it again.
 */
void pci_memory_guard(void);

/* bytes: whole pages. 0, or -errno with nothing made. */
int pci_memory_init(struct pci_memory *memory, size_t bytes);
void pci_memory_fini(struct pci_memory *memory);

/* All zeros, hidden or not. */
void pci_memory_clear(struct pci_memory *memory);

/* 0, or -ENOMEM: it is as it was. */
int pci_memory_hide(struct pci_memory *memory);
int pci_memory_show(struct pci_memory *memory);

#endif
