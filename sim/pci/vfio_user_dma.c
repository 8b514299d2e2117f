/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/pci/vfio_user_dma.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <unistd.h>

#define PART_BYTES (UINT64_C(1) << 43) /* the most that libvfio-user takes as one piece */

void vfio_user_dma_init(struct vfio_user_dma *dma, struct vfio_user_link *link)
{
	*dma = (struct vfio_user_dma){ .link = link };
}

static void piece_free(void *piece)
{
	struct pci_mapping *mapping = piece;

	if (mapping->fd >= 0)
		close(mapping->fd);
	free(mapping);
}

void vfio_user_dma_fini(struct vfio_user_dma *dma)
{
	tdestroy(dma->pieces, piece_free);
	dma->pieces = NULL;
}

static int compare(const void *a, const void *b)
{
	uint64_t left = ((const struct pci_mapping *)a)->iova;
	uint64_t right = ((const struct pci_mapping *)b)->iova;

	return (left > right) - (left < right);
}

/* ---- messages ------------------------------------------------------------------------ */

static ssize_t send_map(struct vfio_user_link *link, const struct pci_mapping *piece, uint64_t at,
			uint64_t bytes, int fd)
{
	const struct vfio_user_dma_map map = {
		.argsz = sizeof(map),
		.flags = (piece->read ? VFIO_USER_DMA_READABLE : 0) |
			 (piece->write ? VFIO_USER_DMA_WRITABLE : 0),
		.offset = fd >= 0 ? piece->fd_offset + at : 0,
		.address = piece->iova + at,
		.size = bytes,
	};

	return vfio_user_link_call(link, VFIO_USER_DMA_MAP, &map, sizeof(map), NULL, 0, &fd,
				   fd >= 0, NULL, 0);
}

static uint64_t part_bytes(const struct pci_mapping *piece, uint64_t at)
{
	return piece->bytes - at < PART_BYTES ? piece->bytes - at : PART_BYTES;
}

static void tell_mapped(struct vfio_user_link *link, const struct pci_mapping *piece)
{
	for (uint64_t at = 0; at < piece->bytes && link->fd >= 0; at += PART_BYTES) {
		uint64_t bytes = part_bytes(piece, at);

		/* A server that cannot map the file can still ask for what is in it. */
		if (send_map(link, piece, at, bytes, piece->fd) < 0 && piece->fd >= 0 &&
		    link->fd >= 0)
			send_map(link, piece, at, bytes, -1);
	}
}

static void tell_unmapped(struct vfio_user_link *link, const struct pci_mapping *piece)
{
	for (uint64_t at = 0; at < piece->bytes && link->fd >= 0; at += PART_BYTES) {
		const struct vfio_user_dma_unmap unmap = {
			.argsz = sizeof(unmap),
			.address = piece->iova + at,
			.size = part_bytes(piece, at),
		};

		vfio_user_link_call(link, VFIO_USER_DMA_UNMAP, &unmap, sizeof(unmap), NULL, 0,
				    NULL, 0, NULL, 0);
	}
}

/* ---- pieces -------------------------------------------------------------------------- */

void vfio_user_dma_add(struct vfio_user_dma *dma, const struct pci_mapping *mapping)
{
	struct pci_mapping *piece = malloc(sizeof(*piece)), **there = NULL;

	if (piece) {
		*piece = *mapping;
		there = tsearch(piece, &dma->pieces, compare);
	}
	if (there && *there == piece) {
		if (piece->fd >= 0 && dma->files == VFIO_USER_DMA_FILES) {
			close(piece->fd);
			piece->fd = -1;
		}
		dma->files += piece->fd >= 0;
		tell_mapped(dma->link, piece);
		return;
	}
	/* No memory, or, which the engine never does, twice the same: it is not told. */
	if (mapping->fd >= 0)
		close(mapping->fd);
	free(piece);
}

static void remove_piece(struct vfio_user_dma *dma, struct pci_mapping *piece)
{
	tdelete(piece, &dma->pieces, compare);
	dma->files -= piece->fd >= 0;
	tell_unmapped(dma->link, piece);
	piece_free(piece);
}

void vfio_user_dma_remove(struct vfio_user_dma *dma, uint64_t iova, uint64_t bytes)
{
	const struct pci_mapping key = { .iova = iova };
	struct pci_mapping **found;

	/* The root of a tree is a node, whose first word is what was put in. */
	while (bytes == UINT64_MAX && dma->pieces)
		remove_piece(dma, *(struct pci_mapping **)dma->pieces);
	found = bytes == UINT64_MAX ? NULL : tfind(&key, &dma->pieces, compare);
	if (found)
		remove_piece(dma, *found);
}

static void tell_node(const void *node, VISIT visit, void *closure)
{
	struct vfio_user_dma *dma = closure;

	if (visit == preorder || visit == leaf)
		tell_mapped(dma->link, *(struct pci_mapping *const *)node);
}

int vfio_user_dma_tell(struct vfio_user_dma *dma)
{
	twalk_r(dma->pieces, tell_node, dma);
	return dma->link->fd < 0 ? -EPIPE : 0;
}
