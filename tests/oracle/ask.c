/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks a device a random but reproducible sequence of calls, and prints a line for each:
 * the question, the answer, and every word of the argument that the device changed.
 *
 *	ask --dev /dev/iommu --seed 7 --ops 2000 [--mock [--old-mock]]
 *
 * --mock asks the test command too: mock devices, page tables, dirty bits. Before Linux
 * 6.19 that took other arguments: --old-mock.
 *
 * The same seed asks the same for as long as the answers are the same, so of two devices
 * the first line that differs is the divergence; what follows are its echoes.
 */
#include "ask.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

/* The descriptors that IOAS_MAP_FILE is asked with: a memfd of 1 MiB and what is none. */
#define MEMFD	200
#define EVENTFD 201

static bool map_at(u64 address, size_t length, int prot)
{
	return mmap((void *)address, length, prot,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != MAP_FAILED;
}

/* The client's memory and files. */
static int client_init(void)
{
	int memory, event;

	if (!map_at(RW_BASE, RW_SIZE, PROT_READ | PROT_WRITE) ||
	    !map_at(RO_BASE, 1 << 20, PROT_READ) ||
	    !map_at(OUT_BASE, 1 << 20, PROT_READ | PROT_WRITE)) {
		perror("ask: mmap");
		return -1;
	}
	memory = memfd_create("ask", 0);
	event = eventfd(0, 0);
	if (memory < 0 || ftruncate(memory, 1 << 20) || dup2(memory, MEMFD) < 0 ||
	    dup2(event, EVENTFD) < 0) {
		perror("ask: memfd");
		return -1;
	}
	madvise((void *)RW_BASE, RW_SIZE, MADV_NOHUGEPAGE);
	return 0;
}

static unsigned weights(const struct op *ops)
{
	unsigned total = 0;

	for (; ops->run; ops++)
		total += ops->weight;
	return total;
}

static const struct op *op_at(const struct op *ops, u64 r)
{
	while (r >= ops->weight)
		r -= (ops++)->weight;
	return ops;
}

static void ask(unsigned long n)
{
	const unsigned plain = weights(plain_ops);
	const unsigned total = plain + (mock ? weights(mock_ops) : 0);

	for (int i = 0; i < MAX_CTX; i++) {
		ctxs[i].fd = -1;
		op_reopen(&ctxs[i]);
	}
	for (idx = 1; idx <= n; idx++) {
		u64 r = below(total);
		const struct op *op = r < plain ? op_at(plain_ops, r) : op_at(mock_ops, r - plain);
		struct ctx *c = &ctxs[below(10) < 8 ? 0 : 1 + below(2)];

		if (!c->nioas && chance(70))
			op_alloc(c);
		else if (mock && c->nioas && !c->nstdev && chance(40))
			op_mock_domain(c);
		else
			op->run(c);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "dev", required_argument, NULL, 'd' }, { "seed", required_argument, NULL, 's' },
		{ "ops", required_argument, NULL, 'n' }, { "mock", no_argument, NULL, 'm' },
		{ "old-mock", no_argument, NULL, 'o' },	 { NULL, 0, NULL, 0 },
	};
	unsigned long n = 2000;
	u64 seed = 1;
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 'd':
			dev = optarg;
			break;
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			n = strtoul(optarg, NULL, 0);
			break;
		case 'm':
			mock = true;
			break;
		case 'o':
			old_mock = true;
			break;
		default:
			return 2;
		}
	}
	rnd_seed(seed);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (client_init())
		return 1;
	ask(n);
	return 0;
}
