/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backends that a user makes by name: `-object` and `object-add` of a VMM.
 *
 * A registry holds backends by their ids. It takes the two forms that QEMU's
 * -object takes (qom/object_interfaces.c, qapi/qom.json):
 *
 *   iommufd,id=i0,fd=9                              a comma in a value is doubled
 *   {"qom-type":"iommufd","id":"i0","fd":"9"}       fd is a string, as in QAPI
 *
 * Threads: any function from any thread; a backend stays valid until it is
 * deleted by iommufd_registry_del() or with the registry.
 */
#ifndef IOASIS_IOMMUFD_REGISTRY_H
#define IOASIS_IOMMUFD_REGISTRY_H

#include <ioasis/iommufd_backend.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

typedef struct IOMMUFDRegistry IOMMUFDRegistry;

/* An empty registry, owned by the caller; NULL only when out of memory. */
IOMMUFDRegistry *iommufd_registry_new(void) IOASIS_SYMBOL(iommufd_registry_new);

/*
 * Deletes the registry with all its backends. NULL is fine.
 * -EBUSY: one has users; then nothing is deleted.
 */
int iommufd_registry_delete(IOMMUFDRegistry *registry, Error **errp)
	IOASIS_SYMBOL(iommufd_registry_delete);

/* What backends made from now on get: see the functions of the backend of the same names. */
int iommufd_registry_set_device(IOMMUFDRegistry *registry, const char *path,
				const IOMMUFDDeviceOps *ops, void *opaque)
	IOASIS_SYMBOL(iommufd_registry_set_device);
void iommufd_registry_set_report_hook(IOMMUFDRegistry *registry, IOMMUFDReportFn hook,
				      void *opaque)
	IOASIS_SYMBOL(iommufd_registry_set_report_hook);
void iommufd_registry_set_fd_lookup(IOMMUFDRegistry *registry, IOMMUFDFdLookupFn lookup,
				    void *opaque)
	IOASIS_SYMBOL(iommufd_registry_set_fd_lookup);

void iommufd_registry_set_cpr(IOMMUFDRegistry *registry, const IOMMUFDCprOps *ops, void *opaque)
	IOASIS_SYMBOL(iommufd_registry_set_cpr);

/*
 * The lines that `-object iommufd,help` shows, or `-object help`, each with a newline;
 * NULL if text does not ask for help. Static.
 */
const char *iommufd_registry_help(const char *text)
	IOASIS_SYMBOL(iommufd_registry_help);

/*
 * Makes a backend from text in either form (JSON begins with '{'). *out_be,
 * unless out_be is NULL, is borrowed from the registry.
 * -EINVAL: not understood; unknown, missing, doubled or ill-formed key or value.
 * -EEXIST: the id is taken. -EBADF: fd is not open. -ENOENT: no fd is given and the
 * device does not exist: see iommufd_backend_complete(). -ENOMEM.
 */
int iommufd_registry_add(IOMMUFDRegistry *registry, const char *text, IOMMUFDBackend **out_be,
			 Error **errp)
	IOASIS_SYMBOL(iommufd_registry_add);

/* The backend with this id, borrowed, or NULL. */
IOMMUFDBackend *iommufd_registry_find(IOMMUFDRegistry *registry, const char *id)
	IOASIS_SYMBOL(iommufd_registry_find);

/* Deletes one (object_del). -ENOENT: no such id. -EBUSY: it has users. */
int iommufd_registry_del(IOMMUFDRegistry *registry, const char *id, Error **errp)
	IOASIS_SYMBOL(iommufd_registry_del);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
