/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks two devices the same random calls and says where they first differ.
 *
 *   compare DEVICE FIRST-LAST [--mock] [--ops N] [--linux MAJOR.MINOR]
 *
 * The calls come from the oracle's own program (tests/oracle/ask.c), linked in: its
 * open, ioctl and close arrive here instead, go to DEVICE (a path: the kernel's
 * /dev/iommu or the fake's file) and to the engine in this process, and the
 * answer of DEVICE goes back. Both see the same memory before each call. --linux is
 * what DEVICE is, and so what the engine is to be; else the newest.
 *
 * A difference is shrunk to the fewest calls that still differ, by leaving out
 * ever smaller pieces (Zeller, Hildebrandt: Simplifying and isolating
 * failure-inducing input, 2002). Prints TAP, a line per seed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ioasis/iommufd_abi.h>

#include "tests/conformance/inproc_device.h"

#define ARG_BYTES 160	       /* at least the longest argument with its tail */
#define ARRAYS_BASE 0x200030000000ull /* where the oracle's program keeps arrays */
#define ARRAYS_BYTES (3 * 4096)
#define SLOTS 1024

int oracle_main(int argc, char **argv);
int __real_open(const char *path, int flags, ...);
int __real_close(int fd);
int __real_ioctl(int fd, unsigned long cmd, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_ioctl(int fd, unsigned long cmd, ...);

enum step_kind { STEP_OPEN, STEP_CLOSE, STEP_IOCTL };

/* One call, with the memory that it saw. */
struct step {
	enum step_kind kind;
	int slot;
	unsigned int cmd;
	unsigned long arg;
	bool has_buffer; /* arg points to memory of the caller, kept in before */
	uint8_t before[ARG_BYTES];
	uint8_t arrays[ARRAYS_BYTES];
};

/* What one device answered. */
struct answer {
	int ret;
	int error;
	uint8_t after[ARG_BYTES];
	uint8_t arrays[ARRAYS_BYTES];
};

struct device_pair {
	bool open;
	int real_fd;
	int engine_fd;
};

static const char *device_path;
static bool device_mock, device_old_mock;
static struct device_pair slots[SLOTS]; /* by the fd that the oracle's program holds */
static struct step *steps;
static size_t steps_count, steps_room;
static int report_fd;

static void report(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void report(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vdprintf(report_fd, fmt, ap);
	va_end(ap);
}

/* ---- one call on both devices ------------------------------------------------- */

static void call_device(const struct step *step, int fd, bool engine, void *buffer,
			struct answer *answer)
{
	void *arg = step->has_buffer ? buffer : (void *)step->arg;

	memcpy((void *)ARRAYS_BASE, step->arrays, ARRAYS_BYTES);
	if (step->has_buffer)
		memcpy(buffer, step->before, ARG_BYTES);
	errno = 0;
	answer->ret = engine ? inproc_device_ioctl(fd, step->cmd, arg)
			     : __real_ioctl(fd, step->cmd, arg);
	answer->error = answer->ret < 0 ? errno : 0;
	memset(answer->after, 0, sizeof(answer->after));
	if (step->has_buffer)
		memcpy(answer->after, buffer, ARG_BYTES);
	memcpy(answer->arrays, (void *)ARRAYS_BASE, ARRAYS_BYTES);
}

/*
 * Whether the device's dirty bits are the engine's, and more at most: physical
 * neighbours share a bit on a real kernel, by luck (docs/FIDELITY.md).
 */
static bool dirty_bits_agree(const uint8_t *device, const uint8_t *engine)
{
	for (size_t i = 0; i < ARRAYS_BYTES; i++) {
		if (engine[i] & ~device[i])
			return false;
	}
	return true;
}

static bool answers_agree(const struct step *step, const struct answer *device,
			  const struct answer *engine)
{
	if (device->ret != engine->ret || device->error != engine->error ||
	    memcmp(device->after, engine->after, ARG_BYTES))
		return false;
	if (step->kind == STEP_IOCTL && step->cmd == IOMMU_HWPT_GET_DIRTY_BITMAP)
		return dirty_bits_agree(device->arrays, engine->arrays);
	return !memcmp(device->arrays, engine->arrays, ARRAYS_BYTES);
}

/* Opens both devices in a slot; aborts the run when one cannot. */
static void pair_open(struct device_pair *pair)
{
	pair->real_fd = __real_open(device_path, O_RDWR | O_CLOEXEC);
	if (pair->real_fd < 0) {
		report("Bail out! cannot open %s: %s\n", device_path, strerror(errno));
		_exit(3);
	}
	pair->engine_fd = inproc_device_open(device_mock);
	pair->open = true;
}

static void pair_close(struct device_pair *pair)
{
	if (!pair->open)
		return;
	__real_close(pair->real_fd);
	inproc_device_close(pair->engine_fd);
	pair->open = false;
}

/* Runs a step on both; true when the answers agree. buffer: where arguments lie. */
static bool step_run(const struct step *step, struct device_pair *pairs, void *buffer,
		     struct answer *real, struct answer *engine)
{
	struct device_pair *pair = &pairs[step->slot];

	memset(real, 0, sizeof(*real));
	memset(engine, 0, sizeof(*engine));
	switch (step->kind) {
	case STEP_OPEN:
		pair_close(pair);
		pair_open(pair);
		return true;
	case STEP_CLOSE:
		pair_close(pair);
		return true;
	case STEP_IOCTL:
		if (!pair->open) /* its open was left out */
			return true;
		call_device(step, pair->engine_fd, true, buffer, engine);
		call_device(step, pair->real_fd, false, buffer, real);
		return answers_agree(step, real, engine);
	}
	return true;
}

/* ---- shrinking --------------------------------------------------------------- */

static struct device_pair replay_pairs[SLOTS];

/*
 * Runs the steps whose keep is set on fresh devices. Returns the index of the
 * first that differs, or -1.
 */
static long replay(const bool *keep, struct answer *real, struct answer *engine)
{
	static uint8_t buffer[4096] __attribute__((aligned(4096)));
	long found = -1;

	for (size_t i = 0; i < steps_count && found < 0; i++) {
		if (keep[i] && !step_run(&steps[i], replay_pairs, buffer, real, engine))
			found = (long)i;
	}
	for (size_t i = 0; i < SLOTS; i++)
		pair_close(&replay_pairs[i]);
	return found;
}

static size_t keep_count(const bool *keep)
{
	size_t n = 0;

	for (size_t i = 0; i < steps_count; i++)
		n += keep[i];
	return n;
}

/* Clears keep of ever smaller pieces for as long as a difference remains. */
static void shrink(bool *keep)
{
	bool *attempt = calloc(steps_count, sizeof(*attempt));
	struct answer real, engine;
	size_t piece = keep_count(keep) / 2;

	while (piece) {
		bool shrunk = false;
		size_t start = 0;

		while (start < steps_count) {
			size_t cleared = 0, i;
			long at;

			memcpy(attempt, keep, steps_count * sizeof(*attempt));
			for (i = start; i < steps_count && cleared < piece; i++) {
				cleared += attempt[i];
				attempt[i] = false;
			}
			start = i;
			if (!cleared)
				continue;
			at = replay(attempt, &real, &engine);
			if (at < 0)
				continue;
			memset(attempt + at + 1, 0, (steps_count - (size_t)at - 1) * sizeof(*attempt));
			memcpy(keep, attempt, steps_count * sizeof(*keep));
			shrunk = true;
		}
		if (!shrunk)
			piece /= 2;
	}
	free(attempt);
}

static void print_words(const uint8_t *bytes)
{
	uint32_t words[ARG_BYTES / 4];

	memcpy(words, bytes, sizeof(words));
	for (size_t i = 0; i < 20; i++)
		report(" %x", words[i]);
}

static void print_answer(const char *who, const struct step *step, const struct answer *answer)
{
	report("#     %s: %d %s", who, answer->ret,
	       answer->error ? strerrorname_np(answer->error) : "-");
	for (size_t i = 0; i < ARG_BYTES / 4 && step->has_buffer; i++) {
		uint32_t was, is;

		memcpy(&was, step->before + 4 * i, 4);
		memcpy(&is, answer->after + 4 * i, 4);
		if (was != is)
			report(" [%zu]=%x", i, is);
	}
	for (size_t i = 0; i < ARRAYS_BYTES; i++) {
		if (answer->arrays[i] != step->arrays[i]) {
			report(" arrays+%zx=%02x...", i, answer->arrays[i]);
			break;
		}
	}
	report("\n");
}

static void print_kept(const bool *keep)
{
	struct answer real, engine;
	long at = replay(keep, &real, &engine);

	report("# the fewest calls that still differ: %zu\n", keep_count(keep));
	for (size_t i = 0; i < steps_count; i++) {
		const struct step *step = &steps[i];

		if (!keep[i])
			continue;
		if (step->kind == STEP_OPEN) {
			report("#   open %d\n", step->slot);
		} else if (step->kind == STEP_CLOSE) {
			report("#   close %d\n", step->slot);
		} else {
			report("#   ioctl %d cmd=%x arg=%s", step->slot, step->cmd,
			       step->has_buffer ? "" : "bad ");
			if (step->has_buffer)
				print_words(step->before);
			else
				report("%lx", step->arg);
			report("\n");
		}
		if ((long)i == at) {
			print_answer("device", step, &real);
			print_answer("engine", step, &engine);
		}
	}
}

static void difference_found(void)
{
	bool *keep = malloc(steps_count * sizeof(*keep));
	struct answer real, engine;

	report("# call %zu differs\n", steps_count);
	for (size_t i = 0; i < SLOTS; i++)
		pair_close(&slots[i]);
	memset(keep, 1, steps_count * sizeof(*keep));
	if (replay(keep, &real, &engine) < 0) {
		report("# the same calls again do not differ\n");
	} else {
		shrink(keep);
		print_kept(keep);
	}
	_exit(1);
}

/* ---- what the oracle's program calls ------------------------------------------ */

static struct step *step_add(enum step_kind kind, int slot)
{
	if (steps_count == steps_room) {
		steps_room = steps_room ? 2 * steps_room : 1024;
		steps = realloc(steps, steps_room * sizeof(*steps));
		if (!steps)
			abort();
	}
	steps[steps_count] = (struct step){ .kind = kind, .slot = slot };
	return &steps[steps_count++];
}

int __wrap_open(const char *path, int flags, ...)
{
	struct device_pair pair;
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	if (!device_path || strcmp(path, device_path))
		return __real_open(path, flags, mode);
	pair_open(&pair);
	if (pair.real_fd >= SLOTS)
		abort();
	slots[pair.real_fd] = pair;
	step_add(STEP_OPEN, pair.real_fd);
	return pair.real_fd;
}

int __wrap_close(int fd)
{
	if (fd < 0 || fd >= SLOTS || !slots[fd].open)
		return __real_close(fd);
	step_add(STEP_CLOSE, fd);
	pair_close(&slots[fd]);
	return 0;
}

int __wrap_ioctl(int fd, unsigned long cmd, ...)
{
	struct answer real, engine;
	struct step *step;
	unsigned long arg;
	va_list ap;

	va_start(ap, cmd);
	arg = va_arg(ap, unsigned long);
	va_end(ap);
	if (fd < 0 || fd >= SLOTS || !slots[fd].open)
		return __real_ioctl(fd, cmd, arg);
	step = step_add(STEP_IOCTL, fd);
	step->cmd = (unsigned int)cmd;
	step->arg = arg;
	/* The program's arguments lie on its stack, far above its bad pointers. */
	step->has_buffer = arg > 0x700000000000ul;
	if (step->has_buffer)
		memcpy(step->before, (void *)arg, ARG_BYTES);
	memcpy(step->arrays, (void *)ARRAYS_BASE, ARRAYS_BYTES);
	if (!step_run(step, slots, (void *)arg, &real, &engine))
		difference_found();
	errno = real.error;
	return real.ret;
}

/* ---- seeds ---------------------------------------------------------------------- */

static int run_seed(unsigned long seed, const char *ops)
{
	char seed_text[32];
	char *argv[] = { (char *)"oracle", (char *)"--dev", (char *)device_path, (char *)"--seed",
			 seed_text, (char *)"--ops", (char *)ops, device_mock ? (char *)"--mock" : NULL,
			 device_old_mock ? (char *)"--old-mock" : NULL, NULL };

	snprintf(seed_text, sizeof(seed_text), "%lu", seed);
	if (!freopen("/dev/null", "w", stdout))
		return 3;
	return oracle_main(7 + device_mock + (device_mock && device_old_mock), argv);
}

int main(int argc, char **argv)
{
	unsigned long first, last, failed = 0;
	unsigned int major, minor;
	const char *ops = "2000";

	if (argc < 3 || sscanf(argv[2], "%lu-%lu", &first, &last) != 2 || first > last) {
		fprintf(stderr, "usage: compare DEVICE FIRST-LAST [--mock] [--ops N]"
			" [--linux MAJOR.MINOR]\n");
		return 3;
	}
	device_path = argv[1];
	for (int i = 3; i < argc; i++) {
		if (!strcmp(argv[i], "--mock"))
			device_mock = true;
		else if (!strcmp(argv[i], "--ops") && i + 1 < argc)
			ops = argv[++i];
		else if (!strcmp(argv[i], "--linux") && i + 1 < argc &&
			 sscanf(argv[++i], "%u.%u", &major, &minor) == 2) {
			inproc_device_linux(major, minor);
			/* The mock's page tables are generic since 6.19. */
			device_old_mock = major < 6 || (major == 6 && minor < 19);
		}
	}
	report_fd = dup(STDOUT_FILENO);
	report("1..%lu\n", last - first + 1);
	for (unsigned long seed = first; seed <= last; seed++) {
		pid_t child = fork();
		int status;

		if (child == 0)
			_exit(run_seed(seed, ops));
		if (child < 0 || waitpid(child, &status, 0) < 0)
			return 3;
		failed += status != 0;
		report("%s %lu - %s seed %lu, %s calls\n", status ? "not ok" : "ok", seed - first + 1,
		       device_mock ? "mock" : "plain", seed, ops);
	}
	return failed != 0;
}
