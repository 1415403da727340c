/*
 * test_netcheck.c - what netcheck concludes, and what it does not
 */
#include "config.h"

#include "netcheck_bench.h"

/* ---- kinds of NAT ---- */

static void no_nat_is_named(void **state)
{
	struct netcheck_report r = bench_look((struct traits){.kind = NONE}, 1);

	(void)state;
	assert_int_equal(r.nat, NETCHECK_NAT_NONE);
	assert_int_equal(r.udp, NETCHECK_YES);
	assert_int_equal(r.varies, NETCHECK_NO);
	assert_int_equal(r.open, NETCHECK_YES);
	assert_int_equal(r.port_preserving, NETCHECK_YES);
	assert_ep_equal(r.mapped, r.local);
}

static void a_cone_nat_is_named(void **state)
{
	struct netcheck_report r = bench_look(
		(struct traits){.kind = CONE, .moves_ports = true}, 1);

	(void)state;
	assert_int_equal(r.nat, NETCHECK_NAT_CONE);
	assert_int_equal(r.open, NETCHECK_YES);
	assert_int_equal(r.port_preserving, NETCHECK_NO);
	assert_int_equal(r.hairpin, NETCHECK_NO);
	assert_ep_equal(r.mapped, ep4(OUTSIDE, 41000));
	assert_int_equal(r.server[0].rtt, RTT);
}

static void both_restricted_nats_are_restricted(void **state)
{
	static const enum kind kinds[] = {ADDRESS, PORT};

	(void)state;
	for (unsigned i = 0; i < COUNT(kinds); i++) {
		struct netcheck_report r =
			bench_look((struct traits){.kind = kinds[i]}, 1);

		assert_int_equal(r.nat, NETCHECK_NAT_RESTRICTED);
		assert_int_equal(r.open, NETCHECK_NO);
		assert_int_equal(r.varies, NETCHECK_NO);
		assert_int_equal(r.port_preserving, NETCHECK_YES);
		assert_int_equal(ntohl(r.seen_by[1]), ntohl(ip4(SECOND)));
	}
}

static void a_symmetric_nat_is_named(void **state)
{
	struct netcheck_report r =
		bench_look((struct traits){.kind = SYMMETRIC}, 1);

	(void)state;
	assert_int_equal(r.nat, NETCHECK_NAT_SYMMETRIC);
	assert_int_equal(r.varies, NETCHECK_YES);
	assert_int_equal(r.open, NETCHECK_NO);
	assert_int_equal(r.port_preserving, NETCHECK_NO);
	assert_string_equal(netcheck_nat_class(r.nat), "hard");
}

static void hairpinning_is_seen(void **state)
{
	struct netcheck_report r =
		bench_look((struct traits){.kind = CONE, .hairpin = true}, 1);

	(void)state;
	assert_int_equal(r.hairpin, NETCHECK_YES);
	r = bench_look((struct traits){.kind = CONE,
				       .hairpin = true,
				       .turner = INSIDE},
		       1);
	assert_int_equal(r.hairpin, NETCHECK_YES);
	r = bench_look((struct traits){.kind = CONE,
				       .hairpin = true,
				       .turner = "192.0.2.77"},
		       1);
	assert_int_equal(r.hairpin, NETCHECK_NO);
}

static void lost_datagrams_change_nothing(void **state)
{
	(void)state;
	for (unsigned lost = 1; lost <= 3; lost++) {
		struct netcheck_report r = bench_look(
			(struct traits){.kind = CONE, .lost = lost}, 1);

		assert_int_equal(r.nat, NETCHECK_NAT_CONE);
		assert_int_equal(r.server[0].rtt, RTT);
	}
}

/* ---- what cannot be known ---- */

static void one_address_tells_no_mapping_and_no_filtering(void **state)
{
	static const enum kind kinds[] = {CONE, PORT, SYMMETRIC};

	(void)state;
	for (unsigned i = 0; i < COUNT(kinds); i++) {
		struct netcheck_report r = bench_look(
			(struct traits){.kind = kinds[i], .single = true}, 1);

		assert_int_equal(r.udp, NETCHECK_YES);
		assert_int_equal(r.varies, NETCHECK_UNKNOWN);
		assert_int_equal(r.open, NETCHECK_UNKNOWN);
		assert_int_equal(r.nat, NETCHECK_NAT_UNKNOWN);
		assert_null(netcheck_nat_type(r.nat));
	}
}

static void two_servers_of_one_address_tell_the_mapping(void **state)
{
	struct netcheck_report r =
		bench_look((struct traits){.kind = PORT, .single = true}, 2);

	(void)state;
	assert_int_equal(r.varies, NETCHECK_NO);
	assert_int_equal(r.open, NETCHECK_UNKNOWN);
	assert_int_equal(r.nat, NETCHECK_NAT_EASY);
	r = bench_look((struct traits){.kind = SYMMETRIC, .single = true}, 2);
	assert_int_equal(r.nat, NETCHECK_NAT_SYMMETRIC);
	assert_int_equal(ntohl(r.seen_by[1]), ntohl(ip4("192.0.2.8")));
}

static void another_port(struct bench *b, struct flight *f)
{
	(void)b;
	f->data[WIRE_AUTH_LEN + 3] ^= ntohl(f->from.ip) % 256 > 5;
}

static void another_way(struct bench *b, struct flight *f)
{
	(void)b;
	f->data[WIRE_AUTH_LEN + 7] ^= ntohl(f->from.ip) % 256 > 5;
}

static void servers_that_disagree_are_not_guessed_from(void **state)
{
	static const struct {
		bool single, multihomed;
		void (*forge)(struct bench *b, struct flight *f);
		enum netcheck_fact varies;
	} cases[] = {
		{true, false, another_port, NETCHECK_YES},
		{true, false, another_way, NETCHECK_UNKNOWN},
		{true, true, another_port, NETCHECK_UNKNOWN},
		{false, false, another_port, NETCHECK_UNKNOWN},
		{false, true, another_port, NETCHECK_NO},
		{false, true, another_way, NETCHECK_NO},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct bench *b = bench_setup(
			(struct traits){.kind = PORT,
					.single = cases[i].single,
					.multihomed = cases[i].multihomed});
		struct netcheck_report r;

		b->forge = cases[i].forge;
		bench_run(b, 2, &r);
		assert_int_equal(r.server[1].state, NETCHECK_OK);
		assert_int_equal(r.varies, cases[i].varies);
		bench_teardown(b);
	}
}

static void from_the_first_server(struct bench *b, struct flight *f)
{
	(void)b;
	if (f->from.ip == ip4("192.0.2.9"))
		f->from.ip = ip4(SERVER);
}

/* The NAT lets in who was sent to, whoever asked them. */
static void an_answer_from_who_was_asked_shows_no_open_filter(void **state)
{
	struct bench *b = bench_setup((struct traits){.kind = ADDRESS});
	struct netcheck_report r;

	(void)state;
	b->forge = from_the_first_server;
	bench_run(b, 2, &r);
	assert_int_equal(r.open, NETCHECK_NO);
	assert_int_equal(r.nat, NETCHECK_NAT_RESTRICTED);
	bench_teardown(b);
}

static void silence_is_no_proof_that_udp_is_blocked(void **state)
{
	struct netcheck_report r =
		bench_look((struct traits){.kind = PORT, .dead = true}, 2);

	(void)state;
	assert_int_equal(r.udp, NETCHECK_UNKNOWN);
	assert_int_equal(r.nearest, -1);
	assert_int_equal(r.server[1].state, NETCHECK_SILENT);
	assert_int_equal(r.nat, NETCHECK_NAT_UNKNOWN);
	assert_int_equal(r.port_preserving, NETCHECK_UNKNOWN);
}

/* The answer to the cone solicitation is late, not filtered. */
static void a_far_server_is_not_taken_for_a_filter(void **state)
{
	struct netcheck_report r = bench_look(
		(struct traits){.kind = CONE, .rtt = 900 * TEREDO_MS}, 1);

	(void)state;
	assert_int_equal(r.open, NETCHECK_YES);
	r = bench_look((struct traits){.kind = CONE, .rtt = 3000 * TEREDO_MS},
		       1);
	assert_int_not_equal(r.open, NETCHECK_NO);
}

static void a_firewall_that_says_so_is_no_silence(void **state)
{
	struct bench *b =
		bench_setup((struct traits){.kind = PORT, .dead = true});
	struct netcheck_report r;

	(void)state;
	bench_run(b, 1, &r);
	netcheck_error(b->nc, ep4(SERVER, 3544), NETCHECK_BLOCKED,
		       ip4(GATEWAY));
	netcheck_report(b->nc, &r);
	assert_int_equal(r.udp, NETCHECK_NO);
	assert_int_equal(r.server[0].state, NETCHECK_BLOCKED);
	bench_teardown(b);
}

/* ---- names ---- */

static void a_name_that_is_found_late_is_asked_then(void **state)
{
	struct netcheck_report r = bench_look(
		(struct traits){.kind = PORT, .resolved = 900 * TEREDO_MS}, 1);

	(void)state;
	assert_int_equal(r.server[0].state, NETCHECK_OK);
	assert_int_equal(r.server[0].rtt, RTT);
	assert_int_equal(r.nat, NETCHECK_NAT_RESTRICTED);
	r = bench_look((struct traits){.kind = PORT,
				       .resolved = 3000 * TEREDO_MS},
		       1);
	assert_int_equal(r.server[0].state, NETCHECK_OK);
	assert_int_equal(r.nat, NETCHECK_NAT_UNKNOWN); /* no time for that */
}

/* The others tell what they can; the whole ends when it always does. */
static void a_name_that_is_never_found_holds_nobody_up(void **state)
{
	for (unsigned servers = 1; servers <= 2; servers++) {
		struct bench *b = bench_setup((struct traits){
			.kind = PORT, .resolved = TEREDO_NEVER});
		struct netcheck_report r;

		(void)state;
		assert_int_equal(bench_run(b, servers, &r), NETCHECK_LIMIT);
		assert_true(r.server[0].is_awaited);
		assert_int_equal(r.nearest, servers == 1 ? -1 : 1);
		assert_int_equal(r.nat, servers == 1 ? NETCHECK_NAT_UNKNOWN
						     : NETCHECK_NAT_RESTRICTED);
		bench_teardown(b);
	}
}

/* ---- hostile servers ---- */

static void a_wrong_nonce(struct bench *b, struct flight *f)
{
	(void)b;
	f->data[5] ^= 1;
}

static void a_private_origin(struct bench *b, struct flight *f)
{
	(void)b;
	f->data[WIRE_AUTH_LEN + 4] = 10 ^ 0xff;
}

static void another_address(struct bench *b, struct flight *f)
{
	(void)b;
	f->from.ip = ip4("192.0.2.77");
}

static void a_confirmation(struct bench *b, struct flight *f)
{
	(void)b;
	f->data[WIRE_AUTH_LEN - 1] = 1;
}

static void a_broken_advertisement(struct bench *b, struct flight *f)
{
	(void)b;
	f->data[f->len - 1] ^= 1;
}

/* C-SECQ-02, C-QUAL-08, C-QUAL-11, A-ADDR-07 */
static void what_a_client_refuses_is_refused(void **state)
{
	static const struct {
		void (*forge)(struct bench *b, struct flight *f);
		enum netcheck_state seen;
	} cases[] = {
		{a_wrong_nonce, NETCHECK_SILENT},
		{another_address, NETCHECK_SILENT},
		{a_private_origin, NETCHECK_INVALID},
		{a_confirmation, NETCHECK_INVALID},
		{a_broken_advertisement, NETCHECK_INVALID},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct bench *b = bench_setup((struct traits){.kind = NONE});
		struct netcheck_report r;

		b->forge = cases[i].forge;
		bench_run(b, 1, &r);
		assert_int_equal(r.server[0].state, cases[i].seen);
		assert_int_equal(r.udp, NETCHECK_UNKNOWN);
		assert_int_equal(r.nearest, -1);
		bench_teardown(b);
	}
}

/* ---- the gateway ---- */

static void nat_pmp_is_told_from_its_lack(void **state)
{
	static const struct {
		const char *answer;
		enum netcheck_fact fact;
	} cases[] = {
		{"00 80 0000 00000001 cb007109", NETCHECK_YES},
		{"00 80 0002 00000001 00000000", NETCHECK_NO}, /* refuses */
		{"00 80 0000", NETCHECK_NO},		       /* cut off */
		{"02 80 0001", NETCHECK_NO}, /* PCP only, by its answer */
		{"", NETCHECK_NO},	     /* silent */
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct netcheck_report r =
			bench_look((struct traits){.kind = PORT,
						   .gateway = cases[i].answer},
				   1);

		assert_int_equal(r.nat_pmp, cases[i].fact);
		assert_int_equal(r.upnp, NETCHECK_NO);
	}
	assert_int_equal(bench_look((struct traits){.kind = PORT}, 1).nat_pmp,
			 NETCHECK_UNKNOWN);
}

/* RFC 6887 9: to each question its own answer, though they share a port. */
static void a_gateway_with_pcp_alone_has_pcp(void **state)
{
	struct netcheck_report r = bench_look(
		(struct traits){.kind = PORT,
				.gateway = "02 80 0001 00000000 00000000"
					   "000000000000000000000000",
				.pcp = "02 80 0000 00000000 00000000"
				       "000000000000000000000000"},
		1);

	(void)state;
	assert_int_equal(r.pcp, NETCHECK_YES);
	assert_int_equal(r.nat_pmp, NETCHECK_NO);
	r = bench_look(
		(struct traits){.kind = PORT,
				.gateway = "00 80 0000 00000001 cb007109",
				.pcp = "00 80 0001 00000001"},
		1);
	assert_int_equal(r.pcp, NETCHECK_NO);
	assert_int_equal(r.nat_pmp, NETCHECK_YES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_nat_is_named),
		cmocka_unit_test(a_cone_nat_is_named),
		cmocka_unit_test(both_restricted_nats_are_restricted),
		cmocka_unit_test(a_symmetric_nat_is_named),
		cmocka_unit_test(hairpinning_is_seen),
		cmocka_unit_test(lost_datagrams_change_nothing),
		cmocka_unit_test(one_address_tells_no_mapping_and_no_filtering),
		cmocka_unit_test(two_servers_of_one_address_tell_the_mapping),
		cmocka_unit_test(servers_that_disagree_are_not_guessed_from),
		cmocka_unit_test(
			an_answer_from_who_was_asked_shows_no_open_filter),
		cmocka_unit_test(silence_is_no_proof_that_udp_is_blocked),
		cmocka_unit_test(a_far_server_is_not_taken_for_a_filter),
		cmocka_unit_test(a_firewall_that_says_so_is_no_silence),
		cmocka_unit_test(a_name_that_is_found_late_is_asked_then),
		cmocka_unit_test(a_name_that_is_never_found_holds_nobody_up),
		cmocka_unit_test(what_a_client_refuses_is_refused),
		cmocka_unit_test(nat_pmp_is_told_from_its_lack),
		cmocka_unit_test(a_gateway_with_pcp_alone_has_pcp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
