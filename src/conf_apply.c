/*
 * conf_apply.c - what directives mean: settings into struct conf
 *
 * One table says for each directive in which roles it has an effect and what
 * it does. The role is found first, since RelayType may stand anywhere; then
 * the settings are taken in the text's order; then what only the whole can
 * tell is checked (what is missing, which addresses need a public one).
 *
 * Compatible with Miredo 1.2.6: the first of several values counts, the others
 * are said; a directive of another role is said and ignored, its value unread.
 * Beyond Miredo: ServerAddress repeats, in failover order, and ServerAddress2
 * belongs to the one before it (to the first, if it stands before all).
 *
 * An unknown directive is an error (Miredo: a warning, if it got that far),
 * and no server is compiled in. Names are resolved later, by the resolver.
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#include "../libteredo/addr.h"
#include "conf_apply.h"
#include "keys.h"

#define DEFAULT_REFRESH 30 /* s, X-REF-02 */
#define MIN_REFRESH	5
#define MAX_REFRESH	600
#define DEFAULT_MTU 1280  /* TEREDO_MTU */
#define MAX_MTU	    65507 /* A-MTU-04 */

static_assert(CONF_ID_MAX == AUTH_ID_MAX + 1, "identifiers fit");

enum {
	IN_CLIENT = 1 << CONF_CLIENT,
	IN_RELAY = 1 << CONF_RELAY,
	IN_BOTH = 1 << CONF_SERVER_RELAY,
	IN_SERVER = 1 << CONF_SERVER | IN_BOTH,
	IN_TUNNEL = IN_CLIENT | IN_RELAY,
	IN_ROUTING = IN_RELAY | IN_SERVER,
	IN_SECURE = IN_CLIENT | IN_SERVER,
	IN_ALL = IN_TUNNEL | IN_SERVER,
};

enum {
	RELAY_TYPE,
	INTERFACE_NAME,
	SERVER_ADDRESS, SERVER_ADDRESS2,
	PREFIX,
	INTERFACE_MTU,
	BIND_ADDRESS, BIND_PORT,
	REFRESH_INTERVAL,
	RELAY_SCOPE,
	SERVER_BIND, SERVER_BIND2, SERVER_PUBLIC, SERVER_PUBLIC2,
	KEY_FILE, CLIENT_ID, REQUIRE_AUTH,
	NATIVE_IPV6,
	SUNSET_DATE,
	SYSLOG_FACILITY,
	LOCAL_DISCOVERY, DISCOVERY_INTERFACES, DISCOVERY_NETMASK,
	N_DIRECTIVES
};

struct applying {
	struct conf *conf;
	struct conf_report *r;
	enum conf_program program;
	const char *server_name;
	/* by directive: the setting that counts */
	const struct conf_setting *first[N_DIRECTIVES];
	/* a ServerAddress2 before any ServerAddress */
	const struct conf_setting *early2;
};

typedef void apply_fn(struct applying *a, const struct conf_setting *s);

static struct conf_place place(const struct applying *a,
			       const struct conf_setting *s)
{
	return conf_report_place(a->r, s->value_at.at);
}

/* ---- the role ---- */

/* clang-format off */
static const struct conf_word types[] = {
	{"client", CONF_CLIENT, false},
	{"relay", CONF_RELAY, false},
	{"cone", CONF_RELAY, false},
	{"restricted", CONF_RELAY, false},
	{"server", CONF_SERVER, false},
	{"server-relay", CONF_SERVER_RELAY, false},
	{"autoclient", CONF_CLIENT, true},
};
/* clang-format on */
enum { N_TYPES = sizeof(types) / sizeof(*types) };

static void apply_type(struct applying *a, const struct conf_setting *s)
{
	const struct conf_word *type;

	if (a->program == CONF_MIREDO_SERVER) {
		if (strncasecmp(s->value, "server", 6) != 0)
			conf_warning(a->r, s->value_at, NULL,
				     "RelayType has no effect: miredo-server "
				     "is always a server");
		return;
	}
	type = conf_value_word(a->r, s, types, N_TYPES);
	if (type == NULL)
		return;
	if (strcmp(type->name, "autoclient") == 0)
		conf_warning(a->r, s->value_at, NULL,
			     "RelayType autoclient is an old name for client");
	if (strcmp(type->name, "cone") == 0)
		conf_warning(a->r, s->value_at, NULL,
			     "RelayType cone is an old name for relay");
	a->conf->restricted = strcmp(type->name, "restricted") == 0;
}

/* The role that the first RelayType names; 0: none that exists, which is said
 * later. */
static enum conf_role find_role(enum conf_program program,
				const struct conf_setting *settings, size_t n)
{
	enum conf_role role = CONF_CLIENT;
	size_t i = 0;

	while (i < n && strcmp(settings[i].name, "RelayType") != 0)
		i++;
	if (i < n)
		role = 0;
	for (size_t t = 0; i < n && settings[i].value && t < N_TYPES; t++)
		if (strcasecmp(settings[i].value, types[t].name) == 0)
			role = (enum conf_role)types[t].value;
	if (program == CONF_MIREDO_SERVER && role != CONF_SERVER_RELAY)
		role = CONF_SERVER;
	return role;
}

/* ---- client and relay ---- */

static void apply_ifname(struct applying *a, const struct conf_setting *s)
{
	if (conf_value_ifname(a->r, s))
		strcpy(a->conf->ifname, s->value);
}

static void apply_bind_address(struct applying *a, const struct conf_setting *s)
{
	struct conf *conf = a->conf;

	if (strcmp(s->value, "0.0.0.0") == 0)
		return;
	if (!conf_value_host(a->r, s, false))
		return;
	strcpy(conf->bind_address, s->value);
	conf->bind_address_place = place(a, s);
}

static void apply_bind_port(struct applying *a, const struct conf_setting *s)
{
	uint32_t port;

	if (!conf_value_number(a->r, s, 0, 65535, &port))
		return;
	a->conf->bind_port = (uint16_t)port;
	a->conf->bind_port_place = place(a, s);
}

static void apply_server(struct applying *a, const struct conf_setting *s)
{
	struct conf *conf = a->conf;
	struct conf_server *server = &conf->server[conf->n_servers];

	if (!conf_value_host(a->r, s, true))
		return;
	if (conf->n_servers == CONF_SERVERS) {
		conf_error(a->r, s->value_at, NULL,
			   "more than %d ServerAddress", CONF_SERVERS);
		return;
	}
	strcpy(server->name, s->value);
	server->place = place(a, s);
	conf->n_servers++;
}

/* X-REF-01, RFC 4380 5.2.7 */
static void apply_refresh(struct applying *a, const struct conf_setting *s)
{
	a->conf->find_refresh = strcasecmp(s->value, "auto") == 0;
	if (a->conf->find_refresh)
		return;
	if (s->value[0] < '0' || s->value[0] > '9')
		conf_error(a->r, s->value_at, NULL,
			   "RefreshInterval \"%s\" is neither \"auto\" nor a "
			   "number of seconds (%d-%d)", s->value, MIN_REFRESH,
			   MAX_REFRESH);
	else
		conf_value_number(a->r, s, MIN_REFRESH, MAX_REFRESH,
				  &a->conf->refresh);
}

/* Gives `server` the second address s, unless it has one. */
static void set_second(struct applying *a, struct conf_server *server,
		       const struct conf_setting *s)
{
	if (server->name2[0] != '\0') {
		conf_warning(a->r, s->name_at, NULL,
			     "another ServerAddress2 counts for %s",
			     server->name);
		return;
	}
	strcpy(server->name2, s->value);
	server->place2 = place(a, s);
}

static void apply_server2(struct applying *a, const struct conf_setting *s)
{
	struct conf *conf = a->conf;

	if (!conf_value_host(a->r, s, true))
		return;
	if (conf->n_servers > 0)
		set_second(a, &conf->server[conf->n_servers - 1], s);
	else if (a->early2 == NULL)
		a->early2 = s;
}

static void apply_prefix(struct applying *a, const struct conf_setting *s)
{
	conf_value_prefix(a->r, s, &a->conf->prefix);
}

static void apply_mtu(struct applying *a, const struct conf_setting *s)
{
	conf_value_number(a->r, s, DEFAULT_MTU, MAX_MTU, &a->conf->mtu);
}

static void apply_scope(struct applying *a, const struct conf_setting *s)
{
	static const struct conf_word scopes[] = {{"host", true, false},
						  {"router", false, false}};
	const struct conf_word *scope = conf_value_word(a->r, s, scopes, 2);

	if (scope != NULL)
		a->conf->host_local = scope->value;
}

/* The words are those of Miredo's unreleased branch. */
static void apply_discovery(struct applying *a, const struct conf_setting *s)
{
	static const struct conf_word words[] = {
		{"enabled", TEREDO_DISCOVERY_NAT, false},
		{"forced", TEREDO_DISCOVERY_ANY, false},
		{"disabled", TEREDO_DISCOVERY_OFF, false},
	};
	const struct conf_word *word = conf_value_word(a->r, s, words, 3);

	if (word != NULL)
		a->conf->discovery = (unsigned)word->value;
}

/* ---- server ---- */

static void apply_server_bind(struct applying *a, const struct conf_setting *s)
{
	if (!conf_value_host(a->r, s, false))
		return;
	strcpy(a->conf->server_bind, s->value);
	a->conf->server_bind_place = place(a, s);
}

static void apply_server_bind2(struct applying *a, const struct conf_setting *s)
{
	a->conf->server_single = strcasecmp(s->value, "none") == 0;
	if (a->conf->server_single || !conf_value_host(a->r, s, false))
		return;
	strcpy(a->conf->server_bind2, s->value);
	a->conf->server_bind2_place = place(a, s);
}

static void apply_public(struct applying *a, const struct conf_setting *s)
{
	if (!conf_value_host(a->r, s, true))
		return;
	strcpy(a->conf->server_public, s->value);
	a->conf->server_public_place = place(a, s);
}

static void apply_public2(struct applying *a, const struct conf_setting *s)
{
	if (!conf_value_host(a->r, s, true))
		return;
	strcpy(a->conf->server_public2, s->value);
	a->conf->server_public2_place = place(a, s);
}

/* ---- client and server: secure qualification ---- */

static void apply_key_file(struct applying *a, const struct conf_setting *s)
{
	if (!conf_value_path(a->r, s))
		return;
	strcpy(a->conf->key_file, s->value);
	a->conf->key_file_place = place(a, s);
}

static void apply_client_id(struct applying *a, const struct conf_setting *s)
{
	if (keys_is_id(s->value, strlen(s->value)))
		strcpy(a->conf->client_id, s->value);
	else
		conf_error(a->r, s->value_at, NULL,
			   "an identifier is 1 to %d letters, digits and "
			   ".-_+@:", AUTH_ID_MAX);
}

static void apply_require_auth(struct applying *a, const struct conf_setting *s)
{
	static const struct conf_word answers[] = {{"yes", true, false},
						   {"no", false, false}};
	const struct conf_word *answer = conf_value_word(a->r, s, answers, 2);

	if (answer != NULL)
		a->conf->require_auth = answer->value;
}

/* ---- the end of it: RFC 4380 5.5 ---- */

static void apply_native(struct applying *a, const struct conf_setting *s)
{
	static const struct conf_word words[] = {
		{"relay", CONF_NATIVE_RELAY, false},
		{"sleep", CONF_NATIVE_SLEEP, false},
		{"ignore", CONF_NATIVE_IGNORE, false}};
	const struct conf_word *word = conf_value_word(a->r, s, words, 3);

	if (word != NULL)
		a->conf->native = (enum conf_native)word->value;
}

static void apply_sunset(struct applying *a, const struct conf_setting *s)
{
	conf_value_date(a->r, s, &a->conf->sunset);
}

/* These mean nothing without keys; that one of them does harm. */
static void check_keys(struct applying *a)
{
	if (a->first[KEY_FILE] != NULL)
		return;
	if (a->first[CLIENT_ID] != NULL)
		conf_error(a->r, a->first[CLIENT_ID]->name_at, NULL,
			   "ClientIdentifier needs a KeyFile");
	if (a->conf->require_auth)
		conf_error(a->r, a->first[REQUIRE_AUTH]->name_at, NULL,
			   "RequireAuthentication needs a KeyFile");
}

/* ---- all ---- */

static void apply_facility(struct applying *a, const struct conf_setting *s)
{
	const struct conf_word *words;
	unsigned n = conf_value_facilities(&words);
	const struct conf_word *facility = conf_value_word(a->r, s, words, n);

	if (facility != NULL)
		a->conf->facility = facility->value;
}

/* clang-format off */
static const struct directive {
	const char *name;
	apply_fn *apply;	/* NULL: known, but without effect */
	int roles;		/* in which it has one */
	bool repeats;
} directives[N_DIRECTIVES] = {
	[RELAY_TYPE] = {"RelayType", apply_type, IN_ALL, false},
	[INTERFACE_NAME] = {"InterfaceName", apply_ifname,
			    IN_TUNNEL | IN_BOTH, false},
	[SERVER_ADDRESS] = {"ServerAddress", apply_server, IN_CLIENT, true},
	[SERVER_ADDRESS2] = {"ServerAddress2", apply_server2, IN_CLIENT, true},
	[PREFIX] = {"Prefix", apply_prefix, IN_ROUTING, false},
	[INTERFACE_MTU] = {"InterfaceMTU", apply_mtu, IN_ROUTING, false},
	[BIND_ADDRESS] = {"BindAddress", apply_bind_address, IN_TUNNEL, false},
	[BIND_PORT] = {"BindPort", apply_bind_port, IN_TUNNEL, false},
	[REFRESH_INTERVAL] = {"RefreshInterval", apply_refresh, IN_CLIENT,
			      false},
	[RELAY_SCOPE] = {"RelayScope", apply_scope, IN_RELAY, false},
	[SERVER_BIND] = {"ServerBindAddress", apply_server_bind, IN_SERVER,
			 false},
	[SERVER_BIND2] = {"ServerBindAddress2", apply_server_bind2, IN_SERVER,
			  false},
	[SERVER_PUBLIC] = {"ServerPublicAddress", apply_public, IN_SERVER,
			   false},
	[SERVER_PUBLIC2] = {"ServerPublicAddress2", apply_public2, IN_SERVER,
			    false},
	[KEY_FILE] = {"KeyFile", apply_key_file, IN_SECURE, false},
	[CLIENT_ID] = {"ClientIdentifier", apply_client_id, IN_CLIENT, false},
	[REQUIRE_AUTH] = {"RequireAuthentication", apply_require_auth,
			  IN_SERVER, false},
	[NATIVE_IPV6] = {"NativeIPv6", apply_native, IN_CLIENT, false},
	[SUNSET_DATE] = {"SunsetDate", apply_sunset, IN_ROUTING, false},
	[SYSLOG_FACILITY] = {"SyslogFacility", apply_facility, IN_ALL, false},
	[LOCAL_DISCOVERY] = {"LocalDiscovery", apply_discovery, IN_CLIENT,
			     false},
	/* of Miredo's unreleased branch */
	[DISCOVERY_INTERFACES] = {"DiscoveryInterfaces", NULL, IN_ALL, false},
	[DISCOVERY_NETMASK] = {"DiscoveryNetmask", NULL, IN_ALL, false},
};
/* clang-format on */

const char *conf_apply_name(unsigned i)
{
	return i < N_DIRECTIVES ? directives[i].name : NULL;
}

static const char *directive_name(const void *words, unsigned i)
{
	(void)words;
	return directives[i].name;
}

void conf_apply_unknown(struct conf_report *r, struct conf_span name)
{
	const char *near = conf_value_near(name.at, name.len, N_DIRECTIVES,
					   directive_name, NULL);
	char hint[64];

	if (near != NULL)
		snprintf(hint, sizeof(hint), "did you mean \"%s\"?", near);
	conf_error(r, name, near != NULL ? hint : NULL,
		   "unknown directive \"%.*s\"",
		   (int)(name.len < 64 ? name.len : 64), name.at);
}

static unsigned find_directive(const char *name)
{
	unsigned d = 0;

	while (strcmp(directives[d].name, name) != 0)
		d++;
	return d;
}

/* Whether the setting of directive d counts; says why it does not. */
static bool counts(struct applying *a, unsigned d, const struct conf_setting *s)
{
	static const char *const roles[] = {"", "client", "relay", "server",
					    "server-relay"};
	const struct directive *dir = &directives[d];
	enum conf_role role = a->conf->role;
	bool named = a->server_name != NULL;

	if (dir->apply == NULL)
		conf_warning(a->r, s->name_at, NULL,
			     "%s is not supported and has no effect",
			     dir->name);
	else if (role != 0 && (dir->roles & 1 << role) == 0)
		conf_warning(a->r, s->name_at, NULL, "%s has no effect in a %s",
			     dir->name, roles[role]);
	else if (named && ((d == SERVER_BIND && conf_is_server(a->conf)) ||
			   d == SERVER_ADDRESS || d == SERVER_ADDRESS2))
		conf_warning(a->r, s->name_at, NULL,
			     "%s has no effect: the command line names %s",
			     dir->name, a->server_name);
	else if (a->first[d] != NULL && !dir->repeats)
		conf_warning(a->r, s->name_at, NULL,
			     "%s is set again: the value of line %u is used",
			     dir->name, place(a, a->first[d]).line);
	else
		return true;
	return false;
}

/* ---- what only the whole can tell ---- */

static void finish_client(struct applying *a)
{
	if (a->conf->n_servers > 0 && a->early2 != NULL)
		set_second(a, &a->conf->server[0], a->early2);
	if (a->first[SERVER_ADDRESS] == NULL && a->server_name == NULL)
		conf_error(a->r, (struct conf_span){NULL, 0}, NULL,
			   CONF_NO_SERVER);
}

/* A server's own address is global, or the public one is given. */
static void check_public(struct applying *a, const char *address,
			 const struct conf_setting *s, bool has_public)
{
	uint32_t ip;

	if (s == NULL || has_public || !conf_value_is_ip(address, &ip) ||
	    ipv4_is_global(ip))
		return;
	conf_error(a->r, s->value_at,
		   "behind a 1:1 NAT set ServerPublicAddress",
		   "%s %s is not a global IPv4 address", s->name, address);
}

/* The second address, which s sets, is not the first again. */
static void check_differ(struct applying *a, const struct conf_setting *s,
			 const char *second, const char *first)
{
	if (s != NULL && second[0] != '\0' && strcasecmp(second, first) == 0)
		conf_error(a->r, s->value_at,
			   "a server with one address: ServerBindAddress2 none",
			   "%s is the same address as the first", s->name);
}

static void finish_server(struct applying *a)
{
	struct conf *conf = a->conf;
	bool public = a->first[SERVER_PUBLIC] != NULL;

	if (a->first[SERVER_BIND] == NULL)
		conf_error(a->r, (struct conf_span){NULL, 0}, NULL,
			   "no ServerBindAddress set. It is the IPv4 address "
			   "of this host that clients shall use");
	check_public(a, conf->server_bind, a->first[SERVER_BIND], public);
	check_public(a, conf->server_bind2, a->first[SERVER_BIND2],
		     public || a->first[SERVER_PUBLIC2] != NULL);
	check_differ(a, a->first[SERVER_BIND2], conf->server_bind2,
		     conf->server_bind);
	check_differ(a, a->first[SERVER_PUBLIC2], conf->server_public2,
		     conf->server_public);
	if (conf->server_single && a->first[SERVER_PUBLIC2] != NULL)
		conf_warning(a->r, a->first[SERVER_PUBLIC2]->name_at, NULL,
			     "ServerPublicAddress2 has no effect with "
			     "ServerBindAddress2 none");
}

/* The command line's SERVER_NAME, as if it stood in the file. */
static void apply_server_name(struct applying *a, struct conf_setting *s)
{
	s->value = strdup(a->server_name);
	if (s->value == NULL) {
		conf_error(a->r, s->value_at, NULL, "out of memory");
	} else if (a->conf->role == CONF_CLIENT) {
		apply_server(a, s);
	} else if (conf_is_server(a->conf)) {
		a->first[SERVER_BIND] = s;
		apply_server_bind(a, s);
	} else if (a->conf->role == CONF_RELAY) {
		conf_warning(a->r, s->value_at, NULL,
			     "%s has no effect in a relay", s->name);
	}
}

static void set_defaults(struct conf *conf)
{
	conf->mtu = DEFAULT_MTU;
	conf->refresh = DEFAULT_REFRESH;
	conf->facility = LOG_DAEMON;
	conf->prefix = addr_default_prefix();
	if (conf->role == CONF_CLIENT) {
		strcpy(conf->ifname, "teredo");
		conf->discovery = TEREDO_DISCOVERY_NAT;
	}
	if (conf->role == CONF_RELAY || conf->role == CONF_SERVER_RELAY)
		strcpy(conf->ifname, "miredo0");
}

void conf_apply(struct conf *conf, enum conf_program program,
		const struct conf_setting *settings, size_t n,
		const char *server_name, struct conf_report *r)
{
	struct applying a = {
		.conf = conf,
		.r = r,
		.program = program,
		.server_name = server_name,
	};
	struct conf_setting named = {.name = "SERVER_NAME"};

	conf->role = find_role(program, settings, n);
	set_defaults(conf);
	if (server_name != NULL)
		apply_server_name(&a, &named);
	for (size_t i = 0; i < n; i++) {
		unsigned d = find_directive(settings[i].name);

		if (!counts(&a, d, &settings[i]))
			continue;
		if (a.first[d] == NULL)
			a.first[d] = &settings[i];
		if (settings[i].value != NULL)
			directives[d].apply(&a, &settings[i]);
	}
	if (conf->role == CONF_CLIENT)
		finish_client(&a);
	if (conf_is_server(conf))
		finish_server(&a);
	check_keys(&a);
	free(named.value);
}
