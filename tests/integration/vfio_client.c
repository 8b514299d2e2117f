/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver in user space for the simulated edu device: `vfio_client IOMMU VFIO`. Prints a
 * line for each thing that it asks, which the test script compares.
 *
 * `vfio_client IOMMU VFIO ask`: threads make calls about the device's own open files until
 * nobody answers any more; a line now and then.
 */
#include <errno.h>
#include <fcntl.h>
#include <ioasis/iommufd_abi.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/vfio/abi.h"

#define BAR_OFFSET 0ull
#define CONFIG_OFFSET ((uint64_t)SIM_VFIO_CONFIG << SIM_VFIO_OFFSET_SHIFT)
#define IOVA 0x1000000ull /* below 2^28, where edu ends */

static int vfio;

static void tell(const char *what, long result)
{
	printf("%s %s\n", what, result < 0 ? strerrorname_np(errno) : "ok");
}

static int bind_to(int iommufd, uint32_t *id)
{
	struct sim_vfio_bind bind = { .argsz = sizeof(bind), .iommufd = iommufd };
	int rc = ioctl(vfio, SIM_VFIO_BIND, &bind);

	*id = bind.out_devid;
	return rc;
}

static int attach_to(uint32_t *pt_id)
{
	struct sim_vfio_attach attach = { .argsz = SIM_VFIO_ATTACH_MIN, .pt_id = *pt_id };
	int rc = ioctl(vfio, SIM_VFIO_ATTACH, &attach);

	*pt_id = attach.pt_id;
	return rc;
}

static int set_irq(uint32_t index, uint32_t flags, uint32_t count, int fd)
{
	struct {
		struct sim_vfio_irq_set set;
		int32_t fd;
	} call = { { sizeof(call), flags, index, 0, count }, fd };

	return ioctl(vfio, SIM_VFIO_SET_IRQS, &call);
}

static uint64_t bar_read(uint64_t offset, size_t size)
{
	uint64_t value = 0;

	if (pread(vfio, &value, size, (off_t)(BAR_OFFSET + offset)) != (ssize_t)size)
		return 0xbad;
	return value;
}

static void bar_write(uint64_t offset, uint64_t value, size_t size)
{
	if (pwrite(vfio, &value, size, (off_t)(BAR_OFFSET + offset)) != (ssize_t)size)
		printf("write of register %llx: %s\n", (unsigned long long)offset,
		       strerrorname_np(errno));
}

/* QEMU's device computes and copies in its own time: until the bit is clear, or a while. */
static void await_clear(uint64_t offset, uint64_t bit)
{
	for (int i = 0; i < 1000 && (bar_read(offset, 4) & bit); i++)
		poll(NULL, 0, 5);
}

static void dma(uint64_t source, uint64_t target, uint64_t count, uint64_t command)
{
	bar_write(0x80, source, 8);
	bar_write(0x88, target, 8);
	bar_write(0x90, count, 8);
	bar_write(0x98, command, 8);
	await_clear(0x98, 1);
}

static void await_event(int fd)
{
	struct pollfd event = { .fd = fd, .events = POLLIN };

	poll(&event, 1, 5000);
}

static void ask_unbound(int iommufd)
{
	struct sim_vfio_info info = { .argsz = sizeof(info) };
	uint32_t id;
	char byte;

	tell("info before bind", ioctl(vfio, SIM_VFIO_GET_INFO, &info));
	tell("read before bind", pread(vfio, &byte, 1, (off_t)CONFIG_OFFSET));
	tell("bind to a negative fd", bind_to(-1, &id));
	tell("bind to a closed fd", bind_to(900, &id));
	tell("bind to another file", bind_to(1, &id));
	tell("bind", bind_to(iommufd, &id));
	printf("device %u\n", id);
	tell("bind again", bind_to(iommufd, &id));
}

static void ask_about(void)
{
	struct sim_vfio_info info = { .argsz = sizeof(info) };
	struct sim_vfio_region_info region = { .argsz = sizeof(region), .index = SIM_VFIO_BAR0 };
	struct sim_vfio_irq_info irq = { .argsz = sizeof(irq), .index = SIM_VFIO_MSI };
	uint32_t ids = 0, class = 0, subsystem = 0;
	uint16_t command = 0, off = 0;

	tell("info", ioctl(vfio, SIM_VFIO_GET_INFO, &info));
	printf("flags %u regions %u irqs %u\n", info.flags, info.num_regions, info.num_irqs);
	tell("region", ioctl(vfio, SIM_VFIO_GET_REGION_INFO, &region));
	printf("size %llu flags %u\n", (unsigned long long)region.size, region.flags);
	region.index = SIM_VFIO_VGA;
	tell("no such region", ioctl(vfio, SIM_VFIO_GET_REGION_INFO, &region));
	tell("irq", ioctl(vfio, SIM_VFIO_GET_IRQ_INFO, &irq));
	printf("count %u flags %u\n", irq.count, irq.flags);
	irq.index = SIM_VFIO_IRQS;
	tell("no such irq", ioctl(vfio, SIM_VFIO_GET_IRQ_INFO, &irq));
	tell("config", pread(vfio, &ids, 4, (off_t)CONFIG_OFFSET));
	printf("ids %x\n", ids);
	if (pread(vfio, &class, 4, (off_t)(CONFIG_OFFSET + 8)) != 4 ||
	    pread(vfio, &subsystem, 4, (off_t)(CONFIG_OFFSET + 0x2c)) != 4 ||
	    pread(vfio, &command, 2, (off_t)(CONFIG_OFFSET + 4)) != 2)
		perror("config");
	printf("class %x subsystem %x memory %d master %d\n", class, subsystem, !!(command & 2),
	       !!(command & 4));
	tell("registers at first", pread(vfio, &ids, 4, (off_t)BAR_OFFSET));
	tell("disable", pwrite(vfio, &off, 2, (off_t)(CONFIG_OFFSET + 4)));
	tell("registers while memory is off", pread(vfio, &ids, 4, (off_t)BAR_OFFSET));
}

static void use_registers(void)
{
	uint16_t command = 6; /* memory, bus master */
	uint32_t ones = ~0u, size = 0;

	tell("enable", pwrite(vfio, &command, 2, (off_t)(CONFIG_OFFSET + 4)));
	if (pwrite(vfio, &ones, 4, (off_t)(CONFIG_OFFSET + 16)) != 4 ||
	    pread(vfio, &size, 4, (off_t)(CONFIG_OFFSET + 16)) != 4)
		size = 0;
	printf("bar %x\n", size);
	printf("id %llx\n", (unsigned long long)bar_read(0, 4));
	bar_write(4, 0x12345678, 4);
	printf("inverted %llx\n", (unsigned long long)bar_read(4, 4));
	printf("a byte %llx, the buffer %llx\n", (unsigned long long)bar_read(0, 1),
	       (unsigned long long)bar_read(0x40000, 4));
	bar_write(8, 10, 4);
	await_clear(0x20, 1);
	printf("factorial %llu\n", (unsigned long long)bar_read(8, 4));
}

static void use_dma(int iommufd, uint32_t ioas)
{
	char *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = ioas,
		.user_va = (uint64_t)(uintptr_t)memory,
		.length = 8192,
		.iova = IOVA,
	};
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap), .ioas_id = ioas, .iova = IOVA, .length = 8192,
	};
	int irq = eventfd(0, EFD_NONBLOCK);
	uint64_t count = 0;

	tell("map", ioctl(iommufd, IOMMU_IOAS_MAP, &map));
	tell("msi", set_irq(SIM_VFIO_MSI, SIM_VFIO_DATA_EVENTFD | SIM_VFIO_ACTION_TRIGGER, 1, irq));
	strcpy(memory, "over the IOMMU");
	dma(IOVA, 0x40000, 15, 1);
	dma(0x40000, IOVA + 4096, 15, 1 | 2 | 4);
	printf("memory '%s'\n", memory + 4096);
	await_event(irq);
	tell("interrupt", read(irq, &count, 8));
	printf("count %llu status %llx\n", (unsigned long long)count,
	       (unsigned long long)bar_read(0x24, 4));
	tell("unmap", ioctl(iommufd, IOMMU_IOAS_UNMAP, &unmap));
	memory[4096] = 'x';
	dma(0x40000, IOVA + 4096, 15, 1 | 2 | 4);
	printf("memory '%s'\n", memory + 4096);
	await_event(irq);
	tell("interrupt after a fault", read(irq, &count, 8));
}

/* ---- calls about open files -------------------------------------------------------- */

#define ASKERS 4

static bool is_gone(int err)
{
	return err == ENOTCONN || err == ECONNABORTED;
}

/* One call of each kind. Its error, if it is one that should not be. */
static int ask_once(char **paths)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map), .flags = IOMMU_IOAS_MAP_READABLE, .length = 4096,
	};
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct sim_vfio_bind bind = { .argsz = sizeof(bind) };
	int iommufd = open(paths[0], O_RDWR), device = open(paths[1], O_RDWR), err = 0;

	if (iommufd < 0 || device < 0 || ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc))
		err = errno;
	bind.iommufd = map.fd = iommufd;
	map.ioas_id = alloc.out_ioas_id;
	/* Another thread may have it. */
	if (!err && ioctl(device, SIM_VFIO_BIND, &bind) && errno != EINVAL)
		err = errno;
	/* Whether it has pages at all is asked when a page table wants them. */
	if (!err && ioctl(iommufd, IOMMU_IOAS_MAP_FILE, &map))
		err = errno;
	close(device);
	close(iommufd);
	return err;
}

static void *ask_until_gone(void *paths)
{
	int err;

	do {
		err = ask_once(paths);
		if (!err)
			puts("asked");
	} while (!err);
	return (void *)(intptr_t)err;
}

static int ask(char **paths)
{
	pthread_t threads[ASKERS];
	void *err;
	int bad = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < ASKERS; i++)
		pthread_create(&threads[i], NULL, ask_until_gone, paths);
	for (int i = 0; i < ASKERS; i++) {
		pthread_join(threads[i], &err);
		if (is_gone((int)(intptr_t)err))
			continue;
		fprintf(stderr, "asking: %s\n", strerror((int)(intptr_t)err));
		bad = 1;
	}
	return bad;
}

/* Where writes are interrupts, nothing is mapped as long as a device is attached. */
static void meet_reserved(int iommufd)
{
	char *memory = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
		.user_va = (uint64_t)(uintptr_t)memory,
		.length = 4096,
		.iova = 0xfee01000,
	};
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap), .iova = map.iova, .length = map.length,
	};
	struct iommu_destroy destroy = { .size = sizeof(destroy) };
	struct sim_vfio_detach detach = { .argsz = SIM_VFIO_DETACH_MIN };
	uint32_t pt_id;

	if (ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc))
		perror("alloc");
	pt_id = unmap.ioas_id = map.ioas_id = destroy.id = alloc.out_ioas_id;
	tell("map reserved addresses", ioctl(iommufd, IOMMU_IOAS_MAP, &map));
	tell("attach over them", attach_to(&pt_id));
	tell("unmap", ioctl(iommufd, IOMMU_IOAS_UNMAP, &unmap));
	pt_id = alloc.out_ioas_id;
	tell("attach", attach_to(&pt_id));
	tell("map reserved addresses", ioctl(iommufd, IOMMU_IOAS_MAP, &map));
	tell("detach", ioctl(vfio, SIM_VFIO_DETACH, &detach));
	tell("map reserved addresses", ioctl(iommufd, IOMMU_IOAS_MAP, &map));
	tell("destroy", ioctl(iommufd, IOMMU_DESTROY, &destroy));
}

/* Devices that are closed hold nothing any more when close() is back. */
static void tear_down(char **argv, int iommufd)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommu_destroy destroy = { .size = sizeof(destroy) };
	unsigned int good = 0;
	uint32_t id, pt_id;

	for (int i = 0; i < 50; i++) {
		close(vfio);
		vfio = open(argv[2], O_RDWR);
		if (vfio < 0 || bind_to(iommufd, &id) || ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc))
			break;
		pt_id = alloc.out_ioas_id;
		if (attach_to(&pt_id))
			break;
		close(vfio);
		destroy.id = alloc.out_ioas_id;
		good += !ioctl(iommufd, IOMMU_DESTROY, &destroy);
	}
	printf("torn down %u times\n", good);
}

int main(int argc, char **argv)
{
	int iommufd = argc == 3 ? open(argv[1], O_RDWR) : -1;
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommu_destroy destroy = { .size = sizeof(destroy) };
	struct sim_vfio_detach detach = { .argsz = SIM_VFIO_DETACH_MIN };
	uint32_t pt_id;

	if (argc == 4 && !strcmp(argv[3], "ask"))
		return ask(argv + 1);
	vfio = argc == 3 ? open(argv[2], O_RDWR) : -1;
	if (iommufd < 0 || vfio < 0) {
		perror("open");
		return 1;
	}
	ask_unbound(iommufd);
	ask_about();
	tell("alloc", ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc));
	pt_id = 99;
	tell("attach to nothing", attach_to(&pt_id));
	pt_id = alloc.out_ioas_id;
	tell("attach", attach_to(&pt_id));
	printf("page table %u of address space %u\n", pt_id, alloc.out_ioas_id);
	use_registers();
	use_dma(iommufd, alloc.out_ioas_id);
	destroy.id = alloc.out_ioas_id;
	tell("destroy while attached", ioctl(iommufd, IOMMU_DESTROY, &destroy));
	tell("detach", ioctl(vfio, SIM_VFIO_DETACH, &detach));
	tell("detach again", ioctl(vfio, SIM_VFIO_DETACH, &detach));
	tell("destroy", ioctl(iommufd, IOMMU_DESTROY, &destroy));
	tell("reset", ioctl(vfio, SIM_VFIO_RESET));
	tell("unknown call", ioctl(vfio, _IO(';', 200)));
	meet_reserved(iommufd);
	tear_down(argv, iommufd);
	return 0;
}
