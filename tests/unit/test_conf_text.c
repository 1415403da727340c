/*
 * test_conf_text.c - the configuration: what values may be, what is said
 */
#include "config.h"

#include "../../libteredo/teredo.h"
#include "conf_testing.h"

/* ---- the form of messages ---- */

static void all_errors_come_in_one_run_with_place_and_caret(void **state)
{
	struct parsed p;

	(void)state;
	test_parse(&p, "RelayType cleint\n"
		       "\n"
		       "BindPort 99999\n"
		       "FooBar 12\n");
	assert_int_equal(p.errors, 3);
	assert_string_equal(
		p.said,
		"f:1:11: error: unknown RelayType \"cleint\"\n"
		"    1 | RelayType cleint\n"
		"      |           ^~~~~~  did you mean \"client\"?  "
		"(client, relay, cone, restricted, server, server-relay)\n"
		"f:3:10: error: BindPort 99999 is out of range 0-65535\n"
		"    3 | BindPort 99999\n"
		"      |          ^~~~~\n"
		"f:4:1: error: unknown directive \"FooBar\"\n"
		"    4 | FooBar 12\n"
		"      | ^~~~~~\n");
}

static void a_caret_stands_right_behind_tabs_and_utf8(void **state)
{
	struct parsed p;

	(void)state;
	test_parse(&p, "\tBindPort\tx # \xc3\xa4\r\n"
		       "\xc3\xa4 = 1\n"
		       "/* \xc3\xa4 */ BindPort y\n"
		       "RelayType relay\n");
	assert_string_equal(p.said,
			    "f:1:11: error: BindPort \"x\" is not a number "
			    "(0-65535)\n"
			    "    1 | \tBindPort\tx # \xc3\xa4\n"
			    "      | \t        \t^\n"
			    "f:2:1: error: unknown directive \"\xc3\xa4\"\n"
			    "    2 | \xc3\xa4 = 1\n"
			    "      | ^\n"
			    "f:3:10: warning: BindPort is set again: the "
			    "value of line 1 is used\n"
			    "    3 | /* \xc3\xa4 */ BindPort y\n"
			    "      |         ^~~~~~~~\n");
	assert_int_equal(p.errors, 2);
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
	struct parsed p;

	(void)state;
	test_parse(&p, "RelayType relay\nInterfaceName \033[2J\n");
	assert_int_equal(p.errors, 1);
	assert_null(strchr(p.said, '\033'));
	assert_non_null(strstr(p.said, "    2 | InterfaceName ?[2J\n"));
}

static void a_long_line_is_not_repeated(void **state)
{
	struct parsed p;
	char text[600];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "RelayType relay\nInterfaceName ", 30);
	text[sizeof(text) - 1] = '\0';
	test_parse(&p, text);
	assert_int_equal(p.errors, 1);
	assert_non_null(strstr(p.said, "f:2:15: error: InterfaceName \"xxx"));
	assert_null(strstr(p.said, "    2 | "));
	assert_non_null(strstr(p.said, "\n      | 1-15 characters"));
}

/* ---- Miredo's syntax ---- */

static void blanks_comments_and_line_ends_may_be_any(void **state)
{
	static const char *const texts[] = {
		"#! /usr/sbin/miredo -f -c\nServerAddress a.example\n",
		"ServerAddress a.example",
		"\r\n\tSERVERADDRESS\t\ta.example \t\r\n",
		"serveraddress a.example\r",
		"ServerAddress a.example # and a comment",
		"ServerAddress a.example #",
		"  # indented\n// slashes\n\f\nServerAddress \"a.example\"\n",
		"/* over\nlines */ ServerAddress 'a.example' // end\n",
		"\xef\xbb\xbfServerAddress a.example\n",
		"ServerAddress=a.example",
		"ServerAddress = a.example#comment",
		"ServerAddress += {'a.example'}//comment",
	};
	struct parsed p;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		assert_silent(&p, texts[i]);
		assert_int_equal(p.conf.n_servers, 1);
		assert_string_equal(p.conf.server[0].name, "a.example");
	}
}

static void what_follows_a_value_is_ignored_but_said(void **state)
{
	struct parsed p;

	(void)state;
	test_parse(&p, "ServerAddress a.example or so \n");
	assert_int_equal(p.errors, 0);
	assert_string_equal(p.said,
			    "f:1:25: warning: what follows the value is "
			    "ignored\n"
			    "    1 | ServerAddress a.example or so \n"
			    "      |                         ^~~~~  for a "
			    "comment, write #\n");
}

struct wrong {
	const char *text, *said;
};

/* Each text gives this first error; a second directive is still read. */
static void assert_wrong(const struct wrong *wrong, size_t n)
{
	struct parsed p;
	char text[256];

	for (size_t i = 0; i < n; i++) {
		assert_first(&p, wrong[i].text, wrong[i].said);
		snprintf(text, sizeof(text), "%s\nNonsense 5\n", wrong[i].text);
		test_parse(&p, text);
		assert_non_null(strstr(p.said, "unknown directive "
					       "\"Nonsense\""));
	}
}

static void broken_directives_are_errors(void **state)
{
	static const struct wrong wrong[] = {
		{"BindPort", "f:1:1: error: BindPort: a value is missing"},
		{" BindPort # 5", "f:1:2: error: BindPort: a value is missing"},
		{"BindPort =", "f:1:1: error: BindPort: a value is missing"},
		{"BindPort = {}", "f:1:1: error: BindPort: a value is missing"},
		{"BindPort \"5", "f:1:10: error: BindPort: this quote is not "
				 "closed"},
		{"BindPort = '5", "f:1:12: error: BindPort: this quote is not "
				  "closed"},
		{"BindPort = \"\\x35\"", "f:1:13: error: BindPort: no value "
					 "has a backslash in it"},
		{"BindPort = ${HOME}", "f:1:12: error: BindPort: environment "
				       "variables are not expanded"},
		{"BindPort = {5", "f:1:12: error: BindPort: this brace is not "
				  "closed"},
		{"BindPort = 5 BindPort = 6",
		 "f:1:23: error: BindPort: one \"=\" too many: a directive a "
		 "line"},
		{"BindPort = 5 6",
		 "f:1:10: error: BindPort: no such option '6'"},
		{"BindPort = (", "f:1:10: error: BindPort: unexpected token "
				 "'('"},
		{"= 5", "f:1:1: error: no name before the \"=\""},
		{" /* open", "f:1:2: error: this comment is not closed"},
	};

	(void)state;
	assert_wrong(wrong, sizeof(wrong) / sizeof(*wrong));
}

static void a_text_with_nul_is_no_configuration(void **state)
{
	char said[1024] = "";
	FILE *err = fmemopen(said, sizeof(said), "w");
	struct conf conf;

	(void)state;
	assert_int_equal(conf_parse(&conf, CONF_MIREDO, "f",
				    "RelayType relay\nBind\0Port 5\n", 27, NULL,
				    err),
			 2);
	fclose(err);
	assert_non_null(strstr(said, "f:2:5: error: a NUL octet"));
}

/* ---- values ---- */

static void unknown_directives_get_a_suggestion(void **state)
{
	struct parsed p;

	(void)state;
	test_parse(&p, "RelayType relay\nBindAdress 10.0.0.1\n");
	assert_string_equal(p.said,
			    "f:2:1: error: unknown directive \"BindAdress\"\n"
			    "    2 | BindAdress 10.0.0.1\n"
			    "      | ^~~~~~~~~~  did you mean "
			    "\"BindAddress\"?\n");
	test_parse(&p, "RelayType relay\nXyzzy 10.0.0.1\n");
	assert_null(strstr(p.said, "did you mean"));
}

/* X-REF-01, X-REF-02 */
static void the_refresh_interval_is_a_number_or_auto(void **state)
{
	struct parsed p;

	(void)state;
	assert_silent(&p, "ServerAddress a.example\n");
	assert_int_equal(p.conf.refresh, 30);
	assert_false(p.conf.find_refresh);
	assert_silent(&p, "ServerAddress a.example\nRefreshInterval 5\n");
	assert_int_equal(p.conf.refresh, 5);
	assert_silent(&p, "ServerAddress a.example\nRefreshInterval = 600\n");
	assert_int_equal(p.conf.refresh, 600);
	assert_silent(&p, "ServerAddress a.example\nRefreshInterval Auto\n");
	assert_int_equal(p.conf.refresh, 30);
	assert_true(p.conf.find_refresh);
}

static void numbers_are_held_to_their_range(void **state)
{
	static const struct wrong wrong[] = {
		{"BindPort 65536", "f:1:10: error: BindPort 65536 is out of "
				   "range 0-65535"},
		{"BindPort -1",
		 "f:1:10: error: BindPort -1 is out of range 0-65535"},
		{"BindPort 99999999999999999999",
		 "f:1:10: error: BindPort 99999999999999999999 is out of "
		 "range 0-65535"},
		{"BindPort 12x", "f:1:10: error: BindPort \"12x\" is not a "
				 "number (0-65535)"},
		{"BindPort \"\"", "f:1:11: error: BindPort \"\" is not a "
				  "number (0-65535)"},
		{"BindPort 0x", "f:1:10: error: BindPort \"0x\" is not a "
				"number (0-65535)"},
		{"RefreshInterval 4", "f:1:17: error: RefreshInterval 4 is out "
				      "of range 5-600"},
		{"RefreshInterval 601", "f:1:17: error: RefreshInterval 601 is "
					"out of range 5-600"},
		{"RefreshInterval 30s", "f:1:17: error: RefreshInterval "
					"\"30s\" is not a number (5-600)"},
		{"RefreshInterval often",
		 "f:1:17: error: RefreshInterval \"often\" is neither \"auto\" "
		 "nor a number of seconds (5-600)"},
		{"RelayType relay\nInterfaceMTU 1279",
		 "f:2:14: error: InterfaceMTU 1279 is out of range "
		 "1280-65507"},
		{"RelayType relay\nInterfaceMTU = 65508",
		 "f:2:16: error: InterfaceMTU 65508 is out of range "
		 "1280-65507"},
	};
	struct parsed p;

	(void)state;
	assert_wrong(wrong, sizeof(wrong) / sizeof(*wrong));
	assert_silent(&p, "RelayType relay\nBindPort 65535\n"
			  "InterfaceMTU 65507\n");
	assert_int_equal(p.conf.bind_port, 65535);
	assert_int_equal(p.conf.mtu, 65507);
	assert_silent(&p, "RelayType relay\nBindPort 0\nInterfaceMTU 1280\n");
}

static void hexadecimal_and_octal_are_read_as_miredo_did(void **state)
{
	struct parsed p;

	(void)state;
	assert_first(&p, "RelayType relay\nBindPort 0xdd8\n",
		     "f:2:10: warning: BindPort 0xdd8 means 3544");
	assert_int_equal(p.conf.bind_port, 3544);
	assert_first(&p, "RelayType relay\nBindPort 010\n",
		     "f:2:10: warning: BindPort 010 means 8");
	assert_int_equal(p.conf.bind_port, 8);
}

static void interface_names_are_those_of_the_kernel(void **state)
{
	static const char *const bad[] = {
		"abcdefghijklmnop", "a/b",     "a:b", "tun%d",
		"\"a b\"",	    "\"\"",    ".",   "..",
		"\"a\tb\"",	    "\xc3\xa4"};
	struct parsed p;
	char text[64];

	(void)state;
	assert_silent(&p, "RelayType relay\nInterfaceName abcdefghijklmno\n");
	assert_string_equal(p.conf.ifname, "abcdefghijklmno");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text),
			 "RelayType relay\n"
			 "InterfaceName %s\n",
			 bad[i]);
		test_parse(&p, text);
		assert_int_equal(p.errors, 1);
		assert_non_null(strstr(p.said, "cannot be an interface's "
					       "name\n"));
		assert_non_null(strstr(p.said, "1-15 characters"));
	}
}

/* C-CFG-01; RFC 4380 5.2.4 for addresses */
static void a_server_has_a_name_or_a_global_address(void **state)
{
	static const struct wrong wrong[] = {
		{"ServerAddress 192.168.1.1",
		 "f:1:15: error: ServerAddress 192.168.1.1 is not a global "
		 "IPv4 address"},
		{"ServerAddress 224.0.0.1",
		 "f:1:15: error: ServerAddress 224.0.0.1 is not a unicast "
		 "IPv4 address"},
		{"ServerAddress 192.0.2.256",
		 "f:1:15: error: ServerAddress 192.0.2.256 is not an IPv4 "
		 "address"},
		{"ServerAddress 192.0.2",
		 "f:1:15: error: ServerAddress 192.0.2 is not an IPv4 "
		 "address"},
		{"ServerAddress 2001:db8::1",
		 "f:1:15: error: ServerAddress 2001:db8::1 is an IPv6 "
		 "address"},
		{"ServerAddress a..example",
		 "f:1:15: error: ServerAddress \"a..example\" is not a host "
		 "name"},
		{"ServerAddress -a.example",
		 "f:1:15: error: ServerAddress \"-a.example\" is not a host "
		 "name"},
		{"ServerAddress a@example",
		 "f:1:15: error: ServerAddress \"a@example\" is not a host "
		 "name"},
		{"ServerAddress \"\"",
		 "f:1:16: error: ServerAddress \"\" is not a host name"},
		{"ServerAddress a.example\nServerAddress2 127.0.0.1",
		 "f:2:16: error: ServerAddress2 127.0.0.1 is not a global "
		 "IPv4 address"},
	};
	struct parsed p;

	(void)state;
	assert_wrong(wrong, sizeof(wrong) / sizeof(*wrong));
	assert_silent(&p, "ServerAddress 192.0.2.1\n");
	assert_silent(&p, "ServerAddress my_host-1\n");
}

static void a_name_is_as_long_as_dns_allows(void **state)
{
	struct parsed p;
	char text[400] = "ServerAddress ", *name = text + strlen(text);

	(void)state;
	memset(name, 'x', 253);
	for (size_t i = 63; i < 253; i += 64)
		name[i] = '.';
	assert_silent(&p, text);
	assert_string_equal(p.conf.server[0].name, name);
	name[253] = 'x';
	test_parse(&p, text);
	assert_int_equal(p.errors, 1);
	name[63] = 'x';
	name[100] = '\0';
	test_parse(&p, text);
	assert_int_equal(p.errors, 1);
}

static void a_relay_may_bind_a_private_address(void **state)
{
	struct parsed p;

	(void)state;
	assert_silent(&p, "RelayType relay\nBindAddress 10.1.2.3\n");
	assert_silent(&p, "RelayType relay\nBindAddress 0.0.0.0\n");
	assert_string_equal(p.conf.bind_address, "");
	assert_first(&p, "RelayType relay\nBindAddress 239.1.2.3\n",
		     "f:2:13: error: BindAddress 239.1.2.3 is not a unicast "
		     "IPv4 address");
}

static void a_private_server_needs_its_public_address(void **state)
{
	struct parsed p;

	(void)state;
	test_parse_server(&p, "ServerBindAddress 10.0.0.1\n"
			      "ServerBindAddress2 10.0.0.2\n");
	assert_int_equal(p.errors, 2);
	assert_non_null(strstr(p.said, "f:1:19: error: ServerBindAddress "
				       "10.0.0.1 is not a global IPv4 "
				       "address\n"));
	assert_non_null(strstr(p.said, "behind a 1:1 NAT set "
				       "ServerPublicAddress\n"));
	assert_non_null(strstr(p.said, "f:2:20: error: ServerBindAddress2 "
				       "10.0.0.2 is not a global"));
	test_parse_server(&p, "ServerBindAddress 10.0.0.1\n"
			      "ServerBindAddress2 none\n"
			      "ServerPublicAddress 192.0.2.1\n");
	assert_string_equal(p.said, "");
	assert_int_equal(p.errors, 0);
	assert_true(p.conf.server_single);
	assert_string_equal(p.conf.server_public, "192.0.2.1");
	test_parse_server(&p, "ServerBindAddress 10.0.0.1\n"
			      "ServerPublicAddress 10.0.0.9\n");
	assert_int_equal(p.errors, 1);
}

static void a_servers_two_addresses_differ(void **state)
{
	struct parsed p;

	(void)state;
	test_parse_server(&p, "ServerBindAddress 192.0.2.1\n"
			      "ServerBindAddress2 192.0.2.1\n");
	assert_int_equal(p.errors, 1);
	assert_non_null(strstr(p.said, "f:2:20: error: ServerBindAddress2 is "
				       "the same address as the first\n"));
	test_parse_server(&p, "ServerBindAddress 192.0.2.1\n"
			      "ServerBindAddress2 NONE\n"
			      "ServerPublicAddress2 192.0.2.2\n");
	assert_int_equal(p.errors, 0);
	assert_non_null(strstr(p.said, "f:3:1: warning: ServerPublicAddress2 "
				       "has no effect"));
}

/* Miredo took multicast and refused 2001:ff:: (A-ADDR-01) */
static void a_prefix_has_32_bits_and_is_global(void **state)
{
	static const struct wrong wrong[] = {
		{"RelayType relay\nPrefix ff00::",
		 "f:2:8: error: Prefix ff00:: is not a global unicast prefix"},
		{"RelayType relay\nPrefix fe80::",
		 "f:2:8: error: Prefix fe80:: is not a global unicast prefix"},
		{"RelayType relay\nPrefix fd00::",
		 "f:2:8: error: Prefix fd00:: is not a global unicast prefix"},
		{"RelayType relay\nPrefix ::",
		 "f:2:8: error: Prefix :: is not a global unicast prefix"},
		{"RelayType relay\nPrefix 2001:0:1::",
		 "f:2:8: error: Prefix 2001:0:1:: has bits behind the first "
		 "32"},
		{"RelayType relay\nPrefix 2001::/48",
		 "f:2:8: error: Prefix \"2001::/48\" is not an IPv6 prefix of "
		 "32 bits"},
		{"RelayType relay\nPrefix 192.0.2.0",
		 "f:2:8: error: Prefix \"192.0.2.0\" is not an IPv6 prefix of "
		 "32 bits"},
	};
	struct parsed p;

	(void)state;
	assert_wrong(wrong, sizeof(wrong) / sizeof(*wrong));
	assert_silent(&p, "RelayType relay\nPrefix 2001:0::\n");
	assert_memory_equal(&p.conf.prefix, "\x20\x01\x00\x00", 4);
	assert_silent(&p, "RelayType relay\nPrefix 2001:ff::\n");
	assert_memory_equal(&p.conf.prefix, "\x20\x01\x00\xff", 4);
	assert_silent(&p, "RelayType relay\nPrefix 3ffe:831f::/32\n");
	assert_memory_equal(&p.conf.prefix, "\x3f\xfe\x83\x1f", 4);
}

static void facilities_are_those_of_syslog(void **state)
{
	struct parsed p;

	(void)state;
	assert_silent(&p, "RelayType relay\nSyslogFacility LOCAL7\n");
	assert_first(&p, "RelayType relay\nSyslogFacility demon\n",
		     "f:2:16: error: unknown SyslogFacility \"demon\"");
	test_parse(&p, "RelayType relay\nSyslogFacility demon\n");
	assert_non_null(strstr(p.said, "did you mean \"daemon\"?  (auth, "));
	assert_non_null(strstr(p.said, ", user, uucp)\n"));
	assert_first(&p, "RelayType relay\nRelayScope local\n",
		     "f:2:12: error: unknown RelayScope \"local\"");
}

/* C-CFG-02 */
static void a_key_file_is_for_client_and_server(void **state)
{
	struct parsed p;

	(void)state;
	assert_silent(&p, "ServerAddress 192.0.2.1\nKeyFile /etc/miredo/key\n"
			  "ClientIdentifier alice@example.net\n");
	assert_string_equal(p.conf.key_file, "/etc/miredo/key");
	assert_int_equal(p.conf.key_file_place.line, 2);
	assert_int_equal(p.conf.key_file_place.column, 9);
	assert_string_equal(p.conf.client_id, "alice@example.net");
	assert_silent(&p, "RelayType server\nServerBindAddress 192.0.2.1\n"
			  "KeyFile = \"/k\"\nRequireAuthentication Yes\n");
	assert_string_equal(p.conf.key_file, "/k");
	assert_true(p.conf.require_auth);
	assert_silent(&p, "RelayType server\nServerBindAddress 192.0.2.1\n"
			  "KeyFile /k\nRequireAuthentication no\n");
	assert_false(p.conf.require_auth);
	assert_first(&p, "RelayType relay\nKeyFile /k\n",
		     "f:2:1: warning: KeyFile has no effect in a relay");
}

static void keys_are_named_or_it_is_an_error(void **state)
{
	struct parsed p;

	(void)state;
	assert_first(&p, "ServerAddress 192.0.2.1\nClientIdentifier alice\n",
		     "f:2:1: error: ClientIdentifier needs a KeyFile");
	assert_first(&p, "RelayType server\nServerBindAddress 192.0.2.1\n"
			 "RequireAuthentication yes\n",
		     "f:3:1: error: RequireAuthentication needs a KeyFile");
	assert_first(&p, "ServerAddress 192.0.2.1\nKeyFile key\n",
		     "f:2:9: error: KeyFile \"key\" cannot be a file's name");
	assert_first(&p, "ServerAddress 192.0.2.1\nKeyFile '/a b'\n",
		     "f:2:10: error: KeyFile \"/a b\" cannot be a file's name");
	assert_first(&p, "ServerAddress 192.0.2.1\nKeyFile /k\n"
			 "ClientIdentifier a!b\n",
		     "f:3:18: error: an identifier is 1 to 64 letters, digits "
		     "and .-_+@:");
}

/* C-LCD-07, C-LCD-10, C-CFG-08: the words of unreleased Miredo */
static void local_discovery_is_on_and_can_be_turned_off(void **state)
{
	static const struct {
		const char *line;
		enum teredo_discovery want;
	} cases[] = {
		{ "", TEREDO_DISCOVERY_NAT },
		{ "LocalDiscovery enabled\n", TEREDO_DISCOVERY_NAT },
		{ "LocalDiscovery = forced\n", TEREDO_DISCOVERY_ANY },
		{ "LocalDiscovery Disabled\n", TEREDO_DISCOVERY_OFF },
	};
	struct parsed p;
	char text[100];

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "ServerAddress a.example\n%s",
			 cases[i].line);
		test_parse(&p, text);
		assert_int_equal(p.errors, 0);
		assert_int_equal(p.conf.discovery, cases[i].want);
	}
	assert_first(&p, "RelayType relay\nLocalDiscovery enabled\n",
		     "f:2:1: warning: LocalDiscovery has no effect in a relay");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			all_errors_come_in_one_run_with_place_and_caret),
		cmocka_unit_test(a_caret_stands_right_behind_tabs_and_utf8),
		cmocka_unit_test(control_characters_do_not_reach_the_terminal),
		cmocka_unit_test(a_long_line_is_not_repeated),
		cmocka_unit_test(blanks_comments_and_line_ends_may_be_any),
		cmocka_unit_test(what_follows_a_value_is_ignored_but_said),
		cmocka_unit_test(broken_directives_are_errors),
		cmocka_unit_test(a_text_with_nul_is_no_configuration),
		cmocka_unit_test(unknown_directives_get_a_suggestion),
		cmocka_unit_test(the_refresh_interval_is_a_number_or_auto),
		cmocka_unit_test(numbers_are_held_to_their_range),
		cmocka_unit_test(hexadecimal_and_octal_are_read_as_miredo_did),
		cmocka_unit_test(interface_names_are_those_of_the_kernel),
		cmocka_unit_test(a_server_has_a_name_or_a_global_address),
		cmocka_unit_test(a_name_is_as_long_as_dns_allows),
		cmocka_unit_test(a_relay_may_bind_a_private_address),
		cmocka_unit_test(a_private_server_needs_its_public_address),
		cmocka_unit_test(a_servers_two_addresses_differ),
		cmocka_unit_test(a_prefix_has_32_bits_and_is_global),
		cmocka_unit_test(facilities_are_those_of_syslog),
		cmocka_unit_test(a_key_file_is_for_client_and_server),
		cmocka_unit_test(keys_are_named_or_it_is_an_error),
		cmocka_unit_test(local_discovery_is_on_and_can_be_turned_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
