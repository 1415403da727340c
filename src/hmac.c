/*
 * hmac.c - the core's keyed hashes, by nettle
 *
 * The only file that sees nettle, so that the core links no library. Contexts
 * live on the stack and are wiped: they are as good as the secret.
 */
#include "config.h"

#include <assert.h>
#include <nettle/hmac.h>
#include <string.h>

#include "hmac.h"

static void sha1(const uint8_t *key, size_t key_len, const uint8_t *data,
		 size_t len, uint8_t *out)
{
	struct hmac_sha1_ctx ctx;

	hmac_sha1_set_key(&ctx, key_len, key);
	hmac_sha1_update(&ctx, len, data);
	hmac_sha1_digest(&ctx, SHA1_DIGEST_SIZE, out);
	explicit_bzero(&ctx, sizeof(ctx));
}

static void sha256(const uint8_t *key, size_t key_len, const uint8_t *data,
		   size_t len, uint8_t *out)
{
	struct hmac_sha256_ctx ctx;

	hmac_sha256_set_key(&ctx, key_len, key);
	hmac_sha256_update(&ctx, len, data);
	hmac_sha256_digest(&ctx, SHA256_DIGEST_SIZE, out);
	explicit_bzero(&ctx, sizeof(ctx));
}

void hmac_compute(void *ctx, enum teredo_hmac algorithm, const uint8_t *key,
		  size_t key_len, const uint8_t *data, size_t len, uint8_t *out)
{
	(void)ctx;
	if (algorithm == TEREDO_HMAC_SHA1) {
		sha1(key, key_len, data, len, out);
	} else {
		assert(algorithm == TEREDO_HMAC_SHA256);
		sha256(key, key_len, data, len, out);
	}
}
