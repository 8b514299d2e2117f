/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network card and its driver.
 *
 * Receiving: packets arrive at the line's rate; each takes the oldest posted
 * buffer or is dropped; the device writes it; the driver, one packet after the
 * other on one CPU, unmaps it, hands it up, maps a new buffer and posts it.
 * Sending: the driver maps and posts as fast as its CPU and the ring allow; the
 * device reads at the line's rate; the driver unmaps what was sent.
 *
 * With nic.ack_every a receiving driver also sends: for every so many packets it maps a small one,
 * which the device reads and the driver unmaps when it runs next.
 *
 * In passthrough mode buffers are anywhere in the guest's memory and nothing is
 * mapped or unmapped for a packet.
 */
#include <errno.h>
#include <stdlib.h>

#include <ioasis/iommufd_abi.h>

#include "sim/scenario/actors.h"
#include "sim/scenario/boot.h"
#include "sim/scenario/call.h"
#include "sim/scenario/dma.h"
#include "sim/scenario/report.h"

#define NIC_THREAD  1u
#define BUFFERS_MAX 16u

/* Packets whose slots go round: slot numbers count up, modulo the ring. */
struct nic {
	struct guest *guest;
	struct sim_device device;
	struct dma_pool pool;
	struct des_random random;
	struct des_server link;
	uint64_t *iovas;    /* ring * buffers */
	uint64_t posted;    /* slots given to the device so far */
	uint64_t taken;	    /* slots that the device has begun to use */
	uint64_t completed; /* slots that the device is done with */
	uint64_t reclaimed; /* slots that the driver took back */
	uint64_t wire_rest; /* of the division below a nanosecond, in bits per second */
	bool driver_busy;
	uint64_t mapped_ahead; /* slots after the posted ones that are mapped already */
	bool leaks;	       /* a faulty driver that frees nothing at the end */
	bool failed;	       /* a call failed where none may: the card stands still */
	uint64_t begun_ns;
	uint64_t cpu_ns; /* that the driver worked */
	uint64_t packets;
	uint64_t bytes;
	uint64_t dropped;
	uint64_t faults;
	uint64_t *acks;	     /* the addresses of those under way, by number modulo the ring; owned */
	uint64_t acks_sent;  /* mapped and given to the device */
	uint64_t acks_read;  /* by the device */
	uint64_t acks_freed; /* unmapped */
	/* What a faulty driver shall do with the next packet. */
	enum scenario_fault misbehave;
};

static const struct scenario_nic *config_of(const struct nic *nic)
{
	return &nic->guest->world->scenario->nic;
}

static struct des *des_of(const struct nic *nic)
{
	return &nic->guest->world->des;
}

static uint64_t *slot_iovas(const struct nic *nic, uint64_t slot)
{
	const struct scenario_nic *config = config_of(nic);

	return &nic->iovas[slot % config->ring * config->buffers];
}

/* The time of a packet on the line; what is below a nanosecond is carried on. */
static uint64_t wire_time(struct nic *nic)
{
	const struct scenario_nic *config = config_of(nic);
	uint64_t bits = (config->packet_bytes + config->wire_bytes) * 8;
	unsigned __int128 numerator = (unsigned __int128)bits * 1000000000 + nic->wire_rest;

	nic->wire_rest = (uint64_t)(numerator % config->rate_bits);
	return (uint64_t)(numerator / config->rate_bits);
}

static bool is_mapping(const struct nic *nic)
{
	return config_of(nic)->mode != MODE_PASSTHROUGH;
}

/* ---- buffers ----------------------------------------------------------------- */

/* Any buffer of the driver's pool, which begins at 1 MiB, where layouts have plain memory. */
static uint64_t draw_memory(struct nic *nic)
{
	uint64_t piece = config_of(nic)->bytes_per_map, first = 1 << 20;

	first = (first + piece - 1) / piece;
	return (first + des_random_below(&nic->random, config_of(nic)->pool_bytes / piece)) * piece;
}

/* The mistake is made: the driver goes on as it should. */
static void note_planted(struct nic *nic, uint64_t now_ns, uint64_t iova)
{
	world_emit(nic->guest->world, now_ns, planted_fault, nic->guest->index, nic->misbehave,
		   iova);
	nic->leaks |= nic->misbehave == FAULT_LEAK;
	nic->misbehave = FAULT_NONE;
}

static uint64_t slot_map(struct nic *nic, uint64_t now_ns, uint64_t slot)
{
	const struct scenario_nic *config = config_of(nic);
	bool wrong = nic->misbehave == FAULT_READONLY;
	bool readonly = config->direction == DIRECTION_TX || wrong;
	uint64_t *iovas = slot_iovas(nic, slot);

	for (uint64_t i = 0; i < config->buffers; i++) {
		uint64_t memory = draw_memory(nic);

		if (!is_mapping(nic)) {
			iovas[i] = memory;
			continue;
		}
		now_ns = dma_map(&nic->pool, now_ns, memory, readonly, &iovas[i]);
		if (!iovas[i])
			nic->failed = true;
	}
	if (wrong)
		note_planted(nic, now_ns, iovas[0]);
	return now_ns;
}

static uint64_t slot_unmap(struct nic *nic, uint64_t now_ns, uint64_t slot)
{
	uint64_t *iovas = slot_iovas(nic, slot);

	for (uint64_t i = 0; is_mapping(nic) && i < config_of(nic)->buffers; i++)
		now_ns = dma_unmap(&nic->pool, now_ns, iovas[i]);
	return now_ns;
}

/* ---- the device ---------------------------------------------------------------- */

/* Reads or writes the packet; returns when the translations were there. */
static uint64_t device_access(struct nic *nic, uint64_t now_ns, uint64_t slot)
{
	const struct scenario_nic *config = config_of(nic);
	uint64_t left = config->packet_bytes, ready_ns = now_ns;
	const uint64_t *iovas = slot_iovas(nic, slot);
	bool write = config->direction == DIRECTION_RX;

	for (uint64_t i = 0; i < config->buffers && left; i++) {
		/* Spread over the buffers: a header in the first, and so on. */
		uint64_t share = left / (config->buffers - i);
		enum dma_result result;
		uint64_t done_ns;

		if (share > config->bytes_per_map || !share)
			share = left < config->bytes_per_map ? left : config->bytes_per_map;
		done_ns = dma_access(&nic->device, now_ns, iovas[i], share, write, &result);
		if (done_ns > ready_ns)
			ready_ns = done_ns;
		nic->faults += result == DMA_FAULT;
		left -= share;
	}
	return ready_ns;
}

static void driver_runs(void *opaque, uint64_t arg);

static void driver_wake(struct nic *nic)
{
	if (nic->driver_busy || nic->guest->paused || nic->failed)
		return;
	nic->driver_busy = true;
	des_after(des_of(nic), 0, driver_runs, nic, 0);
}

static void packet_done(void *opaque, uint64_t arg)
{
	struct nic *nic = opaque;

	nic->completed += arg;
	driver_wake(nic);
}

/* One packet comes in: into the oldest posted buffer, or nowhere. */
static void receive(struct nic *nic)
{
	struct des *des = des_of(nic);

	if (nic->taken == nic->posted) {
		nic->dropped++;
		return;
	}
	nic->guest->tid = guest_tid(nic->guest, NIC_THREAD);
	des_at(des, device_access(nic, des->now_ns, nic->taken++), DES_PRIORITY_NORMAL, packet_done,
	       nic, 1);
}

/* A burst of them: their DMA is asked for at once and done with the last. */
static void receive_burst(struct nic *nic)
{
	struct des *des = des_of(nic);
	uint64_t done_ns = des->now_ns, count = 0;

	nic->guest->tid = guest_tid(nic->guest, NIC_THREAD);
	for (; count < config_of(nic)->burst && nic->taken < nic->posted; count++) {
		uint64_t ready_ns = device_access(nic, des->now_ns, nic->taken++);

		done_ns = ready_ns > done_ns ? ready_ns : done_ns;
	}
	nic->dropped += config_of(nic)->burst - count;
	if (count)
		des_at(des, done_ns, DES_PRIORITY_NORMAL, packet_done, nic, count);
}

static void packet_arrives(void *opaque, uint64_t arg)
{
	struct nic *nic = opaque;
	const struct scenario_nic *config = config_of(nic);
	uint64_t gap_ns = 0;

	(void)arg;
	for (uint64_t i = 0; i < config->burst; i++)
		gap_ns += wire_time(nic);
	if (config->load_ppm < 1000000) {
		struct des_dist gap = {
			.kind = DES_DIST_EXPONENTIAL,
			.a = gap_ns * 1000000 / config->load_ppm,
		};

		gap_ns = des_dist_draw(&gap, &nic->random);
	}
	if (nic->failed)
		return;
	des_after(des_of(nic), gap_ns, packet_arrives, nic, 0);
	if (nic->guest->paused)
		return;
	if (config->burst == 1)
		receive(nic);
	else
		receive_burst(nic);
}

/* The line is given the next posted packet. */
static void transmit(struct nic *nic, uint64_t now_ns)
{
	uint64_t ready_ns = device_access(nic, now_ns, nic->taken++);

	des_at(des_of(nic), des_server_use(&nic->link, ready_ns, wire_time(nic)),
	       DES_PRIORITY_NORMAL, packet_done, nic, 1);
}

/* ---- the driver ------------------------------------------------------------------ */

static void driver_posted(void *opaque, uint64_t arg);

/* The card writes where it may not. */
static void stray_write(struct nic *nic, uint64_t now_ns, uint64_t iova)
{
	enum dma_result result;

	dma_access(&nic->device, now_ns, iova, 64, true, &result);
	nic->faults += result == DMA_FAULT;
}

static void late_write(void *opaque, uint64_t iova)
{
	struct nic *nic = opaque;

	if (nic->device.hwpt_id)
		stray_write(nic, des_of(nic)->now_ns, iova);
}

/* What a faulty driver does in place of a clean unmap; 0: nothing, go on as usual. */
static uint64_t misbehave_reclaim(struct nic *nic, uint64_t now_ns, uint64_t slot)
{
	uint64_t iova = slot_iovas(nic, slot)[0], piece = config_of(nic)->bytes_per_map;
	enum scenario_fault kind = nic->misbehave;
	uint64_t delay_ns = nic->guest->world->scenario->faults.delay_ns;
	struct guest *guest = nic->guest;

	if (kind == FAULT_NONE || kind == FAULT_READONLY)
		return 0;
	note_planted(nic, now_ns, iova);
	switch (kind) {
	case FAULT_LEAK:
		return now_ns + 1;
	case FAULT_DOUBLE_MAP:
		now_ns = call_map(guest, now_ns, nic->device.ioas_id, iova, piece, 0, false, NULL);
		return slot_unmap(nic, now_ns, slot);
	case FAULT_UNMAP_TWICE:
		now_ns = slot_unmap(nic, now_ns, slot);
		return call_unmap(guest, now_ns, nic->device.ioas_id, iova, piece, NULL);
	case FAULT_USE_AFTER_UNMAP:
		now_ns = slot_unmap(nic, now_ns, slot);
		if (delay_ns)
			des_at(des_of(nic), now_ns + delay_ns, DES_PRIORITY_NORMAL, late_write, nic,
			       iova);
		else
			stray_write(nic, now_ns, iova);
		return now_ns;
	case FAULT_OFF_BY_ONE:
		/* The page below: addresses are given from the top down. */
		stray_write(nic, now_ns, nic->pool.next_top - piece);
		return 0;
	default:
		return 0;
	}
}

/* ---- what a receiver sends --------------------------------------------------------- */

#define ACK_BYTES 66 /* Ethernet 14, IPv4 20, TCP with timestamps 32 */

static void ack_read(void *opaque, uint64_t arg)
{
	(void)arg;
	((struct nic *)opaque)->acks_read++;
}

/* Maps the acknowledgements that are due and has the device send them, while there is room. */
static uint64_t acks_send(struct nic *nic, uint64_t now_ns)
{
	const struct scenario_nic *config = config_of(nic);

	while (nic->acks && !nic->failed && nic->acks_sent < nic->packets / config->ack_every &&
	       nic->acks_sent - nic->acks_freed < config->ring) {
		enum dma_result result;
		uint64_t iova;

		now_ns = dma_map(&nic->pool, now_ns, draw_memory(nic), true, &iova);
		if (!iova) {
			nic->failed = true;
			break;
		}
		nic->acks[nic->acks_sent++ % config->ring] = iova;
		des_at(des_of(nic),
		       dma_access(&nic->device, now_ns, iova, ACK_BYTES, false, &result),
		       DES_PRIORITY_NORMAL, ack_read, nic, 0);
		nic->faults += result == DMA_FAULT;
	}
	return now_ns;
}

static uint64_t acks_reclaim(struct nic *nic, uint64_t now_ns, uint64_t until)
{
	for (; nic->acks_freed < until; nic->acks_freed++)
		now_ns = dma_unmap(&nic->pool, now_ns,
				   nic->acks[nic->acks_freed % config_of(nic)->ring]);
	return now_ns;
}

/* Takes a finished packet back; returns when the driver can go on. */
static uint64_t reclaim(struct nic *nic, uint64_t now_ns)
{
	const struct scenario_nic *config = config_of(nic);
	uint64_t slot = nic->reclaimed++;
	uint64_t done_ns = misbehave_reclaim(nic, now_ns, slot);

	if (!done_ns)
		done_ns = slot_unmap(nic, now_ns, slot);
	nic->packets++;
	nic->bytes += config->packet_bytes;
	return done_ns + config->stack_ns;
}

/*
 * Up to `budget` packets in one go (Linux's NAPI polls 64): each is taken back if it
 * is done, and one is posted while there is room.
 */
static void driver_runs(void *opaque, uint64_t arg)
{
	struct nic *nic = opaque;
	const struct scenario_nic *config = config_of(nic);
	struct des *des = des_of(nic);
	uint64_t now_ns = des->now_ns;

	(void)arg;
	nic->driver_busy = false;
	if (nic->guest->paused || nic->failed)
		return;
	nic->guest->tid = guest_tid(nic->guest, NIC_THREAD);
	now_ns = acks_reclaim(nic, now_ns, nic->acks_read);
	for (uint64_t done = 0; done < config->budget && !nic->failed; done++) {
		uint64_t before_ns = now_ns;

		if (nic->reclaimed < nic->completed)
			now_ns = reclaim(nic, now_ns);
		if (nic->posted + nic->mapped_ahead - nic->reclaimed < config->ring)
			now_ns = slot_map(nic, now_ns, nic->posted + nic->mapped_ahead++);
		if (now_ns == before_ns)
			break;
	}
	/* Behind the packets and the buffers for the next ones, as at the end of NAPI's poll. */
	now_ns = acks_send(nic, now_ns);
	if (now_ns == des->now_ns)
		return;
	nic->driver_busy = true;
	nic->cpu_ns += now_ns - des->now_ns;
	des_at(des, now_ns, DES_PRIORITY_NORMAL, driver_posted, nic, 0);
}

/* The driver's work ends: what it mapped is the device's now. */
static void driver_posted(void *opaque, uint64_t arg)
{
	struct nic *nic = opaque;
	const struct scenario_nic *config = config_of(nic);

	(void)arg;
	nic->driver_busy = false;
	if (nic->failed)
		return;
	for (; nic->mapped_ahead; nic->mapped_ahead--) {
		nic->posted++;
		if (config->direction == DIRECTION_TX)
			transmit(nic, des_of(nic)->now_ns);
	}
	if (nic->reclaimed < nic->completed ||
	    (config->direction == DIRECTION_TX && nic->posted - nic->reclaimed < config->ring))
		driver_wake(nic);
}

void nic_misbehave(struct guest *guest, enum scenario_fault kind)
{
	if (guest->nic)
		guest->nic->misbehave = kind;
}

/* ---- its life -------------------------------------------------------------------- */

/* Receiving: the ring is filled before the first packet comes. */
static void nic_ready(void *opaque, uint64_t arg)
{
	struct nic *nic = opaque;

	(void)arg;
	nic->begun_ns = des_of(nic)->now_ns;
	if (config_of(nic)->direction == DIRECTION_RX)
		packet_arrives(nic, 0);
	else
		driver_wake(nic);
}

static void nic_starts(void *opaque, uint64_t arg)
{
	struct nic *nic = opaque;
	const struct scenario_nic *config = config_of(nic);
	struct guest *guest = nic->guest;
	uint64_t now_ns = des_of(nic)->now_ns;
	int ret;

	(void)arg;
	guest->tid = guest_tid(guest, NIC_THREAD);
	now_ns = guest_device_make(guest, &nic->device, (enum scenario_mode)config->mode, now_ns,
				   &ret);
	nic->failed = ret != 0;
	if (!ret && is_mapping(nic) &&
	    dma_pool_init(&nic->pool, &nic->device, (enum scenario_mode)config->mode,
			  config->bytes_per_map))
		nic->failed = true;
	if (nic->failed)
		return;
	for (; config->direction == DIRECTION_RX && nic->posted < config->ring; nic->posted++)
		now_ns = slot_map(nic, now_ns, nic->posted);
	des_at(des_of(nic), now_ns, DES_PRIORITY_NORMAL, nic_ready, nic, 0);
}

static void begin(struct guest *guest)
{
	const struct scenario_nic *config = &guest->world->scenario->nic;
	struct nic *nic;

	if (!actor_has_guest(guest, config->first_guest, config->guests))
		return;
	nic = calloc(1, sizeof(*nic));
	if (!nic)
		return;
	nic->guest = guest;
	nic->iovas = calloc(config->ring * config->buffers, sizeof(*nic->iovas));
	if (config->ack_every && config->direction == DIRECTION_RX &&
	    config->mode != MODE_PASSTHROUGH)
		nic->acks = calloc(config->ring, sizeof(*nic->acks));
	nic->failed = !nic->iovas;
	des_random_init(&nic->random, guest->world->options.seed, "nic", guest->index);
	guest->nic = nic;
	des_after(des_of(nic), config->start_ns, nic_starts, nic, 0);
}

static uint64_t end(struct guest *guest, uint64_t now_ns)
{
	struct nic *nic = guest->nic;

	if (!nic || !nic->device.bound)
		return now_ns;
	guest->tid = guest_tid(guest, NIC_THREAD);
	nic->posted += nic->mapped_ahead;
	for (; nic->reclaimed < nic->posted; nic->reclaimed++)
		now_ns = slot_unmap(nic, now_ns, nic->reclaimed);
	now_ns = acks_reclaim(nic, now_ns, nic->acks_sent);
	if (is_mapping(nic))
		now_ns = dma_flush(&nic->pool, now_ns);
	/* What leaks stays in its address space, which stays too. */
	return guest_device_end(
		&nic->device,
		nic->leaks ? MODE_PASSTHROUGH : (enum scenario_mode)config_of(nic)->mode, now_ns);
}

static void report(struct world *world, struct report *out)
{
	uint64_t packets = 0, bytes = 0, dropped = 0, faults = 0, cpu_ns = 0, ns = 0, failed = 0;
	const struct scenario_nic *config = &world->scenario->nic;
	uint64_t wire, bits;

	for (uint64_t i = 0; i < world->scenario->guest.count; i++) {
		const struct nic *nic = world->guests[i].nic;

		if (!nic)
			continue;
		packets += nic->packets;
		bytes += nic->bytes;
		dropped += nic->dropped;
		faults += nic->faults;
		cpu_ns += nic->cpu_ns;
		failed += nic->failed;
		if (nic->begun_ns)
			ns += world->des.now_ns - nic->begun_ns;
	}
	/* Per card and second, as it is on the wire. */
	wire = packets * (config->packet_bytes + config->wire_bytes);
	bits = ns ? (uint64_t)((unsigned __int128)wire * 8 * 1000000000 / ns) : 0;
	report_add(out, "nic", "packets", "packets", REPORT_COUNT, packets);
	report_add(out, "nic", "bytes", "bytes", REPORT_BYTES, bytes);
	report_add(out, "nic", "dropped", "dropped, no buffer was posted", REPORT_COUNT, dropped);
	report_add(out, "nic", "rate_bits", "rate on the wire, of a card", REPORT_BITS_PER_S, bits);
	report_add(out, "nic", "line_share_ppm", "of the line rate", REPORT_PPM,
		   report_ppm(bits, config->rate_bits));
	/* What was begun in time is charged whole, also what it takes beyond the end. */
	report_add(out, "nic", "cpu_ppm", "its CPU is busy", REPORT_PPM,
		   report_ppm(cpu_ns < ns ? cpu_ns : ns, ns));
	report_add(out, "nic", "cpu_per_packet_ns", "CPU time of a packet", REPORT_NS,
		   packets ? cpu_ns / packets : 0);
	report_add(out, "nic", "faults", "accesses refused", REPORT_COUNT, faults);
	report_add(out, "nic", "failed", "cards that a failed call stopped", REPORT_COUNT, failed);
}

static size_t levels(const struct guest *guest, struct actor_level *out)
{
	const struct nic *nic = guest->nic;

	if (!nic)
		return 0;
	out[0] = (struct actor_level){ "buffers posted to the card", nic->posted - nic->taken };
	out[1] = (struct actor_level){ "packets for the driver", nic->completed - nic->reclaimed };
	out[2] = (struct actor_level){ "unmaps in the flush queue", nic->pool.queue_count };
	return 3;
}

static void destroy(struct world *world)
{
	for (uint64_t i = 0; world->guests && i < world->scenario->guest.count; i++) {
		struct nic *nic = world->guests[i].nic;

		if (!nic)
			continue;
		dma_pool_fini(&nic->pool);
		free(nic->iovas);
		free(nic->acks);
		free(nic);
		world->guests[i].nic = NULL;
	}
}

const struct sim_device *nic_device(const struct guest *guest)
{
	return guest->nic ? &guest->nic->device : NULL;
}

static void nic_estimate(const struct scenario *s, struct actor_estimate *estimate)
{
	uint64_t bits = (s->nic.packet_bytes + s->nic.wire_bytes) * 8;
	uint64_t packet_ns = (uint64_t)((unsigned __int128)bits * 1000000000 / s->nic.rate_bits);
	uint64_t packets = actor_times(s, s->nic.start_ns, packet_ns);
	bool maps = s->nic.mode != MODE_PASSTHROUGH;

	estimate->host_ns = packets * (maps ? 900 * s->nic.buffers : 300);
	estimate->mappings = maps ? s->nic.ring * s->nic.buffers : 0;
	estimate->guests = actor_guests(s, s->nic.first_guest, s->nic.guests);
}

const struct actor_kind actor_nic = {
	.section = SECTION_NIC,
	.did = "packets",
	.estimate = nic_estimate,
	.begin = begin,
	.end = end,
	.report = report,
	.levels = levels,
	.destroy = destroy,
};
