/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What moves data in simulated VFIO devices: ram's engine, DMA to another device's BAR,
 * logs of DMA, migration.
 */
#include "tests/unit/vfio_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ioasis/iommufd_abi.h"

#define RAM 0u
#define EDU 1u
#define SECOND 2u
#define CONFIG ((unsigned int)SIM_VFIO_CONFIG)
#define IOVA 0x100000u
#define RING IOVA
#define DATA (IOVA + 0x1000)

/* ram's registers (docs/DEVICE.md). */
#define RAM_STATUS 0x04
#define RAM_RING 0x10
#define RAM_ENTRIES 0x18
#define RAM_CONTROL 0x1c
#define RAM_COMPLETED 0x20
#define RAM_FAULTS 0x24
#define RAM_FAULT_IOVA 0x28
#define DOORBELL_BAR 4u
#define RAM_DOORBELL 0x0000
#define TO_IOVA 1u
#define INTERRUPT 2u
#define BETWEEN 4u

struct descriptor {
	uint64_t iova, other;
	uint32_t bytes;
	uint16_t flags, vector;
	uint32_t status, reserved;
};

static const char *const specs[] = { "ram,size=64K,migration=on", "edu",
				     "ram,size=64K,migration=on", NULL };

/* Pages 0 to 7 of the client are at IOVA: the ring, then data. */
static int setup(void **state)
{
	struct vfio_rig *rig = vfio_rig_create(specs);

	vfio_rig_attach(rig, RAM);
	rig_map(&rig->base, rig->ioas, 0, 8, IOVA);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	vfio_rig_destroy(*state);
	return 0;
}

static struct descriptor *ring_of(struct vfio_rig *rig)
{
	return (struct descriptor *)(void *)rig->base.fake.memory;
}

static uint8_t *data_of(struct vfio_rig *rig)
{
	return rig->base.fake.memory + 4096;
}

static void enable(struct vfio_rig *rig, unsigned int device)
{
	vfio_rig_write(rig, device, 0, RAM_RING, RING, 8);
	vfio_rig_write(rig, device, 0, RAM_ENTRIES, 16, 4);
	vfio_rig_write(rig, device, 0, RAM_CONTROL, 1, 4);
	assert_int_equal(vfio_rig_read(rig, device, 0, RAM_STATUS, 4), 1);
}

/* Runs the first descriptor of a ring that is enabled anew; its status. */
static uint32_t run_one(struct vfio_rig *rig, const struct descriptor *descriptor)
{
	uint32_t before;

	enable(rig, RAM);
	*ring_of(rig) = *descriptor;
	before = (uint32_t)vfio_rig_read(rig, RAM, 0, RAM_COMPLETED, 4);
	vfio_rig_write(rig, RAM, DOORBELL_BAR, RAM_DOORBELL, 1, 4);
	assert_true(vfio_rig_await(rig, RAM, RAM_COMPLETED, before + 1));
	return ring_of(rig)->status;
}

/* ---- ram -------------------------------------------------------------------------- */

static void test_engine_works_on_a_ring(void **state)
{
	struct vfio_rig *rig = *state;
	int fd = eventfd(0, EFD_NONBLOCK);
	volatile uint32_t *bell;
	uint64_t offset;
	int bar;

	assert_int_equal(vfio_rig_irqs(rig, RAM, SIM_VFIO_MSIX, SIM_VFIO_DATA_EVENTFD |
				       SIM_VFIO_ACTION_TRIGGER, 3, 1, &fd), 0);
	assert_int_equal(vfio_file_mmap(rig->files[RAM], ((uint64_t)DOORBELL_BAR << 40) +
					RAM_DOORBELL, 4096, true, &bar, &offset), 0);
	bell = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, bar, (off_t)offset);
	assert_true(bell != MAP_FAILED);
	enable(rig, RAM);
	/* 200 descriptors through 16 places, with no system call but the wait. */
	for (uint32_t i = 0; i < 200; i++) {
		struct descriptor *descriptor = &ring_of(rig)[i % 16];

		memset(data_of(rig), (int)i, 4096);
		*descriptor = (struct descriptor){ .iova = DATA, .other = i % 8 * 4096ull,
						   .bytes = 4096, .flags = INTERRUPT,
						   .vector = 3 };
		__atomic_store_n(bell, i + 1, __ATOMIC_RELEASE);
		assert_int_equal(vfio_rig_count(fd, true), 1);
		assert_int_equal(descriptor->status, 1);
		assert_int_equal(vfio_rig_read(rig, RAM, 2, i % 8 * 4096ull + 4095, 1), i & 0xff);
	}
	assert_int_equal(vfio_rig_read(rig, RAM, 0, RAM_COMPLETED, 4), 200);
	munmap((void *)(uintptr_t)bell, 4096);
	close(fd);
}

static void test_engine_says_what_went_wrong(void **state)
{
	struct vfio_rig *rig = *state;
	struct descriptor descriptor = { .iova = IOVA + 0x7000, .bytes = 8192, .flags = TO_IOVA };

	assert_int_equal(run_one(rig, &descriptor), 2); /* half of it is not mapped */
	assert_int_equal(vfio_rig_read(rig, RAM, 0, RAM_FAULTS, 4), 1);
	assert_true(vfio_rig_read(rig, RAM, 0, RAM_FAULT_IOVA, 8) == IOVA + 0x8000);
	descriptor = (struct descriptor){ .iova = DATA, .other = 65536, .bytes = 1 };
	assert_int_equal(run_one(rig, &descriptor), 3); /* beyond the card's memory */
	descriptor = (struct descriptor){ .iova = DATA, .bytes = 1, .flags = 8 };
	assert_int_equal(run_one(rig, &descriptor), 3);
	/* A ring that is nowhere stops the engine. */
	vfio_rig_write(rig, RAM, 0, RAM_CONTROL, 0, 4);
	vfio_rig_write(rig, RAM, 0, RAM_RING, 0x40000000, 8);
	vfio_rig_write(rig, RAM, 0, RAM_CONTROL, 1, 4);
	vfio_rig_write(rig, RAM, DOORBELL_BAR, RAM_DOORBELL, 1, 4);
	assert_true(vfio_rig_await(rig, RAM, RAM_STATUS, 2));
	/* Entries that are no power of two are no ring. */
	vfio_rig_write(rig, RAM, 0, RAM_ENTRIES, 3, 4);
	vfio_rig_write(rig, RAM, 0, RAM_CONTROL, 1, 4);
	assert_int_equal(vfio_rig_read(rig, RAM, 0, RAM_CONTROL, 4), 0);
}

static void test_engine_copies_between_addresses(void **state)
{
	struct vfio_rig *rig = *state;
	struct descriptor descriptor = { .iova = DATA + 0x4000, .other = DATA, .bytes = 5000,
					 .flags = BETWEEN | TO_IOVA };

	for (unsigned int i = 0; i < 5000; i++)
		data_of(rig)[i] = (uint8_t)(i * 7);
	assert_int_equal(run_one(rig, &descriptor), 1);
	assert_memory_equal(data_of(rig) + 0x4000, data_of(rig), 5000);
}

/* ---- another device's BAR -------------------------------------------------------------- */

struct dma_buf_call {
	struct sim_vfio_dma_buf buf;
	struct sim_vfio_dma_range ranges[2];
};

static long get_dma_buf(struct vfio_rig *rig, unsigned int device, uint32_t bar, uint64_t offset,
			uint64_t length)
{
	struct dma_buf_call call = { .buf = { .region_index = bar, .open_flags = O_RDWR,
					      .nr_ranges = 1 },
				     .ranges = { { offset, length } } };

	return vfio_rig_feature(rig, device, SIM_VFIO_FEATURE_DMA_BUF | SIM_VFIO_FEATURE_GET,
				&call, sizeof(call));
}

static long map_file(struct vfio_rig *rig, long fd, uint64_t start, uint64_t length, uint64_t iova)
{
	struct iommu_ioas_map_file map = { .size = sizeof(map), .flags = 7, .ioas_id = rig->ioas,
					   .fd = (int)fd, .start = start, .length = length,
					   .iova = iova };

	return rig_call(&rig->base, IOMMU_IOAS_MAP_FILE, &map);
}

static void test_dma_reaches_another_devices_bar(void **state)
{
	struct vfio_rig *rig = *state;
	struct descriptor to_peer = { .iova = 0x7000000, .other = DATA, .bytes = 4096,
				      .flags = BETWEEN | TO_IOVA };
	long fd;

	vfio_rig_attach(rig, SECOND);
	fd = get_dma_buf(rig, SECOND, 2, 4096, 8192);
	assert_true(fd >= 0);
	assert_int_equal(engine_anon_file_size(fake_anon_file(&rig->base.fake, (uint32_t)fd)), 8192);
	assert_int_equal(map_file(rig, fd, 0, 4096, 0x7000000), 0);
	memset(data_of(rig), 0x5a, 4096);
	assert_int_equal(run_one(rig, &to_peer), 1);
	assert_int_equal(vfio_rig_read(rig, SECOND, 2, 4096, 4), 0x5a5a5a5a);
	assert_int_equal(vfio_rig_read(rig, SECOND, 2, 8192, 4), 0);

	/* Memory off: what is mapped is gone for good, and nothing can be mapped. */
	vfio_rig_write(rig, SECOND, CONFIG, PCI_COMMAND, 0, 2);
	assert_int_equal(run_one(rig, &to_peer), 2);
	assert_int_equal(map_file(rig, fd, 0, 4096, 0x7001000), -ENODEV);
	vfio_rig_write(rig, SECOND, CONFIG, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	assert_int_equal(run_one(rig, &to_peer), 2);
	assert_int_equal(map_file(rig, fd, 4096, 4096, 0x7001000), 0);
	to_peer.iova = 0x7001000;
	assert_int_equal(run_one(rig, &to_peer), 1);
	assert_int_equal(vfio_rig_read(rig, SECOND, 2, 8192, 4), 0x5a5a5a5a);

	/* The device goes: so does the memory, for good. */
	vfio_rig_reopen(rig, SECOND);
	assert_int_equal(run_one(rig, &to_peer), 2);
	assert_int_equal(vfio_rig_bind(rig, SECOND, VFIO_RIG_IOMMUFD), 0);
	assert_int_equal(map_file(rig, fd, 0, 4096, 0x7002000), -ENODEV);
	fake_close(&rig->base.fake, (uint32_t)fd);
}

static void test_dma_reaches_registers_too(void **state)
{
	struct vfio_rig *rig = *state;
	struct descriptor read_id = { .iova = DATA, .other = 0x7000000, .bytes = 4,
				      .flags = BETWEEN | TO_IOVA };
	long fd;

	vfio_rig_attach(rig, EDU);
	fd = get_dma_buf(rig, EDU, 0, 0, 4096);
	assert_true(fd >= 0);
	assert_int_equal(map_file(rig, fd, 0, 4096, 0x7000000), 0);
	assert_int_equal(run_one(rig, &read_id), 1);
	assert_memory_equal(data_of(rig), "\xed\x00\x00\x01", 4);
	memcpy(data_of(rig), "\x00\xff\x00\xff", 4);
	read_id.iova = 0x7000004; /* the register that inverts */
	read_id.other = DATA;
	assert_int_equal(run_one(rig, &read_id), 1);
	assert_int_equal(vfio_rig_read(rig, EDU, 0, 4, 4), 0x00ff00ff);
	fake_close(&rig->base.fake, (uint32_t)fd);
}

static void test_dma_buf_is_refused_as_the_kernel_does(void **state)
{
	struct vfio_rig *rig = *state;
	struct dma_buf_call call = { .buf = { .region_index = 2, .nr_ranges = 2 },
				     .ranges = { { 0, 4096 }, { 8192, 4096 } } };
	const uint32_t get = SIM_VFIO_FEATURE_DMA_BUF | SIM_VFIO_FEATURE_GET;
	long fd;

	assert_int_equal(get_dma_buf(rig, RAM, 2, 0, 0), -EINVAL);
	assert_int_equal(get_dma_buf(rig, RAM, 2, 0, 100), -EINVAL);
	assert_int_equal(get_dma_buf(rig, RAM, 2, 65536, 4096), -EINVAL);
	assert_int_equal(get_dma_buf(rig, RAM, 2, UINT64_MAX - 4095, 4096), -EOVERFLOW);
	assert_int_equal(get_dma_buf(rig, RAM, 1, 0, 4096), -ENODEV);
	assert_int_equal(get_dma_buf(rig, RAM, 7, 0, 4096), -ENODEV);
	/* Two ranges are a dma-buf that an IOMMU does not map. */
	fd = vfio_rig_feature(rig, RAM, get, &call, sizeof(call));
	assert_true(fd >= 0);
	assert_int_equal(map_file(rig, fd, 0, 4096, 0x7000000), -EOPNOTSUPP);
	assert_int_equal(map_file(rig, fd, 8192, 4096, 0x7000000), -EINVAL);
	fake_close(&rig->base.fake, (uint32_t)fd);
	call.buf.flags = 1;
	assert_int_equal(vfio_rig_feature(rig, RAM, get, &call, sizeof(call)), -EINVAL);
	call.buf.flags = 0;
	call.buf.nr_ranges = UINT32_MAX;
	assert_int_equal(vfio_rig_feature(rig, RAM, get, &call, sizeof(call)), -ENOMEM);
}

/* ---- the log of DMA -------------------------------------------------------------------- */

static void test_log_tells_what_dma_wrote(void **state)
{
	const uint32_t set = SIM_VFIO_FEATURE_SET, start = SIM_VFIO_FEATURE_LOG_START | set;
	struct sim_vfio_log_range ranges[2] = { { IOVA, 0x8000 }, { IOVA + 0x4000, 0x1000 } };
	struct sim_vfio_log_control control = { .page_size = 4096, .num_ranges = 2,
						.ranges = (uint64_t)(uintptr_t)ranges };
	uint64_t bits = 1ull << 63;
	struct sim_vfio_log_report report = { .iova = IOVA, .length = 0x8000, .page_size = 4096,
					      .bitmap = (uint64_t)(uintptr_t)&bits };
	struct descriptor descriptor = { .iova = DATA + 0x2ffe, .bytes = 4, .flags = TO_IOVA };
	struct vfio_rig *rig = *state;

	assert_int_equal(vfio_rig_feature(rig, RAM, start, &control, sizeof(control)), -EINVAL);
	control.num_ranges = 1;
	assert_int_equal(vfio_rig_feature(rig, RAM, SIM_VFIO_FEATURE_LOG_REPORT |
					  SIM_VFIO_FEATURE_GET, &report, sizeof(report)), -EINVAL);
	assert_int_equal(vfio_rig_feature(rig, RAM, start, &control, sizeof(control)), 0);
	assert_int_equal(vfio_rig_feature(rig, RAM, start, &control, sizeof(control)), -EINVAL);
	assert_int_equal(run_one(rig, &descriptor), 1);
	assert_int_equal(vfio_rig_feature(rig, RAM, SIM_VFIO_FEATURE_LOG_REPORT |
					  SIM_VFIO_FEATURE_GET, &report, sizeof(report)), 0);
	/* The ring (its status), and two pages of data; other bits stay. */
	assert_true(bits == (1ull << 63 | 1u << 0 | 1u << 3 | 1u << 4));
	bits = 0;
	report.page_size = 0x4000;
	assert_int_equal(run_one(rig, &descriptor), 1);
	assert_int_equal(vfio_rig_feature(rig, RAM, SIM_VFIO_FEATURE_LOG_REPORT |
					  SIM_VFIO_FEATURE_GET, &report, sizeof(report)), 0);
	assert_true(bits == 3);
	bits = 0;
	assert_int_equal(vfio_rig_feature(rig, RAM, SIM_VFIO_FEATURE_LOG_REPORT |
					  SIM_VFIO_FEATURE_GET, &report, sizeof(report)), 0);
	assert_true(bits == 0);
	assert_int_equal(vfio_rig_feature(rig, RAM, SIM_VFIO_FEATURE_LOG_STOP | set, NULL, 0), 0);
	assert_int_equal(vfio_rig_feature(rig, RAM, SIM_VFIO_FEATURE_LOG_STOP | set, NULL, 0), 0);
}

/* ---- migration ------------------------------------------------------------------------- */

static long set_state(struct vfio_rig *rig, unsigned int device, uint32_t to, int32_t *fd)
{
	struct sim_vfio_mig_state state = { .device_state = to };
	long rc = vfio_rig_feature(rig, device, SIM_VFIO_FEATURE_MIG_STATE | SIM_VFIO_FEATURE_SET,
				   &state, sizeof(state));

	*fd = state.data_fd;
	return rc;
}

static uint32_t get_state(struct vfio_rig *rig, unsigned int device)
{
	struct sim_vfio_mig_state state = { 0 };

	assert_int_equal(vfio_rig_feature(rig, device, SIM_VFIO_FEATURE_MIG_STATE |
					  SIM_VFIO_FEATURE_GET, &state, sizeof(state)), 0);
	return state.device_state;
}

/* Reads from one stream into another, until there is no more; what the last read gave. */
static ssize_t pump(struct vfio_rig *rig, int32_t from, int32_t to, size_t *bytes)
{
	struct fake_client *fake = &rig->base.fake;
	char buf[1000];
	ssize_t n;

	while ((n = engine_anon_file_read(fake_anon_file(fake, (uint32_t)from), buf, sizeof(buf),
					  false)) > 0) {
		assert_int_equal(engine_anon_file_write(fake_anon_file(fake, (uint32_t)to), buf,
							(size_t)n), n);
		*bytes += (size_t)n;
	}
	return n;
}

static void test_device_moves_while_it_runs(void **state)
{
	struct sim_vfio_precopy_info info = { .argsz = sizeof(info) };
	struct vfio_rig *rig = *state;
	int32_t from, to, none;
	size_t bytes = 0;
	uint64_t flags = 0, stop_copy = 0;

	assert_int_equal(vfio_rig_feature(rig, RAM, SIM_VFIO_FEATURE_MIGRATION |
					  SIM_VFIO_FEATURE_GET, &flags, sizeof(flags)), 0);
	assert_int_equal(flags, 7);
	enable(rig, RAM);
	vfio_rig_write(rig, RAM, 2, 5000, 0x1234, 4);
	assert_int_equal(get_state(rig, RAM), SIM_VFIO_STATE_RUNNING);
	assert_int_equal(set_state(rig, RAM, SIM_VFIO_STATE_PRE_COPY, &from), 0);
	assert_true(from >= 0);
	vfio_rig_attach(rig, SECOND);
	assert_int_equal(set_state(rig, SECOND, SIM_VFIO_STATE_RESUMING, &to), 0);
	assert_true(to >= 0);

	assert_int_equal(engine_anon_file_ioctl(fake_anon_file(&rig->base.fake, (uint32_t)from),
						&rig->base.fake.client, SIM_VFIO_GET_PRECOPY_INFO,
						(uint64_t)(uintptr_t)&info), 0);
	assert_true(info.initial_bytes > 4096);
	assert_int_equal(pump(rig, from, to, &bytes), -ENOMSG);
	assert_int_equal(bytes, info.initial_bytes);
	/* It runs on; what it does now goes with the rest. */
	vfio_rig_write(rig, RAM, 2, 9000, 0x5678, 4);
	assert_int_equal(vfio_rig_feature(rig, RAM, SIM_VFIO_FEATURE_MIG_DATA_SIZE |
					  SIM_VFIO_FEATURE_GET, &stop_copy, sizeof(stop_copy)), 0);
	assert_int_equal(set_state(rig, RAM, SIM_VFIO_STATE_STOP_COPY, &none), 0);
	assert_int_equal(none, -1); /* the same file goes on */
	assert_int_equal(get_state(rig, RAM), SIM_VFIO_STATE_STOP_COPY);
	bytes = 0;
	assert_int_equal(pump(rig, from, to, &bytes), 0);
	assert_int_equal(bytes, stop_copy);
	assert_int_equal(set_state(rig, RAM, SIM_VFIO_STATE_PRE_COPY, &none), -EINVAL);
	assert_int_equal(set_state(rig, RAM, SIM_VFIO_STATE_STOP, &none), 0);

	assert_int_equal(set_state(rig, SECOND, SIM_VFIO_STATE_RUNNING, &none), 0);
	assert_int_equal(vfio_rig_read(rig, SECOND, 2, 5000, 4), 0x1234);
	assert_int_equal(vfio_rig_read(rig, SECOND, 2, 9000, 4), 0x5678);
	assert_int_equal(vfio_rig_read(rig, SECOND, 0, RAM_CONTROL, 4), 1);
	assert_true(vfio_rig_read(rig, SECOND, 0, RAM_RING, 8) == RING);
	/* The engine goes on where it was, there. */
	*ring_of(rig) = (struct descriptor){ .iova = DATA, .bytes = 8, .flags = TO_IOVA };
	vfio_rig_write(rig, SECOND, DOORBELL_BAR, RAM_DOORBELL, 1, 4);
	assert_true(vfio_rig_await(rig, SECOND, RAM_COMPLETED, 1));
	/* The old streams are of no use. */
	assert_int_equal(engine_anon_file_write(fake_anon_file(&rig->base.fake, (uint32_t)to),
						"x", 1), -ENODEV);
	fake_close(&rig->base.fake, (uint32_t)from);
	fake_close(&rig->base.fake, (uint32_t)to);
}

static void test_stopped_device_does_no_dma(void **state)
{
	struct vfio_rig *rig = *state;
	int32_t none;

	enable(rig, RAM);
	*ring_of(rig) = (struct descriptor){ .iova = DATA, .bytes = 8, .flags = TO_IOVA };
	assert_int_equal(set_state(rig, RAM, SIM_VFIO_STATE_STOP, &none), 0);
	vfio_rig_write(rig, RAM, DOORBELL_BAR, RAM_DOORBELL, 1, 4);
	assert_true(pci_function_step(pci_bus_at(rig->bus, RAM)->function, 0, 0) == PCI_NEVER);
	assert_int_equal(ring_of(rig)->status, 0);
	assert_int_equal(set_state(rig, RAM, SIM_VFIO_STATE_RUNNING, &none), 0);
	assert_true(vfio_rig_await(rig, RAM, RAM_COMPLETED, 1));
	assert_int_equal(set_state(rig, RAM, SIM_VFIO_STATE_ERROR, &none), -EINVAL);
	assert_int_equal(set_state(rig, RAM, 8, &none), -EINVAL);
}

/* Each byte of a state may be wrong: it is refused or taken, and nothing breaks. */
static void test_wrong_state_is_an_error_until_the_reset(void **state)
{
	struct vfio_rig *rig = *state;
	struct fake_client *fake = &rig->base.fake;
	static char good[16384];
	int32_t from, to, none;
	unsigned int refused = 0;
	ssize_t length;

	enable(rig, RAM);
	assert_int_equal(set_state(rig, RAM, SIM_VFIO_STATE_STOP_COPY, &from), 0);
	length = engine_anon_file_read(fake_anon_file(fake, (uint32_t)from), good, sizeof(good),
				       false);
	assert_true(length > 0 && length < (ssize_t)sizeof(good));
	fake_close(fake, (uint32_t)from);
	vfio_rig_attach(rig, SECOND);
	for (ssize_t i = 0; i < length; i += i < 256 ? 1 : 97) {
		long rc;

		assert_int_equal(set_state(rig, SECOND, SIM_VFIO_STATE_RESUMING, &to), 0);
		good[i] ^= 0x41;
		engine_anon_file_write(fake_anon_file(fake, (uint32_t)to), good, (size_t)length);
		good[i] ^= 0x41;
		rc = set_state(rig, SECOND, SIM_VFIO_STATE_STOP, &none);
		fake_close(fake, (uint32_t)to);
		if (!rc)
			continue;
		refused++;
		assert_int_equal(rc, -EINVAL);
		assert_int_equal(get_state(rig, SECOND), SIM_VFIO_STATE_ERROR);
		assert_int_equal(set_state(rig, SECOND, SIM_VFIO_STATE_RUNNING, &none), -EINVAL);
		assert_int_equal(vfio_rig_ioctl(rig, SECOND, SIM_VFIO_RESET, NULL), 0);
		assert_int_equal(get_state(rig, SECOND), SIM_VFIO_STATE_RUNNING);
	}
	assert_true(refused > 50);
	/* A part of it is not enough. */
	assert_int_equal(set_state(rig, SECOND, SIM_VFIO_STATE_RESUMING, &to), 0);
	engine_anon_file_write(fake_anon_file(fake, (uint32_t)to), good, (size_t)length - 1);
	assert_int_equal(set_state(rig, SECOND, SIM_VFIO_STATE_STOP, &none), -EINVAL);
	fake_close(fake, (uint32_t)to);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_engine_works_on_a_ring),
		TEST(test_engine_says_what_went_wrong),
		TEST(test_engine_copies_between_addresses),
		TEST(test_dma_reaches_another_devices_bar),
		TEST(test_dma_reaches_registers_too),
		TEST(test_dma_buf_is_refused_as_the_kernel_does),
		TEST(test_log_tells_what_dma_wrote),
		TEST(test_device_moves_while_it_runs),
		TEST(test_stopped_device_does_no_dma),
		TEST(test_wrong_state_is_an_error_until_the_reset),
	};

	return cmocka_run_group_tests_name("vfio_data", tests, NULL, NULL);
}
