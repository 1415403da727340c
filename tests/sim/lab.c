/*
 * lab.c - who is where
 *
 *   servers   198.51.100.1 and .2, .5 and .6, ...   port 3544
 *   relays    198.51.100.129, ...                   port 3545
 *   NATs      203.0.113.1, ..., 198.18.0.255, ...   and public clients
 *             100.64.0.1, ...                       behind a carrier's NAT
 *   clients   192.168.N.M                           port 40000 + N
 *   hosts     2001:db8:0:N::1, each in a network of its own
 */
#include "config.h"

#include "lab.h"

#include <arpa/inet.h>
#include <string.h>

#define SERVER_NET  0xc6336400u
#define PUBLIC_NET  0xcb007100u
#define PUBLIC_NET2 0xc6120000u /* when that is full */
#define PRIVATE_NET 0xc0a80000u
#define CARRIER_NET 0x64400000u

#define NEAR (5 * TEREDO_MS)
#define FAR  (10 * TEREDO_MS)

static struct teredo_addr native_addr(unsigned n)
{
	return (struct teredo_addr){
		{0x20, 0x01, 0x0d,
		 0xb8, [6] = (uint8_t)(n >> 8), [7] = (uint8_t)n, [15] = 1}};
}

static void attach(struct node *n, enum teredo_via via, uint32_t ip,
		   teredo_time delay)
{
	n->link[via] = net4_attach(n->w, n->name, htonl(ip), node_udp_in, n);
	n->link[via]->line.delay = delay;
}

static void attach6(struct node *n, const struct teredo_addr *addr)
{
	n->link6 = net6_attach(n->w, n->name, addr, node_tun_in, n);
	n->link6->line.delay = NEAR;
}

struct lab *lab_empty(struct world *w)
{
	struct lab *l = world_alloc(w, sizeof(*l));

	l->w = w;
	return l;
}

struct lab *lab_new(struct world *w)
{
	struct lab *l = lab_empty(w);

	l->server = lab_server(l, "server", true);
	l->host = lab_host(l, "host");
	l->relay = lab_relay(l, "relay", NULL);
	return l;
}

struct node *lab_server(struct lab *l, const char *name, bool has_second)
{
	struct node *n = server_new(l->w, name);
	struct server_role *s = server_role(n);
	uint32_t ip = SERVER_NET + 1 + 4 * l->servers++;
	struct teredo_addr addr6 = native_addr(0x5000 + l->servers);

	n->port = htons(TEREDO_PORT);
	attach(n, TEREDO_VIA_PRIMARY, ip, NEAR);
	s->config.ip = htonl(ip);
	if (has_second) {
		attach(n, TEREDO_VIA_SECONDARY, ip + 1, NEAR);
		s->config.ip2 = htonl(ip + 1);
	}
	attach6(n, &addr6);
	node_start(n);
	return n;
}

/* A cone that keeps ports, and was passed once from the inside, is 1:1. */
static void attach_one_to_one(struct node *n, struct nat *nat)
{
	const struct teredo_ep far = {htonl(PUBLIC_NET2), htons(9)};
	uint8_t octet = 0;

	n->link[0] = nat_attach(nat, n->name, htonl(PRIVATE_NET + 2),
				node_udp_in, n);
	nat->ports = NAT_PRESERVED;
	nat->lifetime = TEREDO_NEVER;
	net4_send(n->link[0], n->port, far, &octet, sizeof(octet));
}

struct node *lab_server_relay(struct lab *l, const char *name, struct nat *nat)
{
	struct node *n = server_relay_new(l->w, name);
	struct server_relay_role *s = server_relay_role(n);
	uint32_t ip = SERVER_NET + 1 + 4 * l->servers++;

	n->port = htons(TEREDO_PORT);
	if (nat) {
		attach_one_to_one(n, nat);
		s->config.ip = nat->outside->ip;
	} else {
		attach(n, TEREDO_VIA_PRIMARY, ip, NEAR);
		s->config.ip = htonl(ip);
		attach(n, TEREDO_VIA_SECONDARY, ip + 1, NEAR);
		s->config.ip2 = htonl(ip + 1);
	}
	s->addr6 = native_addr(0x5000 + l->servers);
	attach6(n, &s->addr6);
	net6_route(l->w, n->link6);
	node_start(n);
	return n;
}

/* What a native host sends: through its own relay, or to its router. */
struct host {
	struct link6 *link;
	struct node *relay;
};

static void host_send(void *ctx, const uint8_t *ip6, size_t len)
{
	struct host *h = ctx;
	struct teredo_addr dst;

	memcpy(&dst, ip6 + 24, sizeof(dst));
	if (h->relay && addr_in_prefix(&dst, addr_default_prefix()))
		node_tun_in(h->relay, ip6, len);
	else
		net6_send(h->link, ip6, len);
}

static void host_receive(void *ctx, const uint8_t *ip6, size_t len)
{
	stack_receive(ctx, ip6, len);
}

struct stack *lab_host(struct lab *l, const char *name)
{
	struct host *h = world_alloc(l->w, sizeof(*h));
	struct stack *s = stack_new(l->w, name, host_send, h);
	struct teredo_addr addr = native_addr(++l->hosts);

	stack_set_addr(s, &addr);
	h->link = net6_attach(l->w, name, &addr, host_receive, s);
	h->link->line.delay = NEAR;
	return s;
}

struct node *lab_relay(struct lab *l, const char *name, struct stack *host)
{
	struct node *n = relay_new(l->w, name);
	struct relay_role *r = relay_role(n);

	n->port = htons(3545);
	attach(n, TEREDO_VIA_PRIMARY, SERVER_NET + 129 + l->relays++, NEAR);
	if (host) {
		r->config.host_local = true;
		r->addr6 = host->addr;
		n->stack = host;
		((struct host *)host->ctx)->relay = n;
	} else {
		r->addr6 = native_addr(0x6000 + l->relays);
		attach6(n, &r->addr6);
		net6_route(l->w, n->link6);
	}
	node_start(n);
	return n;
}

static uint32_t next_public(struct lab *l)
{
	unsigned i = ++l->nats;

	return (i < 255 ? PUBLIC_NET : PUBLIC_NET2) + i;
}

struct nat *lab_nat(struct lab *l, const char *name, enum nat_kind kind)
{
	struct nat *nat = nat_new(l->w, name, kind, htonl(next_public(l)));

	nat->outside->line.delay = FAR;
	nat->inside = PRIVATE_NET + 256 * (l->nats % 256);
	return nat;
}

void lab_nat_behind(struct lab *l, struct nat *nat, struct nat *carrier)
{
	nat_plug(carrier, nat->outside, htonl(CARRIER_NET + ++l->nats));
	world_note(l->w, nat->outside->name, "is behind %s",
		   carrier->outside->name);
}

void lab_move_nat(struct lab *l, struct nat *nat)
{
	nat_move(nat, htonl(nat->outside->nat ? CARRIER_NET + ++l->nats
					      : next_public(l)));
}

static void nat_is_back(struct world *w, void *nat, void *data)
{
	struct nat *n = nat;

	(void)w;
	(void)data;
	nat_flush(n);
	n->outside->line.down = false;
}

void lab_reboot_nat(struct nat *nat, teredo_time duration)
{
	struct world *w = nat->outside->w;

	nat_flush(nat);
	nat->outside->line.down = true;
	world_at(w, w->now + duration, nat_is_back, nat, NULL);
}

static struct node *new_client(struct lab *l, const char *name)
{
	struct node *n = client_new(l->w, name);

	n->port = htons((uint16_t)(40000 + ++l->clients));
	lab_add_server(n, l->server);
	return n;
}

struct node *lab_client(struct lab *l, const char *name, enum nat_kind kind)
{
	struct node *n;

	if (kind != NAT_NONE)
		return lab_client_behind(l, name, lab_nat(l, "nat", kind));
	n = new_client(l, name);
	attach(n, TEREDO_VIA_PRIMARY, next_public(l), FAR);
	return n;
}

static uint32_t next_private(struct lab *l, const struct nat *nat)
{
	return htonl(nat->inside + 2 + l->privates++ % 250);
}

struct node *lab_client_behind(struct lab *l, const char *name, struct nat *nat)
{
	struct node *n = new_client(l, name);

	n->nat = nat;
	n->link[0] = nat_attach(nat, name, next_private(l, nat), node_udp_in, n);
	world_note(l->w, name, "is behind %s", nat->outside->name);
	return n;
}

void lab_move_client(struct lab *l, struct node *n, struct nat *nat)
{
	world_note(l->w, n->name, "moves to %s",
		   nat ? nat->outside->name : "a public network");
	n->nat = nat;
	if (nat)
		nat_plug(nat, n->link[0], next_private(l, nat));
	else
		net4_plug(n->link[0], htonl(next_public(l)));
	n->link[0]->line = (struct line){.delay = nat ? 0 : FAR};
	if (n->life == NODE_ON)
		client_net_changed(n);
}

struct node *lab_neighbour(struct lab *l, const char *name, struct nat *nat)
{
	struct node *n = lab_client_behind(l, name, nat);

	client_role(n)->config.discovery = TEREDO_DISCOVERY_NAT;
	return n;
}

void lab_add_server(struct node *client, const struct node *server)
{
	struct client_role *c = client_role(client);
	unsigned i = c->config.servers++;

	c->server[i].ip = server->link[0]->ip;
	c->server[i].ip2 = server->link[1] ? server->link[1]->ip : 0;
}

/* ---- verbs ---- */

struct line *access_line(const struct node *n)
{
	return n->nat ? &n->nat->outside->line : &n->link[0]->line;
}

bool is_qualified(const struct node *client)
{
	return client->life == NODE_ON &&
	       client_status(client).state == TEREDO_CLIENT_QUALIFIED;
}

static bool done_qualifying(const void *client)
{
	return is_qualified(client);
}

void wait_qualified(struct node *client, teredo_time limit)
{
	if (!world_run_until(client->w, limit, done_qualifying, client))
		world_fail(client->w, "%s: not qualified after %.1f s",
			   client->name, (double)limit / 1e9);
}

struct node *qualify(struct node *client)
{
	node_start(client);
	wait_qualified(client, 2 * TEREDO_SECOND);
	return client;
}

struct ping {
	const struct stack *stack;
	uint32_t flow;
};

static bool is_answered(const void *ping)
{
	const struct ping *p = ping;

	return stack_count(p->stack, ARRIVAL_PONG, p->flow) > 0;
}

teredo_time ping(struct stack *from, const struct stack *to, teredo_time limit)
{
	struct ping p = {from, ++from->flows};
	teredo_time start = from->w->now;

	stack_ping(from, &to->addr, p.flow, 0);
	if (!world_run_until(from->w, limit, is_answered, &p))
		return TEREDO_NEVER;
	return from->w->now - start;
}

void burst(struct stack *from, const struct stack *to, unsigned n)
{
	uint32_t flow = ++from->flows;

	for (unsigned i = 0; i < n; i++)
		stack_data(from, &to->addr, flow, i, STACK_DATA_MIN + 100 * i);
}

bool got_in_order(const struct stack *to, const struct stack *from, unsigned n)
{
	unsigned next = 0;

	for (size_t i = 0; i < to->n_in; i++) {
		const struct arrival *a = &to->in[i];

		if (a->kind != ARRIVAL_DATA || a->flow != from->flows ||
		    !addr_equal(&a->peer, &from->addr))
			continue;
		if (a->seq != next++)
			return false;
	}
	return next == n;
}

bool talks(struct stack *from, const struct stack *to, unsigned n)
{
	uint32_t flow = ++from->flows;

	for (unsigned i = 0; i < n; i++) {
		stack_ping(from, &to->addr, flow, i);
		world_run(from->w, 100 * TEREDO_MS);
	}
	world_run(from->w, TEREDO_SECOND);
	return stack_count(from, ARRIVAL_PONG, flow) == n;
}
