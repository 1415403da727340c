/*
 * hold.h - packets that wait for a path
 *
 * One FIFO per peer, out of one pool of small blocks that is allocated once
 * (C-TX-16, R-ENC-11). The budget of a peer is half the outbox, so that a
 * whole queue can always be released in one call.
 */
#ifndef LIBTEREDO_HOLD_H
#define LIBTEREDO_HOLD_H

#include "outbox.h"
#include "teredo.h"

#define HOLD_PEER_PACKETS	8u
#define HOLD_PEER_BYTES		((size_t)(OUTBOX_BYTES / 2))

struct hold;

/* Where a held packet goes once the peer is proven. */
enum hold_way {
	HOLD_TO_PEER,		/* came from the tun */
	HOLD_TO_TUN,		/* came from the peer, unproven */
	HOLD_IF_THERE,		/* ... if it is proven where this came from */
};

/* Embedded in a peer; zeroed = empty. */
struct hold_queue {
	uint32_t head, tail;	/* block number + 1; 0: none */
	uint16_t bytes, packets;
};

/* A pool of `bytes` octets. NULL: out of memory. */
struct hold *hold_new(size_t bytes, const struct teredo_env *env);
void hold_free(struct hold *h);

/* Copies a packet to the end of q; false when the peer's budget or the pool
 * is used up (nothing changed then). */
bool hold_put(struct hold *h, struct hold_queue *q, enum hold_way way,
	      const uint8_t *data, size_t len);

/* Length and way of the first packet; false when q is empty. */
bool hold_first(const struct hold *h, const struct hold_queue *q,
		enum hold_way *way, size_t *len);

/* Takes the first packet out of q, which is not empty, and copies at most its
 * first max octets to out. */
void hold_take(struct hold *h, struct hold_queue *q, uint8_t *out, size_t max);

/* Octets in use in the whole pool. */
size_t hold_used(const struct hold *h);

#endif
