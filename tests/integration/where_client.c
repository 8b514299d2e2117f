/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * where_client DEVICE: leaves 300 mappings, 100 from each of three places, which
 * tests/integration/where.sh expects in the leak report by function, file and line. With `threads`
 * threads make those of the first place. With `mistakes` it maps a page twice and frees its address
 * space twice instead; with `loop N` it maps and unmaps a page N times and says how many ns a call took.
 */
#include <fcntl.h>
#include <ioasis/iommufd_abi.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PLACE_MAPS 100u
#define PAGE 4096u

static int device;
static uint32_t ioas;
static char *memory;

static int map_page(uint64_t iova)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
		.ioas_id = ioas,
		.user_va = (uintptr_t)memory,
		.length = PAGE,
		.iova = iova,
	};
	char scratch[64];
	int failed;

	memset(scratch, (int)iova, sizeof(scratch)); /* leaves addresses in the stack */
	failed = ioctl(device, IOMMU_IOAS_MAP, &map);
	return failed | (scratch[0] != (char)iova);
}

static __attribute__((noinline)) int first_place(uint64_t iova)
{
	return map_page(iova); /* place 1 */
}

static __attribute__((noinline)) int second_place(uint64_t iova)
{
	char room[iova % 64 + 1]; /* a frame whose size only its frame pointer tells */

	memset(room, 1, sizeof(room));
	return map_page(iova) + room[0] - 1; /* place 2 */
}

static inline int put_inline(uint64_t iova)
{
	return map_page(iova) != 0; /* place 3 */
}

static __attribute__((noinline)) int third_place(uint64_t iova)
{
	return put_inline(iova) ? -1 : 0;
}

static void *run_first(void *first)
{
	for (unsigned int i = 0; i < PLACE_MAPS / 4; i++) {
		if (first_place((uintptr_t)first + i * PAGE))
			return "failed";
	}
	return NULL;
}

static int make_first(int with_threads)
{
	pthread_t threads[4];
	void *failed = NULL, *one;

	for (uintptr_t i = 0; i < 4; i++) {
		uintptr_t iova = 0x100000 + i * (PLACE_MAPS / 4) * PAGE;

		if (!with_threads)
			failed = run_first((void *)iova) ? "failed" : failed;
		else if (pthread_create(&threads[i], NULL, run_first, (void *)iova))
			return 1;
	}
	for (int i = 0; with_threads && i < 4; i++) {
		pthread_join(threads[i], &one);
		failed = one ? one : failed;
	}
	return failed != NULL;
}

static __attribute__((noinline)) int first_free(void)
{
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = ioas };

	return ioctl(device, IOMMU_DESTROY, &destroy) != 0; /* place 4 */
}

static __attribute__((noinline)) int second_free(void)
{
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = ioas };

	return ioctl(device, IOMMU_DESTROY, &destroy) == 0; /* place 5 */
}

/* 0 if each is answered as the kernel does. */
static int make_mistakes(void)
{
	return first_place(0x100000) || !second_place(0x100000) || first_free() || second_free();
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The shortest of batches: of a busy machine, what is its own. */
#define BATCH 50u

static int loop(unsigned int times)
{
	int64_t began_ns = now_ns(), best_ns = INT64_MAX;

	for (unsigned int i = 1; i <= times; i++) {
		struct iommu_ioas_unmap unmap = { .size = sizeof(unmap), .ioas_id = ioas,
						  .iova = 0x100000, .length = PAGE };

		if (first_place(0x100000) || ioctl(device, IOMMU_IOAS_UNMAP, &unmap))
			return 1;
		if (i % BATCH)
			continue;
		if (now_ns() - began_ns < best_ns)
			best_ns = now_ns() - began_ns;
		began_ns = now_ns();
	}
	printf("%ld\n", (long)(best_ns / (2 * (int64_t)BATCH)));
	return 0;
}

int main(int argc, char **argv)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	int failed;

	device = open(argc > 1 ? argv[1] : "/dev/iommu", O_RDWR | O_CLOEXEC);
	memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (device < 0 || memory == MAP_FAILED || ioctl(device, IOMMU_IOAS_ALLOC, &alloc)) {
		perror("where_client");
		return 1;
	}
	ioas = alloc.out_ioas_id;
	if (argc > 2 && !strcmp(argv[2], "mistakes"))
		return make_mistakes();
	if (argc > 3 && !strcmp(argv[2], "loop"))
		return loop((unsigned int)atoi(argv[3]));
	failed = make_first(argc > 2);
	for (unsigned int i = 0; i < PLACE_MAPS; i++)
		failed |= second_place(0x1000000 + i * PAGE) | third_place(0x2000000 + i * PAGE);
	return failed;
}
