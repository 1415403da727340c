/*
 * path.c - how a peer is reached: the part that client and relay share
 *
 * RFC 4380 5.2.4, 5.2.6, 5.2.9, 5.4.1. A *cycle* is up to four probes, PATH_GAP
 * apart; it runs while the peer has a *search*, whose timer is armed all the
 * time and where packets wait: a peer without one holds nothing. Searches are
 * a pool; peer->search is a number in it plus one. `attempts` counts probes
 * since the last proof. When four went unanswered the cycle ends, what waits
 * is refused, and traffic may start another probe only after the role's pause:
 * one per pause, because `attempts` stays at four or more until a proof.
 *
 * A probe that the role may not send just now (a rate limit) uses up its turn,
 * so that a cycle always ends, but the next need not wait for it:
 * `last_attempt` is when one was really sent, and gaps and pauses count from
 * there.
 *
 * Peers vanish inside other calls (evicted, swept, cleared); that they were
 * announced is noted by slot and told at the next expire(), unless the slot
 * is announced for another peer before.
 */
#include "path.h"

#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "icmp6.h"
#include "table.h"

#define PROBE_ITEMS	4u
#define PROBE_BYTES	512u
#define ERRORS_PER_SECOND 100u
#define SWEEP_PERIOD	TEREDO_SECOND
#define IP6_SRC		8u	/* where the source address stands */

/* What the handling of one timer may put into the outbox. */
#define TIMER_ITEMS	(PROBE_ITEMS + HOLD_PEER_PACKETS)
#define TIMER_BYTES	(PROBE_BYTES + HOLD_PEER_PACKETS * ICMP6_ERROR_MAX)

_Static_assert(PATH_SEARCHES < UINT16_MAX, "a number plus one in 16 bits");

/* false: too many are searched for. */
static bool begin(struct path *path, struct peer *p)
{
	uint32_t number;

	if (path->searches.count == path->searches.max)
		return false;
	number = slots_take(&path->searches);
	path->search[number].slot = peers_slot(path->peers, p);
	p->search = (uint16_t)(number + 1);
	return true;
}

static void arm(struct path *path, const struct peer *p, teredo_time when)
{
	deadlines_arm(path->timers, p->search - 1, when);
}

static struct hold_queue *held(const struct path *path, const struct peer *p)
{
	return &path->search[p->search - 1].held;
}

/* What is still held is lost. A source that is known to be elsewhere was forged;
 * of one that does not answer nobody knows. */
static void end(struct path *path, struct peer *p)
{
	struct path_search *s;
	enum hold_way way;
	size_t len;

	if (p->search == 0)
		return;
	s = &path->search[p->search - 1];
	while (hold_first(path->hold, &s->held, &way, &len)) {
		hold_take(path->hold, &s->held, NULL, 0);
		path->count->n[way == HOLD_IF_THERE && p->proven ?
			       TEREDO_DROP_spoofed :
			       TEREDO_DROP_unreachable]++;
	}
	deadlines_disarm(path->timers, p->search - 1);
	slots_give(&path->searches, p->search - 1u);
	*s = (struct path_search){ 0 };
	p->search = 0;
}

static void peer_gone(void *ctx, struct peer *p)
{
	struct path *path = ctx;
	uint32_t slot = peers_slot(path->peers, p);

	end(path, p);
	if (p->announced) {
		path->count->n[TEREDO_EV_peer_down]++;
		path->down[slot / 64] |= 1ull << slot % 64;
		path->n_down++;
	}
}

bool path_init(struct path *path, const struct path_ops *ops, void *role,
	       uint32_t max_peers, size_t hold_bytes,
	       const struct teredo_env *env, struct teredo_counters *count)
{
	uint32_t n = max_peers < PATH_SEARCHES ? max_peers : PATH_SEARCHES;

	memset(path, 0, sizeof(*path));
	path->ops = ops;
	path->role = role;
	path->count = count;
	path->errors.burst = ERRORS_PER_SECOND;
	path->errors.period = TEREDO_SECOND / ERRORS_PER_SECOND;
	path->peers = peers_new(max_peers, env, peer_gone, path);
	path->hold = hold_new(hold_bytes, env);
	path->timers = deadlines_new(n, env);
	path->search = table_new(env, n, sizeof(*path->search));
	path->down = calloc(max_peers / 64 + 1, sizeof(*path->down));
	if (!ratelimit_table_init(&path->errors_to, env, RATELIMIT_FEW, 32,
				  100 * TEREDO_MS) ||
	    !ratelimit_table_init(&path->evicted, env, RATELIMIT_SETS, 1,
				  PATH_GAP_MIN) ||
	    !slots_init(&path->searches, n) ||
	    path->peers == NULL || path->hold == NULL ||
	    path->timers == NULL || path->search == NULL ||
	    path->down == NULL) {
		path_fini(path);
		return false;
	}
	return true;
}

void path_fini(struct path *path)
{
	peers_free(path->peers);
	hold_free(path->hold);
	deadlines_free(path->timers);
	slots_fini(&path->searches);
	free(path->search);
	free(path->down);
	ratelimit_table_fini(&path->errors_to);
	ratelimit_table_fini(&path->evicted);
	memset(path, 0, sizeof(*path));
}

static struct teredo_verdict drop(struct path *path, enum teredo_counter why)
{
	path->count->n[why]++;
	return (struct teredo_verdict){.fate = TEREDO_DROP};
}

/* "Address unreachable" for one of our own side's packets (G-ICM-01): 100 a
 * second, 10 of them to one network, so that no scanner gets all. */
static void refuse(struct path *path, const uint8_t *ip6, size_t len,
		   teredo_time now, struct teredo_outbox *ob)
{
	uint8_t error[ICMP6_ERROR_MAX];
	size_t n;

	path->count->n[TEREDO_DROP_unreachable]++;
	n = icmp6_put_unreachable(error, &path->error_src, ip6, len);
	if (n == 0 || !outbox_room(ob, 1, n) ||
	    !ratelimit_take_both(&path->errors, &path->errors_to, now,
				 ip6 + IP6_SRC, 8))
		return;
	memcpy(outbox_packet(ob, OUTBOX_TUN, n), error, n);
	path->count->n[TEREDO_EV_unreachable_sent]++;
}

static void give_up(struct path *path, struct peer *p, teredo_time now,
		    struct teredo_outbox *ob)
{
	struct hold_queue *q = held(path, p);
	uint8_t head[ICMP6_ERROR_MAX];
	enum hold_way way;
	size_t len;

	while (hold_first(path->hold, q, &way, &len)) {
		hold_take(path->hold, q, head, sizeof(head));
		if (way == HOLD_TO_PEER)
			refuse(path, head,
			       len < sizeof(head) ? len : sizeof(head), now,
			       ob);
		else
			path->count->n[TEREDO_DROP_unreachable]++;
	}
}

static void probe(struct path *path, struct peer *p, teredo_time now,
		  struct teredo_outbox *ob)
{
	uint8_t before = p->attempts;

	/* saturates without a change of parity, by which roles vary probes */
	p->attempts = before < UINT8_MAX ? before + 1 : UINT8_MAX - 1;
	if (path->ops->probe(path->role, p, now, ob)) {
		p->last_attempt = peer_stamp_of(now);
		peers_asked(path->peers, p, before == 0 ? now : 0);
	}
	arm(path, p, now + PATH_GAP);
}

bool path_is_probing(const struct peer *p)
{
	return p->search != 0;
}

static bool is_pausing(const struct path *path, const struct peer *p,
		       teredo_time now)
{
	return !path_is_probing(p) && p->attempts >= PATH_ATTEMPTS &&
	       peer_age(p->last_attempt, now) <
		       path->ops->pause(path->role, p);
}

/* C-BUB-04: nor is one probed again at once whose entry was lost. */
static bool was_evicted(const struct path *path, const struct peer *p,
			teredo_time now)
{
	return !ratelimit_table_has(&path->evicted, now, p->addr.b,
				    sizeof(p->addr.b));
}

static void note_evicted(struct path *path, const struct peer *p,
			 teredo_time now)
{
	path->count->n[TEREDO_EV_peer_evicted]++;
	if (peer_age(p->last_attempt, now) < PATH_GAP_MIN)
		ratelimit_table_take(&path->evicted, now, p->addr.b,
				     sizeof(p->addr.b));
}

void path_probe(struct path *path, struct peer *p, teredo_time now,
		struct teredo_outbox *ob)
{
	teredo_time age = peer_age(p->last_attempt, now);

	if (path_is_probing(p) || is_pausing(path, p, now) || !begin(path, p))
		return;
	if (age < PATH_GAP)
		arm(path, p, now + PATH_GAP - age);
	else if (p->last_attempt == 0 && was_evicted(path, p, now))
		arm(path, p, now + PATH_GAP);
	else
		probe(path, p, now, ob);
}

static bool is_one_way(const struct peer *p, teredo_time now)
{
	return p->unanswered != 0 &&
	       peer_age(p->unanswered, now) > PATH_ONE_WAY;
}

static void one_way(struct path *path, struct peer *p, teredo_time now,
		    struct teredo_outbox *ob)
{
	path_probe(path, p, now, ob);
	if (path->ops->doubt != NULL && p->attempts == 1 &&
	    peer_age(p->last_attempt, now) >= PATH_PATIENCE)
		path->ops->doubt(path->role, now, ob);
}

/* Something waits that is the peer's only if it is elsewhere. */
static bool may_be_elsewhere(const struct path *path, const struct peer *p)
{
	return p->search != 0 && path->search[p->search - 1].from.port != 0;
}

static void timer(struct path *path, struct peer *p, teredo_time now,
		  struct teredo_outbox *ob)
{
	bool trusted = peer_is_trusted(p, now);
	bool is_well = trusted && !is_one_way(p, now) &&
		       !(may_be_elsewhere(path, p) && p->attempts == 0);

	if (!is_well && p->attempts < PATH_ATTEMPTS) {
		probe(path, p, now, ob);
		return;
	}
	if (is_well)
		p->attempts = 0;	/* heard meanwhile */
	else if (!trusted)
		give_up(path, p, now, ob);
	end(path, p);
}

struct peer *path_peer(struct path *path, const struct teredo_addr *addr,
		       teredo_time now)
{
	struct peer *p = peers_find(path->peers, addr);
	const struct peer *stalest;

	if (p != NULL)
		return p;
	stalest = peers_stalest(path->peers, now);
	if (stalest != NULL)
		note_evicted(path, stalest, now);
	return peers_get(path->peers, addr, now);
}

/* Its path is searched for meanwhile. Of strangers nothing waits that is longer
 * than any tunnel's packet: they would fill the pool with little effort. */
static struct teredo_verdict keep(struct path *path, struct peer *p,
				  enum hold_way way, const uint8_t *ip6,
				  size_t len, teredo_time now,
				  struct teredo_outbox *ob)
{
	path_probe(path, p, now, ob);
	if (!path_is_probing(p))
		return drop(path, TEREDO_DROP_rate_limited);
	if ((way != HOLD_TO_PEER && len > TEREDO_MTU) ||
	    (held(path, p)->packets > 0 &&
	     hold_used(path->hold) > path->ops->hold_many) ||
	    !hold_put(path->hold, held(path, p), way, ip6, len))
		return drop(path, TEREDO_DROP_hold_full);
	path->count->n[TEREDO_EV_packet_held]++;
	return (struct teredo_verdict){.fate = TEREDO_TAKEN};
}

struct teredo_verdict path_send(struct path *path,
				const struct teredo_addr *dst,
				const uint8_t *ip6, size_t len,
				teredo_time now, struct teredo_outbox *ob)
{
	struct peer *p = peers_find(path->peers, dst);

	if (p == NULL && path->ops->admit != NULL &&
	    !path->ops->admit(path->role, ip6, now))
		return drop(path, TEREDO_DROP_rate_limited);
	if (p == NULL)
		p = path_peer(path, dst, now);
	if (p == NULL)
		return drop(path, TEREDO_DROP_table_full);
	p->insisted = p->wanted;
	p->wanted = true;
	if (peer_is_trusted(p, now)) {
		peers_sent(path->peers, p, now);
		if (is_one_way(p, now))
			one_way(path, p, now, ob);
		peers_traffic_add(path->peers, p, PEER_TX, 1, len);
		return (struct teredo_verdict){
			.fate = TEREDO_TO_UDP,
			.via = TEREDO_VIA_PRIMARY,
			.len = (uint32_t)len,
			.to = p->ep,
			.peer = peers_slot(path->peers, p),
		};
	}
	if (is_pausing(path, p, now)) {
		refuse(path, ip6, len, now, ob);
		return (struct teredo_verdict){.fate = TEREDO_DROP};
	}
	return keep(path, p, HOLD_TO_PEER, ip6, len, now, ob);
}

struct teredo_verdict path_receive_unproven(struct path *path,
					    const struct teredo_addr *src,
					    const uint8_t *ip6, size_t len,
					    teredo_time now,
					    struct teredo_outbox *ob)
{
	struct peer *p = path_peer(path, src, now);

	if (p == NULL)
		return drop(path, TEREDO_DROP_table_full);
	if (is_pausing(path, p, now))
		return drop(path, TEREDO_DROP_unknown_peer);
	return keep(path, p, HOLD_TO_TUN, ip6, len, now, ob);
}

struct teredo_verdict path_receive_from(struct path *path,
					const struct teredo_addr *src,
					struct teredo_ep from,
					const uint8_t *ip6, size_t len,
					teredo_time now,
					struct teredo_outbox *ob)
{
	struct peer *p = path_peer(path, src, now);
	struct path_search *s;

	if (p == NULL)
		return drop(path, TEREDO_DROP_table_full);
	if (!peer_is_trusted(p, now) && is_pausing(path, p, now))
		return drop(path, TEREDO_DROP_unknown_peer);
	path_probe(path, p, now, ob);
	if (!path_is_probing(p))
		return drop(path, peer_is_trusted(p, now) ?
			    TEREDO_DROP_spoofed : TEREDO_DROP_rate_limited);
	s = &path->search[p->search - 1];
	if (p->proven && ep_equal(p->ep, from))		/* not long ago */
		return keep(path, p, HOLD_TO_TUN, ip6, len, now, ob);
	if (s->from.port == 0)
		s->from = from;
	else if (!ep_equal(s->from, from))
		return drop(path, TEREDO_DROP_spoofed);
	return keep(path, p, HOLD_IF_THERE, ip6, len, now, ob);
}

/* What came from one place is not vouched for by a proof at another. */
static bool is_there(const struct path *path, const struct peer *p)
{
	return ep_equal(path->search[p->search - 1].from, p->ep);
}

static void release(struct path *path, struct peer *p, teredo_time now,
		    struct teredo_outbox *ob)
{
	struct hold_queue *q = held(path, p);
	enum hold_way way;
	size_t len;

	while (hold_first(path->hold, q, &way, &len)) {
		uint8_t *out;

		if (way == HOLD_IF_THERE && !is_there(path, p)) {
			hold_take(path->hold, q, NULL, 0);
			path->count->n[TEREDO_DROP_spoofed]++;
			continue;
		}
		if (way == HOLD_TO_PEER) {
			out = outbox_udp(ob, TEREDO_VIA_PRIMARY, p->ep, len);
			peers_sent(path->peers, p, now);
		} else {
			out = outbox_packet(ob, OUTBOX_TUN, len);
		}
		hold_take(path->hold, q, out, out == NULL ? 0 : len);
		peers_traffic_add(path->peers, p,
				  way == HOLD_TO_PEER ? PEER_TX : PEER_RX, 1,
				  len);
		path->count->n[TEREDO_EV_packet_released]++;
	}
}

void path_proven(struct path *path, struct peer *p, struct teredo_ep ep,
		 teredo_time now, struct teredo_outbox *ob)
{
	uint32_t slot = peers_slot(path->peers, p);
	bool news = !p->announced || !ep_equal(p->ep, ep);

	peers_prove(path->peers, p, ep, now);
	p->attempts = 0;
	if (news) {
		p->announced = true;
		if (path->down[slot / 64] >> slot % 64 & 1) {
			path->down[slot / 64] &= ~(1ull << slot % 64);
			path->n_down--;
		}
		outbox_news(ob, OUTBOX_PEER_UP, &p->addr, ep, slot);
		path->count->n[TEREDO_EV_peer_up]++;
	}
	if (path_is_probing(p))
		release(path, p, now, ob);
	end(path, p);
}

void path_heard(struct path *path, struct peer *p, teredo_time now)
{
	peers_heard(path->peers, p, now);
	if (p->attempts > 0 && !may_be_elsewhere(path, p)) {
		p->attempts = 0;
		end(path, p);
	}
}

void path_restore(struct path *path, const struct teredo_addr *addr,
		  struct teredo_ep ep, teredo_time heard, teredo_time now,
		  struct teredo_outbox *ob)
{
	struct peer *p;

	if (heard > now || now - heard > PEER_FORGET)
		return;
	p = path_peer(path, addr, now);
	if (p == NULL)
		return;
	path_proven(path, p, ep, now, ob);
	p->last_rx = peer_stamp_of(heard);
}

void path_view(const struct path *path, const struct peer *p, teredo_time now,
	       struct teredo_view *v)
{
	*v = (struct teredo_view){
		.addr = p->addr,
		.way = peer_is_trusted(p, now) ? TEREDO_WAY_DIRECT
		       : path_is_probing(p)    ? TEREDO_WAY_PENDING
					       : TEREDO_WAY_NONE,
		.probes = p->attempts,
		.age = TEREDO_NEVER,
		.rtt = peers_rtt(path->peers, p),
		.traffic = { peers_traffic(path->peers, p, PEER_RX),
			     peers_traffic(path->peers, p, PEER_TX) },
	};
	if (!p->proven)		/* its last_rx is none */
		return;
	v->ep = p->ep;
	v->age = peer_age(p->last_rx, now);
}

void path_outlook(const struct path *path, const struct teredo_addr *dst,
		  teredo_time now, struct teredo_outlook *o)
{
	const struct peer *p = peers_find(path->peers, dst);

	*o = (struct teredo_outlook){ .would = TEREDO_WOULD_BUBBLE };
	if (p == NULL)
		return;
	o->known = true;
	path_view(path, p, now, &o->peer);
	if (peer_is_trusted(p, now))
		o->would = TEREDO_WOULD_SEND;
	else if (path_is_probing(p))
		o->would = TEREDO_WOULD_WAIT;
	else if (is_pausing(path, p, now))
		o->would = TEREDO_WOULD_REFUSE;
}

/* Says PEER_DOWN for what vanished; stops when the outbox is full. */
static void tell_gone(struct path *path, struct teredo_outbox *ob)
{
	uint32_t words = peers_max(path->peers) / 64 + 1;

	for (uint32_t w = 0; w < words && path->n_down > 0; w++) {
		for (uint32_t b = 0; path->down[w] != 0 && b < 64; b++) {
			if ((path->down[w] >> b & 1) == 0)
				continue;
			if (!outbox_room(ob, 1, 0))
				return;
			path->down[w] &= ~(1ull << b);
			path->n_down--;
			outbox_news(ob, OUTBOX_PEER_DOWN, NULL,
				    (struct teredo_ep){0}, w * 64 + b);
		}
	}
}

static void sweep(struct path *path, teredo_time now)
{
	path->next_sweep = now + SWEEP_PERIOD;
	peers_sweep(path->peers, now, path->ops->forget_after);
	ratelimit_table_sweep(&path->errors_to, now);
	ratelimit_table_sweep(&path->evicted, now);
	if (path->ops->sweep != NULL)
		path->ops->sweep(path->role, now);
}

void path_expire(struct path *path, teredo_time now, struct teredo_outbox *ob)
{
	uint32_t i;

	while (outbox_room(ob, TIMER_ITEMS, TIMER_BYTES) &&
	       deadlines_pop(path->timers, now, &i))
		timer(path, peers_at(path->peers, path->search[i].slot), now,
		      ob);
	if (peers_count(path->peers) > 0 && now >= path->next_sweep)
		sweep(path, now);
	tell_gone(path, ob);
}

teredo_time path_deadline(const struct path *path)
{
	teredo_time next = deadlines_next(path->timers);

	if (path->n_down > 0)
		return 0;
	if (peers_count(path->peers) > 0 && path->next_sweep < next)
		next = path->next_sweep;
	return next;
}
