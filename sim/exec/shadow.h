/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Folders of the host to which this mount namespace adds entries of its own: a tmpfs that
 * shows all that the folder has, links copied and the rest bound. Of /sys, say, where
 * nothing can be made.
 */
#ifndef IOASIS_SIM_EXEC_SHADOW_H
#define IOASIS_SIM_EXEC_SHADOW_H

#include <stddef.h>

/*
 * Makes path, an absolute one without links, a folder of this namespace in which entries
 * can be made; what the host has there stays to be seen. One that is not there is made.
 * After namespace_enter(), with a single thread. 0 or -errno.
 */
int shadow_folder(const char *path);

/*
 * Makes an empty folder at path in place of what is there: in a folder of the host's, by a
 * tmpfs over it. Its parent is one of shadow_folder(). 0 or -errno.
 */
int shadow_replace(const char *path);

#endif
