/*
 * conf_apply.h - what directives mean: settings into struct conf
 */
#ifndef MIREDO_CONF_APPLY_H
#define MIREDO_CONF_APPLY_H

#include <stddef.h>

#include "conf.h"
#include "conf_value.h"

/* What a client says that knows no server (none is compiled in). */
#define CONF_NO_SERVER                                                         \
	"no ServerAddress set. Public Teredo servers are gone; "               \
	"run your own: miredo-setup server, or try: miredo-demo"

/* The i-th directive's name, or NULL behind the last. */
const char *conf_apply_name(unsigned i);

/* Notes an unknown directive, with the one that was probably meant. */
void conf_apply_unknown(struct conf_report *r, struct conf_span name);

/*
 * Fills *conf with the defaults and with n settings, in their order in the
 * text; says in the report what is wrong, missing or without effect.
 * server_name: the command line's, or NULL.
 */
void conf_apply(struct conf *conf, enum conf_program program,
		const struct conf_setting *settings, size_t n,
		const char *server_name, struct conf_report *r);

#endif
