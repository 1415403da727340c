/*
 * miredoctl.c - asks a running instance, and says what it answered
 *
 * One request over the instance's control socket, one answer. The engine
 * renders nothing; names, screens, JSON and judgement are in the other
 * miredoctl_*.c files.
 *
 * `--wait` asks again and again until the instance is in a state: a script
 * then waits for exactly as long as it takes. An instance that does not run
 * yet, or whose engine is just being replaced, is one to wait for, too.
 */
#include "config.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "miredoctl.h"

#define ANSWER_TIMEOUT 2	 /* s */
#define POLL_NS	       20000000l /* between two questions of --wait */
#define WAIT_DEFAULT   60	 /* s */

struct options {
	const char *instance, *run_dir, *wait;
	bool json;
	uint64_t timeout; /* ns */
};

static const char usage[] =
	"usage: miredoctl [-i INSTANCE] [--run-dir DIR] status\n"
	"                 [--json] [--wait STATE [--timeout SECONDS]]\n"
	"       miredoctl version\n";

static _Noreturn void exit_usage(const char *why)
{
	if (why != NULL)
		fprintf(stderr, "miredoctl: %s\n", why);
	fputs(usage, stderr);
	exit(CTL_EXIT_USAGE);
}

/* ---- which instance ---- */

/* The address of an instance's socket; false: too long, which is said. */
static bool name_socket(struct sockaddr_un *sun, const char *dir,
			const char *instance)
{
	int n;

	sun->sun_family = AF_UNIX;
	n = snprintf(sun->sun_path, sizeof(sun->sun_path), "%s/%s.sock", dir,
		     instance);
	if (n < (int)sizeof(sun->sun_path))
		return true;
	fprintf(stderr, "miredoctl: %s/%s.sock: too long for a socket\n", dir,
		instance);
	return false;
}

/* Whether somebody listens: who was killed leaves its socket behind. */
static bool is_alive(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);
	bool refused =
		connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) != 0 &&
		(errno == ECONNREFUSED || errno == ENOENT);

	if (fd >= 0)
		close(fd);
	return !refused;
}

/* The instance whose socket has this file name; "" if it is none. */
static void instance_of(char name[256], const char *file)
{
	size_t len = strlen(file);

	snprintf(name, 256, "%s", file);
	if (len > 5 && len < 256 && strcmp(file + len - 5, ".sock") == 0)
		name[len - 5] = '\0';
	else
		name[0] = '\0';
}

/* Finds the only instance that runs. 0, or an exit code. Several are listed;
 * that there is none is for the caller to say. */
static int find_instance(const char *run_dir, struct sockaddr_un *found)
{
	DIR *dir = opendir(run_dir);
	const struct dirent *entry;
	struct sockaddr_un sun = {0};
	char first[256] = "", name[256];
	unsigned n = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		instance_of(name, entry->d_name);
		if (name[0] == '\0' || !name_socket(&sun, run_dir, name) ||
		    !is_alive(&sun))
			continue;
		*found = sun;
		n++;
		if (n == 1)
			memcpy(first, name, sizeof(first));
		else
			fprintf(stderr, "%s %s",
				n == 2 ? "miredoctl: choose one with -i:" : "",
				name);
	}
	if (dir != NULL)
		closedir(dir);
	if (n > 1)
		fprintf(stderr, " %s\n", first);
	return n == 0 ? CTL_EXIT_NOT_RUNNING : n == 1 ? 0 : CTL_EXIT_USAGE;
}

static int find_socket(const struct options *opt, struct sockaddr_un *sun,
		       bool quiet)
{
	int error;

	if (opt->instance != NULL)
		return name_socket(sun, opt->run_dir, opt->instance)
			       ? 0
			       : CTL_EXIT_USAGE;
	error = find_instance(opt->run_dir, sun);
	if (error == CTL_EXIT_NOT_RUNNING && !quiet)
		fprintf(stderr,
			"miredoctl: miredo is not running (nobody listens in "
			"%s)\n",
			opt->run_dir);
	return error;
}

/* ---- one question ---- */

static int explain(const char *path, int error, bool quiet)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED:
		if (!quiet)
			fprintf(stderr,
				"miredoctl: miredo is not running (nobody "
				"listens at %s)\n",
				path);
		return CTL_EXIT_NOT_RUNNING;
	case EACCES:
	case EPERM:
		fprintf(stderr, "miredoctl: %s: %s\n", path, strerror(error));
		return CTL_EXIT_DENIED;
	default:
		if (!quiet)
			fprintf(stderr, "miredoctl: %s: %s\n", path,
				strerror(error));
		return CTL_EXIT_FAILED;
	}
}

/* Whether it is an answer of our build; its texts are made fit to print. */
static bool accept_answer(struct ctl_status *st, ssize_t len)
{
	if (len != (ssize_t)sizeof(*st) || st->magic != CTL_MAGIC ||
	    st->version != CTL_VERSION || st->n_counters != TEREDO_N_COUNTERS)
		return false;
	miredoctl_clean(st);
	return true;
}

static int ask(const struct sockaddr_un *sun, struct ctl_status *st, bool quiet)
{
	const struct ctl_request request = {
		.magic = CTL_MAGIC, .version = CTL_VERSION, .verb = CTL_STATUS};
	const struct timeval limit = {.tv_sec = ANSWER_TIMEOUT};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ssize_t len = -1;
	int error = 0;

	if (fd < 0)
		return explain(sun->sun_path, errno, false);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0 &&
	    send(fd, &request, sizeof(request), MSG_NOSIGNAL) >= 0)
		len = recv(fd, st, sizeof(*st), MSG_TRUNC);
	if (len < 0)
		error = explain(sun->sun_path, errno, quiet);
	close(fd);
	if (len >= 0 && !accept_answer(st, len)) {
		if (!quiet)
			fprintf(stderr,
				"miredoctl: %s gave no answer that this "
				"version understands\n",
				sun->sun_path);
		return CTL_EXIT_FAILED;
	}
	return error;
}

static int get_status(const struct options *opt, struct ctl_status *st,
		      bool quiet)
{
	struct sockaddr_un sun = {0};
	int error = find_socket(opt, &sun, quiet);

	return error != 0 ? error : ask(&sun, st, quiet);
}

/* ---- commands ---- */

static bool is_reached(const struct options *opt, const struct ctl_status *st)
{
	if (strcmp(opt->wait, "address") == 0)
		return miredoctl_has_address(st);
	return strcmp(opt->wait, miredoctl_state(st)) == 0;
}

static int wait_for(const struct options *opt, struct ctl_status *st)
{
	const struct timespec pause = {.tv_nsec = POLL_NS};
	uint64_t end = clock_now() + opt->timeout;
	int error;

	for (;;) {
		error = get_status(opt, st, true);
		if (error == 0 && is_reached(opt, st))
			return 0;
		if (error == CTL_EXIT_USAGE || error == CTL_EXIT_DENIED)
			return error;
		if (clock_now() >= end)
			break;
		nanosleep(&pause, NULL);
	}
	fprintf(stderr, "miredoctl: waited in vain for \"%s\": %s\n", opt->wait,
		error == 0 ? miredoctl_state(st) : "no answer");
	return CTL_EXIT_FAILED;
}

static int command_status(const struct options *opt)
{
	struct ctl_status st;
	int error;

	if (opt->wait != NULL)
		error = wait_for(opt, &st);
	else
		error = get_status(opt, &st, false);
	if (error != 0)
		return error;
	if (!opt->json)
		miredoctl_print_text(&st, stdout);
	else if (!miredoctl_print_json(&st, stdout))
		error = CTL_EXIT_FAILED;
	if (fflush(stdout) != 0)
		error = CTL_EXIT_FAILED;
	if (error == 0 && opt->wait == NULL &&
	    miredoctl_health(&st) != HEALTH_OK)
		error = CTL_EXIT_DEGRADED;
	return error;
}

/* ---- the command line ---- */

static uint64_t parse_timeout(const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end != '\0' || !(seconds >= 0 && seconds <= 86400))
		exit_usage("--timeout wants 0 to 86400 seconds");
	return (uint64_t)(seconds * 1e9);
}

static void parse_options(struct options *opt, int argc, char **argv)
{
	static const struct option table[] = {
		{"instance", required_argument, NULL, 'i'},
		{"run-dir", required_argument, NULL, 'd'},
		{"json", no_argument, NULL, 'j'},
		{"wait", required_argument, NULL, 'w'},
		{"timeout", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "i:hV", table, NULL)) != -1) {
		if (c == 'i')
			opt->instance = optarg;
		else if (c == 'd')
			opt->run_dir = optarg;
		else if (c == 'j')
			opt->json = true;
		else if (c == 'w')
			opt->wait = optarg;
		else if (c == 't')
			opt->timeout = parse_timeout(optarg);
		else if (c == 'V')
			exit(printf("miredoctl %s\n", PACKAGE_VERSION) < 0);
		else if (c == 'h')
			exit(fputs(usage, stdout) == EOF);
		else
			exit_usage(NULL);
	}
}

int main(int argc, char **argv)
{
	struct options opt = {
		.run_dir = RUNDIR,
		.timeout = WAIT_DEFAULT * 1000000000ull,
	};

	parse_options(&opt, argc, argv);
	assert(opt.run_dir != NULL); /* an option's argument is there */
	if (optind + 1 != argc)
		exit_usage(NULL);
	if (strcmp(argv[optind], "version") == 0)
		return printf("miredoctl %s\n", PACKAGE_VERSION) < 0;
	if (strcmp(argv[optind], "status") != 0)
		exit_usage("unknown command");
	if (opt.instance != NULL && strchr(opt.instance, '/') != NULL)
		exit_usage("an instance is a name, not a path");
	if (opt.wait != NULL && strcmp(opt.wait, "address") != 0 &&
	    !miredoctl_is_state(opt.wait))
		exit_usage("--wait: there is no such state");
	return command_status(&opt);
}
