/*
 * conf_tunnel.c - directives of client and relay: interface, UDP socket, peers
 */
#include "config.h"

#include <assert.h>
#include <string.h>

#include "../libteredo/addr.h"
#include "conf_directive.h"

#define MIN_PEERS 64
#define MAX_PEERS (1u << 24)

static_assert(CONF_ACCESS == ACCESS4_MAX, "all rules fit");

void conf_tunnel_name(struct conf_applying *a, const struct conf_setting *s)
{
	if (conf_value_ifname(a->r, s))
		strcpy(a->conf->ifname, s->value);
}

void conf_tunnel_address(struct conf_applying *a, const struct conf_setting *s)
{
	struct conf *conf = a->conf;

	if (strcmp(s->value, "0.0.0.0") == 0)
		return;
	if (!conf_value_host(a->r, s, false))
		return;
	strcpy(conf->bind_address, s->value);
	conf->bind_address_place = conf_apply_place(a, s);
}

void conf_tunnel_port(struct conf_applying *a, const struct conf_setting *s)
{
	uint32_t port;

	if (!conf_value_number(a->r, s, 0, 65535, &port))
		return;
	a->conf->bind_port = (uint16_t)port;
	a->conf->bind_port_place = conf_apply_place(a, s);
}

void conf_tunnel_scope(struct conf_applying *a, const struct conf_setting *s)
{
	static const struct conf_word scopes[] = {
		{"host", true, false},
		{"router", false, false},
	};
	const struct conf_word *scope = conf_value_word(a->r, s, scopes, 2);

	if (scope != NULL)
		a->conf->host_local = scope->value;
}

void conf_tunnel_peers(struct conf_applying *a, const struct conf_setting *s)
{
	conf_value_number(a->r, s, MIN_PEERS, MAX_PEERS, &a->conf->max_peers);
}

/* Nobody is to be allowed where nobody can be. */
static bool can_be_allowed(const struct conf_access *rule)
{
	return rule->bits == 0 || ipv4_is_global(rule->ip) ||
	       (rule->bits >= 8 && ipv4_is_private(rule->ip));
}

static void add_access(struct conf_applying *a, const struct conf_setting *s,
		       bool allow)
{
	struct conf *conf = a->conf;
	struct conf_access *rule = &conf->access[conf->n_access];

	if (conf->n_access == CONF_ACCESS) {
		conf_error(a->r, s->value_at, NULL,
			   "more than %d PeerAllow and PeerDeny", CONF_ACCESS);
		return;
	}
	if (!conf_value_prefix4(a->r, s, &rule->ip, &rule->bits))
		return;
	rule->allow = allow;
	rule->line = conf_apply_place(a, s).line;
	for (unsigned i = 0; i < conf->n_access; i++)
		if (conf->access[i].ip == rule->ip &&
		    conf->access[i].bits == rule->bits &&
		    conf->access[i].allow != allow) {
			conf_error(a->r, s->value_at, NULL,
				   "%s is both allowed and denied", s->value);
			return;
		}
	if (allow && !can_be_allowed(rule)) {
		conf_error(a->r, s->value_at,
			   "public addresses, or 10.0.0.0/8, 172.16.0.0/12, "
			   "192.168.0.0/16 or a part of these",
			   "nobody can be at %s", s->value);
		return;
	}
	conf->n_access++;
}

void conf_tunnel_allow(struct conf_applying *a, const struct conf_setting *s)
{
	add_access(a, s, true);
}

void conf_tunnel_deny(struct conf_applying *a, const struct conf_setting *s)
{
	add_access(a, s, false);
}
