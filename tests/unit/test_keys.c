/*
 * test_keys.c - key files: what they say and who may read them
 *
 * SEC-MITM-02. Octets that are a secret never stand in a message.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/keys.h"

#define SECRET "000102030405060708090a0b0c0d0e0f"

static struct auth_keys keys;
static char said[8192];

static int parse(const char *text)
{
	FILE *err = fmemopen(said, sizeof(said), "w");
	int n;

	memset(said, 0, sizeof(said));
	assert_non_null(err);
	n = keys_parse(&keys, "k", text, strlen(text), err);
	fclose(err);
	assert_null(strstr(said, "0102030405"));
	assert_int_equal(n == 0, keys.n > 0);
	return n;
}

static void a_line_is_identifier_algorithm_and_secret(void **state)
{
	(void)state;
	assert_int_equal(parse("# who asks\n\n"
			       "alice hmac-sha1 " SECRET "\r\n"
			       " bob.example@x\tHMAC-SHA256  A0ff" SECRET
			       " expired # since May\n"
			       "c:1 hmac-sha1 " SECRET "#no comment"), 1);
	assert_int_equal(parse("# who asks\n\n"
			       "alice hmac-sha1 " SECRET "\r\n"
			       " bob.example@x\tHMAC-SHA256  A0ff" SECRET
			       " expired # since May\n"
			       "c:1 hmac-sha1 " SECRET " #comment"), 0);
	assert_string_equal(said, "");
	assert_int_equal(keys.n, 3);
	assert_int_equal(keys.key[0].id_len, 5);
	assert_memory_equal(keys.key[0].id, "alice", 5);
	assert_int_equal(keys.key[0].algorithm, TEREDO_HMAC_SHA1);
	assert_int_equal(keys.key[0].secret_len, 16);
	assert_memory_equal(keys.key[0].secret,
			    "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 16);
	assert_false(keys.key[0].expired);
	assert_int_equal(keys.key[1].algorithm, TEREDO_HMAC_SHA256);
	assert_int_equal(keys.key[1].secret_len, 18);
	assert_memory_equal(keys.key[1].secret, "\xa0\xff\0\1", 4);
	assert_true(keys.key[1].expired);
	assert_memory_equal(keys.key[2].id, "c:1", 3);
	for (uint32_t i = 0; i < keys.n; i++)
		assert_true(auth_key_is_sound(&keys.key[i]));
}

/* SEC-MITM-02 */
static void a_short_secret_is_a_warning(void **state)
{
	(void)state;
	assert_int_equal(parse("a hmac-sha1 00112233445566778899aabbccddee"),
			 0);
	assert_string_equal(said, "k:1:13: warning: this secret has 15 octets "
				  "and can be guessed: take at least 16\n");
	assert_int_equal(parse("a hmac-sha1 " SECRET), 0);
	assert_string_equal(said, "");
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
	static const struct {
		const char *text, *said;
	} wrong[] = {
		{ "", "k: error: there is no key in it\n" },
		{ "\n# nothing\n", "k: error: there is no key in it\n" },
		{ "\n alice\n", "k:2:2: error: a line is: identifier "
				"algorithm secret\n" },
		{ "a hmac-sha1", "k:1:1: error: a line is: identifier "
				 "algorithm secret\n" },
		{ "a hmac-md5 00", "k:1:3: error: the algorithm is hmac-sha1 "
				   "or hmac-sha256\n" },
		{ "a\"b hmac-sha1 00", "k:1:1: error: an identifier is 1 to "
				       "64 letters, digits and .-_+@:\n" },
		{ "a hmac-sha1 000", "k:1:13: error: a secret is 1 to 64 "
				     "octets as hexadecimal digits, two each: "
				     "openssl rand -hex 32\n" },
		{ "a hmac-sha1 0g", "k:1:13: error: a secret is 1 to 64 "
				    "octets as hexadecimal digits, two each: "
				    "openssl rand -hex 32\n" },
		{ "a hmac-sha1 " SECRET " valid",
		  "k:1:46: error: behind the secret stands nothing or: "
		  "expired\n" },
		{ "a hmac-sha1 " SECRET " expired 1",
		  "k:1:46: error: behind the secret stands nothing or: "
		  "expired\n" },
		{ "a hmac-sha1 " SECRET "\na hmac-sha256 " SECRET,
		  "k:2:1: error: this identifier is there already\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(parse(wrong[i].text), 1);
		assert_string_equal(said, wrong[i].said);
	}
	assert_int_equal(parse("a\nb\nc hmac-sha1 " SECRET), 2);
}

static void lengths_have_their_limits(void **state)
{
	char text[512], id[AUTH_ID_MAX + 2], hex[2 * AUTH_SECRET_MAX + 3];

	(void)state;
	memset(id, 'x', sizeof(id));
	memset(hex, 'f', sizeof(hex));
	for (int more = 0; more < 2; more++) {
		snprintf(text, sizeof(text), "%.*s hmac-sha1 " SECRET,
			 AUTH_ID_MAX + more, id);
		assert_int_equal(parse(text), more);
		snprintf(text, sizeof(text), "a hmac-sha1 %.*s",
			 2 * (AUTH_SECRET_MAX + more), hex);
		assert_int_equal(parse(text), more);
	}
}

static void there_are_256_keys_and_no_more(void **state)
{
	static char text[AUTH_KEYS * 64 + 64];
	size_t len = 0;

	(void)state;
	for (unsigned i = 0; i < AUTH_KEYS; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"u%u hmac-sha1 " SECRET "\n", i);
	assert_int_equal(parse(text), 0);
	assert_int_equal(keys.n, AUTH_KEYS);
	snprintf(text + len, sizeof(text) - len, "x hmac-sha1 " SECRET);
	assert_int_equal(parse(text), 1);
	assert_non_null(strstr(said, "k:257:1: error: more than 256"));
}

/* Nothing of the others stays: the engine gets its own alone. */
static void a_client_has_its_own_key_alone(void **state)
{
	static const uint8_t zero[sizeof(keys.key) - sizeof(keys.key[0])];
	const char *two = "a hmac-sha1 " SECRET "\nb hmac-sha256 " SECRET;

	(void)state;
	assert_int_equal(parse(two), 0);
	assert_true(keys_select(&keys, "b"));
	assert_int_equal(keys.n, 1);
	assert_int_equal(keys.key[0].algorithm, TEREDO_HMAC_SHA256);
	assert_memory_equal(&keys.key[1], zero, sizeof(zero));
	assert_true(keys_select(&keys, ""));
	assert_int_equal(keys.n, 1);
	assert_false(keys_select(&keys, "a"));
	assert_int_equal(keys.n, 0);
	assert_int_equal(parse(two), 0);
	assert_false(keys_select(&keys, ""));
	assert_int_equal(keys.key[0].secret_len, 0);
}

/* ---- files ---- */

static struct conf conf;
static char file_name[sizeof(conf.key_file)];

static int setup(void **state)
{
	(void)state;
	conf = (struct conf){ .role = CONF_CLIENT, .file = "m.conf",
			      .key_file = "/tmp/miredo-keys-XXXXXX",
			      .key_file_place = { 3, 9 } };
	close(mkstemp(conf.key_file));
	strcpy(file_name, conf.key_file);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(file_name);
	return 0;
}

static int read_file(const char *text, mode_t mode)
{
	/* "w" would create: fs.protected_regular forbids it with strangers' */
	FILE *f = fopen(conf.key_file, "r+"), *err;
	int n;

	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), 0), 0);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(conf.key_file, mode), 0);
	memset(said, 0, sizeof(said));
	err = fmemopen(said, sizeof(said), "w");
	n = keys_read(&keys, &conf, geteuid(), err);
	fclose(err);
	assert_int_equal(n == 0, keys.n > 0);
	return n;
}

static void a_private_file_is_read(void **state)
{
	(void)state;
	assert_int_equal(read_file("a hmac-sha1 " SECRET "\n", 0600), 0);
	assert_string_equal(said, "");
	assert_int_equal(keys.n, 1);
	assert_int_equal(read_file("a hmac-sha1 " SECRET "\n", 0400), 0);
	conf.key_file[0] = '\0';
	assert_int_equal(keys_read(&keys, &conf, 0, stderr), 0);
	assert_int_equal(keys.n, 0);
}

/* SEC-MITM-02 */
static void a_file_that_others_may_touch_is_refused(void **state)
{
	static const mode_t modes[] = { 0644, 0640, 0604, 0660, 0620, 0602,
					0601, 0610 };
	char want[1200];

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(read_file("a hmac-sha1 " SECRET, modes[i]), 1);
		snprintf(want, sizeof(want),
			 "m.conf:3:9: error: KeyFile %s has mode %04o, so that "
			 "others know the secrets: chmod 600 %s, and change "
			 "them\n", conf.key_file, modes[i], conf.key_file);
		assert_string_equal(said, want);
	}
}

static void a_strangers_file_is_refused(void **state)
{
	(void)state;
	if (geteuid() != 0)	/* only root can give a file away */
		return;
	assert_int_equal(chown(conf.key_file, 4242, 0), 0);
	assert_int_equal(read_file("a hmac-sha1 " SECRET, 0600), 1);
	assert_non_null(strstr(said, "belongs to user 4242"));
}

static void what_is_no_file_is_refused(void **state)
{
	(void)state;
	assert_int_equal(unlink(conf.key_file), 0);
	assert_int_equal(keys_read(&keys, &conf, 0, stderr), -ENOENT);
	assert_int_equal(mkfifo(conf.key_file, 0600), 0);
	assert_int_equal(keys_read(&keys, &conf, 0, stderr), 1);
}

static void a_file_without_end_is_refused(void **state)
{
	static char text[(128 << 10) + 1];

	(void)state;
	memset(text, '#', sizeof(text) - 1);
	assert_int_equal(read_file(text, 0600), -EFBIG);
}

static void a_client_must_find_its_key(void **state)
{
	const char *two = "a hmac-sha1 " SECRET "\nb hmac-sha1 " SECRET;

	(void)state;
	assert_int_equal(read_file(two, 0600), 1);
	assert_non_null(strstr(said, "more than one key: set ClientId"));
	strcpy(conf.client_id, "c");
	assert_int_equal(read_file(two, 0600), 1);
	assert_non_null(strstr(said, "no key of ClientIdentifier c"));
	strcpy(conf.client_id, "b");
	assert_int_equal(read_file(two, 0600), 0);
	assert_int_equal(keys.n, 1);
	conf.role = CONF_SERVER;
	assert_int_equal(read_file(two, 0600), 0);
	assert_int_equal(keys.n, 2);
}

int main(void)
{
#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_identifier_algorithm_and_secret),
		cmocka_unit_test(a_short_secret_is_a_warning),
		cmocka_unit_test(what_is_wrong_is_said_with_its_place),
		cmocka_unit_test(lengths_have_their_limits),
		cmocka_unit_test(there_are_256_keys_and_no_more),
		cmocka_unit_test(a_client_has_its_own_key_alone),
		FILE_TEST(a_private_file_is_read),
		FILE_TEST(a_file_that_others_may_touch_is_refused),
		FILE_TEST(a_strangers_file_is_refused),
		FILE_TEST(what_is_no_file_is_refused),
		FILE_TEST(a_file_without_end_is_refused),
		FILE_TEST(a_client_must_find_its_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
