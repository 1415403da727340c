/*
 * test_addr.c - Teredo addresses and acceptable endpoints
 */
#include "tests/unit/testing.h"

static const struct {
	const char *text, *server, *ip;
	uint16_t flags;
	unsigned port;
} vectors[] = {
	/* A-ADDR-03; then RFC 6081 figure 2 */
	{ "2001:0:4136:e378:8000:63bf:3fff:fdd2", "65.54.227.120",
	  "192.0.2.45", ADDR_FLAG_CONE, 40000 },
	{ "2001:0:c633:6476:0:dfff:3fff:fdf5", "198.51.100.118",
	  "192.0.2.10", 0, 8192 },
	{ "2001:0:cb00:7178:0:efff:3fff:fdfe", "203.0.113.120",
	  "192.0.2.1", 0, 4096 },
	/* and one with the random bits of RFC 5991 */
	{ "2001:0:cb00:7178:3cff:efff:3fff:fdfe", "203.0.113.120",
	  "192.0.2.1", ADDR_FLAGS_RANDOM, 4096 },
};

/* A-ADDR-01, A-ADDR-02, A-ADDR-03, A-ADDR-05 */
static void the_vectors_of_the_rfcs_are_composed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct teredo_addr want = ip6(vectors[i].text), got;

		addr_make(&got, addr_default_prefix(), ip4(vectors[i].server),
			  vectors[i].flags,
			  ep4(vectors[i].ip, vectors[i].port));
		assert_addr_equal(&got, &want);
	}
}

static void the_vectors_of_the_rfcs_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct teredo_addr a = ip6(vectors[i].text);

		assert_true(addr_in_prefix(&a, addr_default_prefix()));
		assert_int_equal(addr_server(&a), ip4(vectors[i].server));
		assert_int_equal(addr_flags(&a), vectors[i].flags);
		assert_ep_equal(addr_mapping(&a),
				ep4(vectors[i].ip, vectors[i].port));
	}
}

/* A-ENC-10 */
static void a_server_listens_at_port_3544(void **state)
{
	(void)state;
	assert_ep_equal(addr_server_ep(ip4("198.51.100.1")),
			ep4("198.51.100.1", 3544));
}

/* S-RS-03, A-ADDR-08; as a deployed server sends it */
static void a_link_local_address_embeds_the_endpoint(void **state)
{
	struct teredo_addr want = ip6("fe80::8000:f227:39cc:9bfe"), got;

	(void)state;
	memset(&got, 0xff, sizeof(got));
	addr_make_link_local(&got, ADDR_FLAG_CONE,
			     ep4("198.51.100.1", TEREDO_PORT));
	assert_addr_equal(&got, &want);
	assert_true(addr_is_link_local(&got));
	want = ip6("fe80::ffff:ffff:ffff");
	addr_make_link_local(&got, 0, (struct teredo_ep){ 0, 0 });
	assert_addr_equal(&got, &want);
}

/* A-ADDR-06 */
static void no_flag_pattern_changes_what_is_read(void **state)
{
	struct teredo_addr a = ip6(vectors[0].text);

	(void)state;
	for (unsigned flags = 0; flags <= 0xffff; flags++) {
		a.b[8] = (uint8_t)(flags >> 8);
		a.b[9] = (uint8_t)flags;
		assert_int_equal(addr_flags(&a), flags);
		assert_int_equal(addr_server(&a), ip4(vectors[0].server));
		assert_ep_equal(addr_mapping(&a), ep4("192.0.2.45", 40000));
	}
}

/* A-ADDR-01 */
static void only_the_prefix_itself_is_in_the_prefix(void **state)
{
	struct teredo_addr a;

	(void)state;
	a = ip6("2001:0:ffff:ffff:ffff:ffff:ffff:ffff");
	assert_true(addr_in_prefix(&a, addr_default_prefix()));
	a = ip6("2001:1::");
	assert_false(addr_in_prefix(&a, addr_default_prefix()));
	a = ip6("2000:ffff::");
	assert_false(addr_in_prefix(&a, addr_default_prefix()));
	a = ip6("3ffe:831f::1");
	assert_false(addr_in_prefix(&a, addr_default_prefix()));
	assert_true(addr_in_prefix(&a, ip4("63.254.131.31")));
}

/* A-ADDR-09 */
static void every_bit_of_an_address_counts(void **state)
{
	struct teredo_addr a = ip6(vectors[1].text), b;

	(void)state;
	for (unsigned bit = 0; bit < 128; bit++) {
		b = a;
		assert_true(addr_equal(&a, &b));
		b.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(addr_equal(&a, &b));
	}
	assert_true(ep_equal(ep4("192.0.2.1", 1), ep4("192.0.2.1", 1)));
	assert_false(ep_equal(ep4("192.0.2.1", 1), ep4("192.0.2.2", 1)));
	assert_false(ep_equal(ep4("192.0.2.1", 1), ep4("192.0.2.1", 256)));
}

static void scopes_of_ipv6_addresses_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		bool link_local, multicast, global;
	} a[] = {
		{ "2001:0:4136:e378::", false, false, true },
		{ "2001:db8::1", false, false, true },
		{ "2002:c000:201::1", false, false, true },
		{ "64:ff9b::192.0.2.1", false, false, true },
		{ "0:0:0:0:1::", false, false, true },
		{ "fe00::1", false, false, true },
		/* S-FWD-02, SEC-ING-01 */
		{ "::", false, false, false },
		{ "::1", false, false, false },
		{ "::192.0.2.1", false, false, false },
		{ "::ffff:192.0.2.1", false, false, false },
		{ "fe80::1", true, false, false },
		{ "febf:ffff::1", true, false, false },
		{ "fec0::1", false, false, false },
		{ "feff::1", false, false, false },
		{ "fc00::1", false, false, false },
		{ "fdff:ffff::1", false, false, false },
		{ "ff02::1", false, true, false },
		{ "ff0e::1", false, true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(a); i++) {
		struct teredo_addr addr = ip6(a[i].text);

		if (addr_is_link_local(&addr) != a[i].link_local ||
		    addr_is_multicast(&addr) != a[i].multicast ||
		    addr_is_global(&addr) != a[i].global)
			fail_msg("%s is not what it should be", a[i].text);
	}
}

static void well_known_groups_are_exact(void **state)
{
	struct teredo_addr a;

	(void)state;
	a = ip6("ff02::1");
	assert_true(addr_is_all_nodes(&a));
	assert_false(addr_is_all_routers(&a));
	a = ip6("ff02::2");
	assert_false(addr_is_all_nodes(&a));
	assert_true(addr_is_all_routers(&a));
	a = ip6("ff05::2");
	assert_false(addr_is_all_routers(&a));
	a = ip6("ff02::1:0:1");
	assert_false(addr_is_all_nodes(&a));
}

/* SEC-LOOP-03 */
static void our_own_address_is_seen_in_addresses_of_other_tunnels(void **state)
{
	static const char *const ours[] = {
		"2002:c000:201::1", "2001:db8::5efe:192.0.2.1",
		"2001:db8::200:5efe:192.0.2.1", "fe80::5efe:192.0.2.1",
	};
	static const char *const other[] = {
		"2002:c000:202::1", "2001:db8::5efe:192.0.2.2",
		"2001:db8::1", "2001:db8::5eff:192.0.2.1", "2003:c000:201::",
		"2001:db8::1:5efe:192.0.2.1", "2001:0:c000:201::",
		"2001:db8::400:5efe:192.0.2.1",
	};
	struct local4 local = { .n = 1 };
	struct teredo_addr a;

	(void)state;
	local.ip[0] = ip4("192.0.2.1");
	for (size_t i = 0; i < COUNT(ours); i++) {
		a = ip6(ours[i]);
		assert_true(addr_embeds_local(&a, &local));
		assert_int_equal(addr_is_6to4(&a), i == 0);
	}
	for (size_t i = 0; i < COUNT(other); i++) {
		a = ip6(other[i]);
		assert_false(addr_embeds_local(&a, &local));
		assert_int_equal(addr_is_6to4(&a), i == 0);
	}
}

/* A host may have hundreds, in any order, and some twice. */
static void each_of_many_own_addresses_is_known(void **state)
{
	static struct local4 l;

	(void)state;
	for (unsigned n = 0; n <= LOCAL4_MAX; n = n < 9 ? n + 1 : n * 2 - 3) {
		for (l.n = 0; l.n < n; l.n++)
			l.ip[l.n] = (l.n + 7) * 2654435761u;
		if (n > 3)
			l.ip[2] = l.ip[3];
		local4_sort(&l);
		for (unsigned i = 0; i < n; i++)
			assert_int_equal(local4_has(&l, (i + 7) * 2654435761u),
					 n <= 3 || i != 2);
		assert_false(local4_has(&l, 4711));
	}
}

/* A-V4G-01 to A-V4G-09, A-V4G-11 */
static void ipv4_addresses_that_are_not_global_are_refused(void **state)
{
	static const struct {
		const char *first, *last, *below, *above;
	} block[] = {
		{ "0.0.0.0", "0.255.255.255", NULL, "1.0.0.0" },
		{ "127.0.0.0", "127.255.255.255", "126.255.255.255",
		  "128.0.0.0" },
		{ "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0" },
		{ "172.16.0.0", "172.31.255.255", "172.15.255.255",
		  "172.32.0.0" },
		{ "192.168.0.0", "192.168.255.255", "192.167.255.255",
		  "192.169.0.0" },
		{ "169.254.0.0", "169.254.255.255", "169.253.255.255",
		  "169.255.0.0" },
		{ "192.88.99.0", "192.88.99.255", "192.88.98.255",
		  "192.88.100.0" },
		{ "224.0.0.0", "239.255.255.255", "223.255.255.255", NULL },
		{ "240.0.0.0", "255.255.255.255", NULL, NULL },
	};
	static const char *const good[] = {
		"192.0.2.1", "198.51.100.1", "203.0.113.255", "198.18.0.1",
		"100.64.0.1", "192.0.0.1", "65.54.227.120",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(block); i++) {
		assert_false(ipv4_is_global(ip4(block[i].first)));
		assert_false(ipv4_is_global(ip4(block[i].last)));
		if (block[i].below != NULL)
			assert_true(ipv4_is_global(ip4(block[i].below)));
		if (block[i].above != NULL)
			assert_true(ipv4_is_global(ip4(block[i].above)));
	}
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(ipv4_is_global(ip4(good[i])));
}

static bool is_fit(const char *ip, const struct local4 *l)
{
	bool fit = ep_is_acceptable(ep4(ip, 9), l);

	assert_true(!fit || !ep_is_denied(ep4(ip, 9), l));
	return fit;
}

static void the_rule_with_the_longest_prefix_decides(void **state)
{
	const struct access4 access = {
		.n = 4,
		.rule = { { ip4("192.0.2.64"), 26, true },
			  { ip4("192.0.2.0"), 24, false },
			  { ip4("192.0.2.65"), 32, false },
			  { 0, 0, true } },
	};
	struct local4 l = { .access = &access };

	(void)state;
	assert_true(is_fit("192.0.2.64", &l));
	assert_true(is_fit("192.0.2.127", &l));
	assert_false(is_fit("192.0.2.65", &l));
	assert_false(is_fit("192.0.2.63", &l));
	assert_false(is_fit("192.0.2.128", &l));
	assert_true(is_fit("192.0.3.1", &l));
	assert_int_equal(ep_objection(ep4("192.0.2.65", 9), &l),
			 TEREDO_DROP_denied);
	assert_int_equal(ep_objection(ep4("10.0.0.1", 9), &l),
			 TEREDO_DROP_martian_v4);
	l.access = NULL;
	assert_true(is_fit("192.0.2.65", &l));
}

static void private_space_is_fit_by_a_rule_of_its_own(void **state)
{
	struct access4 access = {
		.n = 2,
		.rule = { { ip4("10.1.0.0"), 16, true }, { 0, 0, true } },
	};
	struct local4 l = {
		.n = 1, .ip = { ip4("10.1.0.1") }, .access = &access,
	};

	(void)state;
	assert_true(is_fit("10.1.0.2", &l));
	assert_false(is_fit("10.1.0.1", &l));	/* our own */
	assert_false(is_fit("10.2.0.2", &l));
	assert_false(is_fit("192.168.0.1", &l));
	assert_false(is_fit("172.16.0.1", &l));
	access.rule[0].allow = false;
	assert_false(is_fit("10.1.0.2", &l));
	access.rule[0].allow = true;
	access.rule[0].ip = ip4("172.16.0.0");
	access.rule[0].bits = 12;
	assert_true(is_fit("172.31.0.2", &l));
	access.rule[0].bits = 8;
	access.rule[0].ip = ip4("172.0.0.0");
	assert_true(is_fit("172.1.0.2", &l));
	assert_false(is_fit("172.31.0.2", &l));
	access.rule[0].ip = ip4("127.0.0.0");
	assert_false(is_fit("127.0.0.1", &l));
}

/* A-V4G-10, SEC-LOOP-01, A-ADDR-07 */
static void our_own_and_broadcast_endpoints_are_not_acceptable(void **state)
{
	struct local4 l = {
		.n = 2,
		.ip = { ip4("192.0.2.1"), ip4("192.0.2.255"),
			ip4("192.0.2.9") },
	};

	(void)state;
	assert_true(local4_has(&l, ip4("192.0.2.255")));
	assert_false(local4_has(&l, ip4("192.0.2.9")));	/* beyond n */
	assert_false(ep_is_acceptable(ep4("192.0.2.1", 9), &l));
	assert_false(ep_is_acceptable(ep4("192.0.2.255", 9), &l));
	assert_true(ep_is_acceptable(ep4("192.0.2.2", 9), &l));
	assert_false(ep_is_acceptable(ep4("192.0.2.2", 0), &l));
	assert_false(ep_is_acceptable(ep4("10.0.0.1", 9), &l));
	assert_false(ep_is_acceptable(ep4("224.0.0.1", 9), &l));
	l.n = 0;
	assert_true(ep_is_acceptable(ep4("192.0.2.1", 9), &l));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_the_rfcs_are_composed),
		cmocka_unit_test(the_vectors_of_the_rfcs_are_read),
		cmocka_unit_test(a_server_listens_at_port_3544),
		cmocka_unit_test(a_link_local_address_embeds_the_endpoint),
		cmocka_unit_test(no_flag_pattern_changes_what_is_read),
		cmocka_unit_test(only_the_prefix_itself_is_in_the_prefix),
		cmocka_unit_test(every_bit_of_an_address_counts),
		cmocka_unit_test(scopes_of_ipv6_addresses_are_told_apart),
		cmocka_unit_test(well_known_groups_are_exact),
		cmocka_unit_test(each_of_many_own_addresses_is_known),
		cmocka_unit_test(
			our_own_address_is_seen_in_addresses_of_other_tunnels),
		cmocka_unit_test(
			ipv4_addresses_that_are_not_global_are_refused),
		cmocka_unit_test(the_rule_with_the_longest_prefix_decides),
		cmocka_unit_test(private_space_is_fit_by_a_rule_of_its_own),
		cmocka_unit_test(
			our_own_and_broadcast_endpoints_are_not_acceptable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
