/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text/xml_out.h"

#include <stddef.h>

#include "text/utf8.h"

/* What stands for a character that cannot stand for itself; NULL: it can. */
static const char *escape(unsigned char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\n': /* kept in an attribute, too */
		return "&#10;";
	case '\t':
		return "&#9;";
	default:
		return c < 0x20 ? UTF8_REPLACEMENT : NULL;
	}
}

void xml_out_text(FILE *file, const char *text)
{
	while (*text) {
		int len = utf8_length(text);
		const char *instead = len ? escape((unsigned char)*text) : UTF8_REPLACEMENT;

		if (instead)
			fputs(instead, file);
		else
			fwrite(text, 1, (size_t)len, file);
		text += len ? len : 1;
	}
}

void xml_out_attribute(FILE *file, const char *name, const char *text)
{
	fprintf(file, " %s=\"", name);
	xml_out_text(file, text);
	putc('"', file);
}
