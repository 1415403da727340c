/*
 * main.c - miredo and miredo-server: options, environment, daemon
 *
 * One program under two names; the name chooses the configuration's
 * directives and the default files. The command line is Miredo 1.2.6's, with
 * --run-dir and --state-dir beside it.
 *
 * A daemon's first process, the launcher, waits until the service is ready
 * and ends with 0 then, or with the status that the service ended with; its
 * terminal gets the messages up to there. So `miredo && echo it works` tells
 * the truth.
 *
 * Nothing of the environment is used but the service manager's socket, and
 * nothing is inherited but stdout and stderr: nobody here reads a terminal, and
 * with SIGCHLD ignored, as some who start us have it, the kernel would never
 * tell that an engine died.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "failure.h"
#include "log.h"
#include "notify.h"
#include "parent.h"
#include "pidfile.h"
#include "sandbox.h"

#define NOGROUP 65534
#define USAGE 2
#define RUN_DIR_OPTION 256
#define STATE_DIR_OPTION 257
#define SYSLOG_OPTION 258

struct arguments {
	const char *conf, *pidfile, *user, *chroot, *run_dir, *state_dir,
		*server_name;
	bool foreground, syslog;
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "conf", required_argument, NULL, 'c' },
	{ "foreground", no_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "pidfile", required_argument, NULL, 'p' },
	{ "run-dir", required_argument, NULL, RUN_DIR_OPTION },
	{ "state-dir", required_argument, NULL, STATE_DIR_OPTION },
	{ "syslog", no_argument, NULL, SYSLOG_OPTION },
	{ "chroot", required_argument, NULL, 't' },
	{ "chrootdir", required_argument, NULL, 't' },
	{ "user", required_argument, NULL, 'u' },
	{ "username", required_argument, NULL, 'u' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static _Noreturn void help(const char *ident, bool server)
{
	printf("Usage: %s [OPTIONS] [%s]\n\n"
	       "  -c, --config FILE    configuration (default %s/%s.conf)\n"
	       "  -f, --foreground     do not become a daemon; log to stderr\n"
	       "  -h, --help           print this\n"
	       "  -p, --pidfile FILE   pid file (default %s/%s.pid)\n"
	       "      --run-dir DIR    control sockets (default %s)\n"
	       "      --state-dir DIR  last known servers (default %s)\n"
	       "      --syslog         with -f: log to syslog all the same\n"
	       "  -t, --chroot DIR     accepted for compatibility, not used\n"
	       "  -u, --user USER      run as USER (default %s)\n"
	       "  -V, --version        print version and sandbox\n",
	       ident, server ? "BIND_ADDRESS" : "SERVER_NAME", SYSCONFDIR,
	       ident, RUNSTATEDIR, ident, RUNDIR, STATEDIR,
	       MIREDO_USER);
	exit(0);
}

static _Noreturn void version(const char *ident)
{
	printf("%s %s\n"
	       "sandbox: %s\n"
	       "user: %s, configuration: %s, programs: %s\n",
	       ident, PACKAGE_VERSION, sandbox_describe(), MIREDO_USER,
	       SYSCONFDIR, LIBEXECDIR);
	exit(0);
}

static _Noreturn void usage(const char *ident)
{
	fprintf(stderr, "Try \"%s --help\".\n", ident);
	exit(USAGE);
}

static void set_once(const char **where, const char *value, const char *ident)
{
	if (*where != NULL) {
		fprintf(stderr, "%s: Duplicate parameter \"%s\"\n", ident,
			value);
		usage(ident);
	}
	*where = value;
}

static void parse_arguments(struct arguments *a, const char *ident,
			    bool server, int argc, char *argv[])
{
	int c;

	while ((c = getopt_long(argc, argv, "c:fhp:t:u:V", long_options,
				NULL)) != -1)
		switch (c) {
		case 'c':
			set_once(&a->conf, optarg, ident);
			break;
		case 'f':
			a->foreground = true;
			break;
		case 'h':
			help(ident, server);
		case 'p':
			set_once(&a->pidfile, optarg, ident);
			break;
		case RUN_DIR_OPTION:
			set_once(&a->run_dir, optarg, ident);
			break;
		case STATE_DIR_OPTION:
			set_once(&a->state_dir, optarg, ident);
			break;
		case SYSLOG_OPTION:
			a->syslog = true;
			break;
		case 't':
			set_once(&a->chroot, optarg, ident);
			break;
		case 'u':
			set_once(&a->user, optarg, ident);
			break;
		case 'V':
			version(ident);
		default:
			usage(ident);
		}
	if (optind < argc)
		set_once(&a->server_name, argv[optind++], ident);
	if (optind < argc)
		set_once(&a->server_name, argv[optind], ident);
}

/* ---- what was inherited ---- */

static void clean_signals(void)
{
	sigset_t none;

	for (int signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_DFL);
	signal(SIGHUP, SIG_IGN);	/* until the parent takes it: nothing is
					 * read yet that would be old */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Three descriptors and no more: the first, and a missing one, /dev/null. */
static void clean_descriptors(void)
{
	int fd;

	close(STDIN_FILENO);
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		die(EX_OSERR, "/dev/null: %s", strerror(errno));
	close_range(STDERR_FILENO + 1, ~0u, 0);
}

/* Sanitizers read their options at the start of each program. */
static bool is_for_sanitizers(const char *variable)
{
	return !WITH_SANDBOX && (strncmp(variable, "ASAN_OPTIONS=", 13) == 0 ||
				 strncmp(variable, "LSAN_OPTIONS=", 13) == 0 ||
				 strncmp(variable, "UBSAN_OPTIONS=", 14) == 0);
}

static void clean_environment(struct parent_options *opt)
{
	static char *kept[4];
	const char *usec = getenv("WATCHDOG_USEC");
	unsigned n = 0;

	opt->notify = notify_open(getenv("NOTIFY_SOCKET"));
	if (usec != NULL)	/* twice as often as it has to be */
		opt->watchdog = strtoull(usec, NULL, 10) * 1000 / 2;
	for (char **e = environ; *e != NULL && n < 3; e++)
		if (is_for_sanitizers(*e))
			kept[n++] = *e;
	environ = kept;
}

/* The path of a file from where we were started; lives as long as we. */
static const char *absolute(const char *path)
{
	char *cwd, *all;

	if (path[0] == '/')
		return path;
	cwd = getcwd(NULL, 0);
	if (cwd == NULL || asprintf(&all, "%s/%s", cwd, path) < 0)
		die(EX_OSERR, "where are we? %s", strerror(errno));
	free(cwd);
	return all;
}

/* ---- who we shall be ---- */

/* Debian's Miredo 1.2.6 made its user in nogroup, which other daemons have too:
 * ours is then the group that has the user's name. */
static gid_t group_of(const struct passwd *pw)
{
	const struct group *gr =
		pw->pw_gid == NOGROUP ? getgrnam(pw->pw_name) : NULL;

	return gr != NULL ? gr->gr_gid : pw->pw_gid;
}

static void find_user(struct child_env *env, const char *name)
{
	bool root = geteuid() == 0;
	struct passwd *pw = NULL;

	env->uid = geteuid();
	env->gid = getegid();
	if (!root && name == NULL)
		return;
	if (name == NULL)
		name = MIREDO_USER;
	pw = getpwnam(name);
	if (pw == NULL)
		die(EX_CONFIG, "there is no user \"%s\": create it (useradd "
			       "--system %s) or choose another with -u",
		    name, name);
	if (pw->pw_uid == 0)
		die(USAGE, "it will not run as \"%s\", which is root: choose "
			   "another user with -u", name);
	if (!root && pw->pw_uid != env->uid)
		die(EX_NOPERM, "only root can become user \"%s\"", name);
	env->uid = pw->pw_uid;
	if (root)
		env->gid = group_of(pw);
}

static int locked = -1;

/* However it ends: no script shall take it for one that was killed. */
static void clear_pidfile(void)
{
	pidfile_clear(locked);
}

static void lock_pidfile(const char *path)
{
	pid_t other = 0;

	locked = pidfile_open(path, &other);
	atexit(clear_pidfile);
	if (locked == -EAGAIN)
		die(EX_TEMPFAIL, "already running: PID %ld has %s",
		    (long)other, path);
	if (locked < 0)
		log_line(LOG_WARNING, "no pid file: %s: %s", path,
			 strerror(-locked));
}

/* ---- daemon ---- */

static _Noreturn void launcher(pid_t pid, int ready)
{
	char byte;
	int status;

	if (read(ready, &byte, 1) == 1)
		_exit(0);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* 0 is for a service that serves, not for one that was told to end. */
	_exit(WIFEXITED(status) && WEXITSTATUS(status) != 0
		      ? WEXITSTATUS(status)
		      : EX_SOFTWARE);
}

static void become_daemon(struct parent_options *opt)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		die(EX_OSERR, "daemon: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die(EX_OSERR, "daemon: %s", strerror(errno));
	if (pid > 0) {
		close(fds[1]);
		launcher(pid, fds[0]);
	}
	close(fds[0]);
	setsid();
	opt->launcher = fds[1];
}

static void set_options(struct parent_options *opt, const struct arguments *a)
{
	bool server = opt->program == CONF_MIREDO_SERVER;
	int err;

	opt->conf_file = a->conf != NULL ? absolute(a->conf)
			 : server	 ? SYSCONFDIR "/miredo-server.conf"
					 : SYSCONFDIR "/miredo.conf";
	opt->run_dir = a->run_dir != NULL ? absolute(a->run_dir) : RUNDIR;
	opt->state_dir = a->state_dir != NULL ? absolute(a->state_dir)
					      : STATEDIR;
	opt->server_name = a->server_name;
	opt->syslog = a->syslog || !a->foreground;
	opt->launcher = opt->child.stdio = -1;
	/* Children log through us; a sanitizer does not. */
	if (WITH_SANDBOX || !a->foreground)
		opt->child.stdio = STDIN_FILENO;
	if (a->chroot != NULL)
		log_line(LOG_WARNING, "-t is not used: the processes are "
				      "confined by Landlock and seccomp");
	err = child_find(&opt->child);
	if (err < 0)
		die(EX_UNAVAILABLE, "miredo-engine cannot be executed: %s. It "
				    "belongs into %s: install it again",
		    strerror(-err), LIBEXECDIR);
}

/* A lower limit than the parent needs is raised as far as it goes: root's all
 * the way, a service user's up to the hard limit. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    limit.rlim_cur >= PARENT_DESCRIPTORS)
		return;
	limit.rlim_cur = PARENT_DESCRIPTORS;
	if (limit.rlim_max < PARENT_DESCRIPTORS)
		limit.rlim_max = PARENT_DESCRIPTORS;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0 ||
	    getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Debian's package of Miredo 1.2.6 has it, and some wrote their own. */
static void warn_of_hook(const char *hook)
{
	if (access(hook, F_OK) == 0)
		log_line(LOG_WARNING, "%s is not run: addresses and routes are "
				      "set without it. Remove it, or see "
				      "migration.md", hook);
}

int main(int argc, char *argv[])
{
	bool server = strcmp(program_invocation_short_name, "miredo-server") ==
		      0;
	struct parent_options opt = {
		.ident = server ? "miredo-server" : "miredo",
		.program = server ? CONF_MIREDO_SERVER : CONF_MIREDO,
	};
	struct arguments a = { 0 };
	static struct conf conf;
	static const char *pidfile; /* lives as long as we */

	log_to_stderr(opt.ident);
	parse_arguments(&a, opt.ident, server, argc, argv);
	clean_signals();
	clean_descriptors();
	clean_environment(&opt);
	set_options(&opt, &a);
	if (a.pidfile == NULL)
		a.pidfile = server ? RUNSTATEDIR "/miredo-server.pid"
				   : RUNSTATEDIR "/miredo.pid";
	pidfile = absolute(a.pidfile);
	umask(022);
	if (chdir("/") < 0)
		die(EX_OSERR, "/: %s", strerror(errno));
	failure_keep(opt.run_dir, opt.conf_file);
	find_user(&opt.child, a.user);
	if (!a.foreground)
		become_daemon(&opt);
	if (opt.syslog) {
		log_to_syslog(opt.ident, LOG_DAEMON);
		log_echo(true);
	}
	if (!parent_read_conf(&opt, &conf))
		return EX_CONFIG;
	if (opt.syslog)
		log_to_syslog(opt.ident, conf.facility);
	if (!server)
		warn_of_hook(SYSCONFDIR "/client-hook");
	raise_descriptors();
	lock_pidfile(pidfile);
	return parent_run(&opt, &conf);
}
