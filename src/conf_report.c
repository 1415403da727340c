/*
 * conf_report.c - errors and warnings about a text, with place and caret
 *
 * The form is the one of compilers, so that editors jump to the place:
 *
 *	miredo.conf:3:10: error: BindPort 99999 is out of range 0-65535
 *	    3 | BindPort 99999
 *	      |          ^~~~~
 *
 * Notes are collected and sorted by their place, because some things are only
 * known when the whole text has been read (the role, what is missing). Places
 * are kept as pointers into the text; lines are counted once, when written.
 *
 * The text is not to be trusted on a terminal: control characters are shown
 * as "?". Tabs are repeated under the caret, so that it stands right whatever
 * their width. Columns count octets; a UTF-8 character takes one cell.
 */
#include "config.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf_report.h"

#define LINE_SHOWN_MAX 200 /* longer lines are not repeated */

struct conf_note {
	struct conf_span where;
	size_t number;
	bool error;
	char *text, *hint; /* NULL: none, or out of memory */
};

void conf_report_begin(struct conf_report *r, const char *file,
		       const char *text, size_t len)
{
	*r = (struct conf_report){
		.file = file,
		.text = text,
		.end = text + len,
	};
}

static struct conf_note *add(struct conf_report *r)
{
	if (r->n == r->room) {
		size_t room = r->room ? 2 * r->room : 16;
		struct conf_note *notes =
			reallocarray(r->notes, room, sizeof(*notes));

		if (notes == NULL)
			return NULL;
		r->notes = notes;
		r->room = room;
	}
	r->notes[r->n] = (struct conf_note){.number = r->n};
	return &r->notes[r->n++];
}

/* Without memory a note loses its text, but an error is always counted. */
__attribute__((format(printf, 5, 0))) static void
note(struct conf_report *r, struct conf_span where, bool error,
     const char *hint, const char *fmt, va_list ap)
{
	struct conf_note *new = add(r);

	r->errors += error;
	if (new == NULL)
		return;
	new->where = where;
	new->error = error;
	if (vasprintf(&new->text, fmt, ap) < 0)
		new->text = NULL;
	new->hint = hint == NULL ? NULL : strdup(hint);
}

void conf_error(struct conf_report *r, struct conf_span where, const char *hint,
		const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(r, where, true, hint, fmt, ap);
	va_end(ap);
}

void conf_warning(struct conf_report *r, struct conf_span where,
		  const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(r, where, false, hint, fmt, ap);
	va_end(ap);
}

/* Goes on from place p of `from` to the place of `to`. */
static struct conf_place place_after(struct conf_place p, const char *from,
				     const char *to)
{
	for (; from < to; from++) {
		p.column++;
		if (*from == '\n') {
			p.line++;
			p.column = 1;
		}
	}
	return p;
}

struct conf_place conf_report_place(const struct conf_report *r, const char *at)
{
	if (at == NULL)
		return (struct conf_place){0, 0};
	return place_after((struct conf_place){1, 1}, r->text, at);
}

static int by_place(const void *a, const void *b)
{
	const struct conf_note *x = a, *y = b;
	/* no place: NULL - 1 is behind everything */
	uintptr_t px = (uintptr_t)x->where.at - 1;
	uintptr_t py = (uintptr_t)y->where.at - 1;

	if (px != py)
		return px < py ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

/* Text of a message, or a source line: never a control character. */
static void put_text(const char *s, const char *end, FILE *err)
{
	for (; s < end; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			putc('?', err);
		else
			putc(c, err);
	}
}

static void put_caret(const char *line, struct conf_span where,
		      const char *line_end, const char *hint, FILE *err)
{
	const char *end = where.at + where.len;

	fputs("      | ", err);
	for (const char *s = line; s < where.at; s++)
		if (((unsigned char)*s & 0xc0) != 0x80)
			putc(*s == '\t' ? '\t' : ' ', err);
	putc('^', err);
	if (end > line_end)
		end = line_end;
	for (const char *s = where.at + 1; s < end; s++)
		if (((unsigned char)*s & 0xc0) != 0x80)
			putc('~', err);
	if (hint != NULL) {
		fputs("  ", err);
		put_text(hint, hint + strlen(hint), err);
	}
	putc('\n', err);
}

static void put_source(const struct conf_report *r, const struct conf_note *n,
		       struct conf_place p, FILE *err)
{
	const char *line = n->where.at - (p.column - 1);
	const char *end = memchr(line, '\n', (size_t)(r->end - line));

	if (end == NULL)
		end = r->end;
	if (end > line && end[-1] == '\r' && end > n->where.at)
		end--;
	if (end - line > LINE_SHOWN_MAX) {
		if (n->hint != NULL)
			fprintf(err, "      | %s\n", n->hint);
		return;
	}
	fprintf(err, "%5u | ", p.line);
	put_text(line, end, err);
	putc('\n', err);
	put_caret(line, n->where, end, n->hint, err);
}

static void put_note(const struct conf_report *r, const struct conf_note *n,
		     struct conf_place p, FILE *err)
{
	const char *text = n->text != NULL ? n->text : "out of memory";

	fputs(r->file, err);
	if (n->where.at != NULL)
		fprintf(err, ":%u:%u", p.line, p.column);
	fputs(n->error ? ": error: " : ": warning: ", err);
	put_text(text, text + strlen(text), err);
	putc('\n', err);
	if (n->where.at != NULL)
		put_source(r, n, p, err);
	else if (n->hint != NULL)
		fprintf(err, "      | %s\n", n->hint);
}

int conf_report_end(struct conf_report *r, FILE *err)
{
	struct conf_place p = {1, 1};
	const char *at = r->text;

	if (r->n > 0)
		qsort(r->notes, r->n, sizeof(*r->notes), by_place);
	for (size_t i = 0; i < r->n; i++) {
		struct conf_note *n = &r->notes[i];

		if (n->where.at != NULL) {
			p = place_after(p, at, n->where.at);
			at = n->where.at;
		}
		put_note(r, n, p, err);
		free(n->text);
		free(n->hint);
	}
	free(r->notes);
	r->notes = NULL;
	r->n = r->room = 0;
	return r->errors;
}
