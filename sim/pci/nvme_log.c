/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log pages, and the asynchronous events that point the host at them. Base Specification
 * 1.4, sections 5.14 and 5.2.
 *
 * An event of a type is told once; the next one of that type is told after its log was
 * read. Events wait here until the host has sent a request for one.
 */
#include "sim/pci/nvme_internal.h"

#include <stdio.h>
#include <string.h>

#define RETAIN_EVENT (UINT32_C(1) << 15)
#define HOUR_NS	     (UINT64_C(3600) * 1000000000)

struct log_error {
	uint64_t count;
	uint16_t sq_id, cid, status, location;
	uint64_t lba;
	uint32_t nsid;
	uint8_t vendor, transport, reserved[34];
};

struct log_smart {
	uint8_t critical_warning;
	uint8_t temperature[2]; /* not aligned */
	uint8_t spare, spare_threshold, used;
	uint8_t reserved6[26];
	/* 128 bits each, in thousands of 512 bytes, commands, minutes, times, hours */
	uint64_t units_read[2], units_written[2], reads[2], writes[2], busy_minutes[2];
	uint64_t power_cycles[2], power_on_hours[2], unsafe_shutdowns[2], media_errors[2];
	uint64_t errors[2];
	uint8_t reserved192[320];
};

struct log_firmware {
	uint8_t active;
	uint8_t reserved1[7];
	char slots[7][8];
	uint8_t reserved64[448];
};

struct log_effects {
	uint32_t admin[256], io[256];
	uint8_t reserved[2048];
};

_Static_assert(sizeof(struct log_error) == 64, "section 5.14.1.1");
_Static_assert(sizeof(struct log_smart) == 512, "section 5.14.1.2");
_Static_assert(offsetof(struct log_smart, units_read) == 32, "section 5.14.1.2");
_Static_assert(offsetof(struct log_smart, errors) == 176, "section 5.14.1.2");
_Static_assert(sizeof(struct log_firmware) == 512, "section 5.14.1.3");
_Static_assert(sizeof(struct log_effects) == 4096, "section 5.14.1.5");

union log_page {
	struct log_error errors[NVME_ERRORS];
	struct log_smart smart;
	struct log_firmware firmware;
	struct log_effects effects;
	uint32_t namespaces[1024];
	uint8_t bytes[4096];
};

_Static_assert(sizeof(union log_page) == 4096, "the longest log");

/* ---- errors ---------------------------------------------------------------- */

void nvme_log_error(struct nvme_request *request, uint16_t status)
{
	struct nvme_events *events = &request->nvme->events;
	struct nvme_error *error;

	pthread_mutex_lock(&events->lock);
	error = &events->errors[events->errors_count++ % NVME_ERRORS];
	*error = (struct nvme_error){
		.number = events->errors_count,
		.lba = request->lba,
		.nsid = request->command.nsid,
		.sq_id = request->sq->id,
		.cid = request->command.cid,
		.status = (uint16_t)(status << 1),
		.location = request->location,
	};
	pthread_mutex_unlock(&events->lock);
}

uint64_t nvme_errors_count(struct nvme *nvme)
{
	uint64_t n;

	pthread_mutex_lock(&nvme->events.lock);
	n = nvme->events.errors_count;
	pthread_mutex_unlock(&nvme->events.lock);
	return n;
}

/* ---- events ------------------------------------------------------------------ */

void nvme_events_reset(struct nvme *nvme)
{
	struct nvme_events *events = &nvme->events;

	pthread_mutex_lock(&events->lock);
	events->queued_count = 0;
	events->masked_types = 0;
	events->power_cycles += !events->power_cycles;
	pthread_mutex_unlock(&events->lock);
}

void nvme_event_queue(struct nvme *nvme, uint32_t event, uint32_t nsid)
{
	struct nvme_events *events = &nvme->events;

	pthread_mutex_lock(&events->lock);
	if (nsid)
		events->changed_namespaces |= UINT32_C(1) << nsid;
	if (events->queued_count < NVME_EVENTS_QUEUED)
		events->queued[events->queued_count++] = event;
	pthread_mutex_unlock(&events->lock);
	pci_wake(nvme->function, 0);
}

/* Whether the host wants to know of it (feature Asynchronous Event Configuration). */
static bool is_wanted(const struct nvme *nvme, uint32_t event)
{
	uint32_t config = nvme->features[NVME_FEAT_ASYNC_EVENTS];

	if (event == NVME_EVENT_TEMPERATURE)
		return config & 1 << 1;
	if (event == NVME_EVENT_NAMESPACE)
		return config & 1 << 8;
	return true;
}

static uint32_t log_of(uint32_t event)
{
	static const uint8_t logs[NVME_EVENT_TYPES] = {
		[NVME_EVENT_ERROR] = NVME_LOG_ERROR,
		[NVME_EVENT_SMART] = NVME_LOG_SMART,
		[NVME_EVENT_NOTICE] = NVME_LOG_CHANGED_NAMESPACES,
	};

	return logs[event & 0x7];
}

/* Takes the first event that may be told now; false: there is none. */
static bool event_take(struct nvme *nvme, uint32_t *event)
{
	struct nvme_events *events = &nvme->events;

	for (unsigned int i = 0; i < events->queued_count;) {
		bool wanted = is_wanted(nvme, events->queued[i]);
		uint32_t type = UINT32_C(1) << (events->queued[i] & 0x7);

		if (wanted && events->masked_types & type) {
			i++;
			continue;
		}
		*event = events->queued[i];
		memmove(&events->queued[i], &events->queued[i + 1],
			(--events->queued_count - i) * sizeof(*events->queued));
		if (!wanted)
			continue;
		events->masked_types |= type;
		return true;
	}
	return false;
}

void nvme_events_deliver(struct nvme *nvme)
{
	struct nvme_sq *sq = &nvme->sqs[0];
	uint32_t event;
	bool found;

	while (nvme->async_count && sq->done_count < NVME_DONE_MAX) {
		pthread_mutex_lock(&nvme->events.lock);
		found = event_take(nvme, &event);
		pthread_mutex_unlock(&nvme->events.lock);
		if (!found)
			return;
		nvme_queue_hold(sq, nvme->async_cids[--nvme->async_count], false);
		nvme_queue_complete(nvme, sq, nvme->async_cids[nvme->async_count],
				    event | log_of(event) << 16, NVME_OK);
	}
}

/* ---- pages -------------------------------------------------------------------- */

/* The newest first. */
static void fill_errors(struct nvme *nvme, struct log_error *log)
{
	const struct nvme_events *events = &nvme->events;

	for (uint64_t i = 0; i < NVME_ERRORS && i < events->errors_count; i++) {
		const struct nvme_error *error =
			&events->errors[(events->errors_count - 1 - i) % NVME_ERRORS];

		log[i] = (struct log_error){
			.count = error->number,
			.sq_id = error->sq_id,
			.cid = error->cid,
			.status = error->status,
			.location = error->location,
			.lba = error->lba,
			.nsid = error->nsid,
		};
	}
}

static void fill_smart(struct nvme *nvme, struct log_smart *log, uint64_t now_ns)
{
	uint64_t sectors_read = 0, sectors_written = 0;
	uint16_t over = (uint16_t)nvme->features[NVME_FEAT_TEMPERATURE];

	if (NVME_TEMPERATURE >= over || NVME_TEMPERATURE <= nvme->temperature_under)
		log->critical_warning |= 1 << 1;
	for (unsigned int i = 0; i < nvme->disks_count; i++) {
		if (nvme->disks[i].read_only)
			log->critical_warning |= 1 << 3;
	}
	log->temperature[0] = NVME_TEMPERATURE & 0xff;
	log->temperature[1] = NVME_TEMPERATURE >> 8;
	log->spare = 100;
	log->spare_threshold = 10;
	for (unsigned int i = 1; i <= nvme->queues; i++) {
		const struct nvme_counters *counters = &nvme->sqs[i].counters;

		log->reads[0] += __atomic_load_n(&counters->reads, __ATOMIC_RELAXED);
		log->writes[0] += __atomic_load_n(&counters->writes, __ATOMIC_RELAXED);
		log->media_errors[0] += __atomic_load_n(&counters->media_errors, __ATOMIC_RELAXED);
		sectors_read += __atomic_load_n(&counters->sectors_read, __ATOMIC_RELAXED);
		sectors_written += __atomic_load_n(&counters->sectors_written, __ATOMIC_RELAXED);
	}
	log->units_read[0] = (sectors_read + 999) / 1000;
	log->units_written[0] = (sectors_written + 999) / 1000;
	log->power_on_hours[0] = (now_ns - nvme->started_ns) / HOUR_NS;
	log->power_cycles[0] = nvme->events.power_cycles;
	log->unsafe_shutdowns[0] = nvme->events.unsafe_shutdowns;
	log->errors[0] = nvme->events.errors_count;
}

static void fill_firmware(struct log_firmware *log)
{
	log->active = 1;
	memset(log->slots[0], ' ', sizeof(log->slots[0]));
	memcpy(log->slots[0], NVME_FIRMWARE, strlen(NVME_FIRMWARE));
}

static void fill_effects(struct log_effects *log)
{
	for (unsigned int i = 0; i < 256; i++) {
		log->admin[i] = nvme_admin_effects((uint8_t)i);
		log->io[i] = nvme_io_effects((uint8_t)i);
	}
}

static void fill_changed_namespaces(struct nvme *nvme, uint32_t *log)
{
	for (uint32_t i = 1; i <= nvme->disks_count; i++) {
		if (nvme->events.changed_namespaces >> i & 1)
			*log++ = i;
	}
}

/* Fills a page; how long it is, 0: there is no such log. With the events' lock. */
static uint64_t log_fill(struct nvme *nvme, uint32_t id, union log_page *page, uint64_t now_ns)
{
	switch (id) {
	case NVME_LOG_ERROR:
		fill_errors(nvme, page->errors);
		return sizeof(page->errors);
	case NVME_LOG_SMART:
		fill_smart(nvme, &page->smart, now_ns);
		return sizeof(page->smart);
	case NVME_LOG_FIRMWARE:
		fill_firmware(&page->firmware);
		return sizeof(page->firmware);
	case NVME_LOG_CHANGED_NAMESPACES:
		fill_changed_namespaces(nvme, page->namespaces);
		return sizeof(page->namespaces);
	case NVME_LOG_EFFECTS:
		fill_effects(&page->effects);
		return sizeof(page->effects);
	default:
		return 0;
	}
}

/* The log was read: the next event of its type may be told. */
static void log_was_read(struct nvme *nvme, uint32_t id)
{
	for (uint32_t type = 0; type < NVME_EVENT_TYPES; type++) {
		if (log_of(type) == id)
			nvme->events.masked_types &= ~(UINT32_C(1) << type);
	}
	if (id == NVME_LOG_CHANGED_NAMESPACES)
		nvme->events.changed_namespaces = 0;
}

uint16_t nvme_log_get(struct nvme_request *request, uint64_t now_ns)
{
	struct nvme *nvme = request->nvme;
	const struct nvme_command *command = &request->command;
	uint32_t id = command->cdw10 & 0xff;
	uint64_t length =
		(((uint64_t)(command->cdw11 & 0xffff) << 16 | command->cdw10 >> 16) + 1) * 4;
	uint64_t offset = (uint64_t)command->cdw13 << 32 | command->cdw12, bytes;
	union log_page page = { .bytes = { 0 } };
	uint16_t status;

	pthread_mutex_lock(&nvme->events.lock);
	bytes = log_fill(nvme, id, &page, now_ns);
	pthread_mutex_unlock(&nvme->events.lock);
	if (!bytes) {
		request->location = 40;
		return NVME_INVALID_LOG | NVME_DNR;
	}
	/* SMART is of the controller, not of a namespace. */
	if (id == NVME_LOG_SMART && command->nsid && command->nsid != NVME_NSID_ALL) {
		request->location = 4;
		return NVME_INVALID_FIELD | NVME_DNR;
	}
	if (offset % 4 || offset > bytes) {
		request->location = 48;
		return NVME_INVALID_FIELD | NVME_DNR;
	}
	/* What is asked for beyond the end is not touched. */
	status = nvme_prp_to_host(request, page.bytes + offset,
				  length < bytes - offset ? length : bytes - offset);
	if (status || command->cdw10 & RETAIN_EVENT)
		return status;
	pthread_mutex_lock(&nvme->events.lock);
	log_was_read(nvme, id);
	pthread_mutex_unlock(&nvme->events.lock);
	return NVME_OK;
}
