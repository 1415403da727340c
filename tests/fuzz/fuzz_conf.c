/*
 * fuzz_conf.c - any octets as a configuration, of either program
 *
 * Every message names a place within the text; as many errors are said as are
 * returned. A good configuration, printed and read again, prints the same.
 * SEC-PRS-01
 */
#include "config.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_place(const char *said, const char *text, size_t len)
{
	const char *end = text + len;
	unsigned line, column;

	if (sscanf(said, "f:%u:%u: ", &line, &column) != 2)
		return;
	assert(line > 0 && column > 0);
	while (--line > 0) {
		text = memchr(text, '\n', (size_t)(end - text));
		assert(text != NULL);
		text++;
	}
	assert(column - 1 <= (size_t)(end - text));
}

static void check_said(const char *said, const char *text, size_t len,
		       int errors)
{
	const char *bom = "\xef\xbb\xbf";
	size_t skip = len >= 3 && memcmp(text, bom, 3) == 0 ? 3 : 0;

	for (const char *s = said; *s != '\0'; s += strcspn(s, "\n") + 1) {
		if (strncmp(s, "f:", 2) != 0)
			continue;
		check_place(s, text + skip, len - skip);
		errors -= strncmp(s + 2 + strcspn(s + 2, " "), " error: ", 8) ==
			  0;
	}
	assert(errors == 0);
}

static char *print(const struct conf *conf)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	assert(f != NULL);
	conf_print(conf, false, f);
	fclose(f);
	return out;
}

static void check_again(enum conf_program program, const struct conf *conf)
{
	char *once = print(conf), *twice;
	struct conf again;

	assert(conf_parse(&again, program, "f", once, strlen(once), NULL,
			  stderr) == 0);
	twice = print(&again);
	assert(strcmp(once, twice) == 0);
	free(once);
	free(twice);
}

static void read_as(enum conf_program program, const char *text, size_t len)
{
	struct conf conf;
	char *said = NULL;
	size_t size;
	FILE *err = open_memstream(&said, &size);
	int errors;

	assert(err != NULL);
	errors = conf_parse(&conf, program, "f", text, len, NULL, err);
	fclose(err);
	check_said(said, text, len, errors);
	if (errors == 0)
		check_again(program, &conf);
	free(said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	read_as(CONF_MIREDO, (const char *)data, len);
	read_as(CONF_MIREDO_SERVER, (const char *)data, len);
	return 0;
}
