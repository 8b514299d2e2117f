/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/pci/pci_bus.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_MAX 9999u
#define FIRST_SLOT 2u /* as QEMU, whose first two are the host bridge and its VGA */
#define SLOTS 32u
#define IRQ_LINE 11u
/* Where firmware puts BARs: of 32 bits downwards from here, of 64 bits upwards. */
#define BARS_32BIT_END 0xfeb00000u
#define BARS_32BIT_START 0x80000000u
#define BARS_64BIT_START 0xc000000000u

struct pci_bus {
	struct pci_slot slots[PCI_BUS_FUNCTIONS_MAX];
	struct {
		bool address, group;
	} given[PCI_BUS_FUNCTIONS_MAX];
	unsigned int count;
	bool settled;
	uint64_t seed;
	pthread_mutex_t lock; /* of the slots' owners */
};

struct pci_bus *pci_bus_create(uint64_t seed)
{
	struct pci_bus *bus = calloc(1, sizeof(*bus));

	if (!bus)
		return NULL;
	bus->seed = seed;
	pthread_mutex_init(&bus->lock, NULL);
	return bus;
}

void pci_bus_destroy(struct pci_bus *bus)
{
	if (!bus)
		return;
	for (unsigned int i = 0; i < bus->count; i++)
		pci_function_destroy(bus->slots[i].function);
	pthread_mutex_destroy(&bus->lock);
	free(bus);
}

unsigned int pci_bus_count(const struct pci_bus *bus)
{
	return bus->count;
}

const struct pci_slot *pci_bus_at(const struct pci_bus *bus, unsigned int index)
{
	return &bus->slots[index];
}

void pci_bus_lock(struct pci_bus *bus)
{
	pthread_mutex_lock(&bus->lock);
}

void pci_bus_unlock(struct pci_bus *bus)
{
	pthread_mutex_unlock(&bus->lock);
}

struct pci_slot *pci_bus_slot(struct pci_bus *bus, unsigned int index)
{
	return &bus->slots[index];
}

static bool address_equal(const struct pci_address *a, const struct pci_address *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->slot == b->slot &&
	       a->function == b->function;
}

/* Among those whose address is known. */
static const struct pci_slot *find(const struct pci_bus *bus, const struct pci_address *address)
{
	for (unsigned int i = 0; i < bus->count; i++) {
		if ((bus->settled || bus->given[i].address) &&
		    address_equal(&bus->slots[i].address, address))
			return &bus->slots[i];
	}
	return NULL;
}

const struct pci_slot *pci_bus_find(const struct pci_bus *bus, const struct pci_address *address)
{
	return find(bus, address);
}

/* ---- --device -------------------------------------------------------------------- */

/* What the keys that every kind has say. */
struct common {
	struct pci_address address;
	bool address_given, group_given, migrates, no_iommu;
	uint64_t group, vendor, device;
	const char *id;
};

static bool id_is_good(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789-_.");

	return length && !text[length] && length < PCI_ID_BYTES && isalpha((unsigned char)*text);
}

/* 1: key is one of these and good; 0: another key; -1: wrong, *valid says what is right. */
static int set_common(struct common *common, const char *key, const char *value,
		      const char **valid)
{
	if (!strcmp(key, "addr")) {
		*valid = "an address such as 0000:00:05.0, slot up to 1f, function up to 7";
		common->address_given = true;
		return pci_address_parse(value, &common->address) ? 1 : -1;
	}
	if (!strcmp(key, "group")) {
		*valid = "a number from 0 to 9999";
		common->group_given = true;
		return pci_value_number(value, GROUP_MAX, &common->group) ? 1 : -1;
	}
	if (!strcmp(key, "id")) {
		*valid = "a name of up to 31 letters, digits, '-', '_' and '.'";
		common->id = value;
		return id_is_good(value) ? 1 : -1;
	}
	if (!strcmp(key, "migration")) {
		*valid = "on or off";
		return pci_value_switch(value, &common->migrates) ? 1 : -1;
	}
	if (!strcmp(key, "iommu")) {
		*valid = "on or none";
		common->no_iommu = !strcmp(value, "none");
		return common->no_iommu || !strcmp(value, "on") ? 1 : -1;
	}
	*valid = "a PCI id from 1 to 0xfffe"; /* of a slot with nothing in it all bits are read */
	if (!strcmp(key, "vendor"))
		return pci_value_number(value, 0xfffe, &common->vendor) && common->vendor ? 1 : -1;
	if (!strcmp(key, "device"))
		return pci_value_number(value, 0xfffe, &common->device) && common->device ? 1 : -1;
	return 0;
}

static const struct pci_model_key *find_key(const struct pci_model *model, const char *name)
{
	const struct pci_model_key *key = model->keys;

	while (key && key->name && strcmp(key->name, name))
		key++;
	return key && key->name ? key : NULL;
}

#define KEYS_MAX 64u /* that are looked at for a second time */

/* "a, b, c": the kinds, or the keys of a model with those all have. */
static void list_names(const struct pci_model *model, char *text, size_t room)
{
	size_t at = 0;

	text[0] = '\0';
	if (!model) {
		for (size_t i = 0; pci_models[i] && at < room; i++)
			at += (size_t)snprintf(text + at, room - at, "%s%s", i ? ", " : "",
					       pci_models[i]->kind);
		return;
	}
	for (const struct pci_model_key *key = model->keys; key && key->name && at < room; key++)
		at += (size_t)snprintf(text + at, room - at, "%s, ", key->name);
	if (at < room)
		snprintf(text + at, room - at, "addr, group, id, vendor, device, migration, iommu");
}

/* Whether name is among the count names of seen; if not it is put there. */
static bool is_second(const char *seen[KEYS_MAX], unsigned int *count, const char *name)
{
	for (unsigned int i = 0; i < *count; i++) {
		if (!strcmp(seen[i], name))
			return true;
	}
	if (*count < KEYS_MAX)
		seen[(*count)++] = name;
	return false;
}

/* keys: what follows the kind, changed on the way. */
static int parse_keys(const struct pci_model *model, char *keys, void *config,
		      struct common *common, const char *text, char why[PCI_WHY_BYTES])
{
	const char *seen[KEYS_MAX];
	unsigned int count = 0;
	char *rest = keys, *pair;
	char names[160];

	while ((pair = strsep(&rest, ","))) {
		char *value = strchr(pair, '=');
		const struct pci_model_key *key = NULL;
		const char *valid = NULL;
		bool repeats;
		int is_common;

		if (value)
			*value++ = '\0';
		is_common = set_common(common, pair, value ? value : "", &valid);
		if (!is_common)
			key = find_key(model, pair);
		repeats = key && model->repeats && !strcmp(model->repeats, pair);
		if ((is_common || key) && !repeats && is_second(seen, &count, pair)) {
			snprintf(why, PCI_WHY_BYTES, "--device '%s': %s stands there twice", text,
				 pair);
			return -EINVAL;
		}
		if (is_common > 0)
			continue;
		if (!is_common && !key) {
			list_names(model, names, sizeof(names));
			snprintf(why, PCI_WHY_BYTES, "--device '%s': no key '%s'; %s has %s", text,
				 pair, model->kind, names);
			return -EINVAL;
		}
		if (key && value && key->set(config, value))
			continue;
		snprintf(why, PCI_WHY_BYTES, "--device '%s': %s takes %s", text, pair,
			 key ? key->valid : valid);
		return -EINVAL;
	}
	return 0;
}

static int add(struct pci_bus *bus, const struct pci_model *model, const struct common *common,
	       const void *config, const char *text, char why[PCI_WHY_BYTES])
{
	struct pci_slot *slot = &bus->slots[bus->count];

	if (common->address_given && find(bus, &common->address)) {
		snprintf(why, PCI_WHY_BYTES, "--device '%s': another device is at this address",
			 text);
		return -EINVAL;
	}
	for (unsigned int i = 0; common->id && i < bus->count; i++) {
		if (!strcmp(bus->slots[i].id, common->id)) {
			snprintf(why, PCI_WHY_BYTES, "--device '%s': another device has this id",
				 text);
			return -EINVAL;
		}
	}
	*slot = (struct pci_slot){ .model = model, .address = common->address,
				   .group = (uint32_t)common->group, .number = bus->count,
				   .seed = bus->seed + bus->count,
				   .migrates = common->migrates,
				   .no_iommu = common->no_iommu, .bus = bus };
	if (common->id)
		snprintf(slot->id, sizeof(slot->id), "%s", common->id);
	else
		snprintf(slot->id, sizeof(slot->id), "%.20s%u", model->kind, bus->count);
	slot->function = pci_function_create(model, config, (uint16_t)common->vendor,
					     (uint16_t)common->device, why);
	if (!slot->function)
		return -EINVAL;
	if (slot->migrates && !pci_function_can_migrate(slot->function)) {
		snprintf(why, PCI_WHY_BYTES, "--device '%s': %s cannot migrate", text, model->kind);
		pci_function_destroy(slot->function);
		return -EINVAL;
	}
	slot->irq = pci_function_description(slot->function)->intx ? IRQ_LINE : 0;
	bus->given[bus->count].address = common->address_given;
	bus->given[bus->count].group = common->group_given;
	bus->count++;
	return 0;
}

int pci_bus_add(struct pci_bus *bus, const char *text, char why[PCI_WHY_BYTES])
{
	size_t length = strcspn(text, ",");
	const struct pci_model *model = pci_model_find(text, length);
	struct common common = { .group = 0 };
	char *keys = NULL, names[160];
	void *config = NULL;
	int err = -ENOMEM;

	if (!model) {
		list_names(NULL, names, sizeof(names));
		snprintf(why, PCI_WHY_BYTES, "--device '%s': no kind of device '%.*s'; it is one of %s",
			 text, (int)length, text, names);
		return -EINVAL;
	}
	if (bus->count == PCI_BUS_FUNCTIONS_MAX) {
		snprintf(why, PCI_WHY_BYTES, "--device '%s': there are %u devices already", text,
			 PCI_BUS_FUNCTIONS_MAX);
		return -EINVAL;
	}
	snprintf(why, PCI_WHY_BYTES, "out of memory");
	config = calloc(1, model->config_bytes ? model->config_bytes : 1);
	keys = strdup(text[length] ? text + length + 1 : "");
	if (config && keys)
		err = text[length] ? parse_keys(model, keys, config, &common, text, why) : 0;
	if (!err)
		err = add(bus, model, &common, config, text, why);
	/* What a key keeps of its value, it has copied. */
	free(keys);
	free(config);
	return err;
}

/* ---- places ---------------------------------------------------------------------- */

static bool group_is_used(const struct pci_bus *bus, uint32_t group)
{
	for (unsigned int i = 0; i < bus->count; i++) {
		if (bus->given[i].group && bus->slots[i].group == group)
			return true;
	}
	return false;
}

/* The driver makes a group for a device that no IOMMU manages, and for that alone. */
static bool group_is_alone(const struct pci_bus *bus, const struct pci_slot *slot)
{
	for (unsigned int i = 0; i < bus->count; i++) {
		const struct pci_slot *other = &bus->slots[i];

		if (other != slot && other->group == slot->group &&
		    (other->no_iommu || slot->no_iommu))
			return false;
	}
	return true;
}

static bool choose_address(struct pci_bus *bus, unsigned int index)
{
	struct pci_address address = { .slot = FIRST_SLOT };

	for (unsigned int number = 0; number < 256; number++) {
		address.bus = (uint8_t)number;
		for (; address.slot < SLOTS; address.slot++) {
			if (find(bus, &address))
				continue;
			bus->slots[index].address = address;
			bus->given[index].address = true;
			return true;
		}
		address.slot = 0;
	}
	return false;
}

/* Takes room for BARs of this function, from both ends as firmware does. */
static bool place_bars(struct pci_slot *slot, uint64_t *end, uint64_t *start)
{
	const struct pci_description *description = pci_function_description(slot->function);

	for (unsigned int i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *bar = &description->bars[i];

		if (!bar->bytes)
			continue;
		if (bar->is_64bit) {
			slot->bars[i] = (*start + bar->bytes - 1) & ~(bar->bytes - 1);
			*start = slot->bars[i] + bar->bytes;
			continue;
		}
		if (bar->bytes > *end - BARS_32BIT_START)
			return false;
		slot->bars[i] = (*end - bar->bytes) & ~(bar->bytes - 1);
		*end = slot->bars[i];
		if (*end < BARS_32BIT_START)
			return false;
	}
	return true;
}

int pci_bus_settle(struct pci_bus *bus, char why[PCI_WHY_BYTES])
{
	uint64_t end = BARS_32BIT_END, start = BARS_64BIT_START;
	uint32_t group = 0;

	for (unsigned int i = 0; i < bus->count; i++) {
		struct pci_slot *slot = &bus->slots[i];

		if (!bus->given[i].address && !choose_address(bus, i)) {
			snprintf(why, PCI_WHY_BYTES, "--device: no address is left for %s", slot->id);
			return -EINVAL;
		}
		if (!bus->given[i].group) {
			while (group_is_used(bus, group))
				group++;
			slot->group = group++;
		}
		if (!place_bars(slot, &end, &start)) {
			snprintf(why, PCI_WHY_BYTES,
				 "--device: the BARs of %s do not fit below 4 GiB", slot->id);
			return -EINVAL;
		}
		pci_function_place(slot->function, slot->bars);
	}
	for (unsigned int i = 0; i < bus->count; i++) {
		if (group_is_alone(bus, &bus->slots[i]))
			continue;
		snprintf(why, PCI_WHY_BYTES, "--device: group %u has more devices than one, and with "
			 "iommu=none a device is alone in its group", bus->slots[i].group);
		return -EINVAL;
	}
	bus->settled = true;
	return 0;
}

void pci_models_print(FILE *out)
{
	for (size_t i = 0; pci_models[i]; i++) {
		const struct pci_model *model = pci_models[i];

		fprintf(out, "%-10s %s\n", model->kind, model->summary);
		for (const struct pci_model_key *key = model->keys; key && key->name; key++)
			fprintf(out, "    %s=  %s\n", key->name, key->valid);
	}
	fputs("each also takes\n"
	      "    addr=   its address, such as 0000:00:05.0\n"
	      "    group=  its IOMMU group, a number from 0 to 9999\n"
	      "    id=     its name in messages and traces\n"
	      "    vendor=, device=  other PCI ids than the kind's\n"
	      "    migration=  on: its state can be saved and loaded (VFIO migration)\n"
	      "    iommu=  none: no IOMMU manages it, it reaches memory by physical addresses\n",
	      out);
}
