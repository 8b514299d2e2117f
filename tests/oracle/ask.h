/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program that asks: what its parts share. Random numbers, the client's memory, the
 * files that are open, and one call.
 *
 * Every number drawn is part of what a seed means: a draw more or less, and the recorded
 * answers (answers/) are to other questions.
 */
#ifndef IOASIS_TESTS_ORACLE_ASK_H
#define IOASIS_TESTS_ORACLE_ASK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>

typedef uint32_t u32;
typedef uint64_t u64;

#define CMD(nr) _IO(';', nr)
enum {
	DESTROY = 0x80,
	IOAS_ALLOC,
	ALLOW_IOVAS,
	IOAS_COPY,
	IOVA_RANGES,
	IOAS_MAP,
	IOAS_UNMAP,
	OPTION,
	VFIO_IOAS,
	HWPT_ALLOC,
	HW_INFO,
	SET_DIRTY,
	GET_DIRTY,
	INVALIDATE,
	FAULT_ALLOC,
	IOAS_MAP_FILE,
	VIOMMU_ALLOC,
	VDEVICE_ALLOC,
	CHANGE_PROCESS,
	VEVENTQ,
	HW_QUEUE,
	TEST = 0xa0,
};

/* Client memory: the same addresses everywhere, so answers compare. */
#define RW_BASE	 0x200000000000ull /* 64 MiB, readable and writable */
#define RW_SIZE	 (64ull << 20)
#define RO_BASE	 0x200010000000ull /* 1 MiB, read only */
#define NONE_VA	 0x200020000000ull /* never mapped */
#define OUT_BASE 0x200030000000ull /* 1 MiB, where answers with arrays go */

#define MAX_CTX 3
#define MAX_IDS 64

/* What an open file holds, as far as the answers told. */
struct ctx {
	int fd;
	u32 ioas[MAX_IDS];
	int nioas;
	u32 any[MAX_IDS];
	int nany; /* everything alive, of any type */
	u32 idev[MAX_IDS];
	int nidev;
	u32 stdev[MAX_IDS];
	int nstdev;
	u32 hwpt[MAX_IDS];
	int nhwpt;
	u32 tracked[MAX_IDS];
	int ntracked; /* page tables that can track dirty pages */
	u32 nested[MAX_IDS];
	int nnested;
	u32 parent[MAX_IDS];
	int nparent; /* page tables that can have nested ones */
	struct {
		u32 ioas;
		u64 iova, len, va;
	} map[256];
	int nmap;
};

extern struct ctx ctxs[MAX_CTX];
extern const char *dev;
extern bool mock;     /* the test command is asked too */
extern bool old_mock; /* with arguments that the test command before Linux 6.19 takes */
extern unsigned idx;  /* of the call */

/* The next random number; below n; true in pct of a hundred cases. */
u64 rnd(void);
u64 below(u64 n);
bool chance(unsigned pct);
void rnd_seed(u64 seed);

/* Lists of ids: add, take away, pick one (sometimes a wrong one). */
void add(u32 *a, int *n, u32 id);
void del(u32 *a, int *n, u32 id);
u32 pick(u32 *a, int n);

/* An address, a length, a place in the client's memory, flags; mostly good ones. */
u64 an_iova(void);
u64 a_length(void);
u64 a_va(void);
u32 map_flags(bool fixed);
void remember(struct ctx *c, u32 ioas, u64 iova, u64 len, u64 va);

#define PUT64(b, i, v)                          \
	do {                                    \
		u64 _v = (v);                   \
		(b)[i] = (u32)_v;               \
		(b)[(i) + 1] = (u32)(_v >> 32); \
	} while (0)
#define GET64(b, i) ((u64)(b)[i] | (u64)(b)[(i) + 1] << 32)

/*
 * Asks one call and prints question and answer. buf holds words of 32 bits, word 0 the
 * structure's size; the answer is left there. Returns 0, or -1 where it failed or was not
 * the call that was meant.
 */
int call(struct ctx *c, const char *name, unsigned nr, u32 *buf, unsigned words);

/* One kind of call, and how often. */
struct op {
	void (*run)(struct ctx *c);
	unsigned weight;
};

/* Both end with an empty row. */
extern const struct op plain_ops[], mock_ops[];

void op_alloc(struct ctx *c);
void op_mock_domain(struct ctx *c);
void op_reopen(struct ctx *c);

#endif
