/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/units.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit byte_units[] = {
	{ "B", 1 },
	{ "KiB", 1ull << 10 },
	{ "MiB", 1ull << 20 },
	{ "GiB", 1ull << 30 },
	{ "TiB", 1ull << 40 },
	{ NULL, 0 },
};

static const struct unit time_units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "min", 60000000000 },
	{ "h", 3600000000000 },
	{ "d", 86400000000000 },
	{ NULL, 0 },
};

static const struct unit rate_units[] = {
	{ "bit", 1 },
	{ "kbit", 1000 },
	{ "Mbit", 1000000 },
	{ "Gbit", 1000000000 },
	{ "Tbit", 1000000000000 },
	{ "M", 1000000 },
	{ "G", 1000000000 },
	{ "T", 1000000000000 },
	{ "Mbit/s", 1000000 },
	{ "Gbit/s", 1000000000 },
	{ NULL, 0 },
};

static const struct unit hertz_units[] = {
	{ "MHz", 1000000 },
	{ "GHz", 1000000000 },
	{ NULL, 0 },
};

static const struct unit count_units[] = {
	{ "", 1 },
	{ "k", 1000 },
	{ "M", 1000000 },
	{ NULL, 0 },
};

static const struct unit share_units[] = {
	{ "%", 10000 },
	{ NULL, 0 },
};

static const struct unit cycle_units[] = {
	{ "cycles", 1 },
	{ NULL, 0 },
};

/* What a text of digits, an optional fraction and a unit means, before rounding. */
struct quantity {
	unsigned __int128 numerator; /* value * factor * 10^fraction digits */
	uint64_t denominator;	     /* 10^fraction digits */
};

enum quantity_error {
	QUANTITY_OK,
	QUANTITY_NO_NUMBER,
	QUANTITY_NO_UNIT,
	QUANTITY_BAD_UNIT,
	QUANTITY_TOO_LARGE,
};

static enum quantity_error parse_quantity(const char *text, const struct unit *units,
					  struct quantity *quantity)
{
	unsigned __int128 digits = 0;
	uint64_t denominator = 1;
	bool fraction = false;

	if (!isdigit((unsigned char)*text))
		return QUANTITY_NO_NUMBER;
	for (; isdigit((unsigned char)*text) || (*text == '.' && !fraction); text++) {
		if (*text == '.') {
			fraction = true;
			if (!isdigit((unsigned char)text[1]))
				return QUANTITY_NO_NUMBER;
			continue;
		}
		digits = digits * 10 + (unsigned int)(*text - '0');
		if (digits > UINT64_MAX || denominator > 100000000000)
			return QUANTITY_TOO_LARGE;
		if (fraction)
			denominator *= 10;
	}
	while (*text == ' ')
		text++;
	for (; units->name; units++) {
		if (strcmp(text, units->name))
			continue;
		quantity->numerator = digits * units->factor;
		quantity->denominator = denominator;
		return quantity->numerator / denominator > UINT64_MAX ? QUANTITY_TOO_LARGE
								      : QUANTITY_OK;
	}
	return *text ? QUANTITY_BAD_UNIT : QUANTITY_NO_UNIT;
}

/* The messages of one kind of value. */
struct value_kind {
	const struct unit *units;
	const char *no_number;
	const char *no_unit;
	const char *bad_unit;
	const char *not_whole;
};

static const char *parse_value(const char *text, const struct value_kind *kind, uint64_t *value)
{
	struct quantity quantity;

	switch (parse_quantity(text, kind->units, &quantity)) {
	case QUANTITY_OK:
		break;
	case QUANTITY_NO_NUMBER:
		return kind->no_number;
	case QUANTITY_NO_UNIT:
		return kind->no_unit;
	case QUANTITY_BAD_UNIT:
		return kind->bad_unit;
	case QUANTITY_TOO_LARGE:
		return "is too large; write a number that fits in 64 bits";
	}
	if (quantity.numerator % quantity.denominator)
		return kind->not_whole;
	*value = (uint64_t)(quantity.numerator / quantity.denominator);
	return NULL;
}

const char *units_parse_count(const char *text, uint64_t *value)
{
	static const struct value_kind kind = {
		.units = count_units,
		.no_number = "is not a number; write one like 64 or 10k",
		.no_unit = "is not a number; write one like 64 or 10k",
		.bad_unit = "ends in an unknown unit; a count has none, or k or M",
		.not_whole = "is not a whole number; write one like 64 or 10k",
	};

	return parse_value(text, &kind, value);
}

const char *units_parse_bytes(const char *text, uint64_t *bytes)
{
	static const struct value_kind kind = {
		.units = byte_units,
		.no_number = "is not a size; write one like 4KiB or 2GiB",
		.no_unit = "has no unit; write B, KiB, MiB, GiB or TiB behind it",
		.bad_unit = "ends in an unknown unit; sizes have B, KiB, MiB, GiB or TiB",
		.not_whole = "is not a whole number of bytes; write one like 1536KiB",
	};

	return parse_value(text, &kind, bytes);
}

const char *units_parse_rate(const char *text, uint64_t *bits)
{
	static const struct value_kind kind = {
		.units = rate_units,
		.no_number = "is not a rate; write one like 10Gbit or 25G",
		.no_unit = "has no unit; write Mbit or Gbit (or M, G) behind it",
		.bad_unit = "ends in an unknown unit; rates have kbit, Mbit, Gbit, Tbit, M or G",
		.not_whole = "is not a whole number of bits; write one like 2500Mbit",
	};

	return parse_value(text, &kind, bits);
}

const char *units_parse_hertz(const char *text, uint64_t *hertz)
{
	static const struct value_kind kind = {
		.units = hertz_units,
		.no_number = "is not a frequency; write one like 2.4GHz",
		.no_unit = "has no unit; write MHz or GHz behind it",
		.bad_unit = "ends in an unknown unit; frequencies have MHz or GHz",
		.not_whole = "is not a whole number of hertz; write one like 2400MHz",
	};

	return parse_value(text, &kind, hertz);
}

const char *units_parse_share(const char *text, uint64_t *ppm)
{
	static const struct value_kind kind = {
		.units = share_units,
		.no_number = "is not a share; write one like 50% or 0.1%",
		.no_unit = "has no unit; write % behind it",
		.bad_unit = "ends in an unknown unit; shares have %",
		.not_whole = "is too fine; shares go down to 0.0001%",
	};

	return parse_value(text, &kind, ppm);
}

const char *units_parse_bool(const char *text, uint64_t *value)
{
	*value = !strcmp(text, "yes") || !strcmp(text, "true");
	if (*value || !strcmp(text, "no") || !strcmp(text, "false"))
		return NULL;
	return "is neither yes nor no; write one of them";
}

const char *units_parse_time(const char *text, uint64_t clock_hertz, uint64_t *ns)
{
	static const struct value_kind kind = {
		.units = time_units,
		.no_number = "is not a time; write one like 50us or 10ms",
		.no_unit = "has no unit; write ns, us, ms, s, min, h or d behind it",
		.bad_unit = "ends in an unknown unit; times have ns, us, ms, s, min, h or d",
		.not_whole = "is finer than a nanosecond; write a whole number of ns",
	};
	struct quantity quantity;

	if (clock_hertz && parse_quantity(text, cycle_units, &quantity) == QUANTITY_OK) {
		/* Rounded to the nearest nanosecond. */
		unsigned __int128 value = quantity.numerator * 1000000000 / quantity.denominator;

		value = (value + clock_hertz / 2) / clock_hertz;
		if (value > UINT64_MAX)
			return "is too large; write fewer cycles";
		*ns = (uint64_t)value;
		return NULL;
	}
	return parse_value(text, &kind, ns);
}

/* ---- distributions ------------------------------------------------------ */

#define DIST_ARGS_MAX 3

/* Splits `name(a, b, c)`; false when it does not have that form. Arguments are trimmed. */
static bool split_call(const char *text, char *name, size_t name_size, char args[DIST_ARGS_MAX][32],
		       unsigned int *args_count)
{
	size_t length = strcspn(text, "(");
	const char *at = text + length + 1;

	if (!text[length] || length >= name_size || text[strlen(text) - 1] != ')')
		return false;
	memcpy(name, text, length);
	name[length] = 0;
	for (*args_count = 0;; at++) {
		at += strspn(at, " ");
		length = strcspn(at, ",)");
		if (*args_count == DIST_ARGS_MAX || length >= 32 || !length)
			return false;
		memcpy(args[*args_count], at, length);
		while (length && at[length - 1] == ' ')
			length--;
		args[(*args_count)++][length] = 0;
		at += strcspn(at, ",)");
		if (*at == ')')
			return !at[1];
	}
}

static const char *parse_dist_value(const char *text, enum units_of_dist unit, uint64_t *value)
{
	switch (unit) {
	case UNITS_TIME:
		return units_parse_time(text, 0, value);
	case UNITS_BYTES:
		return units_parse_bytes(text, value);
	case UNITS_COUNT:
		break;
	}
	return units_parse_count(text, value);
}

static const char *parse_pareto_index(const char *text, struct des_dist *dist)
{
	static const struct unit thousandths[] = { { "", 1000 }, { NULL, 0 } };
	struct quantity quantity;
	uint64_t index;

	if (parse_quantity(text, thousandths, &quantity) != QUANTITY_OK)
		return "has no tail index; write pareto(LEAST, MOST, INDEX), INDEX like 1.5";
	index = (uint64_t)(quantity.numerator / quantity.denominator);
	if (index < 100 || index > 100000)
		return "has a tail index outside of 0.1 to 100; write one like 1.5";
	dist->c = (uint32_t)index;
	return NULL;
}

const char *units_parse_dist(const char *text, enum units_of_dist unit, struct des_dist *dist)
{
	static const struct {
		const char *name;
		enum des_dist_kind kind;
		unsigned int args_count;
		const char *form;
	} forms[] = {
		{ "constant", DES_DIST_CONSTANT, 1, "takes one value: constant(VALUE)" },
		{ "uniform", DES_DIST_UNIFORM, 2, "takes two values: uniform(LOW, HIGH)" },
		{ "exponential", DES_DIST_EXPONENTIAL, 1, "takes one value: exponential(MEAN)" },
		{ "pareto", DES_DIST_PARETO, 3, "takes three values: pareto(LEAST, MOST, INDEX)" },
	};
	char name[16], args[DIST_ARGS_MAX][32];
	unsigned int args_count;
	const char *problem;

	*dist = (struct des_dist){ .kind = DES_DIST_CONSTANT };
	if (!strchr(text, '('))
		return parse_dist_value(text, unit, &dist->a);
	if (!split_call(text, name, sizeof(name), args, &args_count))
		return "is no distribution; write a value, uniform(LOW, HIGH), exponential(MEAN) "
		       "or pareto(LEAST, MOST, INDEX)";
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (strcmp(name, forms[i].name))
			continue;
		if (args_count != forms[i].args_count)
			return forms[i].form;
		dist->kind = forms[i].kind;
		problem = parse_dist_value(args[0], unit, &dist->a);
		if (!problem && args_count > 1)
			problem = parse_dist_value(args[1], unit, &dist->b);
		if (!problem && args_count > 2)
			problem = parse_pareto_index(args[2], dist);
		if (!problem && args_count > 1 && dist->a > dist->b)
			problem = "has its bounds in the wrong order; write the lower one first";
		return problem;
	}
	return "is an unknown distribution; there are uniform, exponential, pareto and constant";
}

/* ---- printing ----------------------------------------------------------- */

/* value / factor with two decimals where they are not 0. */
static const char *print_scaled(uint64_t value, uint64_t factor, const char *unit, char *buf)
{
	uint64_t hundredths = (uint64_t)(((unsigned __int128)value * 100 + factor / 2) / factor);

	if (hundredths % 100)
		snprintf(buf, UNITS_TEXT_BYTES, "%llu.%02llu%s",
			 (unsigned long long)(hundredths / 100),
			 (unsigned long long)(hundredths % 100), unit);
	else
		snprintf(buf, UNITS_TEXT_BYTES, "%llu%s", (unsigned long long)(hundredths / 100),
			 unit);
	return buf;
}

/* The largest unit, of the first `count`, that value has at least one of. */
static const char *print_with(const struct unit *units, size_t count, uint64_t value, char *buf)
{
	size_t best = 0;

	for (size_t i = 0; i < count; i++) {
		if (value >= units[i].factor)
			best = i;
	}
	return print_scaled(value, units[best].factor, units[best].name, buf);
}

const char *units_print_bytes(uint64_t bytes, char buf[UNITS_TEXT_BYTES])
{
	return print_with(byte_units, 5, bytes, buf);
}

const char *units_print_time(uint64_t ns, char buf[UNITS_TEXT_BYTES])
{
	return print_with(time_units, 4, ns, buf);
}

const char *units_print_rate(uint64_t bits, char buf[UNITS_TEXT_BYTES])
{
	return print_with(rate_units, 5, bits, buf);
}

const char *units_print_share(uint64_t ppm, char buf[UNITS_TEXT_BYTES])
{
	return print_scaled(ppm, 10000, "%", buf);
}

const char *units_print_count(uint64_t count, char buf[UNITS_TEXT_BYTES])
{
	snprintf(buf, UNITS_TEXT_BYTES, "%llu", (unsigned long long)count);
	return buf;
}
