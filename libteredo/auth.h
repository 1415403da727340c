/*
 * auth.h - secure qualification: the keyed authentication element
 *
 * RFC 4380 5.2.2. Who shares a secret with the other side names it by an
 * identifier and proves by an HMAC that he has it. What goes without a secret,
 * the nonce alone, is in wire.h.
 */
#ifndef LIBTEREDO_AUTH_H
#define LIBTEREDO_AUTH_H

#include "teredo.h"

#define AUTH_KEYS	256	/* that a server knows, at most */
#define AUTH_ID_MAX	64
#define AUTH_SECRET_MAX	64
#define AUTH_VALUE_MAX	32

/* An identifier and its secret; algorithm 0: there is none. */
struct auth_key {
	uint8_t algorithm;	/* enum teredo_hmac */
	uint8_t expired;	/* a server answers that it is (S-RS-13) */
	uint8_t id_len, secret_len;
	uint8_t id[AUTH_ID_MAX];
	uint8_t secret[AUTH_SECRET_MAX];
};

struct auth_keys {
	uint32_t n;
	struct auth_key key[AUTH_KEYS];
};

struct wire_auth;
struct wire_packet;

/* "hmac-sha1", "hmac-sha256"; NULL: there is no such. */
const char *auth_algorithm_name(unsigned algorithm);

/* Octets of a value, 0 if there is no such algorithm. */
size_t auth_value_len(unsigned algorithm);

/* Whether identifier, secret and algorithm are of lengths that we take. */
bool auth_key_is_sound(const struct auth_key *key);

/* Octets of an element by this key; without one (algorithm 0) WIRE_AUTH_LEN. */
size_t auth_len(const struct auth_key *key);

/*
 * Writes the auth_len() octets of an element in front of body_len octets,
 * origin indication and IPv6 packet, that must stand there already. Without a
 * key (algorithm 0): the nonce alone.
 */
void auth_put(uint8_t *out, const struct teredo_env *env,
	      const struct auth_key *key, const uint8_t *nonce,
	      uint8_t confirmation, size_t body_len);

/* Whether the packet's element is by this key (C-SECQ-06). No element, another
 * identifier or another algorithm: false. */
bool auth_is_valid(const struct wire_packet *p, const struct teredo_env *env,
		   const struct auth_key *key);

/* The key with the element's identifier, NULL: none. */
const struct auth_key *auth_find(const struct auth_keys *keys,
				 const struct wire_auth *a);

#endif
