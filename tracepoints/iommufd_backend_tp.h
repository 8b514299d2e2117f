/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events of the backend, one pair a call.
 *
 * The names and fields are those of QEMU (backends/trace-events), with ids
 * unsigned and ret 0 or the negative errno. Every event carries op_id, the number
 * of the call, and be, the number of the backend object in its process (from 1).
 * NAME_begin comes before the device is asked, NAME after it answered. What events
 * have in common is written once: as a class where they have the same fields, and
 * below in *_ARGS and *_FIELDS where some fields are the same.
 */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER iommufd_backend

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "tracepoints/iommufd_backend_tp.h"

#if !defined(IOASIS_IOMMUFD_BACKEND_TP_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define IOASIS_IOMMUFD_BACKEND_TP_H

#include <lttng/tracepoint.h>
#include <stdint.h>

/* The first fields of most events: of NAME_begin, and of NAME when the call is over. */
#define BEGIN_ARGS uint64_t, op_id, uint32_t, be, uint32_t, tid, int32_t, iommufd
#define BEGIN_FIELDS \
	lttng_ust_field_integer(uint64_t, op_id, op_id) \
	lttng_ust_field_integer(uint32_t, be, be) \
	lttng_ust_field_integer(uint32_t, tid, tid) \
	lttng_ust_field_integer(int32_t, iommufd, iommufd)
#define END_ARGS uint64_t, op_id, uint32_t, be, int32_t, iommufd
#define END_FIELDS \
	lttng_ust_field_integer(uint64_t, op_id, op_id) \
	lttng_ust_field_integer(uint32_t, be, be) \
	lttng_ust_field_integer(int32_t, iommufd, iommufd)

/* The addresses of an address space that a call is about. */
#define RANGE_ARGS uint32_t, ioas, uint64_t, iova, uint64_t, size
#define RANGE_FIELDS \
	lttng_ust_field_integer(uint32_t, ioas, ioas) \
	lttng_ust_field_integer_hex(uint64_t, iova, iova) \
	lttng_ust_field_integer_hex(uint64_t, size, size)

/* A pre-opened /dev/iommu was handed in. */
LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, set_fd,
	LTTNG_UST_TP_ARGS(uint64_t, op_id, uint32_t, be, int32_t, fd),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, op_id, op_id)
		lttng_ust_field_integer(uint32_t, be, be)
		lttng_ust_field_integer(int32_t, fd, fd)
	)
)

/* A user comes or goes. */
LTTNG_UST_TRACEPOINT_EVENT_CLASS(
	iommufd_backend, user_begin,
	LTTNG_UST_TP_ARGS(uint64_t, op_id, uint32_t, be, uint32_t, tid),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, op_id, op_id)
		lttng_ust_field_integer(uint32_t, be, be)
		lttng_ust_field_integer(uint32_t, tid, tid)
	)
)

/* Opens at the first user. fd and users after the call; ret 0 or -errno. */
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(
	iommufd_backend, user_begin, iommufd_backend, connect_begin,
	LTTNG_UST_TP_ARGS(uint64_t, op_id, uint32_t, be, uint32_t, tid)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, connect,
	LTTNG_UST_TP_ARGS(uint64_t, op_id, uint32_t, be, int32_t, fd, uint8_t, owned,
		uint32_t, users, int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, op_id, op_id)
		lttng_ust_field_integer(uint32_t, be, be)
		lttng_ust_field_integer(int32_t, fd, fd)
		lttng_ust_field_integer(uint8_t, owned, owned)
		lttng_ust_field_integer(uint32_t, users, users)
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

/* fd and users after the call: fd -1 when it was closed. ret -ENOTCONN: there was no user. */
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(
	iommufd_backend, user_begin, iommufd_backend, disconnect_begin,
	LTTNG_UST_TP_ARGS(uint64_t, op_id, uint32_t, be, uint32_t, tid)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, disconnect,
	LTTNG_UST_TP_ARGS(uint64_t, op_id, uint32_t, be, int32_t, fd, uint32_t, users,
		int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, op_id, op_id)
		lttng_ust_field_integer(uint32_t, be, be)
		lttng_ust_field_integer(int32_t, fd, fd)
		lttng_ust_field_integer(uint32_t, users, users)
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, alloc_ioas_begin,
	LTTNG_UST_TP_ARGS(BEGIN_ARGS),
	LTTNG_UST_TP_FIELDS(BEGIN_FIELDS)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, alloc_ioas,
	LTTNG_UST_TP_ARGS(END_ARGS, uint32_t, ioas, int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		END_FIELDS
		lttng_ust_field_integer(uint32_t, ioas, ioas)
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

/* About one object. */
LTTNG_UST_TRACEPOINT_EVENT_CLASS(
	iommufd_backend, id_begin,
	LTTNG_UST_TP_ARGS(BEGIN_ARGS, uint32_t, id),
	LTTNG_UST_TP_FIELDS(
		BEGIN_FIELDS
		lttng_ust_field_integer(uint32_t, id, id)
	)
)

LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(
	iommufd_backend, id_begin, iommufd_backend, free_id_begin,
	LTTNG_UST_TP_ARGS(BEGIN_ARGS, uint32_t, id)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, free_id,
	LTTNG_UST_TP_ARGS(END_ARGS, uint32_t, id, int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		END_FIELDS
		lttng_ust_field_integer(uint32_t, id, id)
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

/* vaddr is in map_dma_vaddr, off by default. */
LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, map_dma_begin,
	LTTNG_UST_TP_ARGS(BEGIN_ARGS, RANGE_ARGS, uint8_t, readonly),
	LTTNG_UST_TP_FIELDS(
		BEGIN_FIELDS
		RANGE_FIELDS
		lttng_ust_field_integer(uint8_t, readonly, readonly)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, map_dma,
	LTTNG_UST_TP_ARGS(END_ARGS, RANGE_ARGS, uint8_t, readonly, int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		END_FIELDS
		RANGE_FIELDS
		lttng_ust_field_integer(uint8_t, readonly, readonly)
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

/* The address in the process. Off by default: it gives away the memory layout. */
LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, map_dma_vaddr,
	LTTNG_UST_TP_ARGS(uint64_t, op_id, uint32_t, be, uint64_t, vaddr),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, op_id, op_id)
		lttng_ust_field_integer(uint32_t, be, be)
		lttng_ust_field_integer_hex(uint64_t, vaddr, vaddr)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, map_file_dma_begin,
	LTTNG_UST_TP_ARGS(BEGIN_ARGS, RANGE_ARGS, int32_t, fd, uint64_t, start,
		uint8_t, readonly),
	LTTNG_UST_TP_FIELDS(
		BEGIN_FIELDS
		RANGE_FIELDS
		lttng_ust_field_integer(int32_t, fd, fd)
		lttng_ust_field_integer_hex(uint64_t, start, start)
		lttng_ust_field_integer(uint8_t, readonly, readonly)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, map_file_dma,
	LTTNG_UST_TP_ARGS(END_ARGS, RANGE_ARGS, int32_t, fd, uint64_t, start, uint8_t, readonly,
		int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		END_FIELDS
		RANGE_FIELDS
		lttng_ust_field_integer(int32_t, fd, fd)
		lttng_ust_field_integer_hex(uint64_t, start, start)
		lttng_ust_field_integer(uint8_t, readonly, readonly)
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

/* Ends with unmap_dma, or with unmap_dma_non_exist when nothing was mapped. */
LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, unmap_dma_begin,
	LTTNG_UST_TP_ARGS(BEGIN_ARGS, RANGE_ARGS),
	LTTNG_UST_TP_FIELDS(
		BEGIN_FIELDS
		RANGE_FIELDS
	)
)

/* The two ends of an unmap. */
LTTNG_UST_TRACEPOINT_EVENT_CLASS(
	iommufd_backend, unmap_end,
	LTTNG_UST_TP_ARGS(END_ARGS, RANGE_ARGS, int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		END_FIELDS
		RANGE_FIELDS
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(
	iommufd_backend, unmap_end, iommufd_backend, unmap_dma,
	LTTNG_UST_TP_ARGS(END_ARGS, RANGE_ARGS, int32_t, ret)
)

LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(
	iommufd_backend, unmap_end, iommufd_backend, unmap_dma_non_exist,
	LTTNG_UST_TP_ARGS(END_ARGS, RANGE_ARGS, int32_t, ret)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, get_device_info_begin,
	LTTNG_UST_TP_ARGS(BEGIN_ARGS, uint32_t, dev_id),
	LTTNG_UST_TP_FIELDS(
		BEGIN_FIELDS
		lttng_ust_field_integer(uint32_t, dev_id, dev_id)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, get_device_info,
	LTTNG_UST_TP_ARGS(END_ARGS, uint32_t, dev_id, uint32_t, hw_type, uint64_t, caps,
		int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		END_FIELDS
		lttng_ust_field_integer(uint32_t, dev_id, dev_id)
		lttng_ust_field_integer(uint32_t, hw_type, hw_type)
		lttng_ust_field_integer(uint64_t, caps, caps)
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, alloc_hwpt_begin,
	LTTNG_UST_TP_ARGS(BEGIN_ARGS, uint32_t, dev_id, uint32_t, pt_id, uint32_t, flags),
	LTTNG_UST_TP_FIELDS(
		BEGIN_FIELDS
		lttng_ust_field_integer(uint32_t, dev_id, dev_id)
		lttng_ust_field_integer(uint32_t, pt_id, pt_id)
		lttng_ust_field_integer_hex(uint32_t, flags, flags)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, alloc_hwpt,
	LTTNG_UST_TP_ARGS(END_ARGS, uint32_t, dev_id, uint32_t, pt_id, uint32_t, flags,
		uint32_t, hwpt_type, uint32_t, len, uint32_t, out_hwpt_id, int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		END_FIELDS
		lttng_ust_field_integer(uint32_t, dev_id, dev_id)
		lttng_ust_field_integer(uint32_t, pt_id, pt_id)
		lttng_ust_field_integer_hex(uint32_t, flags, flags)
		lttng_ust_field_integer(uint32_t, hwpt_type, hwpt_type)
		lttng_ust_field_integer(uint32_t, len, len)
		lttng_ust_field_integer(uint32_t, out_hwpt_id, out_hwpt_id)
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, set_dirty_begin,
	LTTNG_UST_TP_ARGS(BEGIN_ARGS, uint32_t, hwpt_id, uint8_t, start),
	LTTNG_UST_TP_FIELDS(
		BEGIN_FIELDS
		lttng_ust_field_integer(uint32_t, hwpt_id, hwpt_id)
		lttng_ust_field_integer(uint8_t, start, start)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, set_dirty,
	LTTNG_UST_TP_ARGS(END_ARGS, uint32_t, hwpt_id, uint8_t, start, int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		END_FIELDS
		lttng_ust_field_integer(uint32_t, hwpt_id, hwpt_id)
		lttng_ust_field_integer(uint8_t, start, start)
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, get_dirty_bitmap_begin,
	LTTNG_UST_TP_ARGS(BEGIN_ARGS, uint32_t, hwpt_id, uint64_t, iova, uint64_t, size,
		uint64_t, page_size),
	LTTNG_UST_TP_FIELDS(
		BEGIN_FIELDS
		lttng_ust_field_integer(uint32_t, hwpt_id, hwpt_id)
		lttng_ust_field_integer_hex(uint64_t, iova, iova)
		lttng_ust_field_integer_hex(uint64_t, size, size)
		lttng_ust_field_integer(uint64_t, page_size, page_size)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, get_dirty_bitmap,
	LTTNG_UST_TP_ARGS(END_ARGS, uint32_t, hwpt_id, uint64_t, iova, uint64_t, size,
		uint64_t, flags, uint64_t, page_size, int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		END_FIELDS
		lttng_ust_field_integer(uint32_t, hwpt_id, hwpt_id)
		lttng_ust_field_integer_hex(uint64_t, iova, iova)
		lttng_ust_field_integer_hex(uint64_t, size, size)
		lttng_ust_field_integer_hex(uint64_t, flags, flags)
		lttng_ust_field_integer(uint64_t, page_size, page_size)
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(
	iommufd_backend, id_begin, iommufd_backend, invalidate_cache_begin,
	LTTNG_UST_TP_ARGS(BEGIN_ARGS, uint32_t, id)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, invalidate_cache,
	LTTNG_UST_TP_ARGS(END_ARGS, uint32_t, id, uint32_t, data_type, uint32_t, entry_len,
		uint32_t, entry_num, uint32_t, done_num, int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		END_FIELDS
		lttng_ust_field_integer(uint32_t, id, id)
		lttng_ust_field_integer(uint32_t, data_type, data_type)
		lttng_ust_field_integer(uint32_t, entry_len, entry_len)
		lttng_ust_field_integer(uint32_t, entry_num, entry_num)
		lttng_ust_field_integer(uint32_t, done_num, done_num)
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, alloc_viommu_begin,
	LTTNG_UST_TP_ARGS(BEGIN_ARGS, uint32_t, dev_id, uint32_t, type, uint32_t, hwpt_id),
	LTTNG_UST_TP_FIELDS(
		BEGIN_FIELDS
		lttng_ust_field_integer(uint32_t, dev_id, dev_id)
		lttng_ust_field_integer(uint32_t, type, type)
		lttng_ust_field_integer(uint32_t, hwpt_id, hwpt_id)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, alloc_viommu,
	LTTNG_UST_TP_ARGS(END_ARGS, uint32_t, dev_id, uint32_t, type, uint32_t, hwpt_id,
		uint32_t, viommu_id, int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		END_FIELDS
		lttng_ust_field_integer(uint32_t, dev_id, dev_id)
		lttng_ust_field_integer(uint32_t, type, type)
		lttng_ust_field_integer(uint32_t, hwpt_id, hwpt_id)
		lttng_ust_field_integer(uint32_t, viommu_id, viommu_id)
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, alloc_vdev_begin,
	LTTNG_UST_TP_ARGS(BEGIN_ARGS, uint32_t, dev_id, uint32_t, viommu_id, uint64_t, virt_id),
	LTTNG_UST_TP_FIELDS(
		BEGIN_FIELDS
		lttng_ust_field_integer(uint32_t, dev_id, dev_id)
		lttng_ust_field_integer(uint32_t, viommu_id, viommu_id)
		lttng_ust_field_integer_hex(uint64_t, virt_id, virt_id)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, alloc_vdev,
	LTTNG_UST_TP_ARGS(END_ARGS, uint32_t, dev_id, uint32_t, viommu_id, uint64_t, virt_id,
		uint32_t, vdev_id, int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		END_FIELDS
		lttng_ust_field_integer(uint32_t, dev_id, dev_id)
		lttng_ust_field_integer(uint32_t, viommu_id, viommu_id)
		lttng_ust_field_integer_hex(uint64_t, virt_id, virt_id)
		lttng_ust_field_integer(uint32_t, vdev_id, vdev_id)
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, alloc_veventq_begin,
	LTTNG_UST_TP_ARGS(BEGIN_ARGS, uint32_t, viommu_id, uint32_t, type),
	LTTNG_UST_TP_FIELDS(
		BEGIN_FIELDS
		lttng_ust_field_integer(uint32_t, viommu_id, viommu_id)
		lttng_ust_field_integer(uint32_t, type, type)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, alloc_veventq,
	LTTNG_UST_TP_ARGS(END_ARGS, uint32_t, viommu_id, uint32_t, type, uint32_t, veventq_id,
		int32_t, veventq_fd, int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		END_FIELDS
		lttng_ust_field_integer(uint32_t, viommu_id, viommu_id)
		lttng_ust_field_integer(uint32_t, type, type)
		lttng_ust_field_integer(uint32_t, veventq_id, veventq_id)
		lttng_ust_field_integer(int32_t, veventq_fd, veventq_fd)
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, change_process_begin,
	LTTNG_UST_TP_ARGS(BEGIN_ARGS),
	LTTNG_UST_TP_FIELDS(BEGIN_FIELDS)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, change_process,
	LTTNG_UST_TP_ARGS(END_ARGS, int32_t, ret),
	LTTNG_UST_TP_FIELDS(
		END_FIELDS
		lttng_ust_field_integer(int32_t, ret, ret)
	)
)

/* State dump of one backend, when tracing starts late: begin, its objects, its mappings, end. */
LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, state_begin,
	LTTNG_UST_TP_ARGS(uint32_t, be, int32_t, fd, uint8_t, owned, uint32_t, users),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, be, be)
		lttng_ust_field_integer(int32_t, fd, fd)
		lttng_ust_field_integer(uint8_t, owned, owned)
		lttng_ust_field_integer(uint32_t, users, users)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, state_object,
	LTTNG_UST_TP_ARGS(uint32_t, be, int32_t, iommufd, uint32_t, id),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, be, be)
		lttng_ust_field_integer(int32_t, iommufd, iommufd)
		lttng_ust_field_integer(uint32_t, id, id)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, state_mapping,
	LTTNG_UST_TP_ARGS(uint32_t, be, int32_t, iommufd, RANGE_ARGS, uint8_t, readonly),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, be, be)
		lttng_ust_field_integer(int32_t, iommufd, iommufd)
		RANGE_FIELDS
		lttng_ust_field_integer(uint8_t, readonly, readonly)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, state_end,
	LTTNG_UST_TP_ARGS(uint32_t, be),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, be, be)
	)
)

/* The process ends by exit(): op_id is that of its last call. Nothing follows. */
LTTNG_UST_TRACEPOINT_EVENT(
	iommufd_backend, process_end,
	LTTNG_UST_TP_ARGS(uint64_t, op_id),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, op_id, op_id)
	)
)

#endif

#include <lttng/tracepoint-event.h>

#undef BEGIN_ARGS
#undef BEGIN_FIELDS
#undef END_ARGS
#undef END_FIELDS
#undef RANGE_ARGS
#undef RANGE_FIELDS
