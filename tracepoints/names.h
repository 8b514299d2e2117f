/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The numbers that events carry, shared by those who emit and those who analyse.
 * They are part of the trace format: add at the end, never renumber.
 */
#ifndef IOASIS_TRACEPOINTS_NAMES_H
#define IOASIS_TRACEPOINTS_NAMES_H

/* iommufd_dev:commit, field `kind`: what changed, and what its other fields mean. */
enum trace_commit_kind {
	TRACE_COMMIT_ALLOC = 1,	  /* obj exists now; flags: trace_object_type; arg: its parent's id or 0 */
	TRACE_COMMIT_DESTROY = 2, /* obj is gone, with all its mappings; the last of its numbers */
	TRACE_COMMIT_MAP = 3,	  /* [iova, last] mapped in ioas obj; flags: trace_prot */
	TRACE_COMMIT_COPY = 4,	  /* the same, sharing the pages of ioas arg */
	TRACE_COMMIT_UNMAP = 5,	  /* all mappings inside [iova, last] gone; arg: bytes that were mapped */
	TRACE_COMMIT_ATTACH = 6,  /* device arg uses page table obj (flags: pasid) */
	TRACE_COMMIT_DETACH = 7,  /* device arg no longer uses page table obj */
	TRACE_COMMIT_DIRTY_SET = 8,   /* page table obj: tracking is arg (0, 1) */
	TRACE_COMMIT_DIRTY_READ = 9,  /* page table obj: [iova, last] read; flags: of the call */
	TRACE_COMMIT_ALLOW = 10,      /* ioas obj: arg ranges allowed */
	TRACE_COMMIT_OPTION = 11,     /* obj (0: the file): option flags set to arg */
	TRACE_COMMIT_PROCESS = 12,    /* ioas obj: mappings now charged to process arg */
	TRACE_COMMIT_INVALIDATE = 13, /* obj: arg entries invalidated */
};

/* iommufd_dev:commit ALLOC and state_object, what an object is. */
enum trace_object_type {
	TRACE_OBJ_NONE = 0,
	TRACE_OBJ_IOAS = 1,
	TRACE_OBJ_HWPT_PAGING = 2,
	TRACE_OBJ_HWPT_NESTED = 3,
	TRACE_OBJ_DEVICE = 4,
	TRACE_OBJ_ACCESS = 5,
	TRACE_OBJ_FAULT = 6,
	TRACE_OBJ_VIOMMU = 7,
	TRACE_OBJ_VDEVICE = 8,
	TRACE_OBJ_VEVENTQ = 9,
	TRACE_OBJ_HW_QUEUE = 10,
	TRACE_OBJ_SELFTEST = 11,
};

/* What a device may do with a mapping. */
enum trace_prot {
	TRACE_PROT_READ = 1,
	TRACE_PROT_WRITE = 2,
};

#endif
