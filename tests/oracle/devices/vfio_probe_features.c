/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/oracle/devices/vfio_probe.h"

#include <fcntl.h>
#include <sys/eventfd.h>

/* ---- SET_IRQS ------------------------------------------------------------------------------ */

struct irqs_call {
	struct sim_vfio_irq_set set;
	int32_t data[64];
};

static long set_irqs(struct irqs_call *in, uint32_t index, uint32_t flags, uint32_t start,
		     uint32_t count, size_t bytes)
{
	in->set = (struct sim_vfio_irq_set){ .argsz = (uint32_t)(sizeof(in->set) + bytes),
					     .flags = flags, .index = index, .start = start,
					     .count = count };
	return call(probe.vfio, SIM_VFIO_SET_IRQS, in);
}

static void ask_irqs_of(uint32_t index, int event)
{
	static const uint32_t flags[] = { 0x09, 0x11, 0x21, 0x0a, 0x12, 0x0c, 0x14, 0x22,
					  0x24, 0x01, 0x08, 0x20, 0x19, 0x29, 0x40, 0x61 };
	struct irqs_call in;

	for (size_t f = 0; f < sizeof(flags) / sizeof(*flags); f++) {
		for (uint32_t i = 0; i < 6; i++) {
			uint32_t count = i / 2, start = i % 2;
			bool is_bool = !(flags[f] & 4) && flags[f] & 2;
			long rc;

			for (unsigned int k = 0; k < 64; k++)
				in.data[k] = is_bool ? 0x01010101 : event;
			rc = set_irqs(&in, index, flags[f], start, count,
				      flags[f] & 4 ? 4 * count : is_bool ? count : 0);
			printf("SET_IRQS %u flags %x start %u count %u = %s\n", index, flags[f],
			       start, count, name_of(rc));
			set_irqs(&in, index, 0x21, 0, 0, 0);
		}
	}
}

static void ask_trigger(uint32_t index, int event)
{
	struct irqs_call in = { .data = { event } };
	uint64_t count = 0;

	printf("trigger %u: set %s", index, name_of(set_irqs(&in, index, 0x24, 0, 1, 4)));
	printf(" loop %s", name_of(set_irqs(&in, index, 0x21, 0, 1, 0)));
	printf(" count %s", read(event, &count, 8) == 8 ? "1" : "0");
	in.data[0] &= ~0xff;
	printf(" bool0 %s", name_of(set_irqs(&in, index, 0x22, 0, 1, 1)));
	printf(" long %s", name_of(set_irqs(&in, index, 0x22, 0, 1, 3)));
	in.data[0] = -1;
	printf(" minus1 %s", name_of(set_irqs(&in, index, 0x24, 0, 1, 4)));
	in.data[0] = 0;
	printf(" stdin %s", name_of(set_irqs(&in, index, 0x24, 0, 1, 4)));
	printf(" off %s\n", name_of(set_irqs(&in, index, 0x21, 0, 0, 0)));
}

void probe_irqs(void)
{
	int event = eventfd(0, EFD_NONBLOCK);

	for (uint32_t index = 0; index < 6; index++)
		ask_irqs_of(index, event);
	for (uint32_t index = 0; index < 3; index++)
		ask_trigger(index, event);
	close(event);
}

/* ---- DEVICE_FEATURE ------------------------------------------------------------------------- */

static void ask_feature(uint32_t number, uint32_t ways)
{
	struct {
		struct sim_vfio_feature head;
		uint32_t data[64];
	} in = { .head = { .argsz = 256 } };
	long rc;

	in.head.flags = number | (ways & 1 ? SIM_VFIO_FEATURE_GET : 0) |
			(ways & 2 ? SIM_VFIO_FEATURE_SET : 0) |
			(ways & 4 ? SIM_VFIO_FEATURE_PROBE : 0);
	rc = call(probe.vfio, SIM_VFIO_FEATURE, &in);
	printf("FEATURE %u%s%s%s = %s", number, ways & 1 ? " GET" : "", ways & 2 ? " SET" : "",
	       ways & 4 ? " PROBE" : "", name_of(rc));
	if (rc >= 0 && ways & 1 && !(ways & 4))
		printf(" %x %x %x", in.data[0], in.data[1], in.data[2]);
	puts("");
}

/* ---- dma-bufs ------------------------------------------------------------------------------- */

struct dma_buf_row {
	uint64_t offset, length;
	uint32_t ranges, flags, open_flags;
};

static void unmap(void)
{
	struct iommu_ioas_unmap in = { .size = sizeof(in), .ioas_id = probe.ioas,
				       .iova = 0x7000000, .length = 4096 };

	call(probe.iommu, IOMMU_IOAS_UNMAP, &in);
}

static void ask_dma_buf_file(int fd, uint64_t length)
{
	struct iommu_ioas_map_file map = { .size = sizeof(map), .flags = 7, .ioas_id = probe.ioas,
					   .fd = fd, .length = 4096, .iova = 0x7000000 };
	struct iommu_ioas_unmap in = { .size = sizeof(in), .ioas_id = probe.ioas,
				       .iova = 0x7000000, .length = 4096 };
	uint32_t command = 0, none = 0;
	off_t end;

	printf(" MAP_FILE %s", name_of(call(probe.iommu, IOMMU_IOAS_MAP_FILE, &map)));
	printf(" UNMAP %s", name_of(call(probe.iommu, IOMMU_IOAS_UNMAP, &in)));
	map.start = 2048;
	printf(" start 2048 %s", name_of(call(probe.iommu, IOMMU_IOAS_MAP_FILE, &map)));
	unmap();
	map.start = length;
	printf(" past %s", name_of(call(probe.iommu, IOMMU_IOAS_MAP_FILE, &map)));
	unmap();
	printf(" mmap %s", map_result(mmap(NULL, 4096, 3, MAP_SHARED, fd, 0)));
	end = lseek(fd, 0, SEEK_END);
	printf(" lseek %s", name_of(end < 0 ? -errno : end));
	map.start = 0;
	call(probe.iommu, IOMMU_IOAS_MAP_FILE, &map);
	read_at(&command, 2, probe.config + 4);
	write_at(&none, 2, probe.config + 4);
	in.length = 4096;
	printf(" memory off: unmap %s", name_of(call(probe.iommu, IOMMU_IOAS_UNMAP, &in)));
	printf(" map %s", name_of(call(probe.iommu, IOMMU_IOAS_MAP_FILE, &map)));
	unmap();
	write_at(&command, 2, probe.config + 4);
	printf(" on again: map %s", name_of(call(probe.iommu, IOMMU_IOAS_MAP_FILE, &map)));
	unmap();
	close(fd);
}

static void ask_dma_buf(uint32_t region, const struct dma_buf_row *row)
{
	struct {
		struct sim_vfio_feature head;
		struct sim_vfio_dma_buf buf;
		struct sim_vfio_dma_range ranges[2];
	} in = {
		.head = { .argsz = (uint32_t)(sizeof(in.head) + sizeof(in.buf) + 16 * row->ranges),
			  .flags = SIM_VFIO_FEATURE_DMA_BUF | SIM_VFIO_FEATURE_GET },
		.buf = { region, row->open_flags, row->flags, row->ranges },
		.ranges = { { row->offset, row->length }, { row->offset + 4096, row->length } },
	};
	long rc = call(probe.vfio, SIM_VFIO_FEATURE, &in);

	printf("DMA_BUF region %u at %" PRIx64 "+%" PRIx64 " x%u flags %u open %x = %s", region,
	       row->offset, row->length, row->ranges, row->flags, row->open_flags,
	       rc >= 0 ? "fd" : name_of(rc));
	if (rc >= 0)
		ask_dma_buf_file((int)rc, row->length);
	puts("");
}

static void ask_dma_bufs(uint32_t region)
{
	uint64_t n = probe.bytes[region < 9 ? region : 0];
	const struct dma_buf_row rows[] = {
		{ 0, 4096, 1, 0, O_RDWR | O_CLOEXEC }, { 0, n, 1, 0, O_RDWR },
		{ 0, 0, 1, 0, O_RDWR },		       { 0, 100, 1, 0, O_RDWR },
		{ 4096, 4096, 1, 0, O_RDONLY },	       { n, 4096, 1, 0, O_RDWR },
		{ 0, 4096, 0, 0, O_RDWR },	       { 0, 4096, 1, 1, O_RDWR },
		{ 0, 4096, 1, 0, O_APPEND },	       { 0, 4096, 2, 0, O_RDWR },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ask_dma_buf(region, &rows[i]);
}

void probe_features(void)
{
	struct sim_vfio_feature shortest = { .argsz = 7 };
	void *at;

	for (uint32_t number = 0; number < 16; number++) {
		for (uint32_t ways = 0; ways < 8; ways++)
			ask_feature(number, ways);
	}
	printf("FEATURE argsz 7 = %s\n", name_of(call(probe.vfio, SIM_VFIO_FEATURE, &shortest)));
	for (uint32_t region = 0; region < 10; region++)
		ask_dma_bufs(region);
	at = probe.bytes[0] ? mmap(NULL, 4096, 3, MAP_SHARED, probe.vfio, (off_t)probe.offset[0]) :
			      MAP_FAILED;
	if (at != MAP_FAILED) {
		struct iommu_ioas_map map = { .size = sizeof(map), .flags = 7,
					      .ioas_id = probe.ioas, .user_va = (uintptr_t)at,
					      .length = 4096, .iova = 0x7000000 };

		printf("IOAS_MAP of a mapped BAR = %s\n",
		       name_of(call(probe.iommu, IOMMU_IOAS_MAP, &map)));
	}
}
