/*
 * fuzz_status.c - the answer of an engine that was taken over, at miredoctl
 *
 * The input lies over a whole answer, which is otherwise that of a healthy
 * client. The screen is printable text, the JSON is JSON, and every word that
 * an exit code or --wait depends on exists.
 */
#include "config.h"

#include <assert.h>
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/miredoctl_status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Pieces: offset of two octets, length, octets. */
static void lay_over(struct ctl_status *st, const uint8_t *data, size_t len)
{
	while (len > 3) {
		size_t at = (data[0] * 256u + data[1]) % sizeof(*st);
		size_t n = data[2];

		data += 3;
		len -= 3;
		if (n > len)
			n = len;
		for (size_t i = 0; i < n; i++)
			((uint8_t *)st)[(at + i) % sizeof(*st)] = data[i];
		data += n;
		len -= n;
	}
	miredoctl_clean(st);
}

static void check_words(const struct ctl_status *st)
{
	assert(miredoctl_role(st) != NULL && miredoctl_state(st) != NULL);
	assert((miredoctl_nat(st) == NULL) == (miredoctl_nat_class(st) == NULL));
	assert(health_find(st) >> HEALTHS == 0);
	assert(miredoctl_health_exit(st) == 0 || miredoctl_health_exit(st) == 5);
	miredoctl_has_address(st);
	miredoctl_since(st);
}

static char *print(const struct ctl_status *st, bool json)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool done = true;

	assert(out != NULL);
	if (json)
		done = miredoctl_print_json(st, out);
	else
		miredoctl_print_text(st, out);
	fclose(out);
	assert(done && strlen(text) == size);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ctl_status st = { .head.magic = CTL_MAGIC,
				 .head.version = CTL_VERSION,
				 .role = PRIV_CLIENT, .state = 3, .nat = 2,
				 .mtu = 1280, .addr = { 0x20, 1 },
				 .n_counters = TEREDO_N_COUNTERS };
	char *text;
	json_t *json;

	lay_over(&st, data, len);
	check_words(&st);
	text = print(&st, false);
	for (const char *c = text; *c != '\0'; c++)
		assert(isprint((unsigned char)*c) || *c == '\n');
	free(text);
	text = print(&st, true);
	json = json_loads(text, 0, NULL);
	assert(json_is_object(json));
	json_decref(json);
	free(text);
	return 0;
}
