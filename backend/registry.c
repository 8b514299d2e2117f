/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registry: a list of backends that have ids, under one lock. Ids are few
 * (a VMM has one or two backends), so a list it is.
 */
#include <ioasis/iommufd_registry.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "backend/error_echo.h"
#include "backend/options.h"

struct entry {
	struct entry *next;
	IOMMUFDBackend *be; /* owned */
};

struct IOMMUFDRegistry {
	pthread_mutex_t lock;
	struct entry *entries; /* owned */

	/* For backends to come. */
	char *path; /* owned; may be NULL */
	const IOMMUFDDeviceOps *ops;
	void *ops_opaque;
	IOMMUFDReportFn report;
	void *report_opaque;
	IOMMUFDFdLookupFn fd_lookup;
	void *fd_lookup_opaque;
	const IOMMUFDCprOps *cpr;
	void *cpr_opaque;
};

IOMMUFDRegistry *iommufd_registry_new(void)
{
	IOMMUFDRegistry *registry = calloc(1, sizeof(*registry));

	if (registry)
		pthread_mutex_init(&registry->lock, NULL);
	return registry;
}

int iommufd_registry_delete(IOMMUFDRegistry *registry, Error **errp)
{
	struct entry *entry;

	if (!registry)
		return 0;
	for (entry = registry->entries; entry; entry = entry->next) {
		if (!iommufd_backend_can_be_deleted(entry->be)) {
			error_setg(errp, "object '%s' is in use, it cannot be deleted",
				   error_echo(iommufd_backend_get_id(entry->be)).text);
			return -EBUSY;
		}
	}
	while ((entry = registry->entries)) {
		registry->entries = entry->next;
		iommufd_backend_delete(entry->be, NULL);
		free(entry);
	}
	pthread_mutex_destroy(&registry->lock);
	free(registry->path);
	free(registry);
	return 0;
}

int iommufd_registry_set_device(IOMMUFDRegistry *registry, const char *path,
				const IOMMUFDDeviceOps *ops, void *opaque)
{
	char *copy = path ? strdup(path) : NULL;

	if (path && !copy)
		return -ENOMEM;
	pthread_mutex_lock(&registry->lock);
	free(registry->path);
	registry->path = copy;
	registry->ops = ops;
	registry->ops_opaque = opaque;
	pthread_mutex_unlock(&registry->lock);
	return 0;
}

void iommufd_registry_set_report_hook(IOMMUFDRegistry *registry, IOMMUFDReportFn hook,
				      void *opaque)
{
	pthread_mutex_lock(&registry->lock);
	registry->report = hook;
	registry->report_opaque = opaque;
	pthread_mutex_unlock(&registry->lock);
}

void iommufd_registry_set_fd_lookup(IOMMUFDRegistry *registry, IOMMUFDFdLookupFn lookup,
				    void *opaque)
{
	pthread_mutex_lock(&registry->lock);
	registry->fd_lookup = lookup;
	registry->fd_lookup_opaque = opaque;
	pthread_mutex_unlock(&registry->lock);
}

void iommufd_registry_set_cpr(IOMMUFDRegistry *registry, const IOMMUFDCprOps *ops, void *opaque)
{
	pthread_mutex_lock(&registry->lock);
	registry->cpr = ops;
	registry->cpr_opaque = opaque;
	pthread_mutex_unlock(&registry->lock);
}

/* The link that points to the entry of id, or to NULL at the end of the list. */
static struct entry **entry_find(IOMMUFDRegistry *registry, const char *id)
{
	struct entry **link = &registry->entries;

	while (*link && strcmp(iommufd_backend_get_id((*link)->be), id))
		link = &(*link)->next;
	return link;
}

/* Gives be what the registry has for backends to come, and its fd. */
static int backend_configure(const IOMMUFDRegistry *registry, IOMMUFDBackend *be, const char *fd,
			     Error **errp)
{
	int ret = iommufd_backend_set_device(be, registry->path, registry->ops,
					     registry->ops_opaque);

	if (ret) {
		error_setg_errno(errp, -ret, "out of memory");
		return ret;
	}
	iommufd_backend_set_report_hook(be, registry->report, registry->report_opaque);
	iommufd_backend_set_fd_lookup(be, registry->fd_lookup, registry->fd_lookup_opaque);
	iommufd_backend_set_cpr(be, registry->cpr, registry->cpr_opaque);
	if (fd)
		ret = iommufd_backend_set_fd(be, fd, errp);
	return ret ? ret : iommufd_backend_complete(be, errp);
}

static int registry_add(IOMMUFDRegistry *registry, const struct object_options *options,
			IOMMUFDBackend **out_be, Error **errp)
{
	struct entry **link = entry_find(registry, options->id);
	struct entry *entry;
	int ret;

	if (*link) {
		error_setg(errp, "id '%s' is taken", error_echo(options->id).text);
		return -EEXIST;
	}
	entry = calloc(1, sizeof(*entry));
	if (entry)
		entry->be = iommufd_backend_new(options->id);
	if (!entry || !entry->be) {
		error_setg(errp, "out of memory");
		ret = -ENOMEM;
		goto out_entry;
	}
	ret = backend_configure(registry, entry->be, options->fd, errp);
	if (ret)
		goto out_backend;
	*link = entry;
	if (out_be)
		*out_be = entry->be;
	return 0;

out_backend:
	iommufd_backend_delete(entry->be, NULL);
out_entry:
	free(entry);
	return ret;
}

int iommufd_registry_add(IOMMUFDRegistry *registry, const char *text, IOMMUFDBackend **out_be,
			 Error **errp)
{
	struct object_options options;
	int ret = object_options_parse(&options, text, errp);

	if (ret)
		return ret;
	pthread_mutex_lock(&registry->lock);
	ret = registry_add(registry, &options, out_be, errp);
	pthread_mutex_unlock(&registry->lock);
	object_options_fini(&options);
	return ret;
}

IOMMUFDBackend *iommufd_registry_find(IOMMUFDRegistry *registry, const char *id)
{
	IOMMUFDBackend *be = NULL;
	struct entry *entry;

	pthread_mutex_lock(&registry->lock);
	entry = *entry_find(registry, id);
	if (entry)
		be = entry->be;
	pthread_mutex_unlock(&registry->lock);
	return be;
}

int iommufd_registry_del(IOMMUFDRegistry *registry, const char *id, Error **errp)
{
	struct entry **link;
	struct entry *entry;
	int ret;

	pthread_mutex_lock(&registry->lock);
	link = entry_find(registry, id);
	entry = *link;
	if (!entry) {
		error_setg(errp, "there is no object '%s'", error_echo(id).text);
		ret = -ENOENT;
		goto out_unlock;
	}
	ret = iommufd_backend_delete(entry->be, errp);
	if (ret)
		goto out_unlock;
	*link = entry->next;
	free(entry);
out_unlock:
	pthread_mutex_unlock(&registry->lock);
	return ret;
}
