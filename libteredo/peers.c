/*
 * peers.c - who we talk to, and how far we trust them
 *
 * Peers live in an array and keep their slot for life. An index of slot
 * numbers, at least twice as long, is hashed by SipHash-1-3 with a random key,
 * so that a stranger cannot aim at one chain; linear probing, and deletion
 * shifts back what follows, so that no tombstones gather. The bits of an index
 * entry that slot numbers leave over hold bits of the hash: other peers on the
 * way are passed without a look at them, which would be a cache miss.
 *
 * Two lists, one of a class each, go through the peers from the stalest to the
 * freshest; a peer is moved at most once a second, so that a packet of a busy
 * peer costs nothing here. Free slots are zero (table.h).
 */
#include "peers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "siphash.h"
#include "slots.h"
#include "table.h"

#define NONE UINT32_MAX
#define SWEEP_PARTS 30u
#define PREFETCH 64u

_Static_assert(sizeof(struct peer) == 52, "a peer is small");

enum class { UNPROVEN, PROVEN, CLASSES };

struct account {
	struct peer_traffic traffic[PEER_WAYS];
	teredo_time asked, rtt;		/* 0: not */
};

struct peers {
	struct peer *peer;
	uint32_t *index;	/* slot + 1 and a tag above it; 0: empty */
	uint32_t mask;		/* index length - 1 */
	uint32_t slot_mask;	/* of slot + 1 in an index entry */
	uint32_t count[CLASSES];
	uint32_t first[CLASSES], last[CLASSES];
	struct slots slots;	/* whose peer is one */
	uint32_t hand;		/* of the sweep */
	struct account *account;	/* by slot; or NULL: nobody counts */
	uint8_t key[SIPHASH_KEY_LEN];
	void (*gone)(void *ctx, struct peer *p);
	void *ctx;
};

struct peers *peers_new(uint32_t max, const struct teredo_env *env,
			void (*gone)(void *ctx, struct peer *p), void *ctx)
{
	struct peers *t = calloc(1, sizeof(*t));
	uint32_t len = 2;

	assert(max > 0 && max <= UINT32_MAX / 4);
	if (t == NULL)
		return NULL;
	while (len < 2 * max)
		len *= 2;
	t->peer = table_new(env, max, sizeof(*t->peer));
	t->index = table_new(env, len, sizeof(*t->index));
	if (t->peer == NULL || t->index == NULL ||
	    !slots_init(&t->slots, max)) {
		peers_free(t);
		return NULL;
	}
	t->mask = t->slot_mask = len - 1;
	t->gone = gone;
	t->ctx = ctx;
	for (unsigned c = 0; c < CLASSES; c++)
		t->first[c] = t->last[c] = NONE;
	env->random(env->ctx, t->key, sizeof(t->key));
	return t;
}

void peers_free(struct peers *t)
{
	if (t == NULL)
		return;
	slots_fini(&t->slots);
	free(t->peer);
	free(t->index);
	free(t->account);
	free(t);
}

/* The low half says where in the index, the high half is the tag. */
static uint64_t hash(const struct peers *t, const struct teredo_addr *addr)
{
	return siphash13(t->key, addr->b, sizeof(addr->b));
}

static uint32_t tag(const struct peers *t, uint64_t h)
{
	return (uint32_t)(h >> 32) & ~t->slot_mask;
}

static struct peer *peer_of(const struct peers *t, uint32_t entry)
{
	return &t->peer[(entry & t->slot_mask) - 1];
}

/* From place i of the index on, the next with the tag of h, or empty. */
static uint32_t candidate(const struct peers *t, uint32_t i, uint64_t h)
{
	i &= t->mask;
	while (t->index[i] != 0 &&
	       (t->index[i] & ~t->slot_mask) != tag(t, h))
		i = (i + 1) & t->mask;
	return i;
}

/* Where addr stands in the index, or the empty place where it would. */
static uint32_t place(const struct peers *t, const struct teredo_addr *addr,
		      uint64_t h)
{
	uint32_t i = candidate(t, (uint32_t)h, h);

	while (t->index[i] != 0 &&
	       !addr_equal(&peer_of(t, t->index[i])->addr, addr))
		i = candidate(t, i + 1, h);
	return i;
}

static void index_remove(struct peers *t, uint32_t hole)
{
	uint32_t i = hole;

	for (;;) {
		uint32_t home;

		i = (i + 1) & t->mask;
		if (t->index[i] == 0)
			break;
		home = (uint32_t)hash(t, &peer_of(t, t->index[i])->addr);
		/* may it stand in the hole, that is: not before its home? */
		if (((i - home) & t->mask) >= ((i - hole) & t->mask)) {
			t->index[hole] = t->index[i];
			hole = i;
		}
	}
	t->index[hole] = 0;
}

static enum class class_of(const struct peer *p)
{
	return p->proven ? PROVEN : UNPROVEN;
}

static void list_remove(struct peers *t, struct peer *p)
{
	enum class c = class_of(p);

	if (p->prev != NONE)
		t->peer[p->prev].next = p->next;
	else
		t->first[c] = p->next;
	if (p->next != NONE)
		t->peer[p->next].prev = p->prev;
	else
		t->last[c] = p->prev;
	t->count[c]--;
}

static void list_append(struct peers *t, struct peer *p)
{
	enum class c = class_of(p);
	uint32_t slot = peers_slot(t, p);

	p->prev = t->last[c];
	p->next = NONE;
	if (p->prev != NONE)
		t->peer[p->prev].next = slot;
	else
		t->first[c] = slot;
	t->last[c] = slot;
	t->count[c]++;
}

/* How long nothing came from it or went to it. */
static teredo_time idle(const struct peer *p, teredo_time now)
{
	teredo_time rx = peer_age(p->last_rx, now);
	teredo_time tx = peer_age(p->last_tx, now);

	return rx < tx ? rx : tx;
}

static void freshen(struct peers *t, struct peer *p, teredo_time now)
{
	if (idle(p, now) < TEREDO_SECOND)
		return;
	list_remove(t, p);
	list_append(t, p);
}

struct peer *peers_find(struct peers *t, const struct teredo_addr *addr)
{
	uint32_t entry = t->index[place(t, addr, hash(t, addr))];

	return entry == 0 ? NULL : peer_of(t, entry);
}

void peers_prefetch(struct peers *t, const struct teredo_addr *keys,
		    unsigned n)
{
	uint64_t h[PREFETCH];

	if (n > PREFETCH)
		n = PREFETCH;
	for (unsigned i = 0; i < n; i++) {
		h[i] = hash(t, &keys[i]);
		__builtin_prefetch(&t->index[(uint32_t)h[i] & t->mask]);
	}
	for (unsigned i = 0; i < n; i++) {
		uint32_t entry = t->index[candidate(t, (uint32_t)h[i], h[i])];
		const struct peer *p;

		if (entry == 0)
			continue;
		p = peer_of(t, entry);
		__builtin_prefetch(p);
		__builtin_prefetch(&p->attempts);	/* its other line */
	}
}

struct peer *peers_stalest(const struct peers *t, teredo_time now)
{
	struct peer *p;

	if (peers_count(t) < peers_max(t))
		return NULL;
	if (t->first[UNPROVEN] != NONE)
		return &t->peer[t->first[UNPROVEN]];
	p = &t->peer[t->first[PROVEN]];
	return peer_is_trusted(p, now) ? NULL : p;
}

static bool make_room(struct peers *t, teredo_time now)
{
	struct peer *p = peers_stalest(t, now);

	if (p != NULL)
		peers_remove(t, p);
	return peers_count(t) < peers_max(t);
}

struct peer *peers_get(struct peers *t, const struct teredo_addr *addr,
		       teredo_time now)
{
	uint64_t h = hash(t, addr);
	uint32_t entry = t->index[place(t, addr, h)];
	struct peer *p;

	if (entry != 0)
		return peer_of(t, entry);
	if (!make_room(t, now))
		return NULL;
	p = &t->peer[slots_take(&t->slots)];
	p->addr = *addr;
	p->last_rx = peer_stamp_of(now) - (peer_stamp)(PEER_VALIDITY / TEREDO_MS);
	p->last_tx = p->last_rx;
	if (t->account != NULL)
		t->account[peers_slot(t, p)] = (struct account){ 0 };
	/* to make room may have moved its place */
	t->index[place(t, addr, h)] = tag(t, h) | (peers_slot(t, p) + 1);
	list_append(t, p);
	return p;
}

bool peer_is_trusted(const struct peer *p, teredo_time now)
{
	return p->proven && peer_age(p->last_rx, now) < PEER_VALIDITY;
}

void peers_prove(struct peers *t, struct peer *p, struct teredo_ep ep,
		 teredo_time now)
{
	list_remove(t, p);
	p->proven = true;
	list_append(t, p);
	p->ep = ep;
	p->last_rx = peer_stamp_of(now);
	p->unanswered = 0;
}

void peers_heard(struct peers *t, struct peer *p, teredo_time now)
{
	freshen(t, p, now);
	p->last_rx = peer_stamp_of(now);
	p->unanswered = 0;
}

void peers_sent(struct peers *t, struct peer *p, teredo_time now)
{
	freshen(t, p, now);
	p->last_tx = peer_stamp_of(now);
	if (p->unanswered == 0)
		p->unanswered = p->last_tx;
}

void peers_remove(struct peers *t, struct peer *p)
{
	uint32_t slot = peers_slot(t, p);

	t->gone(t->ctx, p);
	index_remove(t, place(t, &p->addr, hash(t, &p->addr)));
	list_remove(t, p);
	memset(p, 0, sizeof(*p));
	slots_give(&t->slots, slot);
}

void peers_clear(struct peers *t)
{
	for (unsigned c = 0; c < CLASSES; c++)
		while (t->first[c] != NONE)
			peers_remove(t, &t->peer[t->first[c]]);
}

/* Not during a search: what waits is told how it ended. A peer that was never
 * probed has been idle for PEER_VALIDITY from the beginning. */
static bool is_forgotten(const struct peer *p, teredo_time now,
			 teredo_time unproven)
{
	teredo_time age = peer_age(p->last_attempt, now);

	if (p->search != 0)
		return false;
	if (age > idle(p, now))
		age = idle(p, now);
	return age > (p->proven ? PEER_FORGET : unproven);
}

/* Before it could be taken for a new one. `unanswered` is read only while the
 * peer is trusted, and then it is younger than last_rx. */
static void fade(peer_stamp *s, teredo_time now)
{
	if (peer_age(*s, now) > PEER_FORGET)
		*s = 0;
}

static void look_at(struct peers *t, struct peer *p, teredo_time now,
		    teredo_time unproven)
{
	if (is_forgotten(p, now, unproven)) {
		peers_remove(t, p);
		return;
	}
	fade(&p->last_rx, now);
	fade(&p->last_tx, now);
	fade(&p->last_attempt, now);
}

void peers_sweep(struct peers *t, teredo_time now, teredo_time unproven)
{
	uint32_t max = peers_max(t);

	for (uint32_t n = max / SWEEP_PARTS + 1; n > 0; n--) {
		if (slots_has(&t->slots, t->hand))
			look_at(t, &t->peer[t->hand], now, unproven);
		t->hand = t->hand + 1 < max ? t->hand + 1 : 0;
	}
}

bool peers_traffic_new(struct peers *t)
{
	t->account = calloc(peers_max(t), sizeof(*t->account));
	return t->account != NULL;
}

void peers_traffic_add(struct peers *t, const struct peer *p,
		       enum peer_way way, uint32_t packets, size_t octets)
{
	struct peer_traffic *sum;

	if (t->account == NULL)
		return;
	sum = &t->account[peers_slot(t, p)].traffic[way];
	sum->packets += packets;
	sum->octets += octets;
}

struct peer_traffic peers_traffic(const struct peers *t, const struct peer *p,
				  enum peer_way way)
{
	if (t->account == NULL)
		return (struct peer_traffic){ 0 };
	return t->account[peers_slot(t, p)].traffic[way];
}

void peers_asked(struct peers *t, const struct peer *p, teredo_time now)
{
	if (t->account != NULL)
		t->account[peers_slot(t, p)].asked = now;
}

void peers_answered(struct peers *t, const struct peer *p, teredo_time now)
{
	struct account *a;

	if (t->account == NULL)
		return;
	a = &t->account[peers_slot(t, p)];
	if (a->asked != 0)
		a->rtt = now > a->asked ? now - a->asked : 1;
	a->asked = 0;
}

teredo_time peers_rtt(const struct peers *t, const struct peer *p)
{
	return t->account != NULL ? t->account[peers_slot(t, p)].rtt : 0;
}

uint32_t peers_slot(const struct peers *t, const struct peer *p)
{
	return (uint32_t)(p - t->peer);
}

struct peer *peers_at(struct peers *t, uint32_t slot)
{
	return slots_has(&t->slots, slot) ? &t->peer[slot] : NULL;
}

uint32_t peers_max(const struct peers *t)
{
	return t->slots.max;
}

uint32_t peers_count(const struct peers *t)
{
	return t->count[UNPROVEN] + t->count[PROVEN];
}

uint32_t peers_proven(const struct peers *t)
{
	return t->count[PROVEN];
}
