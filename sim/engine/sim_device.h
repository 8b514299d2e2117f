/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device of a simulation, between sim_device.c (what it is) and dma.c (its DMA). */
#ifndef IOASIS_ENGINE_SIM_DEVICE_H
#define IOASIS_ENGINE_SIM_DEVICE_H

#include "sim/engine/device.h"

struct engine_device {
	uint32_t refs;		/* who bound it, and engine_device_get(); atomic */
	struct engine_ctx *ctx; /* a reference */
	struct device *dev;	/* counted, as its driver; NULL once unbound */
	struct engine_iommu iommu;
	uint32_t bdf; /* for the trace */
	bool no_iommu; /* its DMA goes to physical addresses */
	/* See listener.h. */
	const struct engine_listener *listener; /* NULL: it does not listen */
	void *listener_opaque;
	struct list_link listener_link;
	bool listener_lost; /* a notice could not be made; with the context's lock */
};

/* Its device is about to go. Needs the context's lock. */
void listener_note_end(struct engine_device *device);

/* engine_device_bind() with a driver. */
int sim_device_bind(struct engine_ctx *ctx, const struct engine_client *client,
		    const struct device_driver *driver, struct engine_device **out_device,
		    uint32_t *out_id);

#endif
