/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NVMe controller: I/O commands, PRPs, disks, delays and faults on purpose. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/fuse/inject.h"
#include "tests/model/seed.h"
#include "tests/unit/nvme_rig.h"

#define DISK  (16u << 20)
#define MS_NS UINT64_C(1000000)

static void fill(uint64_t iova, uint64_t length, uint64_t seed)
{
	struct seed random = { seed };

	for (uint64_t i = 0; i < length; i++)
		rig.memory[iova + i] = (uint8_t)seed_next(&random);
}

static bool is_all(uint64_t iova, uint64_t length, uint8_t value)
{
	for (uint64_t i = 0; i < length; i++) {
		if (rig.memory[iova + i] != value)
			return false;
	}
	return true;
}

/* ---- data --------------------------------------------------------------------------- */

static void test_what_is_written_is_read_at_every_size_and_offset(void **state)
{
	static const uint32_t blocks[] = { 1, 2, 7, 8, 9, 15, 16, 17, 64, 129, 1000, 1023, 1024 };
	static const uint32_t offsets[] = { 0, 4, 512, 2048, 4092 };

	(void)state;
	for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
		for (size_t k = 0; k < sizeof(offsets) / sizeof(*offsets); k++) {
			uint64_t bytes = blocks[i] * UINT64_C(512), lba = i * 1500 + k;
			uint64_t from = RIG_DATA + offsets[k],
				 to = RIG_DATA + 0x100000 + offsets[k];

			fill(from, bytes, i * 100 + k);
			assert_int_equal(rig_io(&rig, 1, NVME_IO_WRITE, lba, blocks[i], from, 512),
					 0);
			memset(rig.memory + to - 4, 0, bytes + 8);
			assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, lba, blocks[i], to, 512), 0);
			assert_memory_equal(rig.memory + from, rig.memory + to, bytes);
			assert_true(is_all(to - 4, 4, 0) && is_all(to + bytes, 4, 0));
		}
	}
}

static void test_pieces_that_are_apart_are_joined_in_order(void **state)
{
	struct nvme_command read = { .opcode = NVME_IO_READ, .nsid = 1, .cdw12 = 31 };
	uint64_t list = RIG_DATA + 0x100000;

	(void)state;
	fill(RIG_DATA, 4 * RIG_PAGE, 5);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_WRITE, 0, 32, RIG_DATA, 512), 0);
	/* Backwards, every second page; the list is at the end of its page, and goes on. */
	read.prp1 = RIG_DATA + 0x40000 + 8;
	read.prp2 = list + RIG_PAGE - 16;
	for (uint64_t i = 0; i < 4; i++) {
		uint64_t page = RIG_DATA + 0x40000 - (i + 1) * 2 * RIG_PAGE;
		uint64_t next = list + RIG_PAGE * 2;

		if (i == 0)
			memcpy(rig.memory + list + RIG_PAGE - 16, &page, 8);
		else
			memcpy(rig.memory + next + (i - 1) * 8, &page, 8);
		memcpy(rig.memory + list + RIG_PAGE - 8, &next, 8);
	}
	assert_int_equal(rig_do(&rig, 1, &read, NULL), 0);
	assert_memory_equal(rig.memory + RIG_DATA, rig.memory + RIG_DATA + 0x40008, RIG_PAGE - 8);
	for (uint64_t i = 0; i < 3; i++)
		assert_memory_equal(rig.memory + RIG_DATA + RIG_PAGE - 8 + i * RIG_PAGE,
				    rig.memory + RIG_DATA + 0x40000 - (i + 1) * 2 * RIG_PAGE,
				    RIG_PAGE);
	assert_memory_equal(rig.memory + RIG_DATA + 4 * RIG_PAGE - 8,
			    rig.memory + RIG_DATA + 0x40000 - 8 * RIG_PAGE, 8);
}

static void test_prp_lists_that_are_wrong_or_loop_end(void **state)
{
	struct nvme_command read = {
		.opcode = NVME_IO_READ, .nsid = 1, .cdw12 = 1023, .prp1 = RIG_DATA
	};
	uint64_t list = RIG_DATA + 0x100000, last = list + RIG_PAGE - 8, good = RIG_DATA;

	(void)state;
	/* A list that is its own next one: read to the end of the data, no further. */
	for (uint64_t i = 0; i < 512; i++)
		memcpy(rig.memory + list + i * 8, i == 511 ? &list : &good, 8);
	read.prp2 = list + RIG_PAGE - 40;
	assert_int_equal(rig_do(&rig, 1, &read, NULL), 0);
	/* The last entry points to itself: a list must begin at the start of its page. */
	memcpy(rig.memory + last, &last, 8);
	read.prp2 = last;
	assert_int_equal(rig_do(&rig, 1, &read, NULL), NVME_INVALID_PRP_OFFSET | DNR);
	read.prp2 = list + 4;
	assert_int_equal(rig_do(&rig, 1, &read, NULL), NVME_INVALID_PRP_OFFSET | DNR);
	read.prp2 = list;
	good = RIG_DATA + 512;
	memcpy(rig.memory + list + 80, &good, 8);
	assert_int_equal(rig_do(&rig, 1, &read, NULL), NVME_INVALID_PRP_OFFSET | DNR);
	/* A list that is not mapped; one that begins where there is memory and goes on elsewhere.
	 */
	rig.hole[list / RIG_PAGE] = true;
	assert_int_equal(rig_do(&rig, 1, &read, NULL), NVME_DATA_TRANSFER_ERROR);
	read.prp2 = UINT64_MAX - 7;
	assert_int_equal(rig_do(&rig, 1, &read, NULL), NVME_DATA_TRANSFER_ERROR);
	assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), NVME_CSTS_RDY);
}

static void test_io_wrong_field_has_its_status(void **state)
{
	static const struct {
		struct nvme_command command;
		uint16_t status;
	} bad[] = {
		{ { .opcode = 0x03, .nsid = 1 }, NVME_INVALID_OPCODE | DNR },
		{ { .opcode = 0x7f, .nsid = 1 }, NVME_INVALID_OPCODE | DNR },
		{ { .opcode = NVME_IO_READ }, NVME_INVALID_NAMESPACE | DNR },
		{ { .opcode = NVME_IO_READ, .nsid = 2 }, NVME_INVALID_NAMESPACE | DNR },
		{ { .opcode = NVME_IO_READ, .nsid = 0xffffffff }, NVME_INVALID_NAMESPACE | DNR },
		{ { .opcode = NVME_IO_FLUSH, .nsid = 0 }, NVME_INVALID_NAMESPACE | DNR },
		{ { .opcode = NVME_IO_READ, .nsid = 1, .flags = 0x40 }, NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_IO_READ, .nsid = 1, .flags = 0x02 }, NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_IO_READ, .nsid = 1, .cdw10 = DISK / 512 },
		  NVME_LBA_OUT_OF_RANGE | DNR },
		{ { .opcode = NVME_IO_READ, .nsid = 1, .cdw10 = DISK / 512 - 1, .cdw12 = 1 },
		  NVME_LBA_OUT_OF_RANGE | DNR },
		{ { .opcode = NVME_IO_WRITE, .nsid = 1, .cdw10 = 0xffffffff, .cdw11 = 0xffffffff },
		  NVME_LBA_OUT_OF_RANGE | DNR },
		{ { .opcode = NVME_IO_WRITE, .nsid = 1, .cdw11 = 0x00800000, .cdw12 = 7 },
		  NVME_LBA_OUT_OF_RANGE | DNR }, /* times 512 it is 0 */
		{ { .opcode = NVME_IO_WRITE_ZEROES,
		    .nsid = 1,
		    .cdw10 = DISK / 512 - 1,
		    .cdw12 = 1 },
		  NVME_LBA_OUT_OF_RANGE | DNR },
		{ { .opcode = NVME_IO_VERIFY, .nsid = 1, .cdw10 = DISK / 512 },
		  NVME_LBA_OUT_OF_RANGE | DNR },
		{ { .opcode = NVME_IO_COMPARE, .nsid = 1, .cdw10 = DISK / 512 },
		  NVME_LBA_OUT_OF_RANGE | DNR },
		/* more than MDTS: 512 KiB */
		{ { .opcode = NVME_IO_READ, .nsid = 1, .cdw12 = 1024 }, NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_IO_COMPARE, .nsid = 1, .cdw12 = 1024 },
		  NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_IO_READ, .nsid = 1, .prp1 = RIG_DATA + 1 },
		  NVME_INVALID_PRP_OFFSET | DNR },
		{ { .opcode = NVME_IO_READ,
		    .nsid = 1,
		    .prp1 = RIG_DATA,
		    .prp2 = RIG_DATA + 512,
		    .cdw12 = 15 },
		  NVME_INVALID_PRP_OFFSET | DNR },
		{ { .opcode = NVME_IO_READ, .nsid = 1, .prp1 = RIG_MEMORY_BYTES },
		  NVME_DATA_TRANSFER_ERROR },
		{ { .opcode = NVME_IO_WRITE, .nsid = 1, .prp1 = RIG_MEMORY_BYTES },
		  NVME_DATA_TRANSFER_ERROR },
		{ { .opcode = NVME_IO_DATASET, .nsid = 1, .prp1 = RIG_MEMORY_BYTES, .cdw11 = 4 },
		  NVME_DATA_TRANSFER_ERROR },
		{ { .opcode = NVME_IO_COMPARE, .nsid = 1, .prp1 = RIG_MEMORY_BYTES },
		  NVME_DATA_TRANSFER_ERROR },
	};

	(void)state;
	fill(RIG_DATA, 512, 1);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_WRITE, 0, 1, RIG_DATA, 512), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		uint16_t status = rig_do(&rig, 1, &bad[i].command, NULL);

		if (status != bad[i].status)
			fail_msg("row %zu: status %#x, not %#x", i, status, bad[i].status);
	}
	/* And nothing of it was written. */
	assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, 0, 1, RIG_DATA + 512, 512), 0);
	assert_memory_equal(rig.memory + RIG_DATA, rig.memory + RIG_DATA + 512, 512);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, 1, 15, RIG_DATA, 512), 0);
	assert_true(is_all(RIG_DATA, 15 * 512, 0));
}

static void test_blocks_are_zeroed_given_back_compared_and_verified(void **state)
{
	struct nvme_command dataset = { .opcode = NVME_IO_DATASET,
					.nsid = 1,
					.cdw10 = 1,
					.cdw11 = 4,
					.prp1 = RIG_DATA + 0x80000 };
	const struct {
		uint32_t attributes, blocks;
		uint64_t first;
	} ranges[2] = { { 0, 8, 8 }, { 0, 16, 32 } },
	  bad[2] = { { 0, 8, 0 }, { 0, 1, DISK / 512 } };

	(void)state;
	fill(RIG_DATA, 64 * 512, 3);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_WRITE, 0, 64, RIG_DATA, 512), 0);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_VERIFY, 0, 64, 0, 512), 0);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_COMPARE, 0, 64, RIG_DATA, 512), 0);
	rig.memory[RIG_DATA + 63 * 512] ^= 1;
	assert_int_equal(rig_io(&rig, 1, NVME_IO_COMPARE, 0, 64, RIG_DATA, 512),
			 NVME_COMPARE_FAILURE);
	rig.memory[RIG_DATA + 63 * 512] ^= 1;

	memcpy(rig.memory + RIG_DATA + 0x80000, bad, sizeof(bad));
	assert_int_equal(rig_do(&rig, 1, &dataset, NULL), NVME_LBA_OUT_OF_RANGE | DNR);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_COMPARE, 0, 64, RIG_DATA, 512), 0);
	memcpy(rig.memory + RIG_DATA + 0x80000, ranges, sizeof(ranges));
	assert_int_equal(rig_do(&rig, 1, &dataset, NULL), 0);
	memset(rig.memory + RIG_DATA + 8 * 512, 0, 8 * 512);
	memset(rig.memory + RIG_DATA + 32 * 512, 0, 16 * 512);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_COMPARE, 0, 64, RIG_DATA, 512), 0);

	assert_int_equal(rig_io(&rig, 1, NVME_IO_WRITE_ZEROES, 3, 2, 0, 512), 0);
	memset(rig.memory + RIG_DATA + 3 * 512, 0, 2 * 512);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_COMPARE, 0, 64, RIG_DATA, 512), 0);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_FLUSH, 0, 1, 0, 512), 0);
}

static void test_smart_counts_what_was_done(void **state)
{
	const struct nvme_command log = { .opcode = NVME_ADMIN_GET_LOG,
					  .nsid = 0xffffffff,
					  .prp1 = RIG_DATA,
					  .cdw10 = 127u << 16 | NVME_LOG_SMART };
	uint64_t read_units, written_units, reads, writes;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(rig_io(&rig, 1, NVME_IO_WRITE, 0, 512, RIG_DATA, 512), 0);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, 0, 8, RIG_DATA, 512), 0);
	assert_int_equal(rig_do(&rig, 0, &log, NULL), 0);
	memcpy(&read_units, rig.memory + RIG_DATA + 32, 8);
	memcpy(&written_units, rig.memory + RIG_DATA + 48, 8);
	memcpy(&reads, rig.memory + RIG_DATA + 64, 8);
	memcpy(&writes, rig.memory + RIG_DATA + 80, 8);
	assert_int_equal(read_units, 1);
	assert_int_equal(written_units, 2); /* 1536 blocks, in thousands, rounded up */
	assert_int_equal(reads, 1);
	assert_int_equal(writes, 3);
}

/* ---- the file --------------------------------------------------------------------------- */

static const char *disk_file(uint64_t bytes)
{
	static char path[256];
	const char *dir = getenv("TEST_DIR");
	int fd;

	snprintf(path, sizeof(path), "%s/nvme-XXXXXX", dir ? dir : "/tmp");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	close(fd);
	return path;
}

static void begin_file(const char *path, const char *more)
{
	char device[400];

	snprintf(device, sizeof(device), "nvme,queues=2,file=%s%s", path, more);
	rig_begin(device);
}

static void test_file_has_what_was_written(void **state)
{
	const char *path = disk_file(1 << 20);
	uint8_t bytes[8192];
	FILE *file;

	(void)state;
	begin_file(path, ",lba=4096");
	fill(RIG_DATA, sizeof(bytes), 9);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_WRITE, 3, 2, RIG_DATA, 4096), 0);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_FLUSH, 0, 1, 0, 512), 0);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fseek(file, 3 * 4096, SEEK_SET), 0);
	assert_int_equal(fread(bytes, 1, sizeof(bytes), file), sizeof(bytes));
	assert_memory_equal(bytes, rig.memory + RIG_DATA, sizeof(bytes));
	fclose(file);
	unlink(path);
}

static void test_disk_that_is_only_read_refuses_writes(void **state)
{
	static const uint8_t writes[] = { NVME_IO_WRITE, NVME_IO_WRITE_ZEROES, NVME_IO_DATASET };
	const char *path = disk_file(1 << 20);
	struct nvme_command format = { .opcode = NVME_ADMIN_FORMAT, .nsid = 1 };

	(void)state;
	assert_int_equal(chmod(path, 0400), 0);
	begin_file(path, ",ro=on");
	for (size_t i = 0; i < sizeof(writes); i++)
		assert_int_equal(rig_io(&rig, 1, writes[i], 0, 1, RIG_DATA, 512),
				 NVME_WRITE_PROTECTED | DNR);
	assert_int_equal(rig_do(&rig, 0, &format, NULL), NVME_WRITE_PROTECTED | DNR);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, 0, 1, RIG_DATA, 512), 0);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_FLUSH, 0, 1, 0, 512), 0);
	unlink(path);
}

static void test_file_that_was_cut_short_is_a_media_error(void **state)
{
	const char *path = disk_file(1 << 20);

	(void)state;
	begin_file(path, "");
	assert_int_equal(truncate(path, 8192), 0);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, 0, 16, RIG_DATA, 512), 0);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_VERIFY, 64, 16, 0, 512), NVME_READ_ERROR);
	assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), NVME_CSTS_RDY);
	unlink(path);
}

static void test_wrong_device_is_named(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "nvme", "file=DISK or memory=SIZE" },
		{ "nvme,file=/nonexistent/disk", "/nonexistent/disk" },
		{ "nvme,file=/dev/null", "file or block device" },
		{ "nvme,file=/", "/" },
		{ "nvme,memory=1000", "memory" },
		{ "nvme,memory=64M,file=/tmp/x", "file" },
		{ "nvme,memory=64M,queues=0", "queues" },
		{ "nvme,memory=64M,queues=129", "queues" },
		{ "nvme,memory=64M,lba=1024", "lba" },
		{ "nvme,memory=64M,ro=yes", "ro" },
		{ "nvme,memory=64M,serial=123456789012345678901", "serial" },
		{ "nvme,memory=64M,serial=", "serial" },
		{ "nvme,memory=64M,irq=pin", "irq" },
		{ "nvme,memory=64M,delay=5", "delay" },
		{ "nvme,memory=64M,delay=5m", "delay" },
		{ "nvme,memory=64M,delay=5us-4us", "delay" },
		{ "nvme,memory=64M,delay=99999999999999999999s", "delay" },
		{ "nvme,memory=64M,poll=0us", "poll" },
		{ "nvme,memory=64M,poll=5us-2s", "poll" },
		{ "nvme,memory=64M,poll=5us-1us", "poll" },
		{ "nvme,memory=64M,fault=remove", "fault" },
		{ "nvme,memory=64M,fault=remove@", "fault" },
		{ "nvme,memory=64M,fault=remove@0", "fault" },
		{ "nvme,memory=64M,fault=lose@2s", "fault" },
		{ "nvme,memory=64M,fault=late@3", "fault" },
		{ "nvme,memory=64M,fault=status:0@3", "fault" },
		{ "nvme,memory=64M,fault=status:0x800@3", "fault" },
		{ "nvme,memory=64M,fault=lose@3/0", "fault" },
		{ "nvme,memory=64M,fault=lose@flush:3", "fault" },
		{ "nvme,memory=64M,fault=vanish@3", "fault" },
	};
	char why[PCI_WHY_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct pci_bus *bus = pci_bus_create(1);
		int err = pci_bus_add(bus, bad[i].text, why);

		if (!err)
			err = pci_bus_settle(bus, why);
		if (!err || !strstr(why, bad[i].why) || strchr(why, '\n'))
			fail_msg("%s: %d, %s", bad[i].text, err, why);
		pci_bus_destroy(bus);
	}
}

/* ---- delays and faults --------------------------------------------------------------------- */

static void test_delay_keeps_commands_for_that_long(void **state)
{
	const struct nvme_command flush = { .opcode = NVME_IO_FLUSH, .nsid = 1 };
	struct nvme_completion completion;
	unsigned int early = 0, all = 0;

	(void)state;
	rig_begin("nvme,memory=16M,queues=2,delay=2ms-4ms");
	for (int i = 0; i < 50; i++)
		rig_submit(&rig, 1, &flush);
	rig_pass(&rig, 2 * MS_NS - 1000);
	assert_false(rig_take(&rig, 1, &completion));
	rig_pass(&rig, MS_NS);
	for (; rig_take(&rig, 1, &completion); all++)
		early++;
	rig_ring_cq(&rig, 1);
	assert_true(early > 5 && early < 45);
	rig_pass(&rig, MS_NS + 2000);
	for (; rig_take(&rig, 1, &completion); all++)
		assert_int_equal(completion.status >> 1, 0);
	assert_int_equal(all, 50);
}

static void test_command_under_way_is_aborted_by_abort_and_by_deletion(void **state)
{
	const struct nvme_command flush = { .opcode = NVME_IO_FLUSH, .nsid = 1 };
	struct nvme_command abort = { .opcode = NVME_ADMIN_ABORT };
	const struct nvme_command delete_sq = { .opcode = NVME_ADMIN_DELETE_SQ, .cdw10 = 1 };
	struct nvme_completion completion;
	uint16_t first, second;
	uint32_t result;

	(void)state;
	rig_begin("nvme,memory=16M,queues=2,delay=1s");
	first = rig_submit(&rig, 1, &flush);
	second = rig_submit(&rig, 1, &flush);
	rig_run(&rig);
	/* The same identifier again, while it is under way. */
	rig.next_cid = second;
	rig_submit(&rig, 1, &flush);
	rig_run(&rig);
	assert_true(rig_take(&rig, 1, &completion));
	assert_int_equal(completion.status >> 1, NVME_CID_CONFLICT | DNR);
	abort.cdw10 = (uint32_t)first << 16 | 1;
	assert_int_equal(rig_do(&rig, 0, &abort, &result), 0);
	assert_int_equal(result, 0);
	assert_true(rig_take(&rig, 1, &completion));
	assert_int_equal(completion.cid, first);
	assert_int_equal(completion.status >> 1, NVME_ABORT_REQUESTED);
	assert_int_equal(rig_do(&rig, 0, &abort, &result), 0);
	assert_int_equal(result, 1);
	abort.cdw10 = 77;
	assert_int_equal(rig_do(&rig, 0, &abort, &result), 0);
	assert_int_equal(result, 1);
	rig_ring_cq(&rig, 1);
	assert_int_equal(rig_do(&rig, 0, &delete_sq, NULL), 0);
	assert_true(rig_take(&rig, 1, &completion));
	assert_int_equal(completion.cid, second);
	assert_int_equal(completion.status >> 1, NVME_ABORTED_SQ_DELETED);
	rig_pass(&rig, 2000 * MS_NS);
	assert_false(rig_take(&rig, 1, &completion));
}

static void test_command_that_is_failed_lost_or_late(void **state)
{
	struct nvme_completion completion;
	uint16_t lost;

	(void)state;
	rig_begin("nvme,memory=16M,queues=2,fault=status:0x281@read:2/3,fault=lose@write:2,"
	      "fault=late:5ms@write:3");
	for (int i = 1; i <= 9; i++)
		assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, 0, 1, RIG_DATA, 512),
				 i % 3 == 2 ? NVME_READ_ERROR : 0);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_WRITE, 0, 1, RIG_DATA, 512), 0);
	{
		const struct nvme_command write = { .opcode = NVME_IO_WRITE,
						    .nsid = 1,
						    .prp1 = RIG_DATA };

		lost = rig_submit(&rig, 1, &write);
		assert_int_equal((uint16_t)(lost + 1), rig_submit(&rig, 1, &write));
	}
	rig_run(&rig);
	assert_false(rig_take(&rig, 1, &completion));
	rig_pass(&rig, 5 * MS_NS);
	assert_true(rig_take(&rig, 1, &completion));
	assert_int_equal(completion.cid, lost + 1);
	rig_pass(&rig, 10000 * MS_NS);
	assert_false(rig_take(&rig, 1, &completion));
}

static void test_controller_that_fails_is_reset_and_one_that_hangs_is_not(void **state)
{
	const struct nvme_command flush = { .opcode = NVME_IO_FLUSH, .nsid = 1 };
	struct nvme_completion completion;

	(void)state;
	rig_begin("nvme,memory=16M,queues=2,fault=cfs@3,fault=hang@8");
	assert_int_equal(rig_do(&rig, 1, &flush, NULL), 0);
	assert_int_equal(rig_do(&rig, 1, &flush, NULL), 0);
	rig_submit(&rig, 1, &flush);
	rig_run(&rig);
	assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), NVME_CSTS_RDY | NVME_CSTS_CFS);
	assert_false(rig_take(&rig, 1, &completion));
	rig_enable(&rig);
	rig_make_queue(&rig, 1, 64);
	for (int i = 4; i < 8; i++)
		assert_int_equal(rig_do(&rig, 1, &flush, NULL), 0);
	rig_submit(&rig, 1, &flush);
	rig_run(&rig);
	assert_false(rig_take(&rig, 1, &completion));
	rig_reg_set(&rig, NVME_REG_CC, 0);
	rig_pass(&rig, 10000 * MS_NS);
	assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), NVME_CSTS_RDY);
	pci_function_reset(rig.function);
	rig_enable(&rig);
}

static void test_card_that_is_pulled_reads_as_ones_for_ever(void **state)
{
	const struct nvme_command flush = { .opcode = NVME_IO_FLUSH, .nsid = 1 };
	struct nvme_completion completion;

	(void)state;
	rig_begin("nvme,memory=16M,queues=2,fault=remove@3s");
	assert_int_equal(rig_do(&rig, 1, &flush, NULL), 0);
	rig_pass(&rig, 4000 * MS_NS);
	rig_submit(&rig, 1, &flush);
	rig_run(&rig);
	assert_false(rig_take(&rig, 1, &completion));
	assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), 0xffffffff);
	assert_true(rig_reg64(&rig, NVME_REG_CAP) == UINT64_MAX);
	rig_reg_set(&rig, NVME_REG_CC, 0);
	rig_run(&rig);
	pci_function_reset(rig.function);
	rig_run(&rig);
	assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), 0xffffffff);
}

static void test_device_that_strays_meets_no_memory(void **state)
{
	(void)state;
	rig_begin("nvme,memory=16M,queues=2,fault=stray:0x7000000@2,fault=again:1ms@read:3");
	assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, 0, 1, RIG_DATA, 512), 0);
	assert_int_equal(rig.faults, 0);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, 0, 1, RIG_DATA, 512), 0);
	assert_int_equal(rig.faults, 1);
	assert_int_equal(rig.fault_iova, 0x7000000);
	/* The third read's data is moved again when the driver has taken its memory back. */
	assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, 0, 1, RIG_DATA, 512), 0);
	rig.hole[RIG_DATA / RIG_PAGE] = true;
	rig_pass(&rig, MS_NS);
	assert_true(rig.faults > 1);
	assert_int_equal(rig.fault_iova, RIG_DATA);
	assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), NVME_CSTS_RDY);
}

/* ---- --fail and --delay ---------------------------------------------------------------- */

static struct inject *rules;

static void by_rules(const struct pci_command *command, struct pci_mishap *mishap)
{
	inject_decide_nvme(rules, 0x10, command, mishap);
}

static void begin_with(const char *const *fails, const char *delay)
{
	char why[INJECT_WHY_BYTES];

	rig_begin("nvme,memory=16M,queues=2");
	rules = inject_create(1);
	for (; *fails; fails++)
		assert_int_equal(inject_add_fail(rules, *fails, why), 0);
	if (delay)
		assert_int_equal(inject_add_delay(rules, delay, why), 0);
	rig.mishap = by_rules;
}

static int end_rules(void **state)
{
	inject_destroy(rules);
	return rig_end(state);
}

static void test_rule_fails_commands_of_a_range(void **state)
{
	static const char *const fails[] = { "nvme-read[lba=8..9]:read-error,0x286",
					     "nvme-write[size=1024..]:write-fault@2",
					     "nvme-identify:internal-error@1", NULL };
	const struct nvme_command identify = { .opcode = NVME_ADMIN_IDENTIFY, .nsid = 1,
					       .prp1 = RIG_DATA };

	(void)state;
	begin_with(fails, NULL);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, 0, 8, RIG_DATA, 512), 0);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, 0, 9, RIG_DATA, 512), NVME_READ_ERROR);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, 9, 4, RIG_DATA, 512), 0x286);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, 10, 1, RIG_DATA, 512), 0);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_WRITE, 8, 2, RIG_DATA, 512), 0);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_WRITE, 8, 1, RIG_DATA, 512), 0);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_WRITE, 8, 2, RIG_DATA, 512), NVME_WRITE_FAULT);
	assert_int_equal(rig_do(&rig, 0, &identify, NULL), NVME_INTERNAL_ERROR);
	assert_int_equal(rig_do(&rig, 0, &identify, NULL), 0);
}

static void test_rule_loses_or_delays_commands(void **state)
{
	static const char *const fails[] = { "nvme-flush:lose@2", NULL };
	const struct nvme_command flush = { .opcode = NVME_IO_FLUSH, .nsid = 1 };
	struct nvme_completion completion;

	(void)state;
	begin_with(fails, "nvme-io:3ms@3");
	assert_int_equal(rig_do(&rig, 1, &flush, NULL), 0);
	rig_submit(&rig, 1, &flush);
	rig_pass(&rig, 10000 * MS_NS);
	assert_false(rig_take(&rig, 1, &completion));
	rig_submit(&rig, 1, &flush);
	rig_run(&rig);
	rig_pass(&rig, 2 * MS_NS);
	assert_false(rig_take(&rig, 1, &completion));
	rig_pass(&rig, MS_NS);
	assert_true(rig_take(&rig, 1, &completion));
	assert_int_equal(completion.status >> 1, 0);
}

static void test_rule_stops_the_controller(void **state)
{
	static const char *const fails[] = { "nvme-flush:cfs@1", "nvme-flush:hang@2",
					     "nvme-flush:remove@3", NULL };
	static const uint32_t csts[] = { NVME_CSTS_RDY | NVME_CSTS_CFS, NVME_CSTS_RDY,
					 0xffffffff };
	const struct nvme_command flush = { .opcode = NVME_IO_FLUSH, .nsid = 1 };

	(void)state;
	begin_with(fails, NULL);
	for (unsigned int i = 0; i < 3; i++) {
		rig_submit(&rig, 1, &flush);
		rig_run(&rig);
		assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), csts[i]);
		if (i == 2)
			break;
		pci_function_reset(rig.function);
		rig_enable(&rig);
		rig_make_queue(&rig, 1, 64);
	}
}

static void test_rule_makes_the_device_stray(void **state)
{
	static const char *const fails[] = { "nvme-flush:stray=0x7000000",
					     "nvme-read:again=1ms", NULL };
	const struct nvme_command flush = { .opcode = NVME_IO_FLUSH, .nsid = 1 };

	(void)state;
	begin_with(fails, NULL);
	assert_int_equal(rig_do(&rig, 1, &flush, NULL), 0);
	assert_int_equal(rig.faults, 1);
	assert_int_equal(rig.fault_iova, 0x7000000);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, 0, 1, RIG_DATA, 512), 0);
	rig.hole[RIG_DATA / RIG_PAGE] = true;
	rig_pass(&rig, MS_NS);
	assert_int_equal(rig.fault_iova, RIG_DATA);
}

#define CASE_RULES(name) cmocka_unit_test_setup_teardown(name, NULL, end_rules)
#define CASE(name)	 cmocka_unit_test_setup_teardown(name, rig_ready, rig_end)
#define CASE_ALONE(name) cmocka_unit_test_setup_teardown(name, NULL, rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_what_is_written_is_read_at_every_size_and_offset),
		CASE(test_pieces_that_are_apart_are_joined_in_order),
		CASE(test_prp_lists_that_are_wrong_or_loop_end),
		CASE(test_io_wrong_field_has_its_status),
		CASE(test_blocks_are_zeroed_given_back_compared_and_verified),
		CASE(test_smart_counts_what_was_done),
		CASE_ALONE(test_file_has_what_was_written),
		CASE_ALONE(test_disk_that_is_only_read_refuses_writes),
		CASE_ALONE(test_file_that_was_cut_short_is_a_media_error),
		cmocka_unit_test(test_wrong_device_is_named),
		CASE_ALONE(test_delay_keeps_commands_for_that_long),
		CASE_ALONE(test_command_under_way_is_aborted_by_abort_and_by_deletion),
		CASE_ALONE(test_command_that_is_failed_lost_or_late),
		CASE_ALONE(test_controller_that_fails_is_reset_and_one_that_hangs_is_not),
		CASE_ALONE(test_card_that_is_pulled_reads_as_ones_for_ever),
		CASE_ALONE(test_device_that_strays_meets_no_memory),
		CASE_RULES(test_rule_fails_commands_of_a_range),
		CASE_RULES(test_rule_loses_or_delays_commands),
		CASE_RULES(test_rule_stops_the_controller),
		CASE_RULES(test_rule_makes_the_device_stray),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
