/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/oracle/devices/vfio_probe.h"

/* ---- configuration space ---------------------------------------------------------------- */

static void ask_config_bytes(void)
{
	uint64_t n = probe.bytes[SIM_VFIO_CONFIG];
	static uint8_t c[4096];

	printf("CONFIG read all = %s\n", name_of(read_at(c, n, probe.config)));
	for (unsigned int i = 0; i < 256; i += 16) {
		printf("CONFIG %03x:", i);
		for (unsigned int k = 0; k < 16; k++)
			printf(" %02x", c[i + k]);
		puts("");
	}
	for (unsigned int i = 256; i < n; i += 4) {
		uint32_t word;

		memcpy(&word, c + i, 4);
		if (word)
			printf("CONFIG %03x: %08x\n", i, word);
	}
}

static void ask_config_reads(void)
{
	uint64_t n = probe.bytes[SIM_VFIO_CONFIG];
	const struct {
		uint64_t offset;
		size_t length;
	} rows[] = { { 0, 1 }, { 0, 2 }, { 0, 3 },     { 1, 2 }, { 2, 4 },  { 3, 4 }, { n - 1, 1 },
		     { n - 1, 2 }, { n, 1 }, { n - 4, 8 }, { 0, 0 }, { 0x3d, 1 }, { 6, 8 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t c[16];
		long rc;

		memset(c, 0xaa, sizeof(c));
		rc = read_at(c, rows[i].length, probe.config + rows[i].offset);
		printf("CONFIG read %" PRIx64 "+%zu = %s %02x %02x %02x %02x\n", rows[i].offset,
		       rows[i].length, name_of(rc), c[0], c[1], c[2], c[3]);
	}
}

static void ask_config_bars(void)
{
	uint32_t ones = UINT32_MAX, after = 0;

	for (unsigned int bar = 0; bar < 6; bar++) {
		uint64_t at = probe.config + 0x10 + 4 * bar;
		uint32_t before = 0;
		long rc;

		after = 0;
		read_at(&before, 4, at);
		rc = write_at(&ones, 4, at);
		read_at(&after, 4, at);
		write_at(&before, 4, at);
		printf("BAR%u was %08x all-ones %s reads %08x\n", bar, before & 0xf, name_of(rc),
		       after);
	}
	write_at(&ones, 4, probe.config + 0x30);
	read_at(&after, 4, probe.config + 0x30);
	printf("ROM all-ones reads %08x\n", after);
	after = 0;
	write_at(&after, 4, probe.config + 0x30);
}

static void ask_config_writes(void)
{
	static const struct {
		uint32_t offset, length;
		uint64_t value;
	} rows[] = { { 0, 2, 0xdead }, { 4, 2, 0xffff }, { 4, 2, 0 }, { 4, 2, 0x406 },
		     { 4, 2, 6 }, { 6, 2, 0xffff }, { 0xc, 1, 0x10 }, { 0xd, 1, 0xff },
		     { 0x3c, 1, 0x55 }, { 0x3d, 1, 9 }, { 0x2c, 4, UINT32_MAX } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t at = probe.config + rows[i].offset;
		uint32_t got = 0;
		long rc = write_at(&rows[i].value, rows[i].length, at);

		read_at(&got, rows[i].length, at);
		printf("CONFIG write %x+%u %" PRIx64 " = %s reads %x\n", rows[i].offset,
		       rows[i].length, rows[i].value, name_of(rc), got);
	}
}

/* ---- BARs ------------------------------------------------------------------------------ */

static void ask_bar_reads(unsigned int bar)
{
	uint64_t n = probe.bytes[bar];
	const struct {
		uint64_t offset;
		size_t length;
	} rows[] = { { 0, 1 }, { 0, 2 }, { 0, 4 }, { 0, 8 }, { 0, 16 }, { 1, 4 },
		     { 2, 4 }, { 4, 8 }, { n - 4, 4 }, { n - 4, 8 }, { n, 4 }, { 0, 0 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t c[16];
		long rc;

		memset(c, 0xaa, sizeof(c));
		rc = read_at(c, rows[i].length, probe.offset[bar] + rows[i].offset);
		printf("BAR%u read %" PRIx64 "+%zu = %s %02x%02x%02x%02x\n", bar, rows[i].offset,
		       rows[i].length, name_of(rc), c[0], c[1], c[2], c[3]);
	}
}

static void ask_bar_maps(unsigned int bar)
{
	uint64_t n = probe.bytes[bar];
	const struct {
		int prot, flags;
		uint64_t offset;
		size_t length;
	} rows[] = { { 1, MAP_SHARED, 0, 4096 },  { 3, MAP_SHARED, 0, 4096 },
		     { 3, MAP_SHARED, 4096, 4096 }, { 3, MAP_SHARED, 0, n },
		     { 3, MAP_SHARED, 0, n + 4096 }, { 3, MAP_SHARED, n, 4096 },
		     { 3, MAP_PRIVATE, 0, 4096 }, { 7, MAP_SHARED, 0, 4096 },
		     { 3, MAP_SHARED, 0, 100 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		void *at = mmap(NULL, rows[i].length, rows[i].prot, rows[i].flags, probe.vfio,
				(off_t)(probe.offset[bar] + rows[i].offset));

		printf("BAR%u mmap prot %d flags %d at %" PRIx64 "+%zx = %s\n", bar, rows[i].prot,
		       rows[i].flags, rows[i].offset, rows[i].length, map_result(at));
		if (at == MAP_FAILED)
			continue;
		if (i == 1)
			printf("BAR%u word through mmap %08x\n", bar, *(volatile uint32_t *)at);
		munmap(at, rows[i].length);
	}
}

static void ask_bar(unsigned int bar)
{
	uint32_t command = 0, none = 0, word = 0;

	if (!probe.bytes[bar]) {
		uint64_t at = probe.offset[bar] ? probe.offset[bar] : (uint64_t)bar << 40;
		long rc = read_at(&word, 4, at);

		printf("BAR%u empty read %s mmap ", bar, name_of(rc));
		puts(map_result(mmap(NULL, 4096, PROT_READ, MAP_SHARED, probe.vfio,
				     (off_t)((uint64_t)bar << 40))));
		return;
	}
	ask_bar_reads(bar);
	ask_bar_maps(bar);
	read_at(&command, 2, probe.config + 4);
	write_at(&none, 2, probe.config + 4);
	printf("BAR%u read with memory off = %s", bar,
	       name_of(read_at(&word, 4, probe.offset[bar])));
	printf(" write %s\n", name_of(write_at(&word, 4, probe.offset[bar])));
	write_at(&command, 2, probe.config + 4);
}

void probe_regions(void)
{
	uint32_t word;

	ask_config_bytes();
	ask_config_reads();
	ask_config_bars();
	ask_config_writes();
	for (unsigned int bar = 0; bar < 6; bar++)
		ask_bar(bar);
	printf("ROM read %s, VGA read %s, region 9 read %s\n",
	       name_of(read_at(&word, 4, probe.offset[SIM_VFIO_ROM])),
	       name_of(read_at(&word, 4, 8ull << 40)), name_of(read_at(&word, 4, 9ull << 40)));
}

/* ---- attaching --------------------------------------------------------------------------- */

static void ask_attach(void)
{
	struct sim_vfio_attach attach = { .argsz = 12, .pt_id = 0xffff };
	struct sim_vfio_attach pasid = { .argsz = 16, .flags = 1, .pt_id = probe.ioas, .pasid = 1 };
	struct sim_vfio_detach detach = { .argsz = 8 };
	long rc = call(probe.vfio, SIM_VFIO_ATTACH, &attach);

	printf("1 ATTACH unknown = %s\n", name_of(rc));
	attach.pt_id = probe.ioas;
	rc = call(probe.vfio, SIM_VFIO_ATTACH, &attach);
	printf("1 ATTACH ioas = %s pt %u\n", name_of(rc), attach.pt_id);
	attach.pt_id = probe.ioas;
	rc = call(probe.vfio, SIM_VFIO_ATTACH, &attach);
	printf("1 again = %s pt %u\n", name_of(rc), attach.pt_id);
	printf("1 ATTACH pasid = %s\n", name_of(call(probe.vfio, SIM_VFIO_ATTACH, &pasid)));
	printf("1 DETACH = %s\n", name_of(call(probe.vfio, SIM_VFIO_DETACH, &detach)));
	printf("1 DETACH again = %s\n", name_of(call(probe.vfio, SIM_VFIO_DETACH, &detach)));
	attach.pt_id = probe.ioas;
	printf("1 ATTACH = %s\n", name_of(call(probe.vfio, SIM_VFIO_ATTACH, &attach)));
}

static void ask_hw_info(void)
{
	uint32_t data[16] = { 0 };
	struct iommu_hw_info info = { .size = sizeof(info), .dev_id = probe.devid,
				      .data_uptr = (uintptr_t)data, .data_len = sizeof(data) };
	long rc = call(probe.iommu, IOMMU_GET_HW_INFO, &info);

	printf("HW_INFO = %s type %u len %u caps %" PRIx64 " pasid %u flags %x data", name_of(rc),
	       info.out_data_type, info.data_len, (uint64_t)info.out_capabilities,
	       info.out_max_pasid_log2, info.flags);
	for (unsigned int i = 0; i < 6; i++)
		printf(" %x", data[i]);
	puts("");
}

static void ask_ranges(void)
{
	struct iommu_iova_range ranges[16];
	struct iommu_ioas_iova_ranges in = { .size = sizeof(in), .ioas_id = probe.ioas,
					     .num_iovas = 16,
					     .allowed_iovas = (uintptr_t)ranges };
	long rc = call(probe.iommu, IOMMU_IOAS_IOVA_RANGES, &in);

	printf("IOVA_RANGES = %s n %u align %" PRIx64, name_of(rc), in.num_iovas,
	       (uint64_t)in.out_iova_alignment);
	for (uint32_t i = 0; i < in.num_iovas && i < 16; i++)
		printf(" %" PRIx64 "-%" PRIx64, (uint64_t)ranges[i].start,
		       (uint64_t)ranges[i].last);
	puts("");
}

void probe_iommu(void)
{
	ask_attach();
	ask_hw_info();
	ask_ranges();
	for (uint32_t flags = 0; flags < 16; flags++) {
		struct iommu_hwpt_alloc alloc = { .size = sizeof(alloc), .flags = flags,
						  .dev_id = probe.devid, .pt_id = probe.ioas };
		struct iommu_destroy destroy = { .size = sizeof(destroy) };
		long rc = call(probe.iommu, IOMMU_HWPT_ALLOC, &alloc);

		printf("HWPT_ALLOC flags %x = %s\n", flags, name_of(rc));
		destroy.id = alloc.out_hwpt_id;
		if (!rc)
			call(probe.iommu, IOMMU_DESTROY, &destroy);
	}
}
