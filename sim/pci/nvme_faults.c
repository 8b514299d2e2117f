/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on purpose: what `fault=` of --device asked for, and when it happens; and what
 * --fail and --delay say of each command.
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

static void apply(struct nvme *nvme, enum nvme_fault_kind kind, uint64_t arg,
		  struct nvme_effect *effect)
{
	switch (kind) {
	case NVME_FAULT_REMOVE:
	case NVME_FAULT_HANG:
	case NVME_FAULT_CFS:
		/* The others go on counting. */
		stop(nvme, kind);
		effect->outcome = NVME_OUTCOME_STOPPED;
		break;
	case NVME_FAULT_LOSE:
		if (effect->outcome != NVME_OUTCOME_STOPPED)
			effect->outcome = NVME_OUTCOME_LOST;
		break;
	case NVME_FAULT_LATE:
		effect->late_ns += arg;
		break;
	case NVME_FAULT_STATUS:
		if (effect->outcome == NVME_OUTCOME_NONE)
			effect->outcome = NVME_OUTCOME_STATUS;
		effect->status = (uint16_t)arg;
		break;
	case NVME_FAULT_STRAY:
		stray(nvme, arg);
		break;
	case NVME_FAULT_AGAIN:
		effect->again_ns = arg;
		break;
	}
}

/* What the command names of its disk, if it names blocks. */
static struct pci_command describe(const struct nvme *nvme, const struct nvme_sq *sq,
				   const struct nvme_command *command)
{
	struct pci_command described = {
		.admin = !sq->id,
		.opcode = command->opcode,
		.nsid = command->nsid,
	};
	bool blocks = sq->id && (command->opcode == NVME_IO_READ ||
				 command->opcode == NVME_IO_WRITE ||
				 command->opcode == NVME_IO_COMPARE ||
				 command->opcode == NVME_IO_WRITE_ZEROES ||
				 command->opcode == NVME_IO_VERIFY);

	if (!blocks || !command->nsid || command->nsid > nvme->disks_count)
		return described;
	described.block = command->cdw10 | (uint64_t)command->cdw11 << 32;
	described.blocks = (command->cdw12 & 0xffff) + UINT64_C(1);
	described.bytes = described.blocks << nvme->disks[command->nsid - 1].lba_shift;
	return described;
}

/* What --fail and --delay say. */
static void apply_mishap(struct nvme *nvme, const struct nvme_sq *sq,
			 const struct nvme_command *command, struct nvme_effect *effect)
{
	static const enum nvme_fault_kind kinds[] = {
		[PCI_MISHAP_STATUS] = NVME_FAULT_STATUS, [PCI_MISHAP_LOSE] = NVME_FAULT_LOSE,
		[PCI_MISHAP_HANG] = NVME_FAULT_HANG,	 [PCI_MISHAP_FATAL] = NVME_FAULT_CFS,
		[PCI_MISHAP_REMOVE] = NVME_FAULT_REMOVE, [PCI_MISHAP_STRAY] = NVME_FAULT_STRAY,
		[PCI_MISHAP_AGAIN] = NVME_FAULT_AGAIN,
	};
	struct pci_command described = describe(nvme, sq, command);
	struct pci_mishap mishap = pci_command_mishap(nvme->function, &described);

	effect->late_ns += mishap.delay_ns;
	if (mishap.kind != PCI_MISHAP_NONE)
		apply(nvme, kinds[mishap.kind], mishap.arg, effect);
}

void nvme_faults_apply(struct nvme *nvme, struct nvme_sq *sq, const struct nvme_command *command,
		       struct nvme_effect *effect)
{
	for (unsigned int i = 0; i < nvme->faults_count; i++) {
		struct nvme_fault *fault = &nvme->faults[i];

		if (is_about(&fault->config, sq, command) && happens(fault))
			apply(nvme, fault->config.kind, fault->config.arg, effect);
	}
	apply_mishap(nvme, sq, command, effect);
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
