/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lives: contexts, objects, mappings and calls under way.
 *
 * There are two layers. A backend context is one backend object of a process;
 * a device context is one open file of the fake device. Where a trace has both,
 * a thread's ioctl inside a backend call links them (peer), and objects and
 * mappings are kept in the device context alone: its commits carry the order.
 *
 * Certainty: lost events make knowledge old. A mapping is certain when nothing
 * that could have removed it was lost since it was seen; an object is complete
 * when nothing that could have added to it was lost since it was made. Rules ask
 * with state_mapping_certain() and state_object_complete().
 */
#ifndef IOASIS_ANALYSIS_STATE_H
#define IOASIS_ANALYSIS_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/event.h"
#include "analysis/state/range_set.h"

struct analysis;
struct state;
struct state_pending;
struct state_thread;

/* A mapping is an entry of its address space's set of ranges. */
#define state_mapping range_entry

/*
 * A process: on its machine (host and boot), in its pid namespace, with its id, since its
 * start. What the trace does not tell is 0.
 */
struct state_process {
	uint32_t number; /* unique over all machines, from 1; 0: nobody is known */
	uint32_t machine;
	uint32_t pid;	 /* as it sees itself */
	uint32_t pid_ns; /* see tracepoints/identity.h */
	uint32_t start;
	bool merged;	 /* several processes that look the same */
	const char *name; /* "" where unknown; lives as long as state */
	uint64_t key;
	/* The numbers of its calls that were seen: dense while nothing is lost. */
	uint64_t first_call, last_call, calls;
	uint64_t end_call; /* the last one of all, as it told at its end; 0: it did not */
	/* Its latest event: up to then it was traced, as far as is known. INT64_MIN: none. */
	int64_t seen_ns;
};

enum state_layer {
	STATE_BACKEND,
	STATE_DEVICE,
};

struct state_context {
	enum state_layer layer;
	uint32_t machine;
	uint32_t pid;		/* of the process; of the opener for a device context */
	const struct state_process *process; /* the same; never NULL */
	struct state_process *emitter; /* who emits the events: of a device its daemon; never NULL */
	uint64_t key;		/* be, or ctx */
	uint64_t table_a, table_b; /* where it is in the table of contexts */
	uint64_t serial;	/* number in the order of appearance, from 1; unique */
	int64_t born_ns;
	bool born_seen;		/* we saw it begin: open, or the first connect or set_fd */
	struct state_context *peer; /* the same file in the other layer, or NULL; weak */
	bool by_call;		/* of a device: its last user gives it back: it is closed then */
	bool by_exit;		/* ... or was closed because its process ended */
	int64_t peer_lost_ns;	/* of a backend: its open file was released while it had users;
				   INT64_MIN: it was not */

	/* of a backend */
	int64_t fd;		/* -1: none */
	bool owned;
	bool passed_in;		/* set_fd gave the fd */
	bool moved;		/* what it held was handed to another process (live update) */
	bool adopted;		/* ... to this one */
	bool qemu;		/* of QEMU's own events: stands for all backends of this fd */
	uint64_t users;
	bool users_known;
	int64_t users_ns;	/* when users was last told */

	struct state_object *objects; /* those that live, youngest first */
	size_t objects_live;
	uint64_t dump;		      /* state dumps begun */
	struct state_context *next;   /* all contexts, in order of appearance */
	uint64_t first_op;	      /* the first call whose begin was seen; 0: none */
};

struct state_object {
	struct state_context *context; /* borrowed */
	uint32_t id;
	enum trace_object_type type; /* TRACE_OBJ_NONE: not known (an id from a backend call) */
	uint64_t serial;	/* unique over all objects of the analysis, from 1 */
	int64_t born_ns;
	uint64_t born_op;	/* op_id of the call that made it; 0: unknown */
	enum event_op born_call; /* what that call was; OP_NONE: unknown */
	const struct state_process *born_by; /* who made it; NULL: unknown */
	uint16_t born_stack;	/* of the call that made it: state_stack(); 0: unknown */
	struct state_context *maker; /* the backend whose call made it, or NULL; weak */
	bool born_seen;		/* we saw it made (or a state dump), nothing is missing before */
	uint64_t parent;	/* id as in the ALLOC commit */
	uint64_t seq;		/* last commit number applied; 0: none */
	int64_t gap_ns;		/* last gap of commit numbers seen; INT64_MIN: none */
	int64_t commit_ns;	/* time of the last commit applied */
	struct range_set mappings; /* of an address space */
	uint64_t bytes;		/* mapped */
	uint64_t attached;	/* devices that use it (page table) */
	struct state_pending *pending; /* commits that came before their turn, sorted */
	size_t pending_count;
	/* Without commits only: calls that name it and have not ended, and those that ended
	   and are to be put in order with these. */
	struct state_op *under_way;
	struct state_op *held;
	size_t held_count;
	uint64_t dump;		/* state dump that it was last in */
	struct state_object *next, **prev; /* of the context's objects */
};

/* How the order of overlapping calls came out. */
enum linearized {
	LINEARIZED_ALONE,	   /* none overlapped */
	LINEARIZED_EXPLAINED, /* an order explains all answers */
	LINEARIZED_NONE,	   /* no order does; told in the order of their ends */
	LINEARIZED_UNDECIDED, /* too many overlapping calls to try all orders */
};

/* A call: begin and end. From the backend, or an ioctl of the device. */
#define STATE_OTHER_IDS 2u

struct state_op {
	enum event_op op;
	enum state_layer layer;
	uint32_t machine;
	uint32_t pid;
	uint32_t tid;
	uint32_t here_ns;	/* namespace of whoever gave out op_id */
	uint16_t stack;		/* where in its program: state_stack(); 0: unknown */
	const struct state_process *process; /* the caller; never NULL */
	uint64_t op_id;
	struct state_context *context; /* NULL: not known */
	int64_t begin_ns;
	int64_t end_ns;
	bool begin_seen;	/* false: begin_ns is the earliest that it can be (the event was
				   lost), or end_ns (QEMU's own events have none) */
	bool returned;
	bool non_exist;
	bool qemu;
	bool told;		/* an ioctl that failed, and id, iova and last are known */
	uint32_t other_ids_count; /* of such an ioctl: what else it named */
	uint64_t other_ids[STATE_OTHER_IDS];
	uint64_t id;		/* of an ioctl that succeeded: what its commits changed, iova
				   and last around it, and size: bytes mapped or unmapped */
	uint64_t new_id;
	uint64_t pt_id;
	uint64_t dev_id;
	union {
		struct iova_range range;
		struct {
			uint64_t iova, last;
		};
	};
	uint64_t size;
	bool readonly;
	bool start;		/* set_dirty: tracking on */
	int64_t fd;
	uint64_t owned;
	uint64_t users;		/* of connect and disconnect: after the call */
	int64_t ret;
	/* What the device did on its behalf. */
	struct state_op *inner; /* the ioctl of this backend call under way */
	struct state_op *outer; /* the backend call that this ioctl is part of */
	uint32_t ioctls;	/* that this backend call made */
	uint32_t commits;	/* made on its behalf */
	uint32_t ioctls_ended;
	int64_t inner_ret;	/* of the last ioctl that ended */
	/* Links of the state tracker. */
	struct state_thread *thread;
	struct state_object *named; /* in whose lists this is */
	struct state_op *next, **prev;
};

/* owner: who is told, borrowed. NULL only when out of memory. */
struct state *state_create(struct analysis *owner);
void state_destroy(struct state *state);
void state_event(struct state *state, const struct event *event);
/* The end: pending commits take effect, calls under way are told as not returned. */
void state_finish(struct state *state);
/* Out of memory happened: the results are not whole. */
bool state_failed(const struct state *state);

/* The first context; the others follow at ->next. */
struct state_context *state_contexts(const struct state *state);

/* What the trace says of a process's end. */
enum state_process_fate {
	STATE_PROCESS_UNKNOWN, /* nothing: it was killed, runs on, or is not ours */
	STATE_PROCESS_CUT,     /* it ended, but calls before that are missing */
	STATE_PROCESS_ENDED,   /* it ended, and its last call was seen */
};

enum state_process_fate state_process_fate(const struct state_process *process);

/* Whether all processes of the machine with this number told their end. */
bool state_process_told_end(const struct state *state, uint32_t machine, uint32_t pid);

/*
 * False when lost events could have removed the mapping since it was seen, or
 * could have added unseen ones to the object.
 */
bool state_mapping_certain(const struct state *state, const struct state_object *object,
			   const struct state_mapping *mapping);
bool state_object_complete(const struct state *state, const struct state_object *object);

/* Whether events of the context at since_ns or later may be missing, as far as was told yet. */
bool state_lost_since(const struct state *state, const struct state_context *context,
		      int64_t since_ns);

/* The device context that an event of the device is about, or NULL. */
struct state_context *state_context_of(const struct state *state, const struct event *event);

/* The process that event names as the caller; never NULL. */
const struct state_process *state_caller(struct state *state, const struct event *event);

/* The live object with this id, or NULL. */
struct state_object *state_object_find(const struct state *state,
				       const struct state_context *context, uint64_t id);

/* The address space behind an object of a device: itself, or the ioas of a page table; or NULL. */
struct state_object *state_object_ioas(const struct state *state, struct state_object *object);

/* The process that event names now has this name. */
void state_process_set_name(struct state *state, const struct event *event, const char *text);

/* A place of a call stack; texts are of state, safe to be shown, and never NULL. */
struct state_frame {
	const char *function;
	const char *file; /* "": not known */
	const char *object;
	uint64_t line, address;
};

#define STATE_FRAMES_MAX 32u

/* The frames of a call stack by its number, the innermost first; returns how many. 0: of none. */
size_t state_stack(const struct state *state, uint16_t stack,
		   struct state_frame frames[STATE_FRAMES_MAX]);

/* "ioas", "hwpt", ...; "object" where not known. */
const char *state_object_type_name(enum trace_object_type type);


#endif
