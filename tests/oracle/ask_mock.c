/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls with mock devices and their page tables (the test command). */
#include "ask.h"

#include <string.h>

void op_mock_domain(struct ctx *c)
{
	if (c->nstdev > 5)
		return;
	u32 b[18] = { 72, 2, pick(c->ioas, c->nioas), 0 };
	if (!call(c, "MOCK_DOMAIN", TEST, b, 18)) {
		add(c->stdev, &c->nstdev, b[4]);
		add(c->hwpt, &c->nhwpt, b[5]);
		add(c->idev, &c->nidev, b[6]);
		add(c->any, &c->nany, b[4]);
		add(c->any, &c->nany, b[5]);
	}
}

static void op_reserved(struct ctx *c)
{
	u32 b[18] = { 72, 1, pick(c->ioas, c->nioas), 0 };
	PUT64(b, 4, an_iova() & ~0xfffull);
	PUT64(b, 6, (1 + below(4)) * 4096);
	call(c, "ADD_RESERVED", TEST, b, 18);
}

static void op_hwpt_alloc(struct ctx *c)
{
	bool nest = c->nparent && chance(40);
	u32 pt = nest	      ? pick(c->parent, c->nparent)
		 : chance(80) ? pick(c->ioas, c->nioas)
			      : pick(c->hwpt, c->nhwpt);
	static const u32 fl[] = { 0, 0, 1, 1, 1, 2, 2, 3, 4, 8 };
	u32 b[12] = {
		48,	  nest && chance(90) ? 0 : fl[below(10)], pick(c->idev, c->nidev), pt, 0,
		chance(2)
	};
	/* Page tables of their own had no data before. */
	if (old_mock ? nest : nest ? chance(95) : chance(10)) {
		u32 *d = (u32 *)(OUT_BASE + 8192);
		d[0] = 0xbadbeef;
		d[1] = 0;
		b[6] = chance(80) ? 0xdead : below(4);
		b[7] = old_mock ? (chance(80) ? 4 : below(5)) : (chance(80) ? 8 : below(16));
		PUT64(b, 8, OUT_BASE + 8192);
	}
	if (call(c, "HWPT_ALLOC", HWPT_ALLOC, b, 12))
		return;
	add(c->hwpt, &c->nhwpt, b[4]);
	add(c->any, &c->nany, b[4]);
	if (b[1] & 2)
		add(c->tracked, &c->ntracked, b[4]);
	if (b[6])
		add(c->nested, &c->nnested, b[4]);
	else if (b[1] & 1)
		add(c->parent, &c->nparent, b[4]);
}

static void op_hw_info(struct ctx *c)
{
	u32 b[10] = { 40, chance(5) ? 2 : 0, pick(c->idev, c->nidev), (u32)below(24) };
	PUT64(b, 4, chance(95) ? OUT_BASE : NONE_VA);
	call(c, "GET_HW_INFO", HW_INFO, b, 10);
}

static void op_set_dirty(struct ctx *c)
{
	u32 b[4] = { 16, chance(95) ? chance(70) : below(4),
		     chance(85) ? pick(c->tracked, c->ntracked) : pick(c->hwpt, c->nhwpt),
		     chance(2) };
	call(c, "SET_DIRTY", SET_DIRTY, b, 4);
}

static void op_get_dirty(struct ctx *c)
{
	u32 b[12] = { 48, chance(85) ? pick(c->tracked, c->ntracked) : pick(c->hwpt, c->nhwpt),
		      chance(90) ? below(2) : below(4), chance(2) };
	u64 iova = 0x1000000 + below(32) * 4096, len = (1 + below(32)) * 4096;
	static const u64 pg[] = { 4096, 4096, 4096, 2048, 2048, 8192, 0, 3000 };
	PUT64(b, 4, iova);
	PUT64(b, 6, len);
	PUT64(b, 8, pg[below(8)]);
	PUT64(b, 10, OUT_BASE);
	call(c, "GET_DIRTY", GET_DIRTY, b, 12);
}

static void op_dirty(struct ctx *c)
{
	u32 b[18] = { 72, 13, chance(85) ? pick(c->tracked, c->ntracked) : pick(c->hwpt, c->nhwpt),
		      0, chance(5) ? 2 : 0 };
	memset((void *)(OUT_BASE + 8192), 0x5a + (int)below(8), 64);
	PUT64(b, 6, 0x1000000 + below(32) * 4096);
	PUT64(b, 8, (1 + below(16)) * 4096);
	PUT64(b, 10, old_mock ? 2048 : chance(90) ? 4096 : 2048);
	PUT64(b, 12, OUT_BASE + 8192);
	call(c, "DIRTY", TEST, b, 18);
}

static void op_invalidate(struct ctx *c)
{
	u32 *d = (u32 *)(OUT_BASE + 8192), n = below(4);
	for (u32 i = 0; i < n; i++) {
		d[2 * i] = chance(90) ? below(2) : below(8);
		d[2 * i + 1] = below(6);
	}
	u32 b[8] = { 32,
		     chance(85) ? pick(c->nested, c->nnested) : pick(c->hwpt, c->nhwpt),
		     0,
		     0,
		     chance(90) ? 0xdeadbeef : 0xdadbeef,
		     chance(90) ? 8 : below(12),
		     n,
		     chance(2) };
	PUT64(b, 2, chance(95) ? OUT_BASE + 8192 : NONE_VA);
	call(c, "INVALIDATE", INVALIDATE, b, 8);
}

static void op_check_iotlb(struct ctx *c)
{
	u32 b[18] = { 72,
		      14,
		      chance(85) ? pick(c->nested, c->nnested) : pick(c->hwpt, c->nhwpt),
		      0,
		      (u32)below(5),
		      chance(50) ? 0xbadbeef : 0 };
	call(c, "MD_CHECK_IOTLB", TEST, b, 18);
}

static void op_check_map(struct ctx *c)
{
	u32 b[18] = { 72, 3, pick(c->hwpt, c->nhwpt), 0 };
	u64 iova = an_iova(), va = a_va(), len = (1 + below(4)) * 4096;
	if (c->nmap && chance(80)) {
		int i = below(c->nmap);
		iova = c->map[i].iova;
		va = c->map[i].va;
		len = c->map[i].len;
		if (chance(20) && len > 4096) {
			iova += 4096;
			va += 4096;
			len -= 4096;
		}
		if (len > 1 << 22)
			len = 4096;
	}
	PUT64(b, 4, iova);
	PUT64(b, 6, len);
	PUT64(b, 8, va);
	call(c, "MD_CHECK_MAP", TEST, b, 18);
}

static void op_replace(struct ctx *c)
{
	u32 b[18] = { 72, 10, pick(c->stdev, c->nstdev), 0,
		      chance(60) ? pick(c->ioas, c->nioas) : pick(c->hwpt, c->nhwpt) };
	call(c, "MOCK_REPLACE", TEST, b, 18);
}

const struct op mock_ops[] = {
	{ op_mock_domain, 3 }, { op_reserved, 1 },  { op_hwpt_alloc, 4 }, { op_hw_info, 2 },
	{ op_set_dirty, 3 },   { op_get_dirty, 3 }, { op_dirty, 3 },	  { op_invalidate, 2 },
	{ op_check_iotlb, 2 }, { op_check_map, 4 }, { op_replace, 2 },	  { NULL, 0 },
};
