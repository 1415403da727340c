/*
 * role_relay.c - a relay's node: for a network, or for its own host
 */
#include "config.h"

#include <assert.h>

#include "../../libteredo/hold.h"
#include "roles.h"

struct relay_role *relay_role(const struct node *n)
{
	return n->role;
}

static void open_core(struct node *n, bool restore)
{
	struct relay_role *r = relay_role(n);
	struct local4 local = {.n = 1, .ip = {n->link[0]->ip}};

	n->core = teredo_relay_new(&r->config, &n->env);
	assert(n->core);
	if (restore)
		teredo_relay_restore(n->core, &r->saved, n->w->now);
	teredo_relay_set_local(n->core, &local, &r->addr6, 1);
	teredo_relay_save(n->core, &r->saved);
}

static void close_core(void *core)
{
	teredo_relay_free(core);
}

static struct teredo_verdict udp_in(void *core, const struct teredo_rx *rx,
				    teredo_time now, struct teredo_outbox *ob)
{
	return teredo_relay_udp_in(core, rx, now, ob);
}

static struct teredo_verdict tun_in(void *core, const uint8_t *ip6, size_t len,
				    teredo_time now, struct teredo_outbox *ob)
{
	return teredo_relay_tun_in(core, ip6, len, now, ob);
}

static void expire(void *core, teredo_time now, struct teredo_outbox *ob)
{
	teredo_relay_expire(core, now, ob);
}

static teredo_time deadline(const void *core)
{
	return teredo_relay_deadline(core);
}

static const struct teredo_counters *counters(const void *core)
{
	return teredo_relay_counters(core);
}

static void restore_peer(void *core, const struct teredo_addr *addr,
			 struct teredo_ep ep, teredo_time heard,
			 teredo_time now, struct teredo_outbox *ob)
{
	teredo_relay_restore_peer(core, addr, ep, heard, now, ob);
}

static bool peer(const void *core, uint32_t slot, teredo_time now,
		 struct teredo_view *v)
{
	return teredo_relay_peer(core, slot, now, v);
}

static void save(struct node *n)
{
	teredo_relay_save(n->core, &relay_role(n)->saved);
}

static void news(struct node *n, const struct outbox_item *item)
{
	if (item->kind != OUTBOX_STATE)
		referee_foul(n, "news", "a relay has no such news");
}

static void check(struct node *n)
{
	struct teredo_relay_status st;

	teredo_relay_status(n->core, &st);
	if (st.peers_proven + st.peers_unproven > st.peers_max ||
	    st.peers_max > NODE_PEERS)
		referee_foul(n, "bounded", "too many peers");
	if (st.held > NODE_PEERS * HOLD_PEER_BYTES ||
	    (st.held && !(st.peers_proven + st.peers_unproven)))
		referee_foul(n, "bounded", "holds too much");
}

static const struct node_ops relay_ops = {
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

struct node *relay_new(struct world *w, const char *name)
{
	struct relay_role *r = world_alloc(w, sizeof(*r));

	r->config = (struct teredo_relay_config){
		.prefix = addr_default_prefix(), .max_peers = NODE_PEERS};
	return node_new(w, name, &relay_ops, r);
}
