/*
 * peers.h - who we talk to, and how far we trust them
 *
 * RFC 4380 5.2 (C-CFG-05, C-CFG-07), R-GEN-04. A fixed open-addressing table
 * keyed by IPv6 address with SipHash-1-3. A peer is *trusted* while it is
 * proven and was heard within 30 s (C-TX-01). Two classes: a proven peer
 * never makes room for an unproven one while it is trusted; a full table gives
 * up its stalest unproven peer, or else the stalest one no longer trusted, or
 * it refuses.
 *
 * A relay has up to a million of them, so that a peer is small: what only a
 * peer in search of a path needs is path.c's, and its times are stamps.
 */
#ifndef LIBTEREDO_PEERS_H
#define LIBTEREDO_PEERS_H

#include "teredo.h"

#define PEER_VALIDITY	(30 * TEREDO_SECOND)	/* RFC 4380 5.2.4 */
#define PEER_FORGET	(300 * TEREDO_SECOND)	/* of silence: entry goes */

/* A time in 32 bits: milliseconds, of which the last bit is always set, so that
 * a stamp tells 2 ms apart and 0 is none. Good for 49 days; the sweep makes
 * none of what is older than PEER_FORGET. */
typedef uint32_t peer_stamp;

static inline peer_stamp peer_stamp_of(teredo_time t)
{
	return (peer_stamp)(t / TEREDO_MS) | 1;
}

/* How long ago; none is for ever. */
static inline teredo_time peer_age(peer_stamp s, teredo_time now)
{
	if (s == 0)
		return TEREDO_NEVER;
	return (peer_stamp)(peer_stamp_of(now) - s) * TEREDO_MS;
}

struct peer {
	struct teredo_addr addr;
	struct teredo_ep ep;		/* where it is, once proven */
	peer_stamp last_rx, last_tx;	/* accepted from it, sent to its ep */
	peer_stamp last_attempt;	/* last bubble or test */
	peer_stamp unanswered;		/* first sent since last_rx */
	uint32_t prev, next;		/* its class, stalest first */
	uint16_t search;		/* path.c's own */
	uint8_t attempts;		/* unanswered probes in a row */
	bool proven : 1;		/* ep answered us */
	bool wanted : 1;		/* our side sent to it (R-DEC-04) */
	bool announced : 1;		/* PEER_UP was said */
	bool insisted : 1;		/* ... sent again before it answered */
};

struct peers;

/*
 * Up to max peers, all memory taken now. gone() is called for each peer that
 * is evicted or swept, before its entry is reused: it must release what the
 * peer holds. NULL: out of memory.
 */
struct peers *peers_new(uint32_t max, const struct teredo_env *env,
			void (*gone)(void *ctx, struct peer *p), void *ctx);
void peers_free(struct peers *t);

struct peer *peers_find(struct peers *t, const struct teredo_addr *addr);

/* Brings the table's lines for n keys, at most 64 of them, into the cache;
 * purely a hint. */
void peers_prefetch(struct peers *t, const struct teredo_addr *keys,
		    unsigned n);

/* Finds or makes. A new one is unproven, last_rx and last_tx are 30 s ago
 * (C-BUB-02). NULL when the table is full of trusted peers. */
struct peer *peers_get(struct peers *t, const struct teredo_addr *addr,
		       teredo_time now);
/* Who would have to go for a new one; NULL: nobody must or nobody may. */
struct peer *peers_stalest(const struct peers *t, teredo_time now);

bool peer_is_trusted(const struct peer *p, teredo_time now);

/* p answered from ep: proven, heard at now, freshest of its class. */
void peers_prove(struct peers *t, struct peer *p, struct teredo_ep ep,
		 teredo_time now);
/* p was heard or sent to: updates the time and its place in its class. */
void peers_heard(struct peers *t, struct peer *p, teredo_time now);
void peers_sent(struct peers *t, struct peer *p, teredo_time now);

/* Removes p after gone(). */
void peers_remove(struct peers *t, struct peer *p);
/* Removes all (mapping changed, C-MNT-05). */
void peers_clear(struct peers *t);

/* Looks at the next 1/30 of the table and removes whom nobody heard from or
 * sent to for PEER_FORGET, or unproven ones for `unproven`, which is less;
 * not while they are searched for. Called about once a second. */
void peers_sweep(struct peers *t, teredo_time now, teredo_time unproven);

/* What came from a peer or went to it: whole IPv6 packets, since its entry was
 * made. Counted only after peers_traffic_new(), which takes the memory, 48
 * octets a peer; false: there is none. */
enum peer_way { PEER_RX, PEER_TX, PEER_WAYS };
struct peer_traffic {
	uint64_t packets, octets;
};
bool peers_traffic_new(struct peers *t);
/* Adds; nothing where nobody counts. */
void peers_traffic_add(struct peers *t, const struct peer *p,
		       enum peer_way way, uint32_t packets, size_t octets);
/* Zeros where nobody counts. */
struct peer_traffic peers_traffic(const struct peers *t, const struct peer *p,
				  enum peer_way way);

/* The last round trip to a peer, 0: unknown; measured where traffic is counted.
 * It was asked what it alone can answer, or (now 0) again, so that an answer
 * would not tell to which question. */
void peers_asked(struct peers *t, const struct peer *p, teredo_time now);
void peers_answered(struct peers *t, const struct peer *p, teredo_time now);
teredo_time peers_rtt(const struct peers *t, const struct peer *p);

/* A peer's number, stable for its life, 0..max-1; and back (in use or NULL). */
uint32_t peers_slot(const struct peers *t, const struct peer *p);
struct peer *peers_at(struct peers *t, uint32_t slot);

uint32_t peers_max(const struct peers *t);
uint32_t peers_count(const struct peers *t);
uint32_t peers_proven(const struct peers *t);

#endif
