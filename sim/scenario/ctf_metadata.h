/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a scenario's trace is laid out in CTF 1.8: all fields lie at the next byte, least significant
 * byte first. A packet begins with its head; each event with its number and its time.
 */
#ifndef IOASIS_SCENARIO_CTF_METADATA_H
#define IOASIS_SCENARIO_CTF_METADATA_H

#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>

#include "tracepoints/events.h"

#define CTF_MAGIC 0xc1fc1fc1u

/* What a packet begins with; sizes in bits. */
struct ctf_packet_head {
	uint32_t magic;
	uint8_t uuid[16];
	uint64_t stream_id;
	uint64_t packet_size;
	uint64_t content_size;
	uint64_t timestamp_begin;
	uint64_t timestamp_end;
	uint64_t packet_seq_num;
} __attribute__((packed));

/* What an event begins with. */
struct ctf_event_head {
	uint8_t id;
	uint64_t timestamp;
} __attribute__((packed));

/* Bytes of a field in a trace; 0: text, which ends with a zero byte. */
unsigned int ctf_field_bytes(enum trace_type type);

/* Writes the text of `metadata`. name: of the scenario. */
void ctf_metadata_print(FILE *file, const uint8_t uuid[16], const char *name);

#endif
