/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine as an interval store: whole ioctls of a trusted client; a look-up is a DMA. */
#include "tests/bench/interval_store.h"

#include <stdlib.h>

#include <ioasis/iommufd_abi.h>

#include "sim/inproc/inproc.h"

#define MEMORY_BASE 0x100000000000ull
#define READ_WRITE (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)

struct engine_store {
	struct inproc *inproc;
	int fd;
	uint32_t ioas;
	struct engine_device *device;
};

static void *engine_store_create(void)
{
	const struct engine_config config = { 0 };
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct engine_store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->inproc = inproc_create(&config, INPROC_MEMORY_TRUSTED);
	if (!store->inproc)
		goto out_free;
	store->fd = inproc_open(store->inproc);
	if (store->fd < 0 || inproc_ioctl(store->inproc, store->fd, IOMMU_IOAS_ALLOC, &alloc))
		goto out_inproc;
	store->ioas = alloc.out_ioas_id;
	return store;

out_inproc:
	inproc_destroy(store->inproc);
out_free:
	free(store);
	return NULL;
}

static void engine_store_destroy(void *opaque)
{
	struct engine_store *store = opaque;

	if (store->device) {
		engine_device_detach(store->device, 0);
		engine_device_unbind(store->device);
	}
	inproc_destroy(store->inproc);
	free(store);
}

static bool engine_store_map(void *opaque, uint64_t start, uint64_t length)
{
	struct engine_store *store = opaque;
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = READ_WRITE | IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = store->ioas,
		.user_va = MEMORY_BASE + start,
		.length = length,
		.iova = start,
	};

	return !inproc_ioctl(store->inproc, store->fd, IOMMU_IOAS_MAP, &map);
}

static bool engine_store_unmap(void *opaque, uint64_t start, uint64_t length)
{
	struct engine_store *store = opaque;
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = store->ioas,
		.iova = start,
		.length = length,
	};

	return !inproc_ioctl(store->inproc, store->fd, IOMMU_IOAS_UNMAP, &unmap);
}

static bool engine_store_map_anywhere(void *opaque, uint64_t length, uint64_t *start)
{
	struct engine_store *store = opaque;
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = READ_WRITE,
		.ioas_id = store->ioas,
		.user_va = MEMORY_BASE,
		.length = length,
	};
	int rc = inproc_ioctl(store->inproc, store->fd, IOMMU_IOAS_MAP, &map);

	*start = map.iova;
	return !rc;
}

static int attach(void *opaque, const struct engine_client *client)
{
	struct engine_store *store = opaque;
	struct engine_ctx *ctx = inproc_borrow_ctx(store->inproc, store->fd);
	uint32_t pt_id = store->ioas;
	uint32_t id;
	int rc;

	rc = engine_device_bind(ctx, client, &store->device, &id);
	return rc ? rc : engine_device_attach(store->device, client, 0, &pt_id);
}

static bool engine_store_prepare_lookup(void *opaque)
{
	return !inproc_with_client(((struct engine_store *)opaque)->inproc, attach, opaque);
}

static bool engine_store_lookup(void *opaque, uint64_t address)
{
	uint64_t fault;

	return !engine_device_dma(((struct engine_store *)opaque)->device, address, 1, false, NULL,
				  &fault);
}

const struct interval_store store_engine = {
	.name = "engine",
	.create = engine_store_create,
	.destroy = engine_store_destroy,
	.map = engine_store_map,
	.unmap = engine_store_unmap,
	.map_anywhere = engine_store_map_anywhere,
	.prepare_lookup = engine_store_prepare_lookup,
	.lookup = engine_store_lookup,
};
