/*
 * net.c - delivery
 *
 * A packet is judged on the sender's line when it is sent (loss, state, cuts)
 * and on the receiver's when it arrives; between lies one event, after the sum
 * of the two delays. A NAT stands between a link and the core by taking the
 * link's `out`; its translation costs no time (nat.c).
 */
#include "config.h"

#include "net.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../libteredo/addr.h"

#define CUTS 16

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

static const char *line_trouble(struct net *net, const struct line *line)
{
	if (line->down)
		return "line is down";
	return rng_chance(&net->rng, line->loss) ? "lost" : NULL;
}

/* ---- IPv4 ---- */

struct link4 *net4_attach(struct world *w, const char *name, uint32_t ip,
			  void (*receive)(void *ctx, struct link4 *on,
					  struct datagram *d),
			  void *ctx)
{
	struct net *net = net_of(w);
	struct link4 *l = world_alloc(w, sizeof(*l));

	*l = (struct link4){.w = w,
			    .name = name,
			    .ip = ip,
			    .out = net4_forward,
			    .receive = receive,
			    .ctx = ctx,
			    .next = net->links4};
	net->links4 = l;
	return l;
}

void net4_drop(struct link4 *l, const struct datagram *d, const char *why)
{
	trace_packet(&l->w->trace, l->w->now, l->name, TRACE_LOST4, d->src,
		     d->dst, d->data, d->len, why);
}

bool net4_crosses(struct link4 *l, const struct datagram *d)
{
	const char *why = line_trouble(l->w->net, &l->line);

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

static void arrive4(struct world *w, void *link, void *datagram)
{
	struct link4 *l = link;
	struct datagram *d = datagram;

	if (l->ip != d->dst.ip) {
		net4_drop(l, d, "address is gone");
		return;
	}
	if (!net4_crosses(l, d))
		return;
	trace_packet(&w->trace, w->now, l->name, TRACE_GOT4, d->src, d->dst,
		     d->data, d->len, NULL);
	l->receive(l->ctx, l, d);
}

static struct link4 *find4(const struct net *net, uint32_t ip)
{
	struct link4 *l = net->links4;

	while (l && l->ip != ip)
		l = l->next;
	return l;
}

void net4_forward(struct link4 *from, struct datagram *d)
{
	struct world *w = from->w;
	struct link4 *to = find4(w->net, d->dst.ip);

	if (!to || to == from || is_cut(w->net, from->ip, to->ip)) {
		net4_drop(from, d, to ? "no way" : "nobody there");
		free(d);
	} else if (!net4_crosses(from, d)) {
		free(d);
	} else {
		world_at(w, w->now + from->line.delay + to->line.delay, arrive4,
			 to, d);
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
	const char *why = line_trouble(w->net, &l->line);

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
	const char *why;

	assert(len >= 40);
	memcpy(&dst, ip6 + 24, sizeof(dst));
	to = find6(w->net, &dst);
	why = to ? line_trouble(w->net, &from->line) : "no route";
	if (why) {
		record6(from, TRACE_LOST6, ip6, len, why);
		return;
	}
	p = malloc(sizeof(*p) + len);
	assert(p);
	p->len = len;
	memcpy(p->data, ip6, len);
	world_at(w, w->now + from->line.delay + to->line.delay, arrive6, to, p);
}

void net6_route(struct world *w, struct link6 *relay)
{
	net_of(w)->route = relay;
}
