/*
 * netns.c - a network namespace of one's own, for tests that need a kernel
 *
 * Nothing that a test sends can leave it, and it goes away with the process.
 */
#include "config.h"

#include "netns.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOWER_UP (1u << 16) /* IFF_LOWER_UP, which <net/if.h> lacks */

static bool change(const char *ifname, unsigned long what, struct ifreq req)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool done;

	if (fd < 0)
		return false;
	strncpy(req.ifr_name, ifname, sizeof(req.ifr_name) - 1);
	done = ioctl(fd, what, &req) == 0;
	close(fd);
	return done;
}

bool netns_set_link(const char *ifname, bool up)
{
	return change(ifname, SIOCSIFFLAGS,
		      (struct ifreq){
			      .ifr_flags = (short)(up ? IFF_UP : 0)});
}

bool netns_set_mtu(const char *ifname, int mtu)
{
	return change(ifname, SIOCSIFMTU, (struct ifreq){.ifr_mtu = mtu});
}

/* Asks rtnetlink about a link; the flags in its answer, or 0. */
static unsigned link_request(const char *ifname, uint16_t type, uint16_t flags)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg info;
	} ask = {
		.h = {.nlmsg_len = sizeof(ask),
		      .nlmsg_type = type,
		      .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)},
		.info = {.ifi_index = (int)if_nametoindex(ifname)},
	};
	union {
		struct nlmsghdr h;
		char room[8192];
	} answer = {0};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	unsigned result = 0;

	if (send(fd, &ask, sizeof(ask), 0) == sizeof(ask) &&
	    recv(fd, &answer, sizeof(answer), 0) > 0 &&
	    answer.h.nlmsg_type == RTM_NEWLINK) {
		const struct ifinfomsg *info = NLMSG_DATA(&answer.h);

		result = info->ifi_flags;
	}
	close(fd);
	return result;
}

bool netns_has_carrier(const char *ifname)
{
	return (link_request(ifname, RTM_GETLINK, 0) & LOWER_UP) != 0;
}

bool netns_delete_link(const char *ifname)
{
	link_request(ifname, RTM_DELLINK, NLM_F_ACK);
	return if_nametoindex(ifname) == 0;
}

bool netns_add_ip4(uint32_t ip)
{
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg info;
		struct rtattr attr;
		uint32_t ip;
	} ask = {
		.h = {.nlmsg_len = sizeof(ask),
		      .nlmsg_type = RTM_NEWADDR,
		      .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE},
		.info = {.ifa_family = AF_INET,
			 .ifa_prefixlen = 32,
			 .ifa_index = if_nametoindex("lo")},
		.attr = {.rta_len = RTA_LENGTH(sizeof(ip)),
			 .rta_type = IFA_LOCAL},
		.ip = ip,
	};
	struct {
		struct nlmsghdr h;
		struct nlmsgerr error;
	} answer = {0};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	bool done = send(fd, &ask, sizeof(ask), 0) == sizeof(ask) &&
		    recv(fd, &answer, sizeof(answer), 0) > 0 &&
		    answer.h.nlmsg_type == NLMSG_ERROR &&
		    answer.error.error == 0;

	close(fd);
	return done;
}

static bool skip(const char *what)
{
	printf("1..0 # SKIP %s: %s\n", what, strerror(errno));
	return false;
}

bool netns_enter(void)
{
	int flags = CLONE_NEWNET | (geteuid() != 0 ? CLONE_NEWUSER : 0);

	if (unshare(flags) != 0 || !netns_set_link("lo", true))
		return skip("no network namespace");
	return true;
}

bool netns_enter_with_tun(void)
{
	if (access("/dev/net/tun", R_OK | W_OK) != 0)
		return skip("/dev/net/tun");
	return netns_enter();
}
