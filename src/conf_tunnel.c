/*
 * conf_tunnel.c - directives of client and relay: interface, UDP socket, peers
 */
#include "config.h"

#include <string.h>

#include "conf_directive.h"

#define MIN_PEERS 64
#define MAX_PEERS (1u << 24)

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
