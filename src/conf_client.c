/*
 * conf_client.c - directives of a client
 *
 * Beyond Miredo: ServerAddress repeats, in failover order, and ServerAddress2
 * belongs to the one before it (to the first, if it stands before all).
 */
#include "config.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../libteredo/teredo.h"
#include "conf_apply.h"
#include "conf_directive.h"
#include "keys.h"

#define MIN_REFRESH 5 /* s */
#define MAX_REFRESH 600

static_assert(CONF_ID_MAX == AUTH_ID_MAX + 1, "identifiers fit");

void conf_client_server(struct conf_applying *a, const struct conf_setting *s)
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
	server->place = conf_apply_place(a, s);
	conf->n_servers++;
}

/* Gives `server` the second address s, unless it has one. */
static void set_second(struct conf_applying *a, struct conf_server *server,
		       const struct conf_setting *s)
{
	if (server->name2[0] != '\0') {
		conf_warning(a->r, s->name_at, NULL,
			     "another ServerAddress2 counts for %s",
			     server->name);
		return;
	}
	strcpy(server->name2, s->value);
	server->place2 = conf_apply_place(a, s);
}

void conf_client_server2(struct conf_applying *a, const struct conf_setting *s)
{
	struct conf *conf = a->conf;

	if (!conf_value_host(a->r, s, true))
		return;
	if (conf->n_servers > 0)
		set_second(a, &conf->server[conf->n_servers - 1], s);
	else if (a->early2 == NULL)
		a->early2 = s;
}

/* X-REF-01, RFC 4380 5.2.7 */
void conf_client_refresh(struct conf_applying *a, const struct conf_setting *s)
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

/* The words are those of Miredo's unreleased branch. */
void conf_client_discovery(struct conf_applying *a,
			   const struct conf_setting *s)
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

void conf_client_id(struct conf_applying *a, const struct conf_setting *s)
{
	if (keys_is_id(s->value, strlen(s->value)))
		strcpy(a->conf->client_id, s->value);
	else
		conf_error(a->r, s->value_at, NULL,
			   "an identifier is 1 to %d letters, digits and "
			   ".-_+@:", AUTH_ID_MAX);
}

void conf_client_native(struct conf_applying *a, const struct conf_setting *s)
{
	static const struct conf_word words[] = {
		{"relay", CONF_NATIVE_RELAY, false},
		{"sleep", CONF_NATIVE_SLEEP, false},
		{"ignore", CONF_NATIVE_IGNORE, false},
	};
	const struct conf_word *word = conf_value_word(a->r, s, words, 3);

	if (word != NULL)
		a->conf->native = (enum conf_native)word->value;
}

void conf_client_firewall(struct conf_applying *a,
			  const struct conf_setting *s)
{
	static const struct conf_word words[] = {
		{"enabled", true, false},
		{"disabled", false, false},
	};
	const struct conf_word *word = conf_value_word(a->r, s, words, 2);

	if (word != NULL)
		a->conf->firewall = word->value;
}

/* A number up to `max`, and what is behind it; NULL: none. */
static const char *read_number(const char *text, unsigned long max,
			       unsigned long *n)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return NULL;
	*n = strtoul(text, &end, 10);
	return *n <= max ? end : NULL;
}

/* "tcp/22", "udp/5060-5069" or "any"; what is behind it, or NULL. */
static const char *read_service(const char *text, struct conf_inbound *rule)
{
	unsigned long first = 0, last;

	if (strncasecmp(text, "any", 3) == 0)
		return text + 3;
	if (strncasecmp(text, "tcp/", 4) == 0)
		rule->protocol = CONF_INBOUND_TCP;
	else if (strncasecmp(text, "udp/", 4) == 0)
		rule->protocol = CONF_INBOUND_UDP;
	else
		return NULL;
	text = read_number(text + 4, UINT16_MAX, &first);
	last = first;
	if (text != NULL && *text == '-')
		text = read_number(text + 1, UINT16_MAX, &last);
	if (text == NULL || first == 0 || last < first)
		return NULL;
	rule->first = (uint16_t)first;
	rule->last = (uint16_t)last;
	return text;
}

/* "2001:db8::/32" or "2001:db8::1" */
static bool read_source(const char *text, struct conf_inbound *rule)
{
	size_t len = strcspn(text, "/");
	char addr[INET6_ADDRSTRLEN] = "";
	unsigned long bits = 128;

	if (len >= sizeof(addr))
		return false;
	memcpy(addr, text, len);
	if (inet_pton(AF_INET6, addr, rule->addr) != 1)
		return false;
	if (text[len] == '/') {
		text = read_number(text + len + 1, 128, &bits);
		if (text == NULL || *text != '\0')
			return false;
	}
	rule->bits = (uint8_t)bits;
	return bits > 0;
}

void conf_client_inbound(struct conf_applying *a, const struct conf_setting *s)
{
	struct conf *conf = a->conf;
	struct conf_inbound rule = {.protocol = CONF_INBOUND_ANY,
				    .line = conf_apply_place(a, s).line};
	const char *rest = read_service(s->value, &rule);
	bool whole = rest != NULL && *rest == '\0' &&
		     rule.protocol != CONF_INBOUND_ANY;

	if (!whole && (rest == NULL || *rest != '@' ||
		       !read_source(rest + 1, &rule))) {
		conf_error(a->r, s->value_at,
			   "such as tcp/22, udp/5060-5069@2001:db8::/32 or "
			   "any@2001:db8::1",
			   "InboundAllow \"%s\" is no service or no source",
			   s->value);
		return;
	}
	if (conf->n_inbound == CONF_INBOUND)
		conf_error(a->r, s->value_at, NULL, "more than %d InboundAllow",
			   CONF_INBOUND);
	else
		conf->inbound[conf->n_inbound++] = rule;
}

/* The name stands in the firewall's rules. */
static void finish_firewall(struct conf_applying *a)
{
	const struct conf_setting *s = conf_apply_first(a, "InboundAllow");
	const char *plain = "abcdefghijklmnopqrstuvwxyz0123456789"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.-";

	if (s != NULL && !a->conf->firewall)
		conf_error(a->r, s->name_at, NULL,
			   "InboundAllow needs InboundFirewall enabled");
	if (a->conf->firewall &&
	    strspn(a->conf->ifname, plain) != strlen(a->conf->ifname))
		conf_error(a->r,
			   conf_apply_first(a, "InboundFirewall")->name_at,
			   "letters, digits, \"_\", \".\" and \"-\"",
			   "InboundFirewall needs a plain InterfaceName");
}

void conf_client_finish(struct conf_applying *a)
{
	if (a->conf->n_servers > 0 && a->early2 != NULL)
		set_second(a, &a->conf->server[0], a->early2);
	if (conf_apply_first(a, "ServerAddress") == NULL &&
	    a->server_name == NULL)
		conf_error(a->r, (struct conf_span){NULL, 0}, NULL,
			   CONF_NO_SERVER);
	finish_firewall(a);
}
