/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Migration of a device's state, for --device KIND,migration=on; and what its DMA wrote.
 *
 * All states of the interface are there: STOP_COPY, P2P and PRE_COPY. A stream is a list of
 * whole states, of which the last counts: one while the device still runs (PRE_COPY), one
 * after it has stopped. Source: vfio_main.c (vfio_mig_get_next_state and the features),
 * include/uapi/linux/vfio.h, Linux 7.3.
 */
#ifndef IOASIS_SIM_VFIO_MIGRATION_H
#define IOASIS_SIM_VFIO_MIGRATION_H

#include "sim/vfio/internal.h"

/* NULL: out of memory. */
struct vfio_migration *vfio_migration_create(struct vfio_device *device);
void vfio_migration_destroy(struct vfio_migration *migration);

/* The features MIGRATION, MIG_DEVICE_STATE and MIG_DATA_SIZE; MIG_PRECOPY_INFOv2. */
long vfio_feature_migration(const struct vfio_feature_call *call);
long vfio_feature_precopy_info(const struct vfio_feature_call *call);

/* NULL: out of memory. */
struct vfio_log *vfio_log_create(void);
void vfio_log_destroy(struct vfio_log *log);
/* DMA has written [iova, last]. Costs nothing while nobody logs. */
void vfio_log_note(struct vfio_log *log, uint64_t iova, uint64_t last);
void vfio_log_end(struct vfio_log *log);

/* The features DMA_LOGGING_START, STOP and REPORT. */
long vfio_feature_log(const struct vfio_feature_call *call);

#endif
