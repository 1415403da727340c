/*
 * child.c - starting and ending the parent's programs
 *
 * Separate programs, not forks that go on: the linker enforces the border,
 * and each child has an address space of its own layout. Whatever happens to
 * the parent, the kernel kills the children (PDEATHSIG; the check of getppid()
 * closes the gap before it is set). A child cannot fork (RLIMIT_NPROC 0), has
 * few descriptors, also of those that it is sent (an engine that was taken over
 * could ask for second ports for ever), and the signals of a terminal do not
 * reach it.
 *
 * Before the parent has left root, which is only while it looks up a name for
 * BindAddress, the child leaves root itself before the exec.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "msg.h"
#include "sandbox.h"

#define CHILD_FD 3
#define CANNOT_EXEC 127
#define CHILD_FDS 32	/* an engine: 12, and CTL_CONNECTIONS, and one more */

/* Whether miredo-engine can be executed there. 0 or -errno. */
static int child_is_in(const char *dir)
{
	char engine[CHILD_DIR_MAX + 16];
	int n = snprintf(engine, sizeof(engine), "%s/miredo-engine", dir);

	if (n < 0 || strlen(dir) >= CHILD_DIR_MAX)
		return -ENAMETOOLONG;
	return access(engine, X_OK) < 0 ? -errno : 0;
}

int child_find(struct child_env *env)
{
	char self[CHILD_DIR_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self));
	const char *dir = LIBEXECDIR;
	int err;

	if (n > 0 && (size_t)n < sizeof(self)) {
		self[n] = '\0';
		dirname(self);
		if (child_is_in(self) == 0)
			dir = self;
	}
	err = child_is_in(dir);
	if (err == 0)
		strcpy(env->dir, dir);
	return err;
}

static void child_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
}

static int child_descriptors(const struct child_env *env, int sock)
{
	if (env->stdio >= 0)
		for (int fd = 0; fd < CHILD_FD; fd++)
			if (dup2(env->stdio, fd) < 0)
				return -1;
	if (sock == CHILD_FD)
		return fcntl(sock, F_SETFD, 0) < 0
			       ? -1
			       : close_range(CHILD_FD + 1, ~0u, 0);
	return dup2(sock, CHILD_FD) < 0 ? -1
					: close_range(CHILD_FD + 1, ~0u, 0);
}

/* A limit that is lower already stays. */
static void child_limit_fds(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    limit.rlim_max <= CHILD_FDS)
		return;
	limit.rlim_cur = limit.rlim_max = CHILD_FDS;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static _Noreturn void child_exec(const struct child_env *env, const char *name,
				 int sock, pid_t parent)
{
	const struct rlimit none = { 0, 0 };
	char path[CHILD_DIR_MAX + 64], arg0[64];
	char *argv[] = { arg0, NULL };

	child_signals();
	/* For root the limit means nothing, and would stop the exec. */
	if (geteuid() == 0)
		sandbox_become(env->uid, env->gid, false);
	else
		setrlimit(RLIMIT_NPROC, &none);
	snprintf(path, sizeof(path), "%s/%s", env->dir, name);
	snprintf(arg0, sizeof(arg0), "%s", name);
	if (prctl(PR_SET_PDEATHSIG, (long)SIGKILL, 0L, 0L, 0L) == 0 &&
	    getppid() == parent && child_descriptors(env, sock) == 0) {
		child_limit_fds();
		execve(path, argv, environ);
	}
	_exit(CANNOT_EXEC);
}

int child_start(struct child *c, const struct child_env *env,
		const char *name)
{
	pid_t parent = getpid(), pid;
	int pair[2], err = msg_pair(pair);

	if (err < 0)
		return err;
	pid = fork();
	if (pid == 0)
		child_exec(env, name, pair[1], parent);
	err = -errno;
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return err;
	}
	c->pid = pid;
	c->sock = pair[0];
	if (strcmp(name, "miredo-resolver") == 0)
		msg_refuse_fds(c->sock);
	return 0;
}

void child_end(struct child *c)
{
	if (c->pid == 0)
		return;
	kill(c->pid, SIGKILL);
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (c->sock >= 0)
		close(c->sock);
	c->pid = 0;
	c->sock = -1;
}

uint64_t child_used(const struct child *c)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(c->pid, &clock) != 0 ||
	    clock_gettime(clock, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

const char *child_fate(int status)
{
	static char text[40];

	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "killed by signal %d",
			 WTERMSIG(status));
	else if (WEXITSTATUS(status) == CANNOT_EXEC)
		snprintf(text, sizeof(text), "it cannot be executed");
	else
		snprintf(text, sizeof(text), "exit status %d",
			 WEXITSTATUS(status));
	return text;
}
