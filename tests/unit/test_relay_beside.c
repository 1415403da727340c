/*
 * test_relay_beside.c - a relay on a server's socket (R-SRV-01): what it takes
 * of the server's limits, and who waits for these
 */
#include "config.h"

#include "relay_bench.h"

#define CLIENTS 2000u

static unsigned asked;		/* how often the server was */
static bool refuses;

static bool may_send(void *server, struct teredo_ep to, teredo_time now)
{
	(void)server;
	(void)to;
	(void)now;
	asked++;
	return !refuses;
}

static int setup(void **state)
{
	asked = 0;
	refuses = false;
	*state = bench_new(&(struct teredo_relay_config){
		.prefix = addr_default_prefix(),
		.max_peers = 2 * CLIENTS,
		.server_ip = ip4(SERVER),
		.may_send = may_send,
	});
	return 0;
}

/* A packet to that client, from one of many networks. */
static void send_to(struct relay_bench *b, unsigned number)
{
	struct teredo_addr from = ip6(N);
	struct test_packet p;

	from.b[7] = (uint8_t)(number % 32);
	p = to_client(from, teredo6(SERVER, 0, HOST, (uint16_t)(1 + number)));
	give_tun(b, &p);
}

/* R-SRV-01, R-ENC-16: where the relay has no probes left, the server is not asked: its
 * tokens are for others. */
static void a_probe_that_cannot_be_sent_costs_the_server_nothing(void **state)
{
	struct relay_bench *b = *state;
	teredo_time start = b->now;

	for (unsigned i = 0; i < CLIENTS / 2; i++)
		send_to(b, i);
	run_until(b, start + 2045 * TEREDO_MS);
	for (unsigned i = CLIENTS / 2; i < CLIENTS; i++)
		send_to(b, i);
	run_until(b, start + 2060 * TEREDO_MS);
	/* the repetitions came too late */
	assert_in_range(bench_count(b, TEREDO_EV_bubble_indirect_sent), CLIENTS,
			CLIENTS + 100);
	assert_int_equal(asked, bench_count(b, TEREDO_EV_bubble_indirect_sent));
}

/* R-ENC-06: no probe of them was ever sent, and the sweep passes meanwhile. */
static void who_is_never_probed_is_refused_with_an_error(void **state)
{
	struct relay_bench *b = *state;

	refuses = true;
	for (unsigned i = 0; i < 90; i++)
		send_to(b, i);
	run_until(b, b->now + 8 * TEREDO_SECOND);
	assert_int_equal(bench_count(b, TEREDO_DROP_unreachable), 0);
	run_until(b, b->now + 1 * TEREDO_SECOND);
	assert_int_equal(bench_count(b, TEREDO_DROP_unreachable), 90);
	assert_int_equal(bench_count(b, TEREDO_EV_unreachable_sent), 90);
	assert_int_equal(bench_count(b, TEREDO_EV_bubble_indirect_sent), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)
	const struct CMUnitTest tests[] = {
		T(a_probe_that_cannot_be_sent_costs_the_server_nothing),
		T(who_is_never_probed_is_refused_with_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
