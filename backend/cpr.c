/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A backend in a VMM that replaces itself by a new process: the open device is kept under the
 * backend's id by the embedder's IOMMUFDCprOps. Without them nothing here does anything.
 */
#include "backend/object.h"

#include <errno.h>
#include <unistd.h>

#include "backend/error_echo.h"

static const char *cpr_name(const IOMMUFDBackend *be)
{
	return be->id ? be->id : "iommufd";
}

int iommufd_backend_set_cpr(IOMMUFDBackend *be, const IOMMUFDCprOps *ops, void *opaque)
{
	int ret = 0;

	pthread_mutex_lock(&be->lock);
	if (be->users) {
		ret = -EBUSY;
	} else {
		be->cpr = ops;
		be->cpr_opaque = opaque;
	}
	pthread_mutex_unlock(&be->lock);
	return ret;
}

bool backend_cpr_incoming(const IOMMUFDBackend *be)
{
	return be->cpr && be->cpr->is_incoming(be->cpr_opaque);
}

int backend_cpr_find(const IOMMUFDBackend *be)
{
	return be->cpr ? be->cpr->find_fd(be->cpr_opaque, cpr_name(be)) : -1;
}

void backend_cpr_save(const IOMMUFDBackend *be)
{
	if (be->cpr)
		be->cpr->save_fd(be->cpr_opaque, cpr_name(be), be->fd);
}

void backend_cpr_forget(const IOMMUFDBackend *be)
{
	if (be->cpr)
		be->cpr->delete_fd(be->cpr_opaque, cpr_name(be));
}

/* An fd that was handed in: the number is of the old process where one is taken over. */
static int complete_handed_in(IOMMUFDBackend *be, Error **errp)
{
	int fd;

	if (!backend_cpr_incoming(be)) {
		backend_cpr_save(be);
		return 0;
	}
	fd = backend_cpr_find(be);
	if (fd < 0) {
		error_setg(errp, "the fd of backend %s was not kept by the process before this one",
			   error_echo(cpr_name(be)).text);
		return -ENOENT;
	}
	backend_fd_set(be, fd);
	return 0;
}

int iommufd_backend_complete(IOMMUFDBackend *be, Error **errp)
{
	const char *path = backend_path(be);
	int saved = errno;
	int ret = 0;

	pthread_mutex_lock(&be->lock);
	if (!be->owned) {
		ret = complete_handed_in(be, errp);
	} else if (be->ops == &backend_system_ops && access(path, F_OK) && errno == ENOENT) {
		error_setg(errp, "%s does not exist (is your kernel config missing CONFIG_IOMMUFD?)",
			   error_echo(path).text);
		ret = -ENOENT;
	}
	pthread_mutex_unlock(&be->lock);
	errno = saved;
	return ret;
}
