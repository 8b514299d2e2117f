/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver of edu for a guest: by MMIO, DMA, MSI and INTx, through the guest's own VFIO
 * without an IOMMU (enable_unsafe_noiommu_mode). Prints how many of COUNT of each were right.
 *
 *   edu_guest BDF GROUP [COUNT]       GROUP: /dev/vfio/noiommu-0
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u
#define WAIT_MS 5000

/* docs/specs/edu.rst of QEMU */
enum {
	ID = 0x00,
	INVERT = 0x04,
	FACTORIAL = 0x08,
	STATUS = 0x20,
	IRQ_STATUS = 0x24,
	IRQ_RAISE = 0x60,
	IRQ_ACK = 0x64,
	DMA_SOURCE = 0x80,
	DMA_TARGET = 0x88,
	DMA_COUNT = 0x90,
	DMA_COMMAND = 0x98,
};
#define DMA_START 1u
#define DMA_TO_MEMORY 2u
#define DMA_BUFFER 0x40000u
#define STATUS_COMPUTING 1u

static int device;
static uint64_t bar, config;

static void fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static uint32_t read32(uint64_t at)
{
	uint32_t value = 0;

	if (pread(device, &value, sizeof(value), (off_t)(bar + at)) != sizeof(value))
		fail("read of a register");
	return value;
}

static void write32(uint64_t at, uint32_t value)
{
	if (pwrite(device, &value, sizeof(value), (off_t)(bar + at)) != sizeof(value))
		fail("write of a register");
}

static uint64_t region_offset(uint32_t index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info))
		fail("GET_REGION_INFO");
	return info.offset;
}

static void device_open(const char *group_path, const char *bdf)
{
	int container = open("/dev/vfio/vfio", O_RDWR), group = open(group_path, O_RDWR);
	uint16_t command;

	if (container < 0 || group < 0)
		fail(group_path);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		fail("SET_CONTAINER");
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU))
		fail("SET_IOMMU");
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (device < 0)
		fail("GET_DEVICE_FD");
	bar = region_offset(VFIO_PCI_BAR0_REGION_INDEX);
	config = region_offset(VFIO_PCI_CONFIG_REGION_INDEX);
	if (pread(device, &command, 2, (off_t)config + 4) != 2)
		fail("read of the configuration");
	command |= 6; /* memory, bus master */
	if (pwrite(device, &command, 2, (off_t)config + 4) != 2)
		fail("write of the configuration");
}

static void test_mmio(int count)
{
	int right = 0;

	for (int i = 0; i < count; i++) {
		uint32_t value = 0x01234567u * (uint32_t)(i + 1);

		write32(INVERT, value);
		right += read32(INVERT) == ~value && (read32(ID) & 0xff) == 0xed;
	}
	printf("mmio %d of %d\n", right, count);
}

/* The address of a page that is in memory, as the device sees it. */
static uint64_t physical(const void *page)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)page / PAGE * 8)) != 8)
		fail("pagemap");
	close(fd);
	return (entry & ((1ull << 55) - 1)) * PAGE;
}

static void dma(uint64_t from, uint64_t to, uint32_t command)
{
	uint64_t words[3] = { from, to, PAGE / 4 };

	for (int i = 0; i < 3; i++) {
		write32(DMA_SOURCE + 8 * (uint64_t)i, (uint32_t)words[i]);
		write32(DMA_SOURCE + 8 * (uint64_t)i + 4, (uint32_t)(words[i] >> 32));
	}
	write32(DMA_COMMAND, DMA_START | command);
	while (read32(DMA_COMMAND) & DMA_START)
		;
}

static void test_dma(int count)
{
	uint8_t *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_LOCKED, -1, 0);
	int right = 0;

	for (int i = 0; i < count; i++) {
		memset(pages, 0x11 * (i % 15 + 1), PAGE);
		memset(pages + PAGE, 0, PAGE);
		dma(physical(pages), DMA_BUFFER, 0);
		dma(DMA_BUFFER, physical(pages + PAGE), DMA_TO_MEMORY);
		right += !memcmp(pages, pages + PAGE, PAGE / 4) && !pages[PAGE + PAGE / 4];
	}
	printf("dma %d of %d\n", right, count);
}

/* A set with room for one descriptor. */
union irq_set {
	struct vfio_irq_set head;
	unsigned char bytes[sizeof(struct vfio_irq_set) + sizeof(int32_t)];
};

static int irq_enable(uint32_t index)
{
	union irq_set set = {
		.head = { .argsz = sizeof(set), .index = index, .count = 1,
			  .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER },
	};
	int32_t fd = eventfd(0, EFD_NONBLOCK);

	memcpy(set.head.data, &fd, sizeof(fd));
	if (ioctl(device, VFIO_DEVICE_SET_IRQS, &set))
		fail("SET_IRQS");
	return fd;
}

static void irq_call(uint32_t index, uint32_t action, uint32_t count)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set), .index = index, .count = count,
		.flags = VFIO_IRQ_SET_DATA_NONE | action,
	};

	if (ioctl(device, VFIO_DEVICE_SET_IRQS, &set))
		fail("SET_IRQS");
}

static void test_irq(const char *name, uint32_t index, int count)
{
	int fd = irq_enable(index), right = 0;
	uint64_t spurious = 0, value;

	for (int i = 0; i < count; i++) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };

		write32(IRQ_RAISE, 1);
		if (poll(&wait, 1, WAIT_MS) == 1 && read(fd, &value, sizeof(value)) == 8) {
			right += value == 1 && read32(IRQ_STATUS) == 1;
			spurious += value - 1;
		}
		write32(IRQ_ACK, 1);
		if (index == VFIO_PCI_INTX_IRQ_INDEX)
			irq_call(index, VFIO_IRQ_SET_ACTION_UNMASK, 1);
		/* Acknowledged, it is quiet. */
		if (poll(&wait, 1, 0) == 1 && read(fd, &value, sizeof(value)) == 8)
			spurious += value;
	}
	irq_call(index, VFIO_IRQ_SET_ACTION_TRIGGER, 0);
	close(fd);
	printf("%s %d of %d, %" PRIu64 " spurious\n", name, right, count, spurious);
}

int main(int argc, char **argv)
{
	int count = argc > 3 ? atoi(argv[3]) : 20;

	if (argc < 3)
		return 3;
	device_open(argv[2], argv[1]);
	test_mmio(count);
	test_dma(count);
	test_irq("msi", VFIO_PCI_MSI_IRQ_INDEX, count);
	test_irq("intx", VFIO_PCI_INTX_IRQ_INDEX, count);
	return 0;
}
