/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls on address spaces, and VFIO's type 1: they need no mock devices. */
#include "ask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void op_alloc(struct ctx *c)
{
	if (c->nioas > 12)
		return;
	u32 b[3] = { 12, chance(3) ? (u32)rnd() : 0, 0 };
	if (!call(c, "IOAS_ALLOC", IOAS_ALLOC, b, 3)) {
		add(c->ioas, &c->nioas, b[2]);
		add(c->any, &c->nany, b[2]);
	}
}

static void op_destroy(struct ctx *c)
{
	u32 id = pick(c->any, c->nany);
	u32 b[2] = { 8, id };
	if (!call(c, "DESTROY", DESTROY, b, 2)) {
		del(c->any, &c->nany, id);
		del(c->ioas, &c->nioas, id);
		del(c->idev, &c->nidev, id);
		del(c->hwpt, &c->nhwpt, id);
		del(c->stdev, &c->nstdev, id);
		del(c->tracked, &c->ntracked, id);
		del(c->nested, &c->nnested, id);
		del(c->parent, &c->nparent, id);
	}
}

static void op_map(struct ctx *c)
{
	bool fixed = chance(70);
	u64 len = a_length();
	u32 id = pick(c->ioas, c->nioas);
	u32 b[10] = { 40, map_flags(fixed), id, chance(1) };
	u64 va = a_va();
	PUT64(b, 4, va);
	PUT64(b, 6, len);
	PUT64(b, 8, an_iova());
	if (!call(c, "IOAS_MAP", IOAS_MAP, b, 10))
		remember(c, id, GET64(b, 8), len, va);
}

static void op_unmap(struct ctx *c)
{
	u32 b[6] = { 24 };
	u64 iova, len;
	u32 id;
	if (c->nmap && chance(75)) {
		int i = below(c->nmap);
		id = c->map[i].ioas;
		iova = c->map[i].iova;
		len = c->map[i].len;
		switch (below(12)) {
		case 0:
			iova += 0x1000;
			break;
		case 1:
			len /= 2;
			break;
		case 2:
			len += 0x1000 * below(8);
			break;
		case 3:
			iova -= 0x1000;
			len += 0x2000;
			break;
		}
		c->map[i] = c->map[--c->nmap];
	} else {
		id = pick(c->ioas, c->nioas);
		iova = an_iova();
		len = a_length();
	}
	if (chance(2)) {
		iova = 0;
		len = ~0ull;
	}
	b[1] = id;
	PUT64(b, 2, iova);
	PUT64(b, 4, len);
	call(c, "IOAS_UNMAP", IOAS_UNMAP, b, 6);
}

static void op_copy(struct ctx *c)
{
	bool fixed = chance(70);
	u32 dst = pick(c->ioas, c->nioas), src = pick(c->ioas, c->nioas);
	u64 siova = an_iova(), len = a_length();
	if (c->nmap && chance(80)) {
		int i = below(c->nmap);
		src = c->map[i].ioas;
		siova = c->map[i].iova;
		len = c->map[i].len;
		if (chance(30) && len > 0x2000) {
			siova += 0x1000;
			len -= 0x1000;
		}
		if (chance(10))
			len += 0x1000;
	}
	u32 b[10] = { 40, map_flags(fixed), dst, src };
	PUT64(b, 4, len);
	PUT64(b, 6, an_iova());
	PUT64(b, 8, siova);
	if (!call(c, "IOAS_COPY", IOAS_COPY, b, 10))
		remember(c, dst, GET64(b, 6), len, 0);
}

static void op_ranges(struct ctx *c)
{
	u32 b[8] = { 32, pick(c->ioas, c->nioas), (u32)below(6), chance(2) };
	PUT64(b, 4, chance(95) ? OUT_BASE : NONE_VA);
	call(c, "IOVA_RANGES", IOVA_RANGES, b, 8);
}

static void op_allow(struct ctx *c)
{
	u64 *r = (u64 *)(OUT_BASE + 8192);
	u32 n = below(4);
	for (u32 i = 0; i < n; i++) {
		u64 s = an_iova() & ~0xfffull,
		    l = chance(5) ? s : s + (1ull << (12 + below(20))) - 1;
		r[2 * i] = s;
		r[2 * i + 1] = l;
	}
	u32 b[6] = { 24, pick(c->ioas, c->nioas), n, chance(2) };
	PUT64(b, 4, chance(95) ? OUT_BASE + 8192 : NONE_VA);
	call(c, "ALLOW_IOVAS", ALLOW_IOVAS, b, 6);
}

static void op_option(struct ctx *c)
{
	u32 opt = chance(90) ? below(2) : below(5);
	u32 op = chance(95) ? below(2) : below(4);
	u32 obj = opt == 0 ? (chance(90) ? 0 : below(4)) : pick(c->ioas, c->nioas);
	u32 b[6] = { 24, opt, op | (chance(2) ? 1u << 16 : 0), obj };
	PUT64(b, 4, chance(90) ? below(2) : below(4));
	call(c, "OPTION", OPTION, b, 6);
}

static void op_vfio_ioas(struct ctx *c)
{
	u32 b[3] = { 12, pick(c->ioas, c->nioas), (u32)below(4) | (chance(2) ? 1u << 16 : 0) };
	call(c, "VFIO_IOAS", VFIO_IOAS, b, 3);
}

static void op_map_file(struct ctx *c)
{
	bool fixed = chance(70);
	static const u32 fds[] = { 200, 200, 200, 200, 200, 201, 250, -1u };
	u64 len = a_length();
	u32 id = pick(c->ioas, c->nioas);
	u32 b[10] = { 40, map_flags(fixed), id, fds[below(8)] };
	PUT64(b, 4, below(32) * 4096 + (chance(5) ? below(4096) : 0));
	PUT64(b, 6, len);
	PUT64(b, 8, an_iova());
	if (!call(c, "IOAS_MAP_FILE", IOAS_MAP_FILE, b, 10))
		remember(c, id, GET64(b, 8), len, 0);
}

static void op_vfio_compat(struct ctx *c)
{
	int rc, err;
	long arg;
	u32 buf[40];
	memset(buf, 0, sizeof buf);
	switch (below(6)) {
	case 0:
		rc = ioctl(c->fd, CMD(100), 0);
		err = rc < 0 ? errno : 0;
		printf("%u VFIO_GET_API_VERSION c%d = %d %s\n", idx, (int)(c - ctxs), rc,
		       err ? strerrorname_np(err) : "-");
		return;
	case 1:
		arg = below(16);
		rc = ioctl(c->fd, CMD(101), arg);
		err = rc < 0 ? errno : 0;
		printf("%u VFIO_CHECK_EXTENSION c%d %ld = %d %s\n", idx, (int)(c - ctxs), arg, rc,
		       err ? strerrorname_np(err) : "-");
		return;
	case 2:
		arg = below(10);
		rc = ioctl(c->fd, CMD(102), arg);
		err = rc < 0 ? errno : 0;
		printf("%u VFIO_SET_IOMMU c%d %ld = %d %s\n", idx, (int)(c - ctxs), arg, rc,
		       err ? strerrorname_np(err) : "-");
		return;
	case 3:
		buf[0] = chance(70) ? 112 : 8 + below(110);
		rc = ioctl(c->fd, CMD(112), buf);
		err = rc < 0 ? errno : 0;
		printf("%u VFIO_IOMMU_GET_INFO c%d = %d %s", idx, (int)(c - ctxs), rc,
		       err ? strerrorname_np(err) : "-");
		for (int i = 0; i < 32; i++)
			printf(" %x", old_mock && (i == 2 || i == 3) ? 0 : buf[i]);
		putchar('\n');
		return;
	case 4:
		buf[0] = chance(90) ? 32 : below(40);
		buf[1] = chance(90) ? 3 : below(16);
		PUT64(buf, 2, a_va());
		PUT64(buf, 4, an_iova());
		PUT64(buf, 6, a_length());
		printf("%u VFIO_IOMMU_MAP_DMA c%d", idx, (int)(c - ctxs));
		for (int i = 0; i < 8; i++)
			printf(" %x", buf[i]);
		rc = ioctl(c->fd, CMD(113), buf);
		err = rc < 0 ? errno : 0;
		printf(" = %d %s\n", rc, err ? strerrorname_np(err) : "-");
		return;
	case 5:
		buf[0] = chance(90) ? 24 : below(40);
		buf[1] = chance(85) ? 0 : below(8);
		PUT64(buf, 2, an_iova());
		PUT64(buf, 4, a_length());
		if (buf[1] & 2) {
			PUT64(buf, 2, 0);
			PUT64(buf, 4, 0);
		}
		printf("%u VFIO_IOMMU_UNMAP_DMA c%d", idx, (int)(c - ctxs));
		for (int i = 0; i < 6; i++)
			printf(" %x", buf[i]);
		rc = ioctl(c->fd, CMD(114), buf);
		err = rc < 0 ? errno : 0;
		printf(" = %d %s len=%llx\n", rc, err ? strerrorname_np(err) : "-",
		       (unsigned long long)GET64(buf, 4));
		return;
	}
}

void op_reopen(struct ctx *c)
{
	if (c->fd >= 0)
		close(c->fd);
	memset(c, 0, sizeof *c);
	c->fd = open(dev, O_RDWR | O_CLOEXEC);
	printf("%u REOPEN c%d = %s\n", idx, (int)(c - ctxs),
	       c->fd < 0 ? strerrorname_np(errno) : "ok");
	if (c->fd < 0)
		exit(1);
}

const struct op plain_ops[] = {
	{ op_alloc, 6 },     { op_destroy, 4 },	    { op_map, 30 },	{ op_unmap, 20 },
	{ op_copy, 9 },	     { op_ranges, 4 },	    { op_allow, 2 },	{ op_option, 3 },
	{ op_vfio_ioas, 3 }, { op_vfio_compat, 6 }, { op_map_file, 4 }, { op_reopen, 1 },
	{ NULL, 0 },
};
