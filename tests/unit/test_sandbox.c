/*
 * test_sandbox.c - what a process in the sandbox can still do
 *
 * Each attempt is made by a child of its own: it ends with exit status 0 (the
 * call was allowed), 1 (it failed) or by SIGSYS (it was the end).
 * faults.md P1, P3, P7.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/sandbox.h"

/* How a child ended: 0.. exit status, -signal. */
static int in_child(void (*enter)(void), int (*attempt)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		enter();
		_exit(attempt());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void engine(void)
{
	sandbox_become(geteuid(), getegid(), false);
	sandbox_engine();
}

static void parent(void)
{
	sandbox_become(geteuid() == 0 ? 65534 : geteuid(),
		       getegid() == 0 ? 65534 : getegid(), false);
	sandbox_parent_files("/etc", NULL, "/usr/bin");
	sandbox_parent_calls();
}

static void resolver(void)
{
	sandbox_become(geteuid(), getegid(), false);
	sandbox_resolver();
}

/* ---- attempts: 0 done, 1 failed ---- */

static int work(void)
{
	char c;

	return writev(STDOUT_FILENO, NULL, 0) < 0 ||
	       getrandom(&c, 1, 0) != 1 || close(-1) == 0;
}

static int open_file(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0;
}

static int open_root_dir(void)
{
	return open("/usr/share", O_RDONLY | O_DIRECTORY | O_CLOEXEC) < 0;
}

static int write_file(void)
{
	return open("/tmp/x", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0;
}

static int make_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0) < 0;
}

static int make_raw_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0) < 0;
}

static int make_mptcp_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP) < 0;
}

static int linger(void)
{
	const struct linger l = { 1, 1000 };

	return setsockopt(socket(AF_INET, SOCK_STREAM, 0), SOL_SOCKET,
			  SO_LINGER, &l, sizeof(l)) < 0;
}

static int open_fast(void)
{
	const struct sockaddr_in to = { .sin_family = AF_INET };

	return sendto(socket(AF_INET, SOCK_STREAM, 0), "x", 1, MSG_FASTOPEN,
		      (const struct sockaddr *)&to, sizeof(to)) < 0;
}

static int run(void)
{
	return execl("/usr/bin/true", "true", (char *)NULL) < 0;
}

static int run_elsewhere(void)
{
	return execl("/usr/sbin/nologin", "nologin", (char *)NULL) < 0;
}

static int make_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0;
}

static int make_namespace(void)
{
	return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) < 0;
}

static int trace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0;
}

static int send_signal(void)
{
	return kill(getppid(), 0) < 0;
}

static int kill_parent(void)
{
	return syscall(SYS_kill, getppid(), SIGKILL) < 0;
}

static int connect_socket(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };

	return connect(0, (struct sockaddr *)&sin, sizeof(sin)) < 0;
}

static int bind_socket(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };

	return bind(0, (struct sockaddr *)&sin, sizeof(sin)) < 0;
}

static int mount_something(void)
{
	return mount("none", "/mnt", "tmpfs", 0, NULL) < 0;
}

static int map_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static int more_heap(void)
{
	return sbrk(4096) == (void *)-1;
}

static int control_device(void)
{
	return ioctl(0, FIONREAD, NULL) < 0;
}

static int push_input(void)
{
	char c = 'x';

	return ioctl(0, TIOCSTI, &c) < 0;
}

static int be_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L) < 0;
}

static int read_memory(void)
{
	return syscall(SYS_process_vm_readv, getppid(), NULL, 0L, NULL, 0L,
		       0L) < 0;
}

#define ASSERT_ENDED(enter, attempt)                                           \
	assert_int_equal(in_child(enter, attempt), -SIGSYS)

/* SEC-PRS-01 */
static void the_engine_can_work_and_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(in_child(engine, work), 0);
	ASSERT_ENDED(engine, open_file);
	ASSERT_ENDED(engine, make_socket);
	ASSERT_ENDED(engine, connect_socket);
	ASSERT_ENDED(engine, bind_socket);
	ASSERT_ENDED(engine, run);
	ASSERT_ENDED(engine, make_process);
	ASSERT_ENDED(engine, trace);
	ASSERT_ENDED(engine, send_signal);
	ASSERT_ENDED(engine, kill_parent);
	ASSERT_ENDED(engine, read_memory);
	ASSERT_ENDED(engine, mount_something);
	ASSERT_ENDED(engine, map_memory);
	ASSERT_ENDED(engine, more_heap);
	ASSERT_ENDED(engine, control_device);
	ASSERT_ENDED(engine, be_dumpable);
}

static void the_parent_starts_children_and_little_else(void **state)
{
	(void)state;
	assert_int_equal(in_child(parent, run), 0);
	assert_int_equal(in_child(parent, open_file), 0);
	assert_int_equal(in_child(parent, make_socket), 0);
	assert_int_equal(in_child(parent, make_process), 0);
	assert_int_equal(in_child(parent, write_file), 1);
	assert_int_equal(in_child(parent, open_root_dir), 1);
	assert_int_equal(in_child(parent, run_elsewhere), 1);
	ASSERT_ENDED(parent, make_raw_socket);
	ASSERT_ENDED(parent, make_namespace);
	ASSERT_ENDED(parent, trace);
	ASSERT_ENDED(parent, send_signal);
	ASSERT_ENDED(parent, read_memory);
	ASSERT_ENDED(parent, mount_something);
	ASSERT_ENDED(parent, push_input);
}

static void the_parent_kills_no_stranger(void **state)
{
	(void)state;
	if (geteuid() == 0)	/* else the same user: only Landlock 6 tells */
		assert_int_equal(in_child(parent, kill_parent), 1);
}

static void the_resolver_reads_names_and_asks(void **state)
{
	(void)state;
	assert_int_equal(in_child(resolver, make_socket), 0);
	assert_int_equal(in_child(resolver, open_file), 1);
	assert_int_equal(in_child(resolver, write_file), 1);
	ASSERT_ENDED(resolver, run);
	ASSERT_ENDED(resolver, make_process);
	ASSERT_ENDED(resolver, trace);
	ASSERT_ENDED(resolver, send_signal);
	ASSERT_ENDED(resolver, be_dumpable);
	ASSERT_ENDED(resolver, make_raw_socket);
	ASSERT_ENDED(resolver, make_mptcp_socket);
	ASSERT_ENDED(resolver, linger);
	ASSERT_ENDED(resolver, open_fast);
}

/* ---- the drop ---- */

static void become_nobody(void)
{
	sandbox_become(65534, 65534, true);
}

static int status_line(const char *line)
{
	FILE *f = fopen("/proc/self/status", "r");
	char buf[200];
	int found = 1;

	while (f != NULL && fgets(buf, sizeof(buf), f) != NULL)
		if (strcmp(buf, line) == 0)
			found = 0;
	return found;
}

static int has_left_root(void)
{
	return status_line("Uid:\t65534\t65534\t65534\t65534\n") |
	       status_line("Gid:\t65534\t65534\t65534\t65534\n") |
	       status_line("Groups:\t \n") |
	       status_line("CapInh:\t0000000000000000\n") |
	       status_line("CapPrm:\t0000000000001000\n") |
	       status_line("CapEff:\t0000000000001000\n") |
	       status_line("CapBnd:\t0000000000000000\n") |
	       status_line("CapAmb:\t0000000000000000\n") |
	       status_line("NoNewPrivs:\t1\n");
}

static void become_nobody_without(void)
{
	sandbox_become(65534, 65534, false);
}

static int has_nothing(void)
{
	return status_line("CapPrm:\t0000000000000000\n") |
	       status_line("CapEff:\t0000000000000000\n");
}

static void root_is_left_for_good(void **state)
{
	(void)state;
	assert_int_equal(in_child(become_nobody, has_left_root), 0);
	assert_int_equal(in_child(become_nobody_without, has_nothing), 0);
}

/* Not root and no CAP_NET_ADMIN to keep. */
static void become_twice(void)
{
	if (geteuid() == 0)
		sandbox_become(65534, 65534, false);
	sandbox_become(geteuid(), getegid(), true);
}

static void what_cannot_be_kept_ends_the_process(void **state)
{
	(void)state;
	assert_int_equal(in_child(become_twice, work), 77);
}

static void it_can_say_what_it_is(void **state)
{
	(void)state;
	assert_true(strncmp(sandbox_describe(), "seccomp, ", 9) == 0 ||
		    !WITH_SANDBOX);
}

/* What the build or the user leaves nothing to test of is not in the plan. */
int main(void)
{
	const struct CMUnitTest any[] = {
		cmocka_unit_test(what_cannot_be_kept_ends_the_process),
		cmocka_unit_test(it_can_say_what_it_is),
		cmocka_unit_test(root_is_left_for_good),
	};
	const struct CMUnitTest all[] = {
		cmocka_unit_test(the_engine_can_work_and_nothing_else),
		cmocka_unit_test(the_parent_starts_children_and_little_else),
		cmocka_unit_test(the_parent_kills_no_stranger),
		cmocka_unit_test(the_resolver_reads_names_and_asks),
		cmocka_unit_test(what_cannot_be_kept_ends_the_process),
		cmocka_unit_test(it_can_say_what_it_is),
		cmocka_unit_test(root_is_left_for_good),
	};
	size_t not_root = geteuid() != 0;

	/* the group functions take arrays: cmocka_run_group_tests() is a
	 * macro that counts them */
	return WITH_SANDBOX ? _cmocka_run_group_tests("all", all,
						      7 - not_root, NULL, NULL)
			    : _cmocka_run_group_tests("any", any,
						      3 - not_root, NULL,
						      NULL);
}
