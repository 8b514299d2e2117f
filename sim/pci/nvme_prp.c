/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a command's data is: PRP entries, each an address in the host's memory up to the
 * end of its page (Base Specification 1.4, section 4.3).
 *
 * A list cannot loop: each of its pages but the first must begin at its start, so each
 * gives at least one entry, and there are no more entries than the data has pages.
 */
#include "sim/pci/nvme_internal.h"

/* More entries than the data has pages are never read. */
#define ENTRIES_MAX (NVME_TRANSFER_MAX / (1u << NVME_PAGE_SHIFT) + 1)

static void pieces_add(struct nvme_pieces *pieces, uint64_t iova, uint64_t bytes)
{
	struct pci_dma_piece *last = pieces->count ? &pieces->piece[pieces->count - 1] : NULL;

	if (last && last->iova + last->bytes == iova)
		last->bytes += bytes;
	else
		pieces->piece[pieces->count++] = (struct pci_dma_piece){ iova, bytes };
}

static uint16_t list_walk(struct nvme_request *request, uint64_t list, uint64_t length,
			  struct nvme_pieces *pieces)
{
	uint64_t page = UINT64_C(1) << request->nvme->page_shift;
	uint64_t entries[ENTRIES_MAX];

	if (list % sizeof(*entries))
		return NVME_INVALID_PRP_OFFSET | NVME_DNR;
	while (length) {
		uint64_t in_page = (page - list % page) / sizeof(*entries);
		uint64_t wanted = (length + page - 1) / page;
		bool chained = wanted > in_page;
		uint64_t n = chained ? in_page - 1 : wanted;

		if (pci_dma_read(request->nvme->function, list, entries,
				 (size_t)(n + chained) * sizeof(*entries)))
			return NVME_DATA_TRANSFER_ERROR;
		for (uint64_t i = 0; i < n; i++) {
			uint64_t bytes = length < page ? length : page;

			if (entries[i] % page)
				return NVME_INVALID_PRP_OFFSET | NVME_DNR;
			pieces_add(pieces, entries[i], bytes);
			length -= bytes;
		}
		if (!chained)
			break;
		list = entries[n];
		if (list % page)
			return NVME_INVALID_PRP_OFFSET | NVME_DNR;
	}
	return NVME_OK;
}

uint16_t nvme_prp_walk(struct nvme_request *request, uint64_t length, struct nvme_pieces *pieces)
{
	uint64_t page = UINT64_C(1) << request->nvme->page_shift;
	uint64_t prp1 = request->command.prp1, prp2 = request->command.prp2;
	uint64_t first = page - prp1 % page;

	pieces->count = 0;
	if (!length)
		return NVME_OK;
	if (length > NVME_TRANSFER_MAX)
		return NVME_INVALID_FIELD | NVME_DNR;
	if (prp1 % 4) {
		request->location = 24;
		return NVME_INVALID_PRP_OFFSET | NVME_DNR;
	}
	if (first >= length) {
		pieces_add(pieces, prp1, length);
		return NVME_OK;
	}
	pieces_add(pieces, prp1, first);
	length -= first;
	request->location = 32;
	if (length > page) {
		uint16_t status = list_walk(request, prp2, length, pieces);

		if (!status)
			request->location = UINT16_MAX;
		return status;
	}
	if (prp2 % page)
		return NVME_INVALID_PRP_OFFSET | NVME_DNR;
	pieces_add(pieces, prp2, length);
	request->location = UINT16_MAX;
	return NVME_OK;
}

static uint16_t transfer(struct nvme_request *request, void *buf, uint64_t length, bool to_host)
{
	struct iovec local = { buf, (size_t)length };
	struct nvme_pieces pieces;
	uint16_t status = nvme_prp_walk(request, length, &pieces);

	if (status || !length)
		return status;
	return pci_dma_vector(request->nvme->function, PCI_NO_PASID, to_host, pieces.piece,
			      pieces.count, &local, 1, NULL)
		       ? NVME_DATA_TRANSFER_ERROR
		       : NVME_OK;
}

uint16_t nvme_prp_to_host(struct nvme_request *request, const void *buf, uint64_t length)
{
	return transfer(request, (void *)(uintptr_t)buf, length, true);
}

uint16_t nvme_prp_from_host(struct nvme_request *request, void *buf, uint64_t length)
{
	return transfer(request, buf, length, false);
}
