/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vfio-user server of the unit tests as a program: vfio_user_server SOCKET. It ends when
 * its input does.
 */
#include <stdio.h>
#include <string.h>

#include "tests/unit/vfio_user_server.h"

int main(int argc, char **argv)
{
	static struct vfio_user_server server = { .device_id = 0x5678, .twin = true };

	if (argc != 2 || strlen(argv[1]) >= sizeof(server.path))
		return 2;
	strcpy(server.path, argv[1]);
	vfio_user_server_start(&server);
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	vfio_user_server_stop(&server);
	return 0;
}
