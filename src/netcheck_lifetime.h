/*
 * netcheck_lifetime.h - for how long a NAT remembers a mapping nobody uses
 *
 * Pure, as netcheck.h, and after it: server and mapping are known.
 */
#ifndef MIREDO_NETCHECK_LIFETIME_H
#define MIREDO_NETCHECK_LIFETIME_H

#include "netcheck.h"

#define NETCHECK_STEPS 9 /* sockets, one each; and one more that asks */
#define NETCHECK_ASKER NETCHECK_STEPS

struct netcheck_life {
	bool measured;
	/* it lives that long, and is gone after that; 0: not found */
	teredo_time alive, gone;
};

/* A datagram's socket is 0..NETCHECK_ASKER. */
struct netcheck_lifetime;

/* Takes about `longest`. NULL: out of memory. */
struct netcheck_lifetime *netcheck_lifetime_new(uint32_t server_ip,
						teredo_time longest,
						const struct teredo_env *env,
						teredo_time now);
void netcheck_lifetime_free(struct netcheck_lifetime *l);

/* As netcheck_next(), netcheck_deadline(), netcheck_in(). */
bool netcheck_lifetime_next(struct netcheck_lifetime *l, teredo_time now,
			    unsigned *socket, struct netcheck_datagram *out);
teredo_time netcheck_lifetime_deadline(const struct netcheck_lifetime *l);
void netcheck_lifetime_in(struct netcheck_lifetime *l, unsigned socket,
			  struct teredo_ep from, const uint8_t *data,
			  size_t len, teredo_time now);
void netcheck_lifetime_result(const struct netcheck_lifetime *l,
			      struct netcheck_life *life);

#endif
