/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client that speaks to the ring by itself, and wrongly (sim/exec/ring_abi.h). Prints a line
 * for each attempt, and what came of it. It waits for the ring to be looked into, which on a
 * machine that is busy may take some seconds: "cold" and status 77 when it never was.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ioasis/iommufd_abi.h"
#include "sim/exec/ring_abi.h"

#define HEAT_SECONDS 20
#define COLD 77

static struct ring_memory *ring;
static int device;

static _Noreturn void fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Past the preloaded library, which would offer a ring, too. */
static long raw_ioctl(int fd, unsigned int cmd, void *arg)
{
	return syscall(SYS_ioctl, fd, cmd, arg);
}

static void say(const char *what, long rc)
{
	printf("%s: %s\n", what, rc ? strerror(errno) : "taken");
}

static long offer(int memfd, uint32_t tid)
{
	struct ring_offer offer = { .memfd = memfd, .pid = (uint32_t)getpid(), .tid = tid };

	return raw_ioctl(device, RING_OFFER, &offer);
}

static int make_memfd(unsigned int flags, off_t bytes)
{
	int fd = memfd_create("ring", MFD_CLOEXEC | flags);

	if (fd < 0 || ftruncate(fd, bytes))
		fail("memfd");
	return fd;
}

static void bad_offers(void)
{
	int null = open("/dev/zero", O_RDWR);

	say("no file", offer(-1, (uint32_t)gettid()));
	say("no memory file", offer(null, (uint32_t)gettid()));
	say("not to be sealed", offer(make_memfd(0, RING_BYTES), (uint32_t)gettid()));
	say("too small", offer(make_memfd(MFD_ALLOW_SEALING, 100), (uint32_t)gettid()));
	say("too large", offer(make_memfd(MFD_ALLOW_SEALING, 2 * RING_BYTES), (uint32_t)gettid()));
	say("as another thread", offer(make_memfd(MFD_ALLOW_SEALING, RING_BYTES), 1));
	close(null);
}

static int good_offer(void)
{
	int fd = make_memfd(MFD_ALLOW_SEALING, RING_BYTES);

	ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED)
		fail("mmap");
	say("a good one", offer(fd, (uint32_t)gettid()));
	say("a second", offer(make_memfd(MFD_ALLOW_SEALING, RING_BYTES), (uint32_t)gettid()));
	return fd;
}

/* Calls until exec looks; once at least, so that it knows the descriptor. */
static void heat(void)
{
	double end = now() + HEAT_SECONDS;

	do {
		struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

		if (raw_ioctl(device, IOMMU_IOAS_ALLOC, &alloc))
			fail("IOAS_ALLOC");
		if (now() > end) {
			puts("cold");
			exit(COLD);
		}
	} while (!__atomic_load_n(&ring->hot, __ATOMIC_ACQUIRE));
}

/* Posts in slot 0 what is given; again, if exec had just ceased to look. */
static void post(const char *what, const struct ring_slot *wanted)
{
	struct ring_slot *slot = &ring->slots[0];

	for (;;) {
		uint32_t state = RING_POSTED;
		double end;

		heat();
		*slot = *wanted;
		__atomic_store_n(&slot->state, RING_POSTED, __ATOMIC_SEQ_CST);
		end = now() + 0.01;
		while (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) == RING_POSTED && now() < end)
			;
		if (__atomic_compare_exchange_n(&slot->state, &state, RING_FREE, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			continue;
		while (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) == RING_TAKEN)
			;
		break;
	}
	if (slot->state == RING_REFUSED)
		printf("%s: refused\n", what);
	else
		printf("%s: %s\n", what, slot->result ? strerror((int)-slot->result) : "done");
}

static struct ring_slot ioas_alloc_call(uint32_t arg_bytes, uint32_t size)
{
	static struct iommu_ioas_alloc alloc;
	struct ring_slot slot = {
		.tid = (uint32_t)gettid(),
		.fd = device,
		.cmd = IOMMU_IOAS_ALLOC,
		.arg_bytes = arg_bytes,
		.arg = (uintptr_t)&alloc,
	};

	alloc = (struct iommu_ioas_alloc){ .size = size };
	memcpy(slot.data, &alloc, sizeof(alloc));
	return slot;
}

static void bad_calls(void)
{
	struct ring_slot slot = ioas_alloc_call(12, 12);
	uint64_t random = 88172645463325252u;
	int other;
	pid_t pid;

	post("a good call", &slot);
	slot = ioas_alloc_call(0, 12);
	post("with the argument in memory", &slot);
	slot.arg = 0;
	post("without an argument", &slot);
	slot = ioas_alloc_call(0xffffffff, 12);
	post("too much of an argument", &slot);
	slot = ioas_alloc_call(12, 0xffffffff);
	post("a size that is more than there is", &slot);
	slot = ioas_alloc_call(12, 12);
	slot.arg = UINT64_MAX - 3;
	post("an address that wraps", &slot);
	slot = ioas_alloc_call(12, 12);
	slot.fd = 0;
	post("another file", &slot);
	slot.fd = -1;
	post("no file", &slot);
	slot = ioas_alloc_call(12, 12);
	slot.tid = 1;
	post("another's thread", &slot);
	slot = ioas_alloc_call(12, 12);
	slot.cmd = IOMMU_FAULT_QUEUE_ALLOC;
	post("a command that gives a file", &slot);
	slot.cmd = 0xffffffff;
	post("no command", &slot);

	/* What it closed, it has no more, though another process has it. */
	other = dup(device);
	pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	for (int i = 0; i < 2; i++) {
		struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

		raw_ioctl(other, IOMMU_IOAS_ALLOC, &alloc);
	}
	slot = ioas_alloc_call(12, 12);
	slot.fd = other;
	heat();
	close(other);
	post("a descriptor that is closed", &slot);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);

	for (unsigned int i = 0; i < 2000; i++) {
		if (i % 100 == 0)
			heat();
		for (char *at = (char *)&ring->slots[1]; at < (char *)&ring->slots[RING_SLOTS]; at++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			if (!(random & 0xf000))
				*at = (char)(random >> 32) & 7;
		}
	}
	memset(&ring->slots[1], 0, sizeof(struct ring_slot) * (RING_SLOTS - 1));
	slot = ioas_alloc_call(12, 12);
	post("after nonsense", &slot);
}

int main(void)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	int fd;

	setvbuf(stdout, NULL, _IOLBF, 0);
	device = open("/dev/iommu", O_RDWR);
	if (device < 0)
		fail("/dev/iommu");
	if (raw_ioctl(device, IOMMU_IOAS_ALLOC, &alloc))
		fail("IOAS_ALLOC");
	bad_offers();
	fd = good_offer();
	heat();
	bad_calls();
	say("a shorter file", ftruncate(fd, 0));
	say("a hole in it", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, RING_BYTES));
	say("one more", raw_ioctl(device, IOMMU_IOAS_ALLOC, &alloc));
	return 0;
}
