/*
 * test_sandbox_probe.c - the filters, asked one system call after the other
 *
 * What the tables say is one thing, what the kernel lets through another: here
 * every number that a system call may have is tried by a process of its own,
 * in the sandbox, with arguments that make no sense. A call that is forbidden
 * is its end by SIGSYS; one that is allowed fails. faults.md P1, P3.
 */
#include "config.h"

#include <assert.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/log.h"
#include "../../src/sandbox.h"

#define NUMBERS 512L	/* 6.18 has calls up to 470 */
#define X32	0x40000000L

static void leave_root(void)
{
	uid_t uid = geteuid() == 0 ? 65534 : geteuid();

	/* 65534 cannot run out of processes in this test */
	sandbox_become(uid, geteuid() == 0 ? 65534 : getegid(), false);
	alarm(10);	/* a call that waits was allowed, too */
	signal(SIGILL, SIG_DFL);	/* cmocka has handlers */
	signal(SIGSEGV, SIG_DFL);
	signal(SIGSYS, SIG_DFL);
}

static void engine(void)
{
	leave_root();
	sandbox_engine();
}

static void parent(void)
{
	leave_root();
	sandbox_parent_files("/etc", NULL, "/usr/bin");
	sandbox_parent_calls();
}

static void resolver(void)
{
	leave_root();
	sandbox_resolver();
}

/* The first argument, then nonsense: how it ended. */
static int status_of(void (*enter)(void), long nr, const long arg[3])
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		enter();
		syscall(nr, arg[0], arg[1], arg[2], -1L, -1L, -1L);
		syscall(SYS_exit_group, 0L);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static bool is_allowed(void (*enter)(void), long nr, const long arg[3])
{
	int status = status_of(enter, nr, arg);

	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		fail_msg("the sandbox could not be entered");
	/* SIGILL: calls of the kernel's own probes, which no filter sees */
	return !WIFSIGNALED(status) || (WTERMSIG(status) != SIGSYS &&
					WTERMSIG(status) != SIGILL);
}

static const long nonsense[3] = { -1, -1, -1 };

/* P3. prctl() has nonsense for its operation: it is counted by hand. */
static void the_engine_has_at_most_24_calls(void **state)
{
	static const long read_back[3] = { PR_GET_SECCOMP, 0, 0 };
	unsigned n = 0;

	(void)state;
	for (long nr = 0; nr < NUMBERS; nr++)
		n += is_allowed(engine, nr, nonsense);
	assert_true(is_allowed(engine, SYS_prctl, read_back));
	n++;
	print_message("# the engine may make %u system calls\n", n);
	assert_in_range(n, 10, 24);
}

struct forbidden {
	long nr;
	long arg[3];
};

#define ANY		{ -1, -1, -1 }

/* The border that every process has. */
static const struct forbidden by_all[] = {
	{ SYS_ptrace, ANY },
	{ SYS_process_vm_readv, ANY },
	{ SYS_process_vm_writev, ANY },
	{ SYS_process_madvise, ANY },
	{ SYS_pidfd_open, ANY },
	{ SYS_pidfd_getfd, ANY },
	{ SYS_pidfd_send_signal, ANY },
	{ SYS_kill, { -1, SIGTERM, 0 } },
	{ SYS_kill, { -1, 0, 0 } },
	{ SYS_tkill, ANY },
	{ SYS_tgkill, ANY },
	{ SYS_rt_sigqueueinfo, ANY },
	{ SYS_mount, ANY },
	{ SYS_umount2, ANY },
	{ SYS_move_mount, ANY },
	{ SYS_open_tree, ANY },
	{ SYS_pivot_root, ANY },
	{ SYS_chroot, ANY },
	{ SYS_setns, ANY },
	{ SYS_unshare, ANY },
	{ SYS_clone3, ANY },
	{ SYS_execveat, ANY },
	{ SYS_bpf, ANY },
	{ SYS_perf_event_open, ANY },
	{ SYS_userfaultfd, ANY },
	{ SYS_io_uring_setup, ANY },
	{ SYS_keyctl, ANY },
	{ SYS_add_key, ANY },
	{ SYS_init_module, ANY },
	{ SYS_finit_module, ANY },
	{ SYS_kexec_load, ANY },
	{ SYS_reboot, ANY },
	{ SYS_setresuid, ANY },
	{ SYS_setresgid, ANY },
	{ SYS_setgroups, ANY },
	{ SYS_chmod, ANY },
	{ SYS_fchmodat, ANY },
	{ SYS_chown, ANY },
	{ SYS_unlink, ANY },
	{ SYS_unlinkat, ANY },
	{ SYS_rename, ANY },
	{ SYS_symlink, ANY },
	{ SYS_link, ANY },
	{ SYS_mknod, ANY },
	{ SYS_listen, ANY },
	{ SYS_socket, { 17, 3, 0 } },	/* AF_PACKET, SOCK_RAW */
	{ SYS_ioctl, { 0, 0x5412, 0 } },	/* TIOCSTI */
	{ X32 | SYS_getpid, ANY },	/* another architecture's numbers */
};

static const struct forbidden by_children[] = {
	{ SYS_execve, ANY },
	{ SYS_fork, ANY },
	{ SYS_vfork, ANY },
	{ SYS_clone, { SIGCHLD, 0, 0 } },
	{ SYS_kill, { -1, SIGKILL, 0 } },
	{ SYS_mmap, { 0, 4096, PROT_READ | PROT_EXEC } },
	{ SYS_mprotect, { 0, 4096, PROT_READ | PROT_EXEC } },
	{ SYS_prctl, { PR_SET_DUMPABLE, 1, 0 } },
	{ SYS_capset, ANY },
	{ SYS_prlimit64, ANY },
	{ SYS_memfd_create, ANY },
	{ SYS_socketpair, ANY },
	{ SYS_ioctl, { 0, 0x400454ca, 0 } },	/* TUNSETIFF */
};

static const struct forbidden by_engine[] = {
	{ SYS_open, ANY },
	{ SYS_openat, ANY },
	{ SYS_openat2, ANY },
	{ SYS_stat, ANY },
	{ SYS_access, ANY },
	{ SYS_readlink, ANY },
	{ SYS_socket, { 2, 2, 0 } },
	{ SYS_connect, ANY },
	{ SYS_bind, ANY },
	{ SYS_setsockopt, ANY },
	{ SYS_brk, ANY },
	{ SYS_mmap, { 0, 4096, PROT_READ } },
	{ SYS_mprotect, ANY },
	{ SYS_dup, ANY },
	{ SYS_fcntl, ANY },
	{ SYS_ioctl, ANY },
};

static unsigned not_ended(void (*enter)(void), const struct forbidden *table,
			  size_t n)
{
	unsigned failed = 0;

	for (size_t i = 0; i < n; i++) {
		if (!is_allowed(enter, table[i].nr, table[i].arg))
			continue;
		print_message("# system call %ld (%ld, %ld) was let through\n",
			      table[i].nr, table[i].arg[0], table[i].arg[1]);
		failed++;
	}
	return failed;
}

#define ENDED(enter, table)                                                    \
	assert_int_equal(not_ended(enter, table,                               \
				   sizeof(table) / sizeof((table)[0])), 0)

/* SEC-PRS-01 */
static void what_is_forbidden_is_the_end(void **state)
{
	(void)state;
	ENDED(engine, by_all);
	ENDED(engine, by_children);
	ENDED(engine, by_engine);
	ENDED(resolver, by_all);
	ENDED(resolver, by_children);
	ENDED(parent, by_all);
}

/* ---- a bug of ours in the sandbox ---- */

static int told;

static void tell(void *ctx, int level, const char *line)
{
	(void)ctx;
	(void)level;
	if (send(told, line, strlen(line), 0) < 0)
		syscall(SYS_exit_group, 1L);
}

static void fail_in_the_sandbox(int fd)
{
	volatile int four = 4;

	told = fd;
	log_to_sink(tell, NULL);
	engine();
	assert(four == 5);
	syscall(SYS_exit_group, 0L);
}

static void a_failed_assertion_is_told_before_the_end(void **state)
{
	char text[512] = "";
	int ends[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	pid = fork();
	if (pid == 0)
		fail_in_the_sandbox(ends[1]);
	close(ends[1]);
	assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGILL);
	assert_non_null(strstr(text, "test_sandbox_probe.c"));
	assert_non_null(strstr(text, "fail_in_the_sandbox"));
	assert_non_null(strstr(text, "four == 5"));
}

/* What the build leaves nothing to test of is not in the plan. */
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_assertion_is_told_before_the_end),
		cmocka_unit_test(the_engine_has_at_most_24_calls),
		cmocka_unit_test(what_is_forbidden_is_the_end),
	};

	return _cmocka_run_group_tests("probe", tests, WITH_SANDBOX ? 3 : 1,
				       NULL, NULL);
}
