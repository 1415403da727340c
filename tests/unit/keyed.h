/*
 * keyed.h - authentication elements of the tests' own making
 *
 * Put together here octet by octet, with nettle's HMAC over a copy of what RFC
 * 4380 5.2.2 says that it covers, and not by the code under test.
 */
#ifndef TESTS_UNIT_KEYED_H
#define TESTS_UNIT_KEYED_H

#include "libteredo/auth.h"
#include "src/hmac.h"
#include "testing.h"

/* A key with that identifier; its secret is 20 times that octet. */
static inline struct auth_key keyed_key(const char *id, uint8_t octet,
					enum teredo_hmac algorithm)
{
	struct auth_key key = { .algorithm = (uint8_t)algorithm,
				.id_len = (uint8_t)strlen(id),
				.secret_len = 20 };

	memcpy(key.id, id, key.id_len);
	memset(key.secret, octet, key.secret_len);
	return key;
}

/* Appends an element by `key` in front of body, and body. */
static inline void keyed_put(struct test_packet *p, const struct auth_key *key,
			     const uint8_t *nonce, uint8_t confirmation,
			     const void *body, size_t body_len)
{
	uint8_t value_len = key->algorithm == TEREDO_HMAC_SHA1 ? 20 : 32;
	uint8_t head[4] = { 0, 1, key->id_len, value_len }, value[32];
	struct test_packet covered = { .len = 0 };

	packet_put(&covered, nonce, 8);
	packet_put(&covered, &confirmation, 1);
	packet_put(&covered, body, body_len);
	hmac_compute(NULL, (enum teredo_hmac)key->algorithm, key->secret,
		     key->secret_len, covered.b, covered.len, value);
	packet_put(p, head, sizeof(head));
	packet_put(p, key->id, key->id_len);
	packet_put(p, value, value_len);
	packet_put(p, covered.b, covered.len);
}

#endif
