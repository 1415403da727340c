/*
 * node.c - what the shell does around a core, and nothing else
 *
 * Every call into a core is between node_enter() and node_leave(): the outbox
 * is emptied in order, then the verdict is carried out, the referee looks at
 * the node, and the next expire() is scheduled. An event of an earlier
 * schedule finds that n->wake is another time and does nothing.
 */
#include "config.h"

#include "node.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../libteredo/addr.h"
#include "../../libteredo/auth.h"
#include "../../libteredo/siphash.h"

#define BACKLOG 64

struct backlog {
	unsigned n;
	struct {
		struct link4 *on; /* NULL: from the tun */
		struct datagram *d;
	} item[BACKLOG];
};

static void backlog_end(void *backlog)
{
	struct backlog *b = backlog;

	while (b->n)
		free(b->item[--b->n].d);
}

static void node_end(void *node)
{
	struct node *n = node;

	if (n->core)
		n->ops->close(n->core);
}

/* A keyed hash, and no more: stories tell who has the key, not how hard it is
 * to find. */
static void toy_hmac(void *ctx, enum teredo_hmac algorithm, const uint8_t *key,
		     size_t key_len, const uint8_t *data, size_t len,
		     uint8_t *out)
{
	size_t out_len = auth_value_len(algorithm);
	uint8_t k[SIPHASH_KEY_LEN];
	uint64_t word;

	(void)ctx;
	memset(k, 0, sizeof(k));
	for (size_t i = 0; i < key_len; i++)
		k[i % sizeof(k)] ^= key[i];
	for (size_t i = 0; i < out_len; i += sizeof(word)) {
		k[0]++;
		word = siphash24(k, data, len);
		memcpy(out + i, &word,
		       out_len - i < sizeof(word) ? out_len - i : sizeof(word));
	}
}

struct node *node_new(struct world *w, const char *name,
		      const struct node_ops *ops, void *role)
{
	struct node *n = world_alloc_with(w, sizeof(*n), node_end);

	n->w = w;
	n->name = name;
	n->ops = ops;
	n->role = role;
	n->rng = rng_split(&w->rng);
	n->env = (struct teredo_env){.ctx = &n->rng, .random = rng_fill, .hmac = toy_hmac};
	n->wake = TEREDO_NEVER;
	n->backlog = world_alloc_with(w, sizeof(*n->backlog), backlog_end);
	return n;
}

struct teredo_ep node_ep(const struct node *n, enum teredo_via via)
{
	return (struct teredo_ep){n->link[via]->ip, n->port};
}

/* ---- what the core wants ---- */

static void send_udp(struct node *n, enum teredo_via via, struct teredo_ep to,
		     const uint8_t *data, size_t len, bool own)
{
	assert(n->link[via]);
	if (n->ops->is_client && via == TEREDO_VIA_SECONDARY &&
	    !n->second_is_open)
		world_fail(n->w, "%s: sends from a closed port", n->name);
	n->sent++;
	referee_sends(n, to, data, len, own);
	net4_send(n->link[via], n->port, to, data, len);
}

static void send_native(struct node *n, const uint8_t *ip6, size_t len)
{
	n->sent++;
	referee_sends6(n, ip6, len);
	net6_send(n->link6, ip6, len);
}

bool node_is_router(const struct node *n)
{
	return !n->ops->is_server && !n->stack;
}

/* What the kernel does to a packet on its way through: n->routed. */
static bool route(struct node *n, const uint8_t *ip6, size_t len)
{
	if (len > sizeof(n->routed) || ip6[7] <= 1) {
		world_note(n->w, n->name, "does not pass on a packet");
		return false;
	}
	memcpy(n->routed, ip6, len);
	n->routed[7]--;
	return true;
}

static void to_tun(struct node *n, const struct teredo_ep *from,
		   const uint8_t *ip6, size_t len)
{
	referee_delivers(n, from, ip6, len);
	if (n->stack) {
		stack_receive(n->stack, ip6, len);
	} else if (route(n, ip6, len)) {
		send_native(n, n->routed, len);
	}
}

/* Who has a tun has no raw socket for it: it goes there and is routed. */
static void to_native(struct node *n, const uint8_t *ip6, size_t len)
{
	if (!node_is_router(n))
		send_native(n, ip6, len);
	else if (route(n, ip6, len))
		send_native(n, n->routed, len);
}

static void mirror(struct node *n, const struct outbox_item *item)
{
	struct node_peer *p = &n->peer[item->arg];
	bool up = item->kind == OUTBOX_PEER_UP;
	char addr[TRACE_ADDR_LEN];

	if (item->arg >= NODE_PEERS)
		referee_foul(n, "news", "peer in slot %u", item->arg);
	if (!up && !p->up)
		referee_foul(n, "news", "no peer was up in slot %u", item->arg);
	*p = (struct node_peer){up, up ? item->addr : p->addr, item->to, 0};
	world_note(n->w, n->name, "peer %s %s", trace_addr(addr, &p->addr),
		   up ? "up" : "down");
}

static void carry_out(struct node *n, const struct outbox_item *item)
{
	const uint8_t *data = outbox_data(&n->w->outbox, item);

	switch (item->kind) {
	case OUTBOX_UDP:
		send_udp(n, item->via, item->to, data, item->len, true);
		break;
	case OUTBOX_TUN:
		to_tun(n, NULL, data, item->len);
		break;
	case OUTBOX_NATIVE6:
		send_native(n, data, item->len);
		break;
	case OUTBOX_PEER_UP:
	case OUTBOX_PEER_DOWN:
		mirror(n, item);
		break;
	case OUTBOX_ADDRESS:
	case OUTBOX_RESOLVE:
	case OUTBOX_STATE:
	case OUTBOX_SECONDARY:
		n->ops->news(n, item);
		break;
	}
}

static void expire(struct world *w, void *node, void *data);

static void schedule(struct node *n)
{
	teredo_time when = n->ops->deadline(n->core);

	if (when >= n->wake)
		return; /* the event that stands comes early enough */
	n->wake = when > n->w->now ? when : n->w->now;
	world_at(n->w, n->wake, expire, n, NULL);
}

struct teredo_outbox *node_enter(struct node *n)
{
	assert(n->core);
	outbox_clear(&n->w->outbox);
	return &n->w->outbox;
}

static void empty_outbox(struct node *n)
{
	struct teredo_outbox *ob = &n->w->outbox;
	bool news = false;

	for (unsigned i = 0; i < ob->n; i++) {
		carry_out(n, &ob->item[i]);
		news |= ob->item[i].kind >= OUTBOX_ADDRESS;
	}
	if (news)
		n->ops->save(n);
}

static void leave(struct node *n)
{
	referee_looks(n);
	schedule(n);
}

void node_leave(struct node *n)
{
	empty_outbox(n);
	leave(n);
}

static void expire(struct world *w, void *node, void *data)
{
	struct node *n = node;

	(void)data;
	if (n->life != NODE_ON || n->wake != w->now)
		return;
	n->wake = TEREDO_NEVER;
	if (n->ops->deadline(n->core) <= w->now) {
		n->ops->expire(n->core, w->now, node_enter(n));
		referee_expired(n);
		empty_outbox(n);
	}
	leave(n);
}

/* ---- what comes in ---- */

/* The verdict on data[0..len), which came from `from` or the tun (NULL). */
static void execute(struct node *n, struct teredo_verdict v,
		    const struct teredo_ep *from, const uint8_t *data,
		    size_t len)
{
	empty_outbox(n);
	if (v.fate != TEREDO_DROP && v.fate != TEREDO_TAKEN &&
	    (size_t)v.off + v.len > len)
		referee_foul(n, "well-formed", "a verdict outside the packet");
	switch (v.fate) {
	case TEREDO_TO_TUN:
		to_tun(n, from, data + v.off, v.len);
		break;
	case TEREDO_TO_UDP:
		send_udp(n, v.via, v.to, data + v.off, v.len, false);
		break;
	case TEREDO_TO_NATIVE6:
		to_native(n, data + v.off, v.len);
		break;
	case TEREDO_DROP:
	case TEREDO_TAKEN:
		break;
	}
	leave(n);
}

static void keep(struct node *n, struct link4 *on, const uint8_t *data,
		 size_t len, struct teredo_ep src, struct teredo_ep dst)
{
	struct backlog *b = n->backlog;
	struct datagram *d;

	if (b->n == BACKLOG)
		return;
	d = malloc(sizeof(*d) + len);
	assert(d);
	*d = (struct datagram){.src = src, .dst = dst, .len = len};
	memcpy(d->data, data, len);
	b->item[b->n].on = on;
	b->item[b->n++].d = d;
}

/* Which of the sockets takes it. */
static enum teredo_via socket_of(const struct node *n, const struct link4 *on,
				 const struct datagram *d)
{
	if (d->dst.ip == referee_group().ip)
		return TEREDO_VIA_DISCOVERY;
	return on == n->link[1] ? TEREDO_VIA_SECONDARY : TEREDO_VIA_PRIMARY;
}

void node_udp_in(void *ctx, struct link4 *on, struct datagram *d)
{
	struct node *n = ctx;
	struct teredo_rx rx = {
		.data = d->data,
		.len = d->len,
		.from = d->src,
		.local_ip = d->dst.ip,
		.via = socket_of(n, on, d),
	};
	bool is_discovery = rx.via == TEREDO_VIA_DISCOVERY;

	if (is_discovery && !n->discovers)
		return;
	if (n->life == NODE_CRASHED)
		keep(n, on, d->data, d->len, d->src, d->dst);
	if (n->life != NODE_ON ||
	    d->dst.port != (is_discovery ? referee_group().port : n->port))
		return;
	if (n->ops->is_client && rx.via == TEREDO_VIA_SECONDARY &&
	    !n->second_is_open)
		return;
	referee_hears(n, &rx);
	execute(n, n->ops->udp_in(n->core, &rx, n->w->now, node_enter(n)),
		&rx.from, rx.data, rx.len);
}

void node_tun_in(void *ctx, const uint8_t *ip6, size_t len)
{
	static const struct teredo_ep none;
	struct node *n = ctx;

	if (n->life == NODE_CRASHED)
		keep(n, NULL, ip6, len, none, none);
	if (n->life != NODE_ON || n->ops->tun_in == NULL)
		return;		/* a server takes nothing from there */
	referee_carries(n, ip6, len);
	if (node_is_router(n)) {
		if (!route(n, ip6, len))
			return;
		ip6 = n->routed;
	}
	execute(n, n->ops->tun_in(n->core, ip6, len, n->w->now, node_enter(n)),
		NULL, ip6, len);
}

/* ---- life and death ---- */

static void begin(struct node *n, bool restore)
{
	n->life = NODE_ON;
	n->lives++;
	n->second_is_open = false; /* each engine asks for its own */
	n->wake = TEREDO_NEVER;
	if (!restore)
		memset(&n->ref, 0, sizeof(n->ref));
	referee_forgives(n);
	n->ops->open(n, restore);
}

void node_start(struct node *n)
{
	assert(n->life == NODE_OFF);
	world_note(n->w, n->name, "starts");
	memset(n->peer, 0, sizeof(n->peer));
	begin(n, false);
}

static void end(struct node *n, enum node_life life, const char *how)
{
	assert(n->life == NODE_ON);
	world_note(n->w, n->name, "%s", how);
	n->life = life;
	n->ops->close(n->core);
	n->core = NULL;
}

void node_stop(struct node *n)
{
	end(n, NODE_OFF, "stops");
}

void node_crash(struct node *n)
{
	struct teredo_view v;

	for (uint32_t i = 0; i < NODE_PEERS; i++)
		if (n->peer[i].up && n->ops->peer(n->core, i, n->w->now, &v))
			n->peer[i].heard = n->w->now - v.age;
	end(n, NODE_CRASHED, "crashes");
}

static void drain(struct node *n)
{
	struct backlog *b = n->backlog;

	for (unsigned i = 0; i < b->n; i++) {
		struct datagram *d = b->item[i].d;

		if (b->item[i].on)
			node_udp_in(n, b->item[i].on, d);
		else
			node_tun_in(n, d->data, d->len);
	}
	backlog_end(b);
}

void node_respawn(struct node *n)
{
	struct node_peer known[NODE_PEERS];

	assert(n->life == NODE_CRASHED);
	world_note(n->w, n->name, "goes on from its snapshot");
	memcpy(known, n->peer, sizeof(known));
	memset(n->peer, 0, sizeof(n->peer));
	begin(n, true);
	for (unsigned i = 0; i < NODE_PEERS; i++) {
		if (!known[i].up)
			continue;
		n->ops->restore_peer(n->core, &known[i].addr, known[i].ep,
				     known[i].heard, n->w->now, node_enter(n));
		node_leave(n);
	}
	drain(n);
}

void node_suspend(struct node *n)
{
	assert(n->life == NODE_ON);
	world_note(n->w, n->name, "is suspended");
	n->life = NODE_ASLEEP;
}

void node_resume(struct node *n)
{
	assert(n->life == NODE_ASLEEP);
	world_note(n->w, n->name, "is resumed");
	n->life = NODE_ON;
	n->wake = TEREDO_NEVER;
	schedule(n);
}

uint64_t node_counter(const struct node *n, enum teredo_counter c)
{
	return n->ops->counters(n->core)->n[c];
}

unsigned node_peers_up(const struct node *n)
{
	unsigned up = 0;

	for (unsigned i = 0; i < NODE_PEERS; i++)
		up += n->peer[i].up;
	return up;
}
