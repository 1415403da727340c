/*
 * test_client_save.c - a client goes on in the next process
 */
#include "config.h"

#include "tests/unit/client_bench.h"

#define PEER	ep4("192.0.2.99", 5000)

/* What a qualified client left; another one is on the bench then. */
static struct teredo_client_saved saved;

static int setup(void **state)
{
	bench_setup(state);
	bench_qualify();
	assert_true(teredo_client_save(bench.c, &saved));
	bench_close();
	bench_open(2, 64);
	bench.seed = 5991;
	return 0;
}

static void nothing_is_saved_before_there_is_an_address(void **state)
{
	struct teredo_client_saved s;

	(void)state;
	assert_false(teredo_client_save(bench.c, &s));
	bench_start();
	assert_true(bench_server(0, SERVER, NULL));
	assert_false(teredo_client_save(bench.c, &s));
}

static void the_address_is_at_work_at_once(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);
	struct teredo_client_status st;
	struct bench_ra ra;

	(void)state;
	assert_true(bench_restore(&saved));
	assert_int_equal(bench_news(OUTBOX_ADDRESS), 1);
	assert_addr_equal(&bench.own, &saved.addr);
	st = bench_status();
	assert_int_equal(st.state, TEREDO_CLIENT_REFRESHING);
	assert_int_equal(st.nat, TEREDO_NAT_CONE_OR_RESTRICTED);
	assert_int_equal(st.mtu, 1280);
	assert_ep_equal(st.mapped, bench_mapped());
	assert_int_equal(st.local.ip, bench.local_ip);
	assert_int_equal(st.server_ip, ip4(SERVER));
	assert_int_equal(st.server_ip2, ip4(SERVER2));
	assert_int_equal(bench_receive(PEER, &peer, 8).fate, TEREDO_TO_TUN);
	assert_ep_equal(bench_send(&peer, 8).to, PEER);
	/* and is confirmed by one solicitation */
	ra = bench_ra(bench_expect_rs(SERVER), SERVER);
	bench_expect_silence();
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
	assert_int_equal(bench_news(OUTBOX_ADDRESS), 1);
	bench_expect_silence();
}

static void all_of_it_is_restored(void **state)
{
	struct teredo_client_status st;
	struct bench_ra ra;

	bench_close();
	bench_setup(state);
	bench_start();
	assert_true(bench_server(1, RESERVE, "198.51.100.40"));
	ra = bench_ra(bench_expect_rs(RESERVE), RESERVE);
	ra.mtu = TEREDO_MAX_UDP;
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	assert_true(teredo_client_save(bench.c, &saved));
	bench_close();
	bench_setup(state);
	assert_true(bench_restore(&saved));
	st = bench_status();
	assert_int_equal(st.server, 1);
	assert_int_equal(st.server_ip, ip4(RESERVE));
	assert_int_equal(st.server_ip2, ip4("198.51.100.40"));
	assert_int_equal(st.mtu, TEREDO_MAX_UDP);
	assert_int_equal(bench.mtu, TEREDO_MAX_UDP);
	assert_int_equal(st.nat, TEREDO_NAT_UNKNOWN);
	/* it is that server which is asked on, and the other one in turn */
	assert_true(bench_server(0, SERVER, NULL));
	bench_run(12 * S);
	assert_int_equal(bench_state(), TEREDO_CLIENT_LOST);
	bench_forget();
	bench_run(3300 * MS);
	bench_expect_rs(SERVER);
	bench_expect_rs(RESERVE);
}

/* What a user sees does not begin anew with a process. */
static void how_long_and_how_well_it_works_is_restored(void **state)
{
	struct teredo_client_status before, st;
	struct bench_ra ra;

	bench_close();
	bench_setup(state);
	bench_qualify();
	bench_forget();
	bench_run_to(TEREDO_CLIENT_REFRESHING);
	ra = bench_ra(bench_expect_rs(SERVER), SERVER);
	bench.now += 20 * MS;
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	before = bench_status();
	assert_true(before.since < before.last_answer && before.rtt != 0 &&
		    before.local.ip != 0);
	assert_true(teredo_client_save(bench.c, &saved));
	bench_close();
	bench_setup(state);
	bench.now = before.last_answer + 5 * S;
	assert_true(bench_restore(&saved));
	st = bench_status();
	assert_int_equal(st.since, before.since);
	assert_int_equal(st.last_answer, before.last_answer);
	assert_int_equal(st.rtt, before.rtt);
	assert_ep_equal(st.local, before.local);
}

static void names_are_asked_for_but_an_old_answer_changes_nothing(void **state)
{
	(void)state;
	assert_true(bench_restore(&saved));
	bench_expect_rs(SERVER);
	bench_start();
	assert_int_equal(bench_news(OUTBOX_RESOLVE), 2);
	assert_true(bench_server(0, SERVER, NULL));
	assert_true(bench_server(1, RESERVE, NULL));
	assert_int_equal(bench_state(), TEREDO_CLIENT_REFRESHING);
	bench_expect_silence();
}

/* C-MNT-05 */
static void another_mapping_makes_another_address(void **state)
{
	struct bench_ra ra;

	(void)state;
	assert_true(bench_restore(&saved));
	ra = bench_ra(bench_expect_rs(SERVER), SERVER);
	ra.origin = ep4("192.0.2.45", 40077);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	assert_ep_equal(addr_mapping(&bench.own), ra.origin);
	assert_int_equal(bench_count(TEREDO_EV_mapping_changed), 1);
}

static void without_a_resolver_the_saved_server_is_asked_on(void **state)
{
	struct bench_ra ra;

	(void)state;
	assert_true(bench_restore(&saved));
	bench_start();
	bench_run(60 * S);
	assert_int_equal(bench_state(), TEREDO_CLIENT_LOST);
	bench_forget();
	bench_run(5 * S);
	ra = bench_ra(bench_expect_rs(SERVER), SERVER);
	assert_int_equal(bench_answer(&ra).fate, TEREDO_TAKEN);
	assert_addr_equal(&bench.own, &saved.addr);
	assert_int_equal(bench_state(), TEREDO_CLIENT_QUALIFIED);
}

static void an_answer_to_a_bubble_of_the_process_before_counts(void **state)
{
	struct teredo_addr peer = bench_peer(PEER), cookie;
	struct teredo_ep real = ep4("192.0.2.99", 60000);

	bench_close();
	bench_setup(state);
	bench_qualify();
	bench_send(&peer, 8);
	bench_expect_udp(PEER);
	memcpy(&cookie, bench_expect_udp(bench_peer_server())->data + 8, 16);
	assert_true(teredo_client_save(bench.c, &saved));
	bench_close();
	bench_setup(state);
	assert_true(bench_restore(&saved));
	assert_int_equal(bench_bubble(real, &peer, &cookie).fate, TEREDO_TAKEN);
	assert_ep_equal(bench_send(&peer, 8).to, real);
}

/* ... but not of who is denied by now: the peer, where it answers from, or its
 * server (PeerDeny). */
static void an_answer_of_who_is_denied_by_now_does_not(void **state)
{
	static const char *const denied[] = {
		"192.0.2.99", "192.0.2.98", "203.0.113.9",
	};
	struct teredo_addr peer = bench_peer(PEER), cookie;

	bench_close();
	bench_setup(state);
	bench_qualify();
	bench_send(&peer, 8);
	bench_expect_udp(PEER);
	memcpy(&cookie, bench_expect_udp(bench_peer_server())->data + 8, 16);
	assert_true(teredo_client_save(bench.c, &saved));
	for (unsigned i = 0; i < COUNT(denied); i++) {
		bench_close();
		bench_open_denying(denied[i], TEREDO_DISCOVERY_OFF);
		assert_true(bench_restore(&saved));
		bench_expect_rs(SERVER);
		assert_dropped(bench_bubble(ep4("192.0.2.98", 60000), &peer,
					    &cookie), denied);
		bench_expect_silence();
		assert_int_equal(bench_status().peers_direct, 0);
	}
}

static void refuse(const struct teredo_client_saved *bad, const char *what)
{
	if (bench_restore(bad))
		fail_msg("restored with a bad %s", what);
	assert_false(bench_status().has_address);
	assert_int_equal(bench.n, 0);
	assert_int_equal(bench_state(), TEREDO_CLIENT_RESOLVING);
}

/* saved with that mapping and server, consistent in itself */
static struct teredo_client_saved at(struct teredo_ep mapped, uint32_t server,
				     uint32_t prefix, uint16_t flags)
{
	struct teredo_client_saved s = saved;

	addr_make(&s.addr, prefix, server, flags, mapped);
	s.mapped = mapped;
	s.server_ip = server;
	return s;
}

/* A-ADDR-02..05, A-ADDR-07 */
static void a_snapshot_is_read_as_hostile_input(void **state)
{
	struct teredo_client_saved s;
	uint32_t prefix = addr_default_prefix(), server = ip4(SERVER);

	(void)state;
	memset(&s, 0, sizeof(s));
	refuse(&s, "everything");
	for (unsigned bit = 0; bit < 128; bit++) {
		uint8_t mask = (uint8_t)(0x80u >> bit % 8);

		if (bit / 8 == 9 || (bit / 8 == 8 && (mask & 0x3c) != 0))
			continue;	/* random flags may be any */
		s = saved;
		s.addr.b[bit / 8] ^= mask;
		refuse(&s, "bit of the address");
	}
	s = at(ep4("10.0.0.1", 5), server, prefix, 0);
	refuse(&s, "mapped address");
	s = at(ep4("192.0.2.45", 0), server, prefix, 0);
	refuse(&s, "mapped port");
	s = at(bench_mapped(), ip4("127.0.0.1"), prefix, 0);
	refuse(&s, "server");
	s = at(bench_mapped(), server, ip4("32.1.0.1"), 0);
	refuse(&s, "prefix");
	s = at(bench_mapped(), server, prefix, ADDR_FLAG_CONE);
	refuse(&s, "cone flag");
	s = saved;
	s.mapped.port ^= 1;
	refuse(&s, "mapping");
	s = saved;
	s.server_ip2 = ip4("10.0.0.1");
	refuse(&s, "second address");
	s = saved;
	s.server_ip2 = s.server_ip;
	refuse(&s, "second address");
	s = saved;
	s.server = 2;
	refuse(&s, "server number");
	s = saved;
	s.mtu = 1279;
	refuse(&s, "mtu");
	s.mtu = 65508;
	refuse(&s, "mtu");
	s = saved;
	s.nat = TEREDO_NATS;
	refuse(&s, "kind of nat");
	s = saved;
	s.last_answer = bench.now + 1;
	refuse(&s, "time of the last answer");
	s = saved;
	s.since = s.last_answer + 1;
	refuse(&s, "time of the address");
	s = saved;
	s.rtt = s.last_answer + 1;
	refuse(&s, "round trip");
	assert_true(bench_restore(&saved));
	assert_false(bench_restore(&saved));	/* once */
}

static void a_restored_peer_is_trusted(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);
	struct teredo_addr native = ip6("2001:db8::1");

	(void)state;
	assert_true(bench_restore(&saved));
	bench_restore_peer(&peer, PEER);
	bench_restore_peer(&native, ep4("203.0.113.50", 3545));
	assert_int_equal(bench_news(OUTBOX_PEER_UP), 2);
	assert_ep_equal(bench_send(&peer, 8).to, PEER);
	assert_int_equal(bench_receive(ep4("203.0.113.50", 3545), &native,
				       8).fate, TEREDO_TO_TUN);
	assert_int_equal(bench_status().peers_direct, 1);
	assert_int_equal(bench_status().peers_relay, 1);
}

/* RFC 4380 5.2.4 */
static void a_peer_that_was_not_trusted_is_not_trusted(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);

	(void)state;
	assert_true(bench_restore(&saved));
	bench_restore_heard(&peer, PEER, bench.now - 31 * S);
	assert_int_equal(bench_status().peers_direct, 0);
	assert_int_equal(bench_send(&peer, 8).fate, TEREDO_TAKEN);
}

static void an_unfit_peer_is_not_restored(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);
	struct teredo_addr link_local = ip6("fe80::1");

	(void)state;
	bench_restore_peer(&peer, PEER);	/* no address yet */
	assert_true(bench_restore(&saved));
	bench_restore_peer(&link_local, PEER);
	bench_restore_peer(&bench.own, PEER);
	bench_restore_peer(&peer, ep4("10.0.0.1", 5000));
	bench_restore_peer(&peer, ep4("192.0.2.99", 0));
	bench_restore_peer(&peer, bench_mapped());
	assert_int_equal(bench_news(OUTBOX_PEER_UP), 0);
	assert_int_equal(bench_status().peers_direct, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nothing_is_saved_before_there_is_an_address),
		T(the_address_is_at_work_at_once),
		T(all_of_it_is_restored),
		T(how_long_and_how_well_it_works_is_restored),
		T(names_are_asked_for_but_an_old_answer_changes_nothing),
		T(another_mapping_makes_another_address),
		T(without_a_resolver_the_saved_server_is_asked_on),
		T(an_answer_to_a_bubble_of_the_process_before_counts),
		T(an_answer_of_who_is_denied_by_now_does_not),
		T(a_snapshot_is_read_as_hostile_input),
		T(a_restored_peer_is_trusted),
		T(a_peer_that_was_not_trusted_is_not_trusted),
		T(an_unfit_peer_is_not_restored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
