/*
 * test_parent_ask.c - what the parent does for who asks at the control socket
 *
 * The rest of the parent is played by this file; the administrator is at the
 * other end of a pair of sockets.
 */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/ctl_records.h"
#include "../../src/log.h"
#include "../../src/msg.h"
#include "../../src/parent.h"

static struct world {
	struct parent p;
	int admin;		/* our end of the last connection */
	bool reload_fails;
	unsigned reloads, carriers;
	const char *bad;	/* why the engine is killed */
} w;

void parent_reload(struct parent *p)
{
	w.reloads++;
	parent_ask_listen(p, true);
	log_line(LOG_WARNING, "miredo.conf:3: odd");
	log_line(LOG_DEBUG, "nobody's business");
	if (w.reload_fails)
		parent_ask_done(p, -EINVAL);
	else
		parent_ask_listen(p, false);
}

void parent_link_carrier(struct parent *p)
{
	(void)p;
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

static int setup(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	w.admin = w.p.asker = -1;
	w.p.config.configured = PRIV_RELAY;
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
	return 0;
}

/* Another connection; the parent's end. */
static int call(void)
{
	int pair[2];

	assert_int_equal(msg_pair(pair), 0);
	if (w.admin >= 0)
		close(w.admin);
	w.admin = pair[0];
	return pair[1];
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

/* P4 */
static void what_is_no_administrators_connection_ends_the_engine(void **state)
{
	(void)state;
	parent_ask(&w.p, PRIV_RELOAD, 0, socket(AF_INET, SOCK_DGRAM, 0));
	assert_non_null(w.bad);
	w.bad = NULL;
	parent_ask(&w.p, PRIV_RELOAD, 0, socket(AF_UNIX, SOCK_DGRAM, 0));
	assert_non_null(w.bad);
	assert_int_equal(w.reloads, 0);
	if (geteuid() == 0)	/* whose connections are all an administrator's */
		return;
	w.bad = NULL;
	w.p.opt.child.uid = geteuid() + 1;
	w.p.opt.child.gid = getegid() + 4711;
	parent_ask(&w.p, PRIV_RELOAD, 0, call());
	assert_non_null(w.bad);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_reload_is_reported_when_it_is_done),
		T(a_configuration_with_errors_is_reported_at_once),
		T(one_reload_at_a_time),
		T(a_relay_is_held_until_it_is_released),
		T(a_client_announces_nothing),
		T(too_often_is_told),
		T(what_is_no_administrators_connection_ends_the_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
