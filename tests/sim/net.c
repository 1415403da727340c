/*
 * net.c - delivery
 *
 * A packet is judged on the sender's line when it is sent (loss, length,
 * state, cuts) and on the receiver's when it arrives; between lies one event,
 * after the delays of both. A NAT stands between a link and the core by taking
 * the link's `out`; its translation costs no time (nat.c). A link that is
 * plugged in elsewhere keeps its identity: what comes for an address that it
 * had before is lost.
 */
#include "config.h"

#include "net.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../libteredo/addr.h"

#define CUTS   16
#define IP_UDP 28 /* octets of the outer headers */

struct net {
	struct link4 *links4;
	struct link6 *links6;
	struct link6 *route; /* to 2001::/32 */
	struct rng rng;
	struct {
		uint32_t a, b;
	} cut[CUTS];
	unsigned cuts;
};

static struct net *net_of(struct world *w)
{
	if (!w->net) {
		w->net = world_alloc(w, sizeof(*w->net));
		w->net->rng = rng_split(&w->rng);
	}
	return w->net;
}

static const char *line_trouble(struct net *net, const struct line *line,
				size_t ip_len)
{
	if (line->down)
		return "line is down";
	if (line->mtu && ip_len > line->mtu)
		return "too long";
	return rng_chance(&net->rng, line->loss) ? "lost" : NULL;
}

static teredo_time draw_late(struct net *net, unsigned permille)
{
	return rng_chance(&net->rng, permille)
		       ? rng_below(&net->rng, LINE_LATE) + 1
		       : 0;
}

/* How long a packet takes over a line, this time. */
static teredo_time line_time(struct net *net, const struct line *line)
{
	return line->delay +
	       (line->jitter ? rng_below(&net->rng, line->jitter) : 0) +
	       draw_late(net, line->late);
}

/* After how much more it comes a second time; 0: it does not. */
static teredo_time second_time(struct net *net, unsigned a, unsigned b)
{
	return draw_late(net, a > b ? a : b);
}

/* ---- IPv4 ---- */

struct link4 *link4_new(struct world *w, const char *name,
			void (*receive)(void *ctx, struct link4 *on,
					struct datagram *d),
			void *ctx)
{
	struct net *net = net_of(w);
	struct link4 *l = world_alloc(w, sizeof(*l));

	*l = (struct link4){.w = w,
			    .name = name,
			    .receive = receive,
			    .ctx = ctx,
			    .next = net->links4};
	net->links4 = l;
	net4_unplug(l);
	return l;
}

static void no_network(struct link4 *from, struct datagram *d)
{
	net4_drop(from, d, "no network");
	free(d);
}

void net4_unplug(struct link4 *l)
{
	l->ip = 0;
	l->nat = NULL;
	l->out = no_network;
}

void net4_plug(struct link4 *l, uint32_t ip)
{
	l->ip = ip;
	l->nat = NULL;
	l->out = net4_forward;
}

struct link4 *net4_attach(struct world *w, const char *name, uint32_t ip,
			  void (*receive)(void *ctx, struct link4 *on,
					  struct datagram *d),
			  void *ctx)
{
	struct link4 *l = link4_new(w, name, receive, ctx);

	net4_plug(l, ip);
	return l;
}

void net4_drop(struct link4 *l, const struct datagram *d, const char *why)
{
	trace_packet(&l->w->trace, l->w->now, l->name, TRACE_LOST4, d->src,
		     d->dst, d->data, d->len, why);
}

/* Whether it gets over this line now; says in the trace if it does not. */
static bool crosses4(struct link4 *l, const struct datagram *d)
{
	const char *why = line_trouble(l->w->net, &l->line, IP_UDP + d->len);

	if (why)
		net4_drop(l, d, why);
	return !why;
}

static bool is_cut(const struct net *net, uint32_t a, uint32_t b)
{
	for (unsigned i = 0; i < net->cuts; i++)
		if ((net->cut[i].a == a && net->cut[i].b == b) ||
		    (net->cut[i].a == b && net->cut[i].b == a))
			return true;
	return false;
}

bool net4_is_multicast(uint32_t ip)
{
	return ntohl(ip) >> 28 == 0xe;
}

static void arrive4(struct world *w, void *link, void *datagram)
{
	struct link4 *l = link;
	struct datagram *d = datagram;

	if (l->ip != d->dst.ip && !net4_is_multicast(d->dst.ip)) {
		net4_drop(l, d, "address is gone");
		return;
	}
	if (!crosses4(l, d))
		return;
	trace_packet(&w->trace, w->now, l->name, TRACE_GOT4, d->src, d->dst,
		     d->data, d->len, NULL);
	l->receive(l->ctx, l, d);
}

struct datagram *net4_copy(const struct datagram *d)
{
	struct datagram *copy = malloc(sizeof(*d) + d->len);

	assert(copy);
	memcpy(copy, d, sizeof(*d) + d->len);
	return copy;
}

/* `then` gets it, and perhaps a second time, after the time over the lines. */
static void carry(struct link4 *to, struct datagram *d, const struct line *a,
		  const struct line *b, world_event *then)
{
	struct world *w = to->w;
	teredo_time when =
		w->now + line_time(w->net, a) + (b ? line_time(w->net, b) : 0);
	teredo_time again = second_time(w->net, a->twice, b ? b->twice : 0);

	if (again)
		world_at(w, when + again, then, to, net4_copy(d));
	world_at(w, when, then, to, d);
}

void net4_hand(struct link4 *to, const struct datagram *d,
	       const struct link4 *from)
{
	carry(to, net4_copy(d), &to->line, from ? &from->line : NULL, arrive4);
}

void net4_flood(struct link4 *from, const struct datagram *d)
{
	for (struct link4 *l = from->w->net->links4; l; l = l->next)
		if (l != from && l->nat == from->nat && l->ip)
			net4_hand(l, d, from);
}

void net4_carry(struct link4 *l, const struct datagram *d, world_event *then)
{
	struct datagram *copy;

	if (!crosses4(l, d))
		return;
	copy = net4_copy(d);
	if (!l->line.delay && !l->line.jitter && !l->line.late) {
		then(l->w, l, copy); /* without an event of its own */
		free(copy);
	} else {
		carry(l, copy, &l->line, NULL, then);
	}
}

struct link4 *net4_find(struct world *w, const struct nat *nat, uint32_t ip)
{
	struct link4 *l = w->net->links4;

	while (l && (l->ip != ip || l->nat != nat))
		l = l->next;
	return ip ? l : NULL;
}

void net4_forward(struct link4 *from, struct datagram *d)
{
	struct world *w = from->w;
	struct link4 *to = net4_find(w, NULL, d->dst.ip);

	if (!to || to == from || from->line.island != to->line.island ||
	    is_cut(w->net, from->ip, to->ip)) {
		net4_drop(from, d, to ? "no way" : "nobody there");
		free(d);
	} else if (!crosses4(from, d)) {
		free(d);
	} else {
		carry(to, d, &from->line, &to->line, arrive4);
	}
}

void net4_spoof(struct link4 *from, struct teredo_ep src, struct teredo_ep to,
		const void *data, size_t len)
{
	struct datagram *d = malloc(sizeof(*d) + len);

	assert(d);
	d->src = src;
	d->dst = to;
	d->len = len;
	memcpy(d->data, data, len);
	trace_packet(&from->w->trace, from->w->now, from->name, TRACE_SENT4,
		     src, to, data, len, NULL);
	from->out(from, d);
}

void net4_send(struct link4 *from, uint16_t port, struct teredo_ep to,
	       const void *data, size_t len)
{
	net4_spoof(from, (struct teredo_ep){from->ip, port}, to, data, len);
}

void net4_cut(struct world *w, uint32_t a, uint32_t b)
{
	struct net *net = net_of(w);

	assert(net->cuts < CUTS);
	net->cut[net->cuts].a = a;
	net->cut[net->cuts++].b = b;
}

void net4_mend(struct world *w, uint32_t a, uint32_t b)
{
	struct net *net = net_of(w);
	unsigned kept = 0;

	for (unsigned i = 0; i < net->cuts; i++)
		if (net->cut[i].a != a || net->cut[i].b != b)
			net->cut[kept++] = net->cut[i];
	net->cuts = kept;
}

/* ---- native IPv6 ---- */

struct packet6 {
	size_t len;
	uint8_t data[];
};

struct link6 *
net6_attach(struct world *w, const char *name, const struct teredo_addr *addr,
	    void (*receive)(void *ctx, const uint8_t *ip6, size_t len),
	    void *ctx)
{
	struct net *net = net_of(w);
	struct link6 *l = world_alloc(w, sizeof(*l));

	*l = (struct link6){.w = w,
			    .name = name,
			    .addr = *addr,
			    .receive = receive,
			    .ctx = ctx,
			    .next = net->links6};
	net->links6 = l;
	return l;
}

static void record6(struct link6 *l, enum trace_kind kind, const uint8_t *ip6,
		    size_t len, const char *why)
{
	static const struct teredo_ep none;

	trace_packet(&l->w->trace, l->w->now, l->name, kind, none, none, ip6,
		     len, why);
}

static void arrive6(struct world *w, void *link, void *packet)
{
	struct link6 *l = link;
	struct packet6 *p = packet;
	const char *why = line_trouble(w->net, &l->line, p->len);

	record6(l, why ? TRACE_LOST6 : TRACE_GOT6, p->data, p->len, why);
	if (!why)
		l->receive(l->ctx, p->data, p->len);
}

static struct link6 *find6(const struct net *net,
			   const struct teredo_addr *addr)
{
	struct link6 *l = net->links6;

	if (addr_in_prefix(addr, addr_default_prefix()))
		return net->route;
	while (l && !addr_equal(&l->addr, addr))
		l = l->next;
	return l;
}

void net6_send(struct link6 *from, const uint8_t *ip6, size_t len)
{
	struct world *w = from->w;
	struct teredo_addr dst;
	struct link6 *to;
	struct packet6 *p;
	teredo_time again;
	const char *why;

	assert(len >= 40);
	memcpy(&dst, ip6 + 24, sizeof(dst));
	to = find6(w->net, &dst);
	if (!to || to->line.island != from->line.island)
		why = "no route";
	else
		why = line_trouble(w->net, &from->line, len);
	if (why) {
		record6(from, TRACE_LOST6, ip6, len, why);
		return;
	}
	again = second_time(w->net, from->line.twice, to->line.twice);
	for (unsigned i = again ? 2 : 1; i--;) {
		p = malloc(sizeof(*p) + len);
		assert(p);
		p->len = len;
		memcpy(p->data, ip6, len);
		world_at(w,
			 w->now + line_time(w->net, &from->line) +
				 line_time(w->net, &to->line) + i * again,
			 arrive6, to, p);
	}
}

void net6_route(struct world *w, struct link6 *relay)
{
	net_of(w)->route = relay;
}
