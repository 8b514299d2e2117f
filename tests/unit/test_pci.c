/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PCI bus: what --device takes, edu's registers, configuration space, interrupts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "sim/pci/pci_bus.h"

/* ---- --device -------------------------------------------------------------------- */

static void test_spec_gives_ids_and_places(void **state)
{
	struct pci_bus *bus = pci_bus_create(1);
	char why[PCI_WHY_BYTES], text[PCI_ADDRESS_TEXT_BYTES];
	const struct pci_slot *slot;

	(void)state;
	assert_int_equal(pci_bus_add(bus, "edu", why), 0);
	assert_int_equal(pci_bus_add(bus, "edu,device=7,vendor=0xabcd,addr=0000:00:02.0,group=0,"
				     "id=mine", why), 0);
	assert_int_equal(pci_bus_add(bus, "edu,group=1,addr=01:1f.7", why), 0);
	assert_int_equal(pci_bus_settle(bus, why), 0);
	assert_int_equal(pci_bus_count(bus), 3);
	slot = pci_bus_at(bus, 0);
	pci_address_print(&slot->address, text);
	assert_string_equal(text, "0000:00:03.0"); /* 02.0 is the other's */
	assert_int_equal(slot->group, 2);
	assert_string_equal(slot->id, "edu0");
	assert_int_equal(pci_function_description(slot->function)->vendor, 0x1234);
	assert_int_equal(slot->bars[0], 0xfea00000u);
	slot = pci_bus_at(bus, 1);
	assert_string_equal(slot->id, "mine");
	assert_int_equal(slot->group, 0);
	assert_int_equal(pci_function_description(slot->function)->vendor, 0xabcd);
	assert_int_equal(pci_function_description(slot->function)->device, 7);
	assert_int_equal(slot->bars[0], 0xfe900000u);
	assert_ptr_equal(pci_bus_find(bus, &slot->address), slot);
	pci_address_print(&pci_bus_at(bus, 2)->address, text);
	assert_string_equal(text, "0000:01:1f.7");
	pci_bus_destroy(bus);
}

static void test_wrong_spec_is_named(void **state)
{
	static const char *const bad[] = {
		"", "edux", "nic,vendor=1", "edu,", "edu,speed=1", "edu,vendor", "edu,vendor=",
		"edu,vendor=x", "edu,vendor=0", "edu,vendor=65536", "edu,vendor=1,,device=2",
		"edu,addr=0000:00:20.0", "edu,addr=00:05", "edu,addr=00:05.8", "edu,addr=0:05.0",
		"edu,addr=0000:00:05.0x", "edu,group=-1", "edu,group=10000", "edu,group=",
		"edu,id=", "edu,id=7", "edu,id=a/b", "edu,addr=00:05.0", "edu,id=there",
	};
	struct pci_bus *bus = pci_bus_create(1);
	char why[PCI_WHY_BYTES];

	(void)state;
	assert_int_equal(pci_bus_add(bus, "edu,addr=00:05.0,id=there", why), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(pci_bus_add(bus, bad[i], why), -EINVAL);
		assert_non_null(strstr(why, bad[i]));
		assert_null(strchr(why, '\n'));
	}
	assert_int_equal(pci_bus_count(bus), 1);
	pci_bus_destroy(bus);
}

/* ---- edu ------------------------------------------------------------------------- */

struct world {
	struct pci_bus *bus;
	struct pci_function *function;
	uint8_t memory[8192];
	unsigned int messages, ups, downs;
	bool fault;
};

static int world_dma(void *opaque, uint32_t pasid, bool write, const struct pci_dma_piece *pieces,
		     unsigned int pieces_count, const struct iovec *local,
		     unsigned int local_count, uint64_t *fault_iova)
{
	struct world *world = opaque;
	uint64_t iova = pieces->iova;

	(void)fault_iova;
	assert_int_equal(pasid, PCI_NO_PASID);
	assert_int_equal(pieces_count, 1);
	assert_int_equal(local_count, 1);
	assert_int_equal(local->iov_len, pieces->bytes);
	if (world->fault || iova > sizeof(world->memory) ||
	    pieces->bytes > sizeof(world->memory) - iova)
		return -EFAULT;
	if (write)
		memcpy(world->memory + iova, local->iov_base, pieces->bytes);
	else
		memcpy(local->iov_base, world->memory + iova, pieces->bytes);
	return 0;
}

static void world_message(void *opaque, unsigned int vector)
{
	assert_int_equal(vector, 0);
	((struct world *)opaque)->messages++;
}

static void world_pin(void *opaque, bool up)
{
	struct world *world = opaque;

	if (up)
		world->ups++;
	else
		world->downs++;
}

static uint64_t world_now(void *opaque)
{
	(void)opaque;
	return 0;
}

static const struct pci_world_ops world_ops = {
	.dma = world_dma,
	.message = world_message,
	.pin = world_pin,
	.now = world_now,
	.random = world_now,
};

static int make_edu(void **state)
{
	static struct world world;
	const uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	char why[PCI_WHY_BYTES];

	memset(&world, 0, sizeof(world));
	world.bus = pci_bus_create(1);
	if (pci_bus_add(world.bus, "edu", why) || pci_bus_settle(world.bus, why))
		return -1;
	world.function = pci_bus_at(world.bus, 0)->function;
	pci_function_connect(world.function, &world_ops, &world);
	pci_function_config_write(world.function, PCI_COMMAND, &command, sizeof(command));
	*state = &world;
	return 0;
}

static int end_edu(void **state)
{
	pci_bus_destroy(((struct world *)*state)->bus);
	return 0;
}

static uint64_t get(const struct world *world, uint64_t offset, unsigned int size)
{
	return pci_function_read(world->function, 0, offset, size);
}

static void put(const struct world *world, uint64_t offset, uint64_t value, unsigned int size)
{
	pci_function_write(world->function, 0, offset, value, size);
}

#define BUFFER 0x40000u
#define BUFFER_BYTES 4096u

static void run_dma(const struct world *world, uint64_t source, uint64_t target, uint64_t count,
		    uint64_t command)
{
	put(world, 0x80, source, 8);
	put(world, 0x88, target, 8);
	put(world, 0x90, count, 8);
	put(world, 0x98, command, 8);
}

static void test_edu_registers_compute(void **state)
{
	struct world *world = *state;

	assert_int_equal(get(world, 0, 4), 0x010000edu);
	put(world, 4, 0xff00ff00u, 4);
	assert_int_equal(get(world, 4, 4), 0x00ff00ffu);
	put(world, 8, 12, 4);
	assert_int_equal(get(world, 8, 4), 479001600u);
	put(world, 8, UINT32_MAX, 4); /* ends soon: a product that long is 0 */
	assert_int_equal(get(world, 8, 4), 0);
	assert_int_equal(world->ups, 0);
	put(world, 0x20, 0x80, 4);
	put(world, 8, 3, 4);
	assert_int_equal(world->ups, 1);
	assert_int_equal(get(world, 0x24, 4), 1);
	put(world, 0x64, 1, 4);
	assert_int_equal(get(world, 0x24, 4), 0);
	assert_int_equal(world->downs, 1);
}

static void test_edu_other_sizes_and_places_are_no_registers(void **state)
{
	struct world *world = *state;

	assert_true(get(world, 0, 2) == 0);
	assert_true(get(world, 0, 8) == UINT64_MAX);
	assert_true(get(world, 0x30, 4) == UINT64_MAX);
	assert_true(get(world, 0x80, 2) == 0);
	put(world, BUFFER, 1, 4);
	assert_true(get(world, BUFFER, 4) == UINT64_MAX);
	put(world, 4, 1, 2);
	assert_int_equal(get(world, 4, 4), 0);
}

static void test_edu_dma_goes_both_ways_within_the_buffer(void **state)
{
	struct world *world = *state;

	strcpy((char *)world->memory, "there and back");
	run_dma(world, 0, BUFFER + 8, 15, 1);
	run_dma(world, BUFFER + 8, 4096, 15, 1 | 2 | 4);
	assert_string_equal((char *)world->memory + 4096, "there and back");
	assert_int_equal(world->ups, 1);
	assert_int_equal(get(world, 0x98, 8) & 1, 0);
	put(world, 0x64, 0x100, 4);

	/* Outside the buffer: nothing moves and nothing is raised. */
	run_dma(world, 0, BUFFER + BUFFER_BYTES - 1, 2, 1 | 4);
	run_dma(world, 0, BUFFER - 1, 1, 1 | 4);
	run_dma(world, BUFFER, 0, UINT64_MAX, 1 | 2 | 4);
	assert_int_equal(world->ups, 1);
	/* With a fault: nothing moves, and the device does not know. It has read zeros. */
	world->fault = true;
	run_dma(world, BUFFER + 8, 4096, 15, 1 | 2 | 4);
	assert_int_equal(world->ups, 2);
	assert_string_equal((char *)world->memory + 4096, "there and back");
	run_dma(world, 0, BUFFER + 8, 15, 1);
	world->fault = false;
	run_dma(world, BUFFER + 8, 4096, 15, 1 | 2);
	assert_string_equal((char *)world->memory + 4096, "");
}

static void test_dma_needs_a_bus_master(void **state)
{
	const uint16_t none = PCI_COMMAND_MEMORY;
	struct world *world = *state;

	strcpy((char *)world->memory, "a");
	pci_function_config_write(world->function, PCI_COMMAND, &none, sizeof(none));
	run_dma(world, BUFFER, 0, 2, 1 | 2);
	assert_string_equal((char *)world->memory, "a");
}

/* ---- interrupts ------------------------------------------------------------------ */

static uint16_t config16(const struct world *world, size_t offset)
{
	uint16_t value;

	pci_function_config_read(world->function, offset, &value, sizeof(value));
	return value;
}

static void test_pin_is_a_level_that_status_tells(void **state)
{
	const uint16_t disable = PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE;
	const uint16_t enable = PCI_COMMAND_MEMORY;
	struct world *world = *state;

	assert_false(config16(world, PCI_STATUS) & PCI_STATUS_INTERRUPT);
	put(world, 0x60, 1, 4);
	put(world, 0x60, 2, 4);
	assert_int_equal(world->ups, 1);
	assert_true(config16(world, PCI_STATUS) & PCI_STATUS_INTERRUPT);
	/* Disabled, it is down, but the status still tells. */
	pci_function_config_write(world->function, PCI_COMMAND, &disable, sizeof(disable));
	assert_int_equal(world->downs, 1);
	assert_true(config16(world, PCI_STATUS) & PCI_STATUS_INTERRUPT);
	pci_function_config_write(world->function, PCI_COMMAND, &enable, sizeof(enable));
	assert_int_equal(world->ups, 2);
	put(world, 0x64, 1, 4);
	assert_int_equal(world->downs, 1);
	put(world, 0x64, 2, 4);
	assert_int_equal(world->downs, 2);
	assert_false(config16(world, PCI_STATUS) & PCI_STATUS_INTERRUPT);
	assert_int_equal(world->messages, 0);
}

static void test_messages_come_each_time(void **state)
{
	struct world *world = *state;

	pci_function_irq_mode(world->function, PCI_IRQ_MSI, 1);
	assert_true(config16(world, 0x40 + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_ENABLE);
	put(world, 0x60, 1, 4);
	put(world, 0x60, 1, 4);
	assert_int_equal(world->messages, 2);
	assert_int_equal(world->ups, 0);
	pci_function_irq_mode(world->function, PCI_IRQ_PIN, 0);
	assert_false(config16(world, 0x40 + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_ENABLE);
}

/* ---- configuration space --------------------------------------------------------- */

static uint32_t config32(const struct world *world, size_t offset)
{
	uint32_t value;

	pci_function_config_read(world->function, offset, &value, sizeof(value));
	return value;
}

static void test_bar_tells_its_size_and_ids_stay(void **state)
{
	const uint32_t ones = UINT32_MAX;
	struct world *world = *state;

	assert_int_equal(config32(world, PCI_BASE_ADDRESS_0), 0xfea00000u);
	pci_function_config_write(world->function, PCI_BASE_ADDRESS_0, &ones, 4);
	assert_int_equal(config32(world, PCI_BASE_ADDRESS_0), 0xfff00000u);
	pci_function_config_write(world->function, PCI_BASE_ADDRESS_1, &ones, 4);
	assert_int_equal(config32(world, PCI_BASE_ADDRESS_1), 0);
	pci_function_config_write(world->function, PCI_VENDOR_ID, &ones, 4);
	assert_int_equal(config32(world, PCI_VENDOR_ID), 0x11e81234u);
	assert_int_equal(config32(world, config32(world, PCI_CAPABILITY_LIST) & 0xff) & 0xff,
			 PCI_CAP_ID_MSI);
}

static void test_command_register_enables_memory(void **state)
{
	const uint16_t none = 0, all = 0xffff;
	struct world *world = *state;

	assert_true(pci_function_memory_enabled(world->function));
	pci_function_config_write(world->function, PCI_COMMAND, &none, 2);
	assert_false(pci_function_memory_enabled(world->function));
	pci_function_config_write(world->function, PCI_COMMAND, &all, 2);
	assert_true(pci_function_memory_enabled(world->function));
	assert_int_equal(config16(world, PCI_COMMAND), 0x507); /* QEMU's edu */
}

/* ---- reset and state ------------------------------------------------------------- */

static void test_reset_is_as_after_power_on(void **state)
{
	struct world *world = *state;

	put(world, 4, 0, 4);
	put(world, 0x60, 1, 4);
	pci_function_reset(world->function);
	assert_int_equal(get(world, 4, 4), 0);
	assert_int_equal(world->downs, 1);
	assert_int_equal(config32(world, PCI_BASE_ADDRESS_0), 0xfea00000u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spec_gives_ids_and_places),
		cmocka_unit_test(test_wrong_spec_is_named),
#define EDU_TEST(name) cmocka_unit_test_setup_teardown(name, make_edu, end_edu)
		EDU_TEST(test_edu_registers_compute),
		EDU_TEST(test_edu_other_sizes_and_places_are_no_registers),
		EDU_TEST(test_edu_dma_goes_both_ways_within_the_buffer),
		EDU_TEST(test_dma_needs_a_bus_master),
		EDU_TEST(test_pin_is_a_level_that_status_tells),
		EDU_TEST(test_messages_come_each_time),
		EDU_TEST(test_bar_tells_its_size_and_ids_stay),
		EDU_TEST(test_command_register_enables_memory),
		EDU_TEST(test_reset_is_as_after_power_on),
	};

	return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
