/*
 * nonce.c - proofs that an answer answers us
 *
 * A cookie is SipHash-2-4 of the peer's address and the number of the current
 * half minute, in the place of an interface identifier:
 *
 *   octet  8     0 h h h h 1 0 0	the rest: h
 *
 * 60 bits of hash. The top bit is the cone flag and clear, as in no address
 * of a server; the u and g bits are clear (A-ADDR-04); the bit that is always
 * set keeps it apart from fe80::ffff:ffff:ffff, which deployed clients use in
 * solicitations. Nothing is remembered for a cookie: it is computed again for
 * this period and the one before.
 *
 * The nonce ring is for our few solicitations (RFC 4380 5.2.2). They are sent
 * again after seconds, and the answer to the first may come after the second
 * was sent, so several are good at a time.
 */
#include "nonce.h"

#include <string.h>

#define NONCE_LIFE (15 * TEREDO_SECOND)

bool nonce_is_same(const void *a, const void *b, size_t len)
{
	const uint8_t *p = a, *q = b;
	uint8_t differ = 0;

	while (len-- > 0)
		differ |= (uint8_t)(*p++ ^ *q++);
	return differ == 0;
}

static void cookie_of_period(const uint8_t key[SIPHASH_KEY_LEN],
			     const struct teredo_addr *peer, uint64_t period,
			     struct teredo_addr *out)
{
	uint8_t input[sizeof(peer->b) + 8];
	uint64_t hash;

	memcpy(input, peer->b, sizeof(peer->b));
	for (unsigned i = 0; i < 8; i++)
		input[sizeof(peer->b) + i] = (uint8_t)(period >> 8 * i);
	hash = siphash24(key, input, sizeof(input));
	memset(out, 0, sizeof(*out));
	out->b[0] = 0xfe;
	out->b[1] = 0x80;
	for (unsigned i = 0; i < 8; i++)
		out->b[8 + i] = (uint8_t)(hash >> 8 * i);
	out->b[8] = (uint8_t)((out->b[8] & 0x78) | 0x04);
}

void nonce_cookie(const uint8_t key[SIPHASH_KEY_LEN],
		  const struct teredo_addr *peer, teredo_time now,
		  struct teredo_addr *out)
{
	cookie_of_period(key, peer, now / NONCE_COOKIE_PERIOD, out);
}

bool nonce_cookie_is(const uint8_t key[SIPHASH_KEY_LEN],
		     const struct teredo_addr *peer, teredo_time now,
		     const struct teredo_addr *a)
{
	uint64_t period = now / NONCE_COOKIE_PERIOD;
	struct teredo_addr want;

	cookie_of_period(key, peer, period, &want);
	if (nonce_is_same(a, &want, sizeof(want)))
		return true;
	if (period == 0)
		return false;
	cookie_of_period(key, peer, period - 1, &want);
	return nonce_is_same(a, &want, sizeof(want));
}

void nonce_keys_new(struct nonce_keys *k, const struct teredo_env *env)
{
	memset(k, 0, sizeof(*k));
	env->random(env->ctx, k->own, sizeof(k->own));
}

void nonce_keys_inherit(struct nonce_keys *k,
			const uint8_t before[SIPHASH_KEY_LEN],
			teredo_time now)
{
	memcpy(k->before, before, sizeof(k->before));
	k->until = now + 2 * NONCE_COOKIE_PERIOD;
}

bool nonce_keys_are_of(const struct nonce_keys *k,
		       const struct teredo_addr *peer, teredo_time now,
		       const struct teredo_addr *a)
{
	return nonce_cookie_is(k->own, peer, now, a) ||
	       (now < k->until && nonce_cookie_is(k->before, peer, now, a));
}

void nonce_ring_new(struct nonce_ring *r, const struct teredo_env *env,
		    teredo_time now, uint8_t out[WIRE_NONCE_LEN])
{
	unsigned i = r->next++ % NONCE_RING;

	env->random(env->ctx, out, WIRE_NONCE_LEN);
	memcpy(r->slot[i].nonce, out, WIRE_NONCE_LEN);
	r->slot[i].until = now + NONCE_LIFE;
}

bool nonce_ring_take(struct nonce_ring *r, teredo_time now,
		     const uint8_t nonce[WIRE_NONCE_LEN])
{
	for (unsigned i = 0; i < NONCE_RING; i++) {
		if (now >= r->slot[i].until ||
		    !nonce_is_same(r->slot[i].nonce, nonce, WIRE_NONCE_LEN))
			continue;
		memset(r, 0, sizeof(*r));
		return true;
	}
	return false;
}
