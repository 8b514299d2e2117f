/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver that does anything: random registers, doorbells, commands and memory. The
 * controller must live, keep to its disk and its memory, and work again after a reset.
 *
 * NVME_FUZZ_STEPS: how many; SEED: which.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/model/seed.h"
#include "tests/unit/nvme_rig.h"

#define STEPS 300000u

static struct seed seed;

/* An address: mostly of memory, often of a queue, sometimes nowhere. */
static uint64_t draw_iova(void)
{
	switch (seed_below(&seed, 8)) {
	case 0:
		return seed_next(&seed);
	case 1:
		return RIG_QUEUE_AT(seed_below(&seed, RIG_QUEUES)) + seed_below(&seed, 4096);
	case 2:
		return seed_below(&seed, RIG_MEMORY_BYTES);
	case 3:
		return seed_below(&seed, RIG_MEMORY_BYTES) | 0xff8;
	default:
		return seed_below(&seed, RIG_MEMORY_BYTES) & ~(uint64_t)(RIG_PAGE - 1);
	}
}

static uint32_t draw_word(void)
{
	switch (seed_below(&seed, 5)) {
	case 0:
		return (uint32_t)seed_next(&seed);
	case 1:
		return UINT32_MAX - (uint32_t)seed_below(&seed, 3);
	case 2:
		return (uint32_t)(seed_below(&seed, 70) << 16 | seed_below(&seed, 12));
	default:
		return (uint32_t)seed_below(&seed, 16);
	}
}

static struct nvme_command draw_command(void)
{
	static const uint8_t opcodes[] = { 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 0x18, 0x80 };
	uint64_t kind = seed_below(&seed, 20);
	struct nvme_command command = {
		.opcode = kind ? opcodes[seed_below(&seed, sizeof(opcodes))]
			       : (uint8_t)seed_next(&seed),
		.flags = seed_below(&seed, 30) ? 0 : (uint8_t)seed_next(&seed),
		.nsid = seed_below(&seed, 8) ? 1 : draw_word(),
		.prp1 = draw_iova(),
		.prp2 = draw_iova(),
		.cdw10 = draw_word(),
		.cdw11 = draw_word(),
		.cdw12 = draw_word() & (seed_below(&seed, 4) ? 0x3f : UINT32_MAX),
		.cdw13 = seed_below(&seed, 8) ? 0 : draw_word(),
	};

	/* Format is slow and always the same. */
	if (command.opcode == NVME_ADMIN_FORMAT && seed_below(&seed, 50))
		command.opcode = NVME_ADMIN_IDENTIFY;
	return command;
}

/* A whole number of commands into a queue, right or wrong. */
static void submit_some(void)
{
	uint16_t id = (uint16_t)seed_below(&seed, RIG_QUEUES);
	struct nvme_completion completion;

	if (!rig.queues[id].sq_entries)
		return;
	for (uint64_t n = seed_below(&seed, 4); n; n--) {
		const struct nvme_command command = draw_command();

		rig_submit(&rig, id, &command);
		if (!seed_below(&seed, 3))
			rig.next_cid -= (uint16_t)seed_below(&seed, 3);
	}
	rig_run(&rig);
	if (rig.queues[id].cq_entries && seed_below(&seed, 4)) {
		while (rig_take(&rig, id, &completion))
			;
		rig_ring_cq(&rig, id);
	}
}

static void start_again(void)
{
	void (*mishap)(const struct pci_command *, struct pci_mishap *) = rig.mishap;

	memset(rig.hole, 0, sizeof(rig.hole));
	rig.mishap = NULL;
	if (mishap) /* it may hang */
		pci_function_reset(rig.function);
	rig_enable(&rig);
	for (uint16_t i = 1; i < RIG_QUEUES; i++)
		rig_make_queue(&rig, i, 2 + (uint32_t)seed_below(&seed, 60));
	rig.mishap = mishap;
}

static void step(void)
{
	switch (seed_below(&seed, 24)) {
	case 0: /* any register */
		rig_reg_set(&rig, (uint32_t)seed_below(&seed, 16) * 4, draw_word());
		break;
	case 1: /* any doorbell */
		rig_reg_set(&rig, 0x1000 + (uint32_t)seed_below(&seed, 64) * 4, draw_word());
		break;
	case 2: /* any byte of memory, so of queues and lists */
		rig.memory[draw_iova() % RIG_MEMORY_BYTES] = (uint8_t)seed_next(&seed);
		break;
	case 3:
		rig.hole[seed_below(&seed, sizeof(rig.hole))] = !seed_below(&seed, 4);
		break;
	case 4:
		rig_pass(&rig, seed_below(&seed, 3000000));
		break;
	case 5: /* any access of any size */
		pci_function_write(rig.function, 0, seed_below(&seed, 0x2000 / 8) * 8,
				   seed_next(&seed), 1u << seed_below(&seed, 4));
		break;
	case 6:
		if (!seed_below(&seed, 20))
			pci_function_reset(rig.function);
		break;
	default:
		submit_some();
	}
	rig_run(&rig);
}

static void run_on(uint64_t steps)
{
	start_again();
	for (uint64_t i = 0; i < steps; i++) {
		step();
		if (!(rig_reg(&rig, NVME_REG_CSTS) & NVME_CSTS_RDY) || !seed_below(&seed, 500))
			start_again();
		else if (rig_reg(&rig, NVME_REG_CSTS) & NVME_CSTS_CFS)
			start_again();
	}
	/* It can be used again; whether commands end well, is for who asked for no faults. */
	pci_function_reset(rig.function);
	start_again();
}

static void run(const char *device, uint64_t steps)
{
	rig_init(&rig, device);
	run_on(steps);
}

static void check_disk(void)
{
	const struct nvme_command format = { .opcode = NVME_ADMIN_FORMAT, .nsid = 1 };
	uint8_t expected[RIG_PAGE];

	memset(expected, 0x5a, sizeof(expected));
	memcpy(rig.memory + RIG_DATA, expected, sizeof(expected));
	assert_int_equal(rig_do(&rig, 0, &format, NULL), 0);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_WRITE, 0, 8, RIG_DATA, 512), 0);
	memset(rig.memory + RIG_DATA, 0, RIG_PAGE);
	assert_int_equal(rig_io(&rig, 1, NVME_IO_READ, 0, 8, RIG_DATA, 512), 0);
	assert_memory_equal(expected, rig.memory + RIG_DATA, sizeof(expected));
}

static uint64_t steps(void)
{
	const char *text = getenv("NVME_FUZZ_STEPS");

	return text ? strtoull(text, NULL, 0) : STEPS;
}

static void test_random_driver_leaves_a_controller_that_works(void **state)
{
	(void)state;
	run("nvme,memory=1M,queues=8", steps());
	check_disk();
	rig_fini(&rig);
}

static void test_random_driver_with_delays_and_faults(void **state)
{
	(void)state;
	run("nvme,memory=1M,queues=8,delay=1us-1ms,fault=late:2ms@5/7,fault=lose@9/11,"
	    "fault=again:1ms@read:3/5,fault=stray:0x123450@2/3,fault=cfs@1000/1000,irq=intx",
	    steps() / 3);
	rig_fini(&rig);
}

/* What --fail and --delay could say. */
static void draw_mishap(const struct pci_command *command, struct pci_mishap *mishap)
{
	static const enum pci_mishap_kind kinds[] = {
		PCI_MISHAP_STATUS, PCI_MISHAP_LOSE, PCI_MISHAP_STRAY, PCI_MISHAP_AGAIN,
		PCI_MISHAP_FATAL,
	};
	uint64_t chance = seed_below(&seed, 200);

	(void)command;
	if (chance < 5)
		mishap->kind = kinds[chance];
	else if (chance == 5 && !seed_below(&seed, 10))
		mishap->kind = PCI_MISHAP_HANG;
	mishap->arg = mishap->kind == PCI_MISHAP_STATUS ? 0x281 : seed_next(&seed);
	if (chance > 190)
		mishap->delay_ns = chance == 199 ? UINT64_MAX : seed_below(&seed, 3000000);
}

static void test_random_driver_with_mishaps(void **state)
{
	(void)state;
	rig_init(&rig, "nvme,memory=1M,queues=8");
	rig.mishap = draw_mishap;
	run_on(steps() / 3);
	rig.mishap = NULL;
	pci_function_reset(rig.function);
	start_again();
	check_disk();
	rig_fini(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_driver_leaves_a_controller_that_works),
		cmocka_unit_test(test_random_driver_with_delays_and_faults),
		cmocka_unit_test(test_random_driver_with_mishaps),
	};

	seed_init(&seed, 20261128);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
