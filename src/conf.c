/*
 * conf.c - reads a configuration: text, libconfuse, meaning
 *
 *	text -> conf_miredo: directives with their places
 *	     -> libconfuse: values, in either syntax
 *	     -> conf_apply: struct conf, errors and warnings
 *
 * Miredo's directives are handed to libconfuse value by value, its own
 * (Name = value, Name = { a, b }) as a piece of its language. Both leave their
 * values in the same options, from where they are taken, with their places,
 * into a list of settings in the text's order.
 *
 * libconfuse stops at its first error and keeps a bad value; so each directive
 * is parsed alone, after an error its values are thrown away, and nothing
 * outlives a reading. Its line numbers are not used: a value's place is where
 * it is found in the directive, which is exact because the front end lets no
 * escapes pass.
 */
#include "config.h"

#include <assert.h>
#include <confuse.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf.h"
#include "conf_apply.h"
#include "conf_directive.h"
#include "conf_miredo.h"
#include "conf_report.h"

#define FILE_MAX    (1u << 20) /* longer is no configuration */
#define OPTIONS_MAX (CONF_DIRECTIVES_MAX + 1)
/* Not a directive: a variable of ours that receives libconfuse's messages. No
 * text can name it. */
#define MESSAGE "\n"

struct reading {
	struct conf_report *r;
	cfg_t *cfg;
	char *message;
	struct conf_setting *settings;
	size_t n, room;
};

static const struct conf_span nowhere = {NULL, 0};

/* ---- libconfuse ---- */

__attribute__((format(printf, 2, 0))) static void
keep_message(cfg_t *cfg, const char *fmt, va_list ap)
{
	char **message = cfg_getopt(cfg, MESSAGE)->simple_value.string;

	free(*message);
	if (vasprintf(message, fmt, ap) < 0)
		*message = NULL;
}

/* Every directive is a list of strings: what they mean comes later. */
static cfg_t *make_cfg(char **message)
{
	cfg_opt_t options[OPTIONS_MAX] = {
		CFG_SIMPLE_STR(MESSAGE, message),
	};
	const cfg_opt_t end = CFG_END();
	unsigned n = 0;
	cfg_t *cfg;

	for (const char *name; (name = conf_apply_name(n)) != NULL;) {
		const cfg_opt_t option =
			CFG_STR_LIST(name, NULL, CFGF_NODEFAULT);

		assert(n < OPTIONS_MAX - 2);
		options[++n] = option;
	}
	options[++n] = end;
	cfg = cfg_init(options, CFGF_NOCASE);
	if (cfg != NULL)
		cfg_set_error_function(cfg, keep_message);
	return cfg;
}

/* ---- settings ---- */

static bool make_room(struct reading *rd)
{
	size_t room = rd->room ? 2 * rd->room : 32;
	struct conf_setting *settings;

	if (rd->n < rd->room)
		return true;
	settings = reallocarray(rd->settings, room, sizeof(*settings));
	if (settings == NULL)
		return false;
	rd->settings = settings;
	rd->room = room;
	return true;
}

/* A setting whose value, if any, is copied. */
static void add_setting(struct reading *rd, const char *name, const char *value,
			struct conf_span name_at, struct conf_span value_at)
{
	char *copy = value == NULL ? NULL : strdup(value);

	if ((value != NULL && copy == NULL) || !make_room(rd)) {
		conf_error(rd->r, value_at, NULL, "out of memory");
		free(copy);
		return;
	}
	rd->settings[rd->n++] = (struct conf_setting){
		.name = name,
		.value = copy,
		.name_at = name_at,
		.value_at = value_at,
	};
}

/* Where `value` stands at or behind *from, which moves behind it. */
static struct conf_span find_value(const char *value, const char **from,
				   const char *end)
{
	size_t len = strlen(value);
	const char *at = memmem(*from, (size_t)(end - *from), value, len);

	if (at == NULL)
		return (struct conf_span){*from, 0};
	*from = at + len;
	return (struct conf_span){at, len};
}

/* An error in a directive that stays without a value. It still counts as set,
 * so that nobody is told that it is missing too. */
static void unreadable(struct reading *rd, const char *name,
		       const struct conf_line *line, struct conf_span at,
		       const char *why)
{
	if (name == NULL) {
		conf_error(rd->r, at, NULL, "%s", why);
		return;
	}
	conf_error(rd->r, at, NULL, "%s: %s", name, why);
	add_setting(rd, name, NULL, line->name, line->name);
}

/* Takes the values that libconfuse now holds out of it. */
static void take_values(struct reading *rd, const char *name,
			const struct conf_line *line)
{
	cfg_opt_t *option = cfg_getopt(rd->cfg, name);
	const char *from = line->value.at;
	const char *end = from + line->value.len;

	if (cfg_opt_size(option) == 0)
		unreadable(rd, name, line, line->name, "a value is missing");
	for (unsigned i = 0; i < cfg_opt_size(option); i++) {
		const char *value = cfg_opt_getnstr(option, i);

		add_setting(rd, name, value, line->name,
			    find_value(value, &from, end));
	}
}

/* ---- directives ---- */

/* Gives the directive to libconfuse; says what it does not like of it. */
static bool feed(struct reading *rd, const char *name,
		 const struct conf_line *line)
{
	char *text = line->confuse ? conf_miredo_statement(line)
				   : strndup(line->value.at, line->value.len);
	cfg_opt_t *option = cfg_getopt(rd->cfg, name);
	bool taken = false;

	if (text != NULL)
		taken = line->confuse
				? cfg_parse_buf(rd->cfg, text) == CFG_SUCCESS
				: cfg_setopt(rd->cfg, option, text) != NULL;
	if (!taken)
		unreadable(rd, name, line, line->value,
			   rd->message != NULL ? rd->message : "out of memory");
	free(rd->message);
	rd->message = NULL;
	free(text);
	return taken;
}

static void read_values(struct reading *rd, const char *name,
			const struct conf_line *line)
{
	if (line->rest.at != NULL)
		conf_warning(rd->r, line->rest, "for a comment, write #",
			     "what follows the value is ignored");
	if (feed(rd, name, line))
		take_values(rd, name, line);
	cfg_free_value(cfg_getopt(rd->cfg, name));
}

/* The directive's name as it should be written; NULL: unknown. */
static const char *find_name(struct conf_span name)
{
	for (unsigned i = 0; conf_apply_name(i) != NULL; i++)
		if (strlen(conf_apply_name(i)) == name.len &&
		    strncasecmp(conf_apply_name(i), name.at, name.len) == 0)
			return conf_apply_name(i);
	return NULL;
}

static void read_line(struct reading *rd, const struct conf_line *line)
{
	const char *name = find_name(line->name);

	if (line->problem != NULL)
		unreadable(rd, name, line, line->problem_at, line->problem);
	else if (line->name.len == 0)
		conf_error(rd->r, line->name, NULL, "no name before the \"=\"");
	else if (name == NULL)
		conf_apply_unknown(rd->r, line->name);
	else if (line->value.at == NULL)
		unreadable(rd, name, line, line->name, "a value is missing");
	else
		read_values(rd, name, line);
}

static void read_lines(struct reading *rd)
{
	const char *at = rd->r->text;
	struct conf_line line;

	while (conf_miredo_next(&at, rd->r->end, &line))
		read_line(rd, &line);
}

/* ---- the whole ---- */

static void read_text(struct conf_report *r, struct conf *conf,
		      enum conf_program program, const char *server_name)
{
	struct reading rd = {.r = r};

	rd.cfg = make_cfg(&rd.message);
	if (rd.cfg == NULL) {
		conf_error(r, nowhere, NULL, "out of memory");
		return;
	}
	read_lines(&rd);
	cfg_free(rd.cfg);
	conf_apply(conf, program, rd.settings, rd.n, server_name, r);
	for (size_t i = 0; i < rd.n; i++)
		free(rd.settings[i].value);
	free(rd.settings);
}

int conf_parse(struct conf *conf, enum conf_program program, const char *file,
	       const char *text, size_t len, const char *server_name, FILE *err)
{
	const char *bom = "\xef\xbb\xbf";
	struct conf_report r;
	const char *nul;

	if (len >= 3 && memcmp(text, bom, 3) == 0) {
		text += 3;
		len -= 3;
	}
	conf_report_begin(&r, file, text, len);
	*conf = (struct conf){.role = 0};
	nul = memchr(text, '\0', len);
	if (nul != NULL) {
		conf_error(&r, (struct conf_span){nul, 1}, NULL,
			   "a NUL octet: this is no text");
		r.end = nul;
	}
	if (strlen(file) >= sizeof(conf->file))
		conf_error(&r, nowhere, NULL, "the file's name is too long");
	else
		strcpy(conf->file, file);
	read_text(&r, conf, program, server_name);
	return conf_report_end(&r, err);
}

/* The file's contents: 0 or -errno. The caller frees *text. */
static int read_file(const char *file, char **text, size_t *len)
{
	FILE *in = fopen(file, "re");
	int error = 0;

	*len = 0;
	*text = NULL;
	if (in == NULL)
		return -errno;
	*text = malloc(FILE_MAX + 1);
	if (*text != NULL) {
		errno = 0;
		*len = fread(*text, 1, FILE_MAX + 1, in);
		if (ferror(in))
			error = errno != 0 ? -errno : -EIO;
		else if (*len > FILE_MAX)
			error = -EFBIG;
	} else {
		error = -ENOMEM;
	}
	fclose(in);
	return error;
}

static void say_unreadable(enum conf_program program, const char *file,
			   int error, FILE *err)
{
	fprintf(err, "%s: error: cannot be read: %s\n", file, strerror(error));
	if (error == ENOENT && program == CONF_MIREDO)
		fprintf(err, "%s: error: %s\n", file, CONF_NO_SERVER);
}

int conf_read(struct conf *conf, enum conf_program program, const char *file,
	      const char *server_name, FILE *err)
{
	char *text;
	size_t len;
	int n = read_file(file, &text, &len);

	if (n == 0 || (n == -ENOENT && server_name != NULL))
		n = conf_parse(conf, program, file, text != NULL ? text : "",
			       len, server_name, err);
	else
		say_unreadable(program, file, -n, err);
	free(text);
	return n;
}
