/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses as objects: which address space they look at, and their pins.
 *
 * An access counts in its address space, which so cannot be destroyed under it.
 */
#include "sim/engine/access.h"

static void access_object_destroy(struct engine_object *object)
{
	int rc = access_change_ioas(container_of(object, struct access, object), NULL);

	ENGINE_BUG_ON(rc);
}

static const struct object_ops access_ops = { .destroy = access_object_destroy };

static void seat_unmap(struct iopt_access *iopt, uint64_t iova, uint64_t length)
{
	struct access *access = container_of(iopt, struct access_seat, iopt)->access;

	access->unmap(access, iova, length);
}

struct access *access_create(struct engine_ctx *ctx, bool pins,
			     void (*unmap)(struct access *access, uint64_t iova,
					   uint64_t length))
{
	struct access *access =
		object_alloc(ctx, sizeof(*access), ENGINE_OBJ_ACCESS, &access_ops);

	if (!access)
		return NULL;
	list_init(&access->items);
	access->unmap = unmap;
	for (unsigned int i = 0; i < 2; i++) {
		struct access_seat *seat = &access->seats[i];

		list_init(&seat->iopt.link);
		seat->iopt.iova_alignment = pins ? ENGINE_PAGE_SIZE : 1;
		seat->iopt.internal = !unmap;
		seat->iopt.unmap = unmap ? seat_unmap : NULL;
		seat->access = access;
	}
	access->seat = &access->seats[0];
	access->object.users++;
	object_publish(&access->object, 0);
	return access;
}

void access_destroy(struct access *access)
{
	object_destroy_user(&access->object, false);
}

int access_change_ioas(struct access *access, struct ioas *ioas)
{
	struct access_seat *old_seat = access->seat;
	struct access_seat *seat = &access->seats[old_seat == &access->seats[0]];
	struct ioas *old = access->ioas;
	int rc;

	if (old == ioas)
		return 0;
	if (ioas) {
		if (ctx_should_fail(access->object.ctx))
			return -ENOMEM;
		rc = iopt_add_access(&ioas->iopt, &seat->iopt);
		if (rc)
			return rc;
		ioas->object.users++;
	}
	if (old) {
		if (access->unmap)
			access->unmap(access, 0, UINT64_MAX);
		iopt_remove_access(&old->iopt, &old_seat->iopt);
		old->object.users--;
	}
	access->seat = seat;
	access->ioas = ioas;
	return 0;
}

int access_pin(struct access *access, uint64_t iova, uint64_t length, bool write,
	       struct engine_page *pages)
{
	uint64_t last;

	if (!length)
		return -EINVAL;
	if (__builtin_add_overflow(iova, length - 1, &last))
		return -EOVERFLOW;
	if (!access->ioas)
		return -ENOENT;
	return iopt_access_pin(&access->ioas->iopt, &access->seat->iopt, iova, last, write, pages);
}

void access_unpin(struct access *access, uint64_t iova, uint64_t length)
{
	iopt_access_unpin(&access->ioas->iopt, &access->seat->iopt, iova, iova + (length - 1));
}

void access_verify(struct access *access)
{
	ENGINE_BUG_ON(access->object.users < 2);
	ENGINE_BUG_ON(!access->ioas != list_empty(&access->seat->iopt.link));
	ENGINE_BUG_ON(access->ioas && access->ioas->object.users < 2);
}
