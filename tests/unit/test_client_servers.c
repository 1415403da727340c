/*
 * test_client_servers.c - whom a client asks, and when
 *
 * RFC 4380 5.2.1; the list of servers and its order are ours.
 */
#include "config.h"

#include "tests/unit/client_bench.h"

/* Starts and resolves server 0; the nonce of the first solicitation. */
static const uint8_t *probing(void)
{
	bench_start();
	assert_true(bench_server(0, SERVER, NULL));
	return bench_expect_rs(SERVER);
}

/* The gaps of the back-off, in ms, between the next n solicitations. */
static void expect_gaps(const unsigned *gap, unsigned n, unsigned at)
{
	for (unsigned i = 0; i < n; i++) {
		const struct sent *s = bench_next();
		unsigned ms;

		assert_non_null(s);
		ms = (unsigned)((s->at - bench.start) / MS);
		assert_in_range(ms - at, gap[i] * 9 / 10 - 1,
				gap[i] * 11 / 10 + 1);
		at = ms;
	}
}

static void a_client_that_was_not_started_is_silent(void **state)
{
	(void)state;
	assert_true(teredo_client_deadline(bench.c) == TEREDO_NEVER);
	bench_run(100 * S);
	assert_int_equal(bench.n, 0);
}

static void names_are_asked_for_until_one_is_known(void **state)
{
	(void)state;
	bench_start();
	assert_int_equal(bench_news(OUTBOX_RESOLVE), 2);
	assert_int_equal(bench_state(), TEREDO_CLIENT_RESOLVING);
	bench_run(11 * S);
	assert_int_equal(bench_news(OUTBOX_RESOLVE), 2 * 3);
	bench_run(289 * S);
	bench_forget();
	bench_run(60 * S);
	assert_int_equal(bench_news(OUTBOX_RESOLVE), 2 * 2);
	bench_expect_silence();
	/* a change of the network may help */
	bench_forget();
	bench_run(5 * S);
	bench_net_changed(true);
	bench_net_changed(true);
	assert_int_equal(bench_news(OUTBOX_RESOLVE), 2);
	assert_true(bench_server(1, RESERVE, NULL));
	bench_expect_rs(RESERVE);
	assert_int_equal(bench_state(), TEREDO_CLIENT_PROBING);
}

/* C-CFG-01 */
static void a_server_that_is_no_global_address_is_refused(void **state)
{
	static const char *const bad[] = { "0.1.2.3", "127.0.0.1", "10.1.2.3",
		"172.16.0.1", "192.168.1.1", "169.254.1.1", "192.88.99.1",
		"224.0.0.1", "255.255.255.255" };

	(void)state;
	bench_start();
	for (unsigned i = 0; i < COUNT(bad); i++)
		assert_false(bench_server(0, bad[i], NULL));
	assert_false(bench_server(2, SERVER, NULL));	/* there are two */
	bench_expect_silence();
	assert_int_equal(bench_state(), TEREDO_CLIENT_RESOLVING);
}

/* C-QUAL-01, C-QUAL-04, C-QUAL-05, C-QUAL-06, C-CONE-01, Q2 */
static void a_silent_server_is_asked_three_times_in_twelve_seconds(void **state)
{
	const struct sent *s;

	(void)state;
	probing();
	bench_run(11999 * MS);
	for (unsigned i = 1; i < 3; i++) {
		bench_expect_rs(SERVER);
		s = &bench.sent[bench.read - 1];
		assert_int_equal((s->at - bench.start) / MS, i * 4000);
	}
	bench_expect_silence();
	assert_int_equal(bench_state(), TEREDO_CLIENT_PROBING);
	bench_run(1 * MS);
	assert_int_equal(bench_state(), TEREDO_CLIENT_OFFLINE);
	assert_int_equal(bench_status().failures, 3);
	bench_run(1200 * MS);			/* the fourth is under way */
	assert_int_equal(bench_status().failures, 3);
	bench_run(2100 * MS);
	assert_int_equal(bench_status().failures, 4);
	assert_false(bench_status().has_address);
}

static void an_offline_client_retries_soon_and_later_rarely(void **state)
{
	static const unsigned gap[] = { 1000, 2000, 4000, 4000, 4000, 4000 };
	const struct sent *s, *t;

	(void)state;
	probing();
	bench_run(12 * S);
	while (bench_next() != NULL)
		;
	bench_run(40 * S);
	expect_gaps(gap, COUNT(gap), 12000);
	bench_run(300 * S);
	bench_forget();
	bench_run(300 * S);
	s = bench_next();
	assert_non_null(s);
	while ((t = bench_next()) != NULL) {
		assert_in_range(t->at - s->at, 27 * S, 33 * S);
		s = t;
	}
}

static void an_offline_client_looks_names_up_every_30_s_at_most(void **state)
{
	teredo_time last = 0;

	(void)state;
	probing();
	bench_run(11 * S);
	bench_forget();
	bench_run(1 * S);
	assert_int_equal(bench_news(OUTBOX_RESOLVE), 2);
	bench_run(100 * S);
	assert_in_range(bench_news(OUTBOX_RESOLVE), 2 * 3, 2 * 4);
	for (unsigned i = 0; i < bench.n; i++) {
		if (bench.sent[i].kind != OUTBOX_RESOLVE ||
		    bench.sent[i].arg != 0)
			continue;
		assert_true(last == 0 || bench.sent[i].at - last >= 30 * S);
		last = bench.sent[i].at;
	}
}

/* C-CFG-01, Q18 */
static void the_second_address_is_the_next_one_with_carry(void **state)
{
	(void)state;
	bench_start();
	assert_true(bench_server(0, "198.51.255.255", NULL));
	assert_int_equal(bench_status().server_ip2, ip4("198.52.0.0"));
	assert_true(bench_server(1, "223.255.255.255", NULL));
	bench_run(13200 * MS);
	assert_int_equal(bench_status().server_ip, ip4("223.255.255.255"));
	assert_int_equal(bench_status().server_ip2, 0);
}

static void the_servers_are_asked_in_turn(void **state)
{
	static const char *const server[] = { SERVER, RESERVE,
					      "198.51.100.77" };
	struct bench_ra ra;

	(void)state;
	bench_close();
	bench_open(3, 4);
	bench_start();
	for (unsigned i = 0; i < 3; i++)
		assert_true(bench_server(i, server[i], SERVER));
	bench_run(30 * S);
	for (unsigned i = 0; i < 3; i++)
		bench_expect_rs(SERVER);
	for (unsigned i = 1; i < 6; i++)
		bench_expect_rs(server[i % 3]);
	/* lost, the one behind that which we used comes first */
	bench_forget();
	bench_run(4400 * MS);
	ra = bench_ra(bench_last_nonce(), RESERVE);
	while (bench_answer(&ra).fate != TEREDO_TAKEN) {
		bench_run(4400 * MS);
		ra.nonce = bench_last_nonce();
	}
	assert_int_equal(bench_status().server, 1);
	bench_run_to(TEREDO_CLIENT_LOST);
	bench_forget();
	bench_run(3300 * MS);
	bench_expect_rs("198.51.100.77");
	bench_expect_rs(SERVER);
}

static void a_server_found_while_offline_is_the_next_asked(void **state)
{
	(void)state;
	bench_close();
	bench_open(3, 4);
	bench_start();
	assert_true(bench_server(0, SERVER, NULL));
	bench_run(400 * S);
	bench_forget();
	while (bench_next() == NULL)
		bench_run(1 * S);
	bench_run(2 * S);
	assert_true(bench_server(2, RESERVE, NULL));
	bench_run(1 * MS);
	bench_expect_rs(RESERVE);
	/* not twice within the second */
	assert_true(bench_server(1, "198.51.100.77", NULL));
	bench_run(998 * MS);
	bench_expect_silence();
	bench_run(1 * MS);
	bench_expect_rs("198.51.100.77");
}

/* C-FAIL-01, R8b */
static void the_next_server_is_asked_when_the_first_is_silent(void **state)
{
	struct bench_ra ra;

	(void)state;
	probing();
	assert_true(bench_server(1, RESERVE, NULL));
	bench_run(12 * S);
	bench_expect_rs(SERVER);
	bench_expect_rs(SERVER);
	bench_expect_silence();
	bench_run(1200 * MS);
	ra = bench_ra(bench_expect_rs(RESERVE), RESERVE);
	bench_run(500 * MS);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
	assert_int_equal(bench_status().server, 1);
	assert_int_equal(addr_server(&bench.own), ip4(RESERVE));
	assert_true(bench_ms() < 15000);
}

static void unresolved_servers_are_passed_over(void **state)
{
	(void)state;
	probing();
	bench_run(40 * S);
	for (const struct sent *s; (s = bench_next()) != NULL;)
		assert_ep_equal(s->to, ep4(SERVER, 3544));
}

static void a_server_that_moved_is_asked_at_once(void **state)
{
	(void)state;
	probing();
	bench_run(400 * S);
	bench_forget();
	assert_int_equal(bench_state(), TEREDO_CLIENT_OFFLINE);
	assert_true(bench_server(0, SERVER, NULL));	/* nothing new */
	bench_run(100 * MS);
	while (bench_next() != NULL)
		;
	assert_true(bench_server(0, "198.51.100.77", NULL));
	bench_run(1 * S);
	bench_expect_rs("198.51.100.77");
	bench_expect_silence();
}

/* Its address and the network change in one breath: what is next in turn was
 * never resolved. */
static void nobody_is_asked_at_no_address(void **state)
{
	(void)state;
	bench_start();
	assert_true(bench_server(1, RESERVE, NULL));
	bench_run_to(TEREDO_CLIENT_OFFLINE);
	bench_run(100 * S);
	bench_forget();
	while (bench_next() == NULL)
		bench_run(100 * MS);
	bench_run(1500 * MS);
	bench_forget();
	assert_true(bench_server(1, "198.51.100.77", NULL));
	bench_net_changed(true);
	bench_expect_rs("198.51.100.77");
	bench_run(12 * S);
	bench_expect_rs("198.51.100.77");
	bench_expect_rs("198.51.100.77");
	bench_expect_silence();
}

/* R10: also when the last solicitation is not a second old */
static void a_change_of_the_network_makes_eager_again(void **state)
{
	(void)state;
	probing();
	bench_run(600 * S);
	bench_forget();
	while (bench_next() == NULL)
		bench_run(100 * MS);
	bench_forget();
	bench_net_changed(true);
	bench_run(10 * S);
	assert_in_range(bench_count_to(ep4(SERVER, 3544)), 3, 5);
}

#define T(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_client_that_was_not_started_is_silent),
		T(names_are_asked_for_until_one_is_known),
		T(the_second_address_is_the_next_one_with_carry),
		T(the_servers_are_asked_in_turn),
		T(a_server_found_while_offline_is_the_next_asked),
		T(a_server_that_is_no_global_address_is_refused),
		T(a_silent_server_is_asked_three_times_in_twelve_seconds),
		T(an_offline_client_retries_soon_and_later_rarely),
		T(an_offline_client_looks_names_up_every_30_s_at_most),
		T(the_next_server_is_asked_when_the_first_is_silent),
		T(unresolved_servers_are_passed_over),
		T(a_server_that_moved_is_asked_at_once),
		T(nobody_is_asked_at_no_address),
		T(a_change_of_the_network_makes_eager_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
