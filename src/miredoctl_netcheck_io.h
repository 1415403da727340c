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
/* Their addresses, as far as they are found within 2 s. */
void netcheck_look_up(const struct netcheck_names *names,
		      struct netcheck_config *config);

#endif
