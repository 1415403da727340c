/*
 * role_client.c - a client's node: names, addresses, snapshot
 *
 * The resolver answers every question after dns_delay, with failure (address
 * 0) while it is down. An answer for an earlier life of the node is lost.
 */
#include "config.h"

#include <arpa/inet.h>
#include <assert.h>
#include <arpa/inet.h>
#include <stdlib.h>

#include "../../libteredo/hold.h"
#include "roles.h"

struct client_role *client_role(const struct node *n)
{
	return n->role;
}

struct teredo_client_status client_status(const struct node *n)
{
	struct teredo_client_status st;

	teredo_client_status(n->core, n->w->now, &st);
	return st;
}

static void net_changed(struct node *n, bool solicit)
{
	struct local4 local = {.n = 1,
			       .ip = {n->link[0]->ip},
			       .nets = n->discovers,
			       .net = {{n->link[0]->ip, htonl(0xffffff00)}}};

	teredo_client_net_changed(n->core, &local, solicit, n->w->now,
				  node_enter(n));
	node_leave(n);
}

void client_net_changed(struct node *n)
{
	n->ref.is_uprooted = true;
	net_changed(n, true);
}

static void open_core(struct node *n, bool restore)
{
	struct client_role *c = client_role(n);

	n->stack->has_addr &= restore;
	c->config.local_port = n->port;
	n->discovers = c->config.discovery != TEREDO_DISCOVERY_OFF;
	n->core = teredo_client_new(&c->config, &n->env);
	assert(n->core);
	if (restore && c->has_saved) {
		if (!teredo_client_restore(n->core, &c->saved, n->w->now,
					   node_enter(n)))
			referee_foul(n, "news", "refuses its snapshot");
		node_leave(n);
	}
	teredo_client_start(n->core, n->w->now, node_enter(n));
	node_leave(n);
	net_changed(n, false);
}

static void close_core(void *core)
{
	teredo_client_free(core);
}

static struct teredo_verdict udp_in(void *core, const struct teredo_rx *rx,
				    teredo_time now, struct teredo_outbox *ob)
{
	return teredo_client_udp_in(core, rx, now, ob);
}

static struct teredo_verdict tun_in(void *core, const uint8_t *ip6, size_t len,
				    teredo_time now, struct teredo_outbox *ob)
{
	return teredo_client_tun_in(core, ip6, len, now, ob);
}

static void expire(void *core, teredo_time now, struct teredo_outbox *ob)
{
	teredo_client_expire(core, now, ob);
}

static teredo_time deadline(const void *core)
{
	return teredo_client_deadline(core);
}

static const struct teredo_counters *counters(const void *core)
{
	return teredo_client_counters(core);
}

static void restore_peer(void *core, const struct teredo_addr *addr,
			 struct teredo_ep ep, teredo_time heard,
			 teredo_time now, struct teredo_outbox *ob)
{
	teredo_client_restore_peer(core, addr, ep, heard, now, ob);
}

static bool peer(const void *core, uint32_t slot, teredo_time now,
		 struct teredo_view *v)
{
	return teredo_client_peer(core, slot, now, v);
}

static void save(struct node *n)
{
	struct client_role *c = client_role(n);

	c->has_saved = teredo_client_save(n->core, &c->saved);
}

struct lookup {
	uint32_t server;
	unsigned lives;
};

static void resolved(struct world *w, void *node, void *lookup)
{
	const struct lookup *l = lookup;
	struct node *n = node;
	struct client_role *c = client_role(n);
	bool down = c->dns_down;

	if (n->life != NODE_ON || n->lives != l->lives)
		return;
	teredo_client_set_server(
		n->core, l->server, down ? 0 : c->server[l->server].ip,
		down ? 0 : c->server[l->server].ip2, w->now, node_enter(n));
	node_leave(n);
}

static void resolve(struct node *n, uint32_t server)
{
	struct client_role *c = client_role(n);
	struct lookup *l = malloc(sizeof(*l));

	assert(l);
	if (server >= c->config.servers)
		referee_foul(n, "news", "asks for server %u", server);
	world_note(n->w, n->name, "resolve server %u", server);
	*l = (struct lookup){server, n->lives};
	world_at(n->w, n->w->now + c->dns_delay, resolved, n, l);
}

static void second_opened(struct world *w, void *node, void *data)
{
	struct node *n = node;

	(void)data;
	if (n->life != NODE_ON)
		return;
	n->second_is_open = true;
	teredo_client_secondary_opened(n->core, w->now, node_enter(n));
	node_leave(n);
}

/* For the NAT the second port is as good as the same port of another host. */
static void second_port(struct node *n, bool open)
{
	uint32_t ip = htonl(ntohl(n->link[0]->ip) + 100);

	world_note(n->w, n->name, "second port: %s", open ? "open" : "close");
	n->second_is_open = false;
	if (!open)
		return;
	assert(n->nat);
	if (n->link[1] == NULL)
		n->link[1] = nat_attach(n->nat, n->name, ip, node_udp_in, n);
	world_at(n->w, n->w->now + TEREDO_MS, second_opened, n, NULL);
}

static void news(struct node *n, const struct outbox_item *item)
{
	char addr[TRACE_ADDR_LEN];
	struct teredo_client_status st;

	if (item->kind == OUTBOX_RESOLVE) {
		resolve(n, item->arg);
	} else if (item->kind == OUTBOX_SECONDARY) {
		second_port(n, item->arg);
	} else if (item->kind == OUTBOX_ADDRESS) {
		world_note(n->w, n->name, "address %s mtu %u",
			   trace_addr(addr, &item->addr), item->arg);
		if (n->stack->has_addr &&
		    addr_equal(&n->stack->addr, &item->addr))
			return;
		stack_set_addr(n->stack, &item->addr);
		referee_forgives(n);
	} else {
		st = client_status(n);
		world_note(n->w, n->name, "is %s, NAT %s",
			   teredo_client_state_name(st.state),
			   teredo_nat_name(st.nat));
	}
}

/* The address that the status shows is the one on the tun; what is held
 * is within the peers' budgets. */
static void check(struct node *n)
{
	struct teredo_client_status st = client_status(n);

	if (st.has_address &&
	    (!n->stack->has_addr || !addr_equal(&st.addr, &n->stack->addr)))
		referee_foul(n, "news", "status and tun differ");
	if (st.peers_direct + st.peers_relay + st.peers_pending > NODE_PEERS)
		referee_foul(n, "bounded", "too many peers");
	if (st.held > NODE_PEERS * HOLD_PEER_BYTES)
		referee_foul(n, "bounded", "holds too much");
}

static const struct node_ops client_ops = {
	.is_client = true,
	.bubble_pause = 30 * TEREDO_SECOND,
	.bubble_forgotten = 60 * TEREDO_SECOND,
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

struct node *client_new(struct world *w, const char *name)
{
	struct client_role *c = world_alloc(w, sizeof(*c));
	struct node *n = node_new(w, name, &client_ops, c);

	c->config = (struct teredo_client_config){
		.max_peers = NODE_PEERS, .refresh = 30 * TEREDO_SECOND};
	c->dns_delay = 20 * TEREDO_MS;
	n->stack = stack_new(w, name, node_tun_in, n);
	return n;
}
