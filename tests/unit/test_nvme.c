/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NVMe controller: registers, doorbells, events, interrupts. */
#include <linux/pci_regs.h>
#include <string.h>

#include "tests/unit/nvme_rig.h"

/* ---- registers ------------------------------------------------------------------ */

static void test_registers_at_start_say_what_it_can(void **state)
{
	(void)state;
	/* MQES 2047, CQR, TO 7.5 s, NSSRS, CSS NVM, MPSMAX 64 KiB */
	assert_int_equal(rig_reg64(&rig, NVME_REG_CAP), 0x004000300f0107ff);
	assert_int_equal(rig_reg(&rig, NVME_REG_VS), 0x00010400);
	/* What is only read is put back when the registers are looked at. */
	rig_reg_set(&rig, NVME_REG_CAP, 0);
	rig_reg_set(&rig, NVME_REG_INTMS, 1);
	rig_run(&rig);
	assert_int_equal(rig_reg64(&rig, NVME_REG_CAP), 0x004000300f0107ff);
}

static void test_enable_with_wrong_registers_fails(void **state)
{
	static const struct {
		uint32_t cc, aqa, asq, acq;
	} bad[] = {
		{ 1, 0x00000000, 0x1000, 0x2000 },	     /* queues of one entry */
		{ 1, 0x001f0000, 0x1000, 0x2000 },	     /* one of them */
		{ 1, 0x001f001f, 0x1800, 0x2000 },	     /* not a page */
		{ 1, 0x001f001f, 0x1000, 0x2010 },	     /* not a page */
		{ 1 | 5 << 7, 0x001f001f, 0x0, 0x100000 },   /* pages of 128 KiB */
		{ 1 | 1 << 4, 0x001f001f, 0x1000, 0x2000 },  /* another command set */
		{ 1 | 1 << 11, 0x001f001f, 0x1000, 0x2000 }, /* weighted round robin */
		{ 1 | 2 << 7, 0x001f001f, 0x1000, 0x4000 },  /* of a page of 16 KiB */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		rig_reg_set(&rig, NVME_REG_CC, 0);
		rig_run(&rig);
		assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), 0);
		rig_reg_set(&rig, NVME_REG_AQA, bad[i].aqa);
		rig_reg_set(&rig, NVME_REG_ASQ, bad[i].asq);
		rig_reg_set(&rig, NVME_REG_ACQ, bad[i].acq);
		rig_reg_set(&rig, NVME_REG_CC, bad[i].cc);
		rig_run(&rig);
		assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), NVME_CSTS_CFS);
	}
	rig_enable(&rig);
}

static void test_shutdown_completes_and_reset_clears(void **state)
{
	(void)state;
	rig_reg_set(&rig, NVME_REG_CC, rig_reg(&rig, NVME_REG_CC) | 1u << 14);
	rig_run(&rig);
	assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), NVME_CSTS_RDY | NVME_CSTS_SHST_DONE);
	rig_reg_set(&rig, NVME_REG_CC, 0);
	rig_run(&rig);
	assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), 0);
	assert_int_equal(rig_reg(&rig, NVME_REG_AQA), 0x001f001f); /* a controller reset keeps it */
}

static void test_subsystem_reset_is_told_until_cleared(void **state)
{
	(void)state;
	rig_reg_set(&rig, NVME_REG_NSSR, 0x12345678);
	rig_run(&rig);
	assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), NVME_CSTS_RDY);
	rig_reg_set(&rig, NVME_REG_NSSR, NVME_NSSR_MAGIC);
	rig_run(&rig);
	assert_int_equal(rig_reg(&rig, NVME_REG_CC), 0);
	assert_int_equal(rig_reg(&rig, NVME_REG_AQA), 0);
	assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), NVME_CSTS_NSSRO);
	rig_enable(&rig);
	assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), NVME_CSTS_RDY | NVME_CSTS_NSSRO);
	rig_reg_set(&rig, NVME_REG_CSTS, NVME_CSTS_NSSRO);
	rig_run(&rig);
	assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), NVME_CSTS_RDY);
}

static void test_function_reset_forgets_all(void **state)
{
	(void)state;
	rig_make_queue(&rig, 1, 4);
	pci_function_reset(rig.function);
	assert_int_equal(rig_reg(&rig, NVME_REG_CC), 0);
	assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), 0);
	assert_int_equal(rig_reg(&rig, NVME_REG_AQA), 0);
	assert_int_equal(rig_reg(&rig, NVME_REG_VS), 0x00010400);
	rig_enable(&rig);
	rig_make_queue(&rig, 1, 4);
}

static void test_queue_memory_that_is_not_mapped_is_fatal(void **state)
{
	const struct nvme_command command = { .opcode = NVME_ADMIN_IDENTIFY,
					      .cdw10 = 1,
					      .prp1 = RIG_DATA };
	static const uint64_t at[] = { RIG_QUEUE_AT(0), RIG_CQ_AT(0) };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		rig_enable(&rig);
		rig.hole[at[i] / RIG_PAGE] = true;
		rig_submit(&rig, 0, &command);
		rig_run(&rig);
		assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), NVME_CSTS_RDY | NVME_CSTS_CFS);
		assert_int_equal(rig.fault_iova, at[i]);
		rig.hole[at[i] / RIG_PAGE] = false;
	}
	rig_enable(&rig);
	assert_int_equal(rig_do(&rig, 0, &command, NULL), 0);
}

/* ---- doorbells and events --------------------------------------------------------- */

static const struct nvme_command async_request = { .opcode = NVME_ADMIN_ASYNC_EVENT };

static void test_doorbell_out_of_range_is_an_event(void **state)
{
	static const struct {
		uint32_t offset, value, event;
	} bad[] = {
		{ 0x1008, 4, 0x00010100 }, /* a tail behind the end of the queue */
		{ 0x1008, 0xffffffff, 0x00010100 },
		{ 0x100c, 1, 0x00010100 }, /* more was read than posted */
		{ 0x100c, 4, 0x00010100 },
		{ 0x1010, 1, 0x00010000 }, /* a queue that is not there */
		{ 0x1014, 7, 0x00010000 },
		{ 0x1000, 32, 0x00010100 }, /* of the admin queue */
	};
	struct nvme_completion completion;

	(void)state;
	rig_make_queue(&rig, 1, 4);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		uint16_t cid = rig_submit(&rig, 0, &async_request);

		rig_run(&rig);
		assert_false(rig_take(&rig, 0, &completion));
		rig_reg_set(&rig, bad[i].offset, bad[i].value);
		rig_run(&rig);
		/* A completion queue's is looked at when something is posted there. */
		if (bad[i].offset == 0x100c)
			(void)rig_io(&rig, 1, NVME_IO_FLUSH, 0, 1, 0, 512);
		assert_true(rig_take(&rig, 0, &completion));
		rig_ring_cq(&rig, 0);
		assert_int_equal(completion.cid, cid);
		assert_int_equal(completion.result, bad[i].event);
		if (bad[i].offset == 0x1000)
			rig_reg_set(&rig, 0x1000, rig.queues[0].sq_tail);
		if (bad[i].offset == 0x1008)
			rig_reg_set(&rig, 0x1008, rig.queues[1].sq_tail);
		/* The next event of the type waits until the log was read. */
		assert_int_equal(rig_read_log(&rig, NVME_LOG_ERROR, 64), 0);
	}
	assert_int_equal(rig_reg(&rig, NVME_REG_CSTS), NVME_CSTS_RDY);
}

static void test_event_of_a_type_is_told_once_until_its_log_is_read(void **state)
{
	struct nvme_completion completion;

	(void)state;
	rig_submit(&rig, 0, &async_request);
	rig_submit(&rig, 0, &async_request);
	rig_reg_set(&rig, 0x1010, 1);
	rig_run(&rig);
	assert_true(rig_take(&rig, 0, &completion));
	rig_reg_set(&rig, 0x1010, 1);
	rig_run(&rig);
	assert_false(rig_take(&rig, 0, &completion));
	{
		/* Reading it with RAE does not count. */
		const struct nvme_command retain = { .opcode = NVME_ADMIN_GET_LOG,
						     .prp1 = RIG_DATA,
						     .cdw10 = 15u << 16 | 1u << 15 | 1 };

		assert_int_equal(rig_do(&rig, 0, &retain, NULL), 0);
	}
	assert_false(rig_take(&rig, 0, &completion));
	assert_int_equal(rig_read_log(&rig, NVME_LOG_ERROR, 64), 0);
	assert_true(rig_take(&rig, 0, &completion));
	assert_int_equal(completion.result, 0x00010000);
}

static void test_events_beyond_the_limit_are_refused_and_can_be_aborted(void **state)
{
	struct nvme_command abort = { .opcode = NVME_ADMIN_ABORT };
	struct nvme_completion completion;
	uint16_t first = rig_submit(&rig, 0, &async_request);

	(void)state;
	for (int i = 0; i < 3; i++)
		rig_submit(&rig, 0, &async_request);
	rig_run(&rig);
	assert_false(rig_take(&rig, 0, &completion));
	assert_int_equal(rig_do(&rig, 0, &async_request, NULL), NVME_ASYNC_EVENT_LIMIT | DNR);
	abort.cdw10 = (uint32_t)first << 16;
	rig_submit(&rig, 0, &abort);
	rig_run(&rig);
	assert_true(rig_take(&rig, 0, &completion));
	assert_int_equal(completion.cid, first);
	assert_int_equal(completion.status >> 1, NVME_ABORT_REQUESTED);
	assert_true(rig_take(&rig, 0, &completion));
	assert_int_equal(completion.status >> 1, 0);
	assert_int_equal(completion.result, 0);
	rig_ring_cq(&rig, 0);
	/* Now it is not there any more. */
	rig_submit(&rig, 0, &abort);
	rig_run(&rig);
	assert_true(rig_take(&rig, 0, &completion));
	assert_int_equal(completion.result, 1);
	/* An identifier that is in use: as many as the limit again. */
	rig_submit(&rig, 0, &async_request);
	rig_run(&rig);
	rig.next_cid--;
	assert_int_equal(rig_do(&rig, 0, &async_request, NULL), NVME_CID_CONFLICT | DNR);
}

static void test_completion_queue_that_is_full_stalls(void **state)
{
	const struct nvme_command flush = { .opcode = NVME_IO_FLUSH, .nsid = 1 };
	struct nvme_completion completion;
	unsigned int n = 0;

	(void)state;
	rig_make_queue(&rig, 1, 8);
	/* Its submission queue is longer than the completion queue that it uses. */
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 7; i++)
			rig_submit(&rig, 1, &flush);
		rig_run(&rig);
	}
	while (rig_take(&rig, 1, &completion))
		n++;
	assert_int_equal(n, 7); /* one entry stays free */
	/* What was put over commands not fetched yet came once; the rest when there is room. */
	rig_ring_cq(&rig, 1);
	rig_run(&rig);
	n = 0;
	while (rig_take(&rig, 1, &completion)) {
		assert_int_equal(completion.status >> 1, 0);
		n++;
	}
	assert_true(n > 0 && n <= 7);
}

static void test_two_submission_queues_share_a_completion_queue(void **state)
{
	struct nvme_command create = { .opcode = NVME_ADMIN_CREATE_SQ,
				       .prp1 = RIG_QUEUE_AT(2),
				       .cdw10 = 7u << 16 | 2,
				       .cdw11 = 1u << 16 | 1 };
	struct nvme_command delete_cq = { .opcode = NVME_ADMIN_DELETE_CQ, .cdw10 = 1 };
	struct nvme_command delete_sq = { .opcode = NVME_ADMIN_DELETE_SQ, .cdw10 = 2 };
	const struct nvme_command flush = { .opcode = NVME_IO_FLUSH, .nsid = 1 };

	(void)state;
	rig_make_queue(&rig, 1, 8);
	rig.queues[2] = (struct rig_queue){ .sq_entries = 8, .cqid = 1 };
	assert_int_equal(rig_do(&rig, 0, &create, NULL), 0);
	for (int i = 0; i < 30; i++)
		assert_int_equal(rig_do(&rig, 1 + i % 2, &flush, NULL), 0);
	assert_int_equal(rig_do(&rig, 0, &delete_cq, NULL), NVME_INVALID_QUEUE_DELETION | DNR);
	assert_int_equal(rig_do(&rig, 0, &delete_sq, NULL), 0);
	assert_int_equal(rig_do(&rig, 0, &delete_cq, NULL), NVME_INVALID_QUEUE_DELETION | DNR);
	delete_sq.cdw10 = 1;
	assert_int_equal(rig_do(&rig, 0, &delete_sq, NULL), 0);
	assert_int_equal(rig_do(&rig, 0, &delete_cq, NULL), 0);
	assert_int_equal(rig_do(&rig, 0, &delete_cq, NULL), NVME_INVALID_QID | DNR);
}

/* ---- interrupts -------------------------------------------------------------------- */

static void test_each_queue_has_its_vector(void **state)
{
	const struct nvme_command flush = { .opcode = NVME_IO_FLUSH, .nsid = 1 };

	(void)state;
	rig_make_queue(&rig, 3, 8);
	rig_make_queue(&rig, 5, 8);
	assert_int_equal(rig.messages[0], 4); /* two commands for each */
	assert_int_equal(rig_do(&rig, 3, &flush, NULL), 0);
	assert_int_equal(rig.messages[3], 1);
	assert_int_equal(rig.messages[5], 0);
	/* A batch is one interrupt. */
	for (int i = 0; i < 5; i++)
		rig_submit(&rig, 5, &flush);
	rig_run(&rig);
	assert_int_equal(rig.messages[5], 1);
}

static void test_pin_is_up_while_completions_wait(void **state)
{
	const struct nvme_command flush = { .opcode = NVME_IO_FLUSH, .nsid = 1 };
	struct nvme_completion completion;

	(void)state;
	rig_fini(&rig);
	rig_init(&rig, "nvme,memory=16M,queues=8,irq=intx");
	rig_enable(&rig);
	rig_make_queue(&rig, 1, 8);
	rig_run(&rig);
	assert_false(rig.pin);
	rig_submit(&rig, 1, &flush);
	rig_submit(&rig, 1, &flush);
	rig_run(&rig);
	assert_true(rig.pin);
	assert_true(rig_take(&rig, 1, &completion));
	rig_ring_cq(&rig, 1);
	rig_run(&rig);
	assert_true(rig.pin); /* the second one */
	rig_reg_set(&rig, NVME_REG_INTMS, 2);
	rig_run(&rig);
	assert_false(rig.pin);
	assert_int_equal(rig_reg(&rig, NVME_REG_INTMS), 2);
	rig_reg_set(&rig, NVME_REG_INTMC, 2);
	rig_run(&rig);
	assert_true(rig.pin);
	assert_int_equal(rig_reg(&rig, NVME_REG_INTMS), 0);
	assert_true(rig_take(&rig, 1, &completion));
	rig_ring_cq(&rig, 1);
	rig_run(&rig);
	assert_false(rig.pin);
	rig_submit(&rig, 1, &flush);
	rig_run(&rig);
	assert_true(rig.pin);
	rig_reg_set(&rig, NVME_REG_CC, 0);
	rig_run(&rig);
	assert_false(rig.pin);
}

static void test_messages_that_are_masked_come_afterwards(void **state)
{
	const struct nvme_command flush = { .opcode = NVME_IO_FLUSH, .nsid = 1 };

	(void)state;
	rig_make_queue(&rig, 1, 8);
	rig_reg_set(&rig, NVME_REG_INTMS, 2);
	rig_run(&rig);
	rig_submit(&rig, 1, &flush);
	rig_run(&rig);
	assert_int_equal(rig.messages[1], 0);
	rig_reg_set(&rig, NVME_REG_INTMC, 2);
	rig_run(&rig);
	assert_int_equal(rig.messages[1], 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_enabled, rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_registers_at_start_say_what_it_can),
		CASE(test_enable_with_wrong_registers_fails),
		CASE(test_shutdown_completes_and_reset_clears),
		CASE(test_subsystem_reset_is_told_until_cleared),
		CASE(test_function_reset_forgets_all),
		CASE(test_queue_memory_that_is_not_mapped_is_fatal),
		CASE(test_doorbell_out_of_range_is_an_event),
		CASE(test_event_of_a_type_is_told_once_until_its_log_is_read),
		CASE(test_events_beyond_the_limit_are_refused_and_can_be_aborted),
		CASE(test_completion_queue_that_is_full_stalls),
		CASE(test_two_submission_queues_share_a_completion_queue),
		CASE(test_each_queue_has_its_vector),
		CASE(test_pin_is_up_while_completions_wait),
		CASE(test_messages_that_are_masked_come_afterwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
