/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/ctf_metadata.h"

#include "sim/scenario/ctf_uuid.h"

_Static_assert(TRACE_EVENTS_COUNT <= UINT8_MAX + 1, "an event's number has one byte");

unsigned int ctf_field_bytes(enum trace_type type)
{
	switch (type) {
	case TRACE_TYPE_u8:
		return 1;
	case TRACE_TYPE_u32:
	case TRACE_TYPE_x32:
	case TRACE_TYPE_i32:
	case TRACE_TYPE_id:
	case TRACE_TYPE_new_id:
		return 4;
	case TRACE_TYPE_str:
		return 0;
	case TRACE_TYPE_u64:
	case TRACE_TYPE_x64:
	case TRACE_TYPE_va:
		break;
	}
	return 8;
}

static const char head[] =
	"trace {\n"
	"	major = 1;\n"
	"	minor = 8;\n"
	"	uuid = \"%s\";\n"
	"	byte_order = le;\n"
	"	packet.header := struct {\n"
	"		integer { size = 32; align = 8; base = x; } magic;\n"
	"		integer { size = 8; align = 8; } uuid[16];\n"
	"		integer { size = 64; align = 8; } stream_id;\n"
	"	} align(8);\n"
	"};\n\n"
	"env {\n"
	"	tracer_name = \"ioasis-simulate\";\n"
	"	hostname = \"simulation\";\n"
	"	scenario = \"";

static const char stream[] =
	"\";\n"
	"};\n\n"
	"clock {\n"
	"	name = virtual;\n"
	"	description = \"virtual time of a simulation\";\n"
	"	freq = 1000000000;\n"
	"	precision = 0;\n"
	"	offset_s = 0;\n"
	"	offset = 0;\n"
	"	absolute = false;\n"
	"};\n\n"
	"stream {\n"
	"	id = 0;\n"
	"	packet.context := struct {\n"
	"		integer { size = 64; align = 8; } packet_size;\n"
	"		integer { size = 64; align = 8; } content_size;\n"
	"		integer { size = 64; align = 8; map = clock.virtual.value; } timestamp_begin;\n"
	"		integer { size = 64; align = 8; map = clock.virtual.value; } timestamp_end;\n"
	"		integer { size = 64; align = 8; } packet_seq_num;\n"
	"	} align(8);\n"
	"	event.header := struct {\n"
	"		integer { size = 8; align = 8; } id;\n"
	"		integer { size = 64; align = 8; map = clock.virtual.value; } timestamp;\n"
	"	} align(8);\n"
	"};\n";

/* Readers take the underscore off again: without it some names would be words of the language. */
static void print_field(FILE *file, const struct trace_field *field)
{
	bool is_hex = field->type == TRACE_TYPE_x32 || field->type == TRACE_TYPE_x64 ||
		      field->type == TRACE_TYPE_va;

	if (field->type == TRACE_TYPE_str)
		fprintf(file, "		string { encoding = UTF8; } _%s;\n", field->name);
	else
		fprintf(file, "		integer { size = %u; align = 8;%s%s } _%s;\n",
			8 * ctf_field_bytes(field->type), is_hex ? " base = x;" : "",
			field->type == TRACE_TYPE_i32 ? " signed = true;" : "", field->name);
}

/* As a string of C, without what would end it. */
static void print_quoted(FILE *file, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', file);
		if ((unsigned char)*text < ' ')
			fprintf(file, "\\%03o", (unsigned char)*text);
		else
			fputc(*text, file);
	}
}

void ctf_metadata_print(FILE *file, const uint8_t uuid[16], const char *name)
{
	char text[CTF_UUID_TEXT_BYTES];

	ctf_uuid_print(uuid, text);
	fprintf(file, "/* CTF 1.8 */\n\n");
	fprintf(file, head, text);
	print_quoted(file, name);
	fputs(stream, file);
	for (unsigned int i = 0; i < TRACE_EVENTS_COUNT; i++) {
		const struct trace_description *described = &trace_descriptions[i];

		fprintf(file, "\nevent {\n	name = \"%s\";\n	stream_id = 0;\n	id = %u;\n"
			      "	fields := struct {\n",
			described->name, i);
		for (size_t k = 0; k < described->fields_count; k++)
			print_field(file, &described->fields[k]);
		fprintf(file, "	} align(8);\n};\n");
	}
}
