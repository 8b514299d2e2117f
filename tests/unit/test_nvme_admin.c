/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NVMe controller's admin commands: wrong fields, identify, features, logs, format. */
#include <linux/pci_regs.h>
#include <string.h>

#include "tests/unit/nvme_rig.h"

static const struct nvme_command async_request = { .opcode = NVME_ADMIN_ASYNC_EVENT };

/* ---- wrong fields of admin commands -------------------------------------------------- */

static void test_admin_wrong_field_has_its_status(void **state)
{
	static const struct {
		struct nvme_command command;
		uint16_t status;
	} bad[] = {
		{ { .opcode = 0x03 }, NVME_INVALID_OPCODE | DNR },
		{ { .opcode = 0xff }, NVME_INVALID_OPCODE | DNR },
		{ { .opcode = NVME_ADMIN_IDENTIFY, .flags = 0x40 }, NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_ADMIN_IDENTIFY, .flags = 0x01 }, NVME_INVALID_FIELD | DNR },
		/* queues */
		{ { .opcode = NVME_ADMIN_CREATE_CQ, .cdw10 = 7 << 16, .cdw11 = 1 },
		  NVME_INVALID_QID | DNR },
		{ { .opcode = NVME_ADMIN_CREATE_CQ, .cdw10 = 7 << 16 | 9, .cdw11 = 1 },
		  NVME_INVALID_QID | DNR },
		{ { .opcode = NVME_ADMIN_CREATE_CQ, .cdw10 = 7 << 16 | 1, .cdw11 = 1 },
		  NVME_INVALID_QID | DNR }, /* there is one */
		{ { .opcode = NVME_ADMIN_CREATE_CQ, .cdw10 = 2, .cdw11 = 1 },
		  NVME_INVALID_QUEUE_SIZE | DNR },
		{ { .opcode = NVME_ADMIN_CREATE_CQ, .cdw10 = 2048u << 16 | 2, .cdw11 = 1 },
		  NVME_INVALID_QUEUE_SIZE | DNR },
		{ { .opcode = NVME_ADMIN_CREATE_CQ, .cdw10 = 0xffff0002, .cdw11 = 1 },
		  NVME_INVALID_QUEUE_SIZE | DNR },
		{ { .opcode = NVME_ADMIN_CREATE_CQ, .cdw10 = 7 << 16 | 2, .cdw11 = 0 },
		  NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_ADMIN_CREATE_CQ, .prp1 = 8, .cdw10 = 7 << 16 | 2, .cdw11 = 1 },
		  NVME_INVALID_PRP_OFFSET | DNR },
		{ { .opcode = NVME_ADMIN_CREATE_CQ, .cdw10 = 7 << 16 | 2, .cdw11 = 9 << 16 | 1 },
		  NVME_INVALID_VECTOR | DNR },
		{ { .opcode = NVME_ADMIN_CREATE_SQ, .cdw10 = 7 << 16 | 2, .cdw11 = 1 },
		  NVME_INVALID_CQ | DNR },
		{ { .opcode = NVME_ADMIN_CREATE_SQ, .cdw10 = 7 << 16 | 2, .cdw11 = 2 << 16 | 1 },
		  NVME_INVALID_CQ | DNR },
		{ { .opcode = NVME_ADMIN_CREATE_SQ, .cdw10 = 7 << 16 | 2, .cdw11 = 99 << 16 | 1 },
		  NVME_INVALID_CQ | DNR },
		{ { .opcode = NVME_ADMIN_CREATE_SQ, .cdw10 = 7 << 16 | 1, .cdw11 = 1 << 16 | 1 },
		  NVME_INVALID_QID | DNR },
		{ { .opcode = NVME_ADMIN_CREATE_SQ, .cdw10 = 2, .cdw11 = 1 << 16 | 1 },
		  NVME_INVALID_QUEUE_SIZE | DNR },
		{ { .opcode = NVME_ADMIN_CREATE_SQ, .cdw10 = 7 << 16 | 2, .cdw11 = 1 << 16 },
		  NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_ADMIN_DELETE_SQ, .cdw10 = 0 }, NVME_INVALID_QID | DNR },
		{ { .opcode = NVME_ADMIN_DELETE_SQ, .cdw10 = 2 }, NVME_INVALID_QID | DNR },
		{ { .opcode = NVME_ADMIN_DELETE_CQ, .cdw10 = 0 }, NVME_INVALID_QID | DNR },
		{ { .opcode = NVME_ADMIN_DELETE_CQ, .cdw10 = 77 }, NVME_INVALID_QID | DNR },
		{ { .opcode = NVME_ADMIN_DELETE_CQ, .cdw10 = 1 },
		  NVME_INVALID_QUEUE_DELETION | DNR },
		/* identify */
		{ { .opcode = NVME_ADMIN_IDENTIFY, .nsid = 2, .prp1 = RIG_DATA },
		  NVME_INVALID_NAMESPACE | DNR },
		{ { .opcode = NVME_ADMIN_IDENTIFY, .nsid = 0, .prp1 = RIG_DATA },
		  NVME_INVALID_NAMESPACE | DNR },
		{ { .opcode = NVME_ADMIN_IDENTIFY, .nsid = 0xfffffffe, .cdw10 = 2 },
		  NVME_INVALID_NAMESPACE | DNR },
		{ { .opcode = NVME_ADMIN_IDENTIFY, .nsid = 2, .cdw10 = 3 },
		  NVME_INVALID_NAMESPACE | DNR },
		{ { .opcode = NVME_ADMIN_IDENTIFY, .cdw10 = 0x42 }, NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_ADMIN_IDENTIFY, .cdw10 = 1, .prp1 = RIG_DATA + 2 },
		  NVME_INVALID_PRP_OFFSET | DNR },
		{ { .opcode = NVME_ADMIN_IDENTIFY,
		    .cdw10 = 1,
		    .prp1 = RIG_DATA + 4,
		    .prp2 = RIG_DATA + 4 },
		  NVME_INVALID_PRP_OFFSET | DNR },
		{ { .opcode = NVME_ADMIN_IDENTIFY, .cdw10 = 1, .prp1 = UINT64_MAX - 4095 },
		  NVME_DATA_TRANSFER_ERROR },
		/* logs */
		{ { .opcode = NVME_ADMIN_GET_LOG, .cdw10 = 0x0f0000 }, NVME_INVALID_LOG | DNR },
		{ { .opcode = NVME_ADMIN_GET_LOG, .cdw10 = 0x0f00c0 }, NVME_INVALID_LOG | DNR },
		{ { .opcode = NVME_ADMIN_GET_LOG, .nsid = 1, .cdw10 = 0x7f0002 },
		  NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_ADMIN_GET_LOG, .cdw10 = 0x0f0002, .cdw12 = 2 },
		  NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_ADMIN_GET_LOG, .cdw10 = 0x0f0002, .cdw12 = 516 },
		  NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_ADMIN_GET_LOG, .cdw10 = 0x0f0002, .cdw13 = 1 },
		  NVME_INVALID_FIELD | DNR },
		/* features */
		{ { .opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 0x00 }, NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 0x03 }, NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 0xd0 }, NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 0x407 }, NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 0x05, .nsid = 9 },
		  NVME_INVALID_NAMESPACE | DNR },
		{ { .opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 0x09, .cdw11 = 9 },
		  NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_ADMIN_GET_FEATURES, .cdw10 = 0x04, .cdw11 = 1 << 16 },
		  NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = 0x11 }, NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = 0x80000006 },
		  NVME_FEATURE_NOT_SAVEABLE | DNR },
		{ { .opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = 0x06, .nsid = 1 },
		  NVME_FEATURE_NOT_OF_NAMESPACE | DNR },
		{ { .opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = 0x06, .nsid = 2 },
		  NVME_INVALID_NAMESPACE | DNR },
		{ { .opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = 0x02, .cdw11 = 1 },
		  NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = 0x05, .nsid = 1, .cdw11 = 1 << 16 },
		  NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = 0x07, .cdw11 = 0x0007ffff },
		  NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = 0x07, .cdw11 = 0x00070007 },
		  NVME_SEQUENCE_ERROR | DNR }, /* a queue is there */
		{ { .opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = 0x09, .cdw11 = 9 },
		  NVME_INVALID_FIELD | DNR },
		{ { .opcode = NVME_ADMIN_SET_FEATURES, .cdw10 = 0x0e, .prp1 = UINT64_MAX - 7 },
		  NVME_DATA_TRANSFER_ERROR },
		/* format */
		{ { .opcode = NVME_ADMIN_FORMAT, .nsid = 0 }, NVME_INVALID_NAMESPACE | DNR },
		{ { .opcode = NVME_ADMIN_FORMAT, .nsid = 2 }, NVME_INVALID_NAMESPACE | DNR },
		{ { .opcode = NVME_ADMIN_FORMAT, .nsid = 1, .cdw10 = 2 },
		  NVME_INVALID_FORMAT | DNR },
		{ { .opcode = NVME_ADMIN_FORMAT, .nsid = 1, .cdw10 = 1 << 5 },
		  NVME_INVALID_FORMAT | DNR },
		{ { .opcode = NVME_ADMIN_FORMAT, .nsid = 1, .cdw10 = 2 << 9 },
		  NVME_INVALID_FIELD | DNR },
	};

	(void)state;
	rig_make_queue(&rig, 1, 8);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		uint16_t status = rig_do(&rig, 0, &bad[i].command, NULL);

		if (status != bad[i].status)
			fail_msg("row %zu: status %#x, not %#x", i, status, bad[i].status);
	}
	/* Each is in the error log, the last one first. */
	assert_int_equal(rig_read_log(&rig, NVME_LOG_ERROR, 4096), 0);
	assert_int_equal(rig_get64(&rig, RIG_DATA), sizeof(bad) / sizeof(*bad));
	assert_int_equal(rig_get16(&rig, RIG_DATA + 12) >> 1, NVME_INVALID_FIELD | DNR);
	assert_int_equal(rig_get16(&rig, RIG_DATA + 14), 40);
	assert_int_equal(rig_get32(&rig, RIG_DATA + 24), 1);
	assert_int_equal(rig_get64(&rig, RIG_DATA + 64), sizeof(bad) / sizeof(*bad) - 1);
	assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), NVME_CSTS_RDY);
}

/* ---- identify, features, logs ---------------------------------------------------------- */

static uint16_t identify(uint32_t what, uint32_t nsid)
{
	const struct nvme_command command = {
		.opcode = NVME_ADMIN_IDENTIFY, .nsid = nsid, .prp1 = RIG_DATA, .cdw10 = what
	};

	memset(rig.memory + RIG_DATA, 0xee, 4096);
	return rig_do(&rig, 0, &command, NULL);
}

static void test_identify_gives_its_pages(void **state)
{
	const uint8_t *page = rig.memory + RIG_DATA;

	(void)state;
	assert_int_equal(identify(1, 0), 0);
	assert_memory_equal(page, "\x36\x1b\xf4\x1aRIG                 IOASIS NVMe Ctrl  ", 42);
	assert_int_equal(page[77], 7);
	assert_int_equal(rig_get32(&rig, RIG_DATA + 80), 0x00010400);
	assert_int_equal(page[512], 0x66);
	assert_int_equal(page[513], 0x44);
	assert_int_equal(rig_get32(&rig, RIG_DATA + 516), 1);
	assert_int_equal(identify(0, 1), 0);
	assert_int_equal(rig_get64(&rig, RIG_DATA), (16 << 20) / 512);
	assert_int_equal(page[26], 0);
	assert_int_equal(page[128 + 2], 9);
	assert_int_equal(page[132 + 2], 12);
	assert_int_equal(identify(2, 0), 0);
	assert_int_equal(rig_get32(&rig, RIG_DATA), 1);
	assert_int_equal(rig_get32(&rig, RIG_DATA + 4), 0);
	assert_int_equal(identify(2, 1), 0);
	assert_int_equal(rig_get32(&rig, RIG_DATA), 0);
	assert_int_equal(identify(3, 1), 0);
	assert_int_equal(page[0], 2);
	assert_int_equal(page[1], 16);
	assert_int_equal(identify(0, 0xffffffff), 0);
	assert_int_equal(rig_get64(&rig, RIG_DATA), 0);
}

static uint16_t feature(uint8_t opcode, uint32_t word10, uint32_t word11, uint32_t *result)
{
	const struct nvme_command command = {
		.opcode = opcode, .cdw10 = word10, .cdw11 = word11, .prp1 = RIG_DATA
	};

	return rig_do(&rig, 0, &command, result);
}

static void test_features_are_set_and_told(void **state)
{
	static const struct {
		uint32_t id, by_default, set, told;
	} rows[] = {
		{ 0x01, 7, 0xffffffff, 0xffffff07 }, { 0x02, 0, 0x20, 0x20 },
		{ 0x04, 0x157, 0x150, 0x150 },	     { 0x06, 1, 0, 0 },
		{ 0x08, 0, 0x12345678, 0x5678 },     { 0x0a, 0, 1, 1 },
		{ 0x0b, 0, 0x1ff, 0x1ff },	     { 0x0f, 0, 5000, 5000 },
	};
	uint32_t result = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(feature(NVME_ADMIN_GET_FEATURES, rows[i].id, 0, &result), 0);
		assert_int_equal(result, rows[i].by_default);
		assert_int_equal(feature(NVME_ADMIN_SET_FEATURES, rows[i].id, rows[i].set, NULL),
				 0);
		assert_int_equal(feature(NVME_ADMIN_GET_FEATURES, rows[i].id, 0, &result), 0);
		assert_int_equal(result, rows[i].told);
		assert_int_equal(feature(NVME_ADMIN_GET_FEATURES, rows[i].id | 1 << 8, 0, &result),
				 0);
		assert_int_equal(result, rows[i].by_default);
		assert_int_equal(feature(NVME_ADMIN_GET_FEATURES, rows[i].id | 3 << 8, 0, &result),
				 0);
		assert_int_equal(result, 4);
	}
	assert_int_equal(feature(NVME_ADMIN_SET_FEATURES, 0x07, 0x00010001, &result), 0);
	assert_int_equal(result, 0x00070007);
	assert_int_equal(feature(NVME_ADMIN_SET_FEATURES, 0x09, 3 | 1 << 16, NULL), 0);
	assert_int_equal(feature(NVME_ADMIN_GET_FEATURES, 0x09, 3, &result), 0);
	assert_int_equal(result, 3 | 1 << 16);
	/* A reset puts all back. */
	rig_enable(&rig);
	assert_int_equal(feature(NVME_ADMIN_GET_FEATURES, 0x06, 0, &result), 0);
	assert_int_equal(result, 1);
}

static void test_timestamp_goes_on(void **state)
{
	const uint64_t set = 0x0000123456789abc;

	(void)state;
	memcpy(rig.memory + RIG_DATA, &set, sizeof(set));
	assert_int_equal(feature(NVME_ADMIN_SET_FEATURES, 0x0e, 0, NULL), 0);
	rig_pass(&rig, UINT64_C(7000000000));
	assert_int_equal(feature(NVME_ADMIN_GET_FEATURES, 0x0e, 0, NULL), 0);
	assert_int_equal(rig_get64(&rig, RIG_DATA), (set + 7000) | UINT64_C(1) << 49);
}

static void test_keep_alive_that_does_not_come_is_fatal(void **state)
{
	const struct nvme_command alive = { .opcode = NVME_ADMIN_KEEP_ALIVE };

	(void)state;
	assert_int_equal(feature(NVME_ADMIN_SET_FEATURES, 0x0f, 1000, NULL), 0);
	rig_pass(&rig, 900000000);
	assert_int_equal(rig_do(&rig, 0, &alive, NULL), 0);
	rig_pass(&rig, 900000000);
	assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), NVME_CSTS_RDY);
	rig_pass(&rig, 200000000);
	assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), NVME_CSTS_RDY | NVME_CSTS_CFS);
	rig_enable(&rig);
}

static void test_temperature_threshold_is_an_event(void **state)
{
	struct nvme_completion completion;

	(void)state;
	rig_submit(&rig, 0, &async_request);
	assert_int_equal(rig_read_log(&rig, NVME_LOG_SMART, 512), 0);
	assert_int_equal(rig.memory[RIG_DATA], 0);
	assert_int_equal(rig_get16(&rig, RIG_DATA + 1), 0x143);
	assert_int_equal(feature(NVME_ADMIN_SET_FEATURES, 0x0b, 2, NULL), 0);
	{
		const struct nvme_command cold = { .opcode = NVME_ADMIN_SET_FEATURES,
						   .cdw10 = 0x04,
						   .cdw11 = 1 << 20 | 0x144 };

		rig_submit(&rig, 0, &cold);
	}
	rig_run(&rig);
	assert_true(rig_take(&rig, 0, &completion));
	assert_int_equal(completion.status >> 1, 0);
	assert_true(rig_take(&rig, 0, &completion));
	assert_int_equal(completion.result, 0x00020101);
	rig_ring_cq(&rig, 0);
	assert_int_equal(rig_read_log(&rig, NVME_LOG_SMART, 512), 0);
	assert_int_equal(rig.memory[RIG_DATA], 2);
}

static void test_logs_have_offsets_and_lengths(void **state)
{
	struct nvme_command command = { .opcode = NVME_ADMIN_GET_LOG, .prp1 = RIG_DATA };

	(void)state;
	assert_int_equal(rig_read_log(&rig, NVME_LOG_FIRMWARE, 512), 0);
	assert_int_equal(rig.memory[RIG_DATA], 1);
	assert_memory_equal(rig.memory + RIG_DATA + 8, "1.0     ", 8);
	assert_int_equal(rig_read_log(&rig, NVME_LOG_EFFECTS, 4096), 0);
	assert_int_equal(rig_get32(&rig, RIG_DATA + 4 * NVME_ADMIN_IDENTIFY), 1);
	assert_int_equal(rig_get32(&rig, RIG_DATA + 4 * NVME_ADMIN_FORMAT), 0x10007);
	assert_int_equal(rig_get32(&rig, RIG_DATA + 4 * 0x03), 0);
	assert_int_equal(rig_get32(&rig, RIG_DATA + 1024 + 4 * NVME_IO_WRITE), 3);
	assert_int_equal(rig_get32(&rig, RIG_DATA + 1024 + 4 * NVME_IO_READ), 1);
	/* From an offset, and not beyond the end. */
	memset(rig.memory + RIG_DATA, 0x55, 64);
	command.cdw10 = 15u << 16 | NVME_LOG_FIRMWARE;
	command.cdw12 = 512 - 16;
	assert_int_equal(rig_do(&rig, 0, &command, NULL), 0);
	assert_int_equal(rig_get64(&rig, RIG_DATA), 0);
	assert_int_equal(rig_get64(&rig, RIG_DATA + 8), 0);
	assert_int_equal(rig_get64(&rig, RIG_DATA + 16), 0x5555555555555555);
}

static void test_format_changes_blocks_and_tells(void **state)
{
	struct nvme_command format = { .opcode = NVME_ADMIN_FORMAT, .nsid = 1, .cdw10 = 1 };
	struct nvme_completion completion;
	uint16_t cid;

	(void)state;
	rig_make_queue(&rig, 1, 8);
	memset(rig.memory + RIG_DATA, 0xab, 4096);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_WRITE, 8, 8, RIG_DATA, 512), 0);
	assert_int_equal(feature(NVME_ADMIN_SET_FEATURES, 0x0b, 1 << 8, NULL), 0);
	rig_submit(&rig, 0, &async_request);
	cid = rig_submit(&rig, 0, &format);
	rig_run(&rig);
	assert_true(rig_take(&rig, 0, &completion));
	assert_int_equal(completion.cid, cid);
	assert_int_equal(completion.status >> 1, 0);
	assert_true(rig_take(&rig, 0, &completion));
	assert_int_equal(completion.result, 0x00040002);
	rig_ring_cq(&rig, 0);
	assert_int_equal(rig_read_log(&rig, NVME_LOG_CHANGED_NAMESPACES, 4096), 0);
	assert_int_equal(rig_get32(&rig, RIG_DATA), 1);
	assert_int_equal(rig_read_log(&rig, NVME_LOG_CHANGED_NAMESPACES, 4096), 0);
	assert_int_equal(rig_get32(&rig, RIG_DATA), 0);
	assert_int_equal(identify(0, 1), 0);
	assert_int_equal(rig_get64(&rig, RIG_DATA), (16 << 20) / 4096);
	assert_int_equal(rig.memory[RIG_DATA + 26], 1);
	/* Nothing is left of what was there, and blocks are larger. */
	assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, 1, 1, RIG_DATA, 4096), 0);
	assert_int_equal(rig_get64(&rig, RIG_DATA), 0);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, 4095, 1, RIG_DATA, 4096), 0);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, 4096, 1, RIG_DATA, 4096),
			 NVME_LBA_OUT_OF_RANGE | DNR);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_enabled, rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_admin_wrong_field_has_its_status),
		CASE(test_identify_gives_its_pages),
		CASE(test_features_are_set_and_told),
		CASE(test_timestamp_goes_on),
		CASE(test_keep_alive_that_does_not_come_is_fatal),
		CASE(test_temperature_threshold_is_an_event),
		CASE(test_logs_have_offsets_and_lengths),
		CASE(test_format_changes_blocks_and_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
