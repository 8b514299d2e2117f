/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk with many commands under way: its driver maps a block for each, the
 * medium takes its time, the link carries the block, the device reads or writes
 * it, the driver unmaps it and sends the next command in its place.
 *
 * This is not the controller of sim/pci/nvme.c, although that could run in virtual time. A
 * scenario asks what mapping costs a driver, with a medium and a link of chosen speeds; it
 * has neither the queues nor the bytes of the blocks, which that controller must move
 * through a guest's memory to do anything at all.
 */
#include <stdlib.h>

#include "sim/scenario/actors.h"
#include "sim/scenario/boot.h"
#include "sim/scenario/dma.h"
#include "sim/scenario/report.h"

#define NVME_THREAD 2u

struct command {
	uint64_t iova; /* 0: not mapped */
	uint64_t begun_ns;
	bool read; /* from the disk: the device writes memory */
};

struct nvme {
	struct guest *guest;
	struct sim_device device;
	struct dma_pool pool;
	struct des_random random;
	struct des_server link;
	struct command *commands; /* depth */
	uint32_t *ready;	  /* commands that the driver has to look at: a ring of depth */
	uint64_t ready_first;
	uint64_t ready_end;
	bool driver_busy;
	bool failed;
	uint64_t begun_ns;
	uint64_t cpu_ns;
	uint64_t done;
	uint64_t latency_ns; /* sum */
	uint64_t faults;
};

static const struct scenario_nvme *config_of(const struct nvme *nvme)
{
	return &nvme->guest->world->scenario->nvme;
}

static struct des *des_of(const struct nvme *nvme)
{
	return &nvme->guest->world->des;
}

static bool is_mapping(const struct nvme *nvme)
{
	return config_of(nvme)->mode != MODE_PASSTHROUGH;
}

static void driver_runs(void *opaque, uint64_t arg);

static void driver_wake(struct nvme *nvme)
{
	if (nvme->driver_busy || nvme->guest->paused || nvme->failed)
		return;
	nvme->driver_busy = true;
	des_after(des_of(nvme), 0, driver_runs, nvme, 0);
}

static void make_ready(struct nvme *nvme, uint32_t number)
{
	nvme->ready[nvme->ready_end++ % config_of(nvme)->depth] = number;
	driver_wake(nvme);
}

static void command_done(void *opaque, uint64_t arg)
{
	struct nvme *nvme = opaque;

	nvme->done++;
	nvme->latency_ns += des_of(nvme)->now_ns - nvme->commands[arg].begun_ns;
	make_ready(nvme, (uint32_t)arg);
}

/* The medium is done: the block goes over the link and through the IOMMU. */
static void transfer(void *opaque, uint64_t arg)
{
	struct nvme *nvme = opaque;
	const struct scenario_nvme *config = config_of(nvme);
	const struct command *command = &nvme->commands[arg];
	uint64_t link_ns = (uint64_t)((unsigned __int128)config->block_bytes * 8 * 1000000000 /
				      config->rate_bits);
	enum dma_result result;
	uint64_t ready_ns;

	nvme->guest->tid = guest_tid(nvme->guest, NVME_THREAD);
	ready_ns = dma_access(&nvme->device, des_of(nvme)->now_ns, command->iova,
			      config->block_bytes, command->read, &result);
	nvme->faults += result == DMA_FAULT;
	des_at(des_of(nvme), des_server_use(&nvme->link, ready_ns, link_ns), DES_PRIORITY_NORMAL,
	       command_done, nvme, arg);
}

static uint64_t draw_memory(struct nvme *nvme)
{
	uint64_t bytes = nvme->guest->world->scenario->guest.memory_bytes;
	uint64_t block = config_of(nvme)->block_bytes, first = 1 << 20;

	if (bytes > (uint64_t)2 << 30)
		bytes = (uint64_t)2 << 30;
	/* A multiple of the page, not of the block: any memory may be a buffer. */
	return first + des_random_below(&nvme->random, (bytes - first - block) / 4096 + 1) * 4096;
}

static void driver_sent(void *opaque, uint64_t arg)
{
	struct nvme *nvme = opaque;
	const struct scenario_nvme *config = config_of(nvme);

	nvme->driver_busy = false;
	if (!nvme->failed)
		des_after(des_of(nvme), des_dist_draw(&config->latency, &nvme->random), transfer,
			  nvme, arg);
	if (nvme->ready_first != nvme->ready_end)
		driver_wake(nvme);
}

/* One command: what it had is taken back, a new one is sent. */
static void driver_runs(void *opaque, uint64_t arg)
{
	struct nvme *nvme = opaque;
	const struct scenario_nvme *config = config_of(nvme);
	struct des *des = des_of(nvme);
	uint64_t now_ns = des->now_ns, memory;
	struct command *command;
	uint32_t number;

	(void)arg;
	nvme->driver_busy = false;
	if (nvme->guest->paused || nvme->failed || nvme->ready_first == nvme->ready_end)
		return;
	nvme->guest->tid = guest_tid(nvme->guest, NVME_THREAD);
	number = nvme->ready[nvme->ready_first++ % config->depth];
	command = &nvme->commands[number];
	if (command->iova && is_mapping(nvme))
		now_ns = dma_unmap(&nvme->pool, now_ns, command->iova);
	command->begun_ns = now_ns;
	now_ns += config->stack_ns;
	command->read = des_random_chance(&nvme->random, config->read_ppm, 1000000);
	memory = draw_memory(nvme);
	if (is_mapping(nvme))
		now_ns = dma_map(&nvme->pool, now_ns, memory, !command->read, &command->iova);
	else
		command->iova = memory;
	if (!command->iova)
		nvme->failed = true;
	nvme->cpu_ns += now_ns - des->now_ns;
	nvme->driver_busy = true;
	des_at(des, now_ns, DES_PRIORITY_NORMAL, driver_sent, nvme, number);
}

static void nvme_starts(void *opaque, uint64_t arg)
{
	struct nvme *nvme = opaque;
	const struct scenario_nvme *config = config_of(nvme);
	enum scenario_mode mode = (enum scenario_mode)config->mode;
	uint64_t now_ns = des_of(nvme)->now_ns;
	int ret;

	(void)arg;
	nvme->guest->tid = guest_tid(nvme->guest, NVME_THREAD);
	now_ns = guest_device_make(nvme->guest, &nvme->device, mode, now_ns, &ret);
	nvme->failed = ret != 0;
	if (!ret && is_mapping(nvme) &&
	    dma_pool_init(&nvme->pool, &nvme->device, mode, config->block_bytes))
		nvme->failed = true;
	nvme->begun_ns = now_ns;
	for (uint32_t i = 0; i < config->depth && !nvme->failed; i++)
		nvme->ready[nvme->ready_end++ % config->depth] = i;
	nvme->driver_busy = true;
	des_at(des_of(nvme), now_ns, DES_PRIORITY_NORMAL, driver_runs, nvme, 0);
}

static void begin(struct guest *guest)
{
	const struct scenario_nvme *config = &guest->world->scenario->nvme;
	struct nvme *nvme;

	if (!actor_has_guest(guest, config->first_guest, config->guests))
		return;
	nvme = calloc(1, sizeof(*nvme));
	if (!nvme)
		return;
	nvme->guest = guest;
	nvme->commands = calloc(config->depth, sizeof(*nvme->commands));
	nvme->ready = calloc(config->depth, sizeof(*nvme->ready));
	nvme->failed = !nvme->commands || !nvme->ready;
	des_random_init(&nvme->random, guest->world->options.seed, "nvme", guest->index);
	guest->nvme = nvme;
	if (!nvme->failed)
		des_after(des_of(nvme), config->start_ns, nvme_starts, nvme, 0);
}

static uint64_t end(struct guest *guest, uint64_t now_ns)
{
	struct nvme *nvme = guest->nvme;

	if (!nvme || !nvme->device.bound)
		return now_ns;
	guest->tid = guest_tid(guest, NVME_THREAD);
	for (uint64_t i = 0; is_mapping(nvme) && i < config_of(nvme)->depth; i++) {
		if (nvme->commands[i].iova)
			now_ns = dma_unmap(&nvme->pool, now_ns, nvme->commands[i].iova);
		nvme->commands[i].iova = 0;
	}
	if (is_mapping(nvme))
		now_ns = dma_flush(&nvme->pool, now_ns);
	return guest_device_end(&nvme->device, (enum scenario_mode)config_of(nvme)->mode, now_ns);
}

static void report(struct world *world, struct report *out)
{
	uint64_t done = 0, latency_ns = 0, cpu_ns = 0, ns = 0, faults = 0, failed = 0;

	for (uint64_t i = 0; i < world->scenario->guest.count; i++) {
		const struct nvme *nvme = world->guests[i].nvme;

		if (!nvme)
			continue;
		done += nvme->done;
		latency_ns += nvme->latency_ns;
		cpu_ns += nvme->cpu_ns;
		faults += nvme->faults;
		failed += nvme->failed;
		if (nvme->begun_ns && nvme->begun_ns < world->des.now_ns)
			ns += world->des.now_ns - nvme->begun_ns;
	}
	report_add(out, "nvme", "commands", "commands", REPORT_COUNT, done);
	report_add(out, "nvme", "commands_per_s", "commands a second, of a disk", REPORT_COUNT,
		   ns ? (uint64_t)((unsigned __int128)done * 1000000000 / ns) : 0);
	report_add(out, "nvme", "latency_mean_ns", "latency, mean", REPORT_NS,
		   done ? latency_ns / done : 0);
	/* What was begun in time is charged whole, also what it takes beyond the end. */
	report_add(out, "nvme", "cpu_ppm", "its CPU is busy", REPORT_PPM,
		   report_ppm(cpu_ns < ns ? cpu_ns : ns, ns));
	report_add(out, "nvme", "faults", "accesses refused", REPORT_COUNT, faults);
	report_add(out, "nvme", "failed", "disks that a failed call stopped", REPORT_COUNT, failed);
}

static size_t levels(const struct guest *guest, struct actor_level *out)
{
	const struct nvme *nvme = guest->nvme;
	uint64_t ready;

	if (!nvme)
		return 0;
	ready = nvme->ready_end - nvme->ready_first;
	out[0] = (struct actor_level){ "commands at the disk", config_of(nvme)->depth - ready };
	out[1] = (struct actor_level){ "commands for the driver", ready };
	out[2] = (struct actor_level){ "unmaps in the flush queue", nvme->pool.queue_count };
	return 3;
}

static void destroy(struct world *world)
{
	for (uint64_t i = 0; world->guests && i < world->scenario->guest.count; i++) {
		struct nvme *nvme = world->guests[i].nvme;

		if (!nvme)
			continue;
		dma_pool_fini(&nvme->pool);
		free(nvme->commands);
		free(nvme->ready);
		free(nvme);
		world->guests[i].nvme = NULL;
	}
}

const struct sim_device *nvme_device(const struct guest *guest)
{
	return guest->nvme ? &guest->nvme->device : NULL;
}

static void nvme_estimate(const struct scenario *s, struct actor_estimate *estimate)
{
	uint64_t block_ns =
		(uint64_t)((unsigned __int128)s->nvme.block_bytes * 8000000000 / s->nvme.rate_bits);
	uint64_t depth_ns = des_dist_mean(&s->nvme.latency) / s->nvme.depth;
	uint64_t commands = actor_times(s, s->nvme.start_ns,
					block_ns > depth_ns ? block_ns : depth_ns);

	/* A translation for each page of the block. */
	estimate->host_ns = commands * (1000 + s->nvme.block_bytes / 4096 * 300);
	estimate->mappings = s->nvme.mode == MODE_PASSTHROUGH ? 0 : s->nvme.depth;
	estimate->guests = actor_guests(s, s->nvme.first_guest, s->nvme.guests);
}

const struct actor_kind actor_nvme = {
	.section = SECTION_NVME,
	.did = "commands",
	.estimate = nvme_estimate,
	.begin = begin,
	.end = end,
	.report = report,
	.levels = levels,
	.destroy = destroy,
};
