/*
 * conf_miredo.c - the front end: a text into directives, in either syntax
 *
 * Miredo's syntax is a directive a line: a name, blanks, a value without
 * blanks; what follows the value is ignored, so that comments work there.
 * A value may also stand in quotes. libconfuse refuses all of that, names
 * wrong lines and knows no columns; so the text is taken apart here, with the
 * place of each part kept as a pointer.
 *
 * The syntax is told apart directive by directive, not file by file: where
 * "=" or "+=" follows the name, the directive is libconfuse's, otherwise it
 * is Miredo's. One slip in an old file then stays one error. libconfuse's
 * directives end with their line too, unless a "{" is open.
 *
 * Invariant: what conf_miredo_statement() gives leaves libconfuse's lexer in
 * its start state. The lexer (3.3) keeps its state when a piece ends: an open
 * quote or a bad escape in one directive swallows the next ones; and it counts
 * a line for each comment and allows none within a list. So comments are ours
 * in both syntaxes, and open quotes, "\" within quotes and "${" (environment
 * variables) are refused here.
 *
 * Which names exist and what values mean is elsewhere (conf_directive.c).
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "conf_miredo.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static bool starts(const char *s, const char *end, const char *with)
{
	size_t n = strlen(with);

	return (size_t)(end - s) >= n && memcmp(s, with, n) == 0;
}

static const char *skip_blanks(const char *s, const char *end)
{
	while (s < end && is_blank(*s))
		s++;
	return s;
}

static const char *line_end(const char *s, const char *end)
{
	const char *nl;

	assert(s != NULL);
	nl = memchr(s, '\n', (size_t)(end - s));
	return nl != NULL ? nl : end;
}

static bool is_line_comment(const char *s, const char *end)
{
	return starts(s, end, "#") || starts(s, end, "//");
}

/* Where the comment at s ends; s if there is none, NULL if it is open. */
static const char *skip_comment(const char *s, const char *end)
{
	if (is_line_comment(s, end))
		return line_end(s, end);
	if (!starts(s, end, "/*"))
		return s;
	s = memmem(s + 2, (size_t)(end - s - 2), "*/", 2);
	return s == NULL ? NULL : s + 2;
}

static void set_problem(struct conf_line *line, const char *at, size_t len,
			const char *problem)
{
	if (line->problem != NULL)
		return;
	line->problem = problem;
	line->problem_at = (struct conf_span){at, len};
}

/* ---- Miredo's syntax ---- */

/* The value at s, up to the line's end: what follows it, or NULL if its quote
 * is open. */
static const char *take_value(const char *s, const char *end,
			      struct conf_span *value)
{
	const char *from = s;

	if (*s == '"' || *s == '\'') {
		s = memchr(from + 1, *from, (size_t)(end - from - 1));
		if (s == NULL)
			return NULL;
		*value = (struct conf_span){from + 1, (size_t)(s - from - 1)};
		return s + 1;
	}
	while (s < end && !is_blank(*s))
		s++;
	*value = (struct conf_span){from, (size_t)(s - from)};
	return s;
}

/* s: behind the name and blanks. end: the line's. */
static void read_miredo(const char *s, const char *end, struct conf_line *line)
{
	const char *from = s;

	if (s == end || is_line_comment(s, end))
		return;
	s = take_value(s, end, &line->value);
	if (s == NULL) {
		set_problem(line, from, 1, "this quote is not closed");
		return;
	}
	s = skip_blanks(s, end);
	if (s == end || is_line_comment(s, end))
		return;
	while (end > s && is_blank(end[-1]))
		end--;
	line->rest = (struct conf_span){s, (size_t)(end - s)};
}

/* ---- libconfuse's syntax ---- */

static const char *skip_quoted(const char *s, const char *end,
			       struct conf_line *line)
{
	const char *eol = line_end(s, end);
	const char *close = memchr(s + 1, *s, (size_t)(eol - s - 1));
	const char *escape;

	if (close == NULL) {
		set_problem(line, s, 1, "this quote is not closed");
		return eol;
	}
	escape = memchr(s, '\\', (size_t)(close - s));
	if (escape != NULL)
		set_problem(line, escape, 1, "no value has a backslash in it");
	return close + 1;
}

static const char *skip_unquoted(const char *s, const char *end)
{
	while (s < end && strchr(" #\"'\t\n\r={}()+,*", *s) == NULL)
		s++;
	return s;
}

/*
 * One step of a directive in libconfuse's syntax: what s points to is a
 * comment, a quoted or an unquoted value, or a single character.
 */
static const char *skip_part(const char *s, const char *end, int *open,
			     struct conf_line *line)
{
	const char *next = skip_comment(s, end);

	if (next == NULL) {
		set_problem(line, s, 2, "this comment is not closed");
		return line_end(s, end);
	}
	if (next > s)
		return next;
	if (*s == '"' || *s == '\'')
		return skip_quoted(s, end, line);
	*open += (*s == '{') - (*s == '}');
	next = skip_unquoted(s, end);
	return next > s ? next : s + 1;
}

/* s: at the "=" or "+=". Returns where the directive ends. */
static const char *read_confuse(const char *s, const char *end,
				struct conf_line *line)
{
	const char *from = s, *first = s + (*s == '+') + 1;
	const char *last = first, *dollar, *brace = first;
	int open = 0;

	line->confuse = true;
	for (s = first; s < end && (*s != '\n' || open > 0);) {
		bool value = !is_blank(*s) && *s != '\n' &&
			     skip_comment(s, end) == s;

		if (*s == '{' && open == 0)
			brace = s;
		if (*s == '=' && open == 0)
			set_problem(line, s, 1,
				    "one \"=\" too many: a directive a line");
		s = skip_part(s, end, &open, line);
		if (value)
			last = s;
	}
	if (open > 0) {
		set_problem(line, brace, 1, "this brace is not closed");
		s = line_end(brace, end);
	}
	dollar = memmem(from, (size_t)(last - from), "${", 2);
	if (dollar != NULL)
		set_problem(line, dollar, 2,
			    "environment variables are not expanded");
	if (last > first || line->problem != NULL)
		line->value = (struct conf_span){from, (size_t)(last - from)};
	return s;
}

char *conf_miredo_statement(const struct conf_line *line)
{
	const char *from = line->name.at;
	const char *end = line->value.at + line->value.len;
	char *copy = strndup(from, (size_t)(end - from));
	struct conf_line ignored = {.name = line->name};
	int open = 0;

	assert(line->value.at != NULL);
	if (copy == NULL)
		return NULL;
	for (const char *s = line->value.at, *next; s < end; s = next) {
		bool comment = skip_comment(s, end) != s;

		next = skip_part(s, end, &open, &ignored);
		for (; comment && s < next; s++)
			copy[s - from] = ' ';
	}
	return copy;
}

/* ---- both ---- */

/* Skips blanks, empty lines and comments between directives. */
static const char *skip_between(const char *s, const char *end,
				struct conf_line *line)
{
	for (;;) {
		const char *next;

		while (s < end && (is_blank(*s) || *s == '\n'))
			s++;
		next = skip_comment(s, end);
		if (next == s)
			return s;
		if (next == NULL) {
			set_problem(line, s, 2, "this comment is not closed");
			return s;
		}
		s = next;
	}
}

bool conf_miredo_next(const char **at, const char *end, struct conf_line *line)
{
	const char *s, *eol;

	*line = (struct conf_line){.problem = NULL};
	s = skip_between(*at, end, line);
	*at = eol = line_end(s, end);
	if (s == end)
		return false;
	line->name.at = s;
	if (line->problem != NULL)
		return true;
	while (s < eol && !is_blank(*s) && *s != '=' && !starts(s, eol, "+="))
		s++;
	line->name.len = (size_t)(s - line->name.at);
	s = skip_blanks(s, eol);
	if (starts(s, eol, "=") || starts(s, eol, "+="))
		*at = read_confuse(s, end, line);
	else
		read_miredo(s, eol, line);
	return true;
}
