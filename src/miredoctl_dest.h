/*
 * miredoctl_dest.h - the destinations that a user names
 */
#ifndef MIREDO_MIREDOCTL_DEST_H
#define MIREDO_MIREDOCTL_DEST_H

#include <netinet/in.h>
#include <stdbool.h>

#define DEST_MAX 16

struct miredoctl_dest {
	const char *name;	/* as it was given, fit to print */
	unsigned n;
	struct in6_addr addr[DEST_MAX];
	uint32_t scope[DEST_MAX];
	bool ipv4_first;	/* what programs take before these */
};

/* Looks it up, in the order in which programs take its addresses (RFC 6724).
 * 0, or the exit code: no such name, or no IPv6 address; then that was said. */
int miredoctl_find_dest(struct miredoctl_dest *dest, const char *name);

/* "link-local", "multicast", "loopback", ...; NULL: a global address. */
const char *miredoctl_dest_kind(const struct in6_addr *addr);

#endif
