/*
 * checkconf.c - miredo-checkconf: is this configuration good?
 *
 * The daemons' own readers (conf.h, keys.h) and nothing else: no name is
 * resolved, no privilege is needed, nothing is opened but the file and the key
 * file that it names; where this user may not read that one, it is said that
 * it was not checked. Miredo's options are
 * taken, those for its daemon without effect, since init scripts and units
 * call it as `miredo-checkconf -f FILE`.
 *
 * Exit status: 0 good (perhaps with warnings), 1 errors, 2 usage.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "keys.h"

#define USAGE_STATUS 2

static const char usage[] =
	"usage: miredo-checkconf [-fhsV] [--print] [-c FILE | FILE]\n"
	"\n"
	"  -c, --config FILE  the file to check [" SYSCONFDIR "/miredo.conf]\n"
	"  -s, --server       it is miredo-server's; also when its name is\n"
	"                     miredo-server.conf\n"
	"      --print        write the effective configuration\n"
	"  -u, --user USER    whose KeyFile may be [" MIREDO_USER "]\n"
	"  -h, --help         this text\n"
	"  -V, --version      the version\n"
	"\n"
	"-f, -p FILE and -t DIR are accepted and ignored.\n";

enum { OPTION_PRINT = 256 };

static const struct option options[] = {
	{"conf", required_argument, NULL, 'c'},
	{"config", required_argument, NULL, 'c'},
	{"foreground", no_argument, NULL, 'f'},
	{"help", no_argument, NULL, 'h'},
	{"pidfile", required_argument, NULL, 'p'},
	{"print", no_argument, NULL, OPTION_PRINT},
	{"server", no_argument, NULL, 's'},
	{"chroot", required_argument, NULL, 't'},
	{"chrootdir", required_argument, NULL, 't'},
	{"user", required_argument, NULL, 'u'},
	{"username", required_argument, NULL, 'u'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

struct asked {
	const char *file, *user;
	bool server, print;
};

static _Noreturn void refuse(const char *why)
{
	fprintf(stderr, "miredo-checkconf: %s\n%s", why, usage);
	exit(USAGE_STATUS);
}

static void set_file(struct asked *asked, const char *file)
{
	if (asked->file != NULL)
		refuse("one file, please");
	asked->file = file;
}

static void take_option(struct asked *asked, int option)
{
	switch (option) {
	case 'c':
		set_file(asked, optarg);
		break;
	case 's':
		asked->server = true;
		break;
	case OPTION_PRINT:
		asked->print = true;
		break;
	case 'u':
		asked->user = optarg;
		break;
	case 'h':
		fputs(usage, stdout);
		exit(EXIT_SUCCESS);
	case 'V':
		puts("miredo-checkconf " PACKAGE_VERSION);
		exit(EXIT_SUCCESS);
	case '?':
		fputs(usage, stderr);
		exit(USAGE_STATUS);
	default:
		break; /* Miredo's: -f -p -t */
	}
}

static struct asked read_arguments(int argc, char **argv)
{
	struct asked asked = {.user = MIREDO_USER};
	const char *base;
	int option;

	while ((option = getopt_long(argc, argv, "c:fhp:st:u:V", options,
				     NULL)) != -1)
		take_option(&asked, option);
	while (optind < argc)
		set_file(&asked, argv[optind++]);
	if (asked.file == NULL)
		asked.file = asked.server ? SYSCONFDIR "/miredo-server.conf"
					  : SYSCONFDIR "/miredo.conf";
	base = strrchr(asked.file, '/');
	base = base != NULL ? base + 1 : asked.file;
	if (strcmp(base, "miredo-server.conf") == 0)
		asked.server = true;
	return asked;
}

/* The number of errors. */
static int check_keys(const struct conf *conf, const char *user)
{
	static struct auth_keys keys;
	const struct passwd *pw = getpwnam(user);
	bool may_not;
	int n = keys_read(&keys, conf, pw != NULL ? pw->pw_uid : 0, stderr);

	keys_wipe(&keys);
	if (n >= 0)
		return n;
	may_not = n == -EACCES && geteuid() != 0;
	keys_say_unreadable(conf, -n, may_not ? "warning" : "error", stderr);
	return !may_not;
}

int main(int argc, char **argv)
{
	struct asked asked = read_arguments(argc, argv);
	struct conf conf;
	int errors = conf_read(&conf,
			       asked.server ? CONF_MIREDO_SERVER : CONF_MIREDO,
			       asked.file, NULL, stderr);

	if (errors == 0)
		errors = check_keys(&conf, asked.user);
	if (errors > 0)
		fprintf(stderr, "%d error%s\n", errors, errors == 1 ? "" : "s");
	if (errors != 0)
		return EXIT_FAILURE;
	if (asked.print)
		conf_print(&conf, true, stdout);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("miredo-checkconf: cannot write");
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
