/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/ctf/plan.h"

#include <errno.h>
#include <string.h>

#define SCOPE_MAX 256u
#define FIXED_MAX 0xffffu

enum step_code {
	STEP_INTEGER,
	STEP_SKIP,   /* arg bits */
	STEP_STRING, /* up to a zero byte */
	STEP_BYTES,  /* a text of arg bytes, or as many as tag says */
	STEP_REPEAT, /* sub, arg times or as often as tag says */
	STEP_CHOOSE, /* the case of tag */
};

enum step_flag {
	STEP_SIGNED = 1,
	STEP_BIG = 2,
	STEP_CLOCK = 4,
	STEP_KEEP = 8,	   /* its value is tag */
	STEP_FROM_TAG = 16, /* the count is tag's value */
};

struct step_case {
	uint64_t first, last;
	struct ctf_plan *plan;
};

struct step {
	uint8_t code;
	uint8_t bits;
	uint8_t flags;
	uint8_t role;
	uint32_t align; /* bits */
	int32_t dest;	/* -1: nobody wants it */
	uint32_t tag;
	uint64_t arg;
	struct ctf_plan *sub;
	struct step_case *cases;
	size_t cases_count;
};

/* A wanted value at a fixed byte. */
struct load {
	uint16_t at, dest;
	uint8_t bits;
	uint8_t flags;
	bool is_text; /* arg bytes of text */
	uint32_t bytes;
};

/*
 * An event's header as LTTng writes it: an id whose values [0, last_id] are followed by a short
 * time; the rest (a long id and time) goes by steps. All in one load of 64 bits.
 */
struct quick_header {
	uint8_t id_bits; /* 0: the header is another */
	uint8_t time_bits;
	uint64_t last_id;
};

struct ctf_plan {
	struct step *steps;
	size_t count, room;
	uint32_t roles;
	uint32_t tags;
	/* When every step is at a fixed byte: only the loads, and how many bits there are. */
	bool is_fixed;
	uint64_t fixed_bits;
	struct load *loads;
	size_t loads_count;
	struct quick_header quick;
};

/* ---- compiling ------------------------------------------------------------------ */

/* An integer that a later field may refer to. */
struct visible {
	const char *name;
	const struct ctf_type *type;
	struct ctf_plan *plan;
	size_t step;
};

struct compiler {
	struct ctf_metadata *metadata;
	struct ctf_plan *root; /* counts the tags */
	ctf_bind bind;
	void *opaque;
	struct visible visible[SCOPE_MAX];
	size_t visible_count;
};

static int compile(struct compiler *c, struct ctf_plan *plan, const struct ctf_type *type,
		   int32_t dest);

struct ctf_plan *ctf_plan_create(struct ctf_metadata *metadata)
{
	return ctf_alloc(metadata, sizeof(struct ctf_plan));
}

uint32_t ctf_plan_roles(const struct ctf_plan *plan)
{
	return plan->roles;
}

/* NULL: out of memory. The address holds until the next one. */
static struct step *add_step(struct compiler *c, struct ctf_plan *plan, enum step_code code)
{
	struct step *step;

	if (plan->count == plan->room) {
		size_t room = plan->room ? 2 * plan->room : 16;
		struct step *steps = ctf_alloc(c->metadata, room * sizeof(*steps));

		if (!steps)
			return NULL;
		if (plan->count)
			memcpy(steps, plan->steps, plan->count * sizeof(*steps));
		plan->steps = steps;
		plan->room = room;
	}
	step = &plan->steps[plan->count++];
	memset(step, 0, sizeof(*step));
	step->code = (uint8_t)code;
	step->dest = -1;
	step->align = 1;
	return step;
}

static bool is_big(const struct compiler *c, const struct ctf_type *type)
{
	return (type->order == CTF_NATIVE ? c->metadata->order : type->order) == CTF_BIG;
}

/* Remembers a field's value under a number that the step of reference can use. */
static int keep_tag(struct compiler *c, const char *reference, uint32_t *tag,
		    const struct ctf_type **type)
{
	for (size_t i = c->visible_count; i-- > 0;) {
		const struct visible *visible = &c->visible[i];
		struct step *step = &visible->plan->steps[visible->step];

		if (strcmp(visible->name, reference))
			continue;
		if (!(step->flags & STEP_KEEP)) {
			if (c->root->tags == CTF_TAGS_MAX)
				return -ENOTSUP;
			step->flags |= STEP_KEEP;
			step->tag = c->root->tags++;
		}
		*tag = step->tag;
		*type = visible->type;
		return 0;
	}
	return -ENOTSUP;
}

static int compile_integer(struct compiler *c, struct ctf_plan *plan,
			   const struct ctf_type *type, int32_t dest)
{
	struct step *step = add_step(c, plan, STEP_INTEGER);

	if (!step)
		return -ENOMEM;
	step->bits = (uint8_t)type->bits;
	step->align = type->align;
	step->role = (uint8_t)type->role;
	step->dest = dest;
	step->flags = (uint8_t)((type->is_signed ? STEP_SIGNED : 0) |
				(is_big(c, type) ? STEP_BIG : 0) |
				(type->is_clock ? STEP_CLOCK : 0));
	c->root->roles |= 1u << type->role;
	return 0;
}

/* Only the place of what comes next: the beginning of a structure or array. */
static int compile_align(struct compiler *c, struct ctf_plan *plan, uint32_t align)
{
	struct step *step;

	if (align <= 1)
		return 0;
	step = add_step(c, plan, STEP_SKIP);
	if (!step)
		return -ENOMEM;
	step->align = align;
	return 0;
}

static bool is_byte(const struct ctf_type *type)
{
	return type->kind == CTF_INTEGER && type->bits == 8 && type->align == 8;
}

static int compile_array(struct compiler *c, struct ctf_plan *plan, const struct ctf_type *type,
			 int32_t dest)
{
	const struct ctf_type *element = type->element, *length;
	struct ctf_plan *sub = NULL;
	struct step *step;
	uint32_t tag = 0;
	int ret = compile_align(c, plan, type->align);

	if (!ret && type->kind == CTF_SEQUENCE)
		ret = keep_tag(c, type->reference, &tag, &length);
	if (ret)
		return ret;
	if (!is_byte(element)) {
		sub = ctf_plan_create(c->metadata);
		ret = sub ? compile(c, sub, element, -1) : -ENOMEM;
		if (ret)
			return ret;
	}
	step = add_step(c, plan, sub ? STEP_REPEAT : STEP_BYTES);
	if (!step)
		return -ENOMEM;
	step->sub = sub;
	step->dest = sub ? -1 : dest;
	step->arg = type->length;
	step->tag = tag;
	step->flags = type->kind == CTF_SEQUENCE ? STEP_FROM_TAG : 0;
	return 0;
}

/* Whether a member is a text that can be bound. */
static bool is_text(const struct ctf_type *type)
{
	return type->kind == CTF_STRING ||
	       ((type->kind == CTF_ARRAY || type->kind == CTF_SEQUENCE) &&
		is_byte(type->element));
}

/* Where the member goes: only those of the outermost structures are asked for. */
static int32_t bind_field(const struct compiler *c, const struct ctf_field *field)
{
	const char *name = field->name;

	if (c->metadata->version == 1 && name[0] == '_') /* CTF 1.8 puts it before names */
		name++;
	if (!c->bind || !field->type || (field->type->kind != CTF_INTEGER && !is_text(field->type)))
		return -1;
	return c->bind(c->opaque, name, is_text(field->type), field->type->is_signed);
}

static int compile_struct(struct compiler *c, struct ctf_plan *plan, const struct ctf_type *type,
			  bool is_outermost)
{
	int ret = compile_align(c, plan, type->align);

	for (size_t i = 0; !ret && i < type->fields_count; i++) {
		const struct ctf_field *field = &type->fields[i];
		int32_t dest = is_outermost ? bind_field(c, field) : -1;
		size_t step = plan->count;

		ret = compile(c, plan, field->type, dest);
		if (ret || field->type->kind != CTF_INTEGER)
			continue;
		if (c->visible_count == SCOPE_MAX)
			return -ENOTSUP;
		c->visible[c->visible_count++] =
			(struct visible){ field->name, field->type, plan, step };
	}
	return ret;
}

/* The tag's values that choose the option: its own, or those that have its name. */
static int add_cases(struct compiler *c, struct step *step, const struct ctf_field *option,
		     const struct ctf_type *tag, struct ctf_plan *plan)
{
	const struct ctf_label *labels = option->labels ? option->labels : tag->labels;
	size_t count = option->labels ? option->labels_count : tag->labels_count;
	struct step_case *cases =
		ctf_alloc(c->metadata, (step->cases_count + count + 1) * sizeof(*cases));

	if (!cases)
		return -ENOMEM;
	if (step->cases_count)
		memcpy(cases, step->cases, step->cases_count * sizeof(*cases));
	step->cases = cases;
	for (size_t i = 0; i < count; i++) {
		if (!option->labels && strcmp(labels[i].name, option->name))
			continue;
		cases[step->cases_count++] =
			(struct step_case){ labels[i].first, labels[i].last, plan };
	}
	return 0;
}

static int compile_variant(struct compiler *c, struct ctf_plan *plan, const struct ctf_type *type)
{
	const struct ctf_type *tag_type;
	size_t at = plan->count;
	uint32_t tag;
	int ret;

	if (!type->reference)
		return -ENOTSUP;
	ret = keep_tag(c, type->reference, &tag, &tag_type);
	if (!ret && !add_step(c, plan, STEP_CHOOSE))
		ret = -ENOMEM;
	if (ret)
		return ret;
	plan->steps[at].tag = tag;
	plan->steps[at].flags = tag_type->is_signed ? STEP_SIGNED : 0;
	for (size_t i = 0; !ret && i < type->fields_count; i++) {
		struct ctf_plan *sub = ctf_plan_create(c->metadata);
		size_t visible = c->visible_count;

		ret = sub ? compile(c, sub, type->fields[i].type, -1) : -ENOMEM;
		c->visible_count = visible; /* an option's members are its own */
		if (!ret)
			ret = add_cases(c, &plan->steps[at], &type->fields[i], tag_type, sub);
	}
	return ret;
}

static int compile(struct compiler *c, struct ctf_plan *plan, const struct ctf_type *type,
		   int32_t dest)
{
	struct step *step;

	if (!type)
		return -ENOTSUP;
	if (!type->align || type->align & (type->align - 1))
		return -ENOTSUP;
	switch (type->kind) {
	case CTF_INTEGER:
		return compile_integer(c, plan, type, dest);
	case CTF_ARRAY:
	case CTF_SEQUENCE:
		return compile_array(c, plan, type, dest);
	case CTF_STRUCT:
		return compile_struct(c, plan, type, false);
	case CTF_VARIANT:
		return compile_variant(c, plan, type);
	case CTF_FIXED:
	case CTF_STRING:
		break;
	}
	step = add_step(c, plan, type->kind == CTF_FIXED ? STEP_SKIP : STEP_STRING);
	if (!step)
		return -ENOMEM;
	step->align = type->align;
	step->arg = type->bits;
	step->dest = dest;
	return 0;
}

int ctf_plan_add(struct ctf_metadata *metadata, struct ctf_plan *plan,
		 const struct ctf_type *type, ctf_bind bind, void *opaque)
{
	struct compiler c = { .metadata = metadata, .root = plan, .bind = bind, .opaque = opaque };

	if (!type)
		return 0;
	if (type->kind != CTF_STRUCT || !type->align || type->align & (type->align - 1))
		return -ENOTSUP;
	return compile_struct(&c, plan, type, true);
}

static bool is_little(const struct step *step)
{
	return step->code == STEP_INTEGER && !(step->flags & (STEP_BIG | STEP_SIGNED));
}

/* The first step behind those that only align to bytes at most; NULL: none. */
static const struct step *behind_alignment(const struct ctf_plan *plan, size_t *left)
{
	size_t i = 0;

	while (i < plan->count && plan->steps[i].code == STEP_SKIP && !plan->steps[i].arg &&
	       plan->steps[i].align <= 8)
		i++;
	*left = plan->count - i;
	return *left ? &plan->steps[i] : NULL;
}

void ctf_plan_find_header(struct ctf_plan *plan)
{
	size_t left, sub_left;
	const struct step *id = behind_alignment(plan, &left), *choose = id ? id + 1 : NULL;

	if (!id || left != 2 || !is_little(id) || id->role != CTF_ROLE_EVENT_ID ||
	    id->bits > 16 || id->align > 8 || choose->code != STEP_CHOOSE ||
	    choose->tag != id->tag)
		return;
	for (size_t i = 0; i < choose->cases_count; i++) {
		const struct step *time = behind_alignment(choose->cases[i].plan, &sub_left);

		if (choose->cases[i].first || !time || sub_left != 1 || !is_little(time) ||
		    !(time->flags & STEP_CLOCK) || time->bits > 32 || id->bits % time->align)
			continue;
		plan->quick.last_id = choose->cases[i].last;
		plan->quick.time_bits = time->bits;
		plan->quick.id_bits = id->bits;
		return;
	}
}

/* Whether every step is whole bytes at a byte; the loads of what is wanted. */
int ctf_plan_finish(struct ctf_metadata *metadata, struct ctf_plan *plan)
{
	uint64_t bits = 0;

	plan->loads = ctf_alloc(metadata, (plan->count + 1) * sizeof(*plan->loads));
	if (!plan->loads)
		return -ENOMEM;
	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->steps[i];
		bool is_integer = step->code == STEP_INTEGER, is_bytes = step->code == STEP_BYTES;
		uint64_t size = is_integer ? step->bits : is_bytes ? 8 * step->arg : step->arg;

		if ((!is_integer && !is_bytes && step->code != STEP_SKIP) || step->align > 8 ||
		    size % 8 || step->role || step->arg > FIXED_MAX ||
		    step->flags & (STEP_CLOCK | STEP_KEEP | STEP_FROM_TAG) ||
		    (bits + size) / 8 > FIXED_MAX)
			return 0;
		if (step->dest > (int32_t)FIXED_MAX)
			return 0;
		if (is_integer && step->dest >= 0 && step->bits != 8 && step->bits != 16 &&
		    step->bits != 32 && step->bits != 64)
			return 0;
		if (step->dest >= 0)
			plan->loads[plan->loads_count++] = (struct load){
				(uint16_t)(bits / 8), (uint16_t)step->dest, step->bits,
				step->flags & (STEP_SIGNED | STEP_BIG), is_bytes,
				(uint32_t)step->arg,
			};
		bits += size;
	}
	plan->fixed_bits = bits;
	plan->is_fixed = true;
	return 0;
}

/* ---- running -------------------------------------------------------------------- */

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
	const struct load *end = plan->loads + plan->loads_count;
	const uint8_t *memory;

	if (plan->quick.id_bits && run_header(plan, cursor))
		return CTF_READ;
	if (!plan->is_fixed || cursor->at % 8)
		return run_steps(plan, cursor, out);
	if (cursor->limit - cursor->at < plan->fixed_bits)
		return CTF_SHORT;
	memory = memory_at(cursor, cursor->at);
	for (const struct load *load = plan->loads; load < end; load++) {
		if (load->is_text)
			put_text(out, load->dest, memory + load->at,
				 strnlen((const char *)memory + load->at, load->bytes));
		else
			put(out, load->dest, load_bytes(memory + load->at, load->bits, load->flags));
	}
	cursor->at += plan->fixed_bits;
	return CTF_READ;
}
