/*
 * conf_client.c - directives of a client
 *
 * Beyond Miredo: ServerAddress repeats, in failover order, and ServerAddress2
 * belongs to the one before it (to the first, if it stands before all).
 */
#include "config.h"

#include <assert.h>
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

void conf_client_finish(struct conf_applying *a)
{
	if (a->conf->n_servers > 0 && a->early2 != NULL)
		set_second(a, &a->conf->server[0], a->early2);
	if (conf_apply_first(a, "ServerAddress") == NULL &&
	    a->server_name == NULL)
		conf_error(a->r, (struct conf_span){NULL, 0}, NULL,
			   CONF_NO_SERVER);
}
