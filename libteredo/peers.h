/*
 * peers.h - who we talk to, and how far we trust them
 *
 * RFC 4380 5.2 (C-CFG-05, C-CFG-07), R-GEN-04. A fixed open-addressing table
 * keyed by IPv6 address with SipHash-1-3. A peer is *trusted* while it is
 * proven and was heard within 30 s (C-TX-01). Two classes: a proven peer
 * never makes room for an unproven one while it is trusted; a full table gives
 * up its stalest unproven peer, or else the stalest one no longer trusted, or
 * it refuses.
 */
#ifndef LIBTEREDO_PEERS_H
#define LIBTEREDO_PEERS_H

#include "hold.h"
#include "teredo.h"

#define PEER_VALIDITY	(30 * TEREDO_SECOND)	/* RFC 4380 5.2.4 */
#define PEER_FORGET	(300 * TEREDO_SECOND)	/* of silence: entry goes */
#define PEER_FORGET_UNPROVEN (60 * TEREDO_SECOND)

struct peer {
	struct teredo_addr addr;
	struct teredo_ep ep;		/* where it is, once proven */
	uint64_t nonce;			/* of the running connectivity test */
	teredo_time last_rx, last_tx;	/* accepted from it, sent to its ep */
	teredo_time last_attempt;	/* last bubble or test; 0: none */
	teredo_time unanswered;		/* first sent since last_rx; 0: none */
	struct hold_queue held;
	uint32_t prev, next;		/* its class, stalest first */
	uint8_t attempts;		/* unanswered probes in a row */
	bool proven : 1;		/* ep answered us */
	bool wanted : 1;		/* our side sent to it (R-DEC-04) */
	bool announced : 1;		/* PEER_UP was said */
	bool in_use : 1;		/* peers.c's own */
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

/* Finds or makes. A new one is unproven, last_rx and last_tx are 30 s ago or
 * 0 (C-BUB-02). NULL when the table is full of trusted peers. */
struct peer *peers_get(struct peers *t, const struct teredo_addr *addr,
		       teredo_time now);

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
 * sent to for PEER_FORGET. Called about once a second. */
void peers_sweep(struct peers *t, teredo_time now);

/* A peer's number, stable for its life, 0..max-1; and back (in use or NULL). */
uint32_t peers_slot(const struct peers *t, const struct peer *p);
struct peer *peers_at(struct peers *t, uint32_t slot);

uint32_t peers_max(const struct peers *t);
uint32_t peers_count(const struct peers *t);
uint32_t peers_proven(const struct peers *t);

#endif
