/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/exec/way.h"

#include "sim/exec/signal_calls.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

static const char *const names[] = {
	[CALL_BY_FUSE] = "fuse",
	[CALL_BY_NOTIFY] = "notify",
	[CALL_BY_RING] = "ring",
};

/*
 * Linux 6.6 wakes a supervisor on its caller's processor (SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
 * before, a notification takes as long as FUSE.
 */
static bool wakes_at_once(void)
{
	struct utsname name;
	unsigned int major, minor;

	return !uname(&name) && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 6));
}

bool call_way_choose(const char *name, enum call_way *way)
{
	if (!name || !*name) {
		*way = wakes_at_once() && signal_calls_restart() ? CALL_BY_RING : CALL_BY_FUSE;
		return true;
	}
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(names[i], name)) {
			*way = (enum call_way)i;
			return true;
		}
	}
	return false;
}
