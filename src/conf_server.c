/*
 * conf_server.c - directives of a server
 *
 * A server's own addresses are what it binds to; where a NAT translates them
 * one to one, the public ones are said beside. Names are taken as they are:
 * what they mean is found by the resolver, and checked then.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "../libteredo/addr.h"
#include "conf_directive.h"

void conf_server_bind(struct conf_applying *a, const struct conf_setting *s)
{
	if (!conf_value_host(a->r, s, false))
		return;
	strcpy(a->conf->server_bind, s->value);
	a->conf->server_bind_place = conf_apply_place(a, s);
}

void conf_server_bind2(struct conf_applying *a, const struct conf_setting *s)
{
	a->conf->server_single = strcasecmp(s->value, "none") == 0;
	if (a->conf->server_single || !conf_value_host(a->r, s, false))
		return;
	strcpy(a->conf->server_bind2, s->value);
	a->conf->server_bind2_place = conf_apply_place(a, s);
}

void conf_server_public(struct conf_applying *a, const struct conf_setting *s)
{
	if (!conf_value_host(a->r, s, true))
		return;
	strcpy(a->conf->server_public, s->value);
	a->conf->server_public_place = conf_apply_place(a, s);
}

void conf_server_public2(struct conf_applying *a, const struct conf_setting *s)
{
	if (!conf_value_host(a->r, s, true))
		return;
	strcpy(a->conf->server_public2, s->value);
	a->conf->server_public2_place = conf_apply_place(a, s);
}

void conf_server_require_auth(struct conf_applying *a,
			      const struct conf_setting *s)
{
	static const struct conf_word answers[] = {
		{"yes", true, false},
		{"no", false, false},
	};
	const struct conf_word *answer = conf_value_word(a->r, s, answers, 2);

	if (answer != NULL)
		a->conf->require_auth = answer->value;
}

/* A server's own address is global, or the public one is given. */
static void check_public(struct conf_applying *a, const char *address,
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
static void check_differ(struct conf_applying *a, const struct conf_setting *s,
			 const char *second, const char *first)
{
	if (s != NULL && second[0] != '\0' && strcasecmp(second, first) == 0)
		conf_error(a->r, s->value_at,
			   "a server with one address: ServerBindAddress2 none",
			   "%s is the same address as the first", s->name);
}

void conf_server_finish(struct conf_applying *a)
{
	const struct conf_setting *bind, *bind2, *public, *public2;
	struct conf *conf = a->conf;

	bind = conf_apply_first(a, "ServerBindAddress");
	bind2 = conf_apply_first(a, "ServerBindAddress2");
	public = conf_apply_first(a, "ServerPublicAddress");
	public2 = conf_apply_first(a, "ServerPublicAddress2");
	if (bind == NULL)
		conf_error(a->r, (struct conf_span){NULL, 0}, NULL,
			   "no ServerBindAddress set. It is the IPv4 address "
			   "of this host that clients shall use");
	check_public(a, conf->server_bind, bind, public != NULL);
	check_public(a, conf->server_bind2, bind2,
		     public != NULL || public2 != NULL);
	check_differ(a, bind2, conf->server_bind2, conf->server_bind);
	check_differ(a, public2, conf->server_public2, conf->server_public);
	if (conf->server_single && public2 != NULL)
		conf_warning(a->r, public2->name_at, NULL,
			     "ServerPublicAddress2 has no effect with "
			     "ServerBindAddress2 none");
}
