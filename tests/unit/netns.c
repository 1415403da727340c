/*
 * netns.c - a network namespace of one's own, for tests that need a kernel
 *
 * Nothing that a test sends can leave it, and it goes away with the process.
 */
#include "config.h"

#include "netns.h"

#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

bool netns_set_link(const char *ifname, bool up)
{
	struct ifreq req = {.ifr_flags = (short)(up ? IFF_UP : 0)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool done;

	if (fd < 0)
		return false;
	strncpy(req.ifr_name, ifname, sizeof(req.ifr_name) - 1);
	done = ioctl(fd, SIOCSIFFLAGS, &req) == 0;
	close(fd);
	return done;
}

bool netns_enter(void)
{
	int flags = CLONE_NEWNET | (geteuid() != 0 ? CLONE_NEWUSER : 0);

	if (unshare(flags) == 0 && netns_set_link("lo", true))
		return true;
	perror("# no network namespace");
	return false;
}
