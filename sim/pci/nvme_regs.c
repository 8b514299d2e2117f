/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The controller's registers. A driver may map them, so none is an event: what it wrote
 * is found by comparing the memory with what was acted on last, and what it may not write
 * is put back. Base Specification 1.4, section 3.1.
 *
 * What cannot be seen this way: a write of the value that is there already. It matters
 * for one register, INTMC, which therefore reads as 0 (and the mask is read in INTMS).
 */
#include "sim/pci/nvme_internal.h"

#include <string.h>

#define CAP_TIMEOUT 0x0fu /* times 500 ms */

static uint64_t capabilities(void)
{
	return (uint64_t)(NVME_ENTRIES_MAX - 1) | /* MQES */
	       UINT64_C(1) << 16 |		  /* CQR: queues are contiguous */
	       (uint64_t)CAP_TIMEOUT << 24 |
	       UINT64_C(1) << 36 | /* NSSRS: a subsystem reset is known */
	       UINT64_C(1) << 37 | /* CSS: the NVM command set */
	       (uint64_t)NVME_MPS_MAX << 52;
}

static uint64_t reg_get64(const struct nvme *nvme, enum nvme_register reg)
{
	return nvme_reg_get(nvme, reg) | (uint64_t)nvme_reg_get(nvme, (enum nvme_register)(reg + 4))
						 << 32;
}

/*
 * cc, csts and interrupts_masked are written by unit 0 alone, and read by poll(), which may
 * run in another thread.
 */
static void set(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static uint32_t get(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/* Puts what is only read where a driver reads it. */
static void regs_show(struct nvme *nvme)
{
	uint64_t cap = capabilities();

	nvme_reg_set(nvme, NVME_REG_CAP, (uint32_t)cap);
	nvme_reg_set(nvme, (enum nvme_register)(NVME_REG_CAP + 4), (uint32_t)(cap >> 32));
	nvme_reg_set(nvme, NVME_REG_VS, NVME_VERSION);
	nvme_reg_set(nvme, NVME_REG_INTMS, nvme->interrupts_masked);
	nvme_reg_set(nvme, NVME_REG_INTMC, 0);
	nvme_reg_set(nvme, NVME_REG_CSTS, nvme->csts);
	nvme_reg_set(nvme, NVME_REG_NSSR, 0);
}

/* ---- enabling and resets ------------------------------------------------------- */

/* Every queue ends. The units find the controller not running, and wait for the locks. */
static void queues_stop(struct nvme *nvme)
{
	__atomic_store_n(&nvme->running, false, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i <= nvme->queues; i++) {
		pthread_mutex_lock(&nvme->sqs[i].lock);
		nvme_sq_stop(nvme, &nvme->sqs[i]);
		pthread_mutex_unlock(&nvme->sqs[i].lock);
	}
	for (unsigned int i = 0; i <= nvme->queues; i++) {
		pthread_mutex_lock(&nvme->cqs[i].lock);
		nvme_cq_stop(nvme, &nvme->cqs[i]);
		pthread_mutex_unlock(&nvme->cqs[i].lock);
	}
	nvme->async_count = 0;
}

/* Whether what the driver chose can be. */
static bool start_is_valid(const struct nvme *nvme, uint32_t cc, uint32_t aqa)
{
	uint64_t page = UINT64_C(1) << (NVME_PAGE_SHIFT + NVME_CC_MPS(cc));

	return NVME_CC_MPS(cc) <= NVME_MPS_MAX && !NVME_CC_CSS(cc) && !NVME_CC_AMS(cc) &&
	       NVME_AQA_ASQS(aqa) && NVME_AQA_ACQS(aqa) &&
	       !(reg_get64(nvme, NVME_REG_ASQ) % page) && !(reg_get64(nvme, NVME_REG_ACQ) % page);
}

static void controller_start(struct nvme *nvme, uint64_t now_ns)
{
	uint32_t aqa = nvme_reg_get(nvme, NVME_REG_AQA);
	bool good = start_is_valid(nvme, nvme->cc, aqa);

	if (!nvme->enabled_ns)
		nvme->enabled_ns = now_ns ? now_ns : 1;
	nvme->kept_alive_ns = now_ns;
	nvme_features_reset(nvme);
	nvme_events_reset(nvme);
	if (good) {
		nvme->page_shift = NVME_PAGE_SHIFT + NVME_CC_MPS(nvme->cc);
		pthread_mutex_lock(&nvme->sqs[0].lock);
		nvme_cq_start(nvme, &nvme->cqs[0], reg_get64(nvme, NVME_REG_ACQ),
			      NVME_AQA_ACQS(aqa) + 1, true, 0);
		good = nvme_sq_start(nvme, &nvme->sqs[0], 0, reg_get64(nvme, NVME_REG_ASQ),
				     NVME_AQA_ASQS(aqa) + 1);
		pthread_mutex_unlock(&nvme->sqs[0].lock);
	}
	nvme->was_shut_down = false;
	set(&nvme->csts, nvme->csts & ~(NVME_CSTS_RDY | NVME_CSTS_CFS | NVME_CSTS_SHST_DONE));
	if (good) {
		set(&nvme->csts, nvme->csts | NVME_CSTS_RDY);
		__atomic_store_n(&nvme->running, true, __ATOMIC_RELEASE);
	} else {
		set(&nvme->csts, nvme->csts | NVME_CSTS_CFS);
	}
}

static void controller_stop(struct nvme *nvme)
{
	if (!nvme->was_shut_down && nvme->csts & NVME_CSTS_RDY)
		nvme->events.unsafe_shutdowns++;
	queues_stop(nvme);
	__atomic_store_n(&nvme->failed, false, __ATOMIC_RELAXED);
	set(&nvme->interrupts_masked, 0);
	set(&nvme->csts, nvme->csts & ~(NVME_CSTS_RDY | NVME_CSTS_CFS | NVME_CSTS_SHST_DONE));
}

static void controller_shut_down(struct nvme *nvme)
{
	for (unsigned int i = 0; i < nvme->disks_count; i++)
		nvme_disk_flush(&nvme->disks[i]);
	nvme->was_shut_down = true;
	set(&nvme->csts, nvme->csts | NVME_CSTS_SHST_DONE);
}

void nvme_regs_reset(struct nvme *nvme)
{
	if (nvme->gone)
		return;
	nvme->dead = false;
	controller_stop(nvme);
	set(&nvme->cc, 0);
	set(&nvme->csts, 0);
	nvme->was_shut_down = false;
	nvme->page_shift = NVME_PAGE_SHIFT;
	memset(nvme->bar, 0, NVME_REG_DOORBELLS);
	regs_show(nvme);
}

/* ---- looking ---------------------------------------------------------------------- */

static bool is_dead(const struct nvme *nvme)
{
	return __atomic_load_n(&nvme->dead, __ATOMIC_ACQUIRE);
}

bool nvme_regs_changed(const struct nvme *nvme)
{
	uint32_t csts = get(&nvme->csts);

	return !is_dead(nvme) &&
	       (nvme_reg_get(nvme, NVME_REG_CC) != get(&nvme->cc) ||
		nvme_reg_get(nvme, NVME_REG_CSTS) != csts || nvme_reg_get(nvme, NVME_REG_NSSR) ||
		nvme_reg_get(nvme, NVME_REG_INTMS) != get(&nvme->interrupts_masked) ||
		nvme_reg_get(nvme, NVME_REG_INTMC) ||
		(__atomic_load_n(&nvme->failed, __ATOMIC_ACQUIRE) && !(csts & NVME_CSTS_CFS)));
}

/* What was masked and is not any more interrupts now. */
static void irq_mask_changed(struct nvme *nvme, uint32_t masked)
{
	bool pin = pci_irq_by_pin(nvme->function), up = false;

	pthread_mutex_lock(&nvme->irq_lock);
	set(&nvme->interrupts_masked, masked);
	for (unsigned int i = 0; i <= nvme->queues; i++) {
		struct nvme_cq *cq = &nvme->cqs[i];

		if (!cq->raised || masked >> (cq->vector % 32) & 1)
			continue;
		up = true;
		pci_irq_raise(nvme->function, cq->vector);
		if (!pin)
			__atomic_store_n(&cq->raised, false, __ATOMIC_RELAXED);
	}
	if (!up && pin)
		pci_irq_lower(nvme->function);
	pthread_mutex_unlock(&nvme->irq_lock);
}

static void cc_changed(struct nvme *nvme, uint32_t cc, uint64_t now_ns)
{
	uint32_t old = nvme->cc;

	set(&nvme->cc, cc);
	if (NVME_CC_SHN(cc) && !NVME_CC_SHN(old) && nvme->csts & NVME_CSTS_RDY)
		controller_shut_down(nvme);
	if (!(old & NVME_CC_EN) && cc & NVME_CC_EN)
		controller_start(nvme, now_ns);
	else if (old & NVME_CC_EN && !(cc & NVME_CC_EN))
		controller_stop(nvme);
}

void nvme_regs_look(struct nvme *nvme, uint64_t now_ns)
{
	uint32_t cc, mask;

	if (is_dead(nvme) || !nvme_regs_changed(nvme))
		return;
	if (nvme_reg_get(nvme, NVME_REG_NSSR) == NVME_NSSR_MAGIC) {
		nvme_regs_reset(nvme);
		set(&nvme->csts, NVME_CSTS_NSSRO);
		nvme_reg_set(nvme, NVME_REG_CSTS, nvme->csts);
		return;
	}
	/* One bit of CSTS is cleared by writing it. */
	if (nvme_reg_get(nvme, NVME_REG_CSTS) != nvme->csts)
		set(&nvme->csts,
		    nvme->csts & ~(nvme_reg_get(nvme, NVME_REG_CSTS) & NVME_CSTS_NSSRO));
	mask = (nvme_reg_get(nvme, NVME_REG_INTMS) | nvme->interrupts_masked) &
	       ~nvme_reg_get(nvme, NVME_REG_INTMC);
	if (mask != nvme->interrupts_masked)
		irq_mask_changed(nvme, mask);
	if (__atomic_load_n(&nvme->failed, __ATOMIC_ACQUIRE))
		set(&nvme->csts, nvme->csts | NVME_CSTS_CFS);
	cc = nvme_reg_get(nvme, NVME_REG_CC);
	if (cc != nvme->cc)
		cc_changed(nvme, cc, now_ns);
	regs_show(nvme);
}

/* ---- what units say ------------------------------------------------------------------ */

void nvme_fail(struct nvme *nvme)
{
	__atomic_store_n(&nvme->running, false, __ATOMIC_RELEASE);
	__atomic_store_n(&nvme->failed, true, __ATOMIC_RELEASE);
	pci_wake(nvme->function, 0);
}

void nvme_die(struct nvme *nvme, bool gone)
{
	__atomic_store_n(&nvme->running, false, __ATOMIC_RELEASE);
	__atomic_store_n(&nvme->dead, true, __ATOMIC_RELEASE);
	if (gone) {
		__atomic_store_n(&nvme->gone, true, __ATOMIC_RELEASE);
		pci_removed(nvme->function);
	}
}

void nvme_irq_raise(struct nvme *nvme, struct nvme_cq *cq)
{
	bool pin, masked;

	if (!cq->interrupts)
		return;
	pin = pci_irq_by_pin(nvme->function);
	if (!pin && !__atomic_load_n(&nvme->interrupts_masked, __ATOMIC_RELAXED)) {
		pci_irq_raise(nvme->function, cq->vector);
		return;
	}
	pthread_mutex_lock(&nvme->irq_lock);
	masked = nvme->interrupts_masked >> (cq->vector % 32) & 1;
	__atomic_store_n(&cq->raised, pin || masked, __ATOMIC_RELAXED);
	if (!masked)
		pci_irq_raise(nvme->function, cq->vector);
	pthread_mutex_unlock(&nvme->irq_lock);
}

void nvme_irq_lower(struct nvme *nvme, struct nvme_cq *cq)
{
	bool up = false;

	if (!__atomic_load_n(&cq->raised, __ATOMIC_RELAXED))
		return;
	pthread_mutex_lock(&nvme->irq_lock);
	__atomic_store_n(&cq->raised, false, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i <= nvme->queues; i++) {
		const struct nvme_cq *other = &nvme->cqs[i];

		up = up ||
		     (other->raised && !(nvme->interrupts_masked >> (other->vector % 32) & 1));
	}
	if (!up && pci_irq_by_pin(nvme->function))
		pci_irq_lower(nvme->function);
	pthread_mutex_unlock(&nvme->irq_lock);
}
