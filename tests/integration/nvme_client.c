/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small user-space driver of an NVMe controller: it maps BAR 0 and rings doorbells in
 * that memory, as libvfn, SPDK and xNVMe do.
 *
 *	nvme_client IOMMU DEVICE [SECONDS | unmap]
 *
 * Prints a line for each thing that it did; with SECONDS also how many random reads of
 * 4 KiB at depth 32 it got in a second. With unmap it takes the memory back that it has
 * read into, and does no more than flush for a while. Exit status 1: something was not as
 * it should be.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "ioasis/iommufd_abi.h"
#include "sim/pci/nvme_abi.h"
#include "sim/vfio/abi.h"

#define MEMORY_BYTES (4u << 20)
#define IOVA	     0x10000000u
#define ENTRIES	     64u
#define DEPTH	     32u
#define PATIENCE_S   20
#define FLUSH_NS     INT64_C(1000000000)

/* Where things are in our memory. */
#define SQ_AT(id) ((id)*0x4000u)
#define CQ_AT(id) ((id)*0x4000u + 0x2000u)
#define DATA_AT	  0x100000u

struct queue {
	uint32_t id, tail, head;
	uint16_t phase;
};

static int iommu;
static uint32_t ioas;
static uint8_t *memory;
static volatile uint32_t *regs, *doorbells;
static struct queue queues[2];
static volatile sig_atomic_t alarms;

static void fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static void require(bool good, const char *what)
{
	if (good)
		return;
	printf("wrong: %s\n", what);
	exit(1);
}

static unsigned int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void on_alarm(int signal)
{
	(void)signal;
	alarms++;
}

/* ---- the device ---------------------------------------------------------------- */

/* The queues, and the data, are mapped apart. */
static void map_part(uint32_t at, uint32_t bytes)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = ioas,
		.user_va = (uint64_t)(uintptr_t)memory + at,
		.length = bytes,
		.iova = IOVA + at,
	};

	if (ioctl(iommu, IOMMU_IOAS_MAP, &map))
		fail("IOAS_MAP");
}

static void map_memory(void)
{
	memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (memory == MAP_FAILED)
		fail("mmap");
	map_part(0, DATA_AT);
	map_part(DATA_AT, MEMORY_BYTES - DATA_AT);
}

static void unmap_data(void)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = ioas,
		.iova = IOVA + DATA_AT,
		.length = MEMORY_BYTES - DATA_AT,
	};

	if (ioctl(iommu, IOMMU_IOAS_UNMAP, &unmap))
		fail("IOAS_UNMAP");
}

static int open_device(const char *iommu_path, const char *device_path)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct sim_vfio_bind bind = { .argsz = sizeof(bind) };
	struct sim_vfio_attach attach = { .argsz = SIM_VFIO_ATTACH_MIN };
	int device = open(device_path, O_RDWR);
	uint16_t command = 6;

	iommu = open(iommu_path, O_RDWR);
	if (iommu < 0 || device < 0)
		fail("open");
	bind.iommufd = iommu;
	if (ioctl(device, SIM_VFIO_BIND, &bind))
		fail("BIND");
	if (ioctl(iommu, IOMMU_IOAS_ALLOC, &alloc))
		fail("IOAS_ALLOC");
	attach.pt_id = alloc.out_ioas_id;
	if (ioctl(device, SIM_VFIO_ATTACH, &attach))
		fail("ATTACH");
	ioas = alloc.out_ioas_id;
	map_memory();
	if (pwrite(device, &command, 2, ((off_t)SIM_VFIO_CONFIG << SIM_VFIO_OFFSET_SHIFT) + 4) != 2)
		fail("command register");
	return device;
}

static void *map_bar(int device, off_t offset)
{
	void *bar = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, device, offset);

	if (bar == MAP_FAILED)
		fail("mmap of BAR 0");
	return bar;
}

/* Maps and unmaps while signals come, which interrupt and restart the call. */
static void map_often(int device)
{
	const struct itimerval often = { { 0, 700 }, { 0, 700 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	unsigned int before = open_files();

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 100; i++) {
		volatile uint32_t *bar = map_bar(device, 0);

		require(bar[NVME_REG_VS / 4] == NVME_VERSION, "the version, read in the mapping");
		munmap((void *)(uintptr_t)bar, 4096);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	require(alarms > 0, "signals came");
	require(open_files() == before, "no file is left of a mapping");
	require(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, device, 0) == MAP_FAILED &&
			errno == EINVAL,
		"a private mapping is refused");
	require(mmap(NULL, 4096, PROT_READ, MAP_SHARED, device, 0x4000) == MAP_FAILED &&
			errno == EINVAL,
		"a mapping behind the end is refused");
}

/* ---- the driver ------------------------------------------------------------------ */

static void submit(struct queue *queue, const struct nvme_command *command)
{
	memcpy(memory + SQ_AT(queue->id) + queue->tail * sizeof(*command), command,
	       sizeof(*command));
	queue->tail = (queue->tail + 1) % ENTRIES;
	__atomic_store_n(&doorbells[2 * queue->id], queue->tail, __ATOMIC_RELEASE);
}

/* The next completion; NULL: none yet. */
static const struct nvme_completion *reap(struct queue *queue)
{
	const struct nvme_completion *entry =
		(const struct nvme_completion *)(const void *)(memory + CQ_AT(queue->id)) +
		queue->head;

	if ((__atomic_load_n(&entry->status, __ATOMIC_ACQUIRE) & 1) != queue->phase)
		return NULL;
	queue->head = (queue->head + 1) % ENTRIES;
	if (!queue->head)
		queue->phase ^= 1;
	return entry;
}

static void reaped(struct queue *queue)
{
	__atomic_store_n(&doorbells[2 * queue->id + 1], queue->head, __ATOMIC_RELEASE);
}

static uint16_t run(struct queue *queue, const struct nvme_command *command)
{
	const struct nvme_completion *completion;
	time_t until = time(NULL) + PATIENCE_S;

	submit(queue, command);
	while (!(completion = reap(queue)))
		require(time(NULL) < until, "a completion in time");
	reaped(queue);
	return completion->status >> 1;
}

static void enable(void)
{
	time_t until = time(NULL) + PATIENCE_S;

	regs[NVME_REG_AQA / 4] = (ENTRIES - 1) << 16 | (ENTRIES - 1);
	regs[NVME_REG_ASQ / 4] = IOVA + SQ_AT(0);
	regs[NVME_REG_ACQ / 4] = IOVA + CQ_AT(0);
	regs[NVME_REG_CC / 4] = 4u << 20 | 6u << 16 | NVME_CC_EN;
	while (!(regs[NVME_REG_CSTS / 4] & NVME_CSTS_RDY))
		require(time(NULL) < until, "CSTS.RDY in time");
	queues[0].phase = queues[1].phase = 1;
	queues[1].id = 1;
}

static void make_queue(void)
{
	struct nvme_command command = { .opcode = NVME_ADMIN_CREATE_CQ,
					.prp1 = IOVA + CQ_AT(1),
					.cdw10 = (ENTRIES - 1) << 16 | 1,
					.cdw11 = 1 };

	require(!run(&queues[0], &command), "Create I/O Completion Queue");
	command.opcode = NVME_ADMIN_CREATE_SQ;
	command.prp1 = IOVA + SQ_AT(1);
	command.cdw11 = 1 << 16 | 1;
	require(!run(&queues[0], &command), "Create I/O Submission Queue");
}

static void write_and_read(void)
{
	struct nvme_command command = {
		.opcode = NVME_IO_WRITE, .nsid = 1, .prp1 = IOVA + DATA_AT, .cdw12 = 7
	};

	for (unsigned int i = 0; i < 4096; i++)
		memory[DATA_AT + i] = (uint8_t)(i * 7);
	require(!run(&queues[1], &command), "Write");
	command.opcode = NVME_IO_READ;
	command.prp1 += 4096;
	require(!run(&queues[1], &command), "Read");
	require(!memcmp(memory + DATA_AT, memory + DATA_AT + 4096, 4096), "what was written");
}

static void measure(unsigned int seconds, uint64_t blocks)
{
	struct queue *queue = &queues[1];
	uint64_t done = 0, random = 1;
	struct nvme_command command = { .opcode = NVME_IO_READ, .nsid = 1, .cdw12 = 7 };
	struct timespec begun, now;
	unsigned int under_way = 0;

	clock_gettime(CLOCK_MONOTONIC, &begun);
	do {
		while (under_way < DEPTH) {
			random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
			command.cid = (uint16_t)(done + under_way);
			command.cdw10 = (uint32_t)((random >> 33) % (blocks / 8)) * 8;
			command.prp1 = IOVA + DATA_AT + under_way * 4096;
			submit(queue, &command);
			under_way++;
		}
		while (reap(queue)) {
			done++;
			under_way--;
		}
		reaped(queue);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - begun.tv_sec < (time_t)seconds);
	printf("%llu reads a second\n", (unsigned long long)(done / seconds));
}

static void unmap_and_flush(void)
{
	struct nvme_command command = { .opcode = NVME_IO_FLUSH, .nsid = 1 };
	struct timespec begun, now;

	unmap_data();
	clock_gettime(CLOCK_MONOTONIC, &begun);
	do {
		require(!run(&queues[1], &command), "Flush");
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((int64_t)(now.tv_sec - begun.tv_sec) * 1000000000 +
			 (now.tv_nsec - begun.tv_nsec) < FLUSH_NS);
}

int main(int argc, char **argv)
{
	struct nvme_command identify = { .opcode = NVME_ADMIN_IDENTIFY,
					 .nsid = 1,
					 .prp1 = IOVA + DATA_AT };
	uint64_t blocks;
	int device;

	if (argc < 3)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	device = open_device(argv[1], argv[2]);
	map_often(device);
	printf("BAR 0 is mapped\n");
	regs = map_bar(device, 0);
	doorbells = map_bar(device, 4096);
	enable();
	printf("the controller is ready\n");
	require(!run(&queues[0], &identify), "Identify");
	memcpy(&blocks, memory + DATA_AT, sizeof(blocks));
	make_queue();
	write_and_read();
	printf("what was written is read\n");
	if (argc > 3 && !strcmp(argv[3], "unmap"))
		unmap_and_flush();
	else if (argc > 3)
		measure((unsigned int)atoi(argv[3]), blocks);
	return 0;
}
