/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vfio-user client: a server in a thread is the device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <linux/pci_regs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "sim/pci/pci_bus.h"
#include "sim/pci/vfio_user_abi.h"
#include "tests/unit/vfio_user_server.h"

#define MEMORY_BYTES 0x10000u
#define PATIENCE_S   20

struct world {
	struct pci_bus *bus;
	struct pci_function *function;
	uint8_t memory[MEMORY_BYTES];
	unsigned int messages[8]; /* __atomic */
};

static const char *dma_key = "message";
static struct vfio_user_server server;
static struct world world;

static int world_dma(void *opaque, uint32_t pasid, bool write, const struct pci_dma_piece *pieces,
		     unsigned int pieces_count, const struct iovec *local, unsigned int local_count,
		     uint64_t *fault_iova)
{
	struct world *w = opaque;

	(void)fault_iova;
	assert_int_equal(pasid, 0);
	assert_int_equal(pieces_count, 1);
	assert_int_equal(local_count, 1);
	if (pieces->iova > MEMORY_BYTES || pieces->bytes > MEMORY_BYTES - pieces->iova)
		return -EFAULT;
	if (write)
		memcpy(w->memory + pieces->iova, local->iov_base, local->iov_len);
	else
		memcpy(local->iov_base, w->memory + pieces->iova, local->iov_len);
	return 0;
}

static void world_message(void *opaque, unsigned int vector)
{
	__atomic_add_fetch(&((struct world *)opaque)->messages[vector], 1, __ATOMIC_ACQ_REL);
}

static void world_pin(void *opaque, bool up)
{
	(void)opaque, (void)up;
}

static uint64_t world_number(void *opaque)
{
	(void)opaque;
	return 1;
}

static const struct pci_world_ops world_ops = {
	.dma = world_dma,
	.message = world_message,
	.pin = world_pin,
	.now = world_number,
	.random = world_number,
};

static int try_begin(char why[PCI_WHY_BYTES])
{
	char device[256];
	int err;

	memset(&world, 0, sizeof(world));
	world.bus = pci_bus_create(1);
	snprintf(device, sizeof(device), "vfio-user,socket=%s,dma=%s", server.path, dma_key);
	err = pci_bus_add(world.bus, device, why);
	return err ? err : pci_bus_settle(world.bus, why);
}

static void begin(bool twin)
{
	const uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	char why[PCI_WHY_BYTES] = "";

	memset(&server, 0, sizeof(server));
	server.device_id = 0x5678;
	server.twin = twin;
	vfio_user_server_start(&server);
	if (try_begin(why))
		fail_msg("%s", why);
	world.function = pci_bus_at(world.bus, 0)->function;
	pci_function_connect(world.function, &world_ops, &world);
	pci_function_config_write(world.function, PCI_COMMAND, &command, sizeof(command));
	pci_function_irq_mode(world.function, PCI_IRQ_MSI, 1);
}

static int end(void **state)
{
	(void)state;
	pci_bus_destroy(world.bus);
	vfio_user_server_stop(&server);
	dma_key = "message";
	return 0;
}

static uint64_t reg(uint64_t offset)
{
	return pci_function_read(world.function, 0, offset, 8);
}

static void reg_set(uint64_t offset, uint64_t value)
{
	pci_function_write(world.function, 0, offset, value, 8);
}

/* Waits for a condition that another thread makes true. */
#define await(condition)                                   \
	do {                                               \
		time_t until = time(NULL) + PATIENCE_S;    \
		while (!(condition) && time(NULL) < until) \
			sched_yield();                     \
		assert_true(condition);                    \
	} while (0)

static void test_device_is_what_the_server_says(void **state)
{
	const struct pci_description *description;

	(void)state;
	begin(false);
	description = pci_function_description(world.function);
	assert_int_equal(description->vendor, 0x1234);
	assert_int_equal(description->device, 0x5678);
	assert_int_equal(description->class_code, 0xff0000);
	assert_int_equal(description->revision, 3);
	assert_int_equal(description->bars[0].bytes, 0x40);
	assert_int_equal(description->msi, 1);
	assert_true(description->power_management);
	assert_true(description->flr);
	assert_int_equal(server.map_bytes, UINT64_C(1) << 48);
	assert_int_equal(server.command & PCI_COMMAND_MASTER, PCI_COMMAND_MASTER);
}

static void test_registers_are_read_and_written(void **state)
{
	(void)state;
	begin(false);
	reg_set(0x28, 0x1122334455667788);
	assert_int_equal(reg(0x28), 0x1122334455667788);
	assert_int_equal(pci_function_read(world.function, 0, 0x2c, 4), 0x11223344);
	assert_int_equal(pci_function_read(world.function, 0, 0x29, 1), 0x77);
	/* Behind the end of the region, but in the BAR. */
	assert_true(reg(0x30) == UINT64_MAX);
	reg_set(0x38, 5);
	pci_function_reset(world.function);
	assert_int_equal(__atomic_load_n(&server.resets, __ATOMIC_ACQUIRE), 1);
	assert_int_equal(reg(0x28), 0);
}

static void dma_goes_through(bool twin)
{
	begin(twin);
	for (unsigned int i = 0; i < SERVER_DMA_BYTES; i++)
		world.memory[0x1000 + i] = (uint8_t)i;
	reg_set(SERVER_REG_ADDRESS, 0x1000);
	reg_set(SERVER_REG_COPY, 1);
	assert_int_equal(reg(SERVER_REG_STATUS), 0);
	for (unsigned int i = 0; i < SERVER_DMA_BYTES; i++)
		assert_int_equal(world.memory[0x1000 + SERVER_DMA_BYTES + i], (uint8_t)~i);
	/* Where nothing is mapped, the server is told so. */
	reg_set(SERVER_REG_ADDRESS, MEMORY_BYTES);
	reg_set(SERVER_REG_COPY, 1);
	assert_int_equal(reg(SERVER_REG_STATUS), EFAULT);
}

static void test_dma_while_a_driver_waits_goes_through(void **state)
{
	(void)state;
	dma_goes_through(false);
}

static void test_dma_by_the_second_socket_goes_through(void **state)
{
	(void)state;
	dma_goes_through(true);
	assert_true(__atomic_load_n(&server.twin_fd, __ATOMIC_ACQUIRE) >= 0);
}

static unsigned int open_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(folder))
		n++;
	closedir(folder);
	return n;
}

/* ---- memory that the server maps ----------------------------------------------------- */

static uint8_t *shared; /* what the file of the mappings holds, two pages from page 1 on */

static struct server_piece piece(unsigned int index)
{
	return vfio_user_server_piece(&server, index);
}

/* A server with a piece of memory at 0x1000 whose file it can map, and one at 0x4000 without. */
static void begin_mapped(void)
{
	struct pci_mapping mapping = { 0x1000, 0x2000, true, true, -1, 0x1000 };

	dma_key = "mapped";
	begin(false);
	mapping.fd = memfd_create("test", MFD_CLOEXEC);
	assert_int_equal(ftruncate(mapping.fd, 0x3000), 0);
	shared = mmap(NULL, 0x2000, PROT_READ | PROT_WRITE, MAP_SHARED, mapping.fd, 0x1000);
	assert_ptr_not_equal(shared, MAP_FAILED);
	pci_function_mapped(world.function, &mapping);
	mapping = (struct pci_mapping){ 0x4000, 0x1000, true, false, -1, 0 };
	pci_function_mapped(world.function, &mapping);
	memset(shared, 0x5a, 0x2000);
}

static void copy_at(uint64_t address, int status)
{
	reg_set(SERVER_REG_ADDRESS, address);
	reg_set(SERVER_REG_COPY, 1);
	assert_int_equal(reg(SERVER_REG_STATUS), status);
}

static void test_memory_with_a_file_is_mapped_by_the_server(void **state)
{
	(void)state;
	begin_mapped();
	assert_int_equal(__atomic_load_n(&server.maps, __ATOMIC_ACQUIRE), 2);
	assert_int_equal(piece(0).flags,
			 VFIO_USER_DMA_READABLE | VFIO_USER_DMA_WRITABLE);
	assert_non_null(piece(0).base);
	assert_int_equal(piece(1).flags, VFIO_USER_DMA_READABLE);
	assert_null(piece(1).base);
	copy_at(0x1100, 0);
	assert_int_equal(shared[0x100 + SERVER_DMA_BYTES], 0xa5);
	assert_int_equal(world.memory[0x1100 + SERVER_DMA_BYTES], 0); /* no message */
	world.memory[0x4000] = 1;
	copy_at(0x4000, 0);
	assert_int_equal(world.memory[0x4000 + SERVER_DMA_BYTES], 0xfe);
	munmap(shared, 0x2000);
}

static void test_memory_is_given_up_when_unmap_returns(void **state)
{
	(void)state;
	begin_mapped();
	pci_function_unmapped(world.function, 0x1000, 0x2000);
	assert_int_equal(__atomic_load_n(&server.unmaps, __ATOMIC_ACQUIRE), 1);
	assert_int_equal(piece(0).bytes, 0);
	/* What is not there is not told; then all of the rest. */
	pci_function_unmapped(world.function, 0x1000, 0x2000);
	pci_function_unmapped(world.function, 0, UINT64_MAX);
	assert_int_equal(__atomic_load_n(&server.unmaps, __ATOMIC_ACQUIRE), 2);
	assert_int_equal(piece(1).bytes, 0);
	munmap(shared, 0x2000);
}

static void test_server_that_comes_again_is_told_of_all_memory(void **state)
{
	(void)state;
	begin_mapped();
	vfio_user_server_stop(&server);
	pci_function_unmapped(world.function, 0x4000, 0x1000); /* while nobody is there */
	vfio_user_server_start(&server);
	await(reg(0x28) != UINT64_MAX);
	assert_int_equal(__atomic_load_n(&server.maps, __ATOMIC_ACQUIRE), 3);
	copy_at(0x1200, 0);
	assert_int_equal(shared[0x200 + SERVER_DMA_BYTES], 0xa5);
	munmap(shared, 0x2000);
}

static void test_server_that_takes_no_file_gets_messages(void **state)
{
	struct pci_mapping mapping = { 0x8000, 0x1000, true, true, -1, 0 };

	(void)state;
	begin_mapped();
	__atomic_store_n(&server.fault, SERVER_NO_FILES, __ATOMIC_RELEASE);
	mapping.fd = memfd_create("test", MFD_CLOEXEC);
	pci_function_mapped(world.function, &mapping);
	__atomic_store_n(&server.fault, SERVER_GOOD, __ATOMIC_RELEASE);
	assert_int_equal(__atomic_load_n(&server.maps, __ATOMIC_ACQUIRE), 4);
	assert_int_equal(piece(2).address, 0x8000);
	assert_null(piece(2).base);
	copy_at(0x8000, 0);
	munmap(shared, 0x2000);
}

static void test_server_that_ends_at_an_unmap_holds_nobody_up(void **state)
{
	(void)state;
	begin_mapped();
	__atomic_store_n(&server.fault, SERVER_NO_UNMAP, __ATOMIC_RELEASE);
	pci_function_unmapped(world.function, 0x1000, 0x2000);
	__atomic_store_n(&server.fault, SERVER_GOOD, __ATOMIC_RELEASE);
	await(reg(0x28) != UINT64_MAX);
	assert_int_equal(piece(0).address, 0x4000); /* only this one is left */
	assert_int_equal(piece(1).bytes, 0);
	munmap(shared, 0x2000);
}

static void test_files_of_a_client_that_has_no_end_of_them_are_few(void **state)
{
	struct pci_mapping mapping = { 0x100000, 0x1000, true, true, -1, 0 };
	unsigned int before, during;
	struct rlimit limit;

	(void)state;
	begin_mapped();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < 2000) {
		munmap(shared, 0x2000);
		skip();
	}
	before = open_files();
	for (unsigned int i = 0; i < 2000; i++) {
		mapping.iova += 0x1000;
		mapping.fd = memfd_create("test", MFD_CLOEXEC);
		assert_true(mapping.fd >= 0);
		pci_function_mapped(world.function, &mapping);
	}
	during = open_files();
	assert_int_equal(during - before, 1024 - 1); /* one was there */
	pci_function_unmapped(world.function, 0, UINT64_MAX);
	assert_true(open_files() < before);
	munmap(shared, 0x2000);
}

static void test_all_addresses_are_one_piece_in_parts(void **state)
{
	const struct pci_mapping mapping = { 0, UINT64_C(1) << 48, true, true, -1, 0 };

	(void)state;
	dma_key = "mapped";
	begin(false);
	pci_function_mapped(world.function, &mapping);
	assert_int_equal(server.map_bytes, UINT64_C(1) << 48);
	pci_function_unmapped(world.function, 0, UINT64_C(1) << 48);
	assert_int_equal(__atomic_load_n(&server.unmaps, __ATOMIC_ACQUIRE), 32);
}

static void test_eventfds_become_interrupts(void **state)
{
	(void)state;
	begin(false);
	reg_set(SERVER_REG_RAISE, 0);
	await(__atomic_load_n(&world.messages[0], __ATOMIC_ACQUIRE) == 1);
	reg_set(SERVER_REG_RAISE, 4);
	await(__atomic_load_n(&world.messages[0], __ATOMIC_ACQUIRE) == 2);
}

static void test_server_that_ends_leaves_ones_until_it_comes_again(void **state)
{
	(void)state;
	begin(false);
	reg_set(0x28, 7);
	vfio_user_server_stop(&server);
	await(reg(0x28) == UINT64_MAX);
	reg_set(0x28, 8);
	vfio_user_server_start(&server);
	await(reg(0x28) == 7); /* what this server keeps */
	assert_int_equal(server.connections, 2);
	reg_set(SERVER_REG_RAISE, 0);
	await(__atomic_load_n(&world.messages[0], __ATOMIC_ACQUIRE) == 1);
	/* One that is another device is not taken for it. */
	vfio_user_server_stop(&server);
	server.device_id = 0x9999;
	vfio_user_server_start(&server);
	await(__atomic_load_n(&server.connections, __ATOMIC_ACQUIRE) >= 4);
	assert_true(reg(0x28) == UINT64_MAX);
}

static void test_server_that_answers_wrong_is_given_up(void **state)
{
	static const enum server_fault faults[] = { SERVER_SHORT, SERVER_HUGE, SERVER_OTHER_ID,
						    SERVER_CLOSES, SERVER_REFUSES };

	(void)state;
	begin(false);
	reg_set(0x28, 7);
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		__atomic_store_n(&server.fault, faults[i], __ATOMIC_RELEASE);
		assert_true(reg(0x28) == UINT64_MAX);
		__atomic_store_n(&server.fault, SERVER_GOOD, __ATOMIC_RELEASE);
		await(reg(0x28) == 7);
	}
}

static void test_server_that_is_none_is_named(void **state)
{
	static const enum server_fault faults[] = { SERVER_NO_PCI, SERVER_OLD };
	char why[PCI_WHY_BYTES];

	(void)state;
	begin(false);
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		pci_bus_destroy(world.bus);
		__atomic_store_n(&server.fault, faults[i], __ATOMIC_RELEASE);
		assert_int_not_equal(try_begin(why), 0);
		assert_non_null(strstr(why, server.path));
		assert_null(strchr(why, '\n'));
	}
	pci_bus_destroy(world.bus);
	vfio_user_server_stop(&server);
	assert_int_not_equal(try_begin(why), 0);
	assert_non_null(strstr(why, server.path));
	vfio_user_server_start(&server);
	{
		struct pci_bus *bus = pci_bus_create(1);

		assert_int_not_equal(pci_bus_add(bus, "vfio-user", why), 0);
		assert_non_null(strstr(why, "socket=PATH"));
		pci_bus_destroy(bus);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, NULL, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_device_is_what_the_server_says),
		CASE(test_registers_are_read_and_written),
		CASE(test_dma_while_a_driver_waits_goes_through),
		CASE(test_dma_by_the_second_socket_goes_through),
		CASE(test_memory_with_a_file_is_mapped_by_the_server),
		CASE(test_memory_is_given_up_when_unmap_returns),
		CASE(test_server_that_comes_again_is_told_of_all_memory),
		CASE(test_server_that_takes_no_file_gets_messages),
		CASE(test_server_that_ends_at_an_unmap_holds_nobody_up),
		CASE(test_files_of_a_client_that_has_no_end_of_them_are_few),
		CASE(test_all_addresses_are_one_piece_in_parts),
		CASE(test_eventfds_become_interrupts),
		CASE(test_server_that_ends_leaves_ones_until_it_comes_again),
		CASE(test_server_that_answers_wrong_is_given_up),
		CASE(test_server_that_is_none_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
