/*
 * role.c - client, relay and server behind one face
 *
 * One file per role translates what the parent says into calls of its core,
 * and what the core knows into the snapshot, the status and log lines. A role
 * is chosen here, once; nothing else asks which one it is.
 */
#include "config.h"

#include <string.h>

#include "../libteredo/addr.h"
#include "role.h"

static_assert((int)PRIV_LOCAL4 <= (int)LOCAL4_MAX &&
		      (int)PRIV_NETS <= (int)LOCAL4_NETS,
	      "all of them must fit");

const struct role_ops *role_ops(uint32_t role)
{
	switch (role) {
	case PRIV_CLIENT:
		return &role_client;
	case PRIV_RELAY:
		return &role_relay;
	case PRIV_SERVER:
		return &role_server;
	case PRIV_SERVER_RELAY:
		return &role_server_relay;
	case PRIV_DORMANT:
		return &role_dormant;
	default:
		return NULL;
	}
}

void role_local4(struct local4 *local, const struct priv_netchange *n)
{
	local->access = NULL;
	local->n = n->n4 < PRIV_LOCAL4 ? n->n4 : PRIV_LOCAL4;
	memcpy(local->ip, n->ip4, local->n * sizeof(local->ip[0]));
	local->nets = n->nets < PRIV_NETS ? n->nets : PRIV_NETS;
	for (unsigned i = 0; i < local->nets; i++) {
		local->net[i].ip = n->net_ip[i];
		local->net[i].mask = n->net_mask[i];
	}
}

void role_access(struct access4 *access, const struct priv_config *config)
{
	static_assert((int)PRIV_ACCESS == ACCESS4_MAX, "all rules fit");

	access->n = config->n_access < PRIV_ACCESS ? config->n_access
						   : PRIV_ACCESS;
	for (unsigned i = 0; i < access->n; i++) {
		access->rule[i].ip = config->access[i].ip;
		access->rule[i].bits = config->access[i].bits;
		access->rule[i].allow = config->access[i].allow != 0;
	}
}

unsigned role_local6(struct teredo_addr addr6[PRIV_LOCAL6],
		     const struct priv_netchange *n)
{
	unsigned n6 = n->n6 < PRIV_LOCAL6 ? n->n6 : PRIV_LOCAL6;

	for (unsigned i = 0; i < n6; i++)
		memcpy(addr6[i].b, n->addr6[i], sizeof(addr6[i].b));
	return n6;
}

/* ---- what a role has no use for ---- */

struct teredo_verdict role_no_tun_in(void *role, const uint8_t *ip6, size_t len,
				    teredo_time now, struct teredo_outbox *ob)
{
	(void)role;
	(void)ip6;
	(void)len;
	(void)now;
	(void)ob;
	return (struct teredo_verdict){.fate = TEREDO_DROP};
}

void role_no_sent_more(void *role, uint32_t peer, uint32_t packets,
		       size_t octets)
{
	(void)role;
	(void)peer;
	(void)packets;
	(void)octets;
}

void role_no_prefetch(void *role, const struct teredo_addr *keys, unsigned n)
{
	(void)role;
	(void)keys;
	(void)n;
}

void role_no_expect(void *role, const struct teredo_ep *from, unsigned n)
{
	(void)role;
	(void)from;
	(void)n;
}

void role_no_expire(void *role, teredo_time now, struct teredo_outbox *ob)
{
	(void)role;
	(void)now;
	(void)ob;
}

teredo_time role_no_deadline(const void *role)
{
	(void)role;
	return TEREDO_NEVER;
}

bool role_no_start(void *role, const struct snapshot *snap, teredo_time now,
		  struct teredo_outbox *ob)
{
	(void)role;
	(void)snap;
	(void)now;
	(void)ob;
	return false;
}

void role_no_restore_peer(void *role, const struct teredo_addr *addr,
			 struct teredo_ep ep, teredo_time heard,
			 teredo_time now, struct teredo_outbox *ob)
{
	(void)role;
	(void)addr;
	(void)ep;
	(void)heard;
	(void)now;
	(void)ob;
}

void role_no_resolved(void *role, const struct priv_resolved *r, teredo_time now,
		     struct teredo_outbox *ob)
{
	(void)role;
	(void)r;
	(void)now;
	(void)ob;
}

void role_no_secondary(void *role, teredo_time now, struct teredo_outbox *ob)
{
	(void)role;
	(void)now;
	(void)ob;
}

void role_no_save(void *role, struct snapshot *snap)
{
	(void)role;
	(void)snap;
}

void role_no_report(void *role, teredo_time now)
{
	(void)role;
	(void)now;
}

void role_no_status(const void *role, teredo_time now, struct ctl_status *out)
{
	(void)role;
	(void)now;
	(void)out;
}

bool role_no_peer(const void *role, uint32_t place, teredo_time now,
		 struct teredo_view *v)
{
	(void)role;
	(void)place;
	(void)now;
	(void)v;
	return false;
}

void role_no_outlook(const void *role, const struct teredo_addr *addr,
		    teredo_time now, struct teredo_outlook *o)
{
	(void)role;
	(void)addr;
	(void)now;
	*o = (struct teredo_outlook){.would = TEREDO_WOULD_NOTHING};
}
