/*
 * pump.c - the hot path between the sockets and the core
 *
 * A wake-up reads the clock once and takes up to PUMP_BATCH packets from the
 * descriptor that is readable; epoll is level-triggered, so that what is left
 * comes with the next turn and no socket can starve another. Each packet goes
 * to the core alone and lies in the pump's buffer; the verdict names octets of
 * that buffer, so nothing is copied on the way.
 *
 * Order is a promise: after each call into the core the outbox goes out first
 * and the packet of the verdict after it. A packet that ends the wait of
 * others thus follows them, and so does every later packet of that flow.
 *
 * The snapshot is brought up to date before anybody hears of a change: who is
 * killed in between must not have told more than its successor will know.
 *
 * Nothing here waits. What the kernel does not take (full queue, no route, no
 * interface) is dropped and counted. Three functions are the only ways out:
 * send_udp(), send_tun(), send_native6().
 *
 * When the interface is deleted under us, its descriptor reports EPOLLERR for
 * ever and reads give EBADFD, until the parent has made it again on the same
 * descriptor: it is then left out of the loop and tried again from time to
 * time.
 *
 * Elsewhere: what packets mean (libteredo), when to wake up (engine.c), who is
 * told of news (engine.c).
 */
#include "config.h"

#include "pump.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "../libtun6/tun6.h"
#include "clock.h"
#include "udp.h"

#define PUMP_BATCH  64 /* packets per wake-up and descriptor */
#define PUMP_EXPIRE 16 /* expire() per turn */
#define PUMP_BUFFER 65536
#define TUN_RETRY   (100 * TEREDO_MS)

struct pump {
	struct pump_config c;
	struct ctl_traffic udp_rx, udp_tx, tun_rx, tun_tx;
	uint32_t tun_drops, udp_drops;
	teredo_time tun_retry; /* NEVER: the tun is watched */
	struct teredo_outbox outbox;
	uint8_t buffer[PUMP_BUFFER];
};

static void count(struct ctl_traffic *t, size_t len)
{
	t->packets++;
	t->bytes += len;
}

/* ---- the ways out ---- */

static void send_udp(struct pump *p, enum teredo_via via, struct teredo_ep to,
		     const uint8_t *data, uint32_t len)
{
	if (udp_send(p->c.udp[via], to, data, len) == 0)
		count(&p->udp_tx, len);
	else
		p->udp_drops++;
}

static void send_tun(struct pump *p, const uint8_t *ip6, uint32_t len)
{
	if (tun6_write(p->c.tun, ip6, len) == 0)
		count(&p->tun_tx, len);
	else
		p->tun_drops++;
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
		count(&p->tun_tx, len);
	else
		p->tun_drops++;
}

/* ---- what the core says ---- */

static void deliver_item(struct pump *p, const struct outbox_item *item)
{
	const uint8_t *data = outbox_data(&p->outbox, item);

	switch (item->kind) {
	case OUTBOX_UDP:
		send_udp(p, item->via, item->to, data, item->len);
		return;
	case OUTBOX_TUN:
		send_tun(p, data, item->len);
		return;
	case OUTBOX_NATIVE6:
		send_native6(p, data, item->len);
		return;
	case OUTBOX_PEER_UP:
		snapshot_put_peer(p->c.snap, item->arg, &item->addr, item->to);
		return;
	case OUTBOX_PEER_DOWN:
		snapshot_drop_peer(p->c.snap, item->arg);
		return;
	case OUTBOX_ADDRESS:
	case OUTBOX_RESOLVE:
	case OUTBOX_SECONDARY:
		p->c.news(p->c.ctx, item);
		return;
	case OUTBOX_STATE:
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

void pump_deliver(struct pump *p, teredo_time now)
{
	bool changed = has_changed(&p->outbox);

	assert(p->outbox.lost == 0);
	if (p->outbox.n == 0)
		return;
	if (changed)
		p->c.ops->save(p->c.role, p->c.snap);
	for (unsigned i = 0; i < p->outbox.n; i++)
		deliver_item(p, &p->outbox.item[i]);
	outbox_clear(&p->outbox);
	if (changed)
		p->c.ops->report(p->c.role, now);
}

/* The outbox first, then the packet in `data` that the verdict is about. */
static void obey(struct pump *p, const struct teredo_verdict *v,
		 const uint8_t *data, teredo_time now)
{
	pump_deliver(p, now);
	switch (v->fate) {
	case TEREDO_TO_TUN:
		send_tun(p, data + v->off, v->len);
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

static void tun_readable(void *ctx, uint32_t events)
{
	struct pump *p = ctx;
	teredo_time now = clock_now();

	(void)events;
	for (unsigned i = 0; i < PUMP_BATCH; i++) {
		struct teredo_verdict v;
		ssize_t n = tun6_read(p->c.tun, p->buffer, sizeof(p->buffer));

		if (n < 0) {
			if (n != -EAGAIN && n != -EINTR)
				lose_tun(p, now);
			break;
		}
		count(&p->tun_rx, (size_t)n);
		v = p->c.ops->tun_in(p->c.role, p->buffer, (size_t)n, now,
				     &p->outbox);
		obey(p, &v, p->buffer, now);
	}
	p->c.done(p->c.ctx);
}

static void udp_readable(struct pump *p, enum teredo_via via)
{
	teredo_time now = clock_now();
	struct teredo_rx rx = {.data = p->buffer, .via = via};

	for (unsigned i = 0; i < PUMP_BATCH; i++) {
		struct teredo_verdict v;
		int n = udp_recv(p->c.udp[via], p->buffer, sizeof(p->buffer),
				 &rx.from, &rx.local_ip);

		if (n < 0)
			break;
		count(&p->udp_rx, (size_t)n);
		rx.len = (size_t)n;
		v = p->c.ops->udp_in(p->c.role, &rx, now, &p->outbox);
		obey(p, &v, p->buffer, now);
	}
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
	return fd < 0 ? 0 : loop_add(p->c.loop, fd, EPOLLIN, fn, p);
}

int pump_new(struct pump **out, const struct pump_config *config)
{
	struct pump *p = calloc(1, sizeof(*p));
	int error;

	if (p == NULL)
		return -ENOMEM;
	p->c = *config;
	p->tun_retry = TEREDO_NEVER;
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
	free(p);
}

int pump_secondary(struct pump *p, int fd)
{
	int *udp = &p->c.udp[TEREDO_VIA_SECONDARY];

	int error;

	loop_remove(p->c.loop, *udp);
	error = watch(p, fd, secondary_readable);
	*udp = error == 0 ? fd : -1;
	return error;
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
		pump_deliver(p, now);
	}
}

teredo_time pump_deadline(const struct pump *p)
{
	teredo_time role = p->c.ops->deadline(p->c.role);

	return role < p->tun_retry ? role : p->tun_retry;
}

void pump_status(const struct pump *p, struct ctl_status *st)
{
	st->udp_rx = p->udp_rx;
	st->udp_tx = p->udp_tx;
	st->tun_rx = p->tun_rx;
	st->tun_tx = p->tun_tx;
	st->tun_drops = p->tun_drops;
	st->udp_drops = p->udp_drops;
}
