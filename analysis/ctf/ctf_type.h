/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the metadata of a CTF trace says, as a tree of types: the same for CTF 1.8 (tsdl.c)
 * and CTF 2 (json.c). All of it lives in one arena and goes with it.
 */
#ifndef IOASIS_ANALYSIS_CTF_TYPE_H
#define IOASIS_ANALYSIS_CTF_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/decode/uid.h"

#define CTF_UUID_BYTES 16u
#define CTF_NS_PER_S 1000000000u

enum ctf_kind {
	CTF_INTEGER,
	CTF_FIXED, /* a known number of bits whose value nobody reads: a floating point number */
	CTF_STRING,
	CTF_STRUCT,
	CTF_ARRAY,
	CTF_SEQUENCE,
	CTF_VARIANT,
};

enum ctf_order {
	CTF_NATIVE, /* the trace's */
	CTF_LITTLE,
	CTF_BIG,
};

/* What an integer of a header or context is for. */
enum ctf_role {
	CTF_ROLE_NONE,
	CTF_ROLE_MAGIC,
	CTF_ROLE_STREAM_CLASS,
	CTF_ROLE_STREAM_ID,
	CTF_ROLE_TOTAL_BITS,
	CTF_ROLE_CONTENT_BITS,
	CTF_ROLE_BEGIN,
	CTF_ROLE_END,
	CTF_ROLE_DISCARDED,
	CTF_ROLE_SEQ,
	CTF_ROLE_EVENT_ID,
	CTF_ROLE_COUNT,
};

/* A name for the values [first, last]; of a signed integer they are sign-extended. */
struct ctf_label {
	const char *name;
	uint64_t first, last;
};

/* A member of a structure, or an option of a variant. */
struct ctf_field {
	const char *name;
	struct ctf_type *type;
	struct ctf_label *labels; /* CTF 2: the tag's values that choose the option */
	size_t labels_count;
};

struct ctf_type {
	enum ctf_kind kind;
	enum ctf_order order;
	uint32_t align; /* bits */
	uint32_t bits;	/* CTF_INTEGER, CTF_FIXED */
	bool is_signed;
	bool is_text;	/* a byte of a text */
	bool is_clock;	/* its value is the time of the default clock */
	enum ctf_role role;
	struct ctf_label *labels; /* an enumeration's */
	size_t labels_count;
	struct ctf_field *fields; /* CTF_STRUCT, CTF_VARIANT */
	size_t fields_count;
	struct ctf_type *element; /* CTF_ARRAY, CTF_SEQUENCE */
	uint64_t length;	  /* CTF_ARRAY */
	/* The name of the sequence's length or the variant's tag: a field that came before. */
	const char *reference;
};

struct ctf_event_class {
	uint64_t id;
	const char *name; /* never NULL */
	struct ctf_type *context, *payload; /* NULL: none */
	struct ctf_event_class *next;	    /* of its stream class */
};

struct ctf_stream_class {
	uint64_t id;
	struct ctf_type *packet_context, *event_header, *event_context; /* NULL: none */
	bool has_clock;
	struct ctf_event_class *events;
	struct ctf_stream_class *next;
};

struct ctf_clock {
	const char *name; /* NULL: the trace has no clock */
	char uuid[UID_BYTES]; /* or UID, as uid_plain() writes it; "" where it has none */
	uint64_t frequency; /* Hz */
	int64_t offset_s;
	uint64_t offset_cycles;
	bool is_absolute; /* its origin is the Unix epoch */
};

struct ctf_metadata {
	unsigned int version; /* 1: CTF 1.8, 2: CTF 2 */
	enum ctf_order order;
	bool has_uuid;
	uint8_t uuid[CTF_UUID_BYTES];
	const char *hostname, *tracer_name, *scenario; /* of the environment; NULL: none */
	uint64_t tracer_major, tracer_minor;
	uint64_t vpid; /* of the environment: the process of a trace of its own; 0: none */
	struct ctf_clock clock;
	struct ctf_type *packet_header; /* NULL: none */
	struct ctf_stream_class *streams;
	struct ctf_block *blocks; /* the arena */
};

/* Zeroed memory that lives as long as the metadata; NULL: out of memory. */
void *ctf_alloc(struct ctf_metadata *metadata, size_t bytes);
/* A copy of n letters, and a final zero. */
char *ctf_text(struct ctf_metadata *metadata, const char *text, size_t n);

/* The stream class with that id; makes it when make is set. NULL: there is none, or no memory. */
struct ctf_stream_class *ctf_stream_class(struct ctf_metadata *metadata, uint64_t id, bool make);

/* Makes an event class of the stream class; NULL: out of memory. */
struct ctf_event_class *ctf_event_class_add(struct ctf_metadata *metadata,
					    struct ctf_stream_class *stream);

/* Notes an entry of the environment: text, or a number where text is NULL. */
int ctf_environment(struct ctf_metadata *metadata, const char *name, const char *text,
		    uint64_t number);

/*
 * Reads the metadata of the trace in folder. 0; -ENOTSUP: it holds what this reader does not
 * know, so babeltrace2 is to read the trace; or another negative errno. *metadata is to be given
 * to ctf_metadata_destroy() after 0.
 */
int ctf_metadata_read(const char *folder, struct ctf_metadata **metadata);
void ctf_metadata_destroy(struct ctf_metadata *metadata);

/* The two languages; text ends with a zero. 0, -ENOTSUP or -ENOMEM. */
int ctf_tsdl_parse(struct ctf_metadata *metadata, const char *text);
int ctf_json_parse(struct ctf_metadata *metadata, const char *text, size_t bytes);

#endif
