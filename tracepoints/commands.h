/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The catalogue of the device's commands: one row says all that is known of one, and nothing
 * of it stands anywhere else. Who wants a part of it defines a macro of that part:
 *
 *	#define NAME_OF(nr, NAME, ...) [nr] = #NAME,
 *	IOMMUFD_COMMANDS(NAME_OF)
 *
 * A row: COMMAND(nr, NAME, short, handler, type, last, major, minor, PLAIN, names, errnos,
 * file, before...)
 *
 *	nr	 number, IOMMUFD_CMD_NAME of the ABI
 *	NAME	 the kernel's name without IOMMU_; the trace's and the analysis's, too
 *	short	 the name for --fail and --delay, a string
 *	handler	 the engine's function
 *	type	 struct of the argument
 *	last	 its last mandatory member
 *	major, minor  of the first kernel that has the command
 *	PLAIN	 the call of the backend that makes it: OP_PLAIN in analysis/event.h; or NONE
 *	names	 what a call names: for each id that must exist ID(member), ID_EINVAL(member) where the
 *		 answer is EINVAL and not ENOENT if it does not, or OPTIONAL_ID(member, condition on
 *		 `arg`); then RANGE(iova, length) or nothing
 *	errnos	 ERRNOS(...): what it can give besides those of every ioctl (IOMMUFD_ERRNOS)
 *	file	 GIVES_FILE when an open file is returned, else NO_FILE
 *	before	 { until, size, flags }: what kernels before `until` knew of it, oldest first
 *
 * Sources: iommufd_ioctl_ops in drivers/iommu/iommufd/main.c, and each handler with what it
 * calls; `since` and `before` from the history of include/uapi/linux/iommufd.h (docs/VERSIONS.md).
 */
#ifndef IOASIS_TRACEPOINTS_COMMANDS_H
#define IOASIS_TRACEPOINTS_COMMANDS_H

/* What any ioctl of the file can give (iommufd_fops_ioctl, and memory of the kernel). */
#define IOMMUFD_ERRNOS EFAULT, EINVAL, E2BIG, ENOTTY, EBADF, ENOMEM, ENODEV, EOPNOTSUPP

#define IOMMUFD_COMMANDS(COMMAND)                                                          \
	COMMAND(0x80, DESTROY, "destroy", cmd_destroy, iommu_destroy, id, 6, 2, FREE_ID,   \
		ID(id), ERRNOS(ENOENT, EBUSY), NO_FILE)                                    \
	COMMAND(0x81, IOAS_ALLOC, "alloc", cmd_ioas_alloc, iommu_ioas_alloc, out_ioas_id,  \
		6, 2, ALLOC_IOAS, , ERRNOS(), NO_FILE)                                     \
	COMMAND(0x82, IOAS_ALLOW_IOVAS, "allow", cmd_ioas_allow_iovas,                     \
		iommu_ioas_allow_iovas, allowed_iovas, 6, 2, NONE, ID(ioas_id),            \
		ERRNOS(ENOENT, EADDRINUSE, EOVERFLOW), NO_FILE)                            \
	COMMAND(0x83, IOAS_COPY, "copy", cmd_ioas_copy, iommu_ioas_copy, src_iova, 6, 2,   \
		COPY_DMA, ID(dst_ioas_id) ID(src_ioas_id) RANGE(dst_iova, length),         \
		ERRNOS(ENOENT, EEXIST, EOVERFLOW, ENOSPC, EPERM, EADDRINUSE), NO_FILE)     \
	COMMAND(0x84, IOAS_IOVA_RANGES, "ranges", cmd_ioas_iova_ranges,                    \
		iommu_ioas_iova_ranges, out_iova_alignment, 6, 2, NONE, ID(ioas_id),       \
		ERRNOS(ENOENT, EMSGSIZE), NO_FILE)                                         \
	COMMAND(0x85, IOAS_MAP, "map", cmd_ioas_map, iommu_ioas_map, iova, 6, 2, MAP_DMA,  \
		ID(ioas_id) RANGE(iova, length),                                           \
		ERRNOS(ENOENT, EEXIST, EOVERFLOW, ENOSPC, EADDRINUSE, EPERM), NO_FILE)     \
	COMMAND(0x86, IOAS_UNMAP, "unmap", cmd_ioas_unmap, iommu_ioas_unmap, length, 6, 2, \
		UNMAP_DMA, ID(ioas_id) RANGE(iova, length),                                \
		ERRNOS(ENOENT, EOVERFLOW, EBUSY, EDEADLOCK, EADDRINUSE), NO_FILE)          \
	COMMAND(0x87, OPTION, "option", cmd_option, iommu_option, val64, 6, 2, NONE,       \
		OPTIONAL_ID(object_id, arg->option_id == IOMMU_OPTION_HUGE_PAGES),         \
		ERRNOS(ENOENT, EPERM, EBUSY, EADDRINUSE), NO_FILE)                         \
	COMMAND(0x88, VFIO_IOAS, "vfio-ioas", cmd_vfio_ioas, iommu_vfio_ioas, __reserved,  \
		6, 2, NONE, OPTIONAL_ID(ioas_id, arg->op == IOMMU_VFIO_IOAS_SET),          \
		ERRNOS(ENOENT), NO_FILE)                                                   \
	COMMAND(0x89, HWPT_ALLOC, "hwpt-alloc", cmd_hwpt_alloc, iommu_hwpt_alloc,          \
		__reserved, 6, 6, ALLOC_HWPT,                                              \
		ID_EINVAL(pt_id) ID(dev_id)                                                \
			OPTIONAL_ID(fault_id, arg->flags & IOMMU_HWPT_FAULT_ID_VALID),     \
		ERRNOS(ENOENT, EADDRINUSE, EBUSY, EEXIST, EPERM), NO_FILE,                 \
		{ ENGINE_LINUX(6, 7), offsetof(struct iommu_hwpt_alloc, data_type), 0 },   \
		{ ENGINE_LINUX(6, 11), offsetof(struct iommu_hwpt_alloc, fault_id),        \
		  IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING },        \
		{ ENGINE_LINUX(6, 15), sizeof(struct iommu_hwpt_alloc),                    \
		  IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING |         \
			  IOMMU_HWPT_FAULT_ID_VALID })                                     \
	COMMAND(0x8a, GET_HW_INFO, "hw-info", cmd_get_hw_info, iommu_hw_info, __reserved,  \
		6, 6, GET_DEVICE_INFO, ID(dev_id), ERRNOS(ENOENT, EMSGSIZE), NO_FILE,      \
		{ ENGINE_LINUX(6, 7), offsetof(struct iommu_hw_info, out_capabilities),    \
		  0 },                                                                     \
		{ ENGINE_LINUX(6, 17), sizeof(struct iommu_hw_info), 0 })                  \
	COMMAND(0x8b, HWPT_SET_DIRTY_TRACKING, "set-dirty", cmd_hwpt_set_dirty_tracking,   \
		iommu_hwpt_set_dirty_tracking, __reserved, 6, 7, SET_DIRTY, ID(hwpt_id),   \
		ERRNOS(ENOENT), NO_FILE)                                                   \
	COMMAND(0x8c, HWPT_GET_DIRTY_BITMAP, "get-dirty", cmd_hwpt_get_dirty_bitmap,       \
		iommu_hwpt_get_dirty_bitmap, data, 6, 7, GET_DIRTY_BITMAP,                 \
		ID(hwpt_id) RANGE(iova, length), ERRNOS(ENOENT, EOVERFLOW, ERANGE),        \
		NO_FILE)                                                                   \
	COMMAND(0x8d, HWPT_INVALIDATE, "invalidate", cmd_hwpt_invalidate,                  \
		iommu_hwpt_invalidate, __reserved, 6, 8, INVALIDATE_CACHE, ID(hwpt_id),    \
		ERRNOS(ENOENT, EIO, ENXIO), NO_FILE)                                       \
	COMMAND(0x8e, FAULT_QUEUE_ALLOC, "fault-alloc", cmd_fault_queue_alloc,             \
		iommu_fault_alloc, out_fault_fd, 6, 11, NONE, , ERRNOS(EMFILE, ENFILE),    \
		GIVES_FILE)                                                                \
	COMMAND(0x8f, IOAS_MAP_FILE, "map-file", cmd_ioas_map_file, iommu_ioas_map_file,   \
		iova, 6, 13, MAP_FILE_DMA, ID(ioas_id) RANGE(iova, length),                \
		ERRNOS(ENOENT, EEXIST, EOVERFLOW, ENOSPC, EADDRINUSE, EPERM), NO_FILE)     \
	COMMAND(0x90, VIOMMU_ALLOC, "viommu-alloc", cmd_viommu_alloc, iommu_viommu_alloc,  \
		out_viommu_id, 6, 13, ALLOC_VIOMMU, ID(hwpt_id) ID(dev_id),                \
		ERRNOS(ENOENT, EBUSY, EEXIST, EPERM), NO_FILE,                             \
		{ ENGINE_LINUX(6, 17), offsetof(struct iommu_viommu_alloc, data_len), 0 }) \
	COMMAND(0x91, VDEVICE_ALLOC, "vdevice-alloc", cmd_vdevice_alloc,                   \
		iommu_vdevice_alloc, virt_id, 6, 13, ALLOC_VDEV, ID(viommu_id) ID(dev_id), \
		ERRNOS(ENOENT, EEXIST, EBUSY, EXDEV), NO_FILE)                             \
	COMMAND(0x92, IOAS_CHANGE_PROCESS, "change-process", cmd_ioas_change_process,      \
		iommu_ioas_change_process, __reserved, 6, 13, CHANGE_PROCESS, ,            \
		ERRNOS(EBUSY, ENOENT, EPERM), NO_FILE)                                     \
	COMMAND(0x93, VEVENTQ_ALLOC, "veventq-alloc", cmd_veventq_alloc,                   \
		iommu_veventq_alloc, out_veventq_fd, 6, 15, ALLOC_VEVENTQ, ID(viommu_id),  \
		ERRNOS(ENOENT, EEXIST, EMFILE, ENFILE, EBUSY), GIVES_FILE)                 \
	COMMAND(0x94, HW_QUEUE_ALLOC, "hw-queue-alloc", cmd_hw_queue_alloc,                \
		iommu_hw_queue_alloc, length, 6, 17, ALLOC_HW_QUEUE, ID(viommu_id),        \
		ERRNOS(ENOENT, EEXIST, EBUSY, EIO, EOVERFLOW, EADDRINUSE), NO_FILE)        \
	COMMAND(0x95, IOAS_NOIOMMU_GET_PA, "get-pa", cmd_ioas_noiommu_get_pa,              \
		iommu_ioas_noiommu_get_pa, out_phys, 7, 3, NONE, ID(ioas_id),              \
		ERRNOS(ENOENT, EPERM, EOVERFLOW), NO_FILE)

/* The kernel's test command has a number apart, and one structure for many purposes. */
#define IOMMUFD_TEST_COMMAND 0xa0

/*
 * VFIO's type 1 interface on the same file (drivers/iommu/iommufd/vfio_compat.c):
 * COMMAND(number from VFIO_BASE (100), NAME, short, PLAIN). They name the space of the file, and
 * those that map or unmap a range.
 */
#define VFIO_TYPE1_COMMANDS(COMMAND)                                                       \
	COMMAND(0, VFIO_GET_API_VERSION, "vfio-version", NONE)                             \
	COMMAND(1, VFIO_CHECK_EXTENSION, "vfio-extension", NONE)                           \
	COMMAND(2, VFIO_SET_IOMMU, "vfio-set-iommu", NONE)                                 \
	COMMAND(12, VFIO_IOMMU_GET_INFO, "vfio-info", NONE)                                \
	COMMAND(13, VFIO_IOMMU_MAP_DMA, "vfio-map", MAP_DMA)                               \
	COMMAND(14, VFIO_IOMMU_UNMAP_DMA, "vfio-unmap", UNMAP_DMA)

/*
 * The calls of the backend: CALL(NAME, name, OBJECT). NAME is what PLAIN says above; name is what
 * its events are called in tracepoints/iommufd_backend.def, QEMU's word; OBJECT is what the call
 * makes, TRACE_OBJ_OBJECT of tracepoints/names.h, or NONE. The last two are none of the library's:
 * copy_dma stands for its ioctl in statistics, bind is QEMU's (its events of VFIO are
 * iommufd_cdev_).
 */
#define IOMMUFD_BACKEND_CALLS(CALL)                                                        \
	CALL(SET_FD, "set_fd", NONE)                                                       \
	CALL(CONNECT, "connect", NONE)                                                     \
	CALL(DISCONNECT, "disconnect", NONE)                                               \
	CALL(ALLOC_IOAS, "alloc_ioas", IOAS)                                               \
	CALL(FREE_ID, "free_id", NONE)                                                     \
	CALL(MAP_DMA, "map_dma", NONE)                                                     \
	CALL(MAP_FILE_DMA, "map_file_dma", NONE)                                           \
	CALL(UNMAP_DMA, "unmap_dma", NONE)                                                 \
	CALL(GET_DEVICE_INFO, "get_device_info", NONE)                                     \
	CALL(ALLOC_HWPT, "alloc_hwpt", HWPT_PAGING)                                        \
	CALL(SET_DIRTY, "set_dirty", NONE)                                                 \
	CALL(GET_DIRTY_BITMAP, "get_dirty_bitmap", NONE)                                   \
	CALL(INVALIDATE_CACHE, "invalidate_cache", NONE)                                   \
	CALL(ALLOC_VIOMMU, "alloc_viommu", VIOMMU)                                         \
	CALL(ALLOC_VDEV, "alloc_vdev", VDEVICE)                                            \
	CALL(ALLOC_VEVENTQ, "alloc_veventq", VEVENTQ)                                      \
	CALL(ALLOC_HW_QUEUE, "alloc_hw_queue", HW_QUEUE)                                   \
	CALL(VIOMMU_MMAP, "viommu_mmap", NONE)                                             \
	CALL(ATTACH, "attach", NONE)                                                       \
	CALL(DETACH, "detach", NONE)                                                       \
	CALL(CHANGE_PROCESS, "change_process", NONE)                                       \
	CALL(COPY_DMA, "copy_dma", NONE)                                                   \
	CALL(BIND, "bind", DEVICE)

#endif
