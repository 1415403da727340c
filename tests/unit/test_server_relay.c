/*
 * test_server_relay.c - whose packet is it, the server's or the relay's?
 *
 * RFC 4380 5.4.3. The box is 198.51.100.1 and .2; alice is its client, bob
 * another server's.
 */
#include "config.h"

#include "libteredo/server_relay.h"
#include "packets.h"

#define S1	"198.51.100.1"
#define S2	"198.51.100.2"
#define S1_LL	"fe80::8000:f227:39cc:9bfe"
#define ALICE	"192.0.2.45"
#define BOB	"203.0.113.9"
#define NATIVE	"2001:db8::1"

struct bench {
	struct teredo_server_relay *sr;
	struct teredo_outbox ob;
	uint64_t seed;
	teredo_time now;
};

static int setup_denying(void **state, const char *denied)
{
	struct teredo_server_config config = {
		.prefix = addr_default_prefix(),
		.ip = ip4(S1),
		.ip2 = ip4(S2),
		.mtu = 1280,
	};
	struct teredo_addr own = ip6("2001:db8:5e1f::1");
	struct local4 local = { .n = 1, .ip = { ip4("10.0.0.4") } };
	struct bench *b = calloc(1, sizeof(*b));
	struct teredo_env env;

	assert_non_null(b);
	if (denied != NULL) {
		config.access.n = 1;
		config.access.rule[0].ip = ip4(denied);
		config.access.rule[0].bits = 32;
	}
	b->seed = 4380;
	b->now = 1000 * TEREDO_SECOND;
	env = test_env(&b->seed);
	b->sr = teredo_server_relay_new(&config, 16, &env);
	assert_non_null(b->sr);
	teredo_server_relay_set_local(b->sr, &local, &own, 1);
	*state = b;
	return 0;
}

static int setup(void **state)
{
	return setup_denying(state, NULL);
}

static int teardown(void **state)
{
	struct bench *b = *state;

	teredo_server_relay_free(b->sr);
	free(b);
	return 0;
}

static struct teredo_addr alice(void)
{
	return teredo6(S1, 0, ALICE, 40000);
}

static struct teredo_addr bob(void)
{
	return teredo6("192.0.2.200", 0, BOB, 50000);
}

static enum teredo_fate give_by(struct bench *b, struct test_packet p,
				struct teredo_ep from, enum teredo_via via)
{
	const struct teredo_rx rx = {
		.data = p.b, .len = p.len, .from = from, .via = via,
	};

	outbox_clear(&b->ob);
	return teredo_server_relay_udp_in(b->sr, &rx, b->now, &b->ob).fate;
}

static enum teredo_fate give(struct bench *b, struct test_packet p,
			     struct teredo_ep from)
{
	return give_by(b, p, from, TEREDO_VIA_PRIMARY);
}

static enum teredo_fate give_tun(struct bench *b, struct test_packet p)
{
	outbox_clear(&b->ob);
	return teredo_relay_tun_in(teredo_server_relay_relay(b->sr), p.b,
				   p.len, b->now, &b->ob)
		.fate;
}

static uint64_t count(const struct bench *b, enum teredo_counter c)
{
	return teredo_server_relay_counters(b->sr)->n[c];
}

static struct test_packet data(struct teredo_addr src, struct teredo_addr dst)
{
	return make_ip6(src, dst, 17, "data", 4);
}

static struct test_packet small_echo(struct teredo_addr src,
				     struct teredo_addr dst)
{
	return make_icmp6(src, dst, 128, 12);
}

/* The bubble that the last call sent, alone: its source. */
static struct teredo_addr asked(const struct bench *b, struct teredo_ep to,
				bool by_the_server)
{
	const struct outbox_item *item = &b->ob.item[0];
	struct wire_packet p;

	assert_int_equal(b->ob.n, 1);
	assert_int_equal(item->kind, OUTBOX_UDP);
	assert_int_equal(item->via, TEREDO_VIA_PRIMARY);
	assert_true(ep_equal(item->to, to));
	assert_int_equal(wire_parse(&p, outbox_data(&b->ob, item), item->len),
			 WIRE_OK);
	assert_true(wire_is_bubble(&p));
	assert_int_equal(p.has_origin, by_the_server);
	if (by_the_server)	/* S-FWD-06 */
		assert_true(ep_equal(p.origin, ep4(S1, 3544)));
	return p.src;
}

/* R-SRV-01: the relay does not write to itself to reach its own client. */
static void the_server_beside_is_not_asked_over_the_wire(void **state)
{
	struct bench *b = *state;
	struct teredo_ep home = ep4(ALICE, 40000);
	struct teredo_addr cookie;

	assert_int_equal(give_tun(b, data(ip6(NATIVE), alice())),
			 TEREDO_TAKEN);
	cookie = asked(b, home, true);
	assert_int_equal(give(b, make_bubble(alice(), cookie), home),
			 TEREDO_TAKEN);
	/* PEER_UP, and what waited */
	assert_int_equal(b->ob.n, 2);
	assert_true(ep_equal(b->ob.item[1].to, home));
	assert_int_equal(give_tun(b, data(ip6(NATIVE), alice())),
			 TEREDO_TO_UDP);
	assert_int_equal(give(b, data(alice(), ip6(NATIVE)), home),
			 TEREDO_TO_TUN);
}

/* R-SRV-01 */
static void another_server_is(void **state)
{
	struct bench *b = *state;

	assert_int_equal(give_tun(b, data(ip6(NATIVE), bob())), TEREDO_TAKEN);
	asked(b, ep4("192.0.2.200", 3544), false);
}

/* R-SRV-02, S-FWD-03 */
static void a_test_goes_out_at_once_and_data_when_it_is_proven(void **state)
{
	struct bench *b = *state;
	struct teredo_ep home = ep4(ALICE, 40000);
	struct teredo_addr cookie;

	assert_int_equal(give(b, small_echo(alice(), ip6(NATIVE)), home),
			 TEREDO_TO_NATIVE6);
	assert_int_equal(give(b, data(alice(), ip6(NATIVE)), home),
			 TEREDO_TAKEN);
	cookie = asked(b, home, true);
	give(b, make_bubble(alice(), cookie), home);
	assert_int_equal(b->ob.item[b->ob.n - 1].kind, OUTBOX_TUN);
	/* from now on it is the relay's with everything */
	assert_int_equal(give(b, small_echo(alice(), ip6(NATIVE)), home),
			 TEREDO_TO_TUN);
}

/* SEC-LOOP-03: a route to it may lead into a tunnel back to us; by whichever
 * address, of whoever is trusted. */
static void a_6to4_host_is_reached_by_neither(void **state)
{
	struct bench *b = *state;
	struct teredo_ep home = ep4(ALICE, 40000);
	struct test_packet test = small_echo(alice(), ip6("2002:c000:204::1"));

	assert_int_equal(give(b, test, home), TEREDO_DROP);
	assert_int_equal(give_by(b, test, home, TEREDO_VIA_SECONDARY),
			 TEREDO_DROP);
	give_tun(b, data(ip6(NATIVE), alice()));
	give(b, make_bubble(alice(), asked(b, home, true)), home);
	assert_int_equal(give(b, test, home), TEREDO_DROP);
	assert_int_equal(count(b, TEREDO_DROP_loop), 3);
}

/* R-SRV-02, R-DEC-02: neither would take it. */
static void who_lies_gets_nothing_from_either(void **state)
{
	struct bench *b = *state;
	struct teredo_ep elsewhere = ep4(BOB, 1);

	assert_int_equal(give(b, small_echo(alice(), ip6(NATIVE)), elsewhere),
			 TEREDO_DROP);
	assert_int_equal(give(b, data(alice(), ip6(NATIVE)), elsewhere),
			 TEREDO_DROP);
	assert_int_equal(give(b, make_bubble(alice(), ip6("fe80::1")),
			      elsewhere),
			 TEREDO_DROP);
	assert_int_equal(b->ob.n, 0);
	assert_int_equal(count(b, TEREDO_DROP_spoofed), 2);
}

/* R-SRV-02 */
static void what_a_server_does_it_does_still(void **state)
{
	struct bench *b = *state;
	struct teredo_ep home = ep4(ALICE, 40000);

	give(b, make_rs(ip6("fe80::1")), home);
	assert_int_equal(count(b, TEREDO_EV_ra_sent), 1);
	give(b, small_echo(alice(), ip6(S1_LL)), home);
	assert_int_equal(count(b, TEREDO_EV_echo_answered), 1);
	give(b, make_bubble(bob(), alice()), ep4(BOB, 50000));
	assert_int_equal(count(b, TEREDO_EV_bubble_forwarded), 1);
	assert_true(ep_equal(b->ob.item[0].to, home));
	/* A relay's work is not done between Teredo addresses. */
	assert_int_equal(give(b, data(bob(), alice()), ep4(BOB, 50000)),
			 TEREDO_DROP);
	assert_int_equal(count(b, TEREDO_DROP_not_relayed), 1);
}

/* R-SRV-02: answers leave from the primary address. */
static void the_second_address_is_the_servers_alone(void **state)
{
	struct bench *b = *state;
	struct teredo_ep home = ep4(ALICE, 40000);

	assert_int_equal(give_by(b, data(alice(), ip6(NATIVE)), home,
				 TEREDO_VIA_SECONDARY),
			 TEREDO_DROP);
	assert_int_equal(count(b, TEREDO_DROP_not_relayed), 1);
	give_by(b, make_rs(ip6("fe80::1")), home, TEREDO_VIA_SECONDARY);
	assert_int_equal(count(b, TEREDO_EV_ra_sent), 1);
}

/* SEC-LOOP-01: also where the public addresses are a NAT's. */
static void nothing_goes_to_itself(void **state)
{
	static const char *const own[] = { S1, S2, "10.0.0.4" };
	struct bench *b = *state;

	for (unsigned i = 0; i < 3; i++) {
		struct teredo_addr at = teredo6(S1, 0, own[i], 3544);

		assert_int_equal(give_tun(b, data(ip6(NATIVE), at)),
				 TEREDO_DROP);
		assert_int_equal(give(b, data(at, ip6(NATIVE)),
				      ep4(own[i], 3544)),
				 TEREDO_DROP);
		assert_int_equal(b->ob.n, 0);
		assert_int_equal(count(b, TEREDO_DROP_loop), 2 * (i + 1));
	}
	/* the second address is no server of clients */
	assert_int_equal(give_tun(b, data(ip6(NATIVE),
					  teredo6(S2, 0, ALICE, 40000))),
			 TEREDO_DROP);
}

/* PeerDeny: alice is neither answered nor written to, and bob is served. */
static void who_is_denied_gets_nothing_from_either(void **state)
{
	struct teredo_ep home = ep4(ALICE, 40000);
	struct bench *b;

	teardown(state);
	setup_denying(state, ALICE);
	b = *state;
	assert_int_equal(give(b, make_rs(ip6("fe80::1")), home), TEREDO_DROP);
	assert_int_equal(give(b, small_echo(alice(), ip6(NATIVE)), home),
			 TEREDO_DROP);
	assert_int_equal(give(b, make_bubble(bob(), alice()), ep4(BOB, 50000)),
			 TEREDO_DROP);
	assert_int_equal(give(b, data(alice(), ip6(NATIVE)), home),
			 TEREDO_DROP);
	assert_int_equal(give_tun(b, data(ip6(NATIVE), alice())), TEREDO_DROP);
	assert_int_equal(count(b, TEREDO_DROP_denied), 5);
	assert_int_equal(b->ob.n, 0);
	assert_int_equal(give_tun(b, data(ip6(NATIVE), bob())), TEREDO_TAKEN);
}

/* ... nor is whose server is denied the relay's; the server writes to none but
 * its own. */
static void nor_does_a_client_of_a_denied_server_from_the_relay(void **state)
{
	struct bench *b;

	teardown(state);
	setup_denying(state, "192.0.2.200");
	b = *state;
	assert_int_equal(give_tun(b, data(ip6(NATIVE), bob())), TEREDO_DROP);
	assert_int_equal(give(b, data(bob(), ip6(NATIVE)), ep4(BOB, 50000)),
			 TEREDO_DROP);
	assert_int_equal(count(b, TEREDO_DROP_denied), 2);
	assert_int_equal(give(b, make_bubble(bob(), alice()), ep4(BOB, 50000)),
			 TEREDO_TAKEN);
}

/* Its limits' memory is given back, by one deadline for both. */
static void the_server_in_it_comes_to_rest(void **state)
{
	struct bench *b = *state;
	teredo_time begin = b->now;

	assert_int_equal(teredo_server_relay_deadline(b->sr), TEREDO_NEVER);
	give(b, make_rs(ip6("fe80::1")), ep4(ALICE, 40000));
	for (;;) {
		teredo_time next = teredo_server_relay_deadline(b->sr);

		if (next == TEREDO_NEVER)
			break;
		assert_true(next > b->now);
		b->now = next;
		outbox_clear(&b->ob);
		teredo_server_relay_expire(b->sr, b->now, &b->ob);
	}
	assert_in_range(b->now - begin, 30 * TEREDO_SECOND,
			40 * TEREDO_SECOND);
}

static void what_is_no_packet_is_dropped_once(void **state)
{
	struct bench *b = *state;
	struct test_packet p = data(alice(), ip6(NATIVE));

	p.len--;
	assert_int_equal(give(b, p, ep4(ALICE, 40000)), TEREDO_DROP);
	assert_int_equal(count(b, TEREDO_DROP_malformed), 1);
	teredo_server_relay_free(NULL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_server_beside_is_not_asked_over_the_wire),
		T(another_server_is),
		T(a_test_goes_out_at_once_and_data_when_it_is_proven),
		T(a_6to4_host_is_reached_by_neither),
		T(who_lies_gets_nothing_from_either),
		T(what_a_server_does_it_does_still),
		T(the_second_address_is_the_servers_alone),
		T(nothing_goes_to_itself),
		T(who_is_denied_gets_nothing_from_either),
		T(nor_does_a_client_of_a_denied_server_from_the_relay),
		T(the_server_in_it_comes_to_rest),
		T(what_is_no_packet_is_dropped_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
