/*
 * test_priv_serve.c - the parent's end of the border
 *
 * The rest of the parent is played by this file: what priv_serve() has done
 * is counted, what it answers is read at the engine's end of the socket.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/log.h"
#include "../../src/msg.h"
#include "../../src/parent.h"

static struct world {
	struct parent p;
	int engine;		/* its end */
	unsigned ready, up, carrier, resolved, killed, lines;
	struct priv_word asked[2];
	unsigned asks, refused;
	char why[80], line[100];
	int answer;		/* what the interface says to a change */
	int second;		/* what comes of a second port */
	unsigned opened, closed;
	unsigned told;		/* the service manager */
} w;

/* ---- the rest of the parent ---- */

void parent_ready(struct parent *p)
{
	assert_ptr_equal(p, &w.p);
	w.ready++;
}

void parent_engine_bad(struct parent *p, const char *why)
{
	snprintf(w.why, sizeof(w.why), "%s", why == NULL ? "" : why);
	w.killed++;
	close(p->engine.child.sock);
	p->engine.child.sock = -1;
}

void parent_send(struct parent *p, const void *msg, size_t len, int fd)
{
	if (p->engine.child.sock >= 0)
		msg_send(p->engine.child.sock, msg, len, fd);
}

int parent_link_up(struct parent *p, const uint8_t addr[16], uint32_t mtu)
{
	memcpy(p->link.addr, addr, 16);
	p->link.mtu = mtu;
	w.up++;
	return w.answer;
}

void parent_link_carrier(struct parent *p)
{
	(void)p;
	w.carrier++;
}

int parent_secondary(struct parent *p, bool open)
{
	w.opened += open;
	w.closed += !open;
	p->fd[PRIV_FD_UDP2] = w.engine; /* as good as any */
	return open ? w.second : 0;
}

void resolve_ask(struct parent *p, unsigned server)
{
	(void)p;
	assert_true(server < 2);
	w.resolved++;
}

void parent_health_tell(struct parent *p, bool anyway)
{
	(void)p;
	(void)anyway;
}

void parent_health_say(struct parent *p)
{
	(void)p;
	w.told++;
}

void parent_ask(struct parent *p, uint32_t verb, uint32_t value, int fd)
{
	assert_ptr_equal(p, &w.p);
	assert_true(fd >= 0);
	close(fd);
	w.asked[w.asks % 2].verb = verb;
	w.asked[w.asks++ % 2].value = value;
}

void parent_ask_refuse(struct parent *p, uint32_t verb, int fd)
{
	assert_ptr_equal(p, &w.p);
	assert_true(verb == PRIV_RELOAD || verb == PRIV_ANNOUNCE);
	close(fd);
	w.refused++;
}

/* ---- the engine ---- */

static void count_line(void *ctx, int level, const char *line)
{
	(void)ctx;
	(void)level;
	snprintf(w.line, sizeof(w.line), "%s", line);
	w.lines++;
}

static int setup(void **state)
{
	int pair[2];

	(void)state;
	memset(&w, 0, sizeof(w));
	if (msg_pair(pair) < 0)
		return -1;
	w.p.engine.child.sock = pair[0];
	w.engine = pair[1];
	w.p.policy.role = PRIV_CLIENT;
	w.p.policy.prefix = htonl(0x20010000);
	w.p.policy.mtu_max = 1500;
	w.p.policy.n_servers = 2;
	priv_policy_add(&w.p.policy, inet_addr("192.0.2.1"));
	log_to_sink(count_line, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (w.p.engine.child.sock >= 0)
		close(w.p.engine.child.sock);
	close(w.engine);
	return 0;
}

static void say(uint32_t verb, uint32_t value)
{
	const struct priv_word m = { verb, value };

	msg_send(w.engine, &m, sizeof(m), -1);
}

static void say_up(uint8_t server_octet)
{
	struct priv_tun_up m = {
		.verb = PRIV_TUN_UP,
		.mtu = 1280,
		.addr = { 0x20, 1, 0, 0, 192, 0, 2, server_octet },
	};

	msg_send(w.engine, &m, sizeof(m), -1);
}

static int answer_about(uint32_t verb)
{
	struct priv_answer m;
	int fd;

	assert_int_equal(msg_recv(w.engine, &m, sizeof(m), &fd), sizeof(m));
	assert_int_equal(m.verb, PRIV_ANSWER);
	assert_int_equal(m.about, verb);
	return m.error;
}

/* ---- */

static void each_verb_does_its_work(void **state)
{
	(void)state;
	say(PRIV_READY, 0);
	say(PRIV_CARRIER, 0);
	say(PRIV_RESOLVE, 1);
	priv_serve(&w.p, 0);
	assert_int_equal(w.ready, 1);
	assert_int_equal(w.carrier, 1);
	assert_true(w.p.link.held);
	assert_int_equal(w.resolved, 1);
	say(PRIV_CARRIER, 1);
	priv_serve(&w.p, 0);
	assert_false(w.p.link.held);
}

/* With the connection of who wants it */
static void say_for(uint32_t verb, uint32_t value)
{
	const struct priv_word m = { verb, value };

	msg_send(w.engine, &m, sizeof(m), w.engine);
}

static void what_somebody_asks_for_comes_with_the_connection(void **state)
{
	(void)state;
	say_for(PRIV_ANNOUNCE, 1);
	say_for(PRIV_RELOAD, 0);
	priv_serve(&w.p, 0);
	assert_int_equal(w.asks, 2);
	assert_int_equal(w.asked[0].verb, PRIV_ANNOUNCE);
	assert_int_equal(w.asked[0].value, 1);
	assert_int_equal(w.asked[1].verb, PRIV_RELOAD);
	for (unsigned i = 1; i < PRIV_RELOAD_PER_MINUTE + 2; i++)
		say_for(PRIV_RELOAD, 0);
	priv_serve(&w.p, 0);
	assert_int_equal(w.asks, 1 + PRIV_RELOAD_PER_MINUTE);
	assert_int_equal(w.refused, 2);
	assert_int_equal(w.killed, 0);
	say(PRIV_RELOAD, 0);
	priv_serve(&w.p, 0);
	assert_int_equal(w.killed, 1);
}

/* C-RID-11 */
static void a_second_port_is_sent_and_closed(void **state)
{
	struct priv_word m;
	int fd;

	(void)state;
	say(PRIV_SECONDARY, 1);
	say(PRIV_SECONDARY, 0);
	priv_serve(&w.p, 0);
	assert_int_equal(w.opened, 1);
	assert_int_equal(w.closed, 1);
	assert_int_equal(msg_recv(w.engine, &m, sizeof(m), &fd), sizeof(m));
	assert_int_equal(m.verb, PRIV_FD);
	assert_int_equal(m.value, PRIV_FD_UDP2);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(msg_recv(w.engine, &m, sizeof(m), &fd), -EAGAIN);
}

static void a_second_port_that_cannot_be_had_is_answered(void **state)
{
	(void)state;
	w.second = -EMFILE;
	say(PRIV_SECONDARY, 1);
	priv_serve(&w.p, 0);
	assert_int_equal(answer_about(PRIV_SECONDARY), -EMFILE);
	w.p.policy.role = PRIV_RELAY;
	say(PRIV_SECONDARY, 1);
	priv_serve(&w.p, 0);
	assert_int_equal(answer_about(PRIV_SECONDARY), -EPERM);
	assert_int_equal(w.opened, 1);
}

static void an_address_is_set_and_answered(void **state)
{
	(void)state;
	say_up(1);
	priv_serve(&w.p, 0);
	assert_int_equal(w.up, 1);
	assert_int_equal(answer_about(PRIV_TUN_UP), 0);
}

static void a_failed_change_is_an_answer_not_a_death(void **state)
{
	(void)state;
	w.answer = -ENODEV;
	say_up(1);
	priv_serve(&w.p, 0);
	assert_int_equal(answer_about(PRIV_TUN_UP), -ENODEV);
	assert_int_equal(w.killed, 0);
}

static void a_refused_address_is_not_set_but_answered(void **state)
{
	(void)state;
	say_up(9);
	priv_serve(&w.p, 0);
	assert_int_equal(w.up, 0);
	assert_int_equal(answer_about(PRIV_TUN_UP), -EPERM);
	assert_int_equal(w.killed, 0);
}

static void a_refused_look_up_has_failed(void **state)
{
	struct priv_resolved m;
	int fd;

	(void)state;
	say(PRIV_RESOLVE, 7);
	priv_serve(&w.p, 0);
	assert_int_equal(w.resolved, 0);
	assert_int_equal(msg_recv(w.engine, &m, sizeof(m), &fd), sizeof(m));
	assert_int_equal(m.verb, PRIV_RESOLVED);
	assert_int_equal(m.server, 7);
	assert_int_equal(m.ip, 0);
}

/* Told too often, it is not passed on at once; but the last word counts. */
static void the_last_health_is_kept(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= PRIV_HEALTH_PER_MINUTE + 3; i++) {
		say(PRIV_HEALTH, i);
		priv_serve(&w.p, 0);
		assert_int_equal(w.p.engine.health, i);
	}
	assert_int_equal(w.told, PRIV_HEALTH_PER_MINUTE);
}

static void what_it_says_is_a_sign_of_life(void **state)
{
	(void)state;
	w.p.engine.silent = 4;
	say(PRIV_KEEPALIVE, 0);
	priv_serve(&w.p, 0);
	assert_int_equal(w.p.engine.silent, 0);
}

static void malformed_is_the_end(void **state)
{
	(void)state;
	msg_send(w.engine, "nonsense", 8, -1);
	say(PRIV_READY, 0);
	priv_serve(&w.p, 0);
	assert_int_equal(w.killed, 1);
	assert_string_not_equal(w.why, "");
	assert_int_equal(w.ready, 0);	/* nothing after it counts */
}

static void too_long_is_the_end(void **state)
{
	char big[PRIV_MESSAGE_MAX + 1] = { 0 };

	(void)state;
	msg_send(w.engine, big, sizeof(big), -1);
	priv_serve(&w.p, 0);
	assert_int_equal(w.killed, 1);
}

static void a_descriptor_from_the_engine_is_the_end(void **state)
{
	const struct priv_word m = { PRIV_READY, 0 };
	int before = dup(STDERR_FILENO), after;

	(void)state;
	close(before);
	msg_send(w.engine, &m, sizeof(m), STDERR_FILENO);
	priv_serve(&w.p, 0);
	assert_int_equal(w.killed, 1);
	assert_int_equal(w.ready, 0);
	after = dup(STDERR_FILENO);	/* sock was closed: no higher */
	assert_true(after <= before);
	close(after);
}

static void the_end_of_the_connection_needs_no_reason(void **state)
{
	(void)state;
	close(w.engine);
	priv_serve(&w.p, 0);
	assert_int_equal(w.killed, 1);
	assert_string_equal(w.why, "");
	w.engine = dup(STDERR_FILENO);
}

static void twenty_lines_a_second_are_logged(void **state)
{
	struct priv_log m = { .verb = PRIV_LOG, .text = "line" };

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		m.text[0] = (char)('a' + i % 26);
		m.text[1] = (char)('a' + i / 26);
		msg_send(w.engine, &m, sizeof(m), -1);
		priv_serve(&w.p, 0);
	}
	assert_int_equal(w.lines, 20);
	assert_int_equal(w.p.engine.log_suppressed, 80);
	w.p.engine.log_window = 0;	/* a second is over */
	strcpy(m.text, "another line");
	msg_send(w.engine, &m, sizeof(m), -1);
	priv_serve(&w.p, 0);
	assert_int_equal(w.lines, 22);	/* how many there were, and this */
}

static void of_each_reason_a_line_a_second_is_logged(void **state)
{
	struct priv_log m = { .verb = PRIV_LOG };

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		snprintf(m.text, sizeof(m.text), "server: %u", i);
		msg_send(w.engine, &m, sizeof(m), -1);
		priv_serve(&w.p, 0);
	}
	assert_int_equal(w.lines, 1);
}

/* B12: nobody finds a gap that is not told of. */
static void what_was_not_logged_is_told_by_a_timer(void **state)
{
	struct priv_log m = { .verb = PRIV_LOG };
	uint64_t now;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		snprintf(m.text, sizeof(m.text), "server: %u", i);
		msg_send(w.engine, &m, sizeof(m), -1);
		priv_serve(&w.p, 0);
	}
	w.p.engine.log_suppressed = 80;
	now = w.p.engine.log_window + 1;
	priv_serve_tick(&w.p, now);
	assert_int_equal(w.lines, 1);
	priv_serve_tick(&w.p, now + 2000000000u);
	assert_int_equal(w.lines, 3);
	assert_string_equal(w.line, "9 lines like \"server\" were suppressed");
	priv_serve_tick(&w.p, UINT64_MAX);
	assert_int_equal(w.lines, 3);
}

static void a_chatterer_does_not_keep_the_parent(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++)
		say(PRIV_READY, 0);
	priv_serve(&w.p, 0);
	assert_in_range(w.ready, 1, 64);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_verb_does_its_work),
		T(what_somebody_asks_for_comes_with_the_connection),
		T(a_second_port_is_sent_and_closed),
		T(a_second_port_that_cannot_be_had_is_answered),
		T(an_address_is_set_and_answered),
		T(a_failed_change_is_an_answer_not_a_death),
		T(a_refused_address_is_not_set_but_answered),
		T(a_refused_look_up_has_failed),
		T(the_last_health_is_kept),
		T(what_it_says_is_a_sign_of_life),
		T(malformed_is_the_end),
		T(too_long_is_the_end),
		T(a_descriptor_from_the_engine_is_the_end),
		T(the_end_of_the_connection_needs_no_reason),
		T(twenty_lines_a_second_are_logged),
		T(of_each_reason_a_line_a_second_is_logged),
		T(what_was_not_logged_is_told_by_a_timer),
		T(a_chatterer_does_not_keep_the_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
