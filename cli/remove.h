/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removing what a command made; what cannot be removed stays, without a word. */
#ifndef IOASIS_CLI_REMOVE_H
#define IOASIS_CLI_REMOVE_H

/* A folder with all that is in it; links are removed, not followed. */
void cli_remove_tree(const char *path);

#endif
