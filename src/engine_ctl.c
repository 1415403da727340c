/*
 * engine_ctl.c - what the engine says at the control socket
 *
 * ctl_server.c has the connections; here are the answers: the status, the
 * peers page by page, what would become of a packet. A page looks at no more
 * places than takes some microseconds, so that a million peers are listed
 * beside the packets and never copied as a whole.
 *
 * Events are what changed between two looks at the role: after news of the
 * core its status is compared with the last one. So they say what the status
 * says, in the same words. An engine knows nothing of the one before it: what
 * its first look finds is told without what was before.
 */
#include "config.h"

#include "engine_ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../libteredo/client.h"
#include "capture.h"
#include "clock.h"
#include "ctl_server.h"
#include "msg.h"
#include "vitals.h"

#define PLACES 1024u	/* looked at for one page */

struct engine_ctl {
	struct engine_ctl_config c;
	struct ctl_server *server;	/* NULL: no control socket */
	struct capture *capture;
	teredo_time started;
	pid_t pid;
	struct ctl_status told;	/* as the events know it */
	uint32_t known;		/* bits of enum ctl_event_kind: told is true */
	struct vitals vitals;
};

/* ---- the status ---- */

static void fill_status(void *ctx, struct ctl_status *st)
{
	const struct engine_ctl *e = ctx;
	const struct teredo_counters *c = e->c.ops->counters(e->c.role);
	teredo_time now = clock_now();

	ctl_server_configured(e->c.config, now, st);
	st->pid = (uint32_t)e->pid;
	st->engine_age = now - e->started;
	st->generation = snapshot_generation(e->c.snap);
	st->auth_keys = e->c.n_keys;
	memcpy(st->counters, c->n, sizeof(st->counters));
	pump_status(e->c.pump, st);
	st->link = *e->c.link;
	vitals_fill(&e->vitals, st, now);
	e->c.ops->status(e->c.role, now, st);
}

/* ---- peers ---- */

static struct ctl_peer peer_of(const struct engine_ctl *e,
			       const struct teredo_view *v)
{
	struct ctl_peer peer = {
		.way = v->way,
		.probes = v->probes,
		.ip = v->ep.ip,
		.port = v->ep.port,
		.counted = e->c.config->role == PRIV_CLIENT,
		.age = v->age,
		.rtt = v->rtt,
		.rx = { .packets = v->traffic[PEER_RX].packets,
			.bytes = v->traffic[PEER_RX].octets },
		.tx = { .packets = v->traffic[PEER_TX].packets,
			.bytes = v->traffic[PEER_TX].octets },
	};

	memcpy(peer.addr, v->addr.b, sizeof(peer.addr));
	return peer;
}

static void fill_peers(void *ctx, uint32_t from, struct ctl_peers *page)
{
	const struct engine_ctl *e = ctx;
	uint32_t max = e->c.config->max_peers, at = from, looked = 0;
	teredo_time now = clock_now();
	struct teredo_view v;

	while (at < max && looked++ < PLACES && page->n < CTL_PEERS_MAX)
		if (e->c.ops->peer(e->c.role, at++, now, &v))
			page->peer[page->n++] = peer_of(e, &v);
	page->next = at < max ? at : CTL_PEERS_END;
}

static void fill_lookup(void *ctx, const uint8_t addr[16],
			struct ctl_lookup *l)
{
	const struct engine_ctl *e = ctx;
	struct teredo_outlook o;
	struct teredo_addr a;

	memcpy(a.b, addr, sizeof(a.b));
	e->c.ops->outlook(e->c.role, &a, clock_now(), &o);
	l->would = o.would;
	l->reason = o.reason;
	l->server_ip = o.server_ip;
	l->known = o.known;
	if (o.known)
		l->peer = peer_of(e, &o.peer);
}

/* ---- events ---- */

static void tell(struct engine_ctl *e, struct ctl_event event)
{
	event.time = clock_now();
	if (e->server == NULL)
		return;
	ctl_server_event(e->server, &event, event.kind != CTL_EVENT_PEER);
}

static void tell_word(struct engine_ctl *e, enum ctl_event_kind kind,
		      uint32_t old, uint32_t value)
{
	bool fresh = (e->known & 1u << kind) == 0;

	e->known |= 1u << kind;
	if (old != value)
		tell(e, (struct ctl_event){.kind = kind, .value = value,
					   .old = old, .fresh = fresh});
}

static void tell_address(struct engine_ctl *e, const struct ctl_status *st)
{
	static const uint8_t none[16];
	struct ctl_event event = {
		.kind = CTL_EVENT_ADDRESS,
		.ip = st->mapped_ip,
		.port = st->mapped_port,
	};

	if (memcmp(st->addr, e->told.addr, sizeof(st->addr)) == 0 ||
	    memcmp(st->addr, none, sizeof(st->addr)) == 0)
		return;
	if (memcmp(e->told.addr, none, sizeof(none)) == 0)
		event.kind = CTL_EVENT_QUALIFIED;
	memcpy(event.addr, st->addr, sizeof(event.addr));
	memcpy(event.old_addr, e->told.addr, sizeof(event.old_addr));
	tell(e, event);
}

/* Refreshing is no event. */
static uint32_t state_of(const struct ctl_status *st)
{
	return st->state == TEREDO_CLIENT_REFRESHING ? TEREDO_CLIENT_QUALIFIED
						     : st->state;
}

static void tell_changes(struct engine_ctl *e)
{
	teredo_time now = clock_now();
	struct ctl_status st;

	memset(&st, 0, sizeof(st));
	ctl_server_configured(e->c.config, now, &st);
	e->c.ops->status(e->c.role, now, &st);
	st.state = state_of(&st);
	st.link = e->told.link;	/* engine_ctl_look() tells of that */
	tell_word(e, CTL_EVENT_STATE, e->told.state, st.state);
	tell_address(e, &st);
	tell_word(e, CTL_EVENT_NAT, e->told.nat, st.nat);
	e->told = st;
}

static void tell_peer(struct engine_ctl *e, const struct outbox_item *item)
{
	struct ctl_event event = {
		.kind = CTL_EVENT_PEER,
		.ip = item->to.ip,
		.port = item->to.port,
	};
	struct teredo_outlook o;

	e->c.ops->outlook(e->c.role, &item->addr, clock_now(), &o);
	event.value = o.known ? o.peer.way : TEREDO_WAY_NONE;
	memcpy(event.addr, item->addr.b, sizeof(event.addr));
	tell(e, event);
}

void engine_ctl_news(struct engine_ctl *e, const struct outbox_item *item)
{
	if (item->kind == OUTBOX_PEER_UP && e->server != NULL &&
	    ctl_server_listens(e->server))
		tell_peer(e, item);
	else if (item->kind == OUTBOX_STATE || item->kind == OUTBOX_ADDRESS)
		tell_changes(e);
}

/* ---- health ---- */

bool engine_ctl_look(struct engine_ctl *e, teredo_time now, uint32_t *health)
{
	struct ctl_status st;
	uint32_t old = e->vitals.health & ((1u << HEALTHS) - 1),
		 link = e->told.link.bits;

	memset(&st, 0, sizeof(st));
	fill_status(e, &st);
	tell_word(e, CTL_EVENT_LINK, link, st.link.bits);
	e->told.link = st.link;
	if (!vitals_look(&e->vitals, &st, now))
		return false;
	*health = e->vitals.health;
	tell_word(e, CTL_EVENT_HEALTH, old, *health);
	return true;
}

/* ---- the parent's ---- */

static int ask_parent(void *ctx, const struct ctl_request *r, int fd)
{
	const struct engine_ctl *e = ctx;
	const struct priv_word word = {
		.verb = r->verb == CTL_RELOAD ? PRIV_RELOAD : PRIV_ANNOUNCE,
		.value = r->verb == CTL_RELOAD ? 0 : r->value,
	};

	if (word.value > CTL_RELEASE)
		return -EINVAL;
	return msg_send(e->c.parent, &word, sizeof(word), fd);
}

/* ---- packets ---- */

static void capture_wanted(void *ctx, bool wanted)
{
	struct engine_ctl *e = ctx;

	capture_clear(e->capture);
	pump_capture(e->c.pump, wanted ? e->capture : NULL);
}

static void captured(void *ctx, const void *records, size_t len, uint32_t n)
{
	struct engine_ctl *e = ctx;

	ctl_server_packets(e->server, records, len, n);
}

/* ---- all of it ---- */

static const struct ctl_ops ops = {
	.status = fill_status,
	.peers = fill_peers,
	.lookup = fill_lookup,
	.parent = ask_parent,
	.capture = capture_wanted,
};

int engine_ctl_new(struct engine_ctl **out,
		   const struct engine_ctl_config *config)
{
	struct engine_ctl *e = calloc(1, sizeof(*e));
	int error;

	if (e == NULL)
		return -ENOMEM;
	e->c = *config;
	e->started = clock_now();
	e->pid = getpid();
	vitals_begin(&e->vitals, e->started);
	e->capture = capture_new((struct teredo_ep){ e->c.config->bind_ip,
						     e->c.config->bind_port },
				 captured, e);
	error = e->capture == NULL	? -ENOMEM
		: e->c.listener < 0	? 0
					: ctl_server_new(&e->server, e->c.loop,
							 e->c.listener, &ops,
							 e);
	if (error != 0) {
		capture_free(e->capture);
		free(e);
		return error;
	}
	tell(e, (struct ctl_event){.kind = CTL_EVENT_STARTED,
				   .value = snapshot_generation(e->c.snap)});
	*out = e;
	return 0;
}

void engine_ctl_expire(struct engine_ctl *e, teredo_time now)
{
	if (e->server != NULL)
		ctl_server_expire(e->server, now);
}
