/*
 * miredoctl_netcheck_io.h - how netcheck gets at servers and sockets
 */
#ifndef MIREDO_MIREDOCTL_NETCHECK_IO_H
#define MIREDO_MIREDOCTL_NETCHECK_IO_H

#include "miredoctl.h"
#include "miredoctl_netcheck.h"

struct netcheck_names {
	unsigned n;
	/* second: "": the address behind the first one */
	char first[NETCHECK_SERVERS][NETCHECK_NAME];
	char second[NETCHECK_SERVERS][NETCHECK_NAME];
};

/* ---- miredoctl_netcheck_servers.c ---- */

/* Names none: there is no server. What cannot be read ends the process. */
void netcheck_find_names(struct netcheck_names *names,
			 const struct miredoctl_args *args);

/* A name into an address, by a process of its own. */
struct netcheck_lookup {
	pid_t child; /* -1: none */
	int pipe;    /* -1: over, or there was nothing to look up */
	uint32_t ip; /* 0: none */
};

struct netcheck_lookups {
	unsigned n;
	struct netcheck_lookup of[NETCHECK_SERVERS][2];
	bool is_second_named[NETCHECK_SERVERS];
};

void netcheck_begin_lookups(const struct netcheck_names *names,
			    struct netcheck_lookups *all);
/* Whether those of server i are over: what came of them; else it is awaited.
 * It does not wait: look when a pipe is readable. */
bool netcheck_take_lookup(struct netcheck_lookups *all, unsigned i,
			  struct netcheck_server *s);
/* Gives up what is not over. */
void netcheck_end_lookups(struct netcheck_lookups *all);

#endif
