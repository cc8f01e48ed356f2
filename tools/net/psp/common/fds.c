// SPDX-License-Identifier: GPL-2.0
/* The descriptors that a program begins with */
#include <fcntl.h>
#include <unistd.h>

#include "tool.h"

void fds_init(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}
