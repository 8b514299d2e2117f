/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks a device with the test command random calls about devices, page tables,
 * queues and accesses, and prints a line for each: what was asked, the result,
 * the words that the device changed, and a hash of memory that it may have.
 *
 *   device_calls DEVICE SEED CALLS
 *
 * The same seed asks the same for as long as the answers agree, so the output of
 * two devices is compared with diff. What user space cannot know is not asked
 * (docs/FIDELITY.md): leaves of more than 4 KiB, queues of more than a page,
 * devices that end with a PASID attached. Static: it also runs where no library is.
 */
#include "tests/kernel/device_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

unsigned int call_index;
int device = -1;
struct ids ids[IDS_KINDS];
struct file files[IDS_MAX];
unsigned int files_count;

static uint64_t random_state;
static const char *device_path;

/* splitmix64 */
uint64_t random_next(void)
{
	uint64_t z = (random_state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

uint64_t below(uint64_t n)
{
	return random_next() % n;
}

bool chance(unsigned int percent)
{
	return below(100) < percent;
}

/* ---- what lives -------------------------------------------------------------------- */

void ids_add(enum kind kind, uint32_t id)
{
	struct ids *set = &ids[kind];

	if (set->count < IDS_MAX)
		set->id[set->count++] = id;
	if (kind != IDS_ANY && kind != IDS_PARENT && kind != IDS_TRACKED)
		ids_add(IDS_ANY, id);
}

void ids_forget(uint32_t id)
{
	for (int kind = 0; kind < IDS_KINDS; kind++) {
		for (unsigned int i = 0; i < ids[kind].count; i++) {
			if (ids[kind].id[i] == id)
				ids[kind].id[i--] = ids[kind].id[--ids[kind].count];
		}
	}
}

uint32_t an_id(enum kind kind)
{
	const struct ids *set = chance(3) ? &ids[IDS_ANY] : &ids[kind];

	if (chance(4) || !set->count)
		return (uint32_t)below(40);
	return set->id[below(set->count)];
}

uint32_t a_page_table(void)
{
	return an_id(chance(40) ? IDS_IOAS : chance(50) ? IDS_HWPT : IDS_NESTED);
}

void file_add(int fd, enum file_kind kind)
{
	if (files_count < IDS_MAX)
		files[files_count++] = (struct file){ fd, kind };
	else
		close(fd);
}

int a_file(enum file_kind kind)
{
	int found[IDS_MAX];
	unsigned int count = 0;

	if (files_count && chance(3))
		return files[below(files_count)].fd;
	for (unsigned int i = 0; i < files_count; i++) {
		if (files[i].kind == kind)
			found[count++] = files[i].fd;
	}
	return count ? found[below(count)] : 99;
}

int a_queue(void)
{
	int fd = a_file(chance(50) ? FILE_FAULT : FILE_EVENT);

	for (unsigned int i = 0; i < files_count; i++) {
		if (files[i].fd == fd && files[i].kind != FILE_DMABUF)
			return fd;
	}
	return -1;
}

/* ---- calls ---------------------------------------------------------------------------- */

uint64_t hash(uint64_t addr, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)(uintptr_t)addr;
	uint64_t h = 1469598103934665603ull;

	for (size_t i = 0; i < len; i++)
		h = (h ^ bytes[i]) * 1099511628211ull;
	return h;
}

const char *error_name(long rc, int error)
{
	return rc < 0 ? strerrorname_np(error) : "-";
}

int call_bytes(const char *name, unsigned int cmd, void *arg, size_t bytes)
{
	uint32_t before[32], after[32];
	size_t words = bytes / 4;
	int rc, error;

	memcpy(before, arg, bytes);
	rc = ioctl(device, cmd, arg);
	error = errno;
	memcpy(after, arg, bytes);
	printf("%u %s", call_index, name);
	for (size_t i = 1; i < words; i++)
		printf(" %x", before[i]);
	printf(" = %d %s", rc, error_name(rc, error));
	for (size_t i = 0; i < words; i++) {
		if (after[i] != before[i])
			printf(" [%zu]=%x", i, after[i]);
	}
	putchar('\n');
	return rc;
}

int call_test(const char *name, uint32_t op, uint32_t id, struct iommu_test_cmd *cmd)
{
	cmd->size = sizeof(*cmd);
	cmd->op = op;
	cmd->id = id;
	return call_bytes(name, IOMMU_TEST_CMD, cmd, sizeof(*cmd));
}

uint64_t an_iova(void)
{
	if (chance(90))
		return MOCK_APERTURE_START + below(16) * PAGE;
	return chance(50) ? below(8) * PAGE : MOCK_APERTURE_START + below(65536);
}

uint64_t an_aligned_iova(void)
{
	return an_iova() & ~(uint64_t)(PAGE - 1);
}

uint64_t a_length(void)
{
	if (chance(92))
		return (1 + below(6)) * PAGE;
	return chance(66) ? below(20000) : 0;
}

uint64_t a_page(void)
{
	return MEMORY_BASE + below(MEMORY_PAGES - 8) * PAGE;
}

uint32_t a_pasid(void)
{
	static const uint32_t pasids[] = { 0, 1, 5, 1024, 1024, 1u << MOCK_PASID_WIDTH, 77 };

	return ONE_OF(pasids);
}

/* ---- the whole --------------------------------------------------------------- */

/* Another open file; queues of the one before may go on. */
static void ask_reopen(void)
{
	for (unsigned int i = 0; i < ids[IDS_STDEV].count; i++)
		detach_all(ids[IDS_STDEV].id[i]);
	mappings_end();
	if (device >= 0) {
		while (files_count && chance(70))
			ask_close();
		close(device);
	}
	memset(ids, 0, sizeof(ids));
	device = open(device_path, O_RDWR | O_CLOEXEC);
	printf("%u open = %s\n", call_index, device < 0 ? strerrorname_np(errno) : "-");
	if (device < 0)
		exit(1);
}

static const struct {
	void (*ask)(void);
	unsigned int weight;
} questions[] = {
	{ ask_ioas, 5 },	{ ask_destroy, 9 },    { ask_map, 9 },	     { ask_unmap, 3 },
	{ ask_mock_domain, 8 }, { ask_replace, 9 },    { ask_hwpt, 14 },     { ask_hw_info, 2 },
	{ ask_fault_queue, 3 }, { ask_trigger, 17 },   { ask_read, 9 },	     { ask_write, 6 },
	{ ask_poll, 4 },	{ ask_close, 4 },      { ask_viommu, 5 },    { ask_vdevice, 7 },
	{ ask_veventq, 4 },	{ ask_hw_queue, 5 },   { ask_pasid, 12 },    { ask_access, 16 },
	{ ask_dmabuf, 8 },	{ ask_invalidate, 6 }, { ask_check, 10 },    { ask_dirty, 8 },
	{ ask_mmap, 4 },	{ ask_reopen, 1 },
};

static void ask_something(void)
{
	const unsigned int count = sizeof(questions) / sizeof(questions[0]);
	unsigned int total = 0, i;
	uint64_t choice;

	if (!ids[IDS_IOAS].count && chance(70)) {
		ask_ioas();
		return;
	}
	if (ids[IDS_IOAS].count && !ids[IDS_STDEV].count && chance(50)) {
		ask_mock_domain();
		return;
	}
	for (i = 0; i < count; i++)
		total += questions[i].weight;
	choice = below(total);
	for (i = 0; choice >= questions[i].weight; i++)
		choice -= questions[i].weight;
	questions[i].ask();
}

static void memory_at(uint64_t addr, uint64_t length)
{
	void *at = mmap((void *)(uintptr_t)addr, length, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (at == MAP_FAILED) {
		fprintf(stderr, "device_calls: no memory at %llx: %s\n", (unsigned long long)addr,
			strerror(errno));
		exit(1);
	}
	madvise(at, length, MADV_NOHUGEPAGE);
	memset(at, 1, length);
}

int main(int argc, char **argv)
{
	unsigned long calls;

	if (argc != 4) {
		fprintf(stderr, "usage: device_calls DEVICE SEED CALLS\n");
		return 2;
	}
	device_path = argv[1];
	random_state = strtoull(argv[2], NULL, 0) * 0x2545f4914f6cdd1dull + 1;
	calls = strtoul(argv[3], NULL, 0);
	/* The numbers of files are part of the answers: none but these is open. */
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	memory_at(MEMORY_BASE, MEMORY_PAGES * PAGE);
	memory_at(DATA_BASE, DATA_BYTES);
	ask_reopen();
	for (call_index = 1; call_index <= calls; call_index++)
		ask_something();
	fflush(stdout);
	_exit(0);
}
