/*
 * conf_testing.h - a configuration from a string, and what was said about it
 */
#ifndef TESTS_UNIT_CONF_TESTING_H
#define TESTS_UNIT_CONF_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/conf.h"

/* What the last test_parse() gave. */
struct parsed {
	struct conf conf;
	int errors;
	char said[16384];
};

/* Reads `text` as the file "f". */
static inline void test_parse_named(struct parsed *p, enum conf_program program,
				    const char *text, const char *server_name)
{
	FILE *err = fmemopen(p->said, sizeof(p->said), "w");

	memset(p->said, 0, sizeof(p->said));
	assert_non_null(err);
	p->errors = conf_parse(&p->conf, program, "f", text, strlen(text),
			       server_name, err);
	fclose(err);
}

static inline void test_parse(struct parsed *p, const char *text)
{
	test_parse_named(p, CONF_MIREDO, text, NULL);
}

static inline void test_parse_server(struct parsed *p, const char *text)
{
	test_parse_named(p, CONF_MIREDO_SERVER, text, NULL);
}

/* `text` is good, and nothing is said about it. */
static inline void assert_silent(struct parsed *p, const char *text)
{
	test_parse(p, text);
	assert_string_equal(p->said, "");
	assert_int_equal(p->errors, 0);
}

/* The first line that is said about `text` is "f:<said>"; it is an error, or
 * not, as the line says. */
static inline void assert_first(struct parsed *p, const char *text,
				const char *said)
{
	test_parse(p, text);
	p->said[strcspn(p->said, "\n")] = '\0';
	assert_string_equal(p->said, said);
	assert_int_equal(p->errors != 0, strstr(said, "error: ") != NULL);
}

#endif
