/*
 * test_pidfile.c - one instance per pid file
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/pidfile.h"

static char dir[] = "/tmp/pidfile.XXXXXX";
static char path[64], link_path[64];

static int setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/pid", dir);
	snprintf(link_path, sizeof(link_path), "%s/link", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	unlink(link_path);
	return rmdir(dir);
}

static long number(void)
{
	FILE *f = fopen(path, "r");
	long n = -1;

	assert_non_null(f);
	if (fscanf(f, "%ld", &n) != 1)
		n = -1;
	fclose(f);
	return n;
}

/* Another process that has the file, until its stdin ends. */
static pid_t occupy(int *hold)
{
	int up[2], down[2];
	pid_t pid, other;
	char c;

	assert_int_equal(pipe(up), 0);
	assert_int_equal(pipe(down), 0);
	pid = fork();
	if (pid == 0) {
		close(down[1]);
		if (pidfile_open(path, &other) < 0 || write(up[1], "x", 1) < 0)
			_exit(1);
		_exit(read(down[0], &c, 1) != 0);
	}
	close(up[1]);
	close(down[0]);
	assert_int_equal(read(up[0], &c, 1), 1);
	close(up[0]);
	*hold = down[1];
	return pid;
}

static void it_has_our_pid_and_is_emptied(void **state)
{
	pid_t other;
	int fd = pidfile_open(path, &other);

	(void)state;
	assert_true(fd >= 0);
	pidfile_clear(fd);	/* reading it would give up the lock: last */
	close(fd);
	assert_int_equal(number(), -1);
	fd = pidfile_open(path, &other);
	assert_true(fd >= 0);
	assert_int_equal(number(), getpid());
	close(fd);
}

static void the_one_who_has_it_is_named(void **state)
{
	int hold;
	pid_t other = 0, pid = occupy(&hold);

	(void)state;
	assert_int_equal(pidfile_open(path, &other), -EAGAIN);
	assert_int_equal(other, pid);
	assert_int_equal(number(), pid);	/* and it was left alone */
	close(hold);
	waitpid(pid, NULL, 0);
}

static void a_killed_owner_leaves_nothing_behind(void **state)
{
	int hold, fd;
	pid_t other, pid = occupy(&hold);

	(void)state;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(number(), pid);	/* out of date */
	fd = pidfile_open(path, &other);
	assert_true(fd >= 0);
	close(fd);
	close(hold);
}

static void a_link_is_not_followed(void **state)
{
	pid_t other;

	(void)state;
	assert_int_equal(symlink(path, link_path), 0);
	assert_int_equal(pidfile_open(link_path, &other), -ELOOP);
	assert_int_equal(pidfile_open("/nonexistent/x", &other), -ENOENT);
	pidfile_clear(-1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_has_our_pid_and_is_emptied),
		cmocka_unit_test(the_one_who_has_it_is_named),
		cmocka_unit_test(a_killed_owner_leaves_nothing_behind),
		cmocka_unit_test(a_link_is_not_followed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
