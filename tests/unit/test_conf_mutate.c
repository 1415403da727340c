/*
 * test_conf_mutate.c - 10,000 damaged configurations
 *
 * Good and bad texts in both syntaxes are damaged octet by octet and with
 * words that mean something to the readers. Whatever comes out: no crash,
 * every message names a place within the text, the number of errors said is
 * the number returned, and the last line, which is not damaged, is still
 * understood, so that nothing of the damage stayed in libconfuse's lexer.
 *
 * Each round has its own seed, which a failure names.
 */
#include "config.h"

#include "conf_testing.h"

#define ROUNDS 10000
#define SEED   0x6d697265646full
#define ROOM   4096

static uint64_t next(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static size_t below(uint64_t *state, size_t n)
{
	return (size_t)(next(state) % n);
}

static const char *const texts[] = {
	"#! /usr/sbin/miredo -f -c\n# Please refer to miredo.conf(5)\n"
	"#RelayType client\nInterfaceName\tteredo\n#BindPort\t3545\n"
	"ServerAddress teredo.example.net\r\nServerAddress2 192.0.2.2\n",
	"RelayType relay\nInterfaceName\tmiredo0\nBindPort\t3544\n"
	"BindAddress\t10.1.2.3\nSyslogFacility\tuser",
	"RelayType = \"server\"\nServerBindAddress = 192.0.2.1 # one\n"
	"ServerBindAddress2 = none\nServerPublicAddress = a.example\n"
	"Prefix = 2001:0::/32 /* the\nusual */\nInterfaceMTU = 1400\n",
	"ServerAddress = {\n\ta.example, 'b.example', // c\n\t192.0.2.3\n}\n"
	"ServerAddress += d.example\nBindPort = 0x10\nLocalDiscovery no\n",
	"RelayType cleint\nBindPort 99999\nFooBar 12\nPrefix ff00::\n"
	"InterfaceName \"a b\"\nServerAddress \"\n",
};

/* What the readers, and libconfuse's lexer, may stumble over. */
static const char *const words[] = {
	"=", "+=", "{", "}", "\"", "'", "\\", "${", "/*", "*/", "//", "#", "\n",
	"\r\n", " ", "\t", ",", "(", "\xff", "\xc3\xa4", "0x", "none", "|",
	"client", "-1", "server", "BindPort ", "relay", "::", "a=b\n", "\\\n",
	"\"\"\n", "%s%n", "RelayType=", "\f", "\"\\999\"", "\"${\"", "\"\\\"",
	"BindPort = \"",
};

/* In libconfuse's syntax, and something is always said about it: it has no
 * effect, is set again, or is no number. */
static const char last_line[] = "\nBindPort = x";

struct text {
	char s[ROOM];
	size_t len;
};

/* Puts `len` octets in at `at`, as far as there is room. */
static void insert(struct text *t, size_t at, const char *s, size_t len)
{
	if (t->len + len + sizeof(last_line) > sizeof(t->s))
		return;
	memmove(t->s + at + len, t->s + at, t->len - at);
	memcpy(t->s + at, s, len);
	t->len += len;
}

static void damage(struct text *t, uint64_t *state)
{
	size_t at = below(state, t->len + 1), n = below(state, 20);
	const char *word = words[below(state, sizeof(words) / sizeof(*words))];
	char c = (char)below(state, 256), copy[20];

	if (n > t->len - at)
		n = t->len - at;
	switch (below(state, 6)) {
	case 0:
		insert(t, at, &c, 1);
		break;
	case 1:
		if (at < t->len)
			t->s[at] = c;
		break;
	case 2:
		memmove(t->s + at, t->s + at + n, t->len - at - n);
		t->len -= n;
		break;
	case 3:
		memcpy(copy, t->s + at, n);
		insert(t, below(state, t->len + 1), copy, n);
		break;
	case 4:
		t->len = below(state, 8) == 0 ? at : t->len;
		break;
	default:
		insert(t, at, word, strlen(word));
	}
}

static void make(struct text *t, uint64_t seed)
{
	uint64_t state = seed;
	const char *from = texts[below(&state, sizeof(texts) / sizeof(*texts))];

	t->len = strlen(from);
	memcpy(t->s, from, t->len);
	for (size_t n = 1 + below(&state, 8); n > 0; n--)
		damage(t, &state);
	memcpy(t->s + t->len, last_line, sizeof(last_line) - 1);
	t->len += sizeof(last_line) - 1;
}

static unsigned count_lines(const struct text *t)
{
	unsigned n = 1;

	for (size_t i = 0; i < t->len; i++)
		n += t->s[i] == '\n';
	return n;
}

/* The places in what was said are in the text. Returns the errors said. */
static int check_said(const char *said, const struct text *t)
{
	unsigned lines = count_lines(t);
	int errors = 0;

	for (const char *s = said; *s != '\0'; s += strcspn(s, "\n") + 1) {
		unsigned line = 0, column = 0;

		if (strncmp(s, "f:", 2) != 0)
			continue;
		if (sscanf(s, "f:%u:%u: ", &line, &column) == 2) {
			assert_in_range(line, 1, lines);
			assert_in_range(column, 1, t->len + 1);
		}
		s += strcspn(s + 2, " ") + 2;
		errors += strncmp(s, " error: ", 8) == 0;
	}
	return errors;
}

static void check_last_line(const char *said, const struct text *t)
{
	char place[32], missing[64];

	if (memchr(t->s, '\0', t->len) != NULL)
		return;		/* the text ends there */
	snprintf(place, sizeof(place), "f:%u:", count_lines(t));
	snprintf(missing, sizeof(missing), "%s1: error: BindPort: a value",
		 place);
	assert_non_null(strstr(said, place));
	assert_null(strstr(said, missing));
}

static void check_round(uint64_t seed)
{
	struct text t;
	struct conf conf;
	char *said = NULL;
	size_t size = 0;
	FILE *err = open_memstream(&said, &size);
	enum conf_program program =
		seed % 2 == 0 ? CONF_MIREDO : CONF_MIREDO_SERVER;
	int errors;

	make(&t, seed);
	errors = conf_parse(&conf, program, "f", t.s, t.len, NULL, err);
	fclose(err);
	assert_int_equal(check_said(said, &t), errors);
	check_last_line(said, &t);
	if (errors == 0) {
		assert_in_range(conf.role, CONF_CLIENT, CONF_SERVER);
		assert_in_range(conf.mtu, 1280, 65507);
		assert_true(conf.role != CONF_CLIENT || conf.n_servers > 0);
	}
	free(said);
}

static void damaged_configurations_do_no_damage(void **state)
{
	uint64_t *seed = *state;

	for (unsigned i = 0; i < ROUNDS; i++) {
		*seed = SEED + i;
		check_round(*seed);
	}
	*seed = 0;
}

static int say_seed(void **state)
{
	uint64_t *seed = *state;

	if (*seed != 0)
		print_message("# failed with seed %#llx\n",
			      (unsigned long long)*seed);
	return 0;
}

int main(void)
{
	uint64_t seed = 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate_setup_teardown(
			damaged_configurations_do_no_damage, NULL, say_seed,
			&seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
