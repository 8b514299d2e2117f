/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One instance of an automaton: its set of states, and what breaks the rule.
 */
#include "analysis/rules/rules_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- findings ------------------------------------------------------------------- */

static void witness_add(struct check_finding *finding, const struct rules_event *event)
{
	struct check_witness *witness = &finding->witness[finding->witness_count++];
	int used;

	witness->time_ns = event->end_ns;
	witness->op_id = event->op_id;
	witness->tid = event->tid;
	witness->stack = event->stack;
	used = snprintf(witness->text, sizeof(witness->text), "%s",
			rules_symbol_name(event->symbol));
	if (event->has_range && used > 0)
		snprintf(witness->text + used, sizeof(witness->text) - (size_t)used,
			 " [0x%" PRIx64 ", 0x%" PRIx64 "]", event->iova, event->last);
}

/* Counts a finding; guilty: the event that did it, NULL: the object's end. */
static void found(struct rules *rules, struct rule *rule, struct rules_instance *instance,
		  enum check_verdict verdict, int64_t time_ns, const struct rules_event *guilty,
		  const char *fmt, ...) __attribute__((format(printf, 7, 8)));

static void found(struct rules *rules, struct rule *rule, struct rules_instance *instance,
		  enum check_verdict verdict, int64_t time_ns, const struct rules_event *guilty,
		  const char *fmt, ...)
{
	struct check_finding *finding;
	struct rules_found *kept;
	va_list ap;

	rule->count[verdict]++;
	if (instance->assumed)
		rule->assumed[verdict]++;
	if (rule->found_count == RULES_FINDINGS_MAX)
		return;
	kept = realloc(rule->found, (rule->found_count + 1) * sizeof(*kept));
	if (!kept) {
		rules->failed = true;
		return;
	}
	rule->found = kept;
	kept += rule->found_count++;
	memset(kept, 0, sizeof(*kept));
	kept->assumed = instance->assumed;
	finding = &kept->finding;
	finding->rule = RULE_COUNT;
	finding->verdict = verdict;
	finding->machine = instance->machine;
	finding->process = instance->process;
	finding->pid = instance->process->pid;
	finding->object = instance->object;
	finding->time_ns = time_ns;
	va_start(ap, fmt);
	vsnprintf(finding->cause, sizeof(finding->cause), fmt, ap);
	va_end(ap);
	if (instance->latest.end_ns != INT64_MIN)
		witness_add(finding, &instance->latest);
	if (guilty) {
		witness_add(finding, guilty);
		finding->has_range = guilty->has_range;
		finding->iova = guilty->iova;
		finding->last = guilty->last;
	}
}

static void object_text(const struct rule *rule, const struct rules_instance *instance,
			char *text, size_t size)
{
	const char *name = rules_object_name(rule->automaton->object);

	if (rule->automaton->object == RULES_MAPPING)
		snprintf(text, size, "a mapping of ioas %" PRIu32, instance->object);
	else if (rule->automaton->object == RULES_BACKEND)
		snprintf(text, size, "the backend of process %" PRIu32, instance->process->pid);
	else
		snprintf(text, size, "%s %" PRIu32, name, instance->object);
}

static void event_refused(struct rules *rules, struct rule *rule,
			  struct rules_instance *instance, const struct rules_event *event,
			  uint64_t before, enum check_verdict verdict)
{
	char object[64], states[96], allowed[128];

	object_text(rule, instance, object, sizeof(object));
	rules_automaton_states_text(rule->automaton, before, states, sizeof(states));
	rules_automaton_allowed_text(rule->automaton, before, allowed, sizeof(allowed));
	found(rules, rule, instance, verdict, event->end_ns, event,
	      "%s of %s in state %s; the rule allows %s", rules_symbol_name(event->symbol),
	      object, states, allowed[0] ? allowed : "nothing there");
}

/* ---- orders ------------------------------------------------------------------------ */

struct orders {
	const struct rules_automaton *automaton;
	const struct rules_event *events;
	unsigned int count;
	uint64_t reached; /* states after all events, over all orders that the rule allows */
	bool refused;	  /* some order is not allowed */
};

/* Calls of one thread do not overlap, also when the clock did not move between them. */
static bool is_before(const struct rules_event *a, const struct rules_event *b)
{
	if (a->end_ns == b->begin_ns)
		return a->tid && a->tid == b->tid && a->begin_ns < b->begin_ns;
	return a->end_ns < b->begin_ns;
}

/* Whether event i may be the next of those left: none of them ended before it began. */
static bool may_be_next(const struct orders *orders, unsigned int left, unsigned int i)
{
	for (unsigned int k = 0; k < orders->count; k++) {
		if (k != i && (left >> k & 1) &&
		    is_before(&orders->events[k], &orders->events[i]))
			return false;
	}
	return true;
}

static void try_orders(struct orders *orders, unsigned int left, uint64_t states)
{
	if (!states) {
		orders->refused = true;
		return;
	}
	if (!left) {
		orders->reached |= states;
		return;
	}
	for (unsigned int i = 0; i < orders->count; i++) {
		if ((left >> i & 1) && may_be_next(orders, left, i))
			try_orders(orders, left & ~(1u << i),
				   rules_automaton_step(orders->automaton, states,
							orders->events[i].symbol));
	}
}

/* ---- moving -------------------------------------------------------------------------- */

/* Events were lost that may have moved the instance: it may be anywhere that it can get to. */
static void instance_doubt(const struct rule *rule, struct rules_instance *instance)
{
	uint64_t reachable = rules_automaton_reachable(rule->automaton, instance->states);

	if (reachable == instance->states)
		return;
	instance->states = instance->base = reachable;
	instance->doubtful = true;
	instance->pending = false;
	free(instance->window);
	instance->window = NULL;
}

static bool machine_lost(const struct rules *rules, struct rules_instance *instance)
{
	uint32_t losses = instance->machine < rules->losses_count
				  ? rules->losses[instance->machine] : 0;
	bool lost = losses != instance->losses;

	instance->losses = losses;
	return lost;
}

/* Some of the states that are there only because of what was lost forbid the event. */
static void doubt_tell(struct rules *rules, struct rule *rule, struct rules_instance *instance,
		       const struct rules_event *event)
{
	const struct rules_automaton *automaton = rule->automaton;

	for (unsigned int s = 0; s < automaton->states_count; s++) {
		if ((instance->states >> s & 1) &&
		    !rules_automaton_step(automaton, 1ull << s, event->symbol)) {
			event_refused(rules, rule, instance, event, instance->states,
				      VERDICT_UNKNOWN);
			break;
		}
	}
	instance->doubtful = false;
}

/* Whether a call is under way that may have taken effect before time_ns. */
static bool call_under_way(const struct rules *rules, uint32_t machine, int64_t time_ns)
{
	for (size_t i = 0; i < rules->under_way.size; i++) {
		const struct table_slot *slot = &rules->under_way.slots[i];

		if (slot->value && slot->b == machine && (int64_t)(intptr_t)slot->value <= time_ns)
			return true;
	}
	return false;
}

static void broken_by(struct rules *rules, struct rule *rule, struct rules_instance *instance,
		      const struct rules_event *event, enum check_verdict verdict)
{
	event_refused(rules, rule, instance, event, instance->states, verdict);
	instance->broken = true;
	instance->pending = false;
}

void rules_instance_decide(struct rules *rules, struct rule *rule,
			   struct rules_instance *instance, bool at_end)
{
	const struct rules_window *window = instance->window;
	unsigned int guilty = 0;

	if (!instance->pending || instance->broken)
		return;
	if (!at_end && call_under_way(rules, instance->machine, instance->pending_ns))
		return;
	while (guilty + 1 < window->count && window->events[guilty].end_ns != instance->pending_ns)
		guilty++;
	broken_by(rules, rule, instance, &window->events[guilty],
		  at_end && rules->unreturned_ns <= instance->pending_ns ? VERDICT_POSSIBLE
									 : VERDICT_VIOLATION);
}

/* The window for an event that others overlap or may overlap; NULL: it does not fit. */
static struct rules_window *window_get(struct rules *rules, struct rules_instance *instance,
				       const struct rules_event *event)
{
	if (event->begin_ns < instance->base_ns ||
	    (instance->window && instance->window->count == RULES_WINDOW))
		return NULL;
	if (!instance->window) {
		instance->window = calloc(1, sizeof(*instance->window));
		if (!instance->window)
			rules->failed = true;
		else if (instance->latest.end_ns != INT64_MIN)
			instance->window->events[instance->window->count++] = instance->latest;
	}
	return instance->window;
}

/* An event that overlaps others: all orders are tried. */
static void move_among(struct rules *rules, struct rule *rule, struct rules_instance *instance,
		       const struct rules_event *event)
{
	struct rules_window *window = window_get(rules, instance, event);
	struct orders orders;

	if (!window) {
		/* It cannot be put in order with what came before: anything may be. */
		instance_doubt(rule, instance);
		instance->pending = false;
		if (rules_automaton_step(rule->automaton, instance->states, event->symbol)) {
			doubt_tell(rules, rule, instance, event);
			instance->states = rules_automaton_step(rule->automaton, instance->states,
								event->symbol);
			instance->latest = *event;
		}
		return;
	}
	window->events[window->count++] = *event;
	orders = (struct orders){
		.automaton = rule->automaton,
		.events = window->events,
		.count = window->count,
	};
	try_orders(&orders, (1u << window->count) - 1, instance->base);
	if (!orders.reached) {
		if (!instance->pending)
			instance->pending_ns = event->end_ns;
		instance->pending = true;
		return;
	}
	instance->pending = false;
	if (orders.refused)
		broken_by(rules, rule, instance, event, VERDICT_POSSIBLE);
	instance->states = orders.reached;
	instance->latest = *event;
}

/* An event after all others: the usual case. */
static void move_on(struct rules *rules, struct rule *rule, struct rules_instance *instance,
		    const struct rules_event *event)
{
	uint64_t before = instance->states;
	uint64_t after = rules_automaton_step(rule->automaton, before, event->symbol);

	if (!after && !event->ordered &&
	    call_under_way(rules, instance->machine, event->end_ns)) {
		move_among(rules, rule, instance, event);
		return;
	}
	if (!after) {
		broken_by(rules, rule, instance, event, VERDICT_VIOLATION);
		return;
	}
	free(instance->window);
	instance->window = NULL;
	if (instance->doubtful)
		doubt_tell(rules, rule, instance, event);
	if (instance->latest.end_ns > instance->base_ns)
		instance->base_ns = instance->latest.end_ns;
	instance->base = before;
	instance->states = after;
	instance->latest = *event;
}

void rules_instance_event(struct rules *rules, struct rule *rule,
			  struct rules_instance *instance, const struct rules_event *event,
			  int64_t object_gap_ns)
{
	const struct rules_automaton *automaton = rule->automaton;
	bool overlaps;

	if (automaton->next[0][event->symbol] == RULES_IGNORED)
		return;
	if (event->begin_ns > instance->pending_ns)
		rules_instance_decide(rules, rule, instance, false);
	if (instance->broken)
		return;
	rule->asked++;
	/* Commit numbers without a gap prove that nothing of the object was lost. */
	if (event->ordered ? object_gap_ns > instance->gap_ns : machine_lost(rules, instance))
		instance_doubt(rule, instance);
	instance->gap_ns = object_gap_ns;
	overlaps = !event->ordered && instance->latest.end_ns != INT64_MIN &&
		   (event->begin_ns <= instance->base_ns || !is_before(&instance->latest, event));
	if (overlaps || instance->pending)
		move_among(rules, rule, instance, event);
	else
		move_on(rules, rule, instance, event);
}

struct rules_instance *rules_instance_begin(struct rules *rules, struct rule *rule, uint64_t a,
					    uint64_t b, uint32_t machine,
					    const struct state_process *process,
					    uint32_t object, bool seen)
{
	struct rules_instance *instance = table_get(&rule->instances, a, b);

	if (!instance) {
		instance = malloc(sizeof(*instance));
		if (!instance || table_set(&rule->instances, a, b, instance)) {
			free(instance);
			rules->failed = true;
			return NULL;
		}
	} else {
		free(instance->window);
	}
	*instance = (struct rules_instance){
		.machine = machine,
		.process = process,
		.object = object,
		.base = 1,
		.states = 1,
		.base_ns = INT64_MIN,
		.gap_ns = INT64_MIN,
		.latest.end_ns = INT64_MIN,
	};
	machine_lost(rules, instance);
	if (!seen)
		instance_doubt(rule, instance);
	return instance;
}

void rules_instance_end(struct rules *rules, struct rule *rule, uint64_t a, uint64_t b,
			int64_t time_ns, bool told)
{
	struct rules_instance *instance = table_remove(&rule->instances, a, b);
	const struct rules_automaton *automaton = rule->automaton;
	char object[64], states[96], marked[96];

	if (!instance)
		return;
	rules_instance_decide(rules, rule, instance, true);
	if (automaton->end_marked && !instance->broken &&
	    (instance->states & automaton->marked) != instance->states) {
		bool never = !(instance->states & automaton->marked);

		object_text(rule, instance, object, sizeof(object));
		rules_automaton_states_text(automaton, instance->states, states, sizeof(states));
		rules_automaton_states_text(automaton, automaton->marked, marked, sizeof(marked));
		found(rules, rule, instance,
		      machine_lost(rules, instance) || instance->doubtful || !told
								    ? VERDICT_UNKNOWN
		      : never						  ? VERDICT_VIOLATION
									  : VERDICT_POSSIBLE,
		      time_ns, NULL, "%s ended in state %s; the rule wants %s", object, states,
		      marked);
	}
	free(instance->window);
	free(instance);
}
