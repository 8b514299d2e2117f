/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/fuse/inject.h"

#include <errno.h>
#include <inttypes.h>
#include <ioasis/iommufd_abi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/fuse/inject_internal.h"
#include "tracepoints/commands.h"

#define VFIO_BASE 100
#define VFIO_MAP_DMA_NR (VFIO_BASE + 13)
#define VFIO_UNMAP_DMA_NR (VFIO_BASE + 14)

const char *inject_command_name(unsigned int nr)
{
	for (const struct command_name *row = inject_commands; row->name; row++) {
		if (row->nr == nr)
			return row->name;
	}
	return NULL;
}

struct inject *inject_create(uint64_t seed)
{
	struct inject *inject = calloc(1, sizeof(*inject));

	if (!inject)
		return NULL;
	pthread_mutex_init(&inject->lock, NULL);
	inject->last = &inject->rules;
	inject->random = seed;
	return inject;
}

void inject_set_seed(struct inject *inject, uint64_t seed)
{
	inject->random = seed;
}

void inject_destroy(struct inject *inject)
{
	if (!inject)
		return;
	while (inject->rules) {
		struct rule *rule = inject->rules;

		inject->rules = rule->next;
		free(rule);
	}
	pthread_mutex_destroy(&inject->lock);
	free(inject);
}

bool inject_is_empty(const struct inject *inject)
{
	return !inject->rules && !inject->counts_calls;
}

void inject_count_calls(struct inject *inject)
{
	inject->counts_calls = true;
}

void inject_write_counts(struct inject *inject, FILE *out)
{
	pthread_mutex_lock(&inject->lock);
	for (const struct command_name *row = inject_commands; row->name; row++) {
		if (inject->counts[row->nr])
			fprintf(out, "%s %" PRIu64 "\n", row->name, inject->counts[row->nr]);
	}
	pthread_mutex_unlock(&inject->lock);
}

bool inject_wants_name(const struct inject *inject)
{
	return inject->looks_at_names;
}

bool inject_uses_chance(const struct inject *inject)
{
	for (const struct rule *rule = inject->rules; rule; rule = rule->next) {
		if (rule->when == WHEN_CHANCE || rule->delay_ns.first != rule->delay_ns.last)
			return true;
	}
	return false;
}

bool inject_heeds_signals(const struct inject *inject)
{
	for (const struct rule *rule = inject->rules; rule; rule = rule->next) {
		if (rule->delay_ns.last)
			return true;
		for (unsigned int i = 0; i < rule->errors_count; i++) {
			if (rule->errors[i] == -EINTR)
				return true;
		}
	}
	return false;
}

/* ---- what a call names ------------------------------------------------------------ */

/* Where an argument has the ids that it names, and a length; 0: nowhere. */
struct places {
	size_t ids[NAMED_IDS_MAX];
	unsigned int ids_count;
	size_t length;
};

static void places_add(struct places *places, size_t offset)
{
	if (places->ids_count < NAMED_IDS_MAX)
		places->ids[places->ids_count++] = offset;
}

/* What the catalogue's rows say of the argument. */
#define ID(member) places_add(&places, offsetof(__typeof__(*arg), member));
#define ID_EINVAL(member) ID(member)
#define OPTIONAL_ID(member, condition) ID(member)
#define RANGE(iova, bytes) places.length = offsetof(__typeof__(*arg), bytes);
#define PLACES(number, NAME, text, handler, type, last, major, minor, PLAIN, names, ...) \
	case number: {                                                                   \
		struct type *arg = NULL;                                                 \
                                                                                         \
		(void)arg;                                                               \
		names                                                                    \
		break;                                                                   \
	}

static struct places places_of(unsigned int nr)
{
	struct places places = { .ids_count = 0 };

	switch (nr) {
		IOMMUFD_COMMANDS(PLACES)
	case VFIO_MAP_DMA_NR: /* struct vfio_iommu_type1_dma_map: argsz, flags, vaddr, iova, size */
		places.length = 24;
		break;
	case VFIO_UNMAP_DMA_NR: /* struct vfio_iommu_type1_dma_unmap: argsz, flags, iova, size */
		places.length = 16;
		break;
	}
	return places;
}

void inject_read_arguments(struct inject *inject, unsigned int nr, struct inject_call *call,
			   bool (*read)(void *opaque, void *to, size_t offset, size_t bytes),
			   void *opaque)
{
	struct places places;

	if (!inject->looks_at_arguments)
		return;
	places = places_of(nr);
	for (unsigned int i = 0; i < places.ids_count; i++) {
		uint32_t id;

		if (read(opaque, &id, places.ids[i], sizeof(id)))
			call->ids[call->ids_count++] = id;
	}
	call->has_bytes = places.length &&
			  read(opaque, &call->bytes, places.length, sizeof(call->bytes));
}

/* ---- deciding -------------------------------------------------------------------- */

/* splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators). */
static uint64_t next_random(struct inject *inject)
{
	uint64_t z = inject->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static bool selection_fits(const struct selection *selection, const struct inject_call *call)
{
	bool fits = (!selection->by_pid || selection->pid == call->pid) &&
		    (!selection->by_tid || selection->tid == call->tid) &&
		    (!selection->name[0] || (call->name && !strcmp(selection->name, call->name)));

	if (fits && selection->by_size)
		fits = call->has_bytes && selection->size.first <= call->bytes &&
		       call->bytes <= selection->size.last;
	if (!fits || !selection->by_space)
		return fits;
	for (unsigned int i = 0; i < call->ids_count; i++) {
		if (call->ids[i] == selection->space)
			return true;
	}
	return false;
}

static bool rule_hits(struct inject *inject, struct rule *rule)
{
	rule->calls++;
	switch (rule->when) {
	case WHEN_ALWAYS:
		return true;
	case WHEN_NTH:
		for (unsigned int i = 0; i < rule->spans_count; i++) {
			if (rule->spans[i].first <= rule->calls &&
			    rule->calls <= rule->spans[i].last)
				return true;
		}
		return false;
	case WHEN_CHANCE:
		return next_random(inject) % 1000000 < rule->chance_ppm;
	case WHEN_FIRST:
		return rule->calls <= rule->first_calls;
	}
	return false;
}

static uint64_t rule_delay_ns(struct inject *inject, const struct rule *rule)
{
	uint64_t width = rule->delay_ns.last - rule->delay_ns.first;

	return rule->delay_ns.first + (width ? next_random(inject) % (width + 1) : 0);
}

int inject_decide(struct inject *inject, unsigned int nr, const struct inject_call *call,
		  uint64_t *delay_ns)
{
	int error = 0;

	*delay_ns = 0;
	pthread_mutex_lock(&inject->lock);
	inject->counts[nr & 255]++;
	for (struct rule *rule = inject->rules; rule; rule = rule->next) {
		if (rule->nvme || (!rule->any_command && (nr > 255 || !rule->commands[nr])) ||
		    !selection_fits(&rule->selection, call) || !rule_hits(inject, rule))
			continue;
		if (!rule->errors_count &&
		    __builtin_add_overflow(*delay_ns, rule_delay_ns(inject, rule), delay_ns))
			*delay_ns = UINT64_MAX;
		if (rule->errors_count && !error)
			error = rule->errors[rule->next_error++ % rule->errors_count];
	}
	pthread_mutex_unlock(&inject->lock);
	return error;
}

bool inject_has_nvme(const struct inject *inject)
{
	return inject->has_nvme;
}

void inject_decide_nvme(struct inject *inject, uint32_t device, const struct pci_command *command,
			struct pci_mishap *mishap)
{
	*mishap = (struct pci_mishap){ PCI_MISHAP_NONE, 0, 0 };
	pthread_mutex_lock(&inject->lock);
	for (struct rule *rule = inject->rules; rule; rule = rule->next) {
		uint64_t delay_ns = mishap->delay_ns;

		if (!inject_nvme_fits(rule, device, command) || !rule_hits(inject, rule))
			continue;
		if (!rule->errors_count &&
		    __builtin_add_overflow(delay_ns, rule_delay_ns(inject, rule), &delay_ns))
			delay_ns = UINT64_MAX;
		if (rule->errors_count && mishap->kind == PCI_MISHAP_NONE)
			*mishap = rule->mishaps[rule->next_error++ % rule->errors_count];
		mishap->delay_ns = delay_ns;
	}
	pthread_mutex_unlock(&inject->lock);
}
