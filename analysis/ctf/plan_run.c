/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running a plan: for each event, so without a look at names or types. */
#include <string.h>

#include "analysis/ctf/plan_steps.h"

static inline uint64_t sign_extend(uint64_t value, unsigned int bits)
{
	return (uint64_t)((int64_t)(value << (64 - bits)) >> (64 - bits));
}

/* The integer of 1 to 64 bits at bit `at` of the memory. */
static uint64_t load_bits(const uint8_t *memory, uint64_t at, unsigned int bits, bool big)
{
	uint64_t value = 0;
	unsigned int done = 0;

	memory += at / 8;
	at %= 8;
	while (done < bits) {
		unsigned int part = 8 - (unsigned int)at, have = bits - done;
		uint64_t byte = *memory++;

		if (part > have)
			part = have;
		if (big) { /* bits are numbered from the highest */
			byte = (byte >> (8 - at - part)) & ((1u << part) - 1);
			value = value << part | byte;
		} else {
			byte = (byte >> at) & ((1u << part) - 1);
			value |= byte << done;
		}
		done += part;
		at = 0;
	}
	return value;
}

static inline uint64_t load_bytes(const uint8_t *memory, unsigned int bits, unsigned int flags)
{
	bool swap = ((flags & STEP_BIG) != 0) != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	uint64_t v64;
	uint32_t v32;
	uint16_t v16;

	switch (bits) {
	case 8:
		return flags & STEP_SIGNED ? (uint64_t)(int8_t)*memory : *memory;
	case 16:
		memcpy(&v16, memory, sizeof(v16));
		v16 = swap ? __builtin_bswap16(v16) : v16;
		return flags & STEP_SIGNED ? (uint64_t)(int16_t)v16 : v16;
	case 32:
		memcpy(&v32, memory, sizeof(v32));
		v32 = swap ? __builtin_bswap32(v32) : v32;
		return flags & STEP_SIGNED ? (uint64_t)(int32_t)v32 : v32;
	default:
		memcpy(&v64, memory, sizeof(v64));
		return swap ? __builtin_bswap64(v64) : v64;
	}
}

/* A time of fewer than 64 bits is the next one with these low bits. */
static inline void set_clock(struct ctf_cursor *cursor, uint64_t value, unsigned int bits)
{
	uint64_t mask = bits < 64 ? (1ull << bits) - 1 : UINT64_MAX;

	if (bits < 64 && value < (cursor->clock & mask))
		cursor->clock += mask + 1;
	cursor->clock = (cursor->clock & ~mask) | value;
}

static inline void put(void *out, int32_t dest, uint64_t value)
{
	memcpy((char *)out + dest, &value, sizeof(value));
}

static inline void put_text(void *out, int32_t dest, const uint8_t *text, size_t bytes)
{
	struct ctf_string string = { (const char *)text, bytes };

	memcpy((char *)out + dest, &string, sizeof(string));
}

static inline const uint8_t *memory_at(const struct ctf_cursor *cursor, uint64_t at)
{
	return cursor->window + (at - cursor->first) / 8;
}

static enum ctf_step_result read_integer(const struct step *step, struct ctf_cursor *cursor,
					 void *out)
{
	uint64_t at = cursor->at, value;
	unsigned int bits = step->bits;

	if (cursor->limit - at < bits)
		return CTF_SHORT;
	if (at % 8 == 0 && (bits == 32 || bits == 64 || bits == 16 || bits == 8)) {
		value = load_bytes(memory_at(cursor, at), bits, step->flags);
	} else {
		value = load_bits(cursor->window, at - cursor->first, bits,
				  step->flags & STEP_BIG);
		if (step->flags & STEP_SIGNED)
			value = sign_extend(value, bits);
	}
	cursor->at = at + bits;
	cursor->role[step->role] = value;
	if (step->flags & STEP_CLOCK)
		set_clock(cursor, value, bits);
	if (step->flags & STEP_KEEP)
		cursor->tags[step->tag] = value;
	if (step->dest >= 0)
		put(out, step->dest, value);
	return CTF_READ;
}

static enum ctf_step_result read_string(const struct step *step, struct ctf_cursor *cursor,
					void *out)
{
	const uint8_t *text = memory_at(cursor, cursor->at);
	const uint8_t *end = memchr(text, 0, (cursor->limit - cursor->at) / 8);

	if (!end)
		return CTF_SHORT;
	if (step->dest >= 0)
		put_text(out, step->dest, text, (size_t)(end - text));
	cursor->at += 8 * (uint64_t)(end - text + 1);
	return CTF_READ;
}

static enum ctf_step_result read_bytes(const struct step *step, struct ctf_cursor *cursor,
				       void *out)
{
	uint64_t bytes = step->flags & STEP_FROM_TAG ? cursor->tags[step->tag] : step->arg;
	const uint8_t *text = memory_at(cursor, cursor->at);

	if ((cursor->limit - cursor->at) / 8 < bytes)
		return CTF_SHORT;
	cursor->at += 8 * bytes;
	if (step->dest >= 0)
		put_text(out, step->dest, text, strnlen((const char *)text, bytes));
	return CTF_READ;
}

static enum ctf_step_result read_repeat(const struct step *step, struct ctf_cursor *cursor,
					void *out)
{
	uint64_t count = step->flags & STEP_FROM_TAG ? cursor->tags[step->tag] : step->arg;
	enum ctf_step_result result = CTF_READ;

	for (uint64_t i = 0; i < count && result == CTF_READ; i++) {
		uint64_t before = cursor->at;

		result = ctf_plan_run(step->sub, cursor, out);
		if (cursor->at == before)
			break; /* elements of nothing, however many */
	}
	return result;
}

static enum ctf_step_result read_choice(const struct step *step, struct ctf_cursor *cursor,
					void *out)
{
	uint64_t tag = cursor->tags[step->tag];
	/* Moves signed values so that their order is that of unsigned ones. */
	uint64_t bias = step->flags & STEP_SIGNED ? 1ull << 63 : 0;

	for (size_t i = 0; i < step->cases_count; i++) {
		const struct step_case *one = &step->cases[i];

		if (tag + bias >= one->first + bias && tag + bias <= one->last + bias)
			return ctf_plan_run(one->plan, cursor, out);
	}
	return CTF_BAD;
}

static enum ctf_step_result run_steps(const struct ctf_plan *plan, struct ctf_cursor *cursor,
				      void *out)
{
	enum ctf_step_result result = CTF_READ;
	const struct step *end = plan->steps + plan->count;

	for (const struct step *step = plan->steps; step < end && result == CTF_READ; step++) {
		uint64_t align = step->align;

		cursor->at = (cursor->at + align - 1) & ~(align - 1);
		if (cursor->at > cursor->limit)
			return CTF_SHORT;
		switch ((enum step_code)step->code) {
		case STEP_INTEGER:
			result = read_integer(step, cursor, out);
			break;
		case STEP_SKIP:
			if (cursor->limit - cursor->at < step->arg)
				return CTF_SHORT;
			cursor->at += step->arg;
			break;
		case STEP_STRING:
			result = read_string(step, cursor, out);
			break;
		case STEP_BYTES:
			result = read_bytes(step, cursor, out);
			break;
		case STEP_REPEAT:
			result = read_repeat(step, cursor, out);
			break;
		case STEP_CHOOSE:
			result = read_choice(step, cursor, out);
			break;
		}
	}
	return result;
}

/* False: nothing was read, since the id is followed by something else, or too little is left. */
static inline bool run_header(const struct ctf_plan *plan, struct ctf_cursor *cursor)
{
	const struct quick_header *quick = &plan->quick;
	uint64_t value, id;

	if (cursor->at % 8 || cursor->limit - cursor->at < 64)
		return false;
	value = load_bytes(memory_at(cursor, cursor->at), 64, 0);
	id = value & ((1ull << quick->id_bits) - 1);
	if (id > quick->last_id)
		return false;
	cursor->role[CTF_ROLE_EVENT_ID] = id;
	set_clock(cursor, value >> quick->id_bits & ((1ull << quick->time_bits) - 1),
		  quick->time_bits);
	cursor->at += quick->id_bits + quick->time_bits;
	return true;
}

enum ctf_step_result ctf_plan_run(const struct ctf_plan *plan, struct ctf_cursor *cursor,
				  void *out)
{
	const struct load *load = plan->loads, *end = load + plan->loads_count;
	const uint8_t *memory;

	if (plan->quick.id_bits && run_header(plan, cursor))
		return CTF_READ;
	if (!plan->is_fixed || cursor->at % 8)
		return run_steps(plan, cursor, out);
	if (cursor->limit - cursor->at < plan->fixed_bits)
		return CTF_SHORT;
	memory = memory_at(cursor, cursor->at);
	for (const struct load *words = load + plan->words64; load < words; load++)
		memcpy((char *)out + load->dest, memory + load->at, 8);
	for (const struct load *words = load + plan->words32; load < words; load++) {
		uint32_t word;

		memcpy(&word, memory + load->at, sizeof(word));
		put(out, load->dest, word);
	}
	for (; load < end; load++) {
		if (load->is_text)
			put_text(out, load->dest, memory + load->at,
				 strnlen((const char *)memory + load->at, load->bytes));
		else
			put(out, load->dest, load_bytes(memory + load->at, load->bits, load->flags));
	}
	cursor->at += plan->fixed_bits;
	return CTF_READ;
}
