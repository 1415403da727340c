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

static_assert((int)PRIV_LOCAL4 <= (int)LOCAL4_MAX, "all of them must fit");

const struct role_ops *role_ops(uint32_t role)
{
	switch (role) {
	case PRIV_CLIENT:
		return &role_client;
	case PRIV_RELAY:
		return &role_relay;
	case PRIV_SERVER:
		return &role_server;
	default:
		return NULL;
	}
}

void role_local4(struct local4 *local, const struct priv_netchange *n)
{
	local->n = n->n4 < PRIV_LOCAL4 ? n->n4 : PRIV_LOCAL4;
	memcpy(local->ip, n->ip4, local->n * sizeof(local->ip[0]));
}
