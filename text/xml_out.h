/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text in XML. Errors stay with the stream (ferror). */
#ifndef IOASIS_TEXT_XML_OUT_H
#define IOASIS_TEXT_XML_OUT_H

#include <stdio.h>

/*
 * Writes text as character data or as an attribute's value. What is not UTF-8, and what XML 1.0
 * cannot hold (most control characters), becomes U+FFFD.
 */
void xml_out_text(FILE *file, const char *text);

/* ` NAME="TEXT"` */
void xml_out_attribute(FILE *file, const char *name, const char *text);

#endif
