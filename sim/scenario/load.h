/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads scenario files: YAML of two levels (sections, keys), or JSON, which is YAML.
 *
 * `include: FILE` (or a list of files, relative to the including one) comes before
 * the file's own keys, `preset: NAME` before both; --set comes last.
 */
#ifndef IOASIS_SCENARIO_LOAD_H
#define IOASIS_SCENARIO_LOAD_H

#include <stddef.h>

#include "sim/scenario/scenario.h"

#define SCENARIO_ERROR_BYTES 1024

/*
 * Fills *scenario from the file and from settings ("nic.rate=25G", settings_count
 * of them, over the file's). 0, or -errno (-EINVAL for what is written in it, the
 * errno of reading it, -ENOMEM) with one line in error: FILE:LINE: KEY: what is
 * wrong; what would be right. The caller ends *scenario with scenario_fini() when 0.
 */
int scenario_load(const char *path, const char *const *settings, size_t settings_count,
		  struct scenario *scenario, char error[SCENARIO_ERROR_BYTES]);

void scenario_fini(struct scenario *scenario);

#endif
