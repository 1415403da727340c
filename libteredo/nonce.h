/*
 * nonce.h - proofs that an answer answers us
 *
 * Two kinds. A *cookie* is stateless: a keyed hash of the peer's address and
 * the time, worn as the interface identifier of a link-local source address.
 * Who answers to it received our packet, from wherever the answer comes, so
 * that peers behind symmetric NATs can be served (R-DEC-07). A *nonce ring*
 * remembers the last few nonces sent to a server, so that a late answer to a
 * retransmitted solicitation still counts (C-SECQ-02).
 */
#ifndef LIBTEREDO_NONCE_H
#define LIBTEREDO_NONCE_H

#include "siphash.h"
#include "teredo.h"
#include "wire.h"

/* A cookie is good for 30 to 60 seconds. */
#define NONCE_COOKIE_PERIOD (30 * TEREDO_SECOND)

/* The link-local address fe80::/64 + cookie for `peer` at `now`. The
 * identifier has the universal and group bits clear. */
void nonce_cookie(const uint8_t key[SIPHASH_KEY_LEN],
		  const struct teredo_addr *peer, teredo_time now,
		  struct teredo_addr *out);

/* Whether `a` is a cookie for `peer` of this period or the one before. */
bool nonce_cookie_is(const uint8_t key[SIPHASH_KEY_LEN],
		     const struct teredo_addr *peer, teredo_time now,
		     const struct teredo_addr *a);

#define NONCE_RING 4
struct nonce_ring {
	struct {
		uint8_t nonce[WIRE_NONCE_LEN];
		teredo_time until;	/* 0: empty */
	} slot[NONCE_RING];
	unsigned next;
};

/* Draws a fresh nonce, good until now + 15 s, and remembers it. */
void nonce_ring_new(struct nonce_ring *r, const struct teredo_env *env,
		    teredo_time now, uint8_t out[WIRE_NONCE_LEN]);

/* Whether `nonce` was sent and is still good; all of the ring is forgotten
 * then, because a nonce is used once. */
bool nonce_ring_take(struct nonce_ring *r, teredo_time now,
		     const uint8_t nonce[WIRE_NONCE_LEN]);

#endif
