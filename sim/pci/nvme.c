/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An NVM Express 1.4 controller over files (nvme_internal.h has the map of its parts).
 *
 * BAR 0 is as that of QEMU's `nvme`: registers, doorbells, the MSI-X table, its pending
 * bits, a page each. The first two are watched: a driver maps them.
 */
#include "sim/pci/models.h"
#include "sim/pci/nvme_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAR_BYTES      0x4000u
#define WATCHED_BYTES  0x2000u
#define MSIX_TABLE     0x2000u
#define MSIX_PENDING   0x3000u
#define CLASS_NVME     0x010802u
#define DEVICE_NVME    0x0010u
#define REVISION       0x02u
#define SUBSYSTEM_NVME 0x1100u
#define MSI_MESSAGES   32u

/* ---- making ----------------------------------------------------------------- */

static void locks_init(struct nvme *nvme)
{
	pthread_mutex_init(&nvme->irq_lock, NULL);
	pthread_mutex_init(&nvme->events.lock, NULL);
	for (unsigned int i = 0; i <= nvme->queues; i++) {
		nvme->sqs[i].id = (uint16_t)i;
		pthread_mutex_init(&nvme->sqs[i].lock, NULL);
		pthread_mutex_init(&nvme->cqs[i].lock, NULL);
	}
}

static uint64_t mix(uint64_t hash, const char *text, uint64_t more)
{
	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	return (hash ^ more) * UINT64_C(0x9e3779b97f4a7c15);
}

/* A namespace is known by its controller's serial number and its own number. */
static void nguid_make(const struct nvme *nvme, uint32_t nsid, uint8_t nguid[16])
{
	uint64_t high = mix(UINT64_C(0xcbf29ce484222325), nvme->config.serial, nsid);
	uint64_t low = mix(high, nvme->config.serial, nsid);

	memcpy(nguid, &high, sizeof(high));
	memcpy(nguid + 8, &low, sizeof(low));
}

static int disks_open(struct nvme *nvme, char why[PCI_WHY_BYTES])
{
	const struct nvme_config *config = &nvme->config;
	unsigned int count = config->files_count ? config->files_count : 1;
	int err;

	for (unsigned int i = 0; i < count; i++) {
		struct nvme_disk *disk = &nvme->disks[i];

		err = nvme_disk_open(disk, config->files_count ? config->files[i] : NULL,
				     config->memory_bytes, config->read_only, why);
		if (err)
			return err;
		disk->lba_shift = config->lba_bytes == 4096 ? 12 : 9;
		nvme->disks_count++;
	}
	if (!config->serial[0])
		snprintf(nvme->config.serial, sizeof(nvme->config.serial), "IO%016llX",
			 (unsigned long long)nvme->disks[0].identity);
	for (unsigned int i = 0; i < count; i++)
		nguid_make(nvme, i + 1, nvme->disks[i].nguid);
	return 0;
}

static void describe(const struct nvme *nvme, struct pci_description *description)
{
	*description = (struct pci_description){
		.vendor = NVME_VENDOR,
		.device = DEVICE_NVME,
		.subsystem_vendor = NVME_SUBSYSTEM_VENDOR,
		.subsystem_device = SUBSYSTEM_NVME,
		.class_code = CLASS_NVME,
		.revision = REVISION,
		.bars = { {
			.bytes = BAR_BYTES,
			.is_64bit = true,
			.areas = { { 0, WATCHED_BYTES, PCI_AREA_WATCHED } },
		} },
		.intx = true,
		.power_management = true,
		.express = true,
		.flr = true,
		.units = nvme->queues + 1,
		.watch_least_ns = nvme->config.poll_least_ns,
		.watch_most_ns = nvme->config.poll_most_ns,
	};
	if (nvme->config.irq == NVME_IRQ_MSIX) {
		description->msix = nvme->queues + 1;
		description->msix_table = MSIX_TABLE;
		description->msix_pending = MSIX_PENDING;
	} else if (nvme->config.irq == NVME_IRQ_MSI) {
		description->msi = MSI_MESSAGES;
	}
}

static void nvme_destroy(void *model)
{
	struct nvme *nvme = model;

	for (unsigned int i = 0; i < nvme->disks_count; i++)
		nvme_disk_close(&nvme->disks[i]);
	for (unsigned int i = 0; i <= nvme->queues && nvme->sqs && nvme->cqs; i++) {
		free(nvme->sqs[i].waiting);
		free(nvme->sqs[i].cids);
		pthread_mutex_destroy(&nvme->sqs[i].lock);
		pthread_mutex_destroy(&nvme->cqs[i].lock);
	}
	pthread_mutex_destroy(&nvme->irq_lock);
	pthread_mutex_destroy(&nvme->events.lock);
	free(nvme->sqs);
	free(nvme->cqs);
	free(nvme->vectors);
	free(nvme);
}

static int nvme_create(struct pci_function *function, const void *config,
		       struct pci_description *description, void **model, char why[PCI_WHY_BYTES])
{
	struct nvme *nvme = calloc(1, sizeof(*nvme));
	int err = -ENOMEM;

	snprintf(why, PCI_WHY_BYTES, "out of memory");
	if (!nvme)
		return err;
	nvme->function = function;
	nvme->config = *(const struct nvme_config *)config;
	nvme->queues = nvme->config.queues ? nvme->config.queues : NVME_QUEUES_DEFAULT;
	nvme->sqs = calloc(nvme->queues + 1, sizeof(*nvme->sqs));
	nvme->cqs = calloc(nvme->queues + 1, sizeof(*nvme->cqs));
	nvme->vectors = calloc(nvme->queues + 1, sizeof(*nvme->vectors));
	if (!nvme->sqs || !nvme->cqs || !nvme->vectors)
		goto out_free;
	if (!nvme->config.files_count && !nvme->config.memory_bytes) {
		snprintf(why, PCI_WHY_BYTES, "--device nvme needs file=DISK or memory=SIZE");
		err = -EINVAL;
		goto out_free;
	}
	err = disks_open(nvme, why);
	if (err)
		goto out_close;
	locks_init(nvme);
	nvme->faults_count = nvme->config.faults_count;
	for (unsigned int i = 0; i < nvme->faults_count; i++)
		nvme->faults[i].config = nvme->config.faults[i];
	describe(nvme, description);
	*model = nvme;
	return 0;

out_close:
	for (unsigned int i = 0; i < nvme->disks_count; i++)
		nvme_disk_close(&nvme->disks[i]);
out_free:
	free(nvme->sqs);
	free(nvme->cqs);
	free(nvme->vectors);
	free(nvme);
	return err;
}

/* ---- working ------------------------------------------------------------------ */

static void nvme_reset(void *model)
{
	struct nvme *nvme = model;

	nvme->bar = pci_bar_memory(nvme->function, 0, 0);
	nvme_regs_reset(nvme);
}

/* All of BAR 0 is memory; where nothing is, the bus gives zeros. */
static uint64_t nvme_read(void *model, unsigned int bar, uint64_t offset, unsigned int size)
{
	(void)model, (void)bar, (void)offset, (void)size;
	return 0;
}

static void nvme_write(void *model, unsigned int bar, uint64_t offset, uint64_t value,
		       unsigned int size)
{
	(void)model, (void)bar, (void)offset, (void)value, (void)size;
}

static bool nvme_poll(void *model, unsigned int unit)
{
	const struct nvme *nvme = model;

	if (!unit && nvme_regs_changed(nvme))
		return true;
	return nvme_is_running(nvme) && nvme_queue_has_news(nvme, unit);
}

/* Feature Keep Alive Timer: when the host must have been heard of. */
static uint64_t keep_alive_look(struct nvme *nvme, uint64_t now_ns)
{
	uint64_t due_ns;

	if (!nvme_is_running(nvme) || !nvme->features[NVME_FEAT_KEEP_ALIVE])
		return PCI_NEVER;
	due_ns = nvme->kept_alive_ns + (uint64_t)nvme->features[NVME_FEAT_KEEP_ALIVE] * 1000000;
	if (due_ns > now_ns)
		return due_ns;
	nvme_fail(nvme);
	return now_ns;
}

static uint64_t min_ns(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t nvme_step(void *model, unsigned int unit, uint64_t now_ns)
{
	struct nvme *nvme = model;
	struct nvme_sq *sq = &nvme->sqs[unit];
	uint64_t next_ns = PCI_NEVER;

	if (!nvme->started_ns && !unit)
		nvme->started_ns = now_ns;
	if (!unit) {
		nvme_regs_look(nvme, now_ns);
		next_ns = nvme_faults_look(nvme, now_ns);
	}
	pthread_mutex_lock(&sq->lock);
	if (nvme_is_running(nvme))
		next_ns = min_ns(next_ns, nvme_queue_run(nvme, sq, now_ns));
	pthread_mutex_unlock(&sq->lock);
	return unit ? next_ns : min_ns(next_ns, keep_alive_look(nvme, now_ns));
}

const struct pci_model pci_model_nvme = {
	.kind = "nvme",
	.summary = "an NVM Express 1.4 controller with a file as its disk",
	.parallel = true,
	.keys = nvme_keys,
	.repeats = "fault",
	.config_bytes = sizeof(struct nvme_config),
	.create = nvme_create,
	.destroy = nvme_destroy,
	.reset = nvme_reset,
	.read = nvme_read,
	.write = nvme_write,
	.step = nvme_step,
	.poll = nvme_poll,
};
