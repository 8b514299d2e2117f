/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions about queues, their files, vIOMMUs and what hangs on them. */
#include "tests/kernel/device_calls.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void ask_fault_queue(void)
{
	struct iommu_fault_alloc cmd = { .flags = chance(5) };

	if (ids[IDS_FAULT].count > 3 || CALL(IOMMU_FAULT_QUEUE_ALLOC, &cmd))
		return;
	ids_add(IDS_FAULT, cmd.out_fault_id);
	file_add((int)cmd.out_fault_fd, FILE_FAULT);
}

void ask_trigger(void)
{
	struct iommu_test_cmd cmd = { 0 };

	if (chance(45)) {
		cmd.trigger_vevent.dev_id = an_id(IDS_IDEV);
		TEST(TRIGGER_VEVENT, 0, &cmd);
		return;
	}
	cmd.trigger_iopf.dev_id = an_id(IDS_IDEV);
	cmd.trigger_iopf.pasid = a_pasid();
	cmd.trigger_iopf.grpid = (uint32_t)below(4);
	cmd.trigger_iopf.perm = (uint32_t)below(16);
	cmd.trigger_iopf.addr = below(1 << 20);
	TEST(TRIGGER_IOPF, 0, &cmd);
}

void ask_read(void)
{
	static const size_t lengths[] = { 40, 80, 400, 0, 8, 12, 24, 39, 7, 120 };
	void *data = (void *)(uintptr_t)DATA_BASE;
	size_t len = ONE_OF(lengths);
	int fd = a_queue(), error;
	ssize_t rc;

	if (fd < 0)
		return;
	memset(data, 0xa5, 512);
	rc = read(fd, data, len);
	error = errno;
	printf("%u read %d %zu = %zd %s %llx\n", call_index, fd, len, rc, error_name(rc, error),
	       (unsigned long long)hash(DATA_BASE, 512));
}

void ask_write(void)
{
	static const size_t lengths[] = { 8, 8, 8, 16, 32, 0, 7 };
	struct iommu_hwpt_page_response responses[4];
	size_t len = ONE_OF(lengths);
	int fd = a_queue(), error;
	ssize_t rc;

	for (int i = 0; i < 4; i++) {
		responses[i].cookie = 1 + (uint32_t)below(5);
		responses[i].code = (uint32_t)below(chance(90) ? 2 : 4);
	}
	if (fd < 0)
		return;
	rc = write(fd, responses, len);
	error = errno;
	printf("%u write %d %zu %x %x = %zd %s\n", call_index, fd, len, responses[0].cookie,
	       responses[0].code, rc, error_name(rc, error));
}

void ask_poll(void)
{
	struct pollfd query = { .fd = a_queue(), .events = POLLIN | POLLOUT };

	if (query.fd < 0)
		return;
	printf("%u poll %d = %d", call_index, query.fd, poll(&query, 1, 0));
	printf(" %x\n", query.revents);
}

void ask_close(void)
{
	unsigned int i;

	if (!files_count)
		return;
	i = (unsigned int)below(files_count);
	printf("%u close %d\n", call_index, files[i].fd);
	close(files[i].fd);
	files[i] = files[--files_count];
}

static struct {
	uint64_t offset, length;
} last_mmap;

void ask_viommu(void)
{
	static const uint32_t types[] = { IOMMU_VIOMMU_TYPE_SELFTEST, IOMMU_VIOMMU_TYPE_SELFTEST,
					  IOMMU_VIOMMU_TYPE_SELFTEST, IOMMU_VIOMMU_TYPE_SELFTEST,
					  0, 1 };
	struct iommu_viommu_selftest *data = (void *)(uintptr_t)DATA_BASE;
	struct iommu_viommu_alloc cmd = { .flags = chance(3),
					  .type = ONE_OF(types),
					  .dev_id = an_id(IDS_IDEV),
					  .hwpt_id = an_id(IDS_PARENT) };
	int rc;

	memset(data, 0, 64);
	data->in_data = (uint32_t)random_next();
	if (chance(50)) {
		cmd.data_len = chance(80) ? sizeof(*data) : (uint32_t)below(40);
		cmd.data_uptr = chance(95) ? DATA_BASE : 0;
	}
	if (ids[IDS_VIOMMU].count > 3)
		return;
	rc = CALL(IOMMU_VIOMMU_ALLOC, &cmd);
	printf("  data %llx\n", (unsigned long long)hash(DATA_BASE, 64));
	if (rc)
		return;
	ids_add(IDS_VIOMMU, cmd.out_viommu_id);
	if (cmd.data_len == sizeof(*data)) {
		last_mmap.offset = data->out_mmap_offset;
		last_mmap.length = data->out_mmap_length;
	}
}

void ask_vdevice(void)
{
	struct iommu_vdevice_alloc cmd = { .viommu_id = an_id(IDS_VIOMMU),
					   .dev_id = an_id(IDS_IDEV),
					   .virt_id = below(6) };

	if (!CALL(IOMMU_VDEVICE_ALLOC, &cmd))
		ids_add(IDS_QUEUE, cmd.out_vdevice_id);
}

void ask_veventq(void)
{
	struct iommu_veventq_alloc cmd = {
		.flags = chance(3),
		.viommu_id = an_id(IDS_VIOMMU),
		.type = chance(85) ? IOMMU_VEVENTQ_TYPE_SELFTEST : (uint32_t)below(3),
		.veventq_depth = chance(90) ? 1 + (uint32_t)below(3) : (uint32_t)below(2) << 20,
		.__reserved = chance(3),
	};

	if (CALL(IOMMU_VEVENTQ_ALLOC, &cmd))
		return;
	ids_add(IDS_QUEUE, cmd.out_veventq_id);
	file_add((int)cmd.out_veventq_fd, FILE_EVENT);
}

void ask_hw_queue(void)
{
	struct iommu_hw_queue_alloc cmd = {
		.flags = chance(3),
		.viommu_id = an_id(IDS_VIOMMU),
		.type = chance(92) ? IOMMU_HW_QUEUE_TYPE_SELFTEST : (uint32_t)below(2),
		.index = (uint32_t)below(3),
		.nesting_parent_iova = an_iova() & ~(uint64_t)(MOCK_PAGE_SIZE - 1),
	};
	uint64_t offset = cmd.nesting_parent_iova % PAGE;

	cmd.length = chance(90) ? PAGE - offset : below(2) ? 0 : 100;
	if (!CALL(IOMMU_HW_QUEUE_ALLOC, &cmd))
		ids_add(IDS_QUEUE, cmd.out_hw_queue_id);
}

void ask_invalidate(void)
{
	bool viommu = chance(50);
	uint32_t entry_words = viommu ? 3 : 2, count = (uint32_t)below(4);
	uint32_t *words = (uint32_t *)(uintptr_t)DATA_BASE;
	struct iommu_hwpt_invalidate cmd = {
		.hwpt_id = an_id(viommu ? IDS_VIOMMU : IDS_NESTED),
		.data_type = chance(92) ? IOMMU_HWPT_INVALIDATE_DATA_SELFTEST : 1,
		.entry_len = chance(90) ? entry_words * 4 : (uint32_t)below(20),
		.entry_num = chance(98) ? count : (1 << 19) + 1,
		.__reserved = chance(3),
		.data_uptr = chance(97) ? DATA_BASE : 0,
	};

	memset(words, 0, 64);
	for (uint32_t i = 0; i < count; i++) {
		words[i * entry_words] = (uint32_t)below(chance(90) ? 2 : 8);
		for (uint32_t word = 1; word < entry_words; word++)
			words[i * entry_words + word] = (uint32_t)below(6);
	}
	CALL(IOMMU_HWPT_INVALIDATE, &cmd);
}

static struct mapping {
	void *at;
	uint64_t length;
} mappings[4];

static void mapping_end(struct mapping *mapping)
{
	if (mapping->at)
		munmap(mapping->at, mapping->length);
	mapping->at = NULL;
}

void ask_mmap(void)
{
	struct mapping *mapping = &mappings[below(4)];
	bool shared = chance(92);
	uint64_t offset;
	int error;

	if (mapping->at) {
		printf("%u munmap\n", call_index);
		mapping_end(mapping);
		return;
	}
	if (!last_mmap.length)
		return;
	offset = chance(85) ? last_mmap.offset : below(4) * PAGE;
	mapping->length = chance(85) ? last_mmap.length : PAGE * (1 + below(3));
	mapping->at = mmap(NULL, mapping->length, PROT_READ | PROT_WRITE,
			   shared ? MAP_SHARED : MAP_PRIVATE, device, (off_t)offset);
	error = errno;
	printf("%u mmap %llx %llx %d", call_index, (unsigned long long)offset,
	       (unsigned long long)mapping->length, shared);
	if (mapping->at == MAP_FAILED) {
		mapping->at = NULL;
		printf(" = %s\n", strerrorname_np(error));
	} else {
		printf(" = %x\n", *(uint32_t *)mapping->at);
	}
}

void mappings_end(void)
{
	for (int i = 0; i < 4; i++)
		mapping_end(&mappings[i]);
	last_mmap.length = 0;
}
