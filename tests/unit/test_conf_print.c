/*
 * test_conf_print.c - the configuration: what is printed, and later directives
 */
#include "config.h"

#include "conf_testing.h"

static void assert_prints(enum conf_program program, const char *text,
			  const char *printed)
{
	struct parsed p;
	char out[1024] = "", again[1024] = "";
	FILE *f = fmemopen(out, sizeof(out), "w");

	test_parse_named(&p, program, text, NULL);
	assert_int_equal(p.errors, 0);
	conf_print(&p.conf, false, f);
	fclose(f);
	assert_string_equal(out, printed);

	test_parse_named(&p, program, out, NULL);
	assert_string_equal(p.said, "");
	f = fmemopen(again, sizeof(again), "w");
	conf_print(&p.conf, false, f);
	fclose(f);
	assert_string_equal(again, out);
}

static void what_is_printed_reads_the_same(void **state)
{
	(void)state;
	assert_prints(CONF_MIREDO,
		      "ServerAddress = {a.example, b.example}\n"
		      "ServerAddress2 c.example\nBindPort 0x10\n",
		      "RelayType client\nInterfaceName teredo\n"
		      "ServerAddress a.example\nServerAddress b.example\n"
		      "ServerAddress2 c.example\nBindAddress 0.0.0.0\n"
		      "BindPort 16\nRefreshInterval 30\n"
		      "LocalDiscovery enabled\n"
		      "InboundFirewall disabled\n"
		      "NativeIPv6 relay\nMaxPeers 4096\n"
		      "DataPath auto\n"
		      "SyslogFacility daemon\n");
	assert_prints(CONF_MIREDO,
		      "ServerAddress a.example\nRefreshInterval AUTO\n",
		      "RelayType client\nInterfaceName teredo\n"
		      "ServerAddress a.example\nBindAddress 0.0.0.0\n"
		      "BindPort 0\nRefreshInterval auto\n"
		      "LocalDiscovery enabled\n"
		      "InboundFirewall disabled\n"
		      "NativeIPv6 relay\nMaxPeers 4096\n"
		      "DataPath auto\n"
		      "SyslogFacility daemon\n");
	assert_prints(CONF_MIREDO,
		      "RelayType restricted\nRelayScope host\n"
		      "BindAddress 10.0.0.1\n"
		      "SyslogFacility security\n",
		      "RelayType restricted\nInterfaceName miredo0\n"
		      "RelayScope host\nPrefix 2001::/32\n"
		      "InterfaceMTU 1280\nBindAddress 10.0.0.1\n"
		      "BindPort 0\nMaxPeers 65536\n"
		      "DataPath auto\n"
		      "SyslogFacility auth\n");
	/* S-GEN-07: the next address, with carry */
	assert_prints(CONF_MIREDO_SERVER,
		      "ServerBindAddress 192.0.2.255\n"
		      "InterfaceMTU 1400\n",
		      "RelayType server\nServerBindAddress 192.0.2.255\n"
		      "ServerBindAddress2 192.0.3.0\nPrefix 2001::/32\n"
		      "InterfaceMTU 1400\nDataPath auto\n"
		      "SyslogFacility daemon\n");
	assert_prints(CONF_MIREDO_SERVER,
		      "ServerBindAddress 10.0.0.1\n"
		      "ServerBindAddress2 none\n"
		      "ServerPublicAddress a.example\n",
		      "RelayType server\nServerBindAddress 10.0.0.1\n"
		      "ServerBindAddress2 none\n"
		      "ServerPublicAddress a.example\nPrefix 2001::/32\n"
		      "InterfaceMTU 1280\nDataPath auto\n"
		      "SyslogFacility daemon\n");
}

/* A-SUN-01, A-SUN-03, A-SUN-04 */
static void dormancy_and_its_date_are_configured(void **state)
{
	struct parsed p;

	(void)state;
	test_parse(&p, "ServerAddress a.example\n");
	assert_int_equal(p.conf.native, CONF_NATIVE_RELAY);
	test_parse(&p, "ServerAddress a.example\nNativeIPv6 sleep\n");
	assert_int_equal(p.conf.native, CONF_NATIVE_SLEEP);
	test_parse(&p, "ServerAddress a.example\nNativeIPv6 = ignore\n");
	assert_int_equal(p.conf.native, CONF_NATIVE_IGNORE);
	test_parse(&p, "RelayType relay\nSunsetDate 1970-02-01\n");
	assert_int_equal(p.errors, 0);
	assert_int_equal(p.conf.sunset, 31);
	assert_prints(CONF_MIREDO_SERVER,
		      "ServerBindAddress 192.0.2.1\n"
		      "SunsetDate 2028-02-29\n",
		      "RelayType server\nServerBindAddress 192.0.2.1\n"
		      "ServerBindAddress2 192.0.2.2\nPrefix 2001::/32\n"
		      "InterfaceMTU 1280\nSunsetDate 2028-02-29\n"
		      "DataPath auto\n"
		      "SyslogFacility daemon\n");
	assert_prints(CONF_MIREDO_SERVER,	/* R-SRV-01 */
		      "RelayType server-relay\n"
		      "ServerBindAddress 192.0.2.1\n",
		      "RelayType server-relay\nInterfaceName miredo0\n"
		      "ServerBindAddress 192.0.2.1\n"
		      "ServerBindAddress2 192.0.2.2\nPrefix 2001::/32\n"
		      "InterfaceMTU 1280\nMaxPeers 65536\n"
		      "DataPath auto\n"
		      "SyslogFacility daemon\n");
	assert_first(&p, "ServerAddress a.example\nNativeIPv6 no\n",
		     "f:2:12: error: unknown NativeIPv6 \"no\"");
	assert_first(&p, "RelayType relay\nSunsetDate 2027-02-29\n",
		     "f:2:12: error: SunsetDate \"2027-02-29\" is not a date");
	assert_first(&p, "RelayType relay\nSunsetDate 2027-1-1\n",
		     "f:2:12: error: SunsetDate \"2027-1-1\" is not a date");
}

static void the_data_path_is_chosen(void **state)
{
	struct parsed p;

	(void)state;
	test_parse(&p, "ServerAddress a.example\n");
	assert_int_equal(p.conf.datapath, CONF_DATAPATH_AUTO);
	test_parse(&p, "RelayType relay\nDataPath = offload\n");
	assert_int_equal(p.conf.datapath, CONF_DATAPATH_OFFLOAD);
	assert_prints(CONF_MIREDO_SERVER,
		      "ServerBindAddress 192.0.2.1\nDataPath Plain\n",
		      "RelayType server\nServerBindAddress 192.0.2.1\n"
		      "ServerBindAddress2 192.0.2.2\nPrefix 2001::/32\n"
		      "InterfaceMTU 1280\nDataPath plain\n"
		      "SyslogFacility daemon\n");
	assert_first(&p, "RelayType relay\nDataPath fast\n",
		     "f:2:10: error: unknown DataPath \"fast\"");
}

/* Each value with the line that counts; what is printed stays one to read. */
static void the_origin_of_each_value_is_told(void **state)
{
	struct parsed p;
	char out[2048] = "";
	FILE *f = fmemopen(out, sizeof(out), "w");

	(void)state;
	test_parse_named(&p, CONF_MIREDO,
			 "# mine\nServerAddress a.example\n"
			 "BindPort 4444\nBindPort 4445\n"
			 "ServerAddress b.example\nPeerDeny 192.0.2.0/24\n"
			 "InboundAllow tcp/22\nInboundFirewall enabled\n"
			 "InboundAllow any@2001:db8:1234:5678:9abc:def0::/96\n",
			 NULL);
	assert_int_equal(p.errors, 0);
	conf_print(&p.conf, true, f);
	fclose(f);
	assert_string_equal(out,
		"RelayType client                         # default\n"
		"InterfaceName teredo                     # default\n"
		"ServerAddress a.example                  # f:2\n"
		"ServerAddress b.example                  # f:5\n"
		"BindAddress 0.0.0.0                      # default\n"
		"BindPort 4444                            # f:3\n"
		"RefreshInterval 30                       # default\n"
		"LocalDiscovery enabled                   # default\n"
		"InboundFirewall enabled                  # f:8\n"
		"InboundAllow tcp/22                      # f:7\n"
		"InboundAllow any@2001:db8:1234:5678:9abc:def0::/96 # f:9\n"
		"NativeIPv6 relay                         # default\n"
		"PeerDeny 192.0.2.0/24                    # f:6\n"
		"MaxPeers 4096                            # default\n"
		"DataPath auto                            # default\n"
		"SyslogFacility daemon                    # default\n");
	test_parse_named(&p, CONF_MIREDO, out, NULL);
	assert_int_equal(p.errors, 0);
	assert_int_equal(p.conf.bind_port, 4444);
	assert_int_equal(p.conf.n_inbound, 2);
}

static void who_may_come_in_is_printed_as_it_was_read(void **state)
{
	(void)state;
	assert_prints(CONF_MIREDO,
		      "ServerAddress a.example\nInboundFirewall enabled\n"
		      "InboundAllow tcp/22\n"
		      "InboundAllow = {UDP/5060-5061@2001:DB8::/32, "
		      "any@2001:db8::1}\nInboundAllow tcp/1-65535\n",
		      "RelayType client\nInterfaceName teredo\n"
		      "ServerAddress a.example\nBindAddress 0.0.0.0\n"
		      "BindPort 0\nRefreshInterval 30\n"
		      "LocalDiscovery enabled\nInboundFirewall enabled\n"
		      "InboundAllow tcp/22\n"
		      "InboundAllow udp/5060-5061@2001:db8::/32\n"
		      "InboundAllow any@2001:db8::1/128\n"
		      "InboundAllow tcp/1-65535\n"
		      "NativeIPv6 relay\nMaxPeers 4096\n"
		      "DataPath auto\nSyslogFacility daemon\n");
}

static void what_is_no_service_or_source_is_refused(void **state)
{
	static const char *const bad[] = {
		"tcp", "tcp/", "tcp/0", "tcp/65536", "tcp/2-1", "tcp/22-",
		"22", "icmp/1", "any", "any@", "any@2001:db8::/0",
		"any@2001:db8::/129", "any@192.0.2.1", "tcp/22@",
		"tcp/22x", "tcp/22@2001:db8::/32x", "any2001:db8::1",
		"tcp/22@2001:db8::1;drop", "",
	};
	const char *begin = "ServerAddress a.example\n"
			    "InboundFirewall enabled\n";
	struct parsed p;
	char text[128], said[128];

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		sprintf(text, "%sInboundAllow \"%s\"\n", begin, bad[i]);
		sprintf(said, "f:3:15: error: InboundAllow \"%s\" is no "
			      "service or no source", bad[i]);
		assert_first(&p, text, said);
	}
	assert_first(&p, "ServerAddress a.example\nInboundAllow tcp/22\n",
		     "f:2:1: error: InboundAllow needs InboundFirewall "
		     "enabled");
	assert_first(&p, "ServerAddress a.example\nInterfaceName a\"b\n"
			 "InboundFirewall enabled\n",
		     "f:3:1: error: InboundFirewall needs a plain "
		     "InterfaceName");
	assert_first(&p, "RelayType relay\nInboundFirewall enabled\n",
		     "f:2:1: warning: InboundFirewall has no effect in a relay");
}

static void peers_are_allowed_and_denied_by_prefix(void **state)
{
	char text[2048] = "ServerAddress a.example\n";
	struct parsed p;

	(void)state;
	assert_silent(&p, "ServerAddress a.example\n");
	assert_int_equal(p.conf.n_access, 0);
	assert_prints(CONF_MIREDO,
		      "RelayType relay\nPeerDeny 0.0.0.0/0\n"
		      "PeerAllow = {10.1.0.0/16, 192.0.2.1}\n",
		      "RelayType relay\nInterfaceName miredo0\n"
		      "RelayScope router\nPrefix 2001::/32\n"
		      "InterfaceMTU 1280\nBindAddress 0.0.0.0\nBindPort 0\n"
		      "PeerDeny 0.0.0.0/0\nPeerAllow 10.1.0.0/16\n"
		      "PeerAllow 192.0.2.1/32\nMaxPeers 65536\n"
		      "DataPath auto\nSyslogFacility daemon\n");
	assert_prints(CONF_MIREDO_SERVER,
		      "RelayType server-relay\nPeerDeny 198.51.100.7\n"
		      "ServerBindAddress 192.0.2.1\n",
		      "RelayType server-relay\nInterfaceName miredo0\n"
		      "ServerBindAddress 192.0.2.1\n"
		      "ServerBindAddress2 192.0.2.2\nPrefix 2001::/32\n"
		      "InterfaceMTU 1280\nPeerDeny 198.51.100.7/32\n"
		      "MaxPeers 65536\nDataPath auto\n"
		      "SyslogFacility daemon\n");
	assert_silent(&p, "RelayType server\nServerBindAddress 192.0.2.1\n"
			  "PeerAllow 10.0.0.0/8\n");
	assert_int_equal(p.conf.n_access, 1);
	for (unsigned i = 0; i < 33; i++)
		sprintf(text + strlen(text), "PeerDeny 192.0.2.%u\n", i);
	assert_first(&p, text,
		     "f:34:10: error: more than 32 PeerAllow and PeerDeny");
}

static void wrong_prefixes_of_peers_are_refused(void **state)
{
	static const char *const bad[] = {
		"192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/ 8",
		"192.0.2.0/024", "192.0.2/24", "a.example", "2001:db8::/32",
		"192.0.2.0/24x", "192.0.2.0/2x",
	};
	static const char *const nobody[] = {
		"127.0.0.0/8", "0.0.0.0/8", "224.0.0.0/4", "169.254.0.0/16",
		"240.0.0.0/4",
	};
	struct parsed p;
	char text[128], said[128];

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		sprintf(text, "RelayType relay\nPeerDeny \"%s\"\n", bad[i]);
		sprintf(said, "f:2:11: error: PeerDeny \"%s\" is not an IPv4 "
			      "prefix", bad[i]);
		assert_first(&p, text, said);
	}
	for (unsigned i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
		sprintf(text, "RelayType relay\nPeerAllow %s\n", nobody[i]);
		sprintf(said, "f:2:11: error: nobody can be at %s", nobody[i]);
		assert_first(&p, text, said);
	}
	assert_first(&p, "RelayType relay\nPeerAllow 10.0.0.1/8\n",
		     "f:2:11: error: PeerAllow 10.0.0.1/8 has bits behind the "
		     "first 8");
	assert_first(&p, "RelayType relay\nPeerAllow 10.0.0.0/8\n"
			 "PeerDeny 10.0.0.0/8\n",
		     "f:3:10: error: 10.0.0.0/8 is both allowed and denied");
}

/* R-GEN-04 */
static void the_number_of_peers_is_limited(void **state)
{
	struct parsed p;

	(void)state;
	test_parse(&p, "ServerAddress a.example\n");
	assert_int_equal(p.conf.max_peers, 4096);
	test_parse(&p, "RelayType relay\n");
	assert_int_equal(p.conf.max_peers, 65536);
	assert_silent(&p, "RelayType relay\nMaxPeers 16777216\n");
	assert_int_equal(p.conf.max_peers, 1 << 24);
	assert_silent(&p, "ServerAddress a.example\nMaxPeers 64\n");
	assert_int_equal(p.conf.max_peers, 64);
	assert_first(&p, "RelayType relay\nMaxPeers 63\n",
		     "f:2:10: error: MaxPeers 63 is out of range 64-16777216");
	assert_first(&p, "RelayType relay\nMaxPeers 16777217\n",
		     "f:2:10: error: MaxPeers 16777217 is out of range "
		     "64-16777216");
	assert_first(&p, "RelayType server\nServerBindAddress 192.0.2.1\n"
		     "MaxPeers 100\n",
		     "f:3:1: warning: MaxPeers has no effect in a server");
	assert_int_equal(p.conf.max_peers, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_printed_reads_the_same),
		cmocka_unit_test(the_origin_of_each_value_is_told),
		cmocka_unit_test(dormancy_and_its_date_are_configured),
		cmocka_unit_test(the_data_path_is_chosen),
		cmocka_unit_test(who_may_come_in_is_printed_as_it_was_read),
		cmocka_unit_test(what_is_no_service_or_source_is_refused),
		cmocka_unit_test(peers_are_allowed_and_denied_by_prefix),
		cmocka_unit_test(wrong_prefixes_of_peers_are_refused),
		cmocka_unit_test(the_number_of_peers_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
