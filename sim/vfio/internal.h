/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of sim/vfio: vfio_device.c (files, binding), region.c (what is read,
 * written and mapped), config.c, irq.c, reset.c, feature.c (DEVICE_FEATURE and power),
 * dmabuf.c, migration.c, dma_log.c, ioeventfd.c.
 *
 * Locks: a call copies its argument in before it takes any, and out after it dropped
 * them. device->lock comes first and is held for what binds, attaches and resets; the
 * parts' own locks are taken after it, and none of them while another part's is held.
 */
#ifndef IOASIS_SIM_VFIO_INTERNAL_H
#define IOASIS_SIM_VFIO_INTERNAL_H

#include "sim/pci/pci_runner.h"
#include "sim/vfio/abi.h"
#include "sim/vfio/changes.h"
#include "sim/vfio/config.h"
#include "sim/vfio/irq.h"
#include "sim/vfio/vfio_device.h"

#include <pthread.h>

struct vfio_dmabuf;
struct vfio_ioeventfd;
struct vfio_watch;
struct vfio_log;
struct vfio_migration;

/* Low power, as a client asked for it. */
struct vfio_power {
	pthread_mutex_t lock;
	bool low;   /* between calls the device sleeps */
	int wakeup; /* an eventfd, owned; -1: none */
};

struct vfio_device {
	const struct pci_slot *slot;
	struct pci_function *function; /* the slot's */
	struct vfio_device_env env;
	struct pci_runner *runner;
	struct vfio_watch *watch;
	uint64_t random; /* the state of pci_random() */

	pthread_mutex_t lock;
	unsigned int opens;	 /* files that may use it: one, or several of a group */
	struct engine_ctx *ctx;	 /* of the first of them; borrowed from it */
	uint64_t ctx_number;	 /* of the trace */
	uint32_t bound_by;	 /* the process that opened the first of them */
	int by_exit;		 /* whether that was gone at the last flush; -1: none; __atomic */
	bool by_group;
	struct engine_device *engine_device; /* also with dma_lock */
	pthread_mutex_t dma_lock;	     /* held for moments */
	uint32_t devid;

	struct vfio_config config;
	struct vfio_irqs irqs;
	struct vfio_power power;

	pthread_mutex_t ioeventfds_lock;
	struct vfio_ioeventfd *ioeventfds;
	unsigned int ioeventfds_count;

	pthread_mutex_t dmabufs_lock;
	struct vfio_dmabuf *dmabufs;

	struct vfio_migration *migration; /* NULL: it does not migrate */
	struct vfio_log *log;		  /* with migration */
};

/* Whether the kernel has the change. */
static inline bool vfio_changed(const struct vfio_device *device, enum vfio_change change)
{
	return vfio_change_in(change, device->env.linux_version);
}

struct vfio_file {
	struct vfio_device *device;
	struct engine_ctx *ctx; /* of env.ctx_get, owned; NULL: not bound */
	bool granted;		/* it may use the device; __atomic */
	bool by_group;
	struct engine_device *engine_device; /* of a group's file: as the device's */
};

/* ---- migration.c: see migration.h ------------------------------------------------------ */

/* After a reset the device runs; harmless for one that does not migrate. */
void vfio_migration_reset(struct vfio_device *device);
/* At the last close: the same, and what the client asked for is forgotten. */
void vfio_migration_close(struct vfio_device *device);

/* ---- trace.c ----------------------------------------------------------------------- */

void vfio_trace_bind(struct vfio_device *device, const struct engine_client *client,
		     const struct engine_ctx *ctx, bool by_group);
void vfio_trace_unbind(struct vfio_device *device, const struct engine_ctx *ctx);
void vfio_trace_irq(struct vfio_device *device, uint32_t index, unsigned int vector);
bool vfio_trace_wants_calls(const struct vfio_device *device);
/* began_ns: of pci_runner_now(). */
void vfio_trace_call(struct vfio_file *file, const struct engine_client *client, unsigned int cmd,
		     uint64_t arg, long ret, uint64_t began_ns);

/* ---- mapped.c --------------------------------------------------------------------- */

/* Before the first attach: a function that wants to know what it reaches is told. */
void vfio_listen(struct vfio_device *device, struct engine_device *engine_device);

/* ---- region.c -------------------------------------------------------------------- */

long vfio_info(struct vfio_device *device, const struct engine_client *client, uint64_t arg);
long vfio_region_info(struct vfio_device *device, const struct engine_client *client,
		      uint64_t arg);
/* Bytes of a region; 0: it is not there. */
uint64_t vfio_region_bytes(const struct vfio_device *device, uint32_t index);
/* Bytes, or -errno. */
ssize_t vfio_region_access(struct vfio_device *device, void *buf, size_t length,
			   uint64_t offset, bool write);

/* ---- reset.c --------------------------------------------------------------------- */

/* Whether RESET can work. */
bool vfio_can_reset(const struct vfio_device *device);
/* What the kernel's pci_try_reset_function() does, and dma-bufs around it. */
void vfio_device_reset_function(struct vfio_device *device);
long vfio_reset(struct vfio_device *device);
long vfio_hot_reset_info(struct vfio_file *file, const struct engine_client *client,
			 uint64_t arg);
long vfio_hot_reset(struct vfio_file *file, const struct engine_client *client, uint64_t arg);

/* ---- feature.c ------------------------------------------------------------------- */

/* DEVICE_FEATURE; head is copied in. */
struct vfio_feature_call {
	struct vfio_device *device;
	const struct engine_client *client;
	uint32_t flags;
	uint64_t arg;  /* where the feature's own structure is */
	uint32_t size; /* of it, as the caller says */
};

long vfio_feature(struct vfio_device *device, const struct engine_client *client, uint64_t arg);
/* vfio_check_feature(): 1: go on; else what the call gives. */
int vfio_feature_check(const struct vfio_feature_call *call, uint32_t supported, size_t size);

void vfio_power_init(struct vfio_power *power);
void vfio_power_fini(struct vfio_power *power);
/* Before each call and access: the device wakes up. */
void vfio_power_resume(struct vfio_device *device);
void vfio_power_end(struct vfio_device *device);

/* ---- dmabuf.c -------------------------------------------------------------------- */

long vfio_feature_dma_buf(const struct vfio_feature_call *call);
/* Revokes them, or lets them be mapped again, as memory is decoded now. */
void vfio_dmabufs_update(struct vfio_device *device);
void vfio_dmabufs_revoke(struct vfio_device *device);
/* The last close: they stay revoked, and know nothing of the device any more. */
void vfio_dmabufs_end(struct vfio_device *device);

/* ---- ioeventfd.c ----------------------------------------------------------------- */

long vfio_ioeventfd(struct vfio_device *device, const struct engine_client *client, uint64_t arg);
void vfio_ioeventfds_end(struct vfio_device *device);

#endif
