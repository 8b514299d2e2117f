/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Only data: the assembler takes the files in as they are. */
#include "analysis/report/page.h"

#define EMBED(name, path)						\
	__asm__(".section .rodata\n"					\
		".globl " #name "\n"					\
		".hidden " #name "\n"					\
		".type " #name ", %object\n"				\
		#name ":\n"						\
		".incbin \"" path "\"\n"				\
		".byte 0\n"						\
		".size " #name ", . - " #name "\n"			\
		".previous\n")

EMBED(page_html, "analysis/report/page/page.html");
EMBED(page_css, "analysis/report/page/page.css");
EMBED(page_core_js, "analysis/report/page/core.js");
EMBED(page_spaces_js, "analysis/report/page/spaces.js");
EMBED(page_charts_js, "analysis/report/page/charts.js");
EMBED(page_start_js, "analysis/report/page/start.js");
EMBED(page_d3_js, D3_JS);
EMBED(page_d3_licence, D3_LICENCE);
