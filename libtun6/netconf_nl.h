/*
 * netconf_nl.h - what the two halves of netconf share
 */
#ifndef LIBTUN6_NETCONF_NL_H
#define LIBTUN6_NETCONF_NL_H

#include <netlink/netlink.h>

struct netconf {
	struct nl_sock *ask;	/* requests and their answers */
	struct nl_sock *watch;	/* notices; NULL until netconf_watch() */
	int sysctl;		/* /proc/sys/net/ipv6/conf, -1: no IPv6 */
};

/* A negative error of libnl as -errno. */
int netconf_errno(int nle);

#endif
