/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a device is on the PCI bus, as people write it. */
#ifndef IOASIS_ANALYSIS_BDF_H
#define IOASIS_ANALYSIS_BDF_H

#include <stdint.h>
#include <stdio.h>

#define BDF_TEXT_BYTES 13u /* 0000:00:05.0 */

/* bdf: domain, bus, slot and function in 16, 8, 5 and 3 bits. Returns text. */
static inline const char *bdf_text(uint32_t bdf, char text[BDF_TEXT_BYTES])
{
	snprintf(text, BDF_TEXT_BYTES, "%04x:%02x:%02x.%x", (unsigned int)(bdf >> 16),
		 (unsigned int)(bdf >> 8 & 0xff), (unsigned int)(bdf >> 3 & 0x1f),
		 (unsigned int)(bdf & 7));
	return text;
}

#endif
