/*
 * auth.c - secure qualification: the keyed authentication element
 *
 * RFC 4380 5.2.2:
 *
 *   00 01 id-len au-len id[] value[] nonce[8] confirmation  origin? IPv6
 *				      |<------- what the value covers ------->|
 *
 * The value is an HMAC by the secret over nonce, confirmation byte, origin
 * indication as it is on the wire, if there is one, and IPv6 packet. These
 * stand side by side in the datagram, so what is covered is one run of octets
 * that ends where the IPv6 packet ends: trailers are not covered (C-SECQ-08).
 * The algorithm is the key's, not the packet's; a value of another length is
 * wrong (C-SECQ-09). Erratum 107: the default is HMAC-SHA1 (C-SECQ-07).
 *
 * Values are compared without regard to where they differ. Identifiers cross
 * the wire in clear; that a search takes as long whichever it finds is kept
 * anyway.
 *
 * The HMAC itself is handed in: env->hmac. What the value does not cover is
 * the outer header. Somebody on the path can send an authenticated
 * solicitation from his own address and pass the answer on, and so give the
 * client a mapping of his (SEC-MITM-03); no rule of the RFC prevents that.
 */
#include "auth.h"

#include <assert.h>
#include <string.h>

#include "nonce.h"
#include "wire.h"

size_t auth_len(const struct auth_key *key)
{
	return key->algorithm == 0 ? WIRE_AUTH_LEN
				   : WIRE_AUTH_LEN + key->id_len +
					     auth_value_len(key->algorithm);
}

static bool has_id(const struct auth_key *key, const struct wire_auth *a)
{
	return key->id_len == a->id_len &&
	       nonce_is_same(key->id, a->id, a->id_len);
}

static void compute(const struct teredo_env *env, const struct auth_key *key,
		    const uint8_t *data, size_t len, uint8_t *value)
{
	assert(env->hmac != NULL && auth_key_is_sound(key));
	env->hmac(env->ctx, (enum teredo_hmac)key->algorithm, key->secret,
		  key->secret_len, data, len, value);
}

void auth_put(uint8_t *out, const struct teredo_env *env,
	      const struct auth_key *key, const uint8_t *nonce,
	      uint8_t confirmation, size_t body_len)
{
	uint8_t *tail = out + auth_len(key) - WIRE_NONCE_LEN - 1;

	if (key->algorithm == 0) {
		wire_put_auth(out, nonce);
		return;
	}
	out[0] = 0;
	out[1] = 1;
	out[2] = key->id_len;
	out[3] = (uint8_t)auth_value_len(key->algorithm);
	memcpy(out + 4, key->id, key->id_len);
	memcpy(tail, nonce, WIRE_NONCE_LEN);
	tail[WIRE_NONCE_LEN] = confirmation;
	compute(env, key, tail, WIRE_NONCE_LEN + 1 + body_len,
		out + 4 + key->id_len);
}

bool auth_is_valid(const struct wire_packet *p, const struct teredo_env *env,
		   const struct auth_key *key)
{
	const struct wire_auth *a = &p->auth;
	size_t len = auth_value_len(key->algorithm);
	uint8_t value[AUTH_VALUE_MAX];
	const uint8_t *from;

	if (!a->present || len == 0 || a->value_len != len || !has_id(key, a))
		return false;
	from = a->value + len;
	compute(env, key, from, (size_t)(p->ip6 + p->ip6_len - from), value);
	return nonce_is_same(value, a->value, len);
}

const struct auth_key *auth_find(const struct auth_keys *keys,
				 const struct wire_auth *a)
{
	const struct auth_key *found = NULL;

	for (uint32_t i = 0; i < keys->n; i++)
		if (has_id(&keys->key[i], a))
			found = &keys->key[i];
	return found;
}
