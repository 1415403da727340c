/*
 * auth_key.c - what a key for secure qualification may be
 *
 * RFC 4380 5.2.2: HMAC-SHA1 is the default (7.2.1's MD5 is erratum 107,
 * C-SECQ-07), HMAC-SHA256 may be agreed on (C-SECQ-09). Apart from auth.c,
 * because those who read keys have no packets.
 */
#include "auth.h"

const char *auth_algorithm_name(unsigned algorithm)
{
	switch (algorithm) {
	case TEREDO_HMAC_SHA1:
		return "hmac-sha1";
	case TEREDO_HMAC_SHA256:
		return "hmac-sha256";
	default:
		return NULL;
	}
}

size_t auth_value_len(unsigned algorithm)
{
	switch (algorithm) {
	case TEREDO_HMAC_SHA1:
		return 20;
	case TEREDO_HMAC_SHA256:
		return 32;
	default:
		return 0;
	}
}

bool auth_key_is_sound(const struct auth_key *key)
{
	return auth_value_len(key->algorithm) > 0 && key->id_len > 0 &&
	       key->id_len <= AUTH_ID_MAX && key->secret_len > 0 &&
	       key->secret_len <= AUTH_SECRET_MAX;
}
