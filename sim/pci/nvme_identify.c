/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Identify gives: a page about the controller, a namespace, or which there are.
 * Base Specification 1.4, section 5.15.
 */
#include "sim/pci/nvme_internal.h"

#include <stdio.h>
#include <string.h>

#define PAGE_BYTES 4096u

enum identify_what {
	IDENTIFY_NAMESPACE = 0x00,
	IDENTIFY_CONTROLLER = 0x01,
	IDENTIFY_ACTIVE = 0x02,
	IDENTIFY_DESCRIPTORS = 0x03,
};

/* All little-endian; offsets are those of the specification. */
struct identify_controller {
	uint16_t vid, ssvid;
	char sn[20], mn[40], fr[8];
	uint8_t rab, ieee[3], cmic, mdts;
	uint16_t cntlid;
	uint32_t ver, rtd3r, rtd3e, oaes, ctratt;
	uint8_t reserved100[11];
	uint8_t cntrltype;
	uint8_t reserved112[144];
	uint16_t oacs;
	uint8_t acl, aerl, frmw, lpa, elpe, npss, avscc, apsta;
	uint16_t wctemp, cctemp;
	uint8_t reserved270[50];
	uint16_t kas;
	uint8_t reserved322[190];
	uint8_t sqes, cqes;
	uint16_t maxcmd;
	uint32_t nn;
	uint16_t oncs, fuses;
	uint8_t fna, vwc;
	uint16_t awun, awupf;
	uint8_t reserved530[6];
	uint32_t sgls;
	uint8_t reserved540[228];
	char subnqn[256];
	uint8_t reserved1024[1024];
	struct {
		uint16_t max_power; /* in 10 mW */
		uint8_t reserved[30];
	} power_state[32];
	uint8_t vendor[1024];
};

struct identify_namespace {
	uint64_t nsze, ncap, nuse;
	uint8_t nsfeat, nlbaf, flbas, mc, dpc, dps, nmic, rescap, fpi, dlfeat;
	uint8_t reserved34[14];
	uint64_t nvmcap[2];
	uint8_t reserved64[35];
	uint8_t nsattr;
	uint8_t reserved100[4];
	uint8_t nguid[16], eui64[8];
	struct {
		uint16_t metadata_bytes;
		uint8_t data_shift, performance;
	} lbaf[16];
	uint8_t reserved192[3904];
};

_Static_assert(sizeof(struct identify_controller) == PAGE_BYTES, "section 5.15.2.2");
_Static_assert(offsetof(struct identify_controller, oacs) == 256, "section 5.15.2.2");
_Static_assert(offsetof(struct identify_controller, sqes) == 512, "section 5.15.2.2");
_Static_assert(offsetof(struct identify_controller, subnqn) == 768, "section 5.15.2.2");
_Static_assert(offsetof(struct identify_controller, power_state) == 2048, "section 5.15.2.2");
_Static_assert(sizeof(struct identify_namespace) == PAGE_BYTES, "section 5.15.2.1");
_Static_assert(offsetof(struct identify_namespace, nguid) == 104, "section 5.15.2.1");
_Static_assert(offsetof(struct identify_namespace, lbaf) == 128, "section 5.15.2.1");

/* Text without an end, filled up with spaces. */
static void put_text(char *field, size_t size, const char *text)
{
	size_t length = strlen(text);

	memset(field, ' ', size);
	memcpy(field, text, length < size ? length : size);
}

static void fill_controller(const struct nvme *nvme, struct identify_controller *id)
{
	id->vid = NVME_VENDOR;
	id->ssvid = NVME_SUBSYSTEM_VENDOR;
	put_text(id->sn, sizeof(id->sn), nvme->config.serial);
	put_text(id->mn, sizeof(id->mn), NVME_MODEL);
	put_text(id->fr, sizeof(id->fr), NVME_FIRMWARE);
	id->rab = 4;
	id->mdts = NVME_MDTS;
	id->ver = NVME_VERSION;
	id->oaes = 1 << 8; /* namespaces change */
	id->cntrltype = 1; /* an I/O controller */
	id->oacs = 1 << 1; /* Format */
	id->acl = NVME_ABORTS - 1;
	id->aerl = NVME_ASYNC_EVENTS - 1;
	id->frmw = 1 << 1 | 1;	   /* one slot, that is only read */
	id->lpa = 1 << 2 | 1 << 1; /* an offset into logs, the log of effects */
	id->elpe = NVME_ERRORS - 1;
	id->wctemp = 0x157;
	id->cctemp = 0x175;
	id->kas = 10; /* times 100 ms */
	id->sqes = NVME_SQ_ENTRY_SHIFT << 4 | NVME_SQ_ENTRY_SHIFT;
	id->cqes = NVME_CQ_ENTRY_SHIFT << 4 | NVME_CQ_ENTRY_SHIFT;
	id->nn = nvme->disks_count;
	/* Compare, Dataset Management, Write Zeroes, select in features, Timestamp, Verify */
	id->oncs = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 6 | 1 << 7;
	id->vwc = 1 << 0 | 3 << 1; /* a cache; Flush takes the number of all namespaces */
	snprintf(id->subnqn, sizeof(id->subnqn), "nqn.2014-08.org.nvmexpress:ioasis:%s",
		 nvme->config.serial);
	id->power_state[0].max_power = 2500;
}

static void fill_namespace(const struct nvme_disk *disk, struct identify_namespace *id)
{
	id->nsze = disk->file_bytes >> disk->lba_shift;
	id->ncap = id->nuse = id->nsze;
	id->nlbaf = 1; /* two, counted from 0 */
	id->flbas = disk->lba_shift == 12;
	id->dlfeat = disk->read_only ? 0 : 1 | 1 << 3; /* read as zeros; Write Zeroes may too */
	id->nvmcap[0] = disk->file_bytes;
	id->nsattr = disk->read_only;
	memcpy(id->nguid, disk->nguid, sizeof(id->nguid));
	id->lbaf[0].data_shift = 9;
	id->lbaf[1].data_shift = 12;
}

/* The numbers of namespaces above nsid. */
static void fill_active(const struct nvme *nvme, uint32_t nsid, uint32_t *list)
{
	for (uint32_t i = nsid + 1; i <= nvme->disks_count; i++)
		*list++ = i;
}

static void fill_descriptors(const struct nvme_disk *disk, uint8_t *list)
{
	list[0] = 2; /* an NGUID */
	list[1] = sizeof(disk->nguid);
	memcpy(list + 4, disk->nguid, sizeof(disk->nguid));
}

uint16_t nvme_identify(struct nvme_request *request)
{
	struct nvme *nvme = request->nvme;
	uint32_t what = request->command.cdw10 & 0xff, nsid = request->command.nsid;
	const struct nvme_disk *disk = nvme_disk_get(nvme, nsid);
	union {
		struct identify_controller controller;
		struct identify_namespace namespace;
		uint32_t list[PAGE_BYTES / sizeof(uint32_t)];
		uint8_t bytes[PAGE_BYTES];
	} page = { .bytes = { 0 } };

	request->location = 4;
	switch (what) {
	case IDENTIFY_NAMESPACE:
		/* Of all: what they have in common. */
		if (!disk && nsid != NVME_NSID_ALL)
			return NVME_INVALID_NAMESPACE | NVME_DNR;
		fill_namespace(disk ? disk : &nvme->disks[0], &page.namespace);
		if (!disk) {
			page.namespace.nsze = page.namespace.ncap = page.namespace.nuse = 0;
			page.namespace.nvmcap[0] = 0;
			memset(page.namespace.nguid, 0, sizeof(page.namespace.nguid));
		}
		break;
	case IDENTIFY_CONTROLLER:
		fill_controller(nvme, &page.controller);
		break;
	case IDENTIFY_ACTIVE:
		if (nsid >= NVME_NSID_ALL - 1)
			return NVME_INVALID_NAMESPACE | NVME_DNR;
		fill_active(nvme, nsid, page.list);
		break;
	case IDENTIFY_DESCRIPTORS:
		if (!disk)
			return NVME_INVALID_NAMESPACE | NVME_DNR;
		fill_descriptors(disk, page.bytes);
		break;
	default:
		request->location = 40;
		return NVME_INVALID_FIELD | NVME_DNR;
	}
	request->location = UINT16_MAX;
	return nvme_prp_to_host(request, &page, PAGE_BYTES);
}
