/*
 * pump.c - the hot path between the sockets and the core
 *
 * A wake-up reads the clock once and takes a batch of packets from the
 * descriptor that is readable; epoll is level-triggered, so that what is left
 * comes with the next turn and no socket can starve another. The peers of a
 * batch are fetched into the cache first. Each packet then goes to the core
 * alone and lies in the pump's buffers; the verdict names octets of them, so
 * nothing is copied on the way.
 *
 * With offloads (datapath.h) the kernel gives and takes *super-packets*. Of
 * one from the tun the core sees the first segment, built whole; TO_UDP holds
 * for all of it, and it leaves as headers made here and payload from the
 * buffer. After any other verdict each segment is built and submitted.
 * Datagrams that came in one piece are submitted one by one, and merged
 * again on their way into the tun (gso.h).
 *
 * Order is a promise: after each call into the core the outbox goes out first
 * and the packet of the verdict after it. A packet that ends the wait of
 * others thus follows them, and so does every later packet of that flow.
 * udp_tx.c and tun_tx.c keep the order they are given.
 *
 * The snapshot is brought up to date before anybody hears of a change: who is
 * killed in between must not have told more than its successor will know.
 *
 * What the kernel does not take (full queue, no route, no interface) is dropped
 * and counted; only udp_tx.c waits, some milliseconds, for a full buffer. There
 * are three ways out: udp_tx.h, tun_tx.h and send_native6().
 *
 * When the interface is deleted under us, its descriptor reports EPOLLERR for
 * ever and reads give EBADFD, until the parent has made it again on the same
 * descriptor: it is then left out of the loop and tried again from time to
 * time.
 *
 * Elsewhere: what packets mean (libteredo), time and news (engine.c).
 */
#include "config.h"

#include "pump.h"

#include <assert.h>
#include <errno.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../libtun6/gso.h"
#include "../libtun6/tun6.h"
#include "capture.h"
#include "clock.h"
#include "datapath.h"
#include "log.h"
#include "record.h"
#include "tun_tx.h"
#include "udp_rx.h"
#include "udp_tx.h"

#define PUMP_BATCH  64u /* packets per wake-up and descriptor */
#define PUMP_EXPIRE 16	/* expire() per turn */
#define PUMP_PACKET 65600u /* virtio-net header and the longest IPv6 packet */
#define PUMP_ARENA  (4 * PUMP_PACKET)
#define TUN_RETRY   (100 * TEREDO_MS)

struct pump {
	struct pump_config c;
	struct udp_rx *rx;
	struct udp_tx *tx;
	struct tun_tx *tun_tx;
	size_t vnet; /* octets in front of each packet on the tun */
	struct ctl_traffic udp_rx, tun_rx, native_tx;
	uint32_t tun_drops; /* and native_tx's */
	uint32_t used; /* features, as the log knows them */
	teredo_time tun_retry; /* NEVER: the tun is watched */
	struct capture *capture; /* NULL: nobody looks on */
	struct teredo_outbox outbox;
	unsigned n_read;
	struct iovec read[PUMP_BATCH]; /* packets from the tun, in arena[] */
	uint8_t segment[PUMP_PACKET];
	uint8_t arena[PUMP_ARENA];
};

static void count(struct ctl_traffic *t, uint64_t packets, size_t len)
{
	t->packets += packets;
	t->bytes += len;
}

/* ---- the ways out ---- */

/* The octets stay where they are until the flush. */
static void send_udp(struct pump *p, enum teredo_via via, struct teredo_ep to,
		     const uint8_t *data, uint32_t len)
{
	const struct iovec piece = { (void *)(uintptr_t)data, len };

	udp_tx_next(p->tx, 0);
	udp_tx_add(p->tx, p->c.udp[via], to, &piece, 1);
}

static void send_udp_copy(struct pump *p, const struct outbox_item *item)
{
	uint8_t *copy = udp_tx_next(p->tx, item->len);
	const struct iovec piece = { copy, item->len };

	memcpy(copy, outbox_data(&p->outbox, item), item->len);
	udp_tx_add(p->tx, p->c.udp[item->via], item->to, &piece, 1);
}

/* The raw socket takes the packet with its header; sendto() wants to know the
 * destination all the same. */
static void send_native6(struct pump *p, const uint8_t *ip6, uint32_t len)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6};

	assert(len >= 40);
	memcpy(&to.sin6_addr, ip6 + 24, sizeof(to.sin6_addr));
	if (sendto(p->c.native6, ip6, len, 0, (struct sockaddr *)&to,
		   sizeof(to)) >= 0)
		count(&p->native_tx, 1, len);
	else
		p->tun_drops++;
}

static void flush(struct pump *p)
{
	uint32_t features;
	char gone[DATAPATH_TEXT_LEN], left[DATAPATH_TEXT_LEN];

	udp_tx_flush(p->tx);
	tun_tx_flush(p->tun_tx);
	if (p->capture != NULL)
		capture_flush(p->capture);
	features = pump_features(p);
	if (features != p->used)
		log_line(LOG_WARNING, "the kernel refuses %s; data path from "
				      "now on: %s",
			 datapath_text(gone, p->used & ~features),
			 datapath_text(left, features));
	p->used = features;
}

/* ---- what the core says ---- */

static void deliver_item(struct pump *p, const struct outbox_item *item,
			 teredo_time now)
{
	const uint8_t *data = outbox_data(&p->outbox, item);

	if (p->capture != NULL && item->kind < OUTBOX_ADDRESS)
		capture_own(p->capture, item, data, now);
	switch (item->kind) {
	case OUTBOX_UDP:
		send_udp_copy(p, item);
		return;
	case OUTBOX_TUN:
		tun_tx_now(p->tun_tx, data, item->len);
		return;
	case OUTBOX_NATIVE6:
		send_native6(p, data, item->len);
		return;
	case OUTBOX_PEER_UP:
		record_peer(p->c.ops, p->c.role, p->c.snap, item, now);
		p->c.news(p->c.ctx, item);
		return;
	case OUTBOX_PEER_DOWN:
		snapshot_drop_peer(p->c.snap, item->arg);
		return;
	case OUTBOX_ADDRESS:
	case OUTBOX_RESOLVE:
	case OUTBOX_SECONDARY:
	case OUTBOX_STATE:
		p->c.news(p->c.ctx, item);
		return;
	}
}

/* Whether the role's state is worth saving. */
static bool has_changed(const struct teredo_outbox *ob)
{
	for (unsigned i = 0; i < ob->n; i++)
		if (ob->item[i].kind == OUTBOX_ADDRESS ||
		    ob->item[i].kind == OUTBOX_STATE)
			return true;
	return false;
}

struct teredo_outbox *pump_outbox(struct pump *p)
{
	return &p->outbox;
}

static void deliver(struct pump *p, teredo_time now)
{
	bool changed = has_changed(&p->outbox);

	assert(p->outbox.lost == 0);
	if (p->outbox.n == 0)
		return;
	if (changed)
		p->c.ops->save(p->c.role, p->c.snap);
	for (unsigned i = 0; i < p->outbox.n; i++)
		deliver_item(p, &p->outbox.item[i], now);
	outbox_clear(&p->outbox);
	if (changed)
		p->c.ops->report(p->c.role, now);
}

void pump_deliver(struct pump *p, teredo_time now)
{
	deliver(p, now);
	flush(p);
}

/* The outbox first, then the packet in `data` that the verdict is about. */
static void obey(struct pump *p, const struct teredo_verdict *v,
		 const uint8_t *data, teredo_time now)
{
	deliver(p, now);
	switch (v->fate) {
	case TEREDO_TO_TUN:
		tun_tx_add(p->tun_tx, data + v->off, v->len);
		return;
	case TEREDO_TO_UDP:
		send_udp(p, v->via, v->to, data + v->off, v->len);
		return;
	case TEREDO_TO_NATIVE6:
		send_native6(p, data + v->off, v->len);
		return;
	case TEREDO_DROP:
	case TEREDO_TAKEN:
		return;
	}
}

/* ---- the ways in ---- */

static void lose_tun(struct pump *p, teredo_time now)
{
	loop_remove(p->c.loop, p->c.tun);
	p->tun_retry = now + TUN_RETRY;
}

/* Takes what waits, as far as the arena goes. */
static void read_tun(struct pump *p, teredo_time now)
{
	size_t used = 0;

	for (p->n_read = 0; p->n_read < PUMP_BATCH &&
			    PUMP_ARENA - used >= PUMP_PACKET; p->n_read++) {
		ssize_t n = tun6_read(p->c.tun, p->arena + used, PUMP_PACKET);

		if (n < 0) {
			if (n != -EAGAIN && n != -EINTR)
				lose_tun(p, now);
			return;
		}
		p->read[p->n_read] = (struct iovec){ p->arena + used,
						     (size_t)n };
		used += ((size_t)n + 15) & ~(size_t)15;
	}
}

static void prefetch_tun(struct pump *p)
{
	struct teredo_addr key[PUMP_BATCH];
	unsigned n = 0;

	for (unsigned i = 0; i < p->n_read; i++) {
		const uint8_t *ip6 = p->read[i].iov_base;

		if (p->read[i].iov_len >= p->vnet + 40)
			memcpy(key[n++].b, ip6 + p->vnet + 24, 16);
	}
	p->c.ops->prefetch(p->c.role, key, n);
}

/* Segment i of a super-packet as an ordinary packet. */
static uint32_t build(struct pump *p, const struct gso_super *s, uint32_t i)
{
	struct iovec payload = gso_segment(s, i, p->segment);

	memcpy(p->segment + s->head, payload.iov_base, payload.iov_len);
	return s->head + (uint32_t)payload.iov_len;
}

/* Asks the core; `segments`: the packet is the first of so many. */
static struct teredo_verdict ask_tun(struct pump *p, const uint8_t *ip6,
				     uint32_t len, uint32_t segments,
				     teredo_time now)
{
	const struct role_ops *ops = p->c.ops;
	struct teredo_verdict v;

	if (p->capture != NULL)
		capture_before(p->capture, ops->counters(p->c.role));
	v = ops->tun_in(p->c.role, ip6, len, now, &p->outbox);
	if (p->capture != NULL)
		capture_tun(p->capture, ip6, len, segments, &v,
			    ops->counters(p->c.role), now);
	return v;
}

static struct teredo_verdict ask_udp(struct pump *p,
				     const struct teredo_rx *rx,
				     teredo_time now)
{
	const struct role_ops *ops = p->c.ops;
	struct teredo_verdict v;

	if (p->capture != NULL)
		capture_before(p->capture, ops->counters(p->c.role));
	v = ops->udp_in(p->c.role, rx, now, &p->outbox);
	if (p->capture != NULL)
		capture_udp(p->capture, rx, &v, ops->counters(p->c.role), now);
	return v;
}

static void submit(struct pump *p, const uint8_t *ip6, uint32_t len,
		   teredo_time now)
{
	struct teredo_verdict v = ask_tun(p, ip6, len, 1, now);

	obey(p, &v, ip6, now);
}

static void send_super(struct pump *p, const struct gso_super *s,
		       const struct teredo_verdict *v)
{
	for (uint32_t i = 0; i < s->count; i++) {
		uint8_t *head = udp_tx_next(p->tx, s->head);
		const struct iovec piece[2] = { { head, s->head },
						gso_segment(s, i, head) };

		udp_tx_add(p->tx, p->c.udp[v->via], v->to, piece, 2);
	}
}

/* Of all segments together. */
static size_t octets(const struct gso_super *s)
{
	return s->len + (size_t)(s->count - 1) * s->head;
}

static void submit_super(struct pump *p, const struct gso_super *s,
			 teredo_time now)
{
	uint32_t len = build(p, s, 0);
	struct teredo_verdict v = ask_tun(p, p->segment, len, s->count, now);

	if (v.fate == TEREDO_TO_UDP) {
		assert(v.off == 0 && v.len == len);
		deliver(p, now);
		send_super(p, s, &v);
		p->c.ops->sent_more(p->c.role, v.peer, s->count - 1,
				    octets(s) - len);
		return;
	}
	obey(p, &v, p->segment, now);
	flush(p); /* the next one is built in its place */
	for (uint32_t i = 1; i < s->count; i++) {
		len = build(p, s, i);
		submit(p, p->segment, len, now);
		flush(p);
	}
}

static void take_from_tun(struct pump *p, uint8_t *data, size_t len,
			  teredo_time now)
{
	struct virtio_net_hdr vnet = { 0 };
	struct gso_super s;

	if (len < p->vnet) {
		p->tun_drops++;
		return;
	}
	memcpy(&vnet, data, p->vnet);
	if (gso_view(&s, &vnet, data + p->vnet, len - p->vnet) != 0) {
		p->tun_drops++;
		return;
	}
	count(&p->tun_rx, s.count, octets(&s));
	if (s.count > 1)
		submit_super(p, &s, now);
	else
		submit(p, s.data, s.len, now);
}

static void tun_readable(void *ctx, uint32_t events)
{
	struct pump *p = ctx;
	teredo_time now = clock_now();

	(void)events;
	read_tun(p, now);
	prefetch_tun(p);
	for (unsigned i = 0; i < p->n_read; i++)
		take_from_tun(p, p->read[i].iov_base, p->read[i].iov_len, now);
	flush(p);
	p->c.done(p->c.ctx);
}

/* Most datagrams are bare IPv6 packets; for others it is in vain. */
static void prefetch_udp(struct pump *p, unsigned n)
{
	struct teredo_addr key[PUMP_BATCH];
	struct teredo_ep from[PUMP_BATCH];
	unsigned found = 0;

	assert(n <= PUMP_BATCH);
	for (unsigned i = 0; i < n; i++) {
		struct udp_message m = udp_rx_message(p->rx, i);

		from[i] = m.from;
		if (m.len >= 40 && m.data[0] >> 4 == 6)
			memcpy(key[found++].b, m.data + 8, 16);
	}
	p->c.ops->prefetch(p->c.role, key, found);
	p->c.ops->expect(p->c.role, from, n);
}

static void take_datagrams(struct pump *p, enum teredo_via via,
			   const struct udp_message *m, teredo_time now)
{
	struct teredo_rx rx = { .data = m->data, .via = via, .from = m->from,
				.local_ip = m->local_ip };
	uint32_t left = m->len;

	do {
		struct teredo_verdict v;

		rx.len = left < m->size ? left : m->size;
		count(&p->udp_rx, 1, rx.len);
		v = ask_udp(p, &rx, now);
		obey(p, &v, rx.data, now);
		rx.data += rx.len;
		left -= (uint32_t)rx.len;
	} while (left > 0);
}

static void udp_readable(struct pump *p, enum teredo_via via)
{
	teredo_time now = clock_now();
	unsigned taken = 0, n;

	do {
		n = udp_rx_receive(p->rx, p->c.udp[via]);
		prefetch_udp(p, n);
		for (unsigned i = 0; i < n; i++) {
			struct udp_message m = udp_rx_message(p->rx, i);

			take_datagrams(p, via, &m, now);
		}
		flush(p);
		taken += n;
	} while (n == udp_rx_slots(p->rx) && taken < PUMP_BATCH);
	p->c.done(p->c.ctx);
}

static void primary_readable(void *ctx, uint32_t events)
{
	(void)events;
	udp_readable(ctx, TEREDO_VIA_PRIMARY);
}

static void secondary_readable(void *ctx, uint32_t events)
{
	(void)events;
	udp_readable(ctx, TEREDO_VIA_SECONDARY);
}

static void discovery_readable(void *ctx, uint32_t events)
{
	(void)events;
	udp_readable(ctx, TEREDO_VIA_DISCOVERY);
}

static int watch(struct pump *p, int fd, loop_fn *fn)
{
	return fd < 0 ? 0 : loop_add_hot(p->c.loop, fd, fn, p);
}

int pump_new(struct pump **out, const struct pump_config *config)
{
	struct pump *p = calloc(1, sizeof(*p));
	int error;

	if (p == NULL)
		return -ENOMEM;
	p->c = *config;
	p->tun_retry = TEREDO_NEVER;
	p->vnet = (p->c.features & DATAPATH_VNET) != 0 ?
			  sizeof(struct virtio_net_hdr) : 0;
	error = udp_rx_new(&p->rx, p->c.features, p->c.relief);
	if (error == 0)
		error = udp_tx_new(&p->tx, p->c.features);
	if (error == 0)
		error = tun_tx_new(&p->tun_tx, p->c.tun, p->c.features);
	p->used = p->c.features;
	if (error == 0)
		error = watch(p, p->c.udp[TEREDO_VIA_PRIMARY], primary_readable);
	if (error == 0)
		error = watch(p, p->c.udp[TEREDO_VIA_SECONDARY],
			      secondary_readable);
	if (error == 0)
		error = watch(p, p->c.udp[TEREDO_VIA_DISCOVERY],
			      discovery_readable);
	if (error == 0)
		error = watch(p, p->c.tun, tun_readable);
	if (error != 0) {
		pump_free(p);
		return error;
	}
	*out = p;
	return 0;
}

void pump_free(struct pump *p)
{
	if (p == NULL)
		return;
	loop_remove(p->c.loop, p->c.tun);
	loop_remove(p->c.loop, p->c.udp[TEREDO_VIA_PRIMARY]);
	loop_remove(p->c.loop, p->c.udp[TEREDO_VIA_SECONDARY]);
	loop_remove(p->c.loop, p->c.udp[TEREDO_VIA_DISCOVERY]);
	udp_rx_free(p->rx);
	udp_tx_free(p->tx);
	tun_tx_free(p->tun_tx);
	free(p);
}

int pump_secondary(struct pump *p, int fd)
{
	int *udp = &p->c.udp[TEREDO_VIA_SECONDARY];
	int error;

	udp_tx_flush(p->tx);
	loop_remove(p->c.loop, *udp);
	error = watch(p, fd, secondary_readable);
	*udp = error == 0 ? fd : -1;
	return error;
}

void pump_capture(struct pump *p, struct capture *capture)
{
	p->capture = capture;
}

/* ---- time ---- */

void pump_expire(struct pump *p, teredo_time now)
{
	if (p->tun_retry <= now) {
		int error = watch(p, p->c.tun, tun_readable);

		p->tun_retry = error == 0 ? TEREDO_NEVER : now + TUN_RETRY;
	}
	for (unsigned i = 0; i < PUMP_EXPIRE; i++) {
		if (p->c.ops->deadline(p->c.role) > now)
			break;
		p->c.ops->expire(p->c.role, now, &p->outbox);
		deliver(p, now);
	}
	flush(p);
}

teredo_time pump_deadline(const struct pump *p)
{
	teredo_time role = p->c.ops->deadline(p->c.role);

	return role < p->tun_retry ? role : p->tun_retry;
}

uint32_t pump_features(const struct pump *p)
{
	uint32_t tx = udp_tx_features(p->tx), rx = udp_rx_features(p->rx);
	uint32_t gone = (DATAPATH_SEGMENT & ~tx) | (DATAPATH_BATCH & ~(tx & rx));

	gone |= DATAPATH_TSO | DATAPATH_USO;
	return (p->c.features & ~gone) | tun_tx_features(p->tun_tx);
}

void pump_status(const struct pump *p, struct ctl_status *st)
{
	const struct udp_tx_counts *sent = udp_tx_counts(p->tx);
	const struct tun_tx_counts *written = tun_tx_counts(p->tun_tx);

	st->udp_rx = p->udp_rx;
	st->udp_tx = (struct ctl_traffic){sent->packets, sent->bytes};
	st->tun_rx = p->tun_rx;
	st->tun_tx.packets = p->native_tx.packets + written->packets;
	st->tun_tx.bytes = p->native_tx.bytes + written->bytes;
	st->tun_drops = p->tun_drops + (uint32_t)written->drops;
	st->udp_drops = (uint32_t)sent->drops;
	st->udp_error = (uint32_t)sent->error;
	st->udp_refused = sent->refused;
	st->datapath = pump_features(p);
}
