/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an event of the catalogue is for LTTng: a tracepoint with one argument, the structure of
 * its fields. For the *_tp.h only, which LTTng reads several times.
 */
#undef EVENT
#undef FIELD

#define EVENT(provider, name, fields)                                                \
	LTTNG_UST_TRACEPOINT_EVENT(                                                  \
		provider, name,                                                      \
		LTTNG_UST_TP_ARGS(const struct trace_##provider##_##name *, values), \
		LTTNG_UST_TP_FIELDS(fields))
#define FIELD(type, name) LTTNG_FIELD_##type(name)

#ifndef LTTNG_FIELD_u8
#define LTTNG_FIELD_u8(name)	 lttng_ust_field_integer(uint8_t, name, (uint8_t)values->name)
#define LTTNG_FIELD_u32(name)	 lttng_ust_field_integer(uint32_t, name, (uint32_t)values->name)
#define LTTNG_FIELD_u64(name)	 lttng_ust_field_integer(uint64_t, name, values->name)
#define LTTNG_FIELD_x32(name)	 lttng_ust_field_integer_hex(uint32_t, name, (uint32_t)values->name)
#define LTTNG_FIELD_x64(name)	 lttng_ust_field_integer_hex(uint64_t, name, values->name)
#define LTTNG_FIELD_va(name)	 lttng_ust_field_integer_hex(uint64_t, name, values->name)
#define LTTNG_FIELD_id(name)	 LTTNG_FIELD_u32(name)
#define LTTNG_FIELD_new_id(name) LTTNG_FIELD_u32(name)
#define LTTNG_FIELD_i32(name)	 lttng_ust_field_integer(int32_t, name, (int32_t)values->name)
#define LTTNG_FIELD_str(name)	 lttng_ust_field_string(name, values->name)
#endif
