/*
 * replay.c - runs a fuzz harness over its corpus, where there is no libFuzzer
 *
 * Any compiler builds it, and `make check` runs it: each input is a test that
 * passes if the harness comes back. Inputs are the files and folders named on
 * the command line, else corpus/NAME beside the source of harness fuzz_NAME.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static unsigned tests;

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* The harness gets exactly the file, so that a sanitizer sees what is beyond.
 * The plan line comes last: if the harness dies there is none. */
static void replay_file(const char *path, size_t len)
{
	const char *slash = strrchr(path, '/');
	uint8_t *data = malloc(len);
	FILE *f = fopen(path, "rb");

	if (f == NULL || (data == NULL && len > 0) ||
	    fread(data, 1, len, f) != len)
		die(path);
	fclose(f);
	printf("# %s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, len);
	printf("ok %u - %s\n", ++tests, slash != NULL ? slash + 1 : path);
	free(data);
}

static void replay(const char *path);

static void replay_folder(const char *path)
{
	struct dirent **entry;
	int n = scandir(path, &entry, NULL, alphasort);

	if (n < 0)
		die(path);
	for (int i = 0; i < n; i++) {
		char *name;

		if (entry[i]->d_name[0] != '.') {
			if (asprintf(&name, "%s/%s", path,
				     entry[i]->d_name) < 0)
				die(path);
			replay(name);
			free(name);
		}
		free(entry[i]);
	}
	free(entry);
}

static void replay(const char *path)
{
	struct stat st = { 0 }; /* MSan does not know stat64() */

	if (stat(path, &st) != 0)
		die(path);
	if (S_ISDIR(st.st_mode))
		replay_folder(path);
	else
		replay_file(path, (size_t)st.st_size);
}

static void replay_corpus_of(const char *program)
{
	const char *top = getenv("top_srcdir");
	const char *name = strstr(program, "fuzz_");
	char *path = NULL;

	if (name == NULL ||
	    asprintf(&path, "%s/tests/fuzz/corpus/%s",
		     top != NULL ? top : ".", name + strlen("fuzz_")) < 0)
		die(program);
	replay(path);
	free(path);
}

int main(int argc, char *argv[])
{
	if (argc == 1)
		replay_corpus_of(argv[0]);
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("1..%u\n", tests);
	return EXIT_SUCCESS;
}
