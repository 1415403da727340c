/*
 * miredoctl_netcheck.h - what netcheck found, for who prints it
 */
#ifndef MIREDO_MIREDOCTL_NETCHECK_H
#define MIREDO_MIREDOCTL_NETCHECK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>

#include "netcheck.h"
#include "netcheck_lifetime.h"

#define NETCHECK_NAME 256

struct netcheck_findings {
	struct netcheck_report report;
	/* of the servers of the report; its ip is 0: the name has none */
	char name[NETCHECK_SERVERS][NETCHECK_NAME];
	uint64_t took;		  /* ns */
	bool has_ipv6;		  /* the system can */
	char native[IF_NAMESIZE]; /* has it by other means; "": none */
	bool has_gateway;
	struct netcheck_life life;
};

void netcheck_print_text(const struct netcheck_findings *f, FILE *out);
/* false: out of memory */
bool netcheck_print_json(const struct netcheck_findings *f, FILE *out);
/* By what was found. */
int netcheck_exit_code(const struct netcheck_findings *f);

#endif
