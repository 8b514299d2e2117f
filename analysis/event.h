/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An event of a trace as a plain struct: what every analysis reads.
 *
 * Decoding (analysis/decode/decode.h) fills it; tests fill it by hand. An event class
 * is resolved to a kind, an operation and field numbers once, so nothing here
 * is looked up by name while a trace is read.
 */
#ifndef IOASIS_ANALYSIS_EVENT_H
#define IOASIS_ANALYSIS_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/iova_range.h"
#include "tracepoints/commands.h"
#include "tracepoints/names.h"

enum event_kind {
	EVENT_OTHER,	    /* not ours: counted, otherwise ignored */
	EVENT_OP_BEGIN,	    /* a call of the backend begins */
	EVENT_OP_END,	    /* it ended; ret */
	EVENT_VADDR,	    /* the address in the process that a map gave */
	EVENT_BE_STATE,	    /* state dump of a backend begins: fd, owned, users */
	EVENT_BE_OBJECT,    /* ... an id that lives */
	EVENT_BE_MAPPING,   /* ... a mapping that lives */
	EVENT_BE_STATE_END, /* ... ends */
	EVENT_BE_PROCESS_END, /* the process ends by exit(); op_id: its last call */
	EVENT_DEV_OPEN,
	EVENT_DEV_RELEASE,
	EVENT_IOCTL_BEGIN,
	EVENT_IOCTL_END,
	EVENT_REFUSED,	     /* what an ioctl named that fails */
	EVENT_WHERE,	     /* the call stack of an ioctl; text */
	EVENT_COMMIT,
	EVENT_DMA,
	EVENT_FAULT,
	EVENT_VFIO_BIND,     /* a device is bound */
	EVENT_VFIO_UNBIND,
	EVENT_VFIO_CALL,     /* on the file of a bound device, at its end */
	EVENT_VFIO_IRQ,
	EVENT_DEV_STATE,     /* state dump of an open file begins */
	EVENT_DEV_OBJECT,    /* ... */
	EVENT_DEV_MAPPING,   /* ... */
	EVENT_DEV_STATE_END, /* ... ends */
	EVENT_SIM,	     /* of a scenario: name says which */
};

/* What a call does. The backend's first, then the device's ioctls. */
enum event_op {
	OP_NONE,
#define EVENT_OP(NAME, name, OBJECT) OP_##NAME, /* OP_SET_FD, OP_CONNECT, ... */
	IOMMUFD_BACKEND_CALLS(EVENT_OP)
#undef EVENT_OP
	OP_IOCTL,		    /* + number of the ioctl from 0x80: see event_op_of_cmd() */
	OP_IOCTL_LAST = OP_IOCTL + 0x20,
	OP_VFIO_IOCTL,		    /* VFIO's type 1 calls: + cmd from VFIO_BASE */
	OP_VFIO_IOCTL_LAST = OP_VFIO_IOCTL + 0x1f,
	OP_IOCTL_OTHER,
	OP_COUNT,
};

/* The text of an operation: "map_dma", "IOAS_MAP", ... Never NULL. */
const char *event_op_name(enum event_op op);

/* An op_id as people read it, in text: "PID:NUMBER"; "" for 0. Returns text. */
const char *event_op_id_text(uint64_t op_id, char text[32]);

/* What the operation of the backend makes; TRACE_OBJ_NONE: nothing. */
enum trace_object_type event_op_makes(enum event_op op);

/* The operation of an ioctl's cmd. */
enum event_op event_op_of_cmd(uint32_t cmd);

/* The backend's operation that makes this ioctl; op itself where there is none. */
enum event_op event_op_plain(enum event_op op);

/* The number of the ioctl that op is, or makes (_IOC_NR, from 0x80); 0: none, or VFIO's. */
uint32_t event_op_nr(enum event_op op);

/* Whether the ioctl that op is, or makes, names objects by id. */
bool event_op_names_ids(enum event_op op);

/* Whether it answers EINVAL, not ENOENT, when one of them is not there. */
bool event_op_says_einval(enum event_op op);

/*
 * What fields mean is said in tracepoints/, under the event's name. Fields that
 * an event does not have are 0. Ranges: see analysis/iova_range.h; size in bytes is what the
 * call named (0: the event had none, or it was 0).
 */
struct event {
	enum event_kind kind;
	enum event_op op;
	bool qemu;	     /* of QEMU's own provider: no begin, no op_id, ret -1 */
	bool non_exist;	     /* OP_END of an unmap: reported as of nothing */
	bool has_size;
	uint32_t machine;    /* number of the machine, from 0 */
	uint32_t stream;     /* number of the stream, from 0 */
	uint32_t pid;	     /* of the caller, as it sees itself; 0: the event names none */
	uint32_t pid_ns;     /* its pid namespace, and when it started: tracepoints/identity.h; */
	uint32_t started;    /* 0: not known */
	uint32_t here_ns;    /* pid namespace of whoever emitted the event; 0: not known */
	int64_t time_ns;     /* of the trace's clock, from its origin */
	const char *name;    /* of the event class; borrowed, lives while it is read */

	/* What most events have stands together: it is read from few lines of the cache. */
	uint64_t op_id;
	uint64_t be;
	uint64_t tid;
	uint64_t id;	     /* the object that the call names, or the commit changes */
	union {
		struct iova_range range;
		struct {
			uint64_t iova, last;
		};
	};
	uint64_t size;
	int64_t ret;
	uint64_t ctx;
	uint64_t cmd;
	uint64_t seq;
	uint64_t commit_kind; /* enum trace_commit_kind */
	uint64_t flags;
	uint64_t arg;
	uint64_t readonly;
	uint64_t dev_id;
	uint64_t pt_id;	     /* parent of a new page table; page table of a DMA */
	uint64_t write;

	int64_t fd;	     /* iommufd, or the backend's fd */
	int64_t file_fd;     /* of a memfd */
	uint64_t owned;
	uint64_t users;
	uint64_t new_id;     /* the object that the call gave */
	uint64_t start;	     /* set_dirty: 1 turns tracking on */
	uint64_t vaddr;
	uint64_t type;	      /* enum trace_object_type */
	uint64_t virt_ns;     /* virtual time of a scenario's event */
	uint64_t by_exit;     /* of a release: 1: the process that opened the file is gone */
	uint64_t bdf;	      /* of a device: EVENT_NO_BDF: on no bus */
	uint64_t group;
	uint64_t by_group;
	uint64_t duration_ns;

	/* Of EVENT_WHERE, borrowed while it is read; ends with its bytes, not with a zero. */
	const char *text;
	size_t text_bytes;
};

#define EVENT_NO_BDF UINT32_MAX

/* Who emits an event: the library that a program links (or QEMU), or the device. */
enum event_layer {
	EVENT_LAYER_BACKEND,
	EVENT_LAYER_DEVICE,
	EVENT_LAYERS,
};
#define EVENT_LAYERS_ALL ((1u << EVENT_LAYERS) - 1)

/* Events that the tracer had to drop: a window of one stream. */
struct event_loss {
	uint32_t machine;
	uint32_t stream;
	int64_t first_ns; /* INT64_MIN: since the beginning */
	int64_t last_ns;  /* INT64_MAX: to the end */
	uint64_t events;  /* how many; 0: not known */
	uint64_t packets; /* whole packets; 0: none */
	uint32_t lacks;	  /* bits of enum event_layer whose events the stream cannot hold */
	uint32_t pid;	  /* the only process whose events it holds; 0: any */
	bool is_end;	  /* the stream ends: nobody knows whether anything came after it */
};

#endif
