/*
 * test_known.c - addresses of servers are kept, damaged ones are not believed
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/known.h"

static char dir[32], path[64];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/known.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/teredo.servers", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static struct known opened(int expected)
{
	struct known known;

	assert_int_equal(known_open(&known, dir, "teredo"), expected);
	return known;
}

static uint32_t ip(const char *text)
{
	return inet_addr(text);
}

static void put(struct known *known, const char *name, const char *is)
{
	assert_int_equal(known_put(known, name, ip(is), 0), 0);
}

static void assert_known(const struct known *known, const char *name,
			 const char *is)
{
	uint32_t found, second;

	assert_true(known_find(known, name, &found, &second));
	assert_int_equal(found, ip(is));
}

static void assert_unknown(const struct known *known, const char *name)
{
	uint32_t found, second;

	assert_false(known_find(known, name, &found, &second));
}

static void what_was_put_is_found_by_the_next_one(void **state)
{
	struct known known = opened(0);
	uint32_t first, second;

	(void)state;
	assert_unknown(&known, "one.example");
	put(&known, "one.example", "192.0.2.1");
	assert_int_equal(known_put(&known, "two.example", ip("192.0.2.2"),
				   ip("192.0.2.22")), 0);
	put(&known, "one.example", "192.0.2.11");
	close(known.fd);
	known = opened(0);
	assert_known(&known, "one.example", "192.0.2.11");
	assert_true(known_find(&known, "two.example", &first, &second));
	assert_int_equal(first, ip("192.0.2.2"));
	assert_int_equal(second, ip("192.0.2.22"));
	assert_unknown(&known, "");
	assert_unknown(&known, "three.example");
	close(known.fd);
}

static void only_what_is_new_is_written(void **state)
{
	struct known known = opened(0);

	(void)state;
	put(&known, "one.example", "192.0.2.1");
	assert_int_equal(truncate(path, 0), 0);
	put(&known, "one.example", "192.0.2.1");
	close(known.fd);
	known = opened(0);
	assert_unknown(&known, "one.example");
	close(known.fd);
}

static void the_last_eight_names_are_kept(void **state)
{
	struct known known = opened(0);
	char name[16];

	(void)state;
	for (unsigned i = 0; i < PRIV_SERVERS + 1; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		put(&known, name, "192.0.2.1");
	}
	assert_unknown(&known, "n0.example");
	for (unsigned i = 1; i < PRIV_SERVERS + 1; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		assert_known(&known, name, "192.0.2.1");
	}
	close(known.fd);
}

static void addresses_that_no_server_has_are_not_kept(void **state)
{
	struct known known = opened(0);

	(void)state;
	put(&known, "one.example", "10.0.0.1");
	put(&known, "two.example", "224.0.0.1");
	put(&known, "three.example", "0.0.0.0");
	assert_unknown(&known, "one.example");
	assert_unknown(&known, "two.example");
	assert_unknown(&known, "three.example");
	close(known.fd);
}

/* A good checksum is no excuse. */
static void what_is_whole_may_still_be_wrong(void **state)
{
	struct known known = opened(0);
	struct known_file f;

	(void)state;
	put(&known, "one.example", "192.0.2.1");
	f = known.file;
	assert_true(known_is_sound(&f, sizeof(f)));
	f.server[0].ip = ip("127.0.0.1");
	f.check = known_check(&f);
	assert_false(known_is_sound(&f, sizeof(f)));
	f = known.file;
	memset(f.server[3].name, 'x', sizeof(f.server[3].name));
	f.check = known_check(&f);
	assert_false(known_is_sound(&f, sizeof(f)));
	f = known.file;
	f.version++;
	f.check = known_check(&f);
	assert_false(known_is_sound(&f, sizeof(f)));
	close(known.fd);
}

static uint32_t dice(void)
{
	static uint32_t x = 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	return x ^= x << 5;
}

/* Changes one to eight octets of it, or its length. */
static size_t damage(uint8_t *octets, size_t len)
{
	unsigned n = 1 + dice() % 8;

	if (dice() % 4 == 0) {
		size_t wrong = dice() % (2 * len);

		return wrong == 0 || wrong == len ? len - 1 : wrong;
	}
	while (n-- > 0) {
		size_t at = dice() % len;
		uint8_t was = octets[at];

		do
			octets[at] = (uint8_t)dice();
		while (octets[at] == was);
	}
	return len;
}

static void write_file(const void *octets, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(octets, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* F4 */
static void ten_thousand_damaged_files_are_ignored(void **state)
{
	struct known good = opened(0);
	unsigned believed = 0;

	(void)state;
	put(&good, "one.example", "192.0.2.1");
	close(good.fd);
	for (unsigned i = 0; i < 10000; i++) {
		uint8_t octets[2 * sizeof(good.file)] = { 0 };
		size_t len = sizeof(good.file);
		struct known known;

		memcpy(octets, &good.file, len);
		len = damage(octets, len);
		if (len == sizeof(good.file) &&
		    memcmp(octets, &good.file, len) == 0)
			continue;	/* an octet became what it was */
		write_file(octets, len);
		believed += known_open(&known, dir, "teredo") != -EBADMSG;
		assert_unknown(&known, "one.example");
		if (i == 9999)		/* and it is written over */
			put(&known, "one.example", "192.0.2.9");
		close(known.fd);
	}
	assert_int_equal(believed, 0);
	good = opened(0);
	assert_known(&good, "one.example", "192.0.2.9");
	close(good.fd);
}

static void no_link_and_no_pipe_is_followed(void **state)
{
	struct known known;

	(void)state;
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(known_open(&known, dir, "teredo"), -ELOOP);
	put(&known, "one.example", "192.0.2.1");	/* in memory alone */
	assert_known(&known, "one.example", "192.0.2.1");
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(known_open(&known, dir, "teredo"), -EINVAL);
	assert_int_equal(known.fd, -1);
	unlink(path);
	assert_int_equal(known_open(&known, "/nonexistent", "teredo"),
			 -ENOENT);
}

static void a_disk_that_is_full_is_said_once(void **state)
{
	struct known known = opened(0);

	(void)state;
	close(known.fd);
	known.fd = open("/dev/full", O_RDWR);
	assert_int_equal(known_put(&known, "one.example", ip("192.0.2.1"), 0),
			 -ENOSPC);
	assert_int_equal(known_put(&known, "one.example", ip("192.0.2.2"), 0),
			 0);
	assert_known(&known, "one.example", "192.0.2.2");
}

static void the_directory_is_made_for_the_user(void **state)
{
	char below[64];
	struct stat st;

	(void)state;
	snprintf(below, sizeof(below), "%s/miredo", dir);
	assert_int_equal(known_prepare(below, getuid(), getgid()), 0);
	assert_int_equal(stat(below, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755 & ~umask(022));
	assert_int_equal(known_prepare(below, getuid(), getgid()), 0);
	rmdir(below);
	assert_int_equal(known_prepare("/nonexistent/x", 0, 0), -ENOENT);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_was_put_is_found_by_the_next_one),
		T(only_what_is_new_is_written),
		T(the_last_eight_names_are_kept),
		T(addresses_that_no_server_has_are_not_kept),
		T(what_is_whole_may_still_be_wrong),
		T(ten_thousand_damaged_files_are_ignored),
		T(no_link_and_no_pipe_is_followed),
		T(a_disk_that_is_full_is_said_once),
		T(the_directory_is_made_for_the_user),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
