/*
 * conf_miredo.h - the front end: a text into directives, in either syntax
 */
#ifndef MIREDO_CONF_MIREDO_H
#define MIREDO_CONF_MIREDO_H

#include <stdbool.h>

#include "conf_report.h"

/* One directive as it stands in the text. */
struct conf_line {
	struct conf_span name;
	/* Miredo's: without quotes. libconfuse's: all from the "=" on. at
	 * NULL: there is none. */
	struct conf_span value;
	struct conf_span rest; /* what Miredo ignores; or at NULL */
	bool confuse;	       /* Name = value */
	const char *problem;   /* NULL, or why it cannot be read */
	struct conf_span problem_at;
};

/* Reads the next directive from *at, which must not be behind `end`, and moves
 * *at behind it. false: there is no more. The text has no NUL in it. */
bool conf_miredo_next(const char **at, const char *end, struct conf_line *line);

/* The directive `line`, libconfuse's, as a string with its comments blanked:
 * all that libconfuse's lexer can be trusted with. The caller frees it; NULL:
 * out of memory. */
char *conf_miredo_statement(const struct conf_line *line);

#endif
