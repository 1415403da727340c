/*
 * nonce.h - proofs that an answer answers us
 *
 * Two kinds. A *cookie* is stateless: a keyed hash of the peer's address and
 * the time, worn as the interface identifier of a link-local source address.
 * Who answers to it received our packet, from wherever the answer comes, so
 * that peers behind symmetric NATs can be served (R-DEC-07). A *nonce ring*
 * remembers the last few nonces sent to a server, so that a late answer to a
 * retransmitted solicitation still counts (C-SECQ-02).
 *
 * The key of the cookies is drawn by each process. That of the process before
 * is good for as long as its cookies are, so that who was taken over cannot
 * forge answers for its successors for more than a minute.
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

struct nonce_keys {
	uint8_t own[SIPHASH_KEY_LEN];
	uint8_t before[SIPHASH_KEY_LEN];
	teredo_time until;		/* so long the one before is good */
};

/* Draws our own; there is none before. */
void nonce_keys_new(struct nonce_keys *k, const struct teredo_env *env);
/* The process before had this key. */
void nonce_keys_inherit(struct nonce_keys *k,
			const uint8_t before[SIPHASH_KEY_LEN],
			teredo_time now);
/* nonce_cookie_is() by one of them. */
bool nonce_keys_are_of(const struct nonce_keys *k,
		       const struct teredo_addr *peer, teredo_time now,
		       const struct teredo_addr *a);

/* Whether two secrets are the same, in a time that does not tell where they
 * differ. */
bool nonce_is_same(const void *a, const void *b, size_t len);

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
