/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a vfio-user server is told of the memory that its device reaches.
 *
 * Each piece is one DMA_MAP, with the client's own file if it has one: then the server
 * maps it. What has none the server reaches by messages; and so it does when there are
 * more files than VFIO_USER_DMA_FILES, which a client could make without end. All of it is
 * told again to a server that comes again. Whoever calls holds what keeps others from the
 * link.
 */
#ifndef IOASIS_SIM_PCI_VFIO_USER_DMA_H
#define IOASIS_SIM_PCI_VFIO_USER_DMA_H

#include "sim/pci/pci_model.h"
#include "sim/pci/vfio_user_link.h"

#define VFIO_USER_DMA_FILES 1024u /* kept open at once */

struct vfio_user_dma {
	struct vfio_user_link *link;
	unsigned int files;
	void *pieces; /* a tree of tsearch(), by address */
};

void vfio_user_dma_init(struct vfio_user_dma *dma, struct vfio_user_link *link);
/* The server is told nothing. */
void vfio_user_dma_fini(struct vfio_user_dma *dma);

/* Takes over the mapping's file. A server that takes no such piece just cannot reach it. */
void vfio_user_dma_add(struct vfio_user_dma *dma, const struct pci_mapping *mapping);
/*
 * Returns when the server has given the piece up, or the connection is closed because it
 * did not answer in time. bytes UINT64_MAX: all pieces.
 */
void vfio_user_dma_remove(struct vfio_user_dma *dma, uint64_t iova, uint64_t bytes);

/* Tells a server that is new. 0, or -errno and not connected. */
int vfio_user_dma_tell(struct vfio_user_dma *dma);

#endif
