/*
 * conf_apply.c - settings into struct conf
 *
 * The role is found first, since RelayType may stand anywhere; then the
 * settings are taken in the text's order, each by the function that the table
 * of directives names (conf_directive.c); then what only the whole can tell is
 * checked (what is missing, which addresses need a public one).
 *
 * Compatible with Miredo 1.2.6: the first of several values counts, the others
 * are said; a directive of another role is said and ignored, its value unread.
 *
 * An unknown directive is an error (Miredo: a warning, if it got that far),
 * and no server is compiled in. Names are resolved later, by the resolver.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#include "../libteredo/addr.h"
#include "conf_apply.h"
#include "conf_directive.h"

#define DEFAULT_REFRESH 30 /* s, X-REF-02 */
#define CLIENT_PEERS	4096
#define RELAY_PEERS	65536

struct conf_place conf_apply_place(const struct conf_applying *a,
				   const struct conf_setting *s)
{
	return conf_report_place(a->r, s->value_at.at);
}

const struct conf_setting *conf_apply_first(const struct conf_applying *a,
					    const char *name)
{
	return a->first[conf_directive_find(name)];
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

void conf_apply_type(struct conf_applying *a, const struct conf_setting *s)
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

/* ---- directives ---- */

const char *conf_apply_name(unsigned i)
{
	return conf_directives[i].name;
}

static const char *directive_name(const void *words, unsigned i)
{
	(void)words;
	return conf_directives[i].name;
}

void conf_apply_unknown(struct conf_report *r, struct conf_span name)
{
	const char *near;
	char hint[64];
	unsigned n = 0;

	while (conf_directives[n].name != NULL)
		n++;
	near = conf_value_near(name.at, name.len, n, directive_name, NULL);
	if (near != NULL)
		snprintf(hint, sizeof(hint), "did you mean \"%s\"?", near);
	conf_error(r, name, near != NULL ? hint : NULL,
		   "unknown directive \"%.*s\"",
		   (int)(name.len < 64 ? name.len : 64), name.at);
}

/* Whether the setting of directive d counts; says why it does not. */
static bool counts(struct conf_applying *a, unsigned d,
		   const struct conf_setting *s)
{
	static const char *const roles[] = {"", "client", "relay", "server",
					    "server-relay"};
	const struct conf_directive *dir = &conf_directives[d];
	enum conf_role role = a->conf->role;

	if (dir->apply == NULL)
		conf_warning(a->r, s->name_at, NULL,
			     "%s is not supported and has no effect",
			     dir->name);
	else if (role != 0 && (dir->roles & 1u << role) == 0)
		conf_warning(a->r, s->name_at, NULL, "%s has no effect in a %s",
			     dir->name, roles[role]);
	else if (a->server_name != NULL && (dir->traits & NAMED) != 0)
		conf_warning(a->r, s->name_at, NULL,
			     "%s has no effect: the command line names %s",
			     dir->name, a->server_name);
	else if (a->first[d] != NULL && (dir->traits & REPEATS) == 0)
		conf_warning(a->r, s->name_at, NULL,
			     "%s is set again: the value of line %u is used",
			     dir->name, conf_apply_place(a, a->first[d]).line);
	else
		return true;
	return false;
}

/* The command line's SERVER_NAME, as if it stood in the file. */
static void apply_server_name(struct conf_applying *a, struct conf_setting *s)
{
	s->value = strdup(a->server_name);
	if (s->value == NULL) {
		conf_error(a->r, s->value_at, NULL, "out of memory");
	} else if (a->conf->role == CONF_CLIENT) {
		conf_client_server(a, s);
	} else if (conf_is_server(a->conf)) {
		a->first[conf_directive_find("ServerBindAddress")] = s;
		conf_server_bind(a, s);
	} else if (a->conf->role == CONF_RELAY) {
		conf_warning(a->r, s->value_at, NULL,
			     "%s has no effect in a relay", s->name);
	}
}

static void set_defaults(struct conf *conf)
{
	conf->mtu = TEREDO_MTU;
	conf->refresh = DEFAULT_REFRESH;
	conf->facility = LOG_DAEMON;
	conf->prefix = addr_default_prefix();
	if (conf->role == CONF_CLIENT) {
		strcpy(conf->ifname, "teredo");
		conf->discovery = TEREDO_DISCOVERY_NAT;
		conf->max_peers = CLIENT_PEERS;
	}
	if (conf->role == CONF_RELAY || conf->role == CONF_SERVER_RELAY) {
		strcpy(conf->ifname, "miredo0");
		conf->max_peers = RELAY_PEERS;
	}
}

void conf_apply(struct conf *conf, enum conf_program program,
		const struct conf_setting *settings, size_t n,
		const char *server_name, struct conf_report *r)
{
	struct conf_applying a = {
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
		unsigned d = conf_directive_find(settings[i].name);

		if (!counts(&a, d, &settings[i]))
			continue;
		if (a.first[d] == NULL) {
			a.first[d] = &settings[i];
			conf->line[d] = conf_apply_place(&a, a.first[d]).line;
		}
		if (settings[i].value != NULL)
			conf_directives[d].apply(&a, &settings[i]);
	}
	if (conf->role == CONF_CLIENT)
		conf_client_finish(&a);
	if (conf_is_server(conf))
		conf_server_finish(&a);
	conf_common_finish(&a);
	free(named.value);
}
