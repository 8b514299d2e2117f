/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backend calls in virtual time.
 *
 * Each makes the call of the same name on the guest's real backend (and on the
 * device under test), tells the trace when what the call emitted happened, and returns when it
 * ends: now_ns plus what the cost model says, or what it took. *ret (may be NULL) is the
 * call's answer; a failed call costs too. now_ns may be ahead of world->des.now_ns.
 */
#ifndef IOASIS_SCENARIO_CALL_H
#define IOASIS_SCENARIO_CALL_H

#include "sim/scenario/world.h"

uint64_t call_connect(struct guest *guest, uint64_t now_ns, int *ret);
uint64_t call_disconnect(struct guest *guest, uint64_t now_ns);
uint64_t call_alloc_ioas(struct guest *guest, uint64_t now_ns, uint32_t *ioas_id, int *ret);
uint64_t call_free_id(struct guest *guest, uint64_t now_ns, uint32_t id);

/* arena_offset: where in the guest's memory. */
uint64_t call_map(struct guest *guest, uint64_t now_ns, uint32_t ioas_id, uint64_t iova,
		  uint64_t size, uint64_t arena_offset, bool readonly, int *ret);
uint64_t call_unmap(struct guest *guest, uint64_t now_ns, uint32_t ioas_id, uint64_t iova,
		    uint64_t size, int *ret);

uint64_t call_alloc_hwpt(struct guest *guest, uint64_t now_ns, uint32_t device_id, uint32_t ioas_id,
			 uint32_t flags, uint32_t *hwpt_id, int *ret);
uint64_t call_set_dirty(struct guest *guest, uint64_t now_ns, uint32_t hwpt_id, bool start,
			int *ret);
/* bitmap: a bit for each 4 KiB of [iova, iova + size). */
uint64_t call_get_dirty(struct guest *guest, uint64_t now_ns, uint32_t hwpt_id, uint64_t iova,
			uint64_t size, uint64_t *bitmap, int *ret);
uint64_t call_device_info(struct guest *guest, uint64_t now_ns, uint32_t device_id, int *ret);

/* A device comes to the guest's iommufd, moves between page tables, and goes. */
uint64_t call_device_bind(struct sim_device *device, struct guest *guest, uint64_t now_ns,
			  int *ret);
/* Makes a page table over ioas_id and attaches to it; from another one it moves. */
uint64_t call_device_attach(struct sim_device *device, uint64_t now_ns, uint32_t ioas_id,
			    uint32_t hwpt_flags, int *ret);
uint64_t call_device_detach(struct sim_device *device, uint64_t now_ns);
uint64_t call_device_unbind(struct sim_device *device, uint64_t now_ns);

#endif
