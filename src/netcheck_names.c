/*
 * netcheck_names.c - words for what netcheck.c concludes
 *
 * Windows' names for NATs, the three classes of how hard one is, and states of
 * servers: the same on the screen and in the JSON, where what has no name is
 * null.
 */
#include "config.h"

#include "netcheck.h"

const char *netcheck_nat_type(enum netcheck_nat nat)
{
	static const char *const names[] = {
		[NETCHECK_NAT_NONE] = "none",
		[NETCHECK_NAT_CONE] = "cone",
		[NETCHECK_NAT_RESTRICTED] = "restricted",
		[NETCHECK_NAT_SYMMETRIC] = "symmetric",
	};

	return names[nat];
}

const char *netcheck_nat_class(enum netcheck_nat nat)
{
	static const char *const names[] = {
		[NETCHECK_NAT_NONE] = "none",
		[NETCHECK_NAT_CONE] = "easy",
		[NETCHECK_NAT_RESTRICTED] = "easy",
		[NETCHECK_NAT_EASY] = "easy",
		[NETCHECK_NAT_SYMMETRIC] = "hard",
	};

	return names[nat];
}

const char *netcheck_state_name(enum netcheck_state state)
{
	static const char *const names[] = {
		[NETCHECK_SILENT] = "silent",
		[NETCHECK_REFUSED] = "refused",
		[NETCHECK_UNREACHABLE] = "unreachable",
		[NETCHECK_BLOCKED] = "blocked",
		[NETCHECK_INVALID] = "invalid",
		[NETCHECK_OK] = "ok",
	};

	return names[state];
}
