/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on purpose: what `fault=` of --device asked for, and when it happens.
 *
 * A fault counts the commands that it is about, over all queues, and happens at the
 * when-th of them (and each every-th after it). Those that stop the whole controller
 * happen once.
 */
#include "sim/pci/nvme_internal.h"

static bool is_about(const struct nvme_fault_config *config, const struct nvme_sq *sq,
		     const struct nvme_command *command)
{
	switch (config->of) {
	case NVME_FAULT_OF_IO:
		return sq->id;
	case NVME_FAULT_OF_READ:
		return sq->id && command->opcode == NVME_IO_READ;
	case NVME_FAULT_OF_WRITE:
		return sq->id && command->opcode == NVME_IO_WRITE;
	case NVME_FAULT_OF_ADMIN:
		return !sq->id;
	case NVME_FAULT_OF_TIME:
		break;
	}
	return false;
}

static bool happens(struct nvme_fault *fault)
{
	const struct nvme_fault_config *config = &fault->config;
	uint64_t n = __atomic_add_fetch(&fault->seen, 1, __ATOMIC_RELAXED);

	return n == config->when ||
	       (config->every && n > config->when && !((n - config->when) % config->every));
}

static void stop(struct nvme *nvme, enum nvme_fault_kind kind)
{
	if (kind == NVME_FAULT_CFS)
		nvme_fail(nvme);
	else
		nvme_die(nvme, kind == NVME_FAULT_REMOVE);
}

/* The device reads where nobody told it to. What comes of it, the IOMMU says. */
static void stray(struct nvme *nvme, uint64_t iova)
{
	uint64_t word;

	(void)pci_dma_read(nvme->function, iova, &word, sizeof(word));
}

enum nvme_fault_effect nvme_faults_apply(struct nvme *nvme, struct nvme_sq *sq,
					 const struct nvme_command *command, uint16_t *status,
					 uint64_t *late_ns, uint64_t *again_ns)
{
	enum nvme_fault_effect effect = NVME_EFFECT_NONE;

	for (unsigned int i = 0; i < nvme->faults_count; i++) {
		struct nvme_fault *fault = &nvme->faults[i];

		if (!is_about(&fault->config, sq, command) || !happens(fault))
			continue;
		switch (fault->config.kind) {
		case NVME_FAULT_REMOVE:
		case NVME_FAULT_HANG:
		case NVME_FAULT_CFS:
			/* The others go on counting. */
			stop(nvme, fault->config.kind);
			effect = NVME_EFFECT_STOPPED;
			break;
		case NVME_FAULT_LOSE:
			if (effect != NVME_EFFECT_STOPPED)
				effect = NVME_EFFECT_LOST;
			break;
		case NVME_FAULT_LATE:
			*late_ns += fault->config.arg;
			break;
		case NVME_FAULT_STATUS:
			if (effect == NVME_EFFECT_NONE)
				effect = NVME_EFFECT_STATUS;
			*status = (uint16_t)fault->config.arg;
			break;
		case NVME_FAULT_STRAY:
			stray(nvme, fault->config.arg);
			break;
		case NVME_FAULT_AGAIN:
			*again_ns = fault->config.arg;
			break;
		}
	}
	return effect;
}

uint64_t nvme_faults_look(struct nvme *nvme, uint64_t now_ns)
{
	uint64_t next_ns = PCI_NEVER;

	if (!nvme->enabled_ns)
		return PCI_NEVER;
	for (unsigned int i = 0; i < nvme->faults_count; i++) {
		struct nvme_fault *fault = &nvme->faults[i];
		uint64_t due_ns;

		if (fault->config.of != NVME_FAULT_OF_TIME || fault->over)
			continue;
		due_ns = nvme->enabled_ns + fault->config.when;
		if (due_ns > now_ns) {
			next_ns = due_ns < next_ns ? due_ns : next_ns;
			continue;
		}
		fault->over = true;
		stop(nvme, fault->config.kind);
	}
	return next_ns;
}
