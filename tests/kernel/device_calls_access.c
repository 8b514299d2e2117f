/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions about accesses and dma-bufs. */
#include "tests/kernel/device_calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define RW_DATA (DATA_BASE + 8192)
#define RW_BYTES 16384u

static void ask_access_rw(int fd)
{
	static const uint32_t flags[] = { 0, 1, 4, 5, 0, 1, 2, 8 };
	struct iommu_test_cmd cmd = { .access_rw = { .flags = ONE_OF(flags), .uptr = RW_DATA } };

	cmd.access_rw.iova = an_iova();
	cmd.access_rw.length = chance(90) ? below(9000) : below(2) ? 0 : 17 << 20;
	memset((void *)(uintptr_t)RW_DATA, 0x5a, RW_BYTES);
	TEST(ACCESS_RW, (uint32_t)fd, &cmd);
	printf("  data %llx memory %llx\n", (unsigned long long)hash(RW_DATA, RW_BYTES),
	       (unsigned long long)hash(MEMORY_BASE, MEMORY_PAGES * PAGE));
}

static void ask_access_pages(int fd)
{
	struct iommu_test_cmd cmd = { 0 };

	cmd.access_pages.flags = chance(85) ? (uint32_t)below(2) : MOCK_FLAGS_ACCESS_SYZ;
	cmd.access_pages.iova = an_iova();
	if (cmd.access_pages.flags & MOCK_FLAGS_ACCESS_SYZ)
		cmd.access_pages.iova = below(2) | below(2) << 44;
	cmd.access_pages.length = a_length();
	cmd.access_pages.uptr = chance(70) ? 0 : MEMORY_BASE + below(8) * PAGE;
	TEST(ACCESS_PAGES, (uint32_t)fd, &cmd);
}

void ask_access(void)
{
	struct iommu_test_cmd cmd = { 0 };
	int fd = a_file(FILE_ACCESS);

	switch (below(9)) {
	case 0:
		cmd.create_access.flags = chance(80) ? 1 : (uint32_t)below(4);
		if (files_count <= 12 && !TEST(CREATE_ACCESS, an_id(IDS_IOAS), &cmd))
			file_add((int)cmd.create_access.out_access_fd, FILE_ACCESS);
		break;
	case 1:
		cmd.access_replace_ioas.ioas_id = an_id(IDS_IOAS);
		TEST(ACCESS_REPLACE_IOAS, (uint32_t)fd, &cmd);
		break;
	case 2:
		cmd.destroy_access_pages.access_pages_id = (uint32_t)below(6);
		TEST(DESTROY_ACCESS_PAGES, (uint32_t)fd, &cmd);
		break;
	case 3:
	case 4:
	case 5:
		ask_access_pages(fd);
		break;
	default:
		ask_access_rw(fd);
	}
}

void ask_dmabuf(void)
{
	static const uint32_t lengths[] = { PAGE, 2 * PAGE, 100, 0, 1 << 21, (1 << 21) + 1 };
	struct iommu_ioas_map_file map = {
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
	};
	struct iommu_test_cmd cmd = { 0 };
	int fd;

	switch (below(3)) {
	case 0:
		cmd.dmabuf_get.length = ONE_OF(lengths);
		cmd.dmabuf_get.open_flags = O_RDWR | O_CLOEXEC;
		fd = files_count > 14 ? -1 : TEST(DMABUF_GET, 0, &cmd);
		if (fd >= 0)
			file_add(fd, FILE_DMABUF);
		break;
	case 1:
		cmd.dmabuf_revoke.dmabuf_fd = a_file(FILE_DMABUF);
		cmd.dmabuf_revoke.revoked = (uint32_t)below(2);
		TEST(DMABUF_REVOKE, 0, &cmd);
		break;
	default:
		map.ioas_id = an_id(IDS_IOAS);
		map.fd = a_file(FILE_DMABUF);
		map.start = below(3) * PAGE;
		map.length = a_length();
		map.iova = an_aligned_iova();
		CALL(IOMMU_IOAS_MAP_FILE, &map);
	}
}
