/*
 * conf_common.c - directives that several roles share
 */
#include "config.h"

#include <assert.h>
#include <string.h>

#include "../libteredo/addr.h"
#include "../libteredo/teredo.h"
#include "conf_directive.h"

#define MAX_MTU 65507 /* A-MTU-04 */

static_assert(CONF_ACCESS == ACCESS4_MAX, "all rules fit");

void conf_common_prefix(struct conf_applying *a, const struct conf_setting *s)
{
	conf_value_prefix(a->r, s, &a->conf->prefix);
}

void conf_common_mtu(struct conf_applying *a, const struct conf_setting *s)
{
	conf_value_number(a->r, s, TEREDO_MTU, MAX_MTU, &a->conf->mtu);
}

void conf_common_sunset(struct conf_applying *a, const struct conf_setting *s)
{
	conf_value_date(a->r, s, &a->conf->sunset);
}

void conf_common_key_file(struct conf_applying *a, const struct conf_setting *s)
{
	if (!conf_value_path(a->r, s))
		return;
	strcpy(a->conf->key_file, s->value);
	a->conf->key_file_place = conf_apply_place(a, s);
}

void conf_common_facility(struct conf_applying *a, const struct conf_setting *s)
{
	const struct conf_word *words;
	unsigned n = conf_value_facilities(&words);
	const struct conf_word *facility = conf_value_word(a->r, s, words, n);

	if (facility != NULL)
		a->conf->facility = facility->value;
}

void conf_common_datapath(struct conf_applying *a, const struct conf_setting *s)
{
	static const struct conf_word words[] = {
		{"auto", CONF_DATAPATH_AUTO, false},
		{"offload", CONF_DATAPATH_OFFLOAD, false},
		{"plain", CONF_DATAPATH_PLAIN, false},
	};
	const struct conf_word *word = conf_value_word(a->r, s, words, 3);

	if (word != NULL)
		a->conf->datapath = (enum conf_datapath)word->value;
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

void conf_common_allow(struct conf_applying *a, const struct conf_setting *s)
{
	add_access(a, s, true);
}

void conf_common_deny(struct conf_applying *a, const struct conf_setting *s)
{
	add_access(a, s, false);
}

/* These mean nothing without keys; that one of them does harm. */
void conf_common_finish(struct conf_applying *a)
{
	const struct conf_setting *id = conf_apply_first(a, "ClientIdentifier");

	if (conf_apply_first(a, "KeyFile") != NULL)
		return;
	if (id != NULL)
		conf_error(a->r, id->name_at, NULL,
			   "ClientIdentifier needs a KeyFile");
	if (a->conf->require_auth)
		conf_error(a->r,
			   conf_apply_first(a, "RequireAuthentication")->name_at,
			   NULL, "RequireAuthentication needs a KeyFile");
}
