/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of calls where no commits tell it (a real /dev/iommu).
 *
 * A call took effect at some time between its begin and its end. Calls on one
 * object that overlap in time and in addresses are held until none of them is
 * under way; then an order is looked for that explains every answer, by trying
 * those that the begins and ends allow. A call that overlaps no other takes effect at
 * once: the usual case costs one look at two lists.
 */
#include "analysis/linearize/linearize.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/state/state_internal.h"

#define HELD_MAX 64u	  /* held of one object, then it is decided with what is there */
#define TRY_OPS_MAX 10u	  /* all orders are tried of so many */
#define TRY_AREAS_MAX 64u /* mappings that they touch */
#define TRY_STEPS_MAX 20000u

static bool op_allocates(const struct state_op *op)
{
	return event_op_makes(op->op) != TRACE_OBJ_NONE;
}

static bool op_maps(const struct state_op *op)
{
	return op->op == OP_MAP_DMA || op->op == OP_MAP_FILE_DMA;
}

/* Calls that touch one object: maps and unmaps collide where addresses do, all else always. */
static bool collide(const struct state_op *a, const struct state_op *b)
{
	bool a_range = op_maps(a) || a->op == OP_UNMAP_DMA;
	bool b_range = op_maps(b) || b->op == OP_UNMAP_DMA;

	if (!a_range || !b_range)
		return true;
	return a->iova <= b->last && b->iova <= a->last;
}

static bool collides_with_list(const struct state_op *op, const struct state_op *list)
{
	for (; list; list = list->next) {
		if (list != op && collide(op, list))
			return true;
	}
	return false;
}

/* ---- effect --------------------------------------------------------------------- */

/* The object that op names; made when the trace never showed how it came to be. */
static struct state_object *object_named(struct state *state, const struct state_op *op)
{
	struct state_object *object = state_object_find(state, op->context, op->id);
	struct state_object like = {
		.type = TRACE_OBJ_IOAS,
		.born_ns = op->begin_ns,
	};

	return object ? object : state_object_begin(state, op->context, op->id, &like);
}

static void apply_alloc(struct state *state, const struct state_op *op)
{
	struct state_object *object = state_object_find(state, op->context, op->new_id);
	struct state_object like = {
		.type = event_op_makes(op->op),
		.parent = op->id,
		.born_ns = op->end_ns,
		.born_op = op->op_id,
		.born_call = op->op,
		.maker = op->context,
		.born_by = op->process,
		.born_seen = true,
	};

	if (object) /* it went without a call of the backend */
		state_object_end(state, object, op->end_ns, 0);
	state_object_begin(state, op->context, op->new_id, &like);
}

static void apply_map(struct state *state, const struct state_op *op)
{
	struct state_object *object = object_named(state, op);
	struct state_mapping mapping = {
		.iova = op->iova,
		.last = op->last,
		.begin_ns = op->begin_ns,
		.born_ns = op->end_ns,
		.op_id = op->op_id,
		.tid = op->tid,
		.prot = (uint8_t)(TRACE_PROT_READ | (op->readonly ? 0 : TRACE_PROT_WRITE)),
	};

	if (object && op->size)
		state_map(state, object, &mapping);
}

static void apply(struct state *state, const struct state_op *op)
{
	struct state_object *object;

	if (op->ret)
		return;
	if (op_allocates(op)) {
		apply_alloc(state, op);
	} else if (op_maps(op)) {
		apply_map(state, op);
	} else if (op->op == OP_UNMAP_DMA && !op->non_exist) {
		object = object_named(state, op);
		if (object)
			state_unmap(state, object, op->iova, op->last, op->end_ns, op->op_id);
	} else if (op->op == OP_FREE_ID) {
		object = state_object_find(state, op->context, op->id);
		if (object)
			state_object_end(state, object, op->end_ns, op->op_id);
	}
}

/*
 * A call that began before its id was given out meant an earlier owner of the id, whose
 * birth was not seen: nobody knows an id before the call that gives it returns.
 */
static bool means_earlier_owner(const struct state *state, const struct state_op *op)
{
	const struct state_object *object;

	if (op_allocates(op) || !op->begin_seen)
		return false;
	object = state_object_find(state, op->context, op->id);
	return object && object->born_op && op->begin_ns < object->born_ns;
}

static void take_effect(struct state *state, struct state_op *op, enum linearized how)
{
	if (means_earlier_owner(state, op)) {
		state_op_free(state, op);
		return;
	}
	state_tell(state, linearized, op, how);
	apply(state, op);
	state_op_free(state, op);
}

/* ---- trying orders -------------------------------------------------------------- */

struct area {
	uint64_t iova, last;
};

/* The object as far as the calls touch it. */
struct sketch {
	bool alive;
	bool complete;
	unsigned int count;
	struct area areas[TRY_AREAS_MAX];
};

struct search {
	struct state_op *ops[TRY_OPS_MAX]; /* in the order of their ends */
	unsigned int count;
	unsigned int steps;
	unsigned int order[TRY_OPS_MAX], found[TRY_OPS_MAX];
	bool explained;
	const struct state_op *wrong, *wrong_with;
};

static bool sketch_touches(const struct sketch *sketch, const struct state_op *op)
{
	for (unsigned int i = 0; i < sketch->count; i++) {
		if (sketch->areas[i].iova <= op->last && sketch->areas[i].last >= op->iova)
			return true;
	}
	return false;
}

static bool sketch_map(struct sketch *sketch, const struct state_op *op)
{
	if (op->ret == -EEXIST)
		return sketch_touches(sketch, op) || !sketch->complete;
	if (op->ret == -ENOENT)
		return !sketch->alive;
	if (op->ret)
		return true;
	if (!sketch->alive || sketch_touches(sketch, op) || sketch->count == TRY_AREAS_MAX)
		return false;
	sketch->areas[sketch->count++] = (struct area){ op->iova, op->last };
	return true;
}

static bool sketch_unmap(struct sketch *sketch, const struct state_op *op)
{
	bool whole = iova_range_is_whole(op->range), removed = false;

	if (op->non_exist || op->ret == -ENOENT)
		return !sketch->alive || !sketch_touches(sketch, op);
	if (op->ret)
		return true;
	if (!sketch->alive)
		return false;
	for (unsigned int i = 0; i < sketch->count;) {
		struct area *area = &sketch->areas[i];

		if (area->iova > op->last || area->last < op->iova) {
			i++;
			continue;
		}
		if (area->iova < op->iova || area->last > op->last)
			return false;
		*area = sketch->areas[--sketch->count];
		removed = true;
	}
	return removed || whole || !sketch->complete;
}

/* Whether op can have answered as it did with the object like this; does what it did. */
static bool sketch_call(struct sketch *sketch, const struct state_op *op)
{
	if (op_maps(op))
		return sketch_map(sketch, op);
	if (op->op == OP_UNMAP_DMA)
		return sketch_unmap(sketch, op);
	if (op_allocates(op) && !op->ret && op->named && op->new_id == op->named->id) {
		if (sketch->alive)
			return false;
		sketch->alive = true;
		sketch->complete = true;
		sketch->count = 0;
		return true;
	}
	if (op->op == OP_FREE_ID && !op->ret) {
		if (!sketch->alive)
			return false;
		sketch->alive = false;
		sketch->count = 0;
		return true;
	}
	return op->ret || sketch->alive;
}

/* True when some call that is left ended before op began. */
static bool must_wait(const struct search *search, unsigned int left, unsigned int op)
{
	for (unsigned int i = 0; i < search->count; i++) {
		if ((left & (1u << i)) && i != op &&
		    search->ops[i]->end_ns < search->ops[op]->begin_ns)
			return true;
	}
	return false;
}

/*
 * A call that overlaps op, so that the other order of both was possible; NULL: none.
 * Which id is given out is the device's choice: no client races for it. Where a begin
 * was lost nothing is known.
 */
static const struct state_op *overlapping(const struct search *search, unsigned int op)
{
	const struct state_op *this = search->ops[op];

	if (op_allocates(this) || !this->begin_seen)
		return NULL;
	for (unsigned int i = 0; i < search->count; i++) {
		const struct state_op *other = search->ops[i];

		if (i != op && !op_allocates(other) && other->begin_seen && collide(other, this) &&
		    other->end_ns >= this->begin_ns &&
		    this->end_ns >= other->begin_ns)
			return other;
	}
	return NULL;
}

static void try_orders(struct search *search, unsigned int left, unsigned int depth,
		       const struct sketch *before)
{
	if (!left) {
		if (!search->explained)
			memcpy(search->found, search->order, sizeof(search->found));
		search->explained = true;
		return;
	}
	for (unsigned int i = 0; i < search->count; i++) {
		struct sketch sketch;

		if (!(left & (1u << i)) || must_wait(search, left, i))
			continue;
		if (search->steps++ > TRY_STEPS_MAX || (search->explained && search->wrong))
			return;
		sketch = *before;
		if (!sketch_call(&sketch, search->ops[i])) {
			if (!search->wrong && overlapping(search, i)) {
				search->wrong = search->ops[i];
				search->wrong_with = overlapping(search, i);
			}
			continue;
		}
		search->order[depth] = i;
		try_orders(search, left & ~(1u << i), depth + 1, &sketch);
	}
}

/* The areas of object that any of the calls touches. False: too many. */
static bool sketch_init(struct sketch *sketch, const struct state *state,
			const struct state_object *object, struct state_op *const *ops,
			unsigned int count)
{
	sketch->alive = true;
	sketch->complete = state_object_complete(state, object);
	sketch->count = 0;
	for (unsigned int i = 0; i < count; i++) {
		bool ranged = op_maps(ops[i]) || ops[i]->op == OP_UNMAP_DMA;
		struct range_iter iter;
		const struct range_entry *entry;

		if (!ranged)
			continue;
		for (entry = range_set_overlap(&object->mappings, ops[i]->iova, ops[i]->last,
					       &iter);
		     entry; entry = range_set_next_overlap(&object->mappings, ops[i]->iova,
							   ops[i]->last, &iter)) {
			unsigned int k = 0;

			while (k < sketch->count && sketch->areas[k].iova != entry->iova)
				k++;
			if (k < sketch->count)
				continue;
			if (sketch->count == TRY_AREAS_MAX / 2)
				return false;
			sketch->areas[sketch->count++] = (struct area){ entry->iova, entry->last };
		}
	}
	return true;
}

static int by_end(const void *a, const void *b)
{
	const struct state_op *left = *(struct state_op *const *)a;
	const struct state_op *right = *(struct state_op *const *)b;

	if (left->end_ns != right->end_ns)
		return left->end_ns < right->end_ns ? -1 : 1;
	return left->op_id < right->op_id ? -1 : left->op_id > right->op_id;
}

/* Decides all that is held of object. The object may be gone afterwards. */
static void decide(struct state *state, struct state_object *object)
{
	struct state_op *ops[HELD_MAX + 1];
	struct search search = { 0 };
	struct sketch sketch;
	unsigned int count = 0;
	enum linearized how = LINEARIZED_UNDECIDED;

	while (object->held && count < HELD_MAX + 1) {
		ops[count] = object->held;
		state_op_list_remove(ops[count++]);
	}
	object->held_count = 0;
	qsort(ops, count, sizeof(ops[0]), by_end);
	if (count == 1) {
		how = LINEARIZED_ALONE;
	} else if (count <= TRY_OPS_MAX && sketch_init(&sketch, state, object, ops, count)) {
		memcpy(search.ops, ops, count * sizeof(ops[0]));
		search.count = count;
		try_orders(&search, (1u << count) - 1, 0, &sketch);
		if (search.explained)
			how = LINEARIZED_EXPLAINED;
		else if (search.steps <= TRY_STEPS_MAX)
			how = LINEARIZED_NONE;
	}
	if (how == LINEARIZED_EXPLAINED && search.wrong)
		state_tell(state, order_matters, search.wrong, search.wrong_with);
	for (unsigned int i = 0; i < count; i++)
		ops[i]->named = NULL;
	for (unsigned int i = 0; i < count; i++)
		take_effect(state,
			    how == LINEARIZED_EXPLAINED ? search.ops[search.found[i]] : ops[i], how);
}

/* ---- holding -------------------------------------------------------------------- */

static bool still_open(const struct state_object *object)
{
	for (const struct state_op *op = object->held; op; op = op->next) {
		if (collides_with_list(op, object->under_way))
			return true;
	}
	return false;
}

void linearize_flush(struct state *state, struct state_object *object)
{
	if (object->held)
		decide(state, object);
}

void linearize(struct state *state, struct state_op *op)
{
	uint64_t id = op_allocates(op) && !op->ret ? op->new_id : op->id;
	struct state_context *context = op->context;
	struct state_object *object = state_object_find(state, context, id);

	op->named = NULL;
	if (!object || (!object->under_way && !object->held)) {
		take_effect(state, op, LINEARIZED_ALONE);
		return;
	}
	if (!collides_with_list(op, object->under_way) &&
	    !collides_with_list(op, object->held)) {
		take_effect(state, op, LINEARIZED_ALONE);
		object = state_object_find(state, context, id);
	} else {
		op->named = object;
		state_op_list_add(&object->held, op);
		object->held_count++;
	}
	if (object && object->held && (object->held_count >= HELD_MAX || !still_open(object)))
		decide(state, object);
}
