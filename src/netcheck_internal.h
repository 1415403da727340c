/*
 * netcheck_internal.h - what netcheck.c and netcheck_conclude.c both know
 */
#ifndef MIREDO_NETCHECK_INTERNAL_H
#define MIREDO_NETCHECK_INTERNAL_H

#include "../libteredo/addr.h"
#include "../libteredo/wire.h"
#include "netcheck.h"

#define TRIES_MAX 5u

enum kind { PRIMARY, CONE, SECOND, PER_SERVER };

/* the probes that there are once, behind those of the servers */
enum { HAIRPIN = NETCHECK_SERVERS * PER_SERVER, NAT_PMP, PCP, UPNP, PROBES };

enum step { IDLE, ASKING, ANSWERED, FAILED };

struct probe {
	enum step step;
	enum netcheck_fact fact; /* of an answer by the gateway */
	unsigned tries, sent;
	teredo_time next, at[TRIES_MAX];
	uint8_t nonce[WIRE_NONCE_LEN];
};

struct netcheck {
	struct netcheck_config config;
	struct teredo_env env;
	teredo_time end;
	bool over;
	int first; /* the server whose mapping HAIRPIN uses */
	struct probe probe[PROBES];
};

static inline const struct probe *
look_at(const struct netcheck *nc, unsigned server, enum kind kind)
{
	return &nc->probe[server * PER_SERVER + kind];
}

/* Whether that server sees our own address and port: there is no NAT. */
static inline bool is_ours(const struct netcheck *nc,
			   const struct netcheck_server *s)
{
	return ep_equal(s->mapped,
			(struct teredo_ep){s->local_ip, nc->config.local_port});
}

#endif
