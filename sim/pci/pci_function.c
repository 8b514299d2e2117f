/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/pci/pci_function.h"
#include "sim/pci/internal.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096u

/* ---- making one ------------------------------------------------------------------ */

static uint64_t msix_table_bytes(const struct pci_description *description)
{
	uint64_t bytes = (uint64_t)description->msix * PCI_MSIX_ENTRY_SIZE;

	return (bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

/* Whether a BAR has something that can be mapped, and so a file behind it. */
static bool bar_has_memory(const struct pci_description *description, unsigned int bar)
{
	if (description->msix && description->msix_bar == bar)
		return true;
	for (unsigned int i = 0; i < PCI_AREAS_MAX; i++) {
		const struct pci_area *area = &description->bars[bar].areas[i];

		if (area->bytes && area->kind != PCI_AREA_TRAPPED)
			return true;
	}
	return false;
}

/* What a model may not say. A model is our code: the message is for who writes one. */
static const char *description_fault(const struct pci_description *description)
{
	const struct pci_bar *table = &description->bars[description->msix_bar % PCI_BARS];

	for (unsigned int i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *bar = &description->bars[i];

		if (bar->bytes && (bar->bytes < 16 || bar->bytes & (bar->bytes - 1)))
			return "a BAR's size is a power of two from 16";
		if (bar->bytes > UINT32_MAX / 2 && !bar->is_64bit)
			return "a BAR of 4 GiB or more has 64 bits";
		if (bar->is_64bit && (i + 1 == PCI_BARS || description->bars[i + 1].bytes))
			return "a BAR of 64 bits takes the next one's place";
		for (unsigned int k = 0; k < PCI_AREAS_MAX; k++) {
			const struct pci_area *area = &bar->areas[k];

			if (area->offset > bar->bytes || area->bytes > bar->bytes - area->offset)
				return "an area lies in its BAR";
			if (area->kind != PCI_AREA_TRAPPED &&
			    (area->offset % PAGE || area->bytes % PAGE))
				return "memory has whole pages";
		}
	}
	if (description->units > PCI_UNITS_MAX)
		return "there are too many units";
	if (description->msi & (description->msi - 1) || description->msi > 32)
		return "messages are a power of two up to 32";
	if (description->msix > 2048 || description->msix_bar >= PCI_BARS ||
	    description->msix_table % PAGE || description->msix_pending % PAGE ||
	    (description->msix &&
	     (description->msix_table + msix_table_bytes(description) > table->bytes ||
	      description->msix_pending + PAGE > table->bytes)))
		return "the MSI-X table and pending bits have whole pages of a BAR";
	return NULL;
}

static int make_memory(struct pci_function *function, char why[PCI_WHY_BYTES])
{
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		uint64_t bytes = function->description.bars[i].bytes;
		int err;

		if (!bar_has_memory(&function->description, i))
			continue;
		bytes = bytes < PAGE ? PAGE : bytes;
		err = pci_memory_init(&function->bars[i], bytes);
		if (err) {
			snprintf(why, PCI_WHY_BYTES,
				 "--device %s: no memory for BAR %u of %llu bytes: %s",
				 function->model->kind, i, (unsigned long long)bytes,
				 strerror(-err));
			return err;
		}
	}
	return 0;
}

struct pci_function *pci_function_create(const struct pci_model *model, const void *config,
					 uint16_t vendor, uint16_t device,
					 char why[PCI_WHY_BYTES])
{
	static const uint64_t nowhere[PCI_BARS];
	struct pci_function *function = calloc(1, sizeof(*function));
	const char *fault;

	if (!function) {
		snprintf(why, PCI_WHY_BYTES, "out of memory");
		return NULL;
	}
	function->model = model;
	for (unsigned int i = 0; i < PCI_BARS; i++)
		function->bars[i].fd = -1;
	pthread_mutex_init(&function->config_lock, NULL);
	pthread_mutex_init(&function->pin.lock, NULL);
	pci_gate_init(&function->gate);
	if (model->create(function, config, &function->description, &function->state, why)) {
		function->state = NULL;
		goto out_destroy;
	}
	fault = description_fault(&function->description);
	if (fault) {
		snprintf(why, PCI_WHY_BYTES, "--device %s: its model is wrong: %s", model->kind,
			 fault);
		goto out_destroy;
	}
	if (vendor)
		function->description.vendor = vendor;
	if (device)
		function->description.device = device;
	if (make_memory(function, why))
		goto out_destroy;
	pci_function_place(function, nowhere);
	model->reset(function->state);
	return function;

out_destroy:
	pci_function_destroy(function);
	return NULL;
}

void pci_function_destroy(struct pci_function *function)
{
	if (!function)
		return;
	if (function->state)
		function->model->destroy(function->state);
	for (unsigned int i = 0; i < PCI_BARS; i++)
		pci_memory_fini(&function->bars[i]);
	pci_gate_fini(&function->gate);
	pthread_mutex_destroy(&function->pin.lock);
	pthread_mutex_destroy(&function->config_lock);
	free(function);
}

void pci_function_place(struct pci_function *function, const uint64_t addresses[PCI_BARS])
{
	pci_config_init(&function->config, &function->description, addresses);
	function->memory_enabled = true;
	function->is_master = false;
}

void pci_function_connect(struct pci_function *function, const struct pci_world_ops *ops,
			  void *opaque)
{
	function->world = ops;
	function->opaque = opaque;
}

const struct pci_model *pci_function_model(const struct pci_function *function)
{
	return function->model;
}

const struct pci_description *pci_function_description(const struct pci_function *function)
{
	return &function->description;
}

/* ---- configuration space --------------------------------------------------------- */

size_t pci_function_config_bytes(const struct pci_function *function)
{
	return function->config.size;
}

const struct pci_config *pci_function_config(const struct pci_function *function)
{
	return &function->config;
}

void pci_function_config_read(struct pci_function *function, size_t offset, void *buf,
			      size_t length)
{
	bool pin = pci_function_pin(function);

	if (pci_function_is_removed(function)) {
		memset(buf, 0xff, length);
		return;
	}
	pthread_mutex_lock(&function->config_lock);
	if (pin)
		function->config.bytes[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
	else
		function->config.bytes[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTERRUPT;
	memcpy(buf, function->config.bytes + offset, length);
	pthread_mutex_unlock(&function->config_lock);
}

/* Hides or shows what others have mapped. With config_lock held. */
static void update_memory(struct pci_function *function)
{
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		if (!function->lent[i])
			continue;
		if (function->memory_enabled && !function->asleep)
			pci_memory_show(&function->bars[i]);
		else
			pci_memory_hide(&function->bars[i]);
	}
}

void pci_function_config_write(struct pci_function *function, size_t offset, const void *buf,
			       size_t length)
{
	struct pci_config *config = &function->config;
	uint16_t command;
	bool enabled;

	if (pci_function_is_removed(function))
		return;
	pthread_mutex_lock(&function->config_lock);
	pci_config_write(config, offset, buf, length);
	command = pci_config_get16(config, PCI_COMMAND);
	enabled = command & PCI_COMMAND_MEMORY &&
		  (!config->pm || (config->bytes[config->pm + PCI_PM_CTRL] &
				   PCI_PM_CTRL_STATE_MASK) != 3);
	__atomic_store_n(&function->is_master, command & PCI_COMMAND_MASTER, __ATOMIC_RELEASE);
	if (enabled != function->memory_enabled) {
		__atomic_store_n(&function->memory_enabled, enabled, __ATOMIC_RELEASE);
		update_memory(function);
	}
	pthread_mutex_unlock(&function->config_lock);
	pci_irq_disable_pin(function, command & PCI_COMMAND_INTX_DISABLE);
}

bool pci_function_memory_enabled(const struct pci_function *function)
{
	return __atomic_load_n(&function->memory_enabled, __ATOMIC_ACQUIRE);
}

/* ---- BARs ------------------------------------------------------------------------ */

/* The area of MSI-X that offset lies in; false: neither. */
static bool msix_area(const struct pci_function *function, unsigned int bar, uint64_t offset,
		      struct pci_area *area)
{
	const struct pci_description *description = &function->description;

	if (!description->msix || description->msix_bar != bar)
		return false;
	*area = (struct pci_area){ description->msix_table, msix_table_bytes(description),
				   PCI_AREA_MEMORY };
	if (offset >= area->offset && offset - area->offset < area->bytes)
		return true;
	*area = (struct pci_area){ description->msix_pending, PAGE, PCI_AREA_MEMORY };
	return offset >= area->offset && offset - area->offset < area->bytes;
}

/* The area that offset lies in; false: none says. */
static bool find_area(const struct pci_function *function, unsigned int bar, uint64_t offset,
		      struct pci_area *area)
{
	const struct pci_area *areas = function->description.bars[bar].areas;

	for (unsigned int i = 0; i < PCI_AREAS_MAX && areas[i].bytes; i++) {
		if (offset >= areas[i].offset && offset - areas[i].offset < areas[i].bytes) {
			*area = areas[i];
			return true;
		}
	}
	return msix_area(function, bar, offset, area);
}

enum pci_area_kind pci_function_area(const struct pci_function *function, unsigned int bar,
				     uint64_t offset)
{
	struct pci_area area;

	return find_area(function, bar, offset, &area) ? area.kind : PCI_AREA_TRAPPED;
}

bool pci_function_mappable(const struct pci_function *function, unsigned int bar,
			   uint64_t *offset, uint64_t *bytes)
{
	uint64_t size = function->description.bars[bar].bytes, at = *offset;

	while (at < size && pci_function_area(function, bar, at) == PCI_AREA_TRAPPED)
		at += PAGE;
	if (at >= size)
		return false;
	*offset = at;
	while (at < size && pci_function_area(function, bar, at) != PCI_AREA_TRAPPED) {
		struct pci_area area;

		find_area(function, bar, at, &area);
		at = area.offset + area.bytes;
	}
	*bytes = at - *offset;
	return true;
}

bool pci_function_is_mappable(const struct pci_function *function, unsigned int bar,
			      uint64_t offset, uint64_t bytes)
{
	uint64_t start = offset, part;

	return pci_function_mappable(function, bar, &start, &part) && start <= offset &&
	       bytes <= part - (offset - start);
}

/* Whole words, which the model and drivers read and write at the same time. */
static uint64_t load(const uint8_t *at, unsigned int size)
{
	const void *word = at;

	switch (size) {
	case 1:
		return __atomic_load_n(at, __ATOMIC_ACQUIRE);
	case 2:
		return __atomic_load_n((const uint16_t *)word, __ATOMIC_ACQUIRE);
	case 4:
		return __atomic_load_n((const uint32_t *)word, __ATOMIC_ACQUIRE);
	default:
		return __atomic_load_n((const uint64_t *)word, __ATOMIC_ACQUIRE);
	}
}

static void store(uint8_t *at, uint64_t value, unsigned int size)
{
	void *word = at;

	switch (size) {
	case 1:
		__atomic_store_n(at, (uint8_t)value, __ATOMIC_RELEASE);
		return;
	case 2:
		__atomic_store_n((uint16_t *)word, (uint16_t)value, __ATOMIC_RELEASE);
		return;
	case 4:
		__atomic_store_n((uint32_t *)word, (uint32_t)value, __ATOMIC_RELEASE);
		return;
	default:
		__atomic_store_n((uint64_t *)word, value, __ATOMIC_RELEASE);
	}
}

uint64_t pci_function_read(struct pci_function *function, unsigned int bar, uint64_t offset,
			   unsigned int size)
{
	uint64_t value;

	if (pci_function_is_removed(function))
		return UINT64_MAX;
	if (pci_function_area(function, bar, offset) != PCI_AREA_TRAPPED)
		return load(function->bars[bar].base + offset, size);
	pci_gate_enter(function);
	value = function->model->read(function->state, bar, offset, size);
	pci_gate_leave(function);
	return value;
}

void pci_function_write(struct pci_function *function, unsigned int bar, uint64_t offset,
			uint64_t value, unsigned int size)
{
	enum pci_area_kind kind = pci_function_area(function, bar, offset);

	if (pci_function_is_removed(function))
		return;
	if (kind == PCI_AREA_TRAPPED) {
		pci_gate_enter(function);
		function->model->write(function->state, bar, offset, value, size);
		pci_gate_leave(function);
		return;
	}
	store(function->bars[bar].base + offset, value, size);
	if (kind != PCI_AREA_WATCHED)
		return;
	for (unsigned int i = 0; i < pci_function_units(function); i++) {
		if (pci_function_poll(function, i))
			pci_wake(function, i);
	}
}

int pci_function_peer_access(struct pci_function *function, unsigned int bar, uint64_t offset,
			     void *buf, size_t length, bool write)
{
	uint8_t *at = buf;

	if (!pci_function_memory_enabled(function))
		return -EFAULT;
	while (length) {
		struct pci_area area;
		uint64_t value = 0;
		size_t n = 8;

		if (find_area(function, bar, offset, &area) && area.kind == PCI_AREA_MEMORY) {
			n = (size_t)(area.offset + area.bytes - offset);
			n = n < length ? n : length;
			if (write)
				memmove(function->bars[bar].base + offset, at, n);
			else
				memmove(at, function->bars[bar].base + offset, n);
		} else {
			while (n > length || offset % n)
				n /= 2;
			if (write) {
				memcpy(&value, at, n);
				pci_function_write(function, bar, offset, value, (unsigned int)n);
			} else {
				value = pci_function_read(function, bar, offset, (unsigned int)n);
				memcpy(at, &value, n);
			}
		}
		at += n;
		offset += n;
		length -= n;
	}
	return 0;
}

void pci_function_sleep(struct pci_function *function, bool asleep)
{
	pthread_mutex_lock(&function->config_lock);
	if (function->asleep != asleep) {
		function->asleep = asleep;
		update_memory(function);
	}
	pthread_mutex_unlock(&function->config_lock);
}

int pci_function_bar_fd(struct pci_function *function, unsigned int bar)
{
	pthread_mutex_lock(&function->config_lock);
	if (function->bars[bar].fd >= 0 && !function->lent[bar]) {
		function->lent[bar] = true;
		update_memory(function);
	}
	pthread_mutex_unlock(&function->config_lock);
	return function->bars[bar].fd;
}

uint8_t *pci_function_bar_base(const struct pci_function *function, unsigned int bar)
{
	return function->bars[bar].base;
}

void pci_removed(struct pci_function *function)
{
	if (__atomic_exchange_n(&function->removed, true, __ATOMIC_ACQ_REL))
		return;
	pci_irq_reset(function);
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		if (function->bars[i].fd >= 0)
			memset(function->bars[i].base, 0xff, function->bars[i].bytes);
	}
	if (function->world && function->world->removed)
		function->world->removed(function->opaque);
}

/* ---- what a model asks ----------------------------------------------------------- */

void *pci_bar_memory(struct pci_function *function, unsigned int bar, uint64_t offset)
{
	return function->bars[bar].base + offset;
}

int pci_dma_vector(struct pci_function *function, uint32_t pasid, bool write,
		   const struct pci_dma_piece *pieces, unsigned int pieces_count,
		   const struct iovec *local, unsigned int local_count, uint64_t *fault_iova)
{
	if (!__atomic_load_n(&function->is_master, __ATOMIC_ACQUIRE) || !function->world ||
	    pci_function_is_removed(function)) {
		if (fault_iova)
			*fault_iova = pieces_count ? pieces[0].iova : 0;
		return -EFAULT;
	}
	return function->world->dma(function->opaque, pasid, write, pieces, pieces_count, local,
				    local_count, fault_iova);
}

static int dma_plain(struct pci_function *function, uint64_t iova, void *buf, size_t length,
		     bool write)
{
	const struct pci_dma_piece piece = { .iova = iova, .bytes = length };
	const struct iovec local = { .iov_base = buf, .iov_len = length };

	return pci_dma_vector(function, PCI_NO_PASID, write, &piece, 1, &local, 1, NULL);
}

int pci_dma_read(struct pci_function *function, uint64_t iova, void *buf, size_t length)
{
	return dma_plain(function, iova, buf, length, false);
}

int pci_dma_write(struct pci_function *function, uint64_t iova, const void *buf,
		  size_t length)
{
	return dma_plain(function, iova, (void *)(uintptr_t)buf, length, true);
}

uint64_t pci_now(struct pci_function *function)
{
	return function->world ? function->world->now(function->opaque) : 0;
}

struct pci_mishap pci_command_mishap(struct pci_function *function,
				     const struct pci_command *command)
{
	struct pci_mishap mishap = { PCI_MISHAP_NONE, 0, 0 };

	if (function->world && function->world->mishap)
		function->world->mishap(function->opaque, command, &mishap);
	return mishap;
}

uint64_t pci_random(struct pci_function *function)
{
	return function->world ? function->world->random(function->opaque) : 0;
}

void pci_wake(struct pci_function *function, unsigned int unit)
{
	if (function->world && function->world->wake)
		function->world->wake(function->opaque, unit);
}
