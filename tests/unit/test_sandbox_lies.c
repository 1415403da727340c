/*
 * test_sandbox_lies.c - a drop that was only said to have worked
 *
 * The calls by which privileges are dropped are replaced here: one of them
 * says that it worked and does nothing. The process has to notice and end
 * with status 77 (faults.md P5, CVE-2011-3602). libcap gets them, too.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/sandbox.h"

static enum lie {
	NO_LIE,
	SETRESUID,
	SETRESGID,
	SETGROUPS,
	BOUNDING_SET,
	CAPABILITIES,
	NO_NEW_PRIVS,
	DUMPABLE,
	LANDLOCK,
	SECCOMP,
} lie;

int setresuid(uid_t r, uid_t e, uid_t s)
{
	return lie == SETRESUID ? 0 : (int)syscall(SYS_setresuid, r, e, s);
}

int setresgid(gid_t r, gid_t e, gid_t s)
{
	return lie == SETRESGID ? 0 : (int)syscall(SYS_setresgid, r, e, s);
}

int setgroups(size_t n, const gid_t *list)
{
	return lie == SETGROUPS ? 0 : (int)syscall(SYS_setgroups, n, list);
}

/* The real one of libcap. */
static int real_cap(const char *name, int arg)
{
	int (*fn)(int);
	void *sym = dlsym(RTLD_NEXT, name);

	memcpy(&fn, &sym, sizeof(fn));
	return fn(arg);
}

int cap_drop_bound(cap_value_t cap)
{
	return lie == BOUNDING_SET ? 0 : real_cap("cap_drop_bound", cap);
}

int cap_set_proc(cap_t caps)
{
	int (*fn)(cap_t);
	void *sym = dlsym(RTLD_NEXT, "cap_set_proc");

	memcpy(&fn, &sym, sizeof(fn));
	return lie == CAPABILITIES ? 0 : fn(caps);
}

int prctl(int option, ...)
{
	va_list args;
	long a[4];

	va_start(args, option);
	for (unsigned i = 0; i < 4; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if ((lie == NO_NEW_PRIVS && option == PR_SET_NO_NEW_PRIVS) ||
	    (lie == DUMPABLE && option == PR_SET_DUMPABLE))
		return 0;
	return (int)syscall(SYS_prctl, option, a[0], a[1], a[2], a[3]);
}

static long real_syscall(long nr, const long a[5])
{
	static long (*fn)(long, ...);
	void *sym = dlsym(RTLD_NEXT, "syscall");

	memcpy(&fn, &sym, sizeof(fn));
	return fn(nr, a[0], a[1], a[2], a[3], a[4]);
}

long syscall(long nr, ...)
{
	va_list args;
	long a[5];

	va_start(args, nr);
	for (unsigned i = 0; i < 5; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	/* without a program libseccomp only asks what there is */
	if ((lie == LANDLOCK && nr == SYS_landlock_restrict_self) ||
	    (lie == SECCOMP && nr == SYS_seccomp && a[2] != 0))
		return 0;
	return real_syscall(nr, a);
}

/* ---- */

static void drop(void)
{
	if (geteuid() == 0)
		sandbox_become(65534, 65534, false);
	else
		sandbox_become(geteuid(), getegid(), false);
	sandbox_engine();
	_exit(0);
}

static int status_with(enum lie which)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		lie = which;
		drop();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void the_truth_is_believed(void **state)
{
	(void)state;
	assert_int_equal(status_with(NO_LIE), 0);
}

static void a_lie_about_root_ends_it(void **state)
{
	(void)state;
	assert_int_equal(status_with(SETRESUID), 77);
	assert_int_equal(status_with(SETRESGID), 77);
	assert_int_equal(status_with(BOUNDING_SET), 77);
	assert_int_equal(status_with(CAPABILITIES), 77);
}

static void a_lie_about_groups_ends_it(void **state)
{
	const gid_t some[] = { 1, 2 };

	(void)state;
	assert_int_equal(setgroups(2, some), 0);
	assert_int_equal(status_with(SETGROUPS), 77);
	assert_int_equal(setgroups(0, NULL), 0);
}

static void a_lie_about_the_process_ends_it(void **state)
{
	(void)state;
	assert_int_equal(status_with(NO_NEW_PRIVS), 77);
	/* with the uid the kernel has done it already */
	assert_int_equal(status_with(DUMPABLE), geteuid() == 0 ? 0 : 77);
}

static void a_lie_about_the_sandbox_ends_it(void **state)
{
	(void)state;
	if (strstr(sandbox_describe(), "no landlock") == NULL)
		assert_int_equal(status_with(LANDLOCK), 77);
	assert_int_equal(status_with(SECCOMP), 77);
}

/* What the build or the user leaves nothing to test of is not in the plan. */
int main(void)
{
	const struct CMUnitTest any = cmocka_unit_test(the_truth_is_believed);
	const struct CMUnitTest process =
		cmocka_unit_test(a_lie_about_the_process_ends_it);
	const struct CMUnitTest sandbox =
		cmocka_unit_test(a_lie_about_the_sandbox_ends_it);
	const struct CMUnitTest root =
		cmocka_unit_test(a_lie_about_root_ends_it);
	const struct CMUnitTest groups =
		cmocka_unit_test(a_lie_about_groups_ends_it);
	struct CMUnitTest tests[5] = { any, process };
	size_t n = 2;

	if (WITH_SANDBOX)
		tests[n++] = sandbox;
	if (geteuid() == 0) {
		tests[n++] = root;
		tests[n++] = groups;
	}
	return _cmocka_run_group_tests("lies", tests, n, NULL, NULL);
}
