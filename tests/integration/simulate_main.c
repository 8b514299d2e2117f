/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `ioasis simulate` as a program of its own, to be built with other flags. */
#include "cli/commands.h"

int main(int argc, char **argv)
{
	return cmd_simulate(argc, argv);
}
