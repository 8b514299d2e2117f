/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happened to which object: from the observers of the one pass to the events
 * of the rules' alphabet. docs/RULES.md says the same in words.
 */
#include "analysis/rules/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/rules/rules_internal.h"

struct rules *rules_create(void)
{
	struct rules *rules = calloc(1, sizeof(*rules));

	if (rules)
		rules->unreturned_ns = INT64_MAX;
	return rules;
}

void rules_destroy(struct rules *rules)
{
	if (!rules)
		return;
	for (size_t i = 0; i < rules->count; i++) {
		struct rule *rule = &rules->rules[i];

		for (size_t k = 0; k < rule->instances.size; k++) {
			struct rules_instance *instance = rule->instances.slots[k].value;

			if (instance)
				free(instance->window);
			free(instance);
		}
		table_fini(&rule->instances);
		rules_automaton_destroy(rule->automaton);
		free(rule->found);
	}
	table_fini(&rules->under_way);
	free(rules->losses);
	free(rules);
}

int rules_add(struct rules *rules, const char *path, struct rules_error *error)
{
	struct rule *rule = &rules->rules[rules->count];

	if (rules->count == RULES_MAX) {
		snprintf(error->text, sizeof(error->text), "%s: more than %u rules", path,
			 RULES_MAX);
		return -EINVAL;
	}
	rule->automaton = rules_automaton_load(path, error);
	if (!rule->automaton)
		return -EINVAL;
	if (rule->automaton->next[0][RULES_DMA_READ] != RULES_IGNORED ||
	    rule->automaton->next[0][RULES_DMA_WRITE] != RULES_IGNORED)
		rules->uses_dma = true;
	rules->count++;
	return 0;
}

/* ---- telling instances --------------------------------------------------------------- */

static struct rules_event event_of_op(enum rules_symbol symbol, const struct state_op *op)
{
	struct rules_event event = {
		.symbol = symbol,
		.tid = op->tid,
		.stack = op->stack,
		.begin_ns = op->begin_ns,
		.end_ns = op->end_ns,
		.op_id = op->op_id,
		.has_range = op->size != 0,
		.iova = op->iova,
		.last = op->last,
	};

	return event;
}

static struct rules_event event_at(enum rules_symbol symbol, int64_t time_ns, uint64_t op_id)
{
	struct rules_event event = {
		.symbol = symbol,
		.ordered = true,
		.begin_ns = time_ns,
		.end_ns = time_ns,
		.op_id = op_id,
	};

	return event;
}

/* Tells all instances (a, b) of rules about that kind of object. */
static void tell(struct rules *rules, enum rules_object object, uint64_t a, uint64_t b,
		 const struct rules_event *event, int64_t gap_ns)
{
	for (size_t i = 0; i < rules->count; i++) {
		struct rule *rule = &rules->rules[i];
		struct rules_instance *instance;

		if (rule->automaton->object != object)
			continue;
		instance = table_get(&rule->instances, a, b);
		if (instance)
			rules_instance_event(rules, rule, instance, event, gap_ns);
	}
}

static void begin(struct rules *rules, enum rules_object object, uint64_t a, uint64_t b,
		  const struct state_context *context, uint32_t id, bool seen, bool assumed)
{
	for (size_t i = 0; i < rules->count; i++) {
		struct rule *rule = &rules->rules[i];
		struct rules_instance *instance;

		if (rule->automaton->object != object)
			continue;
		instance = rules_instance_begin(rules, rule, a, b, context->machine, context->process,
						id, seen);
		if (instance)
			instance->assumed = assumed;
	}
}

static void end(struct rules *rules, enum rules_object object, uint64_t a, uint64_t b,
		int64_t time_ns)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (rules->rules[i].automaton->object == object)
			rules_instance_end(rules, &rules->rules[i], a, b, time_ns, true);
	}
}

/* Objects of both kinds have their id in their context as key. */
static void tell_object(struct rules *rules, uint64_t context, uint64_t id,
			const struct rules_event *event, int64_t gap_ns)
{
	tell(rules, RULES_IOAS, context, id, event, gap_ns);
	tell(rules, RULES_HWPT, context, id, event, gap_ns);
}

/* ---- contexts: backends ------------------------------------------------------------------ */

static void on_context_begin(void *opaque, const struct state_context *context)
{
	struct rules *rules = opaque;

	bool lossy = context->machine < rules->losses_count && rules->losses[context->machine];

	/*
	 * It may have lived before it is first seen: unnoticed if events were lost. Whether
	 * it lived before the trace is known at the end, by a state dump.
	 */
	if (context->layer == STATE_BACKEND)
		begin(rules, RULES_BACKEND, context->serial, 0, context, 0, !lossy,
		      !context->born_seen);
}

static void on_context_end(void *opaque, const struct state_context *context, int64_t time_ns)
{
	if (context->layer == STATE_BACKEND)
		end(opaque, RULES_BACKEND, context->serial, 0, time_ns);
}

/* The event of a backend's call, by what was asked; connect and disconnect once they succeeded. */
static int symbol_of_backend(const struct state_op *op)
{
	switch (op->op) {
	case OP_CONNECT:
		return op->ret ? -1 : RULES_CONNECT;
	case OP_DISCONNECT:
		return op->ret ? -1 : op->users ? RULES_DISCONNECT : RULES_DISCONNECT_LAST;
	case OP_FREE_ID:
		return RULES_FREE;
	case OP_MAP_DMA:
	case OP_MAP_FILE_DMA:
	case OP_COPY_DMA:
		return RULES_MAP;
	case OP_UNMAP_DMA:
		return op->non_exist ? RULES_UNMAP_NONE : RULES_UNMAP;
	default:
		return event_op_makes(op->op) ? RULES_ALLOC : -1;
	}
}

static void on_op_begin(void *opaque, const struct state_op *op)
{
	struct rules *rules = opaque;

	if (op->layer == STATE_BACKEND && op->begin_ns &&
	    table_set(&rules->under_way, op->op_id, op->machine, (void *)(intptr_t)op->begin_ns))
		rules->failed = true;
}

static void on_op(void *opaque, const struct state_op *op)
{
	struct rules *rules = opaque;
	struct rules_event event;
	int symbol;

	/* One that is linearized later is under way for its object until then. */
	if (op->layer == STATE_BACKEND && (!op->returned || !op->context || op->context->peer))
		table_remove(&rules->under_way, op->op_id, op->machine);
	if (op->layer == STATE_BACKEND && !op->returned && op->begin_ns < rules->unreturned_ns)
		rules->unreturned_ns = op->begin_ns;
	if (op->layer != STATE_BACKEND || !op->returned || !op->context)
		return;
	symbol = symbol_of_backend(op);
	if (symbol < 0)
		return;
	event = event_of_op((enum rules_symbol)symbol, op);
	tell(opaque, RULES_BACKEND, op->context->serial, 0, &event, INT64_MIN);
}

/* ---- objects ---------------------------------------------------------------------------- */

static void on_object_begin(void *opaque, const struct state_object *object)
{
	enum rules_object kind = object->type == TRACE_OBJ_IOAS ? RULES_IOAS : RULES_HWPT;
	uint64_t context = object->context->serial;
	bool seen = object->born_seen && object->born_op;
	struct rules_event event;

	if (object->type != TRACE_OBJ_IOAS && object->type != TRACE_OBJ_HWPT_PAGING &&
	    object->type != TRACE_OBJ_HWPT_NESTED)
		return;
	begin(opaque, kind, context, object->id, object->context, object->id, seen, false);
	if (!seen)
		return;
	event = event_at(RULES_ALLOC, object->born_ns, object->born_op);
	tell(opaque, kind, context, object->id, &event, object->gap_ns);
}

static void on_object_end(void *opaque, const struct state_object *object, int64_t time_ns)
{
	struct rules *rules = opaque;

	end(rules, RULES_IOAS, object->context->serial, object->id, time_ns);
	end(rules, RULES_HWPT, object->context->serial, object->id, time_ns);
	rules->freeing = 0;
}

static int symbol_of_commit(const struct event *commit)
{
	switch (commit->commit_kind) {
	case TRACE_COMMIT_DESTROY:
		return commit->op_id ? RULES_FREE : -1;
	case TRACE_COMMIT_MAP:
	case TRACE_COMMIT_COPY:
		return RULES_MAP;
	case TRACE_COMMIT_UNMAP:
		return commit->arg ? RULES_UNMAP : RULES_UNMAP_NONE;
	case TRACE_COMMIT_DIRTY_SET:
		return commit->arg ? RULES_DIRTY_ON : RULES_DIRTY_OFF;
	case TRACE_COMMIT_DIRTY_READ:
		return RULES_DIRTY_READ;
	case TRACE_COMMIT_INVALIDATE:
		return RULES_INVALIDATE;
	default:
		return -1;
	}
}

static void on_commit(void *opaque, const struct state_object *object,
		      const struct event *commit, const struct state_op *op)
{
	struct rules *rules = opaque;
	int symbol = symbol_of_commit(commit);
	struct rules_event event;

	rules->freeing = symbol == RULES_FREE ? object->serial : 0;
	rules->commit_op = op && op->outer ? op->outer->op_id : commit->op_id;
	if (symbol < 0)
		return;
	event = event_at((enum rules_symbol)symbol, commit->time_ns, rules->commit_op);
	event.tid = op ? op->tid : 0;
	event.stack = op ? op->stack : 0;
	event.has_range = symbol == RULES_MAP || symbol == RULES_UNMAP ||
			  symbol == RULES_DIRTY_READ;
	event.iova = commit->iova;
	event.last = commit->last;
	tell_object(rules, object->context->serial, object->id, &event, object->gap_ns);
}

static int symbol_of_linearized(const struct state_op *op)
{
	switch (op->op) {
	case OP_FREE_ID:
		return RULES_FREE;
	case OP_MAP_DMA:
	case OP_MAP_FILE_DMA:
		return RULES_MAP;
	case OP_UNMAP_DMA:
		return op->non_exist ? RULES_UNMAP_NONE : RULES_UNMAP;
	case OP_ATTACH:
		return RULES_ATTACH;
	case OP_SET_DIRTY:
		return op->start ? RULES_DIRTY_ON : RULES_DIRTY_OFF;
	case OP_GET_DIRTY_BITMAP:
		return RULES_DIRTY_READ;
	case OP_INVALIDATE_CACHE:
		return RULES_INVALIDATE;
	default:
		return -1;
	}
}

/* The same from the backend's calls, where the trace has no commits. */
static void on_linearized(void *opaque, const struct state_op *op, enum linearized how)
{
	struct rules *rules = opaque;
	struct state_object *object;
	struct rules_event event;
	int symbol = op->ret ? -1 : symbol_of_linearized(op);

	(void)how;
	table_remove(&rules->under_way, op->op_id, op->machine);
	rules->freeing = 0;
	if (symbol < 0 || !op->context)
		return;
	if (symbol == RULES_FREE) {
		object = state_object_find(analysis_state(rules->analysis), op->context,
					   op->id);
		rules->freeing = object ? object->serial : 0;
	}
	event = event_of_op((enum rules_symbol)symbol, op);
	tell_object(rules, op->context->serial, op->id, &event, INT64_MIN);
}

static void on_attach(void *opaque, const struct state_object *object, uint64_t device,
		      bool attached, int64_t time_ns)
{
	struct rules *rules = opaque;
	const struct state *state = analysis_state(rules->analysis);
	uint64_t context = object->context->serial, users = 0;
	struct state_object *space, *other;
	struct rules_event event;

	(void)device;
	event = event_at(attached	   ? RULES_ATTACH
			 : object->attached ? RULES_DETACH
					    : RULES_DETACH_LAST,
			 time_ns, rules->commit_op);
	tell(opaque, RULES_HWPT, context, object->id, &event, object->gap_ns);
	space = state_object_ioas(state, (struct state_object *)object);
	if (!space)
		return;
	/* Of an address space it is the last one when no page table of it has a device. */
	for (other = object->context->objects; other; other = other->next) {
		if (other->attached && state_object_ioas(state, other) == space)
			users += other->attached;
	}
	if (!attached)
		event.symbol = users ? RULES_DETACH : RULES_DETACH_LAST;
	tell(opaque, RULES_IOAS, context, space->id, &event, object->gap_ns);
}

/* ---- mappings ------------------------------------------------------------------------- */

static void mapping_event(struct rules *rules, const struct state_object *object,
			  const struct state_mapping *mapping, enum rules_symbol symbol,
			  int64_t time_ns, uint64_t op_id)
{
	struct rules_event event = event_at(symbol, time_ns, op_id);

	event.has_range = true;
	event.iova = mapping->iova;
	event.last = mapping->last;
	tell(rules, RULES_MAPPING, object->serial, mapping->iova, &event, object->gap_ns);
}

static void on_mapping_begin(void *opaque, const struct state_object *object,
			     const struct state_mapping *mapping)
{
	begin(opaque, RULES_MAPPING, object->serial, mapping->iova, object->context, object->id,
	      true, false);
	mapping_event(opaque, object, mapping, RULES_MAP, mapping->born_ns, mapping->op_id);
}

static void on_mapping_end(void *opaque, const struct state_object *object,
			   const struct state_mapping *mapping, int64_t time_ns, uint64_t op_id)
{
	struct rules *rules = opaque;

	if (rules->freeing == object->serial)
		mapping_event(rules, object, mapping, RULES_FREE, time_ns, op_id);
	else if (op_id)
		mapping_event(rules, object, mapping, RULES_UNMAP, time_ns, op_id);
	end(rules, RULES_MAPPING, object->serial, mapping->iova, time_ns);
}

static void on_dma(struct rules *rules, const struct event *dma)
{
	const struct state *state = analysis_state(rules->analysis);
	struct state_context *context = state_context_of(state, dma);
	struct state_object *object = context ? state_object_find(state, context, dma->pt_id) : NULL;
	struct state_object *space = object ? state_object_ioas(state, object) : NULL;
	struct range_entry *entry;
	struct range_iter iter;
	struct rules_event event;

	if (!space)
		return;
	event = event_at(dma->write ? RULES_DMA_WRITE : RULES_DMA_READ, dma->time_ns, 0);
	event.has_range = true;
	event.iova = dma->iova;
	event.last = dma->last;
	tell(rules, RULES_IOAS, context->serial, space->id, &event, space->gap_ns);
	for (entry = range_set_overlap(&space->mappings, dma->iova, dma->last, &iter); entry;
	     entry = range_set_next_overlap(&space->mappings, dma->iova, dma->last, &iter))
		tell(rules, RULES_MAPPING, space->serial, entry->iova, &event, space->gap_ns);
}

/* ---- the rest --------------------------------------------------------------------------- */

static void on_event(void *opaque, const struct event *event)
{
	struct rules *rules = opaque;

	if (event->kind == EVENT_DMA && rules->uses_dma)
		on_dma(rules, event);
	else if (event->kind == EVENT_BE_STATE || event->kind == EVENT_DEV_STATE)
		rules->dumped = true;
}

static void on_loss(void *opaque, const struct event_loss *loss)
{
	struct rules *rules = opaque;

	if (loss->machine >= rules->losses_count) {
		size_t count = (size_t)loss->machine + 1;
		uint32_t *losses = realloc(rules->losses, count * sizeof(*losses));

		if (!losses) {
			rules->failed = true;
			return;
		}
		memset(losses + rules->losses_count, 0,
		       (count - rules->losses_count) * sizeof(*losses));
		rules->losses = losses;
		rules->losses_count = count;
	}
	rules->losses[loss->machine]++;
}

/* What was found by assuming that the trace has it all, if it has not. */
static void doubt_assumed(struct rule *rule)
{
	for (int v = VERDICT_POSSIBLE; v <= VERDICT_VIOLATION; v++) {
		rule->count[v] -= rule->assumed[v];
		rule->count[VERDICT_UNKNOWN] += rule->assumed[v];
		rule->assumed[v] = 0;
	}
	for (size_t i = 0; i < rule->found_count; i++) {
		if (rule->found[i].assumed)
			rule->found[i].finding.verdict = VERDICT_UNKNOWN;
	}
}

/* Whether the trace says that the instance's process has ended: recorded ones go on otherwise. */
static bool end_is_told(const struct quality *quality, const struct rules_instance *instance)
{
	return state_process_fate(instance->process) == STATE_PROCESS_ENDED ||
	       !quality->machines[instance->machine].by_lttng;
}

static void on_finish(void *opaque)
{
	struct rules *rules = opaque;
	const struct quality *quality = analysis_quality(rules->analysis);

	for (size_t i = 0; i < rules->count; i++) {
		struct rule *rule = &rules->rules[i];

		for (size_t k = 0; k < rule->instances.size; k++) {
			if (rule->instances.slots[k].value)
				rules_instance_decide(rules, rule,
						      rule->instances.slots[k].value, true);
		}
		/* Instances end with the trace, if the programs do. */
		for (size_t k = 0; !analysis_still_running(rules->analysis) &&
				   rule->automaton->end_marked && k < rule->instances.size;) {
			const struct table_slot *slot = &rule->instances.slots[k];
			const struct rules_instance *instance = slot->value;

			/* Taking one out may move another into this place. */
			if (slot->value)
				rules_instance_end(rules, rule, slot->a, slot->b, quality->last_ns,
						   end_is_told(quality, instance));
			else
				k++;
		}
		if (rules->dumped || quality->beginning_missing)
			doubt_assumed(rule);
	}
}

int rules_observe(struct rules *rules, struct analysis *analysis)
{
	static const struct analysis_observer observer = {
		.event = on_event,
		.loss = on_loss,
		.op_begin = on_op_begin,
		.op = on_op,
		.commit = on_commit,
		.linearized = on_linearized,
		.context_begin = on_context_begin,
		.context_end = on_context_end,
		.object_begin = on_object_begin,
		.object_end = on_object_end,
		.mapping_begin = on_mapping_begin,
		.mapping_end = on_mapping_end,
		.attach = on_attach,
		.finish = on_finish,
	};

	rules->analysis = analysis;
	return rules->count ? analysis_observe(analysis, &observer, rules) : 0;
}
