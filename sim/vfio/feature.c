/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DEVICE_FEATURE: which there are, what the core checks of each, and low power.
 *
 * Source: vfio_main.c (vfio_ioctl_device_feature) and vfio_pci_core.c, Linux 7.3.
 */
#include "sim/vfio/eventfd.h"
#include "sim/vfio/internal.h"
#include "sim/vfio/migration.h"

#include <errno.h>
#include <unistd.h>

int vfio_feature_check(const struct vfio_feature_call *call, uint32_t supported, size_t size)
{
	const uint32_t both = SIM_VFIO_FEATURE_GET | SIM_VFIO_FEATURE_SET;

	if (call->flags & both & ~supported)
		return -EINVAL;
	if (call->flags & SIM_VFIO_FEATURE_PROBE)
		return 0;
	if (!(call->flags & both) || call->size < size)
		return -EINVAL;
	return 1;
}

/* ---- low power ------------------------------------------------------------------- */

void vfio_power_init(struct vfio_power *power)
{
	*power = (struct vfio_power){ .wakeup = -1 };
	pthread_mutex_init(&power->lock, NULL);
}

void vfio_power_fini(struct vfio_power *power)
{
	pthread_mutex_destroy(&power->lock);
}

/* vfio_pci_core_runtime_resume(): who waits for it to wake up has it awake from then on. */
void vfio_power_resume(struct vfio_device *device)
{
	struct vfio_power *power = &device->power;

	if (!__atomic_load_n(&power->low, __ATOMIC_ACQUIRE))
		return;
	pthread_mutex_lock(&power->lock);
	if (power->low && power->wakeup >= 0) {
		vfio_eventfd_signal(power->wakeup);
		vfio_eventfd_replace(&power->wakeup, -1);
		__atomic_store_n(&power->low, false, __ATOMIC_RELEASE);
		pci_function_sleep(device->function, false);
	}
	pthread_mutex_unlock(&power->lock);
}

/* Mapped BARs cannot be touched as long as low power is allowed. */
static long power_enter(struct vfio_device *device, int wakeup)
{
	struct vfio_power *power = &device->power;
	bool was_low;

	pthread_mutex_lock(&power->lock);
	was_low = power->low;
	if (!was_low) {
		__atomic_store_n(&power->low, true, __ATOMIC_RELEASE);
		power->wakeup = wakeup;
		pci_function_sleep(device->function, true);
	}
	pthread_mutex_unlock(&power->lock);
	if (was_low && wakeup >= 0)
		close(wakeup);
	return was_low ? -EINVAL : 0;
}

void vfio_power_end(struct vfio_device *device)
{
	struct vfio_power *power = &device->power;

	pthread_mutex_lock(&power->lock);
	__atomic_store_n(&power->low, false, __ATOMIC_RELEASE);
	vfio_eventfd_replace(&power->wakeup, -1);
	pci_function_sleep(device->function, false);
	pthread_mutex_unlock(&power->lock);
}

static long low_power_entry(const struct vfio_feature_call *call)
{
	int rc = vfio_feature_check(call, SIM_VFIO_FEATURE_SET, 0);

	return rc == 1 ? power_enter(call->device, -1) : rc;
}

static long low_power_wakeup(const struct vfio_feature_call *call)
{
	const struct vfio_device_env *env = &call->device->env;
	struct sim_vfio_low_power_wakeup in;
	int rc = vfio_feature_check(call, SIM_VFIO_FEATURE_SET, sizeof(in));
	int fd;

	if (rc != 1)
		return rc;
	if (call->client->ops->copy_in(call->client, &in, call->arg, sizeof(in)))
		return -EFAULT;
	if (in.eventfd < 0)
		return -EINVAL;
	fd = env->fd_get(env->opaque, call->client, in.eventfd);
	if (fd < 0)
		return fd;
	if (!vfio_eventfd_is(fd)) {
		close(fd);
		return -EINVAL;
	}
	return power_enter(call->device, fd);
}

static long low_power_exit(const struct vfio_feature_call *call)
{
	int rc = vfio_feature_check(call, SIM_VFIO_FEATURE_SET, 0);

	if (rc != 1)
		return rc;
	vfio_power_end(call->device);
	return 0;
}

/* ---- which there are ------------------------------------------------------------- */

long vfio_feature(struct vfio_device *device, const struct engine_client *client, uint64_t arg)
{
	const uint32_t both = SIM_VFIO_FEATURE_GET | SIM_VFIO_FEATURE_SET;
	struct vfio_feature_call call = { .device = device, .client = client,
					  .arg = arg + sizeof(struct sim_vfio_feature) };
	struct sim_vfio_feature feature;

	if (client->ops->copy_in(client, &feature, arg, sizeof(feature)))
		return -EFAULT;
	if (feature.argsz < sizeof(feature) ||
	    feature.flags & ~(SIM_VFIO_FEATURE_MASK | both | SIM_VFIO_FEATURE_PROBE))
		return -EINVAL;
	if (!(feature.flags & SIM_VFIO_FEATURE_PROBE) && (feature.flags & both) == both)
		return -EINVAL;
	call.flags = feature.flags;
	call.size = feature.argsz - (uint32_t)sizeof(feature);
	switch (feature.flags & SIM_VFIO_FEATURE_MASK) {
	case SIM_VFIO_FEATURE_LOW_POWER_ENTRY:
		return low_power_entry(&call);
	case SIM_VFIO_FEATURE_LOW_POWER_WAKEUP:
		return low_power_wakeup(&call);
	case SIM_VFIO_FEATURE_LOW_POWER_EXIT:
		return low_power_exit(&call);
	case SIM_VFIO_FEATURE_DMA_BUF:
		return vfio_changed(device, VFIO_CHANGE_DMA_BUF) ? vfio_feature_dma_buf(&call) :
								   -ENOTTY;
	case SIM_VFIO_FEATURE_MIGRATION:
	case SIM_VFIO_FEATURE_MIG_STATE:
	case SIM_VFIO_FEATURE_MIG_DATA_SIZE:
		return vfio_feature_migration(&call);
	case SIM_VFIO_FEATURE_PRECOPY_INFO_V2:
		return vfio_changed(device, VFIO_CHANGE_PRECOPY_INFO_V2) ?
			       vfio_feature_precopy_info(&call) : -ENOTTY;
	case SIM_VFIO_FEATURE_LOG_START:
	case SIM_VFIO_FEATURE_LOG_STOP:
	case SIM_VFIO_FEATURE_LOG_REPORT:
		return vfio_feature_log(&call);
	default: /* a VF token is a physical function's, bus mastering not of PCI */
		return -ENOTTY;
	}
}
