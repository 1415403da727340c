/*
 * test_netconf.c - addresses, routes and links in a namespace of our own
 *
 * What netconf did is read back from /proc/net, not by netconf.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../libtun6/netconf.h"
#include "../../libtun6/tun6.h"
#include "netns.h"

static bool can_tun;

static const uint8_t link_local[16] = { 0xfe, 0x80, 0, 0,    0,	   0,
					0,    0,    0, 0,    0xff, 0xff,
					0xff, 0xff, 0xff, 0xff };
static const uint8_t anywhere[16];

struct world {
	struct netconf *nc;
	int tun, ifindex;
	char ifname[IF_NAMESIZE];
};

static int setup(void **state)
{
	static struct world w;

	*state = &w;
	if (!can_tun)
		return 0;
	if (netconf_open(&w.nc) < 0)
		return -1;
	w.tun = tun6_open("teredo", w.ifname, &(bool){false});
	w.ifindex = netconf_index(w.nc, "teredo");
	return w.tun >= 0 && w.ifindex > 0 ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *w = *state;

	if (!can_tun)
		return 0;
	close(w->tun);
	netconf_close(w->nc);
	return 0;
}

static struct world *need(void **state)
{
	if (!can_tun)
		skip();		/* main() said why */
	return *state;
}

static void command(const char *line)
{
	if (system(line) != 0)
		fail_msg("failed: %s", line);
}

/* Addresses of the interface; scope 0 global, 0x20 link; last one in addr. */
static unsigned addresses(unsigned scope, uint8_t addr[16])
{
	FILE *f = fopen("/proc/net/if_inet6", "r");
	char hex[33], name[IF_NAMESIZE];
	unsigned i, len, s, flags, n = 0;

	assert_non_null(f);
	while (fscanf(f, "%32s %x %x %x %x %15s", hex, &i, &len, &s, &flags,
		      name) == 6) {
		if (strcmp(name, "teredo") != 0 || s != scope)
			continue;
		n++;
		assert_int_equal(flags & 0x40, 0);	/* not tentative */
		for (i = 0; i < 16 && addr != NULL; i++) {
			unsigned octet;

			assert_int_equal(sscanf(hex + 2 * i, "%2x", &octet),
					 1);
			addr[i] = (uint8_t)octet;
		}
	}
	fclose(f);
	return n;
}

static bool has_route(const char *prefix32hex, unsigned len, unsigned metric)
{
	FILE *f = fopen("/proc/net/ipv6_route", "r");
	char line[256], name[IF_NAMESIZE], dst[33];
	bool found = false;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		unsigned plen, m;

		if (sscanf(line, "%32s %x %*s %*s %*s %x %*s %*s %*s %15s",
			   dst, &plen, &m, name) == 4 &&
		    strcmp(name, "teredo") == 0 && plen == len && m == metric &&
		    strncmp(dst, prefix32hex, 8) == 0)
			found = true;
	}
	fclose(f);
	return found;
}

static void a_quiet_interface_has_no_address_of_its_own(void **state)
{
	struct world *w = need(state);
	char value[8] = "";
	FILE *f;

	assert_int_equal(netconf_quiet(w->nc, "teredo"), 0);
	assert_int_equal(netconf_set_link(w->nc, w->ifindex, true), 0);
	assert_int_equal(netconf_is_up(w->nc, w->ifindex), 1);
	assert_int_equal(addresses(0x20, NULL), 0);
	f = fopen("/proc/sys/net/ipv6/conf/teredo/accept_ra", "r");
	assert_non_null(f);
	assert_non_null(fgets(value, sizeof(value), f));
	assert_string_equal(value, "0\n");
	fclose(f);
	assert_int_equal(netconf_quiet(w->nc, "nosuch"), -ENOENT);
	assert_int_equal(netconf_quiet(w->nc, "../lo"), -EINVAL);
}

static void there_is_one_global_address_however_often_it_changes(void **state)
{
	struct world *w = need(state);
	uint8_t addr[16] = { 0x20, 1, 0, 0, 192, 0, 2, 1 }, seen[16];

	netconf_quiet(w->nc, "teredo");
	netconf_set_link(w->nc, w->ifindex, true);
	assert_int_equal(
		netconf_add_address(w->nc, w->ifindex, link_local, 64), 0);
	for (uint8_t i = 1; i <= 20; i++) {
		addr[15] = i;
		assert_int_equal(netconf_replace_address(w->nc, w->ifindex,
							 addr, 32), 0);
		assert_int_equal(addresses(0, seen), 1);
		assert_memory_equal(seen, addr, 16);
	}
	assert_int_equal(netconf_flush_global(w->nc, w->ifindex), 0);
	assert_int_equal(addresses(0, NULL), 0);
	assert_int_equal(addresses(0x20, seen), 1);
	assert_memory_equal(seen, link_local, 16);
}

static int put_all(struct world *w)
{
	const uint8_t addr[16] = { 0x20, 1, 0, 0, 192, 0, 2, 1 };
	int err = netconf_set_mtu(w->nc, w->ifindex, 1280);

	if (err == 0)
		err = netconf_add_address(w->nc, w->ifindex, link_local, 64);
	if (err == 0)
		err = netconf_replace_address(w->nc, w->ifindex, addr, 32);
	if (err == 0)
		err = netconf_add_route(w->nc, w->ifindex, anywhere, 0, 1029);
	return err;
}

static void what_is_there_already_is_no_error_and_no_notice(void **state)
{
	struct world *w = need(state);
	int fd = netconf_watch(w->nc);

	assert_true(fd >= 0);
	netconf_quiet(w->nc, "teredo");
	assert_int_equal(netconf_set_link(w->nc, w->ifindex, true), 0);
	assert_int_equal(put_all(w), 0);
	assert_int_equal(netconf_changed(w->nc, w->ifindex),
			 NETCONF_CHANGED_LINK);
	assert_int_equal(put_all(w), 0);
	assert_int_equal(netconf_changed(w->nc, w->ifindex), 0);
}

static void routes_come_and_go(void **state)
{
	struct world *w = need(state);
	const uint8_t prefix[16] = { 0x20, 1 };

	netconf_set_link(w->nc, w->ifindex, true);
	assert_int_equal(
		netconf_add_route(w->nc, w->ifindex, anywhere, 0, 1029), 0);
	assert_int_equal(
		netconf_add_route(w->nc, w->ifindex, prefix, 32, 1024), 0);
	assert_true(has_route("00000000", 0, 1029));
	assert_true(has_route("20010000", 32, 1024));
	assert_int_equal(
		netconf_del_route(w->nc, w->ifindex, anywhere, 0, 1029), 0);
	assert_false(has_route("00000000", 0, 1029));
	assert_int_equal(	/* not there: no error */
		netconf_del_route(w->nc, w->ifindex, anywhere, 0, 1029), 0);
}

/* When others fill the kernel's table of neighbours, ours stays: a permanent
 * one is not counted. Also if the kernel had made one before. */
static void the_gateway_is_a_permanent_neighbour(void **state)
{
	struct world *w = need(state);
	const uint8_t prefix[16] = { 0x20, 1 };

	netconf_set_link(w->nc, w->ifindex, true);
	command("ip neigh add fe80::1 dev teredo nud noarp");
	assert_int_equal(
		netconf_add_route(w->nc, w->ifindex, prefix, 32, 1024), 0);
	command("ip -6 neigh show fe80::1 dev teredo nud permanent | grep -q .");
	netconf_set_link(w->nc, w->ifindex, false);
	netconf_set_link(w->nc, w->ifindex, true);
	assert_int_equal(
		netconf_add_route(w->nc, w->ifindex, prefix, 32, 1024), 0);
	command("ip -6 neigh show fe80::1 dev teredo nud permanent | grep -q .");
}

/* The kernel has one table of neighbours for all links: whoever scans Teredo
 * addresses through us must not fill it. */
static void a_thousand_destinations_are_no_neighbours(void **state)
{
	struct world *w = need(state);
	const uint8_t addr[16] = { 0x20, 1, 0, 0, 192, 0, 2, 1 };
	const uint8_t prefix[16] = { 0x20, 1 };
	struct sockaddr_in6 to = { .sin6_family = AF_INET6,
				   .sin6_port = htons(9) };
	int sock = socket(AF_INET6, SOCK_DGRAM, 0);
	FILE *f;
	char line[128];
	unsigned n = 0;

	netconf_set_link(w->nc, w->ifindex, true);
	netconf_replace_address(w->nc, w->ifindex, addr, 32);
	assert_int_equal(
		netconf_add_route(w->nc, w->ifindex, prefix, 32, 1024), 0);
	memcpy(&to.sin6_addr, addr, 16);
	/* Where others have filled the table, these may all fail. */
	for (unsigned i = 2; i < 1002; i++) {
		to.sin6_addr.s6_addr[14] = (uint8_t)(i >> 8);
		to.sin6_addr.s6_addr[15] = (uint8_t)i;
		(void)!sendto(sock, "", 1, 0, (void *)&to, sizeof(to));
	}
	close(sock);
	f = popen("ip -6 neigh show dev teredo nud all", "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += strncmp(line, "2001:", 5) == 0;
	pclose(f);
	assert_int_equal(n, 0);
}

static void the_mtu_is_set_or_refused(void **state)
{
	struct world *w = need(state);

	assert_int_equal(netconf_set_mtu(w->nc, w->ifindex, 1280), 0);
	assert_int_equal(netconf_set_mtu(w->nc, w->ifindex, 10000000), -EINVAL);
}

static void what_happens_to_the_interface_is_noticed(void **state)
{
	struct world *w = need(state);

	assert_true(netconf_watch(w->nc) >= 0);
	netconf_set_link(w->nc, w->ifindex, true);
	put_all(w);
	netconf_changed(w->nc, w->ifindex);

	command("ip addr flush dev teredo scope global");
	assert_int_equal(netconf_changed(w->nc, w->ifindex),
			 NETCONF_CHANGED_LINK);
	command("ip -6 route flush dev teredo");
	assert_int_equal(netconf_changed(w->nc, w->ifindex),
			 NETCONF_CHANGED_LINK);
	command("ip link set teredo down");
	assert_true(netconf_changed(w->nc, w->ifindex) &
		    NETCONF_CHANGED_LINK);
	assert_int_equal(netconf_is_up(w->nc, w->ifindex), 0);
	command("ip link del teredo");
	assert_true(netconf_changed(w->nc, w->ifindex) & NETCONF_LINK_GONE);
	assert_int_equal(netconf_is_up(w->nc, w->ifindex), -ENODEV);
}

static bool host_has4(const struct netconf_host *host, const char *ip)
{
	for (unsigned i = 0; i < host->n4; i++)
		if (host->ip4[i] == inet_addr(ip))
			return true;
	return false;
}

static void the_host_is_all_but_the_tunnel(void **state)
{
	struct world *w = need(state);
	struct netconf_host host;
	const uint8_t native[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
	char list[200];

	put_all(w);
	command("ip link add d0 type veth peer d1");
	command("ip addr add 192.0.2.9/24 dev d0");
	command("ip addr add 198.51.100.4/31 dev d0");
	command("ip addr add 2001:db8::1/64 dev d0 nodad");
	command("ip link set d0 up");
	assert_int_equal(netconf_host(w->nc, w->ifindex, &host), 0);
	assert_int_equal(host.n4, 3);
	assert_true(host_has4(&host, "192.0.2.9"));
	assert_true(host_has4(&host, "192.0.2.255"));
	assert_true(host_has4(&host, "198.51.100.4"));
	assert_int_equal(host.n6, 1);
	assert_memory_equal(host.addr6[0], native, 16);
	assert_int_equal(host.nets, 2);
	assert_int_equal(host.net[0].ip, inet_addr("192.0.2.9"));
	assert_int_equal(host.net[0].mask, inet_addr("255.255.255.0"));
	assert_int_equal(host.net[0].ifindex, netconf_index(w->nc, "d0"));
	assert_int_equal(host.net[1].mask, inet_addr("255.255.255.254"));
	netconf_list_ip4(w->nc, list, sizeof(list));
	assert_string_equal(list,
			    "127.0.0.1 lo, 192.0.2.9 d0, 198.51.100.4 d0");
	netconf_list_ip4(w->nc, list, 20);	/* short: cut, not overrun */
	assert_string_equal(list, "127.0.0.1 lo, 192.0");
	command("ip link del d0");
}

/* A server in a data centre may have hundreds. */
static void all_of_hundreds_of_addresses_are_found(void **state)
{
	struct world *w = need(state);
	static struct netconf_host host;

	command("ip link add d0 type veth peer name d1");
	command("for i in $(seq 200); do for n in 0 1 2 3 4; do "
		"echo addr add 198.18.$n.$i/24 dev d0; done; done | ip -b -");
	assert_int_equal(netconf_host(w->nc, w->ifindex, &host), 0);
	assert_int_equal(host.n4, 2000);	/* and their broadcasts */
	assert_true(host_has4(&host, "198.18.4.200"));
	command("ip link del d0");
}

/* C-LCD-01: of the default route, or what the administrator says */
static void packets_to_a_group_leave_by_one_link(void **state)
{
	struct world *w = need(state);
	uint32_t group = inet_addr("224.0.0.253");

	assert_int_equal(netconf_out(w->nc, group), 0);
	command("ip link add d0 type veth peer name d1");
	command("ip link set d1 up && ip link set d0 up");
	command("ip addr add 192.0.2.9/24 dev d0");
	command("ip route add default via 192.0.2.1");
	assert_int_equal(netconf_out(w->nc, group),
			 netconf_index(w->nc, "d0"));
	command("ip addr add 198.51.100.9/24 dev d1");
	command("ip route add 224.0.0.0/4 dev d1");
	assert_int_equal(netconf_out(w->nc, group),
			 netconf_index(w->nc, "d1"));
	command("ip link del d0");
	assert_int_equal(netconf_out(w->nc, group), 0);
}

static void the_way_changes_with_gateway_link_and_source(void **state)
{
	struct world *w = need(state);
	uint32_t ip = inet_addr("203.0.113.7");
	uint64_t way[5];

	assert_true(netconf_watch(w->nc) >= 0);
	assert_int_equal(netconf_way(w->nc, ip), 0);
	command("ip link add d0 type veth peer d1");
	command("ip link set d1 up && ip link set d0 up");
	command("ip addr add 192.0.2.9/24 dev d0");
	netconf_changed(w->nc, w->ifindex);
	command("ip route add default via 192.0.2.1");
	assert_true(netconf_changed(w->nc, w->ifindex) & NETCONF_CHANGED_IP4);
	way[0] = netconf_way(w->nc, ip);
	assert_int_equal(way[0], netconf_way(w->nc, ip));
	command("ip route replace default via 192.0.2.2");
	way[1] = netconf_way(w->nc, ip);
	command("ip route replace default via 192.0.2.2 src 192.0.2.9");
	assert_int_equal(way[1], netconf_way(w->nc, ip));	/* the same */
	command("ip addr add 192.0.2.10/24 dev d0");
	command("ip route replace default via 192.0.2.2 src 192.0.2.10");
	way[2] = netconf_way(w->nc, ip);
	netconf_changed(w->nc, w->ifindex);
	command("ip link set d0 down");
	assert_true(netconf_changed(w->nc, w->ifindex) & NETCONF_CHANGED_IP4);
	way[3] = netconf_way(w->nc, ip);
	assert_int_not_equal(way[0], way[1]);
	assert_int_not_equal(way[1], way[2]);
	assert_int_not_equal(way[2], way[3]);
	assert_int_equal(way[3], 0);
	command("ip link del d0");
}

/* A-SUN-01: what counts as IPv6 by other means, and that each change of it is
 * noticed. */
static void native_ipv6_is_an_address_and_a_way_out(void **state)
{
	struct world *w = need(state);
	const uint32_t teredo = htonl(0x20010000);
	static const struct {
		const char *line;
		bool native;
	} step[] = {
		{ "ip -6 route add default via fe80::1 dev d0", false },
		{ "ip addr add fd00::2/64 dev d0 nodad", false },
		{ "ip addr add 2001:0:c000:201::1/32 dev d0 nodad", false },
		{ "ip addr add 2001:db8::2/64 dev d0 nodad", true },
		{ "ip -6 route del default", false },
		{ "ip -6 route add 2001:db8:7::/48 via fe80::1 dev d0", false },
		{ "ip -6 route add 2000::/3 via fe80::1 dev d0", true },
		{ "ip -6 route del 2000::/3", false },
		{ "ip -6 route add default dev teredo metric 1", false },
		{ "ip -6 route add default via fe80::1 dev d0 metric 3000",
		  true },
		{ "ip addr change 2001:db8::2/64 dev d0 preferred_lft 0",
		  false },
		{ "ip addr change 2001:db8::2/64 dev d0 preferred_lft forever",
		  true },
		{ "ip link set d1 down", false },
		{ "ip link set d1 up", true },
		{ "ip addr del 2001:db8::2/64 dev d0", false },
	};

	assert_true(netconf_watch(w->nc) >= 0);
	command("ip link set teredo up");
	command("ip link add d0 type veth peer d1");
	command("ip link set d1 up && ip link set d0 up");
	assert_int_equal(netconf_native(w->nc, w->ifindex, teredo), 0);
	netconf_changed(w->nc, w->ifindex);
	for (unsigned i = 0; i < sizeof(step) / sizeof(*step); i++) {
		int found;

		command(step[i].line);
		found = netconf_native(w->nc, w->ifindex, teredo);
		if ((found != 0) != step[i].native)
			fail_msg("%s: %d", step[i].line, found);
		if (found != 0)
			assert_int_equal(found, if_nametoindex("d0"));
		if (step[i].native || (i > 0 && step[i - 1].native))
			assert_true(netconf_changed(w->nc, w->ifindex) &
				    (NETCONF_CHANGED_IP6 |
				     NETCONF_CHANGED_IP4));
	}
	command("ip link del d0");
}

/* A-SUN-01: of Teredo interfaces only a relay's, not a client's, and not ours;
 * a route of that kind by something else is somebody's announcement. */
static void a_relay_beside_us_is_a_tun_with_the_prefix(void **state)
{
	struct world *w = *state;
	const uint32_t teredo = htonl(0x20010000);
	static const struct {
		const char *line;
		bool relay;
	} step[] = {
		{ "ip tuntap add other mode tun && ip link set other up", false },
		{ "ip -6 route add default dev other", false },
		{ "ip -6 route add 2001::/32 dev other metric 256", false },
		{ "ip -6 route add 2001::/32 dev other metric 16", false },
		{ "ip -6 route flush dev other", false },
		{ "ip -6 route add 2001::/32 dev other", true },
		{ "ip -6 route add 2001::/32 dev teredo metric 16", true },
		{ "ip link set other down", false },
		{ "ip -6 route add 2001::/32 dev teredo", false },
		{ "ip -6 route del 2001::/32 dev teredo metric 1024 &&"
		  " ip link add d0 type veth peer d1 && ip link set d0 up &&"
		  " ip link set d1 up && ip -6 route add 2001::/32 dev d0",
		  false },
	};

	command("ip link set teredo up");
	for (unsigned i = 0; i < sizeof(step) / sizeof(*step); i++) {
		int found;

		command(step[i].line);
		found = netconf_relay(w->nc, w->ifindex, teredo, 1024);
		if (found != (step[i].relay ? (int)if_nametoindex("other") : 0))
			fail_msg("%s: %d", step[i].line, found);
	}
	command("ip link del other && ip link del d0");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_quiet_interface_has_no_address_of_its_own),
		T(there_is_one_global_address_however_often_it_changes),
		T(what_is_there_already_is_no_error_and_no_notice),
		T(routes_come_and_go),
		T(the_gateway_is_a_permanent_neighbour),
		T(a_thousand_destinations_are_no_neighbours),
		T(the_mtu_is_set_or_refused),
		T(what_happens_to_the_interface_is_noticed),
		T(the_host_is_all_but_the_tunnel),
		T(all_of_hundreds_of_addresses_are_found),
		T(packets_to_a_group_leave_by_one_link),
		T(the_way_changes_with_gateway_link_and_source),
		T(native_ipv6_is_an_address_and_a_way_out),
		T(a_relay_beside_us_is_a_tun_with_the_prefix),
	};

	can_tun = netns_enter();
	if (can_tun && access("/dev/net/tun", R_OK | W_OK) != 0) {
		perror("# /dev/net/tun");
		can_tun = false;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
