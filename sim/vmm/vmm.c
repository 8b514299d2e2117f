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
#include "tracepoints/load.h"

static void count(uint64_t *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

/* Each address space belongs to the backend that made it. */
static IOMMUFDBackend *backend_of(const struct vmm *vmm, uint32_t ioas)
{
	return ioas == vmm->ioas_viommu ? vmm->be_viommu : vmm->be;
}

int vmm_map(struct vmm *vmm, uint32_t ioas, uint64_t iova, uint64_t size, uint64_t offset,
	    bool readonly)
{
	IOMMUFDBackend *be = backend_of(vmm, ioas);
	int ret;

	if (vmm->memfd >= 0)
		ret = iommufd_backend_map_file_dma(be, ioas, iova, size, vmm->memfd, offset,
						   readonly);
	else
		ret = iommufd_backend_map_dma(be, ioas, iova, size, vmm->host + offset, readonly);
	count(ret ? &vmm->failures : &vmm->maps);
	return ret;
}

int vmm_unmap(struct vmm *vmm, uint32_t ioas, uint64_t iova, uint64_t size)
{
	int ret = iommufd_backend_unmap_dma(backend_of(vmm, ioas), ioas, iova, size);

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

static const IOMMUFDDeviceOps file_ops = {
	.open = file_open,
	.ioctl = file_ioctl,
	.close = file_close,
};

static int device_create(struct vmm *vmm)
{
	const struct engine_config config = { .trace = trace_of_process() };

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
	return 0;
}

static const char *device_path(const struct vmm *vmm)
{
	const char *path = vmm->config->path ? vmm->config->path : getenv("IOASIS_DEVICE");

	return path && *path ? path : "/dev/iommu";
}

/* Opens the device here, as a management layer does, to hand the fd to the backends. */
static int device_open(struct vmm *vmm)
{
	int ret;

	vmm->passed_fd = vmm->ops.open(vmm->ops_opaque, device_path(vmm), O_RDWR | O_CLOEXEC);
	if (vmm->passed_fd >= 0)
		return 0;
	ret = -errno;
	vmm_say("opening %s failed: %s", device_path(vmm), strerror(-ret));
	return ret;
}

static void device_destroy(struct vmm *vmm)
{
	if (vmm->passed_fd >= 0)
		vmm->ops.close(vmm->ops_opaque, vmm->passed_fd);
	if (vmm->inproc)
		inproc_destroy(vmm->inproc);
}

/* ---- backends ---------------------------------------------------------------- */

static void on_report(void *opaque, IOMMUFDReport level, const char *message)
{
	(void)opaque;
	vmm_say("%s: %s", level == IOMMUFD_REPORT_WARNING ? "warning" : "error", message);
}

/* Says what err says, and frees it. */
static void say_error(Error *err)
{
	if (err)
		vmm_say("%s", error_get_pretty(err));
	error_free(err);
}

/* A backend on the device, with the passed fd if there is one. NULL: said why. */
static IOMMUFDBackend *backend_create(struct vmm *vmm, const char *id)
{
	IOMMUFDBackend *be = iommufd_backend_new(id);
	Error *err = NULL;
	char number[16];

	if (!be || iommufd_backend_set_device(be, vmm->config->path, &vmm->ops, vmm->ops_opaque)) {
		vmm_say("out of memory");
		goto out_delete;
	}
	iommufd_backend_set_report_hook(be, on_report, vmm);
	if (vmm->passed_fd < 0)
		return be;
	snprintf(number, sizeof(number), "%d", vmm->passed_fd);
	if (!iommufd_backend_set_fd(be, number, &err))
		return be;
	say_error(err);
out_delete:
	iommufd_backend_delete(be, NULL);
	return NULL;
}

static int backends_create(struct vmm *vmm)
{
	vmm->be = backend_create(vmm, "iommufd0");
	vmm->be_viommu = vmm->be;
	if (vmm->be && vmm->passed_fd >= 0)
		vmm->be_viommu = backend_create(vmm, "iommufd1");
	return vmm->be && vmm->be_viommu ? 0 : -ENOMEM;
}

static void backends_delete(struct vmm *vmm)
{
	if (vmm->be_viommu != vmm->be)
		iommufd_backend_delete(vmm->be_viommu, NULL);
	iommufd_backend_delete(vmm->be, NULL);
}

/* Connects and makes an address space: the two together, or neither. */
static int backend_begin(IOMMUFDBackend *be, uint32_t *ioas)
{
	Error *err = NULL;
	int ret = iommufd_backend_connect(be, &err);

	if (ret)
		goto out;
	ret = iommufd_backend_alloc_ioas(be, ioas, &err);
	if (ret)
		iommufd_backend_disconnect(be);
out:
	say_error(err);
	return ret;
}

/* ---- life ------------------------------------------------------------------ */

static int boot(struct vmm *vmm)
{
	int ret = vmm_memory_map(vmm);

	return ret ? ret : vmm_nic_create(vmm);
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
		iommufd_backend_free_id(vmm->be_viommu, vmm->ioas_viommu);
	if (vmm->ioas_memory)
		iommufd_backend_free_id(vmm->be, vmm->ioas_memory);
	vmm->ioas_viommu = 0;
	vmm->ioas_memory = 0;
}

/* From boot to shutdown, connected and with both address spaces. */
static int live(struct vmm *vmm)
{
	int ret = boot(vmm);

	if (!ret)
		ret = run(vmm);
	vmm_nic_destroy(vmm);
	vmm_memory_unmap(vmm);
	vmm_free_ioas(vmm);
	return ret;
}

/* Two connections, also of one backend: as two subsystems of a VMM make them. */
static int connected_run(struct vmm *vmm)
{
	int ret = backend_begin(vmm->be, &vmm->ioas_memory);

	if (ret)
		return ret;
	ret = backend_begin(vmm->be_viommu, &vmm->ioas_viommu);
	if (ret) {
		vmm_free_ioas(vmm);
	} else {
		ret = live(vmm);
		iommufd_backend_disconnect(vmm->be_viommu);
	}
	if (vmm->keep_users)
		return ret;
	iommufd_backend_disconnect(vmm->be);
	if (vmm->extra_disconnect)
		iommufd_backend_disconnect(vmm->be);
	return ret;
}

int vmm_run(const struct vmm_config *config, struct vmm *vmm)
{
	int ret;

	memset(vmm, 0, sizeof(*vmm));
	vmm->config = config;
	vmm->passed_fd = -1;
	vmm->memfd = -1;
	ret = device_create(vmm);
	if (!ret)
		ret = vmm_memory_init(vmm);
	if (!ret && (config->pass_fd || (config->fault && config->fault->passes_fd)))
		ret = device_open(vmm);
	if (!ret)
		ret = backends_create(vmm);
	if (!ret && config->fault && config->fault->before)
		ret = config->fault->before(vmm);
	if (!ret)
		ret = connected_run(vmm);
	if (!vmm->keep_users) {
		backends_delete(vmm);
		device_destroy(vmm);
	}
	vmm_memory_fini(vmm);
	return ret;
}
