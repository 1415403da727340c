/*
 * test_client_receive.c - what a client believes, and who is proven by it
 *
 * RFC 4380 5.2.3, the cases 1, 2, 3 and 6. What comes through the server is in
 * test_client_indirect.c, what is refused whoever sends it in
 * test_client_refuse.c.
 */
#include "config.h"

#include "tests/unit/client_bench.h"
#include "libteredo/path.h"

#define PEER	ep4("192.0.2.99", 5000)
#define RELAY	ep4("203.0.113.50", 3545)

static int setup(void **state)
{
	bench_setup(state);
	bench_qualify();
	return 0;
}

/* C-RX-06, C-TX-01 */
static void a_trusted_peer_is_trusted_for_30_s_after_its_last_packet(
	void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");

	(void)state;
	bench_trust(&native, RELAY);
	bench_run(29 * S);
	assert_int_equal(bench_receive(RELAY, &native, 8).fate, TEREDO_TO_TUN);
	bench_run(29 * S);
	assert_int_equal(bench_receive(RELAY, &native, 8).fate, TEREDO_TO_TUN);
	bench_run(30 * S);
	assert_int_equal(bench_receive(RELAY, &native, 8).fate, TEREDO_TAKEN);
}

/* C-RX-07: tested anew, and nothing is delivered on the old proof */
static void a_trusted_native_peer_elsewhere_is_tested_first(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct teredo_ep other = ep4("203.0.113.51", 3545);
	struct test_packet reply;

	(void)state;
	bench_trust(&native, RELAY);
	bench_run(5 * S);
	bench_forget();
	assert_int_equal(bench_receive(other, &native, 8).fate, TEREDO_TAKEN);
	bench_test_reply(bench_expect_udp(ep4(SERVER, 3544)), &native, &reply);
	bench_expect_udp(RELAY);	/* asked where it was, too */
	assert_int_equal(bench_receive(RELAY, &native, 8).fate, TEREDO_TO_TUN);
	bench_expect_silence();
	assert_int_equal(bench_send(&native, 8).to.ip, RELAY.ip);
	/* the relay is another one now */
	assert_int_equal(bench_udp(other, &reply).fate, TEREDO_TAKEN);
	assert_int_equal(bench_expect_tun()->len, 48);	/* what waited */
	assert_int_equal(bench_receive(other, &native, 8).fate, TEREDO_TO_TUN);
	assert_ep_equal(bench_send(&native, 8).to, other);
	bench_run(10 * S);
	bench_expect_silence();
}

/* C-RX-08, C-RX-09, C-DCT-01 */
static void the_reply_to_the_test_proves_the_relay(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct test_packet reply;

	(void)state;
	for (size_t len = 1; len <= 5; len++)
		assert_int_equal(bench_send(&native, len).fate, TEREDO_TAKEN);
	bench_test_reply(bench_expect_udp(ep4(SERVER, 3544)), &native, &reply);
	bench_expect_silence();
	assert_int_equal(bench_udp(RELAY, &reply).fate, TEREDO_TAKEN);
	assert_int_equal(bench_count(TEREDO_EV_test_answered), 1);
	for (size_t len = 1; len <= 5; len++)	/* in order, once */
		assert_int_equal(bench_expect_udp(RELAY)->len, 40 + len);
	bench_expect_silence();
	assert_int_equal(bench_news(OUTBOX_PEER_UP), 1);
	assert_ep_equal(bench_send(&native, 8).to, RELAY);
	bench_run(2 * S);
	bench_expect_silence();
	assert_int_equal(bench_status().peers_relay, 1);
	assert_int_equal(bench_count(TEREDO_EV_test_sent), 1);
	/* a second copy of it is an ordinary packet */
	assert_int_equal(bench_udp(RELAY, &reply).fate, TEREDO_TO_TUN);
	assert_int_equal(bench_count(TEREDO_EV_test_answered), 1);
}

/* C-RX-10: where no test runs, no nonce is the right one, not even 0 */
static void a_reply_of_zeros_proves_nothing(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	const struct teredo_ep liar = ep4("203.0.113.66", 6666);
	struct test_packet reply = { .len = 0 };
	uint8_t zeros[8] = { 0 };

	(void)state;
	bench_trust(&native, RELAY);
	icmp6_put_echo(packet_more(&reply, ICMP6_ECHO_LEN(8)), ICMP6_ECHO_REPLY,
		       &native, &bench.own, 0, 1, zeros, 8);
	assert_int_equal(bench_udp(liar, &reply).fate, TEREDO_TAKEN);
	assert_ep_equal(bench_send(&native, 8).to, RELAY);
}

static void a_reply_to_an_earlier_test_of_the_series_counts(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct test_packet reply;

	(void)state;
	bench_send(&native, 8);
	bench_test_reply(bench_expect_udp(ep4(SERVER, 3544)), &native, &reply);
	bench_run(3 * S);
	bench_expect_udp(ep4(SERVER, 3544));
	assert_int_equal(bench_udp(RELAY, &reply).fate, TEREDO_TAKEN);
	bench_expect_udp(RELAY);
	bench_expect_silence();
}

/* C-RX-10, SEC-MITM-04 */
static void only_the_right_reply_proves(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct teredo_addr other = ip6("2001:db8::2");
	struct test_packet reply, bad;

	(void)state;
	bench_send(&native, 8);
	bench_test_reply(bench_expect_udp(ep4(SERVER, 3544)), &native, &reply);
	for (unsigned bit = 0; bit < 64; bit++) {	/* the nonce */
		bad = reply;
		bad.b[48 + bit / 8] ^= (uint8_t)(1u << bit % 8);
		bench_fix_checksum(&bad, 0);
		bench_udp(RELAY, &bad);
	}
	bad = reply;
	bad.b[40] = ICMP6_ECHO_REQUEST;
	bench_fix_checksum(&bad, 0);
	bench_udp(RELAY, &bad);
	bad = reply;
	bad.b[43] ^= 1;					/* the checksum */
	bench_udp(RELAY, &bad);
	bad = reply;
	memcpy(bad.b + 8, &other, 16);			/* the source */
	bench_fix_checksum(&bad, 0);
	bench_udp(RELAY, &bad);
	bad = reply;					/* more data */
	packet_put(&bad, "x", 1);
	bad.b[5]++;
	bench_fix_checksum(&bad, 0);
	bench_udp(RELAY, &bad);
	assert_int_equal(bench_count(TEREDO_EV_test_answered), 0);
	assert_int_equal(bench_status().peers_relay, 0);
	assert_int_equal(bench_udp(RELAY, &reply).fate, TEREDO_TAKEN);
	assert_int_equal(bench_status().peers_relay, 1);
}

/* C-DCT-04, SEC-MITM-04 */
static void a_reply_after_30_s_proves_nothing(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct test_packet reply;

	(void)state;
	bench_send(&native, 8);
	bench_test_reply(bench_expect_udp(ep4(SERVER, 3544)), &native, &reply);
	bench_run(6 * S + 31 * S);		/* after the last repetition */
	bench_udp(RELAY, &reply);
	assert_int_equal(bench_count(TEREDO_EV_test_answered), 0);
	assert_int_equal(bench_status().peers_relay, 0);
}

/* C-RX-11, C-RX-12, C-RX-13, A-ADDR-06: whatever the flags */
static void a_packet_from_the_mapping_proves_a_teredo_peer(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 16; bit++) {
		struct teredo_ep at = ep4("192.0.2.99", 5000 + bit);
		struct teredo_addr peer = bench_peer(at);

		peer.b[8 + bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(bench_receive(at, &peer, 8).fate,
				 TEREDO_TO_TUN);
		assert_ep_equal(bench_send(&peer, 8).to, at);
	}
	bench_expect_silence();			/* without bubbles */
	assert_int_equal(bench_status().peers_direct, 16);
	assert_int_equal(bench_news(OUTBOX_PEER_UP), 16);
}

/* C-RX-13, C-RX-14, C-TX-09 */
static void a_direct_bubble_releases_what_waits_and_is_not_delivered(
	void **state)
{
	struct teredo_addr peer = bench_peer(PEER);

	(void)state;
	for (size_t len = 1; len <= 8; len++)
		assert_int_equal(bench_send(&peer, len).fate, TEREDO_TAKEN);
	bench_expect_udp(PEER);
	bench_expect_udp(bench_peer_server());
	assert_int_equal(bench_bubble(PEER, &peer, &bench.own).fate,
			 TEREDO_TAKEN);
	for (size_t len = 1; len <= 8; len++)
		assert_int_equal(bench_expect_udp(PEER)->len, 40 + len);
	bench_expect_silence();
	assert_ep_equal(bench_send(&peer, 8).to, PEER);
	assert_int_equal(bench_count(TEREDO_EV_bubble_received), 1);
}

/* C-RX-14 */
static void data_of_the_peer_releases_what_waits_too(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);

	(void)state;
	bench_send(&peer, 33);
	bench_expect_udp(PEER);
	bench_expect_udp(bench_peer_server());
	assert_int_equal(bench_receive(PEER, &peer, 8).fate, TEREDO_TO_TUN);
	assert_int_equal(bench_expect_udp(PEER)->len, 73);
	bench_run(10 * S);
	bench_expect_silence();
}

/* SEC-V4D-04, A1 */
static void a_teredo_source_from_elsewhere_is_spoofed(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);
	struct teredo_ep near[] = { ep4("192.0.2.99", 5001),
				    ep4("192.0.2.98", 5000) };

	(void)state;
	for (unsigned i = 0; i < COUNT(near); i++) {
		assert_dropped(bench_receive(near[i], &peer, 8), spoofed);
		assert_dropped(bench_bubble(near[i], &peer, &bench.own),
			       spoofed);
	}
	bench_trust(&peer, PEER);
	bench_forget();
	for (unsigned i = 0; i < COUNT(near); i++)
		assert_dropped(bench_receive(near[i], &peer, 8), spoofed);
	bench_run(5 * S);
	bench_expect_silence();
}

/* The cookie of the indirect bubble that the client just sent. */
static struct teredo_addr sent_cookie(const struct teredo_addr *peer)
{
	struct teredo_addr cookie;
	const struct sent *s;

	bench_expect_udp(addr_mapping(peer));
	s = bench_expect_udp(bench_peer_server());
	bench_is_bubble(s, NULL, peer);
	memcpy(&cookie, s->data + 8, 16);
	assert_true(addr_is_link_local(&cookie));
	return cookie;
}

/* C-TX-02: a peer behind a symmetric NAT answers from another port */
static void an_answer_to_our_cookie_proves_a_peer_wherever_it_is(void **state)
{
	struct teredo_addr peer = bench_peer(PEER), cookie;
	struct teredo_ep real = ep4("192.0.2.99", 60000);

	(void)state;
	bench_send(&peer, 21);
	cookie = sent_cookie(&peer);
	assert_int_equal(bench_bubble(real, &peer, &cookie).fate, TEREDO_TAKEN);
	assert_int_equal(bench_expect_udp(real)->len, 61);
	assert_ep_equal(bench_send(&peer, 8).to, real);
	assert_int_equal(bench_receive(real, &peer, 8).fate, TEREDO_TO_TUN);
	assert_int_equal(bench_status().peers_direct, 1);
	bench_expect_silence();
}

static void another_cookie_proves_nothing(void **state)
{
	struct teredo_addr peer = bench_peer(PEER), cookie, bad;
	struct teredo_addr other = bench_peer(ep4("192.0.2.97", 5000));
	struct teredo_ep real = ep4("192.0.2.99", 60000);

	(void)state;
	bench_send(&peer, 21);
	cookie = sent_cookie(&peer);
	for (unsigned bit = 64; bit < 128; bit++) {
		bad = cookie;
		bad.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_dropped(bench_bubble(real, &peer, &bad), nonce);
	}
	assert_dropped(bench_bubble(real, &other, &cookie), nonce);
	bench_run(61 * S);
	assert_dropped(bench_bubble(real, &peer, &cookie), nonce);
	assert_int_equal(bench_status().peers_direct, 0);
}

static void no_two_clients_make_the_same_cookies(void **state)
{
	struct teredo_addr peer = bench_peer(PEER), first, second;

	(void)state;
	bench_send(&peer, 21);
	first = sent_cookie(&peer);
	bench_close();
	setup(state);
	bench_send(&peer, 21);
	second = sent_cookie(&peer);
	assert_false(addr_equal(&first, &second));
}

/* The cookie is for bubbles: data needs our very address. C-RX-03 */
static void data_to_a_cookie_is_not_delivered(void **state)
{
	struct teredo_addr peer = bench_peer(PEER), cookie;
	struct test_packet p = { .len = 0 };

	(void)state;
	bench_send(&peer, 21);
	cookie = sent_cookie(&peer);
	packet_ip6(&p, 17, &peer, &cookie, 8);
	assert_dropped(bench_udp(PEER, &p), not_for_us);
}

/* C-RX-19, C-DCT-06 */
static void a_packet_of_an_unknown_native_host_waits_for_the_test(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");
	struct test_packet reply;
	const struct sent *s;

	(void)state;
	assert_int_equal(bench_receive(RELAY, &native, 11).fate, TEREDO_TAKEN);
	assert_int_equal(bench_receive(RELAY, &native, 12).fate, TEREDO_TAKEN);
	s = bench_expect_udp(ep4(SERVER, 3544));
	bench_test_reply(s, &native, &reply);
	bench_expect_silence();
	assert_int_equal(bench_udp(RELAY, &reply).fate, TEREDO_TAKEN);
	s = bench_expect_tun();
	assert_int_equal(s->len, 51);
	assert_memory_equal(s->data + 24, &bench.own, 16);
	assert_int_equal(bench_expect_tun()->len, 52);
	bench_expect_silence();
	assert_int_equal(bench_receive(RELAY, &native, 8).fate, TEREDO_TO_TUN);
}

static void it_is_dropped_silently_when_the_test_fails(void **state)
{
	struct teredo_addr native = ip6("2001:db8::1");

	(void)state;
	bench_receive(RELAY, &native, 11);
	bench_run(60 * S);
	for (unsigned i = 0; i < 4; i++) {
		const struct sent *s = bench_expect_udp(ep4(SERVER, 3544));

		assert_int_equal(s->at - bench.start, i * PATH_GAP);
	}
	/* what else is said is a refresh, nothing for the tun */
	for (const struct sent *s; (s = bench_next()) != NULL;)
		assert_int_equal(s->len, 61);
	assert_int_equal(bench_count(TEREDO_DROP_unreachable), 1);
}

/* R-DEC-07's like in a client: a source address is forged more easily than an
 * answer to our cookie */
static void a_peer_proven_elsewhere_is_not_moved_by_its_mapping(void **state)
{
	struct teredo_addr peer = bench_peer(PEER);
	const struct teredo_ep moved = ep4("192.0.2.77", 7777);
	struct teredo_addr cookie;

	(void)state;
	bench_send(&peer, 8);
	bench_expect_udp(PEER);
	memcpy(&cookie, bench_expect_udp(bench_peer_server())->data + 8, 16);
	bench_bubble(moved, &peer, &cookie);
	bench_expect_udp(moved);
	assert_dropped(bench_bubble(PEER, &peer, &bench.own), spoofed);
	assert_int_equal(bench_receive(PEER, &peer, 8).fate, TEREDO_TO_TUN);
	assert_ep_equal(bench_send(&peer, 8).to, moved);
	assert_int_equal(bench_receive(moved, &peer, 8).fate, TEREDO_TO_TUN);
	/* until it has not been heard there */
	bench_run(30 * S);
	assert_int_equal(bench_receive(PEER, &peer, 8).fate, TEREDO_TO_TUN);
	assert_ep_equal(bench_send(&peer, 8).to, PEER);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_trusted_peer_is_trusted_for_30_s_after_its_last_packet),
		T(a_trusted_native_peer_elsewhere_is_tested_first),
		T(the_reply_to_the_test_proves_the_relay),
		T(a_reply_of_zeros_proves_nothing),
		T(a_reply_to_an_earlier_test_of_the_series_counts),
		T(only_the_right_reply_proves),
		T(a_reply_after_30_s_proves_nothing),
		T(a_packet_from_the_mapping_proves_a_teredo_peer),
		T(a_direct_bubble_releases_what_waits_and_is_not_delivered),
		T(data_of_the_peer_releases_what_waits_too),
		T(a_teredo_source_from_elsewhere_is_spoofed),
		T(an_answer_to_our_cookie_proves_a_peer_wherever_it_is),
		T(another_cookie_proves_nothing),
		T(no_two_clients_make_the_same_cookies),
		T(data_to_a_cookie_is_not_delivered),
		T(a_packet_of_an_unknown_native_host_waits_for_the_test),
		T(it_is_dropped_silently_when_the_test_fails),
		T(a_peer_proven_elsewhere_is_not_moved_by_its_mapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
