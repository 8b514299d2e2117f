/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VMM's life: connect, boot, run, shut down. */
#include "sim/vmm/vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sim/inproc/inproc.h"

static void count(uint64_t *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

int vmm_map(struct vmm *vmm, uint32_t ioas, uint64_t iova, uint64_t size, uint64_t offset,
	    bool readonly)
{
	int ret = iommufd_backend_map_dma(vmm->be, ioas, iova, size, vmm->host + offset, readonly);

	count(ret ? &vmm->failures : &vmm->maps);
	return ret;
}

int vmm_unmap(struct vmm *vmm, uint32_t ioas, uint64_t iova, uint64_t size)
{
	int ret = iommufd_backend_unmap_dma(vmm->be, ioas, iova, size);

	count(ret ? &vmm->failures : &vmm->unmaps);
	return ret;
}

/* ---- the device ---------------------------------------------------------- */

static int file_open(void *opaque, const char *path, int flags)
{
	(void)opaque;
	return open(path, flags);
}

static int file_ioctl(void *opaque, int fd, unsigned long request, void *arg)
{
	(void)opaque;
	return ioctl(fd, request, arg);
}

static int file_close(void *opaque, int fd)
{
	(void)opaque;
	return close(fd);
}

static const IOMMUFDDeviceOps file_ops = { file_open, file_ioctl, file_close };

static int device_create(struct vmm *vmm)
{
	const struct engine_config config = { 0 };

	vmm->ops = file_ops;
	if (vmm->config->device == VMM_DEVICE_NAIVE) {
		vmm->ops = naive_device_ops;
	} else if (vmm->config->device == VMM_DEVICE_INPROC) {
		vmm->inproc = inproc_create(&config, INPROC_MEMORY_SELF);
		if (!vmm->inproc)
			return -ENOMEM;
		vmm->ops = inproc_device_ops;
		vmm->ops_opaque = vmm->inproc;
	}
	return iommufd_backend_set_device(vmm->be, vmm->config->path, &vmm->ops, vmm->ops_opaque);
}

static const char *device_path(const struct vmm *vmm)
{
	const char *path = vmm->config->path ? vmm->config->path : getenv("IOASIS_DEVICE");

	return path && *path ? path : "/dev/iommu";
}

/* Opens the device here and hands the fd to the backend, as a management layer does. */
static int device_pass_fd(struct vmm *vmm)
{
	Error *err = NULL;
	char number[16];
	int ret;

	vmm->passed_fd = vmm->ops.open(vmm->ops_opaque, device_path(vmm), O_RDWR | O_CLOEXEC);
	if (vmm->passed_fd < 0) {
		ret = -errno;
		vmm_say("opening %s failed: %s", device_path(vmm), strerror(-ret));
		return ret;
	}
	snprintf(number, sizeof(number), "%d", vmm->passed_fd);
	ret = iommufd_backend_set_fd(vmm->be, number, &err);
	if (ret)
		vmm_say("%s", error_get_pretty(err));
	error_free(err);
	return ret;
}

static void device_destroy(struct vmm *vmm)
{
	if (vmm->passed_fd >= 0)
		vmm->ops.close(vmm->ops_opaque, vmm->passed_fd);
	if (vmm->inproc)
		inproc_destroy(vmm->inproc);
}

/* ---- life ------------------------------------------------------------------ */

static void on_report(void *opaque, IOMMUFDReport level, const char *message)
{
	(void)opaque;
	vmm_say("%s: %s", level == IOMMUFD_REPORT_WARNING ? "warning" : "error", message);
}

static int alloc_ioas(struct vmm *vmm, uint32_t *ioas)
{
	Error *err = NULL;
	int ret = iommufd_backend_alloc_ioas(vmm->be, ioas, &err);

	if (ret)
		vmm_say("%s", error_get_pretty(err));
	error_free(err);
	return ret;
}

static int boot(struct vmm *vmm)
{
	Error *err = NULL;
	int ret = iommufd_backend_connect(vmm->be, &err);

	if (ret) {
		vmm_say("%s", error_get_pretty(err));
		error_free(err);
		return ret;
	}
	ret = alloc_ioas(vmm, &vmm->ioas_memory);
	if (!ret)
		ret = alloc_ioas(vmm, &vmm->ioas_viommu);
	if (!ret)
		ret = vmm_memory_map(vmm);
	if (!ret)
		ret = vmm_nic_create(vmm);
	return ret;
}

/* What the VMM itself does while the vIOMMU is under load. */
static int housekeep(struct vmm *vmm)
{
	const struct vmm_fault *fault = vmm->config->fault;

	vmm_memory_hotplug(vmm);
	return fault && fault->during ? fault->during(vmm) : 0;
}

/* For those who want to turn tracing on, or a debugger, while the VMM runs. */
static void pause_after_boot(void)
{
	int c;

	puts("ready");
	fflush(stdout);
	do
		c = getchar();
	while (c != '\n' && c != EOF);
}

static int run(struct vmm *vmm)
{
	const struct vmm_fault *fault = vmm->config->fault;
	int ret;

	if (vmm->config->pause)
		pause_after_boot();
	ret = vmm_viommu_load(vmm, housekeep);

	if (!ret && fault && fault->after)
		ret = fault->after(vmm);
	return ret;
}

void vmm_free_ioas(struct vmm *vmm)
{
	if (vmm->ioas_viommu)
		iommufd_backend_free_id(vmm->be, vmm->ioas_viommu);
	if (vmm->ioas_memory)
		iommufd_backend_free_id(vmm->be, vmm->ioas_memory);
	vmm->ioas_viommu = 0;
	vmm->ioas_memory = 0;
}

static void shut_down(struct vmm *vmm)
{
	vmm_nic_destroy(vmm);
	vmm_memory_unmap(vmm);
	vmm_free_ioas(vmm);
	if (vmm->keep_users)
		return;
	iommufd_backend_disconnect(vmm->be);
	if (vmm->extra_disconnect)
		iommufd_backend_disconnect(vmm->be);
}

int vmm_run(const struct vmm_config *config, struct vmm *vmm)
{
	int ret;

	memset(vmm, 0, sizeof(*vmm));
	vmm->config = config;
	vmm->passed_fd = -1;
	vmm->be = iommufd_backend_new("iommufd0");
	if (!vmm->be)
		return -ENOMEM;
	iommufd_backend_set_report_hook(vmm->be, on_report, vmm);
	ret = device_create(vmm);
	if (!ret)
		ret = vmm_memory_init(vmm);
	if (!ret && config->fault && config->fault->passes_fd)
		ret = device_pass_fd(vmm);
	if (ret)
		goto out;
	ret = boot(vmm);
	if (!ret)
		ret = run(vmm);
	if (iommufd_backend_get_users(vmm->be))
		shut_down(vmm);
out:
	if (!vmm->keep_users)
		iommufd_backend_delete(vmm->be, NULL);
	if (!vmm->keep_users)
		device_destroy(vmm);
	vmm_memory_fini(vmm);
	return ret;
}
