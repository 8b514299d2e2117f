/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The script of calls on QEMU's own backends/iommufd.c, of the QEMU that build.sh looked at. */
#include "tests/qemu_api/stub.h"

#include "tests/qemu_api/compare.h"

#include "system/iommufd.h"

static IOMMUFDBackend *be;

bool qemu_has(const char *what)
{
	return (!strcmp(what, "flags") && QEMU_HAS_FLAGS) ||
	       (!strcmp(what, "type") && QEMU_HAS_VIOMMU_DATA);
}

static int failed(bool success, Error *err, struct compare_out *out)
{
	out->has_error = err != NULL;
	error_free(err);
	return success ? 0 : -1;
}

static int device_info(uint32_t type, struct compare_out *out)
{
	uint8_t pasid = 0;
	Error *err = NULL;
	bool ok;

	out->type = type;
#if QEMU_HAS_PASID
	ok = iommufd_backend_get_device_info(be, ARG_DEV, &out->type, ARG_VADDR, 24, &out->caps,
					     &pasid, &err);
#else
	ok = iommufd_backend_get_device_info(be, ARG_DEV, &out->type, ARG_VADDR, 24, &out->caps,
					     &err);
#endif
	out->max_pasid = pasid;
	if (!ok)
		out->type = 0;
	return failed(ok, err, out);
}

static int bitmap(struct compare_out *out)
{
	Error *err = NULL;
	bool ok;

#if QEMU_HAS_FLAGS
	ok = iommufd_backend_get_dirty_bitmap(be, ARG_HWPT, ARG_IOVA, ARG_SIZE, 0x1000, ARG_VADDR,
					      1, &err);
#else
	ok = iommufd_backend_get_dirty_bitmap(be, ARG_HWPT, ARG_IOVA, ARG_SIZE, 0x1000, ARG_VADDR,
					      &err);
#endif
	return failed(ok, err, out);
}

static int complete(struct compare_out *out)
{
	Error *err = NULL;

	if (!be)
		be = IOMMUFD_BACKEND(object_new(TYPE_IOMMUFD_BACKEND));
	if (!stub_user_creatable.complete)
		return 0;
	stub_user_creatable.complete((UserCreatable *)be, &err);
	return failed(!err, err, out);
}

static int step(enum compare_step step, struct compare_out *out)
{
	Error *err = NULL;
	bool ok = true;

	switch (step) {
	case STEP_complete:
		return complete(out);
	case STEP_connect:
	case STEP_connect_again:
		ok = iommufd_backend_connect(be, &err);
		break;
	case STEP_alloc_ioas:
		ok = iommufd_backend_alloc_ioas(be, &out->id, &err);
		break;
	case STEP_map_dma:
	case STEP_map_dma_readonly:
		return iommufd_backend_map_dma(be, ARG_IOAS, ARG_IOVA, ARG_SIZE, ARG_VADDR,
					       step == STEP_map_dma_readonly);
	case STEP_unmap_dma:
		return iommufd_backend_unmap_dma(be, ARG_IOAS, ARG_IOVA, ARG_SIZE);
	case STEP_unmap_all:
		return iommufd_backend_unmap_dma(be, ARG_IOAS, 0, UINT64_MAX);
	case STEP_get_device_info:
		return device_info(0, out);
	case STEP_alloc_hwpt:
		ok = iommufd_backend_alloc_hwpt(be, ARG_DEV, ARG_IOAS, 1, 1, 24, ARG_VADDR,
						&out->id, &err);
		break;
	case STEP_set_dirty:
	case STEP_unset_dirty:
		ok = iommufd_backend_set_dirty_tracking(be, ARG_HWPT, step == STEP_set_dirty, &err);
		break;
	case STEP_get_dirty_bitmap:
		return bitmap(out);
	case STEP_free_id:
		iommufd_backend_free_id(be, 5);
		break;
	case STEP_disconnect:
	case STEP_disconnect_last:
	case STEP_disconnect_nothing:
		iommufd_backend_disconnect(be);
		break;
#if QEMU_HAS_MAP_FILE
	case STEP_map_file_dma:
		return iommufd_backend_map_file_dma(be, ARG_IOAS, ARG_IOVA, ARG_SIZE, ARG_MFD,
						    0x2000, false);
	case STEP_invalidate_cache:
		out->entries = 4;
		ok = iommufd_backend_invalidate_cache(be, ARG_HWPT, 1, 16, &out->entries, ARG_VADDR,
						      &err);
		break;
	case STEP_change_capable:
		return iommufd_change_process_capable(be);
	case STEP_change_process:
		ok = iommufd_change_process(be, &err);
		break;
#endif
#if QEMU_HAS_VIOMMU_DATA
	case STEP_get_device_info_of:
		return device_info(3, out);
	case STEP_alloc_viommu:
		ok = iommufd_backend_alloc_viommu(be, ARG_DEV, 2, ARG_HWPT, ARG_VADDR, 16, &out->id,
						  &err);
		break;
	case STEP_alloc_vdev:
		ok = iommufd_backend_alloc_vdev(be, ARG_DEV, ARG_VIOMMU, 0x99, &out->id, &err);
		break;
	case STEP_alloc_veventq:
		ok = iommufd_backend_alloc_veventq(be, ARG_VIOMMU, 2, 8, &out->id, &out->fd, &err);
		break;
	case STEP_alloc_hw_queue:
		ok = iommufd_backend_alloc_hw_queue(be, ARG_VIOMMU, 1, 6, ARG_IOVA, ARG_SIZE,
						    &out->id, &err);
		break;
	case STEP_viommu_mmap: {
		void *memory = NULL;

		ok = iommufd_backend_viommu_mmap(be, ARG_VIOMMU, ARG_SIZE, 0x4000, &memory, &err);
		out->mapped = ok ? (uintptr_t)memory : 0;
		break;
	}
#endif
	default:
		return STEP_MISSING;
	}
	return failed(ok, err, out);
}

int qemu_step(enum compare_step which, struct compare_out *out)
{
	int ret = step(which, out);

	out->object_fd = be->fd;
	out->owned = be->owned;
	out->users = be->users;
	return ret;
}
