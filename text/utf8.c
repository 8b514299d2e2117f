/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text/utf8.h"

#include <stdlib.h>
#include <string.h>

/* The Unicode Standard, table 3-7: which second bytes go with a first one. */
static bool second_fits(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0: /* a shorter form would do */
		return second >= 0xa0;
	case 0xed: /* halves of surrogate pairs are no characters */
		return second < 0xa0;
	case 0xf0:
		return second >= 0x90;
	case 0xf4: /* beyond U+10FFFF */
		return second < 0x90;
	default:
		return true;
	}
}

int utf8_length(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	int len = s[0] < 0x80 ? 1
		: s[0] >= 0xc2 && s[0] < 0xe0 ? 2
		: s[0] >= 0xe0 && s[0] < 0xf0 ? 3
		: s[0] >= 0xf0 && s[0] < 0xf5 ? 4
					      : 0;

	for (int i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	return len > 1 && !second_fits(s[0], s[1]) ? 0 : len;
}

bool utf8_is_valid(const char *text)
{
	for (int len; *text; text += len) {
		len = utf8_length(text);
		if (!len)
			return false;
	}
	return true;
}

char *utf8_copy(const char *text)
{
	size_t most = strlen(UTF8_REPLACEMENT) * strlen(text) + 1;
	char *copy = malloc(most), *at = copy;

	if (!copy)
		return NULL;
	while (*text) {
		int len = utf8_length(text);

		if (len)
			at = mempcpy(at, text, (size_t)len);
		else
			at = stpcpy(at, UTF8_REPLACEMENT);
		text += len ? len : 1;
	}
	*at = 0;
	return copy;
}
