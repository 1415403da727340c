/*
 * miredoctl_absent.c - that nobody runs: why, and what to do about it
 *
 * It is said on stderr to whoever asked; who asked for the status as JSON gets
 * the same as a status, whose state is "absent". What a start that failed, or a
 * service that gave up, has left behind (failure.c) tells why. Files of a run
 * directory may be anybody's: their text is made fit to print.
 */
#include "config.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "miredoctl.h"
#include "miredoctl_status.h"

#define FLAGS	 (JSON_INDENT(1) | JSON_REAL_PRECISION(9))
#define TEXT_MAX 500
#define GAVE_UP	 "gave up: "	/* parent.c */

struct absence {
	const char *service;
	char missing[TEXT_MAX], start[64], look[64];
};

/* This host is configured to be a server, and nothing else. */
static bool is_for_a_server(void)
{
	return access(SYSCONFDIR "/miredo-server.conf", F_OK) == 0 &&
	       access(SYSCONFDIR "/miredo.conf", F_OK) != 0;
}

static struct absence absence_of(const struct miredoctl_args *args)
{
	const char *dir = args->value[OPT_RUN_DIR];
	const char *instance = args->value[OPT_INSTANCE];
	bool systemd = access("/run/systemd/system", F_OK) == 0;
	struct absence a = {.service = "miredo"};

	if (instance != NULL ? strcmp(instance, "server") == 0
			     : is_for_a_server())
		a.service = "miredo-server";
	if (instance != NULL)
		snprintf(a.missing, sizeof(a.missing), "no %s/%s.sock", dir,
			 instance);
	else
		snprintf(a.missing, sizeof(a.missing), "no instance in %s",
			 dir);
	snprintf(a.start, sizeof(a.start),
		 systemd ? "systemctl start %s" : "service %s start",
		 a.service);
	snprintf(a.look, sizeof(a.look),
		 systemd ? "journalctl -u %s -n 20"
			 : "the system's log, or %s -f",
		 a.service);
	return a;
}

/* The next start that failed; false: there is none. */
static bool next_failure(DIR *dir, const char *run_dir, char why[TEXT_MAX])
{
	const struct dirent *entry;
	char path[600];
	FILE *f;
	bool found = false;

	while (!found && dir != NULL && (entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name);

		if (len < 7 || strcmp(entry->d_name + len - 7, ".failed") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", run_dir, entry->d_name);
		f = fopen(path, "re");
		found = f != NULL && fgets(why, TEXT_MAX, f) != NULL;
		if (f != NULL)
			fclose(f);
	}
	if (found)
		miredoctl_clean_text(why, TEXT_MAX);
	return found;
}

void miredoctl_say_absence(const struct miredoctl_args *args)
{
	const char *run_dir = args->value[OPT_RUN_DIR];
	struct absence a = absence_of(args);
	DIR *dir = opendir(run_dir);
	char why[TEXT_MAX];

	fprintf(stderr, "miredoctl: %s is not running (%s)\n", a.service,
		a.missing);
	while (next_failure(dir, run_dir, why)) {
		bool ended = strncmp(why, GAVE_UP, strlen(GAVE_UP)) == 0;

		fprintf(stderr, "           %s:\n          ",
			ended ? "it gave up" : "its last start failed");
		miredoctl_wrap(stderr, ended ? why + strlen(GAVE_UP) : why, 10,
			       67);
	}
	if (dir != NULL)
		closedir(dir);
	fprintf(stderr,
		"           start it:            %s\n"
		"           see why it stopped:  %s\n",
		a.start, a.look);
}

static json_t *reason(const struct absence *a)
{
	char text[TEXT_MAX + 64];

	snprintf(text, sizeof(text), "%s is not running (%s)", a->service,
		 a->missing);
	return json_pack("[{s:s,s:s,s:n,s:o,s:s}]", "code", "not-running",
			 "severity", "error", "since_s", "text",
			 json_string(text), "remedy", a->start);
}

bool miredoctl_print_absence(const struct miredoctl_args *args, FILE *out)
{
	const char *run_dir = args->value[OPT_RUN_DIR];
	struct absence a = absence_of(args);
	json_t *failures = json_array(), *all;
	DIR *dir = opendir(run_dir);
	char why[TEXT_MAX];
	bool complete;

	while (next_failure(dir, run_dir, why))
		json_array_append_new(failures, json_string(why));
	if (dir != NULL)
		closedir(dir);
	all = json_pack("{s:s,s:s,s:s?,s:s?,s:n,s:s,s:o,s:o}", "schema",
			"miredo.status/1", "version", PACKAGE_VERSION, "role",
			strcmp(a.service, "miredo") == 0 ? NULL : "server",
			"instance", args->value[OPT_INSTANCE], "pid", "state",
			"absent", "failed_starts", failures, "health",
			reason(&a));
	complete = all != NULL && json_dumpf(all, out, FLAGS) == 0;
	json_decref(all);
	fputc('\n', out);
	return complete;
}
