/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page table objects: paging ones, which show an address space, and nested ones,
 * which the client owns and which sit on a paging one.
 *
 * All functions need the context's lock. Source: iommufd/hw_pagetable.c.
 */
#ifndef IOASIS_ENGINE_HWPT_H
#define IOASIS_ENGINE_HWPT_H

#include "sim/engine/command.h"
#include "sim/engine/domain.h"

struct device;
struct fault_queue;
struct viommu;

struct hwpt {
	struct engine_object object;
	struct domain domain;
	bool domain_ready;	   /* the driver has set the domain up */
	struct fault_queue *fault; /* who handles its page faults; counted, may be NULL */
	bool pasid_compat;	   /* made to be used together with PASIDs */

	/* of a paging one */
	struct ioas *ioas;	/* counted */
	struct list_link link;	/* in ioas->hwpts once its pages are filled */
	bool auto_domain;	/* made by an attach, goes with its last device */
	bool nest_parent;

	/* of a nested one: exactly one of both is counted, viommu if there is one */
	struct hwpt *parent;
	struct viommu *viommu;
};

/* Data of the client that only the driver understands. */
struct user_data {
	uint64_t uptr;
	uint64_t len; /* bytes */
	uint32_t type;
};

/*
 * Reads driver data into size bytes at dst. -EINVAL: another type, or a length
 * outside [min_size, size]. -EFAULT. Source: __iommu_copy_struct_from_user().
 */
int user_data_copy_in(struct engine_ctx *ctx, void *dst, const struct user_data *data,
		      uint32_t type, size_t size, size_t min_size);

static inline bool hwpt_is_paging(const struct hwpt *hwpt)
{
	return hwpt->object.type == ENGINE_OBJ_HWPT_PAGING;
}

/* The paging page table that hwpt is or sits on. */
static inline struct hwpt *hwpt_find_paging(struct hwpt *hwpt)
{
	return hwpt_is_paging(hwpt) ? hwpt : hwpt->parent;
}

/*
 * Makes a paging page table of ioas for dev, filled, not published. attach: dev's
 * pasid is attached to it before it is filled. data may be NULL. Stores it in
 * *out; on failure (-EOPNOTSUPP, -EINVAL, -ENOMEM, -EFAULT, -EADDRINUSE, ...)
 * nothing has changed.
 */
int hwpt_paging_alloc(struct engine_ctx *ctx, struct ioas *ioas, struct device *dev,
		      uint32_t pasid, uint32_t flags, bool attach, const struct user_data *data,
		      struct hwpt **out);

/* The page table with this id, of either type, or NULL: -ENOENT or, with *rc, -EINVAL. */
struct hwpt *hwpt_get_any(struct engine_ctx *ctx, uint32_t id, int *rc);

/* Gives a user's count back; one made by attaching goes with its last. */
void hwpt_put(struct hwpt *hwpt);

void hwpt_verify(struct hwpt *hwpt);

#endif
