/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The events of the backend, and the memory of what lives.
 *
 * Every call does `if (backend_traced(be)) trace_NAME_begin(&call, ...)` before and
 * the same with trace_NAME after, and nothing else: without tracing these are
 * two predictable branches. op_id is 0 when no event of the call is wanted.
 * `ret` is 0 or -errno. tracepoints/iommufd_backend.def says what events carry.
 */
#ifndef IOASIS_BACKEND_TRACE_H
#define IOASIS_BACKEND_TRACE_H

#include <ioasis/iommufd_abi.h>

#include "backend/object.h"
#include "tracepoints/trace.h"

/* One call under way, on the stack of its thread. */
struct backend_call {
	IOMMUFDBackend *be;
	uint64_t op_id;
	int fd; /* when the call began */
};

static inline struct backend_call backend_call_of(IOMMUFDBackend *be)
{
	return (struct backend_call){ .be = be, .fd = backend_fd(be) };
}

static inline bool backend_traced(const IOMMUFDBackend *be)
{
	return __builtin_expect(be->trace != NULL, 0);
}

/* A backend begins and ends: backend/state.c keeps the list of all. */
void state_backend_add(IOMMUFDBackend *be);
void state_backend_remove(IOMMUFDBackend *be);

/*
 * Emits the state dump when the trace was turned on since the last call of
 * this. Wants no lock of a backend held.
 */
void state_check(void);

/* trace_set_fd, trace_connect and trace_disconnect want be->lock held. */
void trace_set_fd(IOMMUFDBackend *be, int fd);
void trace_connect_begin(struct backend_call *call);
void trace_connect(const struct backend_call *call, int ret);
void trace_disconnect_begin(struct backend_call *call);
void trace_disconnect(const struct backend_call *call, int ret);

void trace_alloc_ioas_begin(struct backend_call *call);
void trace_alloc_ioas(const struct backend_call *call, const struct iommu_ioas_alloc *arg,
		      int ret);
void trace_free_id_begin(struct backend_call *call, const struct iommu_destroy *arg);
void trace_free_id(const struct backend_call *call, const struct iommu_destroy *arg, int ret);
void trace_map_dma_begin(struct backend_call *call, const struct iommu_ioas_map *arg);
void trace_map_dma(const struct backend_call *call, const struct iommu_ioas_map *arg, int ret);
void trace_map_file_dma_begin(struct backend_call *call, const struct iommu_ioas_map_file *arg);
void trace_map_file_dma(const struct backend_call *call, const struct iommu_ioas_map_file *arg,
			int ret);
/* size: as asked; the ioctl overwrites arg->length. -ENOENT is unmap_dma_non_exist. */
void trace_unmap_dma_begin(struct backend_call *call, const struct iommu_ioas_unmap *arg);
void trace_unmap_dma(const struct backend_call *call, const struct iommu_ioas_unmap *arg,
		     uint64_t size, int ret);

void trace_get_device_info_begin(struct backend_call *call, const struct iommu_hw_info *arg);
void trace_get_device_info(const struct backend_call *call, const struct iommu_hw_info *arg,
			   int ret);
void trace_alloc_hwpt_begin(struct backend_call *call, const struct iommu_hwpt_alloc *arg);
void trace_alloc_hwpt(const struct backend_call *call, const struct iommu_hwpt_alloc *arg,
		      int ret);
void trace_set_dirty_begin(struct backend_call *call,
			   const struct iommu_hwpt_set_dirty_tracking *arg);
void trace_set_dirty(const struct backend_call *call,
		     const struct iommu_hwpt_set_dirty_tracking *arg, int ret);
void trace_get_dirty_bitmap_begin(struct backend_call *call,
				  const struct iommu_hwpt_get_dirty_bitmap *arg);
void trace_get_dirty_bitmap(const struct backend_call *call,
			    const struct iommu_hwpt_get_dirty_bitmap *arg, int ret);
void trace_invalidate_cache_begin(struct backend_call *call,
				  const struct iommu_hwpt_invalidate *arg);
void trace_invalidate_cache(const struct backend_call *call,
			    const struct iommu_hwpt_invalidate *arg, uint32_t asked, int ret);

void trace_alloc_viommu_begin(struct backend_call *call, const struct iommu_viommu_alloc *arg);
void trace_alloc_viommu(const struct backend_call *call, const struct iommu_viommu_alloc *arg,
			int ret);
void trace_alloc_vdev_begin(struct backend_call *call, const struct iommu_vdevice_alloc *arg);
void trace_alloc_vdev(const struct backend_call *call, const struct iommu_vdevice_alloc *arg,
		      int ret);
void trace_alloc_veventq_begin(struct backend_call *call, const struct iommu_veventq_alloc *arg);
void trace_alloc_veventq(const struct backend_call *call, const struct iommu_veventq_alloc *arg,
			 int ret);
void trace_change_process_begin(struct backend_call *call);
void trace_change_process(const struct backend_call *call, int ret);

#endif
