/*
 * test_parent_ask.c - what the parent does for who asks at the control socket
 *
 * The rest of the parent is played by this file. The administrator is another
 * process, as far as the kernel can tell: it connects in our place.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/ctl_records.h"
#include "../../src/log.h"
#include "../../src/msg.h"
#include "../../src/parent.h"

static struct world {
	struct parent p;
	int listener;
	char dir[32];
	int admin;		/* our end of the last connection */
	bool reload_fails, carrier_stays;
	unsigned reloads, carriers;
	const char *bad;	/* why the engine is killed */
} w;

bool parent_reload(struct parent *p)
{
	(void)p;
	w.reloads++;
	log_line(LOG_WARNING, "miredo.conf:3: odd");
	log_line(LOG_DEBUG, "nobody's business");
	return !w.reload_fails;
}

void parent_link_carrier(struct parent *p)
{
	if (!w.carrier_stays)
		p->link.carrier = !p->link.withheld;
	w.carriers++;
}

void parent_engine_bad(struct parent *p, const char *why)
{
	(void)p;
	w.bad = why;
}

static void swallow(void *ctx, int level, const char *line)
{
	(void)ctx;
	(void)level;
	(void)line;
}

static struct sockaddr_un control(const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/%s", w.dir, name);
	return sun;
}

/* A socket that listens there. */
static int listen_at(const char *name)
{
	struct sockaddr_un sun = control(name);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static int setup(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	strcpy(w.dir, "/tmp/ask-XXXXXX");
	assert_non_null(mkdtemp(w.dir));
	w.listener = listen_at("teredo.sock");
	strcpy(w.p.control, control("teredo.sock").sun_path);
	w.admin = w.p.asker = -1;
	w.p.config.configured = PRIV_RELAY;
	w.p.link.ifindex = w.p.link.carrier = 1;
	w.p.opt.child.uid = geteuid();
	w.p.opt.child.gid = getegid();
	log_to_sink(swallow, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (w.admin >= 0)
		close(w.admin);
	close(w.listener);
	unlink(control("teredo.sock").sun_path);
	unlink(control("other.sock").sun_path);
	return rmdir(w.dir);
}

/* Connects w.admin; the kernel notes which process did. */
static void connect_there(const char *name)
{
	struct sockaddr_un sun = control(name);

	if (connect(w.admin, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		_exit(1);
}

/* Another connection to that listener, of a process of its own or of ours; the
 * accepted end. */
static int call_at(int listener, const char *name, bool of_its_own)
{
	pid_t pid;
	int status = 0;

	if (w.admin >= 0)
		close(w.admin);
	w.admin = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	if (!of_its_own) {
		connect_there(name);
		return accept(listener, NULL, NULL);
	}
	pid = fork();
	if (pid == 0) {
		connect_there(name);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return accept(listener, NULL, NULL);
}

/* Another connection; the parent's end. */
static int call(void)
{
	return call_at(w.listener, "teredo.sock", true);
}

static void hear(enum ctl_verb verb, int error, uint32_t more,
		 const char *text)
{
	struct ctl_report m;

	assert_int_equal(recv(w.admin, &m, sizeof(m), 0), sizeof(m));
	assert_int_equal(m.head.magic, CTL_MAGIC);
	assert_int_equal(m.head.version, CTL_VERSION);
	assert_int_equal(m.head.verb, verb);
	assert_int_equal(m.head.error, error);
	assert_int_equal(m.more, more);
	assert_string_equal(m.text, text);
}

static void hear_the_end(void)
{
	char c;

	assert_int_equal(recv(w.admin, &c, 1, 0), 0);
}

static void a_reload_is_reported_when_it_is_done(void **state)
{
	(void)state;
	parent_ask(&w.p, PRIV_RELOAD, 0, call());
	assert_int_equal(w.reloads, 1);
	hear(CTL_RELOAD, 0, 1, "miredo.conf:3: odd");
	log_line(LOG_ERR, "about something else");
	parent_ask_listen(&w.p, true);
	log_line(LOG_NOTICE, "reloaded miredo.conf");
	parent_ask_done(&w.p, 0);
	log_line(LOG_ERR, "about something else");
	hear(CTL_RELOAD, 0, 1, "reloaded miredo.conf");
	hear(CTL_RELOAD, 0, 0, "");
	hear_the_end();
	parent_ask_done(&w.p, 0);	/* nobody asked */
}

static void a_configuration_with_errors_is_reported_at_once(void **state)
{
	(void)state;
	w.reload_fails = true;
	parent_ask(&w.p, PRIV_RELOAD, 0, call());
	hear(CTL_RELOAD, 0, 1, "miredo.conf:3: odd");
	hear(CTL_RELOAD, -EINVAL, 0, "");
	hear_the_end();
	assert_int_equal(w.p.asker, -1);
}

static void one_reload_at_a_time(void **state)
{
	int first;

	(void)state;
	first = call();
	parent_ask(&w.p, PRIV_RELOAD, 0, first);
	parent_ask(&w.p, PRIV_RELOAD, 0, call());
	assert_int_equal(w.reloads, 1);
	hear(CTL_RELOAD, -EALREADY, 0, "another reload is still under way");
	hear_the_end();
	assert_int_equal(w.p.asker, first);
	parent_ask_done(&w.p, 0);	/* whom nobody hears any more */
}

static void a_relay_is_held_until_it_is_released(void **state)
{
	(void)state;
	parent_ask(&w.p, PRIV_ANNOUNCE, CTL_HOLD, call());
	hear(CTL_ANNOUNCE, 0, 0, "held: the interface has no carrier");
	hear_the_end();
	assert_true(w.p.link.withheld);
	assert_int_equal(w.carriers, 1);
	parent_ask(&w.p, PRIV_ANNOUNCE, CTL_HOLD, call());
	hear(CTL_ANNOUNCE, 0, 0, "it was held before");
	assert_true(w.p.link.withheld);
	parent_ask(&w.p, PRIV_ANNOUNCE, CTL_RELEASE, call());
	hear(CTL_ANNOUNCE, 0, 0, "released");
	assert_false(w.p.link.withheld);
	parent_ask(&w.p, PRIV_ANNOUNCE, CTL_RELEASE, call());
	hear(CTL_ANNOUNCE, 0, 0, "it was not held");
}

/* An administrator must not take a relay for silent that is not. */
static void a_hold_that_failed_is_told(void **state)
{
	static const char why[] = "the interface's carrier cannot be taken: "
				  "the log has why";

	(void)state;
	w.carrier_stays = true;		/* the kernel refuses */
	parent_ask(&w.p, PRIV_ANNOUNCE, CTL_HOLD, call());
	hear(CTL_ANNOUNCE, -EIO, 0, why);
	hear_the_end();
	parent_ask(&w.p, PRIV_ANNOUNCE, CTL_HOLD, call());
	hear(CTL_ANNOUNCE, -EIO, 0, why);
	w.p.link.carrier = 0;
	parent_ask(&w.p, PRIV_ANNOUNCE, CTL_HOLD, call());
	hear(CTL_ANNOUNCE, 0, 0, "it was held before");
	w.p.link.ifindex = 0;		/* it is somewhere else */
	parent_ask(&w.p, PRIV_ANNOUNCE, CTL_HOLD, call());
	hear(CTL_ANNOUNCE, -EIO, 0, why);
	parent_ask(&w.p, PRIV_ANNOUNCE, CTL_RELEASE, call());
	hear(CTL_ANNOUNCE, 0, 0, "released");
}

static void a_client_announces_nothing(void **state)
{
	(void)state;
	w.p.config.configured = PRIV_CLIENT;
	parent_ask(&w.p, PRIV_ANNOUNCE, CTL_HOLD, call());
	hear(CTL_ANNOUNCE, -EOPNOTSUPP, 0, "only a relay announces anything");
	assert_false(w.p.link.withheld);
}

static void too_often_is_told(void **state)
{
	(void)state;
	parent_ask_refuse(&w.p, PRIV_ANNOUNCE, call());
	hear(CTL_ANNOUNCE, -EAGAIN, 0,
	     "this was asked for too often: wait a minute");
	hear_the_end();
}

static bool ends_the_engine(int fd)
{
	w.bad = NULL;
	parent_ask(&w.p, PRIV_RELOAD, 0, fd);
	assert_int_equal(w.p.asker, -1);
	assert_int_equal(w.reloads, 0);
	return w.bad != NULL && write(fd, "", 0) < 0;	/* it is closed */
}

/* P13 */
static void what_is_no_administrators_connection_ends_the_engine(void **state)
{
	int other;

	(void)state;
	assert_true(ends_the_engine(socket(AF_INET, SOCK_DGRAM, 0)));
	assert_true(ends_the_engine(socket(AF_UNIX, SOCK_DGRAM, 0)));
	assert_true(ends_the_engine(socket(AF_UNIX, SOCK_SEQPACKET, 0)));
	other = listen_at("other.sock");
	assert_true(ends_the_engine(call_at(other, "other.sock", true)));
	close(other);
	if (geteuid() == 0)	/* whose connections are all an administrator's */
		return;
	w.p.opt.child.uid = geteuid() + 1;
	w.p.opt.child.gid = getegid() + 4711;
	assert_true(ends_the_engine(call()));
}

/* P13: of these the kernel names us as the other end. */
static void what_the_engine_has_from_us_ends_it(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(msg_pair(pair), 0);
	assert_true(ends_the_engine(pair[0]));
	close(pair[1]);
	assert_true(ends_the_engine(dup(w.listener)));
	assert_true(ends_the_engine(
		call_at(w.listener, "teredo.sock", false)));
	parent_ask_refuse(&w.p, PRIV_RELOAD, dup(w.listener));
	assert_int_equal(w.reloads, 0);
}

/* Who has the engine speak for a listener whose owner is somebody else. */
static void a_listener_is_no_connection(void **state)
{
	int pair[2], listener;
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		char byte = 0;

		unlink(control("teredo.sock").sun_path);
		listener = listen_at("teredo.sock");
		_exit(msg_send(pair[1], &byte, 1, listener) != 0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(msg_recv(pair[0], &(char){ 0 }, 1, &listener), 1);
	close(pair[0]);
	close(pair[1]);
	assert_true(ends_the_engine(listener));
}

static void without_a_control_socket_nobody_asks(void **state)
{
	(void)state;
	w.p.control[0] = '\0';
	assert_true(ends_the_engine(call()));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_reload_is_reported_when_it_is_done),
		T(a_configuration_with_errors_is_reported_at_once),
		T(one_reload_at_a_time),
		T(a_relay_is_held_until_it_is_released),
		T(a_hold_that_failed_is_told),
		T(a_client_announces_nothing),
		T(too_often_is_told),
		T(what_is_no_administrators_connection_ends_the_engine),
		T(what_the_engine_has_from_us_ends_it),
		T(a_listener_is_no_connection),
		T(without_a_control_socket_nobody_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
