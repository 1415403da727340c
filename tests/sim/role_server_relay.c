/*
 * role_server_relay.c - a node that is server and relay in one
 *
 * A server's sockets and a relay's tun and snapshot. A connectivity test that
 * the server passes on leaves by the same line as what the relay delivers.
 */
#include "config.h"

#include <assert.h>

#include "roles.h"

struct server_relay_role *server_relay_role(const struct node *n)
{
	return n->role;
}

static void open_core(struct node *n, bool restore)
{
	struct server_relay_role *r = server_relay_role(n);
	struct local4 local = {.n = 0};

	for (unsigned i = 0; i < 2; i++)
		if (n->link[i])
			local.ip[local.n++] = n->link[i]->ip;
	n->core = teredo_server_relay_new(&r->config, NODE_PEERS, &n->env);
	assert(n->core);
	if (restore)
		teredo_relay_restore(teredo_server_relay_relay(n->core),
				     &r->saved, n->w->now);
	teredo_server_relay_set_local(n->core, &local, &r->addr6, 1);
	teredo_relay_save(teredo_server_relay_relay(n->core), &r->saved);
}

static void close_core(void *core)
{
	teredo_server_relay_free(core);
}

static struct teredo_verdict udp_in(void *core, const struct teredo_rx *rx,
				    teredo_time now, struct teredo_outbox *ob)
{
	return teredo_server_relay_udp_in(core, rx, now, ob);
}

static struct teredo_verdict tun_in(void *core, const uint8_t *ip6, size_t len,
				    teredo_time now, struct teredo_outbox *ob)
{
	return teredo_relay_tun_in(teredo_server_relay_relay(core), ip6, len,
				   now, ob);
}

static void expire(void *core, teredo_time now, struct teredo_outbox *ob)
{
	teredo_server_relay_expire(core, now, ob);
}

static teredo_time deadline(const void *core)
{
	return teredo_server_relay_deadline(core);
}

static const struct teredo_counters *counters(const void *core)
{
	return teredo_server_relay_counters(core);
}

static void restore_peer(void *core, const struct teredo_addr *addr,
			 struct teredo_ep ep, teredo_time heard,
			 teredo_time now, struct teredo_outbox *ob)
{
	teredo_relay_restore_peer(teredo_server_relay_relay(core), addr, ep,
				  heard, now, ob);
}

static bool peer(const void *core, uint32_t slot, teredo_time now,
		 struct teredo_view *v)
{
	return teredo_relay_peer(teredo_server_relay_relay(core), slot, now, v);
}

static void save(struct node *n)
{
	teredo_relay_save(teredo_server_relay_relay(n->core),
			  &server_relay_role(n)->saved);
}

static void news(struct node *n, const struct outbox_item *item)
{
	world_fail(n->w, "%s: no such news (%d)", n->name, (int)item->kind);
}

static void check(struct node *n)
{
	struct teredo_relay_status st;

	teredo_relay_status(teredo_server_relay_relay(n->core), &st);
	if (st.peers_proven + st.peers_unproven > NODE_PEERS)
		world_fail(n->w, "%s: too many peers", n->name);
}

static const struct node_ops server_relay_ops = {
	.is_both = true,
	.bubble_pause = 10 * TEREDO_SECOND,
	.bubble_forgotten = 15 * TEREDO_SECOND,
	.open = open_core,
	.close = close_core,
	.udp_in = udp_in,
	.tun_in = tun_in,
	.expire = expire,
	.deadline = deadline,
	.news = news,
	.save = save,
	.restore_peer = restore_peer,
	.peer = peer,
	.counters = counters,
	.check = check,
};

struct node *server_relay_new(struct world *w, const char *name)
{
	struct server_relay_role *r = world_alloc(w, sizeof(*r));

	r->config.prefix = addr_default_prefix();
	r->config.mtu = TEREDO_MTU;
	return node_new(w, name, &server_relay_ops, r);
}
