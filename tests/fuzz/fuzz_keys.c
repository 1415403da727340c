/*
 * fuzz_keys.c - any octets as a key file
 *
 * As many errors are said as are returned, each with a place in the text. Keys
 * that are given are sound and have different identifiers; with an error there
 * are none, and nothing of a secret stays behind.
 */
#include "config.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_said(const char *said, int errors)
{
	for (const char *s = said; *s != '\0'; s += strcspn(s, "\n") + 1) {
		unsigned line, column;
		char how[16];

		if (sscanf(s, "f:%u:%u: %15[a-z]", &line, &column, how) == 3)
			assert(line > 0 && column > 0);
		else
			assert(sscanf(s, "f: %15[a-z]", how) == 1);
		errors -= strcmp(how, "error") == 0;
	}
	assert(errors == 0);
}

static void check_keys(const struct auth_keys *keys)
{
	assert(keys->n <= AUTH_KEYS);
	for (uint32_t i = 0; i < keys->n; i++) {
		const struct auth_key *k = &keys->key[i];
		const struct auth_key *last = &keys->key[keys->n - 1];

		assert(auth_key_is_sound(k));
		assert(keys_is_id((const char *)k->id, k->id_len));
		assert(k == last || k->id_len != last->id_len ||
		       memcmp(k->id, last->id, k->id_len) != 0);
	}
}

static void check_none(const struct auth_keys *keys)
{
	static const struct auth_keys none;

	assert(memcmp(keys, &none, sizeof(none)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct auth_keys keys;
	char *said = NULL;
	size_t size;
	FILE *err = open_memstream(&said, &size);
	int errors;

	assert(err != NULL);
	errors = keys_parse(&keys, "f", (const char *)data, len, err);
	fclose(err);
	check_said(said, errors);
	if (errors == 0)
		check_keys(&keys);
	else
		check_none(&keys);
	assert((errors == 0) == (keys.n > 0));
	free(said);
	keys_select(&keys, "");
	assert(keys.n <= 1);
	keys_wipe(&keys);
	return 0;
}
