/*
 * miredoctl_dest.c - a name or address into what can be asked about
 *
 * The order is getaddrinfo()'s and so that of nearly all programs: it tells
 * whether they would take IPv4 first where a name has both.
 */
#include "config.h"

#include <ctype.h>
#include <netdb.h>
#include <string.h>

#include "../libteredo/addr.h"
#include "miredoctl.h"
#include "miredoctl_dest.h"

static bool is_fit(const char *name)
{
	for (; *name != '\0'; name++)
		if (!isgraph((unsigned char)*name))
			return false;
	return true;
}

static void take(struct miredoctl_dest *dest, const struct addrinfo *ai)
{
	const struct sockaddr_in6 *sin6 = (const void *)ai->ai_addr;

	if (ai->ai_family == AF_INET && dest->n == 0)
		dest->ipv4_first = true;
	if (ai->ai_family != AF_INET6 || dest->n == DEST_MAX)
		return;
	dest->addr[dest->n] = sin6->sin6_addr;
	dest->scope[dest->n++] = sin6->sin6_scope_id;
}

int miredoctl_find_dest(struct miredoctl_dest *dest, const char *name)
{
	static const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
	struct addrinfo *list;
	int error;

	if (!is_fit(name) || name[0] == '\0')
		miredoctl_usage("that is no name of a destination");
	*dest = (struct miredoctl_dest){.name = name};
	error = getaddrinfo(name, NULL, &hints, &list);
	if (error != 0) {
		fprintf(stderr, "miredoctl: %s: %s\n", name,
			gai_strerror(error));
		return CTL_EXIT_FAILED;
	}
	for (const struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next)
		take(dest, ai);
	freeaddrinfo(list);
	if (dest->n > 0)
		return 0;
	fprintf(stderr, "miredoctl: %s has IPv4 addresses only\n", name);
	return CTL_EXIT_FAILED;
}

const char *miredoctl_dest_kind(const struct in6_addr *addr)
{
	struct teredo_addr a;

	memcpy(a.b, addr, sizeof(a.b));
	if (IN6_IS_ADDR_UNSPECIFIED(addr))
		return "nobody's";
	if (IN6_IS_ADDR_LOOPBACK(addr))
		return "loopback";
	if (IN6_IS_ADDR_LINKLOCAL(addr))
		return "link-local";
	if (IN6_IS_ADDR_MULTICAST(addr))
		return "multicast";
	if (IN6_IS_ADDR_SITELOCAL(addr))
		return "site-local";
	if (IN6_IS_ADDR_V4MAPPED(addr))
		return "an IPv4 address";
	if ((a.b[0] & 0xfe) == 0xfc)
		return "unique local";
	return addr_is_global(&a) ? NULL : "not global";
}
