/*
 * hmac.h - the core's keyed hashes, by nettle
 */
#ifndef MIREDO_HMAC_H
#define MIREDO_HMAC_H

#include "../libteredo/teredo.h"

/* For struct teredo_env; ctx is not used. Takes no memory. */
void hmac_compute(void *ctx, enum teredo_hmac algorithm, const uint8_t *key,
		  size_t key_len, const uint8_t *data, size_t len,
		  uint8_t *out);

#endif
