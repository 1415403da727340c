/*
 * conf_report.h - errors and warnings about a text, with place and caret
 */
#ifndef MIREDO_CONF_REPORT_H
#define MIREDO_CONF_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "conf.h"

/* A part of the text; at NULL: no place in it. */
struct conf_span {
	const char *at;
	size_t len;
};

struct conf_note;

struct conf_report {
	const char *file; /* its name in messages */
	const char *text, *end;
	int errors;
	size_t n, room;
	struct conf_note *notes;
};

/* Begins a report on len octets of text, which stay the caller's. */
void conf_report_begin(struct conf_report *r, const char *file,
		       const char *text, size_t len);

/*
 * Notes an error or a warning about `where`. The hint, when not NULL, goes
 * beside the caret: what is allowed, what was probably meant.
 */
void conf_error(struct conf_report *r, struct conf_span where, const char *hint,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void conf_warning(struct conf_report *r, struct conf_span where,
		  const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Line and column of a place in the text, both from 1; {0, 0} of NULL. */
struct conf_place conf_report_place(const struct conf_report *r,
				    const char *at);

/* Writes all notes in the text's order, those without a place last, and
 * releases them. Returns the number of errors. */
int conf_report_end(struct conf_report *r, FILE *err);

#endif
