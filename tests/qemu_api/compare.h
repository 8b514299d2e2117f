/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The script of calls that QEMU's backends/iommufd.c and the library are both taken through, on a
 * device that answers as told. A step that this QEMU does not have is left out of the comparison.
 */
#ifndef IOASIS_TESTS_QEMU_API_COMPARE_H
#define IOASIS_TESTS_QEMU_API_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

/* STEP(name, whether it returns a number, not only success or failure) */
#define COMPARE_STEPS(STEP)            \
	STEP(complete, false)          \
	STEP(connect, false)           \
	STEP(connect_again, false)     \
	STEP(alloc_ioas, false)        \
	STEP(map_dma, true)            \
	STEP(map_dma_readonly, true)   \
	STEP(map_file_dma, true)       \
	STEP(unmap_dma, true)          \
	STEP(unmap_all, true)          \
	STEP(get_device_info, false)   \
	STEP(get_device_info_of, false) \
	STEP(alloc_hwpt, false)        \
	STEP(set_dirty, false)         \
	STEP(unset_dirty, false)       \
	STEP(get_dirty_bitmap, false)  \
	STEP(invalidate_cache, false)  \
	STEP(alloc_viommu, false)      \
	STEP(alloc_vdev, false)        \
	STEP(alloc_veventq, false)     \
	STEP(alloc_hw_queue, false)    \
	STEP(viommu_mmap, false)       \
	STEP(change_capable, true)     \
	STEP(change_process, false)    \
	STEP(free_id, false)           \
	STEP(disconnect, false)        \
	STEP(disconnect_last, false)   \
	STEP(disconnect_nothing, false)

enum compare_step {
#define STEP_NAME(name, number) STEP_##name,
	COMPARE_STEPS(STEP_NAME)
#undef STEP_NAME
	STEP_COUNT
};

#define STEP_MISSING (-1000000)

/* The addresses and numbers of the script. */
#define ARG_VADDR ((void *)0x7000)
#define ARG_IOVA 0x100000ull
#define ARG_SIZE 0x3000ull
#define ARG_MFD 9
#define ARG_DEV 2u
#define ARG_IOAS 1u
#define ARG_HWPT 3u
#define ARG_VIOMMU 4u

/* What a step stored, and what the object shows after it. */
struct compare_out {
	uint32_t id, fd, type, entries;
	uint64_t caps;
	uint64_t mapped; /* mmap's result */
	uint32_t max_pasid;
	bool has_error;
	int object_fd;
	bool owned;
	uint32_t users;
};

/*
 * Takes one of both through a step: 0 or a failure; the number where the step has one;
 * STEP_MISSING. max_pasid stays 0 where QEMU has no such argument.
 */
int qemu_step(enum compare_step step, struct compare_out *out);
bool qemu_has(const char *what); /* "flags": of the dirty bitmap; "type": goes into the question */

#endif
