/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O commands. Base Specification 1.4, section 6.
 *
 * A read or write moves its data between the mapped file and the host's memory with one
 * copy, in as few system calls as there are. When that fails it is done once more in
 * two steps, which tell whose fault it was: the host's memory or the file.
 */
#include "sim/pci/nvme_internal.h"

#include <stdlib.h>
#include <string.h>

#define FORCE_UNIT_ACCESS (UINT32_C(1) << 30)
#define DEALLOCATE	  (UINT32_C(1) << 25)
#define DATASET_RANGES	  256u
#define CHECK_BYTES	  (128u << 10) /* compared or verified at once */

/* The blocks that a command is about, as bytes of its namespace. */
struct extent {
	struct nvme_disk *disk;
	uint64_t offset, bytes;
};

struct dataset_range {
	uint32_t attributes, blocks;
	uint64_t first;
};

static uint16_t extent_make(struct nvme_request *request, struct extent *extent, uint64_t first,
			    uint64_t blocks)
{
	uint32_t shift = __atomic_load_n(&extent->disk->lba_shift, __ATOMIC_RELAXED);
	uint64_t all = extent->disk->file_bytes >> shift;

	request->lba = first;
	if (first > all || blocks > all - first) {
		request->location = 40;
		return NVME_LBA_OUT_OF_RANGE | NVME_DNR;
	}
	extent->offset = first << shift;
	extent->bytes = blocks << shift;
	return NVME_OK;
}

/* Command words 10 to 12 of most commands: the first block, how many less one. */
static uint16_t extent_of(struct nvme_request *request, struct extent *extent)
{
	const struct nvme_command *command = &request->command;
	uint64_t first = (uint64_t)command->cdw11 << 32 | command->cdw10;

	return extent_make(request, extent, first, (command->cdw12 & 0xffff) + 1);
}

static void count(uint64_t *counter, uint64_t n)
{
	/* The queue's unit alone adds. */
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static uint16_t media_error(struct nvme_request *request, uint16_t status)
{
	count(&request->sq->counters.media_errors, 1);
	return status;
}

/* ---- moving data --------------------------------------------------------------- */

static uint16_t transfer_by_steps(struct nvme_request *request, const struct extent *extent,
				  const struct nvme_pieces *pieces, bool to_host)
{
	struct pci_function *function = request->nvme->function;
	struct iovec local = { malloc((size_t)extent->bytes), (size_t)extent->bytes };
	uint16_t status = NVME_OK;

	if (!local.iov_base)
		return NVME_INTERNAL_ERROR;
	if (to_host && nvme_disk_read(extent->disk, extent->offset, local.iov_base, local.iov_len))
		status = media_error(request, NVME_READ_ERROR);
	else if (pci_dma_vector(function, PCI_NO_PASID, to_host, pieces->piece, pieces->count,
				&local, 1, NULL))
		status = NVME_DATA_TRANSFER_ERROR;
	else if (!to_host &&
		 nvme_disk_write(extent->disk, extent->offset, local.iov_base, local.iov_len))
		status = media_error(request, NVME_WRITE_FAULT);
	free(local.iov_base);
	return status;
}

static uint16_t transfer(struct nvme_request *request, const struct extent *extent, bool to_host)
{
	struct nvme_pieces pieces;
	uint16_t status = nvme_prp_walk(request, extent->bytes, &pieces);

	if (status)
		return status;
	if (extent->disk->map) {
		struct iovec local = { extent->disk->map + extent->offset, (size_t)extent->bytes };

		if (!pci_dma_vector(request->nvme->function, PCI_NO_PASID, to_host, pieces.piece,
				    pieces.count, &local, 1, NULL))
			return NVME_OK;
	}
	return transfer_by_steps(request, extent, &pieces, to_host);
}

/* What was written is on the disk before the command ends, where the host wants that. */
static uint16_t write_through(struct nvme_request *request, const struct nvme_disk *disk)
{
	const uint32_t *cache = &request->nvme->features[NVME_FEAT_WRITE_CACHE];

	if (!(request->command.cdw12 & FORCE_UNIT_ACCESS) &&
	    __atomic_load_n(cache, __ATOMIC_RELAXED))
		return NVME_OK;
	return nvme_disk_flush(disk) ? media_error(request, NVME_WRITE_FAULT) : NVME_OK;
}

/* ---- commands -------------------------------------------------------------------- */

static uint16_t io_read(struct nvme_request *request, struct extent *extent)
{
	uint16_t status = extent_of(request, extent);

	if (!status)
		status = transfer(request, extent, true);
	if (!status) {
		count(&request->sq->counters.reads, 1);
		count(&request->sq->counters.sectors_read, extent->bytes / 512);
	}
	return status;
}

static uint16_t io_write(struct nvme_request *request, struct extent *extent)
{
	uint16_t status = extent_of(request, extent);

	if (!status)
		status = transfer(request, extent, false);
	if (!status)
		status = write_through(request, extent->disk);
	if (!status) {
		count(&request->sq->counters.writes, 1);
		count(&request->sq->counters.sectors_written, extent->bytes / 512);
	}
	return status;
}

static uint16_t io_flush(struct nvme_request *request, struct extent *extent)
{
	struct nvme *nvme = request->nvme;

	for (unsigned int i = 0; i < nvme->disks_count; i++) {
		if (extent->disk && extent->disk != &nvme->disks[i])
			continue;
		if (nvme_disk_flush(&nvme->disks[i]))
			return media_error(request, NVME_WRITE_FAULT);
	}
	return NVME_OK;
}

static uint16_t io_write_zeroes(struct nvme_request *request, struct extent *extent)
{
	uint16_t status = extent_of(request, extent);

	if (status)
		return status;
	if (nvme_disk_zero(extent->disk, extent->offset, extent->bytes,
			   request->command.cdw12 & DEALLOCATE))
		return media_error(request, NVME_WRITE_FAULT);
	return write_through(request, extent->disk);
}

/* Reads the blocks; data: and compares them with these. */
static uint16_t check(struct nvme_request *request, const struct extent *extent,
		      const uint8_t *data)
{
	uint8_t *buf = malloc(CHECK_BYTES);
	uint16_t status = buf ? NVME_OK : NVME_INTERNAL_ERROR;

	for (uint64_t at = 0; at < extent->bytes && !status;) {
		size_t n = extent->bytes - at < CHECK_BYTES ? (size_t)(extent->bytes - at)
							    : CHECK_BYTES;

		if (nvme_disk_read(extent->disk, extent->offset + at, buf, n))
			status = media_error(request, NVME_READ_ERROR);
		else if (data && memcmp(buf, data + at, n))
			status = NVME_COMPARE_FAILURE;
		at += n;
	}
	free(buf);
	return status;
}

static uint16_t io_verify(struct nvme_request *request, struct extent *extent)
{
	uint16_t status = extent_of(request, extent);

	return status ? status : check(request, extent, NULL);
}

static uint16_t io_compare(struct nvme_request *request, struct extent *extent)
{
	uint16_t status = extent_of(request, extent);
	uint8_t *data;

	if (status)
		return status;
	if (extent->bytes > NVME_TRANSFER_MAX)
		return NVME_INVALID_FIELD | NVME_DNR;
	data = malloc((size_t)extent->bytes);
	if (!data)
		return NVME_INTERNAL_ERROR;
	status = nvme_prp_from_host(request, data, extent->bytes);
	if (!status)
		status = check(request, extent, data);
	free(data);
	return status;
}

static uint16_t io_dataset(struct nvme_request *request, struct extent *extent)
{
	uint32_t n = (request->command.cdw10 & 0xff) + 1;
	bool deallocate = request->command.cdw11 & 4;
	struct dataset_range ranges[DATASET_RANGES];
	uint16_t status = nvme_prp_from_host(request, ranges, n * sizeof(*ranges));

	/* All are looked at before any is given back. */
	for (uint32_t i = 0; i < n && !status; i++)
		status = extent_make(request, extent, ranges[i].first, ranges[i].blocks);
	/* The rest are hints, of how often it will be read: it may be left at that. */
	for (uint32_t i = 0; i < n && !status && deallocate; i++) {
		status = extent_make(request, extent, ranges[i].first, ranges[i].blocks);
		if (!status && extent->bytes &&
		    nvme_disk_zero(extent->disk, extent->offset, extent->bytes, true))
			status = media_error(request, NVME_WRITE_FAULT);
	}
	return status;
}

struct io_row {
	uint8_t opcode;
	bool changes; /* it changes what blocks hold */
	uint16_t (*execute)(struct nvme_request *request, struct extent *extent);
};

static const struct io_row io_rows[] = {
	{ NVME_IO_FLUSH, false, io_flush },
	{ NVME_IO_WRITE, true, io_write },
	{ NVME_IO_READ, false, io_read },
	{ NVME_IO_COMPARE, false, io_compare },
	{ NVME_IO_WRITE_ZEROES, true, io_write_zeroes },
	{ NVME_IO_DATASET, true, io_dataset },
	{ NVME_IO_VERIFY, false, io_verify },
};

static const struct io_row *row_find(uint8_t opcode)
{
	for (size_t i = 0; i < sizeof(io_rows) / sizeof(*io_rows); i++) {
		if (io_rows[i].opcode == opcode)
			return &io_rows[i];
	}
	return NULL;
}

uint32_t nvme_io_effects(uint8_t opcode)
{
	const struct io_row *row = row_find(opcode);

	if (!row)
		return 0;
	return row->changes ? NVME_EFFECT_SUPPORTED | NVME_EFFECT_CONTENT : NVME_EFFECT_SUPPORTED;
}

uint16_t nvme_io_execute(struct nvme_request *request)
{
	const struct io_row *row = row_find(request->command.opcode);
	struct extent extent = { .disk = nvme_disk_get(request->nvme, request->command.nsid) };

	if (!row) {
		request->location = 0;
		return NVME_INVALID_OPCODE | NVME_DNR;
	}
	if (request->command.flags & (NVME_FLAGS_FUSED | NVME_FLAGS_SGL)) {
		request->location = 1;
		return NVME_INVALID_FIELD | NVME_DNR;
	}
	if (!extent.disk &&
	    (row->opcode != NVME_IO_FLUSH || request->command.nsid != NVME_NSID_ALL)) {
		request->location = 4;
		return NVME_INVALID_NAMESPACE | NVME_DNR;
	}
	if (row->changes && extent.disk->read_only)
		return NVME_WRITE_PROTECTED | NVME_DNR;
	return row->execute(request, &extent);
}
