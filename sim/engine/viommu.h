/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vIOMMUs and what hangs on them: virtual devices, event queues (eventq.h),
 * hardware queues, memory of the device file.
 *
 * All functions need the context's lock. Source: iommufd/viommu.c, driver.c.
 */
#ifndef IOASIS_ENGINE_VIOMMU_H
#define IOASIS_ENGINE_VIOMMU_H

#include "sim/engine/command.h"
#include "sim/engine/test_abi.h"

struct access;
struct device;
struct hw_queue;
struct hwpt;

/* A range of the device file that mmap reaches. */
struct engine_mmap {
	struct list_link link; /* in ctx->mmaps, by rising offset */
	struct engine_object *owner; /* counted while it is mapped */
	uint64_t offset;	     /* bytes, page-aligned */
	uint64_t length;	     /* bytes, whole pages */
	void *memory;
	uint32_t mapped; /* how often; each counts in owner */
};

struct viommu {
	struct engine_object object;
	uint32_t type;
	bool mock;	   /* of the mock driver */
	struct hwpt *hwpt; /* the nesting parent; counted */
	struct list_link vdevs;	   /* struct vdevice */
	struct list_link veventqs; /* struct veventq */
	/* By index; weak, and from index 1 on perhaps gone: only to see what is taken. */
	struct hw_queue *hw_queues[IOMMU_TEST_HW_QUEUE_MAX];
	struct engine_mmap *mmap; /* NULL: made without data */
};

struct vdevice {
	struct engine_object object;
	struct list_link link; /* in viommu.vdevs */
	struct viommu *viommu; /* counted */
	struct device *dev;    /* counted */
	uint64_t virt_id;
};

struct hw_queue {
	struct engine_object object;
	struct viommu *viommu;	/* counted */
	struct access *access;	/* keeps its memory pinned; counted */
	struct hw_queue *prev;	/* the queue of the index before; counted, may be NULL */
	bool started; /* the driver has it */
	uint64_t base_addr;
	uint64_t length; /* bytes */
};

/* The virtual device with this virtual id, or that stands for dev; NULL: none. */
struct vdevice *viommu_find_virt_id(const struct viommu *viommu, uint64_t virt_id);
struct vdevice *viommu_find_device(const struct viommu *viommu, const struct device *dev);

/*
 * Gives owner length bytes of zeroed memory that mmap of the file reaches, at the
 * lowest free offset from one page on. NULL: out of memory.
 */
struct engine_mmap *engine_mmap_create(struct engine_object *owner, uint64_t length);
void engine_mmap_destroy(struct engine_mmap *map);

/* The last close: what is still mapped then no longer holds its owner. */
void engine_mmaps_forget(struct engine_ctx *ctx);

void viommu_verify(struct viommu *viommu);
void vdevice_verify(struct vdevice *vdev);
void hw_queue_verify(struct hw_queue *queue);

#endif
