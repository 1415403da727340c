/*
 * test_ctl_access.c - who may ask for more than the status
 *
 * As root the other end is made by somebody else; as anybody else it is made
 * by us, and uid and gid that are asked for are others.
 */
#include "config.h"

#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/ctl_access.h"

#define NOBODY	4711u	/* who is at the other end, if we are root */
#define GROUP	4712u
#define FURTHER 4713u
#define NOGROUP 65534u

static uid_t uid;	/* at the other end */
static gid_t gid, further;

/* A connection from somebody there. */
static void make_pair_of(int fd[2], gid_t primary, gid_t supplementary)
{
	const gid_t groups[] = {4000, supplementary, 4001};
	int error;

	uid = geteuid();
	gid = further = getegid();
	if (uid != 0) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
		return;
	}
	uid = NOBODY;
	gid = primary;
	further = supplementary;
	assert_int_equal(setgroups(3, groups), 0);
	assert_int_equal(setegid(gid), 0);
	assert_int_equal(seteuid(uid), 0);
	error = socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setegid(0), 0);
	assert_int_equal(setgroups(0, NULL), 0);
	assert_int_equal(error, 0);
}

static void make_pair(int fd[2])
{
	make_pair_of(fd, GROUP, FURTHER);
}

static bool grants(uid_t to_uid, gid_t to_gid)
{
	int fd[2];
	bool granted;

	make_pair(fd);
	granted = ctl_access_is_granted(fd[0], to_uid, to_gid);
	close(fd[0]);
	close(fd[1]);
	return granted;
}

static void the_service_user_is_a_friend(void **state)
{
	(void)state;
	grants(0, 0);	/* finds out who is there */
	assert_true(grants(uid, gid + 1000));
}

static void the_group_is_a_friend(void **state)
{
	(void)state;
	grants(0, 0);
	assert_true(grants(uid + 1, gid));
	assert_true(grants(uid + 1, further));
}

static void somebody_else_is_not(void **state)
{
	(void)state;
	grants(0, 0);
	assert_false(grants(uid + 1, gid + 1000));
}

static void nogroup_is_not(void **state)
{
	int fd[2];

	(void)state;
	if (geteuid() != 0)
		skip();
	make_pair_of(fd, NOGROUP, FURTHER);
	assert_false(ctl_access_is_granted(fd[0], uid + 1, NOGROUP));
	close(fd[0]);
	close(fd[1]);
	make_pair_of(fd, GROUP, NOGROUP);
	assert_false(ctl_access_is_granted(fd[0], uid + 1, NOGROUP));
	assert_true(ctl_access_is_granted(fd[0], uid + 1, GROUP));
	close(fd[0]);
	close(fd[1]);
}

static void root_is_a_friend(void **state)
{
	int fd[2];

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	assert_true(ctl_access_is_granted(fd[0], 4711, 4711));
	close(fd[0]);
	close(fd[1]);
}

static void what_is_no_connection_is_not(void **state)
{
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_false(ctl_access_is_granted(fd[0], geteuid(), getegid()));
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_service_user_is_a_friend),
		cmocka_unit_test(the_group_is_a_friend),
		cmocka_unit_test(somebody_else_is_not),
		cmocka_unit_test(nogroup_is_not),
		cmocka_unit_test(root_is_a_friend),
		cmocka_unit_test(what_is_no_connection_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
