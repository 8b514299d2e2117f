/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulated PCI function: what --device takes, its registers, its configuration space. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "sim/vfio/config_space.h"
#include "sim/vfio/edu.h"
#include "sim/vfio/vfio_device.h"

/* ---- --device -------------------------------------------------------------------- */

static void test_spec_gives_ids_and_their_defaults(void **state)
{
	struct vfio_device_spec spec;
	char why[VFIO_DEVICE_WHY_BYTES];

	(void)state;
	assert_int_equal(vfio_device_spec_parse("edu", &spec, why), 0);
	assert_int_equal(spec.vendor, 0x1234);
	assert_int_equal(spec.device, 0x11e8);
	assert_int_equal(vfio_device_spec_parse("edu,device=7,vendor=0xabcd", &spec, why), 0);
	assert_int_equal(spec.vendor, 0xabcd);
	assert_int_equal(spec.device, 7);
}

static void test_wrong_spec_is_named(void **state)
{
	static const char *const bad[] = { "", "edux", "nic,vendor=1", "edu,", "edu,speed=1",
					   "edu,vendor", "edu,vendor=", "edu,vendor=x",
					   "edu,vendor=65536", "edu,vendor=1,,device=2" };
	struct vfio_device_spec spec;
	char why[VFIO_DEVICE_WHY_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(vfio_device_spec_parse(bad[i], &spec, why), -EINVAL);
		assert_non_null(strstr(why, bad[i]));
	}
}

/* ---- registers ------------------------------------------------------------------- */

struct world {
	uint8_t memory[8192];
	unsigned int irqs;
	bool fault;
};

static bool world_dma(void *opaque, uint64_t iova, void *buf, size_t length, bool write)
{
	struct world *world = opaque;

	if (world->fault || iova > sizeof(world->memory) || length > sizeof(world->memory) - iova)
		return false;
	if (write)
		memcpy(world->memory + iova, buf, length);
	else
		memcpy(buf, world->memory + iova, length);
	return true;
}

static void world_raise(void *opaque)
{
	((struct world *)opaque)->irqs++;
}

static const struct edu_ops world_ops = { .dma = world_dma, .raise_irq = world_raise };

static void run_dma(struct edu *edu, uint64_t source, uint64_t target, uint64_t count,
		    uint64_t command)
{
	edu_write(edu, 0x80, source, 8);
	edu_write(edu, 0x88, target, 8);
	edu_write(edu, 0x90, count, 8);
	edu_write(edu, 0x98, command, 8);
}

static void test_registers_compute(void **state)
{
	struct world world = { .irqs = 0 };
	struct edu edu;

	(void)state;
	edu_reset(&edu, &world_ops, &world);
	assert_int_equal(edu_read(&edu, 0, 4), 0x010000edu);
	edu_write(&edu, 4, 0xff00ff00u, 4);
	assert_int_equal(edu_read(&edu, 4, 4), 0x00ff00ffu);
	edu_write(&edu, 8, 12, 4);
	assert_int_equal(edu_read(&edu, 8, 4), 479001600u);
	edu_write(&edu, 8, UINT32_MAX, 4); /* ends soon: a product that long is 0 */
	assert_int_equal(edu_read(&edu, 8, 4), 0);
	assert_int_equal(world.irqs, 0);
	edu_write(&edu, 0x20, 0x80, 4);
	edu_write(&edu, 8, 3, 4);
	assert_int_equal(world.irqs, 1);
	assert_int_equal(edu_read(&edu, 0x24, 4), 1);
	edu_write(&edu, 0x64, 1, 4);
	assert_int_equal(edu_read(&edu, 0x24, 4), 0);
}

static void test_other_sizes_and_places_are_no_registers(void **state)
{
	struct world world = { .irqs = 0 };
	struct edu edu;

	(void)state;
	edu_reset(&edu, &world_ops, &world);
	assert_true(edu_read(&edu, 0, 2) == 0);
	assert_true(edu_read(&edu, 0, 8) == UINT64_MAX);
	assert_true(edu_read(&edu, 0x30, 4) == UINT64_MAX);
	assert_true(edu_read(&edu, 0x80, 2) == 0);
	edu_write(&edu, EDU_BUFFER_OFFSET, 1, 4);
	assert_true(edu_read(&edu, EDU_BUFFER_OFFSET, 4) == UINT64_MAX);
	edu_write(&edu, 4, 1, 2);
	assert_int_equal(edu_read(&edu, 4, 4), 0);
}

static void test_dma_goes_both_ways_within_the_buffer(void **state)
{
	struct world world = { .memory = "there and back" };
	struct edu edu;

	(void)state;
	edu_reset(&edu, &world_ops, &world);
	run_dma(&edu, 0, EDU_BUFFER_OFFSET + 8, 15, 1);
	run_dma(&edu, EDU_BUFFER_OFFSET + 8, 4096, 15, 1 | 2 | 4);
	assert_string_equal((char *)world.memory + 4096, "there and back");
	assert_int_equal(world.irqs, 1);
	assert_int_equal(edu_read(&edu, 0x98, 8) & 1, 0);

	/* Outside the buffer: nothing moves and nothing is raised. */
	run_dma(&edu, 0, EDU_BUFFER_OFFSET + EDU_BUFFER_BYTES - 1, 2, 1 | 4);
	run_dma(&edu, 0, EDU_BUFFER_OFFSET - 1, 1, 1 | 4);
	run_dma(&edu, EDU_BUFFER_OFFSET, 0, UINT64_MAX, 1 | 2 | 4);
	assert_int_equal(world.irqs, 1);
	/* With a fault: nothing moves, and the device does not know. It has read zeros. */
	world.fault = true;
	run_dma(&edu, EDU_BUFFER_OFFSET + 8, 4096, 15, 1 | 2 | 4);
	assert_int_equal(world.irqs, 2);
	assert_string_equal((char *)world.memory + 4096, "there and back");
	run_dma(&edu, 0, EDU_BUFFER_OFFSET + 8, 15, 1);
	world.fault = false;
	run_dma(&edu, EDU_BUFFER_OFFSET + 8, 4096, 15, 1 | 2);
	assert_string_equal((char *)world.memory + 4096, "");
}

/* ---- configuration space --------------------------------------------------------- */

static uint32_t read32(const struct config_space *space, size_t offset)
{
	uint32_t value;

	config_space_read(space, offset, &value, sizeof(value));
	return value;
}

static void test_bar_tells_its_size_and_ids_stay(void **state)
{
	const uint32_t ones = UINT32_MAX;
	struct config_space space;

	(void)state;
	config_space_reset(&space, 0x1234, 0x11e8, EDU_BAR_BYTES);
	config_space_write(&space, PCI_BASE_ADDRESS_0, &ones, 4);
	assert_int_equal(read32(&space, PCI_BASE_ADDRESS_0), ~(EDU_BAR_BYTES - 1));
	config_space_write(&space, PCI_BASE_ADDRESS_1, &ones, 4);
	assert_int_equal(read32(&space, PCI_BASE_ADDRESS_1), 0);
	config_space_write(&space, PCI_VENDOR_ID, &ones, 4);
	assert_int_equal(read32(&space, PCI_VENDOR_ID), 0x11e81234u);
	assert_int_equal(space.bytes[space.bytes[PCI_CAPABILITY_LIST]], PCI_CAP_ID_MSI);
}

static void test_command_register_enables(void **state)
{
	const uint16_t none = 0, command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_IO;
	struct config_space space;

	(void)state;
	config_space_reset(&space, 0x1234, 0x11e8, EDU_BAR_BYTES);
	assert_true(config_space_memory_enabled(&space)); /* by vfio-pci */
	assert_false(config_space_is_bus_master(&space));
	config_space_write(&space, PCI_COMMAND, &none, 2);
	assert_false(config_space_memory_enabled(&space));
	config_space_write(&space, PCI_COMMAND, &command, 2);
	assert_true(config_space_memory_enabled(&space));
	assert_true(config_space_is_bus_master(&space));
	assert_int_equal(read32(&space, PCI_COMMAND) & PCI_COMMAND_IO, 0); /* it has no ports */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spec_gives_ids_and_their_defaults),
		cmocka_unit_test(test_wrong_spec_is_named),
		cmocka_unit_test(test_registers_compute),
		cmocka_unit_test(test_other_sizes_and_places_are_no_registers),
		cmocka_unit_test(test_dma_goes_both_ways_within_the_buffer),
		cmocka_unit_test(test_bar_tells_its_size_and_ids_stay),
		cmocka_unit_test(test_command_register_enables),
	};

	return cmocka_run_group_tests_name("vfio", tests, NULL, NULL);
}
