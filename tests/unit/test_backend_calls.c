/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each call of the backend asks the device, and what it makes of the
 * answer. One row a call: a new call gets all the tests by its row.
 */
#include "tests/unit/scripted_device.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <ioasis/iommufd_abi.h>

#include "sim/vfio/abi.h"

/* What the calls stored; all 0xee before. */
struct results {
	uint32_t id, fd, type;
	uint64_t caps;
	uint8_t pasid;
	uint32_t entries;
};

#define VADDR	  ((void *)0x7000)
#define DEVICE_FD 77 /* of a VFIO device */

static int call_alloc_ioas(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	return iommufd_backend_alloc_ioas(be, &out->id, errp);
}

static int call_free_id(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	(void)out;
	(void)errp;
	iommufd_backend_free_id(be, 5);
	return 0;
}

static int call_map(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	(void)out;
	(void)errp;
	return iommufd_backend_map_dma(be, 1, 0x1000, 0x2000, VADDR, false);
}

static int call_map_readonly(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	(void)out;
	(void)errp;
	return iommufd_backend_map_dma(be, 1, 0x1000, 0x2000, VADDR, true);
}

static int call_map_file(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	(void)out;
	(void)errp;
	return iommufd_backend_map_file_dma(be, 1, 0x1000, 0x2000, 9, 0x3000, true);
}

static int call_unmap(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	(void)out;
	(void)errp;
	return iommufd_backend_unmap_dma(be, 1, 0x1000, 0x2000);
}

static int call_get_device_info(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	return iommufd_backend_get_device_info(be, 2, &out->type, VADDR, 24, &out->caps,
					       &out->pasid, errp);
}

static int call_alloc_hwpt(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	return iommufd_backend_alloc_hwpt(be, 2, 1, IOMMU_HWPT_ALLOC_NEST_PARENT,
					  IOMMU_HWPT_DATA_VTD_S1, 24, VADDR, &out->id, errp);
}

static int call_set_dirty(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	(void)out;
	return iommufd_backend_set_dirty_tracking(be, 3, true, errp);
}

static int call_unset_dirty(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	(void)out;
	return iommufd_backend_set_dirty_tracking(be, 3, false, errp);
}

static int call_get_dirty_bitmap(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	(void)out;
	return iommufd_backend_get_dirty_bitmap(be, 3, 0x1000, 0x2000, 0x1000, VADDR,
						IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR, errp);
}

static int call_invalidate(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	out->entries = 4;
	return iommufd_backend_invalidate_cache(be, 3, IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3, 16,
						&out->entries, VADDR, errp);
}

static int call_alloc_viommu(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	return iommufd_backend_alloc_viommu(be, 2, IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV, 3, VADDR, 16,
					    &out->id, errp);
}

static int call_alloc_vdev(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	return iommufd_backend_alloc_vdev(be, 2, 4, 0x99, &out->id, errp);
}

static int call_alloc_veventq(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	return iommufd_backend_alloc_veventq(be, 4, IOMMU_VEVENTQ_TYPE_ARM_SMMUV3, 8, &out->id,
					     &out->fd, errp);
}

static int call_alloc_hw_queue(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	return iommufd_backend_alloc_hw_queue(be, 4, IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV, 6, 0x5000,
					      0x3000, &out->id, errp);
}

static int call_attach(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	(void)out;
	return iommufd_backend_attach_device(be, DEVICE_FD, IOMMUFD_NO_PASID, 3, errp);
}

static int call_attach_pasid(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	(void)out;
	return iommufd_backend_attach_device(be, DEVICE_FD, 9, 3, errp);
}

static int call_detach(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	(void)out;
	return iommufd_backend_detach_device(be, DEVICE_FD, IOMMUFD_NO_PASID, errp);
}

static int call_detach_pasid(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	(void)out;
	return iommufd_backend_detach_device(be, DEVICE_FD, 9, errp);
}

static int call_change_process(IOMMUFDBackend *be, struct results *out, Error **errp)
{
	(void)out;
	return iommufd_change_process(be, errp);
}

/* What the device is asked, and what it answers to a call that goes well. */
static const struct iommu_ioas_alloc alloc_ioas = { .size = 12 };
static const struct iommu_ioas_alloc alloc_ioas_answer = { .out_ioas_id = 7 };
static const struct iommu_destroy destroy = { .size = 8, .id = 5 };
static const struct iommu_ioas_map map = { 40, 7, 1, 0, 0x7000, 0x2000, 0x1000 };
static const struct iommu_ioas_map map_readonly = { 40, 5, 1, 0, 0x7000, 0x2000, 0x1000 };
static const struct iommu_ioas_map_file map_file = { 40, 5, 1, 9, 0x3000, 0x2000, 0x1000 };
static const struct iommu_ioas_unmap unmap = { 24, 1, 0x1000, 0x2000 };
static const struct iommu_hw_info info = { .size = 40, .dev_id = 2, .data_len = 24,
					   .data_uptr = 0x7000 };
static const struct iommu_hw_info info_answer = { .out_data_type = IOMMU_HW_INFO_TYPE_INTEL_VTD,
						  .out_max_pasid_log2 = 20,
						  .out_capabilities = 1 };
static const struct iommu_hwpt_alloc hwpt = { .size = 48, .flags = 1, .dev_id = 2, .pt_id = 1,
					      .data_type = 1, .data_len = 24,
					      .data_uptr = 0x7000 };
static const struct iommu_hwpt_alloc hwpt_answer = { .out_hwpt_id = 7 };
static const struct iommu_hwpt_set_dirty_tracking dirty_on = { 16, 1, 3, 0 };
static const struct iommu_hwpt_set_dirty_tracking dirty_off = { 16, 0, 3, 0 };
static const struct iommu_hwpt_get_dirty_bitmap bitmap = { 48, 3, 1, 0, 0x1000, 0x2000, 0x1000,
							   0x7000 };
static const struct iommu_hwpt_invalidate invalidate = { 32, 3, 0x7000, 1, 16, 4, 0 };
static const struct iommu_viommu_alloc viommu = { .size = 40, .type = 2, .dev_id = 2,
						  .hwpt_id = 3, .data_len = 16,
						  .data_uptr = 0x7000 };
static const struct iommu_viommu_alloc viommu_answer = { .out_viommu_id = 7 };
static const struct iommu_vdevice_alloc vdev = { .size = 24, .viommu_id = 4, .dev_id = 2,
						 .virt_id = 0x99 };
static const struct iommu_vdevice_alloc vdev_answer = { .out_vdevice_id = 7 };
static const struct iommu_veventq_alloc veventq = { .size = 32, .viommu_id = 4, .type = 1,
						    .veventq_depth = 8 };
static const struct iommu_veventq_alloc veventq_answer = { .out_veventq_id = 7,
							   .out_veventq_fd = 33 };
static const struct iommu_hw_queue_alloc hw_queue = { .size = 40, .viommu_id = 4, .type = 1,
						      .index = 6, .nesting_parent_iova = 0x5000,
						      .length = 0x3000 };
static const struct iommu_hw_queue_alloc hw_queue_answer = { .out_hw_queue_id = 7 };
/* argsz, flags (1: a PASID is given), pt_id when attaching, PASID: <linux/vfio.h>. */
static const uint32_t attach[] = { 16, 0, 3, 0 }, attach_pasid[] = { 16, 1, 3, 9 };
static const uint32_t detach[] = { 12, 0, 0 }, detach_pasid[] = { 12, 1, 9 };
static const struct iommu_ioas_change_process change = { .size = 8 };

static const struct call_row {
	const char *name;
	int (*call)(IOMMUFDBackend *be, struct results *out, Error **errp);
	unsigned long request;
	const void *asked;
	const void *answer; /* NULL: nothing is answered */
	size_t size;	    /* bytes of both */
	bool sets_error;    /* takes errp; else the report hook is told */
	struct results expected;
	const char *message; /* how the error or report begins */
} rows[] = {
	{ "alloc_ioas", call_alloc_ioas, IOMMU_IOAS_ALLOC, &alloc_ioas, &alloc_ioas_answer,
	  sizeof(alloc_ioas), true, { .id = 7 },
	  "making an address space failed (IOMMU_IOAS_ALLOC): " },
	{ "free_id", call_free_id, IOMMU_DESTROY, &destroy, NULL, sizeof(destroy), false, { 0 },
	  "freeing id 5 failed (IOMMU_DESTROY): " },
	{ "map_dma", call_map, IOMMU_IOAS_MAP, &map, NULL, sizeof(map), false, { 0 },
	  "mapping 0x2000 bytes at 0x1000 of address space 1 failed (IOMMU_IOAS_MAP): " },
	{ "map_dma readonly", call_map_readonly, IOMMU_IOAS_MAP, &map_readonly, NULL,
	  sizeof(map_readonly), false, { 0 },
	  "mapping 0x2000 bytes at 0x1000 of address space 1 failed (IOMMU_IOAS_MAP): " },
	{ "map_file_dma", call_map_file, IOMMU_IOAS_MAP_FILE, &map_file, NULL, sizeof(map_file),
	  false, { 0 },
	  "mapping 0x2000 bytes at 0x1000 of address space 1 failed (IOMMU_IOAS_MAP_FILE): " },
	{ "unmap_dma", call_unmap, IOMMU_IOAS_UNMAP, &unmap, NULL, sizeof(unmap), false, { 0 },
	  "unmapping 0x2000 bytes at 0x1000 of address space 1 failed (IOMMU_IOAS_UNMAP): " },
	{ "get_device_info", call_get_device_info, IOMMU_GET_HW_INFO, &info, &info_answer,
	  sizeof(info), true, { .type = 1, .caps = 1, .pasid = 20 },
	  "asking about device 2 failed (IOMMU_GET_HW_INFO): " },
	{ "alloc_hwpt", call_alloc_hwpt, IOMMU_HWPT_ALLOC, &hwpt, &hwpt_answer, sizeof(hwpt), true,
	  { .id = 7 }, "making a page table for device 2 failed (IOMMU_HWPT_ALLOC): " },
	{ "set_dirty_tracking on", call_set_dirty, IOMMU_HWPT_SET_DIRTY_TRACKING, &dirty_on, NULL,
	  sizeof(dirty_on), true, { 0 },
	  "turning dirty tracking of page table 3 on failed (IOMMU_HWPT_SET_DIRTY_TRACKING): " },
	{ "set_dirty_tracking off", call_unset_dirty, IOMMU_HWPT_SET_DIRTY_TRACKING, &dirty_off,
	  NULL, sizeof(dirty_off), true, { 0 },
	  "turning dirty tracking of page table 3 off failed (IOMMU_HWPT_SET_DIRTY_TRACKING): " },
	{ "get_dirty_bitmap", call_get_dirty_bitmap, IOMMU_HWPT_GET_DIRTY_BITMAP, &bitmap, NULL,
	  sizeof(bitmap), true, { 0 },
	  "reading the dirty bits of 0x2000 bytes at 0x1000 of page table 3 failed "
	  "(IOMMU_HWPT_GET_DIRTY_BITMAP): " },
	{ "invalidate_cache", call_invalidate, IOMMU_HWPT_INVALIDATE, &invalidate, NULL,
	  sizeof(invalidate), true, { .entries = 4 },
	  "invalidating 4 entries of id 3 failed after 4 (IOMMU_HWPT_INVALIDATE): " },
	{ "alloc_viommu", call_alloc_viommu, IOMMU_VIOMMU_ALLOC, &viommu, &viommu_answer,
	  sizeof(viommu), true, { .id = 7 },
	  "making a vIOMMU over page table 3 failed (IOMMU_VIOMMU_ALLOC): " },
	{ "alloc_vdev", call_alloc_vdev, IOMMU_VDEVICE_ALLOC, &vdev, &vdev_answer, sizeof(vdev),
	  true, { .id = 7 },
	  "making device 2 known to vIOMMU 4 failed (IOMMU_VDEVICE_ALLOC): " },
	{ "alloc_veventq", call_alloc_veventq, IOMMU_VEVENTQ_ALLOC, &veventq, &veventq_answer,
	  sizeof(veventq), true, { .id = 7, .fd = 33 },
	  "making an event queue for vIOMMU 4 failed (IOMMU_VEVENTQ_ALLOC): " },
	{ "alloc_hw_queue", call_alloc_hw_queue, IOMMU_HW_QUEUE_ALLOC, &hw_queue, &hw_queue_answer,
	  sizeof(hw_queue), true, { .id = 7 },
	  "making hardware queue 6 of vIOMMU 4 failed (IOMMU_HW_QUEUE_ALLOC): " },
	{ "attach", call_attach, SIM_VFIO_ATTACH, attach, NULL, sizeof(attach), true, { 0 },
	  "attaching device fd 77, PASID 0 to id 3 failed (VFIO_DEVICE_ATTACH_IOMMUFD_PT): " },
	{ "attach a PASID", call_attach_pasid, SIM_VFIO_ATTACH, attach_pasid, NULL,
	  sizeof(attach_pasid), true, { 0 },
	  "attaching device fd 77, PASID 9 to id 3 failed (VFIO_DEVICE_ATTACH_IOMMUFD_PT): " },
	{ "detach", call_detach, SIM_VFIO_DETACH, detach, NULL, sizeof(detach), true, { 0 },
	  "detaching device fd 77, PASID 0 failed (VFIO_DEVICE_DETACH_IOMMUFD_PT): " },
	{ "detach a PASID", call_detach_pasid, SIM_VFIO_DETACH, detach_pasid, NULL,
	  sizeof(detach_pasid), true, { 0 },
	  "detaching device fd 77, PASID 9 failed (VFIO_DEVICE_DETACH_IOMMUFD_PT): " },
	{ "change_process", call_change_process, IOMMU_IOAS_CHANGE_PROCESS, &change, NULL,
	  sizeof(change), true, { 0 },
	  "moving the mapped memory to this process failed (IOMMU_IOAS_CHANGE_PROCESS): " },
};

/* Whether the call asks the VFIO device, which needs no connection. */
static bool is_of_vfio(const struct call_row *row)
{
	return row->request == SIM_VFIO_ATTACH || row->request == SIM_VFIO_DETACH;
}

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* All that iommufd's handlers return, and what a call on a bad fd gives. */
static const int errnos[] = { EPERM,  ENOENT, EINTR,  EIO,	EBADF,	EAGAIN,	   ENOMEM,
			      EACCES, EFAULT, EBUSY,  EEXIST,	ENODEV, EINVAL,	   EMFILE,
			      ENOTTY, ENOSPC, ERANGE, EOVERFLOW, E2BIG, EOPNOTSUPP, EADDRINUSE };

static void test_calls_ask_and_store(void **state)
{
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);
	size_t i;

	(void)state;
	iommufd_backend_connect(be, NULL);
	for (i = 0; i < ROWS; i++) {
		const struct call_row *row = &rows[i];
		struct results out = { 0 };
		Error *err = NULL;

		print_message("# %s\n", row->name);
		device.answer = row->answer ? (const char *)row->answer + 4 : NULL;
		device.answer_size = row->size - 4;
		errno = ENOTDIR;
		assert_int_equal(row->call(be, &out, &err), 0);
		assert_int_equal(errno, ENOTDIR);
		assert_null(err);
		assert_int_equal(device.ioctl_fd, is_of_vfio(row) ? DEVICE_FD : SCRIPTED_FD);
		assert_int_equal(device.request, row->request);
		assert_memory_equal(device.arg, row->asked, row->size);
		assert_memory_equal(&out, &row->expected, sizeof(out));
	}
	assert_int_equal(device.ioctls, ROWS);
	assert_int_equal(device.reports, 0);
	iommufd_backend_disconnect(be);
	iommufd_backend_delete(be, NULL);
}

/* Asserts that text is the row's message with the text of os_errno and rest. */
static void assert_message(const struct call_row *row, const char *text, int os_errno,
			   const char *rest)
{
	char expected[256];

	snprintf(expected, sizeof(expected), "%s%s%s", row->message, strerror(os_errno), rest);
	assert_string_equal(text, expected);
}

static void check_failure(IOMMUFDBackend *be, struct scripted_device *device,
			  const struct call_row *row, int os_errno)
{
	const bool returns = row->call != call_free_id;
	const bool maps = !strncmp(row->name, "map_", 4);
	struct results out, before;
	uint32_t reports = device->reports;
	Error *err = NULL;

	memset(&out, 0xee, sizeof(out));
	out.entries = 4;
	before = out;
	device->ioctl_errno = os_errno;
	errno = ENOTDIR;
	if (row->call == call_unmap && os_errno == ENOENT) {
		assert_int_equal(row->call(be, &out, &err), 0);
		assert_int_equal(device->reports, reports);
		return;
	}
	assert_int_equal(row->call(be, &out, &err), returns ? -os_errno : 0);
	assert_int_equal(errno, ENOTDIR);
	assert_memory_equal(&out, &before, sizeof(out));
	if (row->sets_error) {
		assert_non_null(err);
		assert_message(row, error_get_pretty(err), os_errno, "");
		error_free(err);
		assert_int_equal(row->call(be, &out, NULL), -os_errno);
		assert_int_equal(device->reports, reports);
		return;
	}
	assert_null(err);
	assert_int_equal(device->reports, reports + 1);
	assert_int_equal(device->report_level, maps && os_errno == EFAULT ?
						       IOMMUFD_REPORT_WARNING :
						       IOMMUFD_REPORT_ERROR);
	assert_message(row, device->report, os_errno,
		       maps && os_errno == EFAULT ? ", is it a PCI BAR?" : "");
}

static void test_calls_failed_ioctl_gives_its_errno_and_text(void **state)
{
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);
	size_t i, j;

	(void)state;
	iommufd_backend_connect(be, NULL);
	for (i = 0; i < ROWS; i++) {
		for (j = 0; j < sizeof(errnos) / sizeof(errnos[0]); j++)
			check_failure(be, &device, &rows[i], errnos[j]);
	}
	iommufd_backend_disconnect(be);
	iommufd_backend_delete(be, NULL);
}

static void test_calls_without_hook_say_nothing(void **state)
{
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);
	size_t i;

	(void)state;
	iommufd_backend_set_report_hook(be, NULL, NULL);
	device.ioctl_errno = EINVAL;
	for (i = 0; i < ROWS; i++) {
		struct results out;

		rows[i].call(be, &out, NULL);
	}
	assert_int_equal(device.reports, 0);
	iommufd_backend_delete(be, NULL);
}

static void test_calls_unconnected_give_ebadf(void **state)
{
	IOMMUFDBackend *be = iommufd_backend_new(NULL);
	size_t i;

	(void)state;
	for (i = 0; i < ROWS; i++) {
		struct results out;

		if (rows[i].call != call_free_id && !is_of_vfio(&rows[i]))
			assert_int_equal(rows[i].call(be, &out, NULL), -EBADF);
	}
	assert_false(iommufd_change_process_capable(be));
	iommufd_backend_delete(be, NULL);
}

static void test_calls_get_device_info_asks_for_a_type(void **state)
{
	static const struct iommu_hw_info asked = {
		.size = 40, .flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE, .dev_id = 2, .data_len = 8,
		.data_uptr = 0x7000, .in_data_type = IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV,
	};
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);
	uint32_t type = IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV;
	uint64_t caps;

	(void)state;
	assert_int_equal(iommufd_backend_get_device_info(be, 2, &type, VADDR, 8, &caps, NULL,
							 NULL), 0);
	assert_memory_equal(device.arg, &asked, sizeof(asked));
	iommufd_backend_delete(be, NULL);
}

static void test_calls_viommu_mmap_gives_the_devices_memory(void **state)
{
	static char page[16];
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);
	IOMMUFDDeviceOps without = scripted_ops;
	void *memory = VADDR;
	Error *err = NULL;

	(void)state;
	iommufd_backend_connect(be, NULL);
	device.memory = page;
	assert_int_equal(iommufd_backend_viommu_mmap(be, 4, 0x1000, 0x3000, &memory, &err), 0);
	assert_ptr_equal(memory, page);
	assert_int_equal(device.ioctl_fd, SCRIPTED_FD);
	assert_int_equal(device.mmap_size, 0x1000);
	assert_int_equal(device.mmap_offset, 0x3000);

	memory = VADDR;
	device.ioctl_errno = ENXIO;
	errno = ENOTDIR;
	assert_int_equal(iommufd_backend_viommu_mmap(be, 4, 0x1000, 0x3000, &memory, &err), -ENXIO);
	assert_int_equal(errno, ENOTDIR);
	assert_ptr_equal(memory, VADDR);
	assert_string_equal(error_get_pretty(err),
			    "mapping 0x1000 bytes at 0x3000 of the device for vIOMMU 4 failed "
			    "(mmap): No such device or address");
	error_free(err);
	iommufd_backend_disconnect(be);

	without.mmap = NULL;
	iommufd_backend_set_device(be, NULL, &without, &device);
	assert_int_equal(iommufd_backend_viommu_mmap(be, 4, 0x1000, 0, &memory, NULL), -ENODEV);
	iommufd_backend_delete(be, NULL);
}

static void test_calls_invalidate_partly_done_tells_how_many(void **state)
{
	static const struct iommu_hwpt_invalidate two = { 32, 3, 0x7000, 1, 16, 2, 0 };
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);
	Error *err = NULL;
	uint32_t entries = 4;

	(void)state;
	device.answer = &two.hwpt_id;
	device.answer_size = sizeof(two) - 4;
	assert_int_equal(iommufd_backend_invalidate_cache(be, 3, 1, 16, &entries, VADDR, &err),
			 -EIO);
	assert_int_equal(entries, 2);
	assert_string_equal(error_get_pretty(err),
			    "IOMMU_HWPT_INVALIDATE of id 3 succeeded with 2 of 4 entries");
	error_free(err);
	err = NULL;
	device.ioctl_errno = EINVAL;
	entries = 4;
	assert_int_equal(iommufd_backend_invalidate_cache(be, 3, 1, 16, &entries, VADDR, &err),
			 -EINVAL);
	assert_int_equal(entries, 2);
	assert_string_equal(error_get_pretty(err),
			    "invalidating 4 entries of id 3 failed after 2 "
			    "(IOMMU_HWPT_INVALIDATE): Invalid argument");
	error_free(err);
	iommufd_backend_delete(be, NULL);
}

static void test_calls_dirty_bitmap_flags_above_32_bits_give_eopnotsupp(void **state)
{
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);
	Error *err = NULL;

	(void)state;
	assert_int_equal(iommufd_backend_get_dirty_bitmap(be, 3, 0, 4096, 4096, VADDR, 1ull << 32,
							  &err),
			 -EOPNOTSUPP);
	assert_int_equal(device.ioctls, 0);
	error_free(err);
	iommufd_backend_delete(be, NULL);
}

static void test_calls_change_process_capable_is_the_ioctls_success(void **state)
{
	struct scripted_device device;
	IOMMUFDBackend *be = scripted_backend(&device);

	(void)state;
	assert_true(iommufd_change_process_capable(be));
	device.ioctl_errno = ENOTTY;
	assert_false(iommufd_change_process_capable(be));
	iommufd_backend_delete(be, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls_ask_and_store),
		cmocka_unit_test(test_calls_failed_ioctl_gives_its_errno_and_text),
		cmocka_unit_test(test_calls_without_hook_say_nothing),
		cmocka_unit_test(test_calls_unconnected_give_ebadf),
		cmocka_unit_test(test_calls_get_device_info_asks_for_a_type),
		cmocka_unit_test(test_calls_viommu_mmap_gives_the_devices_memory),
		cmocka_unit_test(test_calls_invalidate_partly_done_tells_how_many),
		cmocka_unit_test(test_calls_dirty_bitmap_flags_above_32_bits_give_eopnotsupp),
		cmocka_unit_test(test_calls_change_process_capable_is_the_ioctls_success),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
