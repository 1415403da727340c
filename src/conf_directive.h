/*
 * conf_directive.h - what each directive means: the table and its functions
 *
 * One line per directive in conf_directive.c names the function that carries
 * it out. These are sorted by whom they concern: conf_common.c, conf_tunnel.c
 * (client and relay), conf_client.c, conf_server.c.
 */
#ifndef MIREDO_CONF_DIRECTIVE_H
#define MIREDO_CONF_DIRECTIVE_H

#include "conf.h"
#include "conf_value.h"

/* Settings being applied, in their order in the text. */
struct conf_applying {
	struct conf *conf;
	struct conf_report *r;
	enum conf_program program;
	const char *server_name;	/* the command line's, or NULL */
	/* by directive: the setting that counts */
	const struct conf_setting *first[CONF_DIRECTIVES_MAX];
	/* a ServerAddress2 before any ServerAddress */
	const struct conf_setting *early2;
};

/* Checks the value and puts it into a->conf; says what is wrong. */
typedef void conf_apply_fn(struct conf_applying *a,
			   const struct conf_setting *s);

/* For the table only. */
enum conf_roles {
	IN_CLIENT = 1 << CONF_CLIENT,
	IN_RELAY = 1 << CONF_RELAY,
	IN_BOTH = 1 << CONF_SERVER_RELAY,
	IN_SERVER = 1 << CONF_SERVER | IN_BOTH,
	IN_TUNNEL = IN_CLIENT | IN_RELAY,
	IN_ROUTING = IN_RELAY | IN_SERVER,
	IN_SECURE = IN_CLIENT | IN_SERVER,
	IN_ALL = IN_TUNNEL | IN_SERVER,
};

enum conf_traits {
	REPEATS = 1,	/* each counts, not only the first */
	NAMED = 2,	/* without effect beside the command line's server */
};

struct conf_directive {
	const char *name;	/* NULL behind the last */
	conf_apply_fn *apply;	/* NULL: known, but without effect */
	unsigned roles;		/* in which it has one: enum conf_roles */
	unsigned traits;	/* enum conf_traits */
};

extern const struct conf_directive conf_directives[];

/* The directive's index; it is one. */
unsigned conf_directive_find(const char *name);

/* ---- conf_apply.c ---- */

conf_apply_fn conf_apply_type;
/* The setting of that directive that counts, or NULL. */
const struct conf_setting *conf_apply_first(const struct conf_applying *a,
					    const char *name);
struct conf_place conf_apply_place(const struct conf_applying *a,
				   const struct conf_setting *s);

/* ---- conf_common.c ---- */

conf_apply_fn conf_common_prefix, conf_common_mtu, conf_common_sunset,
	conf_common_key_file, conf_common_facility, conf_common_datapath,
	conf_common_allow, conf_common_deny;
/* ..._finish(): what only the whole can tell. */
void conf_common_finish(struct conf_applying *a);

/* ---- conf_tunnel.c ---- */

conf_apply_fn conf_tunnel_name, conf_tunnel_address, conf_tunnel_port,
	conf_tunnel_scope, conf_tunnel_peers;

/* ---- conf_client.c ---- */

conf_apply_fn conf_client_server, conf_client_server2, conf_client_refresh,
	conf_client_discovery, conf_client_id, conf_client_native,
	conf_client_firewall, conf_client_inbound;
void conf_client_finish(struct conf_applying *a);

/* ---- conf_server.c ---- */

conf_apply_fn conf_server_bind, conf_server_bind2, conf_server_public,
	conf_server_public2, conf_server_require_auth;
void conf_server_finish(struct conf_applying *a);

#endif
