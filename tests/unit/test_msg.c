/*
 * test_msg.c - messages and descriptors between the processes; and log lines,
 * which travel the same way
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/log.h"
#include "../../src/msg.h"

static int setup(void **state)
{
	static int pair[2];

	*state = pair;
	return msg_pair(pair);
}

static int teardown(void **state)
{
	int *pair = *state;

	close(pair[0]);
	close(pair[1]);
	return 0;
}

static void a_message_arrives_whole(void **state)
{
	int *pair = *state, fd = 5;
	char buf[16];

	assert_int_equal(msg_send(pair[0], "first", 5, -1), 0);
	assert_int_equal(msg_send(pair[0], "second", 6, -1), 0);
	assert_int_equal(msg_recv(pair[1], buf, sizeof(buf), &fd), 5);
	assert_int_equal(fd, -1);
	assert_memory_equal(buf, "first", 5);
	assert_int_equal(msg_recv(pair[1], buf, sizeof(buf), &fd), 6);
	assert_int_equal(msg_recv(pair[1], buf, sizeof(buf), &fd), -EAGAIN);
}

static void a_descriptor_travels_with_it(void **state)
{
	int *pair = *state, fd, p[2];
	char buf[4], c = 0;

	assert_int_equal(pipe(p), 0);
	assert_int_equal(msg_send(pair[0], "fd", 2, p[0]), 0);
	assert_int_equal(msg_recv(pair[1], buf, sizeof(buf), &fd), 2);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(p[1], "!", 1), 1);
	assert_int_equal(read(fd, &c, 1), 1);
	assert_int_equal(c, '!');
	close(fd);
	close(p[0]);
	close(p[1]);
}

static int lowest_free_fd(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

static void send_many(int sock, unsigned n)
{
	int fds[8] = { 2, 2, 2, 2, 2, 2, 2, 2 };
	char room[CMSG_SPACE(sizeof(fds))] = { 0 };
	struct iovec iov = { room, 1 };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1,
			     .msg_control = room,
			     .msg_controllen = CMSG_SPACE(n * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&mh);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	assert_int_equal(sendmsg(sock, &mh, 0), 1);
}

static void more_descriptors_than_one_are_all_closed(void **state)
{
	int *pair = *state, fd, before = lowest_free_fd();
	char buf[4];

	for (unsigned n = 2; n <= 8; n++) {
		send_many(pair[0], n);
		assert_int_equal(msg_recv(pair[1], buf, sizeof(buf), &fd),
				 -EPROTO);
		assert_int_equal(fd, -1);
	}
	assert_int_equal(lowest_free_fd(), before);
}

static void a_message_too_long_is_refused_with_its_descriptor(void **state)
{
	int *pair = *state, fd, before = lowest_free_fd();
	char buf[4];

	assert_int_equal(msg_send(pair[0], "12345", 5, STDERR_FILENO), 0);
	assert_int_equal(msg_recv(pair[1], buf, sizeof(buf), &fd), -EMSGSIZE);
	assert_int_equal(fd, -1);
	assert_int_equal(lowest_free_fd(), before);
}

static void the_end_of_the_other_side_is_zero(void **state)
{
	int *pair = *state, fd;
	char buf[4];

	close(pair[0]);
	assert_int_equal(msg_recv(pair[1], buf, sizeof(buf), &fd), 0);
	assert_int_equal(msg_send(pair[1], "x", 1, -1), -EPIPE);
	pair[0] = dup(pair[1]);
}

static void a_reader_who_sleeps_never_blocks_the_writer(void **state)
{
	int *pair = *state, err;
	char data[1000] = { 0 };

	do
		err = msg_send(pair[0], data, sizeof(data), -1);
	while (err == 0);
	assert_int_equal(err, -EAGAIN);
}

static void keep_line(void *ctx, int level, const char *line)
{
	assert_int_equal(level, LOG_NOTICE);
	snprintf(ctx, LOG_LINE_MAX, "%s", line);
}

static void a_log_line_is_one_line_whatever_is_in_it(void **state)
{
	char line[LOG_LINE_MAX], big[2 * LOG_LINE_MAX];

	(void)state;
	log_to_sink(keep_line, line);
	log_line(LOG_NOTICE, "name \"%s\"", "a\nMay 1 kernel: \x1b[2J\x7f\xc3\xa4");
	assert_string_equal(line,
			    "name \"a?May 1 kernel: ?[2J?\xc3\xa4\"");
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_line(LOG_NOTICE, "%s", big);
	assert_int_equal(strlen(line), LOG_LINE_MAX - 1);
	log_to_stderr("test");
}

static void stderr_gets_the_line_with_its_ident(void **state)
{
	char buf[64] = "";
	int p[2], saved = dup(STDERR_FILENO);

	(void)state;
	assert_int_equal(pipe(p), 0);
	dup2(p[1], STDERR_FILENO);
	log_to_stderr("ident");
	log_line(LOG_INFO, "%d", 42);
	dup2(saved, STDERR_FILENO);
	assert_true(read(p[0], buf, sizeof(buf) - 1) > 0);
	assert_string_equal(buf, "ident: 42\n");
	close(saved);
	close(p[0]);
	close(p[1]);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_message_arrives_whole),
		T(a_descriptor_travels_with_it),
		T(more_descriptors_than_one_are_all_closed),
		T(a_message_too_long_is_refused_with_its_descriptor),
		T(the_end_of_the_other_side_is_zero),
		T(a_reader_who_sleeps_never_blocks_the_writer),
		cmocka_unit_test(a_log_line_is_one_line_whatever_is_in_it),
		cmocka_unit_test(stderr_gets_the_line_with_its_ident),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
