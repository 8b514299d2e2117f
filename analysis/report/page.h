/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files that make up the report's page, built into the program: analysis/report/page/
 * and D3 with its licence, as Debian's libjs-d3 installs them.
 */
#ifndef IOASIS_ANALYSIS_PAGE_H
#define IOASIS_ANALYSIS_PAGE_H

/* Each is a string with a zero at its end. */
extern const char page_html[];	 /* with @STYLE@, @D3LICENCE@, @D3@, @DATA@ and @SCRIPT@ */
extern const char page_css[];
extern const char page_core_js[], page_spaces_js[], page_charts_js[], page_start_js[];
extern const char page_d3_js[];
extern const char page_d3_licence[];

#endif
