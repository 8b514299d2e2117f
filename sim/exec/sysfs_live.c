/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files in /sys that answer: what drivers/pci/pci-sysfs.c, drivers/pci/pci-driver.c
 * and drivers/base/bus.c do with a function and the driver vfio-pci (Linux 7.3).
 */
#include "sim/exec/sysfs.h"
#include "sim/exec/sysfs_maker.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRIVER "vfio-pci"
#define OVERRIDE_BYTES 64u
#define DYNAMIC_IDS_MAX 64u

struct pci_ids {
	unsigned int vendor, device;
};

/* A device and its driver. */
struct sysfs_device {
	struct sysfs *sysfs;
	const struct pci_slot *slot;
	struct fuse_device_file_ops config_ops; /* of its size */
	/* With the lock: */
	bool bound;
	char override[OVERRIDE_BYTES]; /* a driver's name; empty: none */
};

struct sysfs {
	struct fuse_device *device;
	pthread_mutex_t lock;
	uint32_t linux_version;
	unsigned int count;
	struct sysfs_device *devices;
	struct pci_ids ids[DYNAMIC_IDS_MAX]; /* of new_id */
	unsigned int ids_count;
};

/* What was written, as a word: without the end of its line. False: too long. */
static bool read_word(const char *buf, size_t len, char *word, size_t size)
{
	while (len && (buf[len - 1] == '\n' || !buf[len - 1]))
		len--;
	if (len >= size)
		return false;
	memcpy(word, buf, len);
	word[len] = '\0';
	return true;
}

/* ---- the driver, with the lock held ---------------------------------------------------- */

static bool driver_matches(const struct sysfs_device *device)
{
	const struct pci_description *d = pci_function_description(device->slot->function);
	const struct sysfs *sysfs = device->sysfs;

	if (*device->override)
		return !strcmp(device->override, DRIVER);
	for (unsigned int i = 0; i < sysfs->ids_count; i++) {
		if (sysfs->ids[i].vendor == d->vendor && sysfs->ids[i].device == d->device)
			return true;
	}
	return false;
}

static int device_bind(struct sysfs_device *device)
{
	struct sysfs_maker maker = { .err = 0 };

	if (device->bound)
		return 0;
	maker.err = fuse_device_vfio_appear(device->sysfs->device, device->slot->number);
	sysfs_bind_links(&maker, device->slot, device->sysfs->linux_version);
	device->bound = !maker.err;
	return maker.err;
}

/* The kernel waits until nobody has the device open; here that is refused. */
static int device_unbind(struct sysfs_device *device)
{
	int err = fuse_device_vfio_vanish(device->sysfs->device, device->slot->number);

	if (err)
		return err;
	sysfs_unbind_links(device->slot, device->sysfs->linux_version);
	device->bound = false;
	return 0;
}

static struct sysfs_device *device_by_name(struct sysfs *sysfs, const char *buf, size_t len)
{
	char word[PCI_ADDRESS_TEXT_BYTES + 1], bdf[PCI_ADDRESS_TEXT_BYTES];

	if (!read_word(buf, len, word, sizeof(word)))
		return NULL;
	for (unsigned int i = 0; i < sysfs->count; i++) {
		pci_address_print(&sysfs->devices[i].slot->address, bdf);
		if (!strcmp(word, bdf))
			return &sysfs->devices[i];
	}
	return NULL;
}

/* ---- files of the driver and the bus ------------------------------------------------- */

/* The device that was named, with act(): its -errno. */
static ssize_t on_named(void *opaque, const char *buf, size_t len,
			int (*act)(struct sysfs_device *device))
{
	struct sysfs *sysfs = opaque;
	struct sysfs_device *device = device_by_name(sysfs, buf, len);
	int err = -ENODEV;

	pthread_mutex_lock(&sysfs->lock);
	if (device)
		err = act(device);
	pthread_mutex_unlock(&sysfs->lock);
	return err ? err : (ssize_t)len;
}

static int bind_named(struct sysfs_device *device)
{
	return !device->bound && driver_matches(device) ? device_bind(device) : -ENODEV;
}

static int unbind_named(struct sysfs_device *device)
{
	return device->bound ? device_unbind(device) : -ENODEV;
}

static int probe_named(struct sysfs_device *device)
{
	return driver_matches(device) ? device_bind(device) : 0;
}

static ssize_t bind_write(void *opaque, const char *buf, size_t len, uint64_t offset)
{
	(void)offset;
	return on_named(opaque, buf, len, bind_named);
}

static ssize_t unbind_write(void *opaque, const char *buf, size_t len, uint64_t offset)
{
	(void)offset;
	return on_named(opaque, buf, len, unbind_named);
}

static ssize_t probe_write(void *opaque, const char *buf, size_t len, uint64_t offset)
{
	(void)offset;
	return on_named(opaque, buf, len, probe_named);
}

/* The place of an id among those of new_id; ids_count: it is none. With the lock held. */
static unsigned int id_find(const struct sysfs *sysfs, const struct pci_ids *id)
{
	unsigned int i = 0;

	while (i < sysfs->ids_count &&
	       (sysfs->ids[i].vendor != id->vendor || sysfs->ids[i].device != id->device))
		i++;
	return i;
}

static int id_add(struct sysfs *sysfs, const struct pci_ids *id)
{
	if (id_find(sysfs, id) < sysfs->ids_count)
		return -EEXIST;
	if (sysfs->ids_count == DYNAMIC_IDS_MAX)
		return -ENOMEM;
	sysfs->ids[sysfs->ids_count++] = *id;
	for (unsigned int i = 0; i < sysfs->count; i++)
		probe_named(&sysfs->devices[i]);
	return 0;
}

static int id_remove(struct sysfs *sysfs, const struct pci_ids *id)
{
	unsigned int i = id_find(sysfs, id);

	if (i == sysfs->ids_count)
		return -ENODEV;
	sysfs->ids[i] = sysfs->ids[--sysfs->ids_count];
	return 0;
}

/* What was written is "VENDOR DEVICE ...", in hexadecimal. */
static ssize_t on_id(void *opaque, const char *buf, size_t len,
		     int (*act)(struct sysfs *sysfs, const struct pci_ids *id))
{
	struct sysfs *sysfs = opaque;
	struct pci_ids id;
	char word[128];
	int err;

	if (!read_word(buf, len, word, sizeof(word)) ||
	    sscanf(word, "%x %x", &id.vendor, &id.device) != 2)
		return -EINVAL;
	pthread_mutex_lock(&sysfs->lock);
	err = act(sysfs, &id);
	pthread_mutex_unlock(&sysfs->lock);
	return err ? err : (ssize_t)len;
}

static ssize_t new_id_write(void *opaque, const char *buf, size_t len, uint64_t offset)
{
	(void)offset;
	return on_id(opaque, buf, len, id_add);
}

static ssize_t remove_id_write(void *opaque, const char *buf, size_t len, uint64_t offset)
{
	(void)offset;
	return on_id(opaque, buf, len, id_remove);
}

/* ---- files of a device ----------------------------------------------------------------- */

/* How much of size bytes there is from offset on, len at most. */
static size_t part(size_t size, size_t len, uint64_t offset)
{
	if (offset >= size)
		return 0;
	return len < size - offset ? len : size - (size_t)offset;
}

static ssize_t config_read(void *opaque, char *buf, size_t len, uint64_t offset)
{
	struct pci_function *function = ((struct sysfs_device *)opaque)->slot->function;

	len = part(pci_function_config_bytes(function), len, offset);
	if (len)
		pci_function_config_read(function, offset, buf, len);
	return (ssize_t)len;
}

static ssize_t config_write(void *opaque, const char *buf, size_t len, uint64_t offset)
{
	struct pci_function *function = ((struct sysfs_device *)opaque)->slot->function;

	len = part(pci_function_config_bytes(function), len, offset);
	if (len)
		pci_function_config_write(function, offset, buf, len);
	return (ssize_t)len;
}

static ssize_t override_read(void *opaque, char *buf, size_t len, uint64_t offset)
{
	struct sysfs_device *device = opaque;
	char text[OVERRIDE_BYTES + 1];
	size_t size;

	pthread_mutex_lock(&device->sysfs->lock);
	size = (size_t)snprintf(text, sizeof(text), "%s\n",
				*device->override ? device->override : "(null)");
	pthread_mutex_unlock(&device->sysfs->lock);
	len = part(size, len, offset);
	if (len)
		memcpy(buf, text + offset, len);
	return (ssize_t)len;
}

static ssize_t override_write(void *opaque, const char *buf, size_t len, uint64_t offset)
{
	struct sysfs_device *device = opaque;
	char word[OVERRIDE_BYTES];

	(void)offset;
	if (!read_word(buf, len, word, sizeof(word)))
		return -EINVAL;
	pthread_mutex_lock(&device->sysfs->lock);
	memcpy(device->override, word, sizeof(word));
	pthread_mutex_unlock(&device->sysfs->lock);
	return (ssize_t)len;
}

static ssize_t reset_write(void *opaque, const char *buf, size_t len, uint64_t offset)
{
	const struct sysfs_device *device = opaque;
	char word[16];

	(void)offset;
	if (!read_word(buf, len, word, sizeof(word)) || strcmp(word, "1"))
		return -EINVAL;
	pci_function_reset(device->slot->function);
	return (ssize_t)len;
}

/* Nothing new is ever found. */
static ssize_t rescan_write(void *opaque, const char *buf, size_t len, uint64_t offset)
{
	(void)opaque, (void)buf, (void)offset;
	return (ssize_t)len;
}

/* A machine whose cards cannot be pulled. */
static ssize_t remove_write(void *opaque, const char *buf, size_t len, uint64_t offset)
{
	(void)opaque, (void)buf, (void)len, (void)offset;
	return -EOPNOTSUPP;
}

/* ---- showing them ------------------------------------------------------------------------ */

static const struct {
	const char *path;
	struct fuse_device_file_ops ops;
} bus_files[] = {
	{ "/sys/bus/pci/drivers/vfio-pci/bind", { .write = bind_write, .mode = 0200 } },
	{ "/sys/bus/pci/drivers/vfio-pci/unbind", { .write = unbind_write, .mode = 0200 } },
	{ "/sys/bus/pci/drivers/vfio-pci/new_id", { .write = new_id_write, .mode = 0200 } },
	{ "/sys/bus/pci/drivers/vfio-pci/remove_id", { .write = remove_id_write, .mode = 0200 } },
	{ "/sys/bus/pci/drivers_probe", { .write = probe_write, .mode = 0200 } },
};

static const struct {
	const char *name;
	struct fuse_device_file_ops ops;
} device_files[] = {
	{ "driver_override", { .read = override_read, .write = override_write, .mode = 0644,
			       .size = ENGINE_PAGE_SIZE } },
	{ "remove", { .write = remove_write, .mode = 0220 } },
	{ "rescan", { .write = rescan_write, .mode = 0200 } },
};
static const struct fuse_device_file_ops reset_ops = { .write = reset_write, .mode = 0200 };
static const struct fuse_device_file_ops resource_ops = { .mode = 0600 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int device_show_file(struct sysfs_device *device, const char *name,
			    const struct fuse_device_file_ops *ops)
{
	char path[128];
	size_t len;

	sysfs_device_path(device->slot, path, sizeof(path));
	len = strlen(path);
	snprintf(path + len, sizeof(path) - len, "/%s", name);
	return fuse_device_show(device->sysfs->device, path, ops, device);
}

static int device_show(struct sysfs_device *device)
{
	const struct pci_description *d = pci_function_description(device->slot->function);
	char name[32];
	int err;

	device->config_ops = (struct fuse_device_file_ops){
		.read = config_read,
		.write = config_write,
		.mode = 0644,
		.size = pci_function_config_bytes(device->slot->function),
	};
	err = device_show_file(device, "config", &device->config_ops);
	for (size_t i = 0; i < COUNT(device_files) && !err; i++)
		err = device_show_file(device, device_files[i].name, &device_files[i].ops);
	if (!err && d->flr)
		err = device_show_file(device, "reset", &reset_ops);
	for (unsigned int i = 0; i < PCI_BARS && !err; i++) {
		snprintf(name, sizeof(name), "resource%u", i);
		if (d->bars[i].bytes)
			err = device_show_file(device, name, &resource_ops);
	}
	return err;
}

int sysfs_show(const struct pci_bus *bus, uint32_t linux_version, struct fuse_device *device,
	       struct sysfs **out, char *why, size_t size)
{
	struct sysfs *sysfs = calloc(1, sizeof(*sysfs));
	int err = -ENOMEM;

	if (!sysfs)
		goto out;
	pthread_mutex_init(&sysfs->lock, NULL);
	*out = sysfs;
	sysfs->device = device;
	sysfs->linux_version = linux_version;
	sysfs->devices = calloc(pci_bus_count(bus), sizeof(*sysfs->devices));
	if (!sysfs->devices)
		goto out;
	err = 0;
	for (size_t i = 0; i < COUNT(bus_files) && !err; i++)
		err = fuse_device_show(device, bus_files[i].path, &bus_files[i].ops, sysfs);
	for (; sysfs->count < pci_bus_count(bus) && !err; sysfs->count++) {
		struct sysfs_device *it = &sysfs->devices[sysfs->count];

		*it = (struct sysfs_device){
			.sysfs = sysfs,
			.slot = pci_bus_at(bus, sysfs->count),
			.bound = true,
			.override = DRIVER,
		};
		err = device_show(it);
	}
out:
	if (err)
		snprintf(why, size, "cannot show the devices in /sys: %s", strerror(-err));
	return err;
}

void sysfs_destroy(struct sysfs *sysfs)
{
	if (!sysfs)
		return;
	pthread_mutex_destroy(&sysfs->lock);
	free(sysfs->devices);
	free(sysfs);
}
