/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Features: what a host can set about a controller. None is kept over a reset. Base
 * Specification 1.4, section 5.21.1.
 *
 * Arbitration, coalescing and atomicity are kept and told, and change nothing: each
 * batch of completions makes one interrupt, and queues do not wait for one another.
 */
#include "sim/pci/nvme_internal.h"

#include <stdlib.h>
#include <string.h>

#define SAVE (UINT32_C(1) << 31)

enum feature_select {
	SELECT_CURRENT,
	SELECT_DEFAULT,
	SELECT_SAVED, /* none is, so the defaults */
	SELECT_CAPABILITIES,
};

/* What can be done with a feature, as SELECT_CAPABILITIES tells. */
#define CAPABLE_NAMESPACE 2u
#define CAPABLE_CHANGE	  4u

struct feature_row {
	uint32_t capabilities;
	uint32_t settable; /* bits of the word that mean something */
	uint32_t by_default;
};

static const struct feature_row feature_rows[NVME_FEATURES] = {
	[NVME_FEAT_ARBITRATION] = { CAPABLE_CHANGE, 0xffffff07, 0x7 },
	[NVME_FEAT_POWER] = { CAPABLE_CHANGE, 0x000000ff, 0 },
	[NVME_FEAT_TEMPERATURE] = { CAPABLE_CHANGE, 0x003fffff, 0x157 },
	[NVME_FEAT_ERROR_RECOVERY] = { CAPABLE_CHANGE | CAPABLE_NAMESPACE, 0x0001ffff, 0 },
	[NVME_FEAT_WRITE_CACHE] = { CAPABLE_CHANGE, 0x00000001, 1 },
	[NVME_FEAT_QUEUES] = { CAPABLE_CHANGE, 0xffffffff, 0 },
	[NVME_FEAT_COALESCING] = { CAPABLE_CHANGE, 0x0000ffff, 0 },
	[NVME_FEAT_VECTOR] = { CAPABLE_CHANGE, 0x0001ffff, 0 },
	[NVME_FEAT_ATOMICITY] = { CAPABLE_CHANGE, 0x00000001, 0 },
	[NVME_FEAT_ASYNC_EVENTS] = { CAPABLE_CHANGE, 0x000001ff, 0 },
	[NVME_FEAT_TIMESTAMP] = { CAPABLE_CHANGE, 0, 0 },
	[NVME_FEAT_KEEP_ALIVE] = { CAPABLE_CHANGE, 0xffffffff, 0 },
};

static const struct feature_row *row_find(uint32_t id)
{
	return id < NVME_FEATURES && feature_rows[id].capabilities ? &feature_rows[id] : NULL;
}

void nvme_features_reset(struct nvme *nvme)
{
	for (unsigned int i = 0; i < NVME_FEATURES; i++)
		nvme->features[i] = feature_rows[i].by_default;
	for (unsigned int i = 0; i <= nvme->queues; i++)
		nvme->vectors[i] = i;
	nvme->temperature_under = 0;
	nvme->timestamp_was_set = false;
}

static uint32_t queues_word(const struct nvme *nvme)
{
	return (nvme->queues - 1) | (nvme->queues - 1) << 16;
}

/* ---- Timestamp: 48 bits of milliseconds, and where they are from ---------------- */

static uint16_t timestamp_get(struct nvme_request *request, bool current, uint64_t now_ns)
{
	const struct nvme *nvme = request->nvme;
	bool set = current && nvme->timestamp_was_set;
	uint64_t since = set ? nvme->timestamp_set_ns : nvme->started_ns;
	uint64_t ms = (now_ns - since) / 1000000 + (set ? nvme->timestamp_ms : 0);
	uint64_t word = (ms & ((UINT64_C(1) << 48) - 1)) | (uint64_t)(set ? 1 : 0) << 49;

	return nvme_prp_to_host(request, &word, sizeof(word));
}

static uint16_t timestamp_set(struct nvme_request *request, uint64_t now_ns)
{
	struct nvme *nvme = request->nvme;
	uint64_t word = 0;
	uint16_t status = nvme_prp_from_host(request, &word, sizeof(word));

	if (status)
		return status;
	nvme->timestamp_ms = word & ((UINT64_C(1) << 48) - 1);
	nvme->timestamp_set_ns = now_ns;
	nvme->timestamp_was_set = true;
	return NVME_OK;
}

/* ---- the others ------------------------------------------------------------------- */

#define THRESHOLD_SENSOR(word) ((word) >> 16 & 0xfu)
#define THRESHOLD_UNDER(word)  ((word) >> 20 & 0x3u)

static uint16_t temperature_get(struct nvme_request *request, bool current)
{
	const struct nvme *nvme = request->nvme;
	uint32_t under = THRESHOLD_UNDER(request->command.cdw11);

	/* There is one sensor, the composite one. */
	if (THRESHOLD_SENSOR(request->command.cdw11) || under > 1)
		return NVME_INVALID_FIELD | NVME_DNR;
	if (under)
		request->result = current ? nvme->temperature_under : 0;
	else if (current)
		request->result = nvme->features[NVME_FEAT_TEMPERATURE];
	return NVME_OK;
}

static uint16_t temperature_set(struct nvme_request *request, uint32_t word)
{
	struct nvme *nvme = request->nvme;
	uint32_t sensor = THRESHOLD_SENSOR(word), under = THRESHOLD_UNDER(word);

	if ((sensor && sensor != 0xf) || under > 1)
		return NVME_INVALID_FIELD | NVME_DNR;
	if (under)
		nvme->temperature_under = word & 0xffff;
	else
		nvme->features[NVME_FEAT_TEMPERATURE] = word & 0xffff;
	if (NVME_TEMPERATURE >= nvme->features[NVME_FEAT_TEMPERATURE] ||
	    NVME_TEMPERATURE <= nvme->temperature_under)
		nvme_event_queue(nvme, NVME_EVENT_TEMPERATURE, 0);
	return NVME_OK;
}

static uint16_t vector_get(struct nvme_request *request, bool current)
{
	uint32_t vector = request->command.cdw11 & 0xffff;

	if (vector > request->nvme->queues)
		return NVME_INVALID_FIELD | NVME_DNR;
	request->result = current ? request->nvme->vectors[vector] : vector;
	return NVME_OK;
}

static uint16_t queues_set(struct nvme_request *request, uint32_t word)
{
	const struct nvme *nvme = request->nvme;

	if ((word & 0xffff) == 0xffff || word >> 16 == 0xffff)
		return NVME_INVALID_FIELD | NVME_DNR;
	for (unsigned int i = 1; i <= nvme->queues; i++) {
		if (nvme->sqs[i].live || nvme->cqs[i].live)
			return NVME_SEQUENCE_ERROR | NVME_DNR;
	}
	request->result = queues_word(nvme);
	return NVME_OK;
}

static uint16_t write_cache_set(struct nvme *nvme, uint32_t word)
{
	/* What is in the cache goes to the disk first; I/O units read the word as they write. */
	__atomic_store_n(&nvme->features[NVME_FEAT_WRITE_CACHE], word, __ATOMIC_RELAXED);
	for (unsigned int i = 0; !word && i < nvme->disks_count; i++) {
		if (nvme_disk_flush(&nvme->disks[i]))
			return NVME_WRITE_FAULT;
	}
	return NVME_OK;
}

uint16_t nvme_features_get(struct nvme_request *request, uint64_t now_ns)
{
	struct nvme *nvme = request->nvme;
	uint32_t id = request->command.cdw10 & 0xff, select = request->command.cdw10 >> 8 & 0x7;
	const struct feature_row *row = row_find(id);
	bool current = select == SELECT_CURRENT;

	request->location = 40;
	if (!row || select > SELECT_CAPABILITIES)
		return NVME_INVALID_FIELD | NVME_DNR;
	if (row->capabilities & CAPABLE_NAMESPACE && request->command.nsid != NVME_NSID_ALL &&
	    !nvme_disk_get(nvme, request->command.nsid)) {
		request->location = 4;
		return NVME_INVALID_NAMESPACE | NVME_DNR;
	}
	request->location = 44;
	request->result = row->by_default;
	if (select == SELECT_CAPABILITIES) {
		request->result = row->capabilities;
		return NVME_OK;
	}
	switch (id) {
	case NVME_FEAT_TEMPERATURE:
		return temperature_get(request, current);
	case NVME_FEAT_VECTOR:
		return vector_get(request, current);
	case NVME_FEAT_TIMESTAMP:
		return timestamp_get(request, current, now_ns);
	case NVME_FEAT_QUEUES:
		request->result = queues_word(nvme);
		return NVME_OK;
	default:
		if (current)
			request->result = nvme->features[id];
		return NVME_OK;
	}
}

uint16_t nvme_features_set(struct nvme_request *request, uint64_t now_ns)
{
	struct nvme *nvme = request->nvme;
	uint32_t id = request->command.cdw10 & 0xff, nsid = request->command.nsid;
	const struct feature_row *row = row_find(id);
	uint32_t word;

	request->location = 40;
	if (!row)
		return NVME_INVALID_FIELD | NVME_DNR;
	if (request->command.cdw10 & SAVE)
		return NVME_FEATURE_NOT_SAVEABLE | NVME_DNR;
	request->location = 4;
	if (nsid && nsid != NVME_NSID_ALL) {
		if (!nvme_disk_get(nvme, nsid))
			return NVME_INVALID_NAMESPACE | NVME_DNR;
		if (!(row->capabilities & CAPABLE_NAMESPACE))
			return NVME_FEATURE_NOT_OF_NAMESPACE | NVME_DNR;
	}
	word = request->command.cdw11 & row->settable;
	request->location = 44;
	switch (id) {
	case NVME_FEAT_POWER: /* there is one state */
	case NVME_FEAT_ERROR_RECOVERY:
		/* Of deallocated blocks no error can be asked for. */
		if (id == NVME_FEAT_POWER ? word & 0x1f : word >> 16)
			return NVME_INVALID_FIELD | NVME_DNR;
		break;
	case NVME_FEAT_TEMPERATURE:
		return temperature_set(request, word);
	case NVME_FEAT_VECTOR:
		if ((word & 0xffff) > nvme->queues)
			return NVME_INVALID_FIELD | NVME_DNR;
		nvme->vectors[word & 0xffff] = word;
		return NVME_OK;
	case NVME_FEAT_TIMESTAMP:
		return timestamp_set(request, now_ns);
	case NVME_FEAT_QUEUES:
		return queues_set(request, word);
	case NVME_FEAT_WRITE_CACHE:
		return write_cache_set(nvme, word);
	case NVME_FEAT_KEEP_ALIVE:
		nvme->kept_alive_ns = now_ns;
		break;
	}
	nvme->features[id] = word;
	return NVME_OK;
}
