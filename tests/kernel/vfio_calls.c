/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random calls of a VFIO device, edu, and of the iommufds that it is bound to:
 * vfio_calls CDEV IOMMUFD SEED OPS. A line says what each gave; a kernel with QEMU's edu
 * behind an IOMMU and the fake are to print the same. What depends on the IOMMU (nested and
 * dirty-tracking page tables) is not asked; what registers hold is not told, since a real edu
 * keeps it from client to client.
 */
#include "ioasis/iommufd_abi.h"
#include "sim/vfio/abi.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILES 2
#define IDS 12u /* ids of objects that are named, and some that are not there */
#define PAGE 4096u
#define MEMORY_PAGES 16u
#define IOVA 0x100000ull
#define CONFIG ((off_t)SIM_VFIO_CONFIG << SIM_VFIO_OFFSET_SHIFT)

static const char *vfio_path, *iommu_path;
static int vfio[FILES] = { -1, -1 }, iommu[FILES] = { -1, -1 };
static int event;
static uint8_t *memory;
static uint64_t random_state;

/* splitmix64 */
static uint64_t random_next(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)(random_next() % n);
}

static const char *name_of(long rc)
{
	return rc < 0 ? strerrorname_np(errno) : "ok";
}

/* ---- files -------------------------------------------------------------------------- */

static void op_open(int f)
{
	if (vfio[f] >= 0)
		close(vfio[f]);
	vfio[f] = open(vfio_path, O_RDWR);
	printf("open %d %s\n", f, name_of(vfio[f]));
}

static void op_iommu(int f)
{
	if (iommu[f] >= 0)
		close(iommu[f]);
	iommu[f] = open(iommu_path, O_RDWR);
	printf("iommufd %d %s\n", f, name_of(iommu[f]));
}

static void op_bind(int f)
{
	int to = (int)below(FILES);
	struct sim_vfio_bind bind = { .argsz = SIM_VFIO_BIND_MIN, .iommufd = iommu[to] };
	long rc = ioctl(vfio[f], SIM_VFIO_BIND, &bind);

	printf("bind %d to %d %s devid %u\n", f, to, name_of(rc), rc ? 0 : bind.out_devid);
}

static void op_attach(int f)
{
	struct sim_vfio_attach attach = { .argsz = SIM_VFIO_ATTACH_MIN, .pt_id = below(IDS) };
	uint32_t to = attach.pt_id;
	long rc = ioctl(vfio[f], SIM_VFIO_ATTACH, &attach);

	printf("attach %d to %u %s pt %u\n", f, to, name_of(rc), attach.pt_id);
}

static void op_detach(int f)
{
	struct sim_vfio_detach detach = { .argsz = SIM_VFIO_DETACH_MIN };

	printf("detach %d %s\n", f, name_of(ioctl(vfio[f], SIM_VFIO_DETACH, &detach)));
}

/* ---- iommufd ------------------------------------------------------------------------- */

static void op_ioas(int f)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	long rc = ioctl(iommu[f], IOMMU_IOAS_ALLOC, &alloc);

	printf("ioas %d %s %u\n", f, name_of(rc), alloc.out_ioas_id);
}

static void op_hwpt(int f)
{
	struct iommu_hwpt_alloc alloc = { .size = sizeof(alloc), .dev_id = below(IDS),
					  .pt_id = below(IDS) };
	long rc = ioctl(iommu[f], IOMMU_HWPT_ALLOC, &alloc);

	printf("hwpt %d dev %u pt %u %s %u\n", f, alloc.dev_id, alloc.pt_id, name_of(rc),
	       alloc.out_hwpt_id);
}

static void op_destroy(int f)
{
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = below(IDS) };

	printf("destroy %d %u %s\n", f, destroy.id,
	       name_of(ioctl(iommu[f], IOMMU_DESTROY, &destroy)));
}

static uint64_t any_iova(void)
{
	static const uint64_t far[] = { 0xfee00000, 1ull << 47, 1ull << 48, 0 };

	return below(16) ? IOVA + below(32) * PAGE : far[below(4)];
}

static void op_map(int f)
{
	uint32_t pages = 1 + below(MEMORY_PAGES), first = below(MEMORY_PAGES - pages + 1);
	struct iommu_ioas_map map = {
		.size = sizeof(map), .flags = IOMMU_IOAS_MAP_FIXED_IOVA | (1 + below(3)) << 1,
		.ioas_id = below(IDS), .user_va = (uintptr_t)memory + first * PAGE,
		.length = pages * PAGE, .iova = any_iova(),
	};
	long rc = ioctl(iommu[f], IOMMU_IOAS_MAP, &map);

	printf("map %d ioas %u flags %x page %u+%u at %" PRIx64 " %s\n", f, map.ioas_id, map.flags,
	       first, pages, (uint64_t)map.iova, name_of(rc));
}

static void op_unmap(int f)
{
	struct iommu_ioas_unmap unmap = { .size = sizeof(unmap), .ioas_id = below(IDS),
					  .iova = any_iova(),
					  .length = (1 + below(MEMORY_PAGES)) * PAGE };
	long rc;

	if (!below(8)) {
		unmap.iova = 0;
		unmap.length = UINT64_MAX;
	}
	rc = ioctl(iommu[f], IOMMU_IOAS_UNMAP, &unmap);
	printf("unmap %d ioas %u at %" PRIx64 " %s length %" PRIx64 "\n", f, unmap.ioas_id,
	       (uint64_t)unmap.iova, name_of(rc), (uint64_t)unmap.length);
}

static void op_ranges(int f)
{
	struct iommu_iova_range ranges[8] = { { 0, 0 } };
	struct iommu_ioas_iova_ranges query = { .size = sizeof(query), .ioas_id = below(IDS),
						.num_iovas = below(4),
						.allowed_iovas = (uintptr_t)ranges };
	long rc = ioctl(iommu[f], IOMMU_IOAS_IOVA_RANGES, &query);

	printf("ranges %d ioas %u %s n %u align %" PRIx64 " %" PRIx64 "-%" PRIx64 "\n", f,
	       query.ioas_id, name_of(rc), query.num_iovas, (uint64_t)query.out_iova_alignment,
	       (uint64_t)ranges[0].start, (uint64_t)ranges[0].last);
}

/* ---- the device ----------------------------------------------------------------------- */

static void op_irqs(int f)
{
	static const uint32_t data[] = { SIM_VFIO_DATA_NONE, SIM_VFIO_DATA_BOOL,
					 SIM_VFIO_DATA_EVENTFD };
	static const uint32_t actions[] = { SIM_VFIO_ACTION_MASK, SIM_VFIO_ACTION_UNMASK,
					    SIM_VFIO_ACTION_TRIGGER, SIM_VFIO_ACTION_TRIGGER };
	struct {
		struct sim_vfio_irq_set set;
		int32_t fd;
	} call = { { sizeof(call), data[below(3)] | actions[below(4)], below(6), 0, below(3) },
		   below(4) ? event : -1 };
	long rc = ioctl(vfio[f], SIM_VFIO_SET_IRQS, &call);

	printf("irqs %d index %u flags %x count %u fd %s %s\n", f, call.set.index, call.set.flags,
	       call.set.count, call.fd < 0 ? "none" : "event", name_of(rc));
}

static void op_config(int f)
{
	static const uint16_t offsets[] = { 0, PCI_COMMAND, PCI_STATUS, PCI_BASE_ADDRESS_0,
					    PCI_BASE_ADDRESS_1, PCI_ROM_ADDRESS, PCI_INTERRUPT_LINE,
					    0x42, 0x44, 0x48, 0x4c };
	uint16_t offset = offsets[below(11)];
	uint32_t value = below(2) ? UINT32_MAX : below(8), size = 1u << below(3);
	long rc;

	/* Behind MSI's data QEMU has two bytes that can be written, and stay so. */
	if (offset == 0x4c && size == 4)
		size = 2;
	if (below(2)) {
		rc = pwrite(vfio[f], &value, size, CONFIG + offset);
		printf("config %d write %x %u bytes %x %s\n", f, offset, size, value, name_of(rc));
		return;
	}
	value = 0;
	rc = pread(vfio[f], &value, size, CONFIG + offset);
	printf("config %d read %x %u bytes %s %x\n", f, offset, size, name_of(rc), value);
}

static void op_register(int f)
{
	static const uint16_t offsets[] = { 0, 4, 8, 0x20, 0x24, 0x80, 0x88, 0x90 };
	uint16_t offset = offsets[below(8)];
	uint64_t value = below(5);
	/* The ones of 8 bytes are there to be told a DMA. */
	uint32_t size = offset >= 0x80 ? 8 : 4;
	long rc;

	if (offset == 4 && below(2)) {
		rc = pwrite(vfio[f], &value, size, offset);
		printf("register %d write %x %s\n", f, offset, name_of(rc));
		return;
	}
	value = 0;
	rc = pread(vfio[f], &value, size, offset);
	printf("register %d read %x %s %" PRIx64 "\n", f, offset, name_of(rc), offset ? 0 : value);
}

static void op_feature(int f)
{
	/* Low power: enter, leave; both by probe, too. */
	uint32_t feature = below(2) ? SIM_VFIO_FEATURE_LOW_POWER_ENTRY :
				      SIM_VFIO_FEATURE_LOW_POWER_EXIT;
	struct sim_vfio_feature call = { sizeof(call), feature | SIM_VFIO_FEATURE_SET };

	if (below(2))
		call.flags |= SIM_VFIO_FEATURE_PROBE;
	printf("feature %d %x %s\n", f, call.flags,
	       name_of(ioctl(vfio[f], SIM_VFIO_FEATURE, &call)));
}

static void op_info(int f)
{
	struct sim_vfio_info info = { .argsz = sizeof(info) };
	struct sim_vfio_irq_info irq = { .argsz = sizeof(irq), .index = below(6) };
	long rc = ioctl(vfio[f], SIM_VFIO_GET_INFO, &info);

	printf("info %d %s flags %x", f, name_of(rc), info.flags);
	rc = ioctl(vfio[f], SIM_VFIO_GET_IRQ_INFO, &irq);
	printf(" irq %u %s flags %x count %u\n", irq.index, name_of(rc), irq.flags, irq.count);
}

static void op_reset(int f)
{
	printf("reset %d %s\n", f, name_of(ioctl(vfio[f], SIM_VFIO_RESET)));
}

/* One row a call: how often. */
static const struct {
	void (*make)(int f);
	unsigned int weight;
} ops[] = {
	{ op_open, 2 }, { op_iommu, 1 }, { op_bind, 6 }, { op_attach, 9 }, { op_detach, 4 },
	{ op_ioas, 3 }, { op_hwpt, 5 }, { op_destroy, 5 }, { op_map, 12 }, { op_unmap, 6 },
	{ op_ranges, 3 }, { op_irqs, 12 }, { op_config, 10 }, { op_register, 6 },
	{ op_feature, 2 }, { op_info, 2 }, { op_reset, 1 },
};

int main(int argc, char **argv)
{
	const unsigned int count = sizeof(ops) / sizeof(ops[0]);
	unsigned int sum = 0;

	if (argc != 5)
		return 3;
	vfio_path = argv[1];
	iommu_path = argv[2];
	random_state = strtoull(argv[3], NULL, 0);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	event = eventfd(0, EFD_NONBLOCK);
	memory = mmap(NULL, MEMORY_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	memset(memory, 1, MEMORY_PAGES * PAGE);
	for (int f = 0; f < FILES; f++) {
		op_open(f);
		op_iommu(f);
	}
	for (unsigned int i = 0; i < count; i++)
		sum += ops[i].weight;
	for (unsigned long n = strtoul(argv[4], NULL, 0); n; n--) {
		unsigned int at = below(sum), i = 0;

		while (at >= ops[i].weight)
			at -= ops[i++].weight;
		ops[i].make((int)below(FILES));
	}
	return 0;
}
