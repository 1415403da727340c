/*
 * test_conf.c - the configuration: roles, directives, both syntaxes
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <syslog.h>
#include <unistd.h>

#include "conf_testing.h"

/* ---- existing files ---- */

static int read_sample(struct parsed *p, const char *name)
{
	char path[256];
	const char *top = getenv("top_srcdir");
	FILE *err = fmemopen(p->said, sizeof(p->said), "w");
	int n;

	memset(p->said, 0, sizeof(p->said));
	snprintf(path, sizeof(path), "%s/tests/unit/conf/%s",
		 top != NULL ? top : ".", name);
	n = conf_read(&p->conf, CONF_MIREDO, path, NULL, err);
	fclose(err);
	assert_string_equal(p->conf.file, path);
	return n;
}

static void an_operators_client_file_works_unchanged(void **state)
{
	struct parsed p;

	(void)state;
	assert_int_equal(read_sample(&p, "operator-client.conf"), 0);
	assert_string_equal(p.said, "");
	assert_int_equal(p.conf.role, CONF_CLIENT);
	assert_string_equal(p.conf.ifname, "teredo");
	assert_int_equal(p.conf.n_servers, 1);
	assert_string_equal(p.conf.server[0].name, "teredo.remlab.net");
	assert_string_equal(p.conf.server[0].name2, "");
	assert_int_equal(p.conf.server[0].place.line, 9);
	assert_int_equal(p.conf.server[0].place.column, 15);
	assert_string_equal(p.conf.bind_address, "");
	assert_int_equal(p.conf.bind_port, 0);
	assert_int_equal(p.conf.bind_port_place.line, 0);
	assert_int_equal(p.conf.mtu, 1280);
	assert_int_equal(p.conf.facility, LOG_DAEMON);
}

static void an_operators_relay_file_works_unchanged(void **state)
{
	struct parsed p;

	(void)state;
	assert_int_equal(read_sample(&p, "operator-relay.conf"), 0);
	assert_string_equal(p.said, "");
	assert_int_equal(p.conf.role, CONF_RELAY);
	assert_string_equal(p.conf.ifname, "miredo0");
	assert_int_equal(p.conf.bind_port, 3544);
	assert_int_equal(p.conf.bind_port_place.line, 4);
	assert_int_equal(p.conf.bind_port_place.column, 10);
	assert_string_equal(p.conf.bind_address, "10.1.2.3");
	assert_int_equal(p.conf.bind_address_place.line, 5);
	assert_int_equal(p.conf.bind_address_place.column, 13);
	assert_int_equal(p.conf.facility, LOG_USER);
	assert_int_equal(p.conf.prefix, htonl(0x20010000));
	assert_int_equal(p.conf.mtu, 1280);
	assert_false(p.conf.host_local);
	assert_false(p.conf.restricted);
}

/* ---- the two syntaxes ---- */

static void assert_same_servers(const struct conf *a, const struct conf *b)
{
	assert_int_equal(a->n_servers, b->n_servers);
	for (unsigned i = 0; i < a->n_servers; i++) {
		assert_string_equal(a->server[i].name, b->server[i].name);
		assert_string_equal(a->server[i].name2, b->server[i].name2);
		assert_int_equal(a->server[i].place.line,
				 b->server[i].place.line);
	}
}

/* Field by field; places but for the columns, which the "=" moves. */
static void assert_same_conf(const struct conf *a, const struct conf *b)
{
	assert_int_equal(a->role, b->role);
	assert_string_equal(a->ifname, b->ifname);
	assert_int_equal(a->mtu, b->mtu);
	assert_int_equal(a->facility, b->facility);
	assert_int_equal(a->prefix, b->prefix);
	assert_string_equal(a->bind_address, b->bind_address);
	assert_int_equal(a->bind_address_place.line,
			 b->bind_address_place.line);
	assert_int_equal(a->bind_port, b->bind_port);
	assert_int_equal(a->bind_port_place.line, b->bind_port_place.line);
	assert_int_equal(a->host_local, b->host_local);
	assert_int_equal(a->restricted, b->restricted);
	assert_string_equal(a->server_bind, b->server_bind);
	assert_string_equal(a->server_bind2, b->server_bind2);
	assert_int_equal(a->server_single, b->server_single);
	assert_string_equal(a->server_public, b->server_public);
	assert_string_equal(a->server_public2, b->server_public2);
	assert_int_equal(a->server_bind_place.line, b->server_bind_place.line);
	assert_int_equal(a->server_public2_place.line,
			 b->server_public2_place.line);
	assert_same_servers(a, b);
}

static void assert_both_syntaxes(const char *miredo, const char *confuse)
{
	struct parsed a, b;

	test_parse(&a, miredo);
	test_parse(&b, confuse);
	assert_string_equal(a.said, "");
	assert_string_equal(b.said, "");
	assert_int_equal(a.errors, 0);
	assert_int_equal(b.errors, 0);
	assert_same_conf(&a.conf, &b.conf);
}

static void both_syntaxes_configure_the_same_client(void **state)
{
	(void)state;
	assert_both_syntaxes("RelayType client\n"
			     "InterfaceName\tter0\t# a comment\n"
			     "ServerAddress 192.0.2.1\n"
			     "ServerAddress2 192.0.2.9\n"
			     "ServerAddress \"teredo.example.net\"\n"
			     "BindAddress 10.0.0.1\n"
			     "BindPort 3545\n"
			     "SyslogFacility local3\n",
			     "relaytype = client\n"
			     "InterfaceName=ter0\t# a comment\n"
			     "ServerAddress = \"192.0.2.1\"\n"
			     "ServerAddress2 += '192.0.2.9' // another\n"
			     "ServerAddress = teredo.example.net\n"
			     "  BindAddress = 10.0.0.1 /* and another */\n"
			     "BINDPORT = 3545\r\n"
			     "SyslogFacility = Local3");
}

static void both_syntaxes_configure_the_same_relay(void **state)
{
	(void)state;
	assert_both_syntaxes("RelayType restricted\n"
			     "Prefix 2001:1234::\n"
			     "InterfaceMTU 1400\n"
			     "RelayScope host\n",
			     "RelayType = restricted\n"
			     "Prefix = 2001:1234::/32\n"
			     "InterfaceMTU = 1400\n"
			     "RelayScope = \"host\"\n");
}

static void both_syntaxes_configure_the_same_server(void **state)
{
	(void)state;
	assert_both_syntaxes("RelayType server\n"
			     "ServerBindAddress 10.0.0.1\n"
			     "ServerBindAddress2 10.0.0.2\n"
			     "ServerPublicAddress 192.0.2.1\n"
			     "ServerPublicAddress2 198.51.100.1\n",
			     "RelayType = server\n"
			     "ServerBindAddress = 10.0.0.1\n"
			     "ServerBindAddress2 = 10.0.0.2\n"
			     "ServerPublicAddress = 192.0.2.1\n"
			     "ServerPublicAddress2 = 198.51.100.1\n");
}

static void a_list_of_servers_may_go_over_lines(void **state)
{
	struct parsed p;

	(void)state;
	assert_silent(&p, "ServerAddress = {\n"
			  "\ta.example,  # the near one\n"
			  "\t\"b.example\" /* the\n"
			  "\t  far one */\n"
			  "}\n"
			  "BindPort 5\n");
	assert_int_equal(p.conf.n_servers, 2);
	assert_string_equal(p.conf.server[0].name, "a.example");
	assert_int_equal(p.conf.server[0].place.line, 2);
	assert_int_equal(p.conf.server[0].place.column, 2);
	assert_string_equal(p.conf.server[1].name, "b.example");
	assert_int_equal(p.conf.server[1].place.line, 3);
	assert_int_equal(p.conf.server[1].place.column, 3);
	assert_int_equal(p.conf.bind_port, 5);
	assert_int_equal(p.conf.bind_port_place.line, 6);
}

static void one_file_may_use_both_syntaxes(void **state)
{
	struct parsed p;

	(void)state;
	assert_silent(&p, "ServerAddress a.example\nBindPort = 7\n");
	assert_string_equal(p.conf.server[0].name, "a.example");
	assert_int_equal(p.conf.bind_port, 7);
}

/* ---- roles ---- */

static void every_relay_type_of_miredo_is_known(void **state)
{
	struct parsed p;

	(void)state;
	assert_silent(&p, "RelayType CLIENT\nServerAddress a.example\n");
	assert_int_equal(p.conf.role, CONF_CLIENT);
	assert_silent(&p, "RelayType relay\n");
	assert_int_equal(p.conf.role, CONF_RELAY);
	assert_silent(&p, "RelayType restricted\n");
	assert_int_equal(p.conf.role, CONF_RELAY);
	assert_true(p.conf.restricted);
	assert_first(&p, "RelayType cone\n",
		     "f:1:11: warning: RelayType cone is an old name for "
		     "relay");
	assert_int_equal(p.conf.role, CONF_RELAY);
	assert_false(p.conf.restricted);
	assert_first(&p, "RelayType autoclient\nServerAddress a.example\n",
		     "f:1:11: warning: RelayType autoclient is an old name "
		     "for client");
	assert_int_equal(p.conf.role, CONF_CLIENT);
	assert_silent(&p, "ServerBindAddress 192.0.2.1\nRelayType server\n");
	assert_int_equal(p.conf.role, CONF_SERVER);
}

/* C-CFG-01 */
static void a_client_without_server_is_told_what_to_do(void **state)
{
	struct parsed p;

	(void)state;
	test_parse(&p, "");
	assert_int_equal(p.errors, 1);
	assert_string_equal(p.said,
			    "f: error: no ServerAddress set. Public Teredo "
			    "servers are gone; run your own: miredo-setup "
			    "server, or try: miredo-demo\n");
}

static void a_server_without_address_is_refused(void **state)
{
	struct parsed p;

	(void)state;
	test_parse_server(&p, "# nothing\n");
	assert_int_equal(p.errors, 1);
	assert_string_equal(p.said,
			    "f: error: no ServerBindAddress set. It is the "
			    "IPv4 address of this host that clients shall "
			    "use\n");
}

static void a_directive_of_another_role_is_a_warning(void **state)
{
	struct parsed p;

	(void)state;
	assert_first(&p, "RelayType relay\nServerAddress !\n",
		     "f:2:1: warning: ServerAddress has no effect in a relay");
	assert_first(&p, "InterfaceMTU 9\nServerAddress a.example\n",
		     "f:1:1: warning: InterfaceMTU has no effect in a client");
	assert_int_equal(p.conf.mtu, 1280);
	assert_first(&p, "ServerAddress a.example\nRelayScope host\n",
		     "f:2:1: warning: RelayScope has no effect in a client");
	test_parse_server(&p, "ServerBindAddress 192.0.2.1\n"
			      "InterfaceName x\nRelayType relay\n");
	assert_int_equal(p.errors, 0);
	assert_non_null(strstr(p.said, "f:2:1: warning: InterfaceName has no "
				       "effect in a server\n"));
	assert_non_null(strstr(p.said, "f:3:11: warning: RelayType has no "
				       "effect: miredo-server is always a "
				       "server\n"));
	assert_int_equal(p.conf.role, CONF_SERVER);
}

static void directives_of_unreleased_miredo_are_ignored(void **state)
{
	struct parsed p;

	(void)state;
	assert_first(&p,
		     "ServerAddress a.example\nDiscoveryInterfaces ^eth.*$\n",
		     "f:2:1: warning: DiscoveryInterfaces is not supported "
		     "and has no effect");
	assert_first(&p,
		     "ServerAddress a.example\n"
		     "DiscoveryNetmask 255.255.255.0\n",
		     "f:2:1: warning: DiscoveryNetmask is not supported and "
		     "has no effect");
}

/* ---- several values ---- */

static void the_first_of_several_values_counts(void **state)
{
	struct parsed p;

	(void)state;
	assert_first(&p, "ServerAddress a.example\nBindPort 1\nBindPort = 2\n",
		     "f:3:1: warning: BindPort is set again: the value of "
		     "line 2 is used");
	assert_int_equal(p.conf.bind_port, 1);
}

/* C-CFG-01 */
static void servers_keep_their_order_and_second_addresses(void **state)
{
	struct parsed p;

	(void)state;
	assert_silent(&p, "ServerAddress2 early.example\n"
			  "ServerAddress a.example\n"
			  "ServerAddress b.example\n"
			  "ServerAddress2 b2.example\n"
			  "ServerAddress c.example.\n");
	assert_int_equal(p.conf.n_servers, 3);
	assert_string_equal(p.conf.server[0].name, "a.example");
	assert_string_equal(p.conf.server[0].name2, "early.example");
	assert_int_equal(p.conf.server[0].place2.line, 1);
	assert_string_equal(p.conf.server[1].name, "b.example");
	assert_string_equal(p.conf.server[1].name2, "b2.example");
	assert_string_equal(p.conf.server[2].name, "c.example.");
	assert_string_equal(p.conf.server[2].name2, "");
}

static void a_server_has_one_second_address(void **state)
{
	struct parsed p;

	(void)state;
	assert_first(&p,
		     "ServerAddress a.example\nServerAddress2 x.example\n"
		     "ServerAddress2 y.example\n",
		     "f:3:1: warning: another ServerAddress2 counts for "
		     "a.example");
	assert_string_equal(p.conf.server[0].name2, "x.example");
}

static void more_servers_than_eight_are_an_error(void **state)
{
	struct parsed p;
	const char *text = "ServerAddress = {a1,a2,a3,a4,a5,a6,a7,a8}\n"
			   "ServerAddress a9\n";

	(void)state;
	assert_first(&p, text, "f:2:15: error: more than 8 ServerAddress");
	assert_int_equal(p.conf.n_servers, 8);
}

/* ---- the command line's SERVER_NAME ---- */

static void the_command_line_names_the_server(void **state)
{
	struct parsed p;

	(void)state;
	test_parse_named(&p, CONF_MIREDO, "ServerAddress a.example\n",
			 "b.example");
	assert_int_equal(p.errors, 0);
	assert_int_equal(p.conf.n_servers, 1);
	assert_string_equal(p.conf.server[0].name, "b.example");
	assert_int_equal(p.conf.server[0].place.line, 0);
	assert_non_null(strstr(p.said, "f:1:1: warning: ServerAddress has no "
				       "effect: the command line names "
				       "b.example\n"));
	test_parse_named(&p, CONF_MIREDO, "", "10.0.0.1");
	assert_string_equal(p.said, "f: error: SERVER_NAME 10.0.0.1 is not a "
				    "global IPv4 address\n");
	assert_int_equal(p.errors, 1);
}

static void the_command_line_names_the_servers_own_address(void **state)
{
	struct parsed p;

	(void)state;
	test_parse_named(&p, CONF_MIREDO_SERVER,
			 "ServerBindAddress2 192.0.2.7\n", "192.0.2.1");
	assert_string_equal(p.said, "");
	assert_int_equal(p.errors, 0);
	assert_string_equal(p.conf.server_bind, "192.0.2.1");
	assert_string_equal(p.conf.server_bind2, "192.0.2.7");
	test_parse_named(&p, CONF_MIREDO_SERVER,
			 "ServerBindAddress 192.0.2.7\n", "10.0.0.1");
	assert_int_equal(p.errors, 1);
	assert_non_null(strstr(p.said, "SERVER_NAME 10.0.0.1 is not a global"));
}

static void a_relay_says_that_it_needs_no_server(void **state)
{
	struct parsed p;

	(void)state;
	test_parse_named(&p, CONF_MIREDO, "RelayType relay\n", "a.example");
	assert_int_equal(p.errors, 0);
	assert_string_equal(p.said, "f: warning: SERVER_NAME has no effect in "
				    "a relay\n");
}

/* ---- files ---- */

static void a_missing_file_is_an_error_unless_the_server_is_named(void **state)
{
	struct parsed p;
	FILE *err = fmemopen(p.said, sizeof(p.said), "w");
	const char *file = "/nonexistent/miredo.conf";

	(void)state;
	memset(p.said, 0, sizeof(p.said));
	assert_int_equal(conf_read(&p.conf, CONF_MIREDO, file, NULL, err),
			 -ENOENT);
	fflush(err);
	assert_string_equal(p.said,
			    "/nonexistent/miredo.conf: error: cannot be read: "
			    "No such file or directory\n"
			    "/nonexistent/miredo.conf: error: no ServerAddress "
			    "set. Public Teredo servers are gone; run your "
			    "own: miredo-setup server, or try: "
			    "miredo-demo\n");
	rewind(err);
	assert_int_equal(
		conf_read(&p.conf, CONF_MIREDO, file, "a.example", err), 0);
	assert_string_equal(p.conf.server[0].name, "a.example");
	assert_int_equal(conf_read(&p.conf, CONF_MIREDO, "/", "a.example", err),
			 -EISDIR);
	fclose(err);
}

static void a_huge_file_is_refused(void **state)
{
	char name[] = "test_conf.XXXXXX";
	int fd = mkstemp(name);
	struct conf conf;
	char said[256] = "";
	FILE *err = fmemopen(said, sizeof(said), "w");

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (1 << 20) + 1), 0);
	assert_int_equal(conf_read(&conf, CONF_MIREDO, name, NULL, err),
			 -EFBIG);
	fclose(err);
	unlink(name);
	close(fd);
	assert_non_null(strstr(said, "cannot be read: File too large"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_operators_client_file_works_unchanged),
		cmocka_unit_test(an_operators_relay_file_works_unchanged),
		cmocka_unit_test(both_syntaxes_configure_the_same_client),
		cmocka_unit_test(both_syntaxes_configure_the_same_relay),
		cmocka_unit_test(both_syntaxes_configure_the_same_server),
		cmocka_unit_test(a_list_of_servers_may_go_over_lines),
		cmocka_unit_test(one_file_may_use_both_syntaxes),
		cmocka_unit_test(every_relay_type_of_miredo_is_known),
		cmocka_unit_test(a_client_without_server_is_told_what_to_do),
		cmocka_unit_test(a_server_without_address_is_refused),
		cmocka_unit_test(a_directive_of_another_role_is_a_warning),
		cmocka_unit_test(directives_of_unreleased_miredo_are_ignored),
		cmocka_unit_test(the_first_of_several_values_counts),
		cmocka_unit_test(servers_keep_their_order_and_second_addresses),
		cmocka_unit_test(a_server_has_one_second_address),
		cmocka_unit_test(more_servers_than_eight_are_an_error),
		cmocka_unit_test(the_command_line_names_the_server),
		cmocka_unit_test(
			the_command_line_names_the_servers_own_address),
		cmocka_unit_test(a_relay_says_that_it_needs_no_server),
		cmocka_unit_test(
			a_missing_file_is_an_error_unless_the_server_is_named),
		cmocka_unit_test(a_huge_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
