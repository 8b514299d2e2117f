/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/ctf/plan.h"

#include <errno.h>
#include <string.h>

#include "analysis/ctf/plan_steps.h"

#define SCOPE_MAX 256u
#define FIXED_MAX 0xffffu

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

/* Whether the load is an unsigned word of the machine's own byte order. */
static bool is_word(const struct load *load, unsigned int bits)
{
	bool is_big = load->flags & STEP_BIG;

	return !load->is_text && load->bits == bits && (bits == 64 || !(load->flags & STEP_SIGNED)) &&
	       is_big == (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

/* Brings the loads of words to the front, so that each kind is read without a choice. */
static size_t gather_words(struct ctf_plan *plan, size_t from, unsigned int bits)
{
	for (size_t i = from; i < plan->loads_count; i++) {
		struct load load = plan->loads[i];

		if (is_word(&load, bits)) {
			plan->loads[i] = plan->loads[from];
			plan->loads[from++] = load;
		}
	}
	return from;
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
	plan->words64 = gather_words(plan, 0, 64);
	plan->words32 = gather_words(plan, plan->words64, 32) - plan->words64;
	plan->fixed_bits = bits;
	plan->is_fixed = true;
	return 0;
}
