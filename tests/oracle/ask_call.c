/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all calls need: random numbers, lists of ids, arguments, and the call itself. */
#include "ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct ctx ctxs[MAX_CTX];
const char *dev = "/dev/iommu";
bool mock, old_mock;
unsigned idx;

static u64 state;

void rnd_seed(u64 seed)
{
	state = seed * 0x2545f4914f6cdd1dull + 1;
}

u64 rnd(void)
{
	u64 z = (state += 0x9e3779b97f4a7c15ull);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

u64 below(u64 n)
{
	return rnd() % n;
}

bool chance(unsigned pct)
{
	return below(100) < pct;
}

void add(u32 *a, int *n, u32 id)
{
	if (*n < MAX_IDS)
		a[(*n)++] = id;
}

void del(u32 *a, int *n, u32 id)
{
	for (int i = 0; i < *n; i++)
		if (a[i] == id) {
			a[i] = a[--*n];
			return;
		}
}

u32 pick(u32 *a, int n)
{
	if (chance(4))
		return (u32)below(40); /* a guess: wrong type, stale or unused */
	if (chance(1))
		return (u32)rnd();
	return n ? a[below(n)] : (u32)below(8);
}

/* One call. buf holds words of 32 bits; word 0 is the structure's size. */
int call(struct ctx *c, const char *name, unsigned nr, u32 *buf, unsigned words)
{
	u32 in[64], sent[64];
	memset(in, 0, sizeof in);
	memcpy(in, buf, words * 4);
	/* Now and then a structure of another size: short, or long with a tail. */
	unsigned extra = 0;
	if (chance(3)) {
		switch (below(4)) {
		case 0:
			in[0] = (u32)below(words * 4);
			break;
		case 1:
			extra = 2;
			in[0] += 8;
			break; /* zero tail */
		case 2:
			extra = 2;
			in[0] += 8;
			in[words] = 1;
			break; /* non-zero tail */
		case 3:
			in[0] = below(2) ? 0 : 4;
			break;
		}
	}
	memcpy(sent, in, sizeof in);
	unsigned cmd = CMD(nr);
	if (chance(1))
		cmd = chance(50) ? _IOWR(';', nr, u32) : CMD(0x95 + below(8));
	void *arg = in;
	if (chance(1))
		arg = chance(50) ? NULL : (void *)NONE_VA;
	memset((void *)OUT_BASE, 0xa5, 4096);
	int rc = ioctl(c->fd, cmd, arg), err = rc < 0 ? errno : 0;
	printf("%u %s c%d cmd=%x arg=%s", idx, name, (int)(c - ctxs), cmd,
	       arg == in ? "ok"
	       : arg	 ? "bad"
			 : "null");
	for (unsigned i = 0; i < words + extra; i++)
		printf(" %x", sent[i]);
	printf(" = %d %s", rc, err ? strerrorname_np(err) : "-");
	for (unsigned i = 0; i < words + extra; i++)
		if (in[i] != sent[i])
			printf(" [%u]=%x", i, in[i]);
	if (nr == IOVA_RANGES || nr == GET_DIRTY || nr == HW_INFO) {
		u64 h = 1469598103934665603ull;
		for (int i = 0; i < 4096; i++)
			h = (h ^ ((uint8_t *)OUT_BASE)[i]) * 1099511628211ull;
		printf(" out=%llx", (unsigned long long)h);
	}
	putchar('\n');
	memcpy(buf, in, words * 4);
	return (cmd == CMD(nr) && arg == in) ? rc : -1;
}

u64 an_iova(void)
{
	static const u64 base[] = { 0,		0x1000000,  0x1000000,	0x1000000,
				    0x40000000, 0x7ffe0000, 0x80000000, 0xfffffffffff00000ull };
	/* A mock device's page table reaches from 16 MiB to 2 GiB: stay inside it mostly. */
	u64 v = (mock && chance(85) ? 0x1000000 : base[below(8)]) + below(64) * 0x1000;
	if (chance(6))
		v += below(4096);
	if (chance(1))
		v = rnd();
	return v;
}

u64 a_length(void)
{
	if (chance(3))
		return 0;
	if (chance(2))
		return ~0ull;
	if (chance(2))
		return ~0ull - below(8192);
	if (chance(5))
		return below(20000);
	if (chance(5))
		return 0x200000;
	return (1 + below(12)) * 0x1000;
}

u64 a_va(void)
{
	if (chance(3))
		return NONE_VA + below(16) * 4096;
	if (chance(4))
		return RO_BASE + below(64) * 4096;
	if (chance(1))
		return 0;
	if (chance(5))
		return RW_BASE + below(RW_SIZE - 0x400000);
	if (chance(20))
		return RW_BASE + below(16) * 0x200000;
	return RW_BASE + below((RW_SIZE - 0x400000) / 4096) * 4096;
}

u32 map_flags(bool fixed)
{
	u32 f = (chance(94) ? 2 : 0) | (chance(90) ? 4 : 0) | (fixed ? 1 : 0);
	if (chance(1))
		f |= 1u << below(32);
	return f;
}

void remember(struct ctx *c, u32 ioas, u64 iova, u64 len, u64 va)
{
	if (c->nmap < 256) {
		c->map[c->nmap].va = va;
		c->map[c->nmap].ioas = ioas;
		c->map[c->nmap].iova = iova;
		c->map[c->nmap++].len = len;
	}
}
