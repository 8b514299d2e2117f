/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of every call: errno, latency.
 *
 * Which errno a call can give is read in Linux 7.2 (drivers/iommu/iommufd: the
 * command's function and what it calls) and in the ioctl entry
 * (iommufd_fops_ioctl: EFAULT, EINVAL, E2BIG, ENOTTY, for all of them).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "analysis/check/check_internal.h"

#define ERRNOS_MAX 16

struct errno_row {
	uint32_t nr; /* _IOC_NR of the ioctl */
	int errnos[ERRNOS_MAX]; /* ends with 0; besides those of every ioctl */
};

static const int every_ioctl[] = { EFAULT, EINVAL, E2BIG,  ENOTTY, EBADF,
				   ENOMEM, ENODEV, EOPNOTSUPP, 0 };

static const struct errno_row errno_rows[] = {
	{ 0x80, { ENOENT, EBUSY } },			       /* DESTROY */
	{ 0x81, { 0 } },				       /* IOAS_ALLOC */
	{ 0x82, { ENOENT, EADDRINUSE, EOVERFLOW } },	       /* IOAS_ALLOW_IOVAS */
	{ 0x83, { ENOENT, EEXIST, EOVERFLOW, ENOSPC, EPERM, EADDRINUSE } }, /* IOAS_COPY */
	{ 0x84, { ENOENT, EMSGSIZE } },			       /* IOAS_IOVA_RANGES */
	{ 0x85, { ENOENT, EEXIST, EOVERFLOW, ENOSPC, EADDRINUSE, EPERM } }, /* IOAS_MAP */
	{ 0x86, { ENOENT, EOVERFLOW, EBUSY, EDEADLOCK, EADDRINUSE } }, /* IOAS_UNMAP */
	{ 0x87, { ENOENT, EPERM, EBUSY, EADDRINUSE } },	       /* OPTION */
	{ 0x88, { ENOENT } },				       /* VFIO_IOAS */
	{ 0x89, { ENOENT, EADDRINUSE, EBUSY, EEXIST, EPERM } }, /* HWPT_ALLOC */
	{ 0x8a, { ENOENT, EMSGSIZE } },			       /* GET_HW_INFO */
	{ 0x8b, { ENOENT } },				       /* HWPT_SET_DIRTY_TRACKING */
	{ 0x8c, { ENOENT, EOVERFLOW, ERANGE } },	       /* HWPT_GET_DIRTY_BITMAP */
	{ 0x8d, { ENOENT, EIO, ENXIO } },		       /* HWPT_INVALIDATE */
	{ 0x8e, { EMFILE, ENFILE } },			       /* FAULT_QUEUE_ALLOC */
	{ 0x8f, { ENOENT, EEXIST, EOVERFLOW, ENOSPC, EADDRINUSE, EPERM } }, /* IOAS_MAP_FILE */
	{ 0x90, { ENOENT, EBUSY, EEXIST, EPERM } },	       /* VIOMMU_ALLOC */
	{ 0x91, { ENOENT, EEXIST, EBUSY, EXDEV } },	       /* VDEVICE_ALLOC */
	{ 0x92, { EBUSY, ENOENT, EPERM } },		       /* IOAS_CHANGE_PROCESS */
	{ 0x93, { ENOENT, EEXIST, EMFILE, ENFILE, EBUSY } },   /* VEVENTQ_ALLOC */
	{ 0x94, { ENOENT, EEXIST, EBUSY, EIO, EOVERFLOW, EADDRINUSE } }, /* HW_QUEUE_ALLOC */
};

/* The ioctl that a call of the backend makes; 0: none. */
static uint32_t nr_of_backend(enum event_op op)
{
	switch (op) {
	case OP_ALLOC_IOAS:
		return 0x81;
	case OP_FREE_ID:
		return 0x80;
	case OP_MAP_DMA:
		return 0x85;
	case OP_MAP_FILE_DMA:
		return 0x8f;
	case OP_UNMAP_DMA:
		return 0x86;
	case OP_GET_DEVICE_INFO:
		return 0x8a;
	case OP_ALLOC_HWPT:
		return 0x89;
	case OP_SET_DIRTY:
		return 0x8b;
	case OP_GET_DIRTY_BITMAP:
		return 0x8c;
	case OP_INVALIDATE_CACHE:
		return 0x8d;
	case OP_ALLOC_VIOMMU:
		return 0x90;
	case OP_ALLOC_VDEV:
		return 0x91;
	case OP_ALLOC_VEVENTQ:
		return 0x93;
	case OP_CHANGE_PROCESS:
		return 0x92;
	case OP_COPY_DMA:
		return 0x83;
	default:
		return 0;
	}
}

static bool listed(const int *errnos, int64_t number)
{
	for (; *errnos; errnos++) {
		if (*errnos == number)
			return true;
	}
	return false;
}

static bool errno_possible(uint32_t nr, int64_t number)
{
	if (listed(every_ioctl, number))
		return true;
	for (size_t i = 0; i < sizeof(errno_rows) / sizeof(errno_rows[0]); i++) {
		if (errno_rows[i].nr == nr)
			return listed(errno_rows[i].errnos, number);
	}
	return true; /* a call that the table does not know */
}

static void check_errno(struct check *check, const struct state_op *op)
{
	uint32_t nr = op->layer == STATE_BACKEND ? nr_of_backend(op->op) : 0;
	struct check_finding *finding;

	/* An ioctl inside a call of the backend is judged with the call. */
	if (op->layer == STATE_DEVICE && !op->outer && op->op >= OP_IOCTL &&
	    op->op < OP_IOCTL_LAST)
		nr = 0x80 + (uint32_t)(op->op - OP_IOCTL);
	if (!nr || op->qemu)
		return;
	rule_asked(check, RULE_ERRNO);
	if (op->ret >= 0 || errno_possible(nr, -op->ret))
		return;
	/* The caller was killed in the call: a program that lives does not see it. */
	if (op->layer == STATE_DEVICE && op->ret == -EINTR)
		return;
	finding = finding_add(check, RULE_ERRNO, VERDICT_VIOLATION, op->end_ns,
			      "%s cannot fail with %s (%" PRId64 ")", event_op_name(op->op),
			      strerrorname_np((int)-op->ret) ? strerrorname_np((int)-op->ret) :
							       "this errno", -op->ret);
	finding_about(check, finding, op->process, op->context, op->id);
	finding_witness_op(finding, op);
}

static void check_latency(struct check *check, const struct state_op *op)
{
	uint64_t budget_ns = check->config.latency_ns[op->op];
	struct check_finding *finding;
	uint64_t took_ns;

	if (!budget_ns || !op->begin_seen)
		return;
	rule_asked(check, RULE_LATENCY);
	took_ns = (uint64_t)(op->end_ns - op->begin_ns);
	if (took_ns <= budget_ns)
		return;
	finding = finding_add(check, RULE_LATENCY, VERDICT_VIOLATION, op->end_ns,
			      "%s took %" PRIu64 " ns, the budget is %" PRIu64 " ns",
			      event_op_name(op->op), took_ns, budget_ns);
	finding_about(check, finding, op->process, op->context, op->id);
	finding_witness_op(finding, op);
}

void check_call(struct check *check, const struct state_op *op)
{
	if (!op->returned)
		return;
	check_errno(check, op);
	if (check->has_latency)
		check_latency(check, op);
}
