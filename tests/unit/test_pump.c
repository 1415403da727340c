/*
 * test_pump.c - the hot path, with a role that does as the test says
 *
 * The tun is one end of a socket pair where that is enough, and a real one
 * where it is about to vanish; UDP is the loopback of a namespace of its own.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../libtun6/tun6.h"
#include "../../src/clock.h"
#include "../../src/pump.h"
#include "../../src/udp.h"
#include "datagram.h"
#include "netns.h"

#define MAX_PEERS 4u

struct fixture {
	struct loop *loop;
	struct pump *pump;
	struct snapshot *snap;
	int memfd, tun, stack; /* stack: the other end of the tun */
	int udp[2], peer;
	struct teredo_ep udp_ep[2], peer_ep;
	/* the role */
	struct teredo_verdict verdict;
	void (*say)(struct fixture *f, struct teredo_outbox *ob);
	unsigned calls, expired, saved, reported, news, saved_when_told;
	teredo_time deadline;
	unsigned due;
	struct teredo_rx last_rx;
	enum outbox_kind last_news;
	/* wake-ups until the loop is stopped */
	unsigned turns;
};

/* ---- the role ---- */

static struct teredo_verdict answer(struct fixture *f, size_t len,
				    struct teredo_outbox *ob)
{
	struct teredo_verdict v = f->verdict;

	f->calls++;
	if (f->say != NULL)
		f->say(f, ob);
	v = f->verdict;
	if (v.len == 0)
		v.len = (uint32_t)len - v.off;
	return v;
}

static struct teredo_verdict udp_in(void *role, const struct teredo_rx *rx,
				    teredo_time now, struct teredo_outbox *ob)
{
	struct fixture *f = role;

	(void)now;
	f->last_rx = *rx;
	return answer(f, rx->len, ob);
}

static struct teredo_verdict tun_in(void *role, const uint8_t *ip6, size_t len,
				    teredo_time now, struct teredo_outbox *ob)
{
	(void)ip6;
	(void)now;
	return answer(role, len, ob);
}

static void prefetch(void *role, const struct teredo_addr *keys, unsigned n)
{
	(void)role;
	(void)keys;
	assert_true(n <= 64);
}

static void expect(void *role, const struct teredo_ep *from, unsigned n)
{
	assert_non_null(role);
	assert_true(n == 0 || from[n - 1].port != 0);
}

static void expire(void *role, teredo_time now, struct teredo_outbox *ob)
{
	struct fixture *f = role;

	(void)now;
	(void)ob;
	f->expired++;
	if (f->due > 0 && --f->due == 0)
		f->deadline = TEREDO_NEVER;
}

static teredo_time deadline(const void *role)
{
	const struct fixture *f = role;

	return f->deadline;
}

static void save(void *role, struct snapshot *snap)
{
	struct fixture *f = role;

	(void)snap;
	f->saved++;
}

static void report(void *role, teredo_time now)
{
	struct fixture *f = role;

	(void)now;
	f->reported++;
}

static const struct role_ops ops = {
	.udp_in = udp_in,
	.tun_in = tun_in,
	.prefetch = prefetch,
	.expect = expect,
	.expire = expire,
	.deadline = deadline,
	.save = save,
	.report = report,
	.peer = role_no_peer,
};

static void news(void *ctx, const struct outbox_item *item)
{
	struct fixture *f = ctx;

	f->news++;
	f->saved_when_told = f->saved;
	f->last_news = item->kind;
}

static void done(void *ctx)
{
	struct fixture *f = ctx;

	if (--f->turns == 0)
		loop_stop(f->loop, 0);
}

/* ---- the fixture ---- */

static int open_udp(struct teredo_ep *ep)
{
	int fd = udp_open((struct teredo_ep){.ip = htonl(INADDR_LOOPBACK)});

	*ep = udp_bound(fd);
	return fd;
}

static void make_pump(struct fixture *f)
{
	const struct pump_config config = {
		.loop = f->loop,
		.ops = &ops,
		.role = f,
		.snap = f->snap,
		.tun = f->tun,
		.udp = {f->udp[0], f->udp[1], -1},
		.native6 = -1,
		.news = news,
		.done = done,
		.ctx = f,
	};

	assert_int_equal(pump_new(&f->pump, &config), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int pair[2];

	*state = f;
	assert_int_equal(loop_new(&f->loop), 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair),
		0);
	f->tun = pair[0];
	f->stack = pair[1];
	f->udp[0] = open_udp(&f->udp_ep[0]);
	f->udp[1] = open_udp(&f->udp_ep[1]);
	f->peer = open_udp(&f->peer_ep);
	f->memfd = snapshot_create(MAX_PEERS);
	f->deadline = TEREDO_NEVER;
	assert_int_equal(snapshot_open(&f->snap, f->memfd, MAX_PEERS), 0);
	make_pump(f);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pump_free(f->pump);
	snapshot_close(f->snap);
	loop_free(f->loop);
	close(f->memfd);
	close(f->tun);
	close(f->stack);
	close(f->udp[0]);
	close(f->udp[1]);
	close(f->peer);
	free(f);
	return 0;
}

/* Runs the loop for that many wake-ups. */
static void run(struct fixture *f, unsigned turns)
{
	f->turns = turns;
	loop_run(f->loop);
}

static void from_stack(struct fixture *f, const char *text)
{
	assert_int_equal(write(f->stack, text, strlen(text)), strlen(text));
}

static void from_peer(struct fixture *f, enum teredo_via via, const char *text)
{
	assert_int_equal(
		datagram_send(f->peer, f->udp_ep[via], text, (uint32_t)strlen(text)),
		0);
}

static void expect_at_peer(struct fixture *f, const char *text)
{
	struct pollfd p = {.fd = f->peer, .events = POLLIN};
	struct teredo_ep from;
	uint32_t local;
	char buf[64] = "";

	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_true(datagram_recv(f->peer, buf, sizeof(buf), &from, &local) >=
		    0);
	assert_string_equal(buf, text);
	assert_int_equal(from.port, f->udp_ep[TEREDO_VIA_PRIMARY].port);
}

static void expect_at_stack(struct fixture *f, const char *text)
{
	char buf[64] = "";

	assert_true(read(f->stack, buf, sizeof(buf)) >= 0);
	assert_string_equal(buf, text);
}

static void put_udp(struct fixture *f, struct teredo_outbox *ob,
		    const char *text)
{
	uint8_t *out =
		outbox_udp(ob, TEREDO_VIA_PRIMARY, f->peer_ep, strlen(text));

	assert_non_null(out);
	memcpy(out, text, strlen(text));
}

static void put_tun(struct teredo_outbox *ob, const char *text)
{
	uint8_t *out = outbox_packet(ob, OUTBOX_TUN, strlen(text));

	assert_non_null(out);
	memcpy(out, text, strlen(text));
}

/* ---- the tests ---- */

/* A-ENC-01: as it is; R-GEN-03: from the service port, as all that follows */
static void a_packet_from_the_tun_goes_to_the_peer(void **state)
{
	struct fixture *f = *state;
	struct ctl_status st = {0};

	f->verdict = (struct teredo_verdict){.fate = TEREDO_TO_UDP,
					     .to = f->peer_ep};
	from_stack(f, "first");
	from_stack(f, "second");
	run(f, 1);
	expect_at_peer(f, "first");
	expect_at_peer(f, "second");
	pump_status(f->pump, &st);
	assert_int_equal(st.tun_rx.packets, 2);
	assert_int_equal(st.tun_rx.bytes, 11);
	assert_int_equal(st.udp_tx.packets, 2);
	assert_int_equal(st.udp_tx.bytes, 11);
}

static void a_datagram_goes_to_the_tun_without_its_headers(void **state)
{
	struct fixture *f = *state;

	f->verdict = (struct teredo_verdict){
		.fate = TEREDO_TO_TUN, .off = 7, .len = 6};
	from_peer(f, TEREDO_VIA_PRIMARY, "header packet trailer");
	run(f, 1);
	expect_at_stack(f, "packet");
	assert_int_equal(f->last_rx.via, TEREDO_VIA_PRIMARY);
	assert_int_equal(f->last_rx.from.port, f->peer_ep.port);
	assert_int_equal(f->last_rx.local_ip, htonl(INADDR_LOOPBACK));
}

static void the_socket_of_a_verdict_is_the_one_that_sends(void **state)
{
	struct fixture *f = *state;
	struct teredo_ep from;
	uint32_t local;
	char buf[8];

	f->verdict = (struct teredo_verdict){.fate = TEREDO_TO_UDP,
					     .via = TEREDO_VIA_SECONDARY,
					     .to = f->peer_ep};
	from_peer(f, TEREDO_VIA_SECONDARY, "x");
	run(f, 1);
	assert_int_equal(f->last_rx.via, TEREDO_VIA_SECONDARY);
	assert_int_equal(
		datagram_recv(f->peer, buf, sizeof(buf), &from, &local), 1);
	assert_int_equal(from.port, f->udp_ep[1].port);
}

/* C-RID-11 */
static void the_second_socket_comes_and_goes(void **state)
{
	struct fixture *f = *state;

	f->verdict.fate = TEREDO_TAKEN;
	assert_int_equal(pump_secondary(f->pump, -1), 0);
	from_peer(f, TEREDO_VIA_SECONDARY, "nobody");
	from_peer(f, TEREDO_VIA_PRIMARY, "x");
	run(f, 1);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->last_rx.via, TEREDO_VIA_PRIMARY);
	assert_int_equal(pump_secondary(f->pump, f->udp[1]), 0);
	run(f, 1);
	assert_int_equal(f->calls, 2);
	assert_int_equal(f->last_rx.via, TEREDO_VIA_SECONDARY);
}

/* Two packets are held, the third ends the wait, the fourth is ordinary. */
static void hold_two(struct fixture *f, struct teredo_outbox *ob)
{
	f->verdict.fate = f->calls < 3 ? TEREDO_TAKEN : TEREDO_TO_UDP;
	if (f->calls == 3) {
		put_udp(f, ob, "1");
		put_udp(f, ob, "2");
	}
}

static void a_held_burst_is_not_overtaken(void **state)
{
	struct fixture *f = *state;

	f->verdict.to = f->peer_ep;
	f->say = hold_two;
	from_stack(f, "1");
	from_stack(f, "2");
	from_stack(f, "3");
	from_stack(f, "4");
	run(f, 1);
	expect_at_peer(f, "1");
	expect_at_peer(f, "2");
	expect_at_peer(f, "3");
	expect_at_peer(f, "4");
}

static void say_held_to_tun(struct fixture *f, struct teredo_outbox *ob)
{
	(void)f;
	put_tun(ob, "held");
}

static void what_was_held_for_the_tun_comes_first_too(void **state)
{
	struct fixture *f = *state;

	f->verdict.fate = TEREDO_TO_TUN;
	f->say = say_held_to_tun;
	from_peer(f, TEREDO_VIA_PRIMARY, "later");
	run(f, 1);
	expect_at_stack(f, "held");
	expect_at_stack(f, "later");
}

static void one_wake_up_takes_a_bounded_number(void **state)
{
	struct fixture *f = *state;

	f->verdict.fate = TEREDO_DROP;
	for (int i = 0; i < 100; i++)
		from_stack(f, "x");
	run(f, 1);
	assert_int_equal(f->calls, 64);
	run(f, 1);
	assert_int_equal(f->calls, 100);
}

static void what_the_tun_does_not_take_is_counted(void **state)
{
	struct fixture *f = *state;
	struct ctl_status st = {0};

	while (write(f->tun, "fill", 4) == 4)
		;
	f->verdict.fate = TEREDO_TO_TUN;
	from_peer(f, TEREDO_VIA_PRIMARY, "one too many");
	run(f, 1);
	pump_status(f->pump, &st);
	assert_int_equal(st.tun_drops, 1);
	assert_int_equal(st.tun_tx.packets, 0);
}

static void what_has_no_route_is_counted(void **state)
{
	struct fixture *f = *state;
	struct ctl_status st = {0};

	f->verdict = (struct teredo_verdict){
		.fate = TEREDO_TO_UDP,
		.to = {.ip = htonl(0xe0000001), .port = htons(1)}};
	f->verdict.to.ip = htonl(0xc0000201);
	from_stack(f, "x");
	run(f, 1);
	pump_status(f->pump, &st);
	assert_int_equal(st.udp_drops, 1);
	assert_int_equal(st.udp_tx.packets, 0);
}

static const struct teredo_addr alice = {.b = {0x20, 1, [15] = 1}};

static void say_peer_up(struct fixture *f, struct teredo_outbox *ob)
{
	outbox_news(ob, OUTBOX_PEER_UP, &alice, f->peer_ep, 2);
}

static void say_peer_down(struct fixture *f, struct teredo_outbox *ob)
{
	(void)f;
	outbox_news(ob, OUTBOX_PEER_DOWN, &alice, (struct teredo_ep){0}, 2);
}

static unsigned recorded_peers(struct fixture *f)
{
	struct snapshot *snap;
	struct snapshot_peer peer;
	uint32_t at = 0;
	unsigned n = 0;

	assert_int_equal(snapshot_open(&snap, f->memfd, MAX_PEERS), 0);
	while (snapshot_next_peer(snap, &at, &peer)) {
		assert_memory_equal(&peer.addr, &alice, sizeof(alice));
		assert_int_equal(peer.ep.port, f->peer_ep.port);
		n++;
	}
	snapshot_close(snap);
	return n;
}

static void trusted_peers_are_recorded(void **state)
{
	struct fixture *f = *state;

	f->say = say_peer_up;
	from_stack(f, "x");
	run(f, 1);
	assert_int_equal(recorded_peers(f), 1);
	assert_int_equal(f->news, 1);
	assert_int_equal(f->last_news, OUTBOX_PEER_UP);
	f->say = say_peer_down;
	from_stack(f, "x");
	run(f, 1);
	assert_int_equal(recorded_peers(f), 0);
	assert_int_equal(f->news, 1);
	assert_int_equal(f->saved, 0);
}

static void say_address(struct fixture *f, struct teredo_outbox *ob)
{
	(void)f;
	outbox_news(ob, OUTBOX_STATE, &alice, (struct teredo_ep){0}, 0);
	outbox_news(ob, OUTBOX_ADDRESS, &alice, (struct teredo_ep){0}, 1280);
}

/* Killed in between, the next engine must know what the parent knows. */
static void an_address_is_saved_once_before_it_is_told(void **state)
{
	struct fixture *f = *state;

	f->say = say_address;
	from_stack(f, "x");
	run(f, 1);
	assert_int_equal(f->news, 2);
	assert_int_equal(f->last_news, OUTBOX_ADDRESS);
	assert_int_equal(f->saved, 1);
	assert_int_equal(f->saved_when_told, 1);
	assert_int_equal(f->reported, 1);
}

static void what_is_due_runs_until_nothing_is(void **state)
{
	struct fixture *f = *state;

	f->deadline = 1000;
	f->due = 3;
	assert_int_equal(pump_deadline(f->pump), 1000);
	pump_expire(f->pump, 999);
	assert_int_equal(f->expired, 0);
	pump_expire(f->pump, 1000);
	assert_int_equal(f->expired, 3);
	assert_true(pump_deadline(f->pump) == TEREDO_NEVER);
}

static void what_is_always_due_does_not_stop_the_packets(void **state)
{
	struct fixture *f = *state;

	f->deadline = 1;
	pump_expire(f->pump, 1000);
	assert_int_equal(f->expired, 16);
}

static void a_deleted_tun_is_left_alone_until_it_is_back(void **state)
{
	struct fixture *f = *state;
	char name[IF_NAMESIZE];
	teredo_time retry;

	pump_free(f->pump);
	close(f->tun);
	f->tun = tun6_open("teredo", name, &(bool){false});
	assert_true(f->tun >= 0);
	make_pump(f);

	assert_true(netns_delete_link("teredo"));
	run(f, 1); /* woken by the loss */
	retry = pump_deadline(f->pump);
	assert_true(retry > clock_now());
	assert_true(retry <= clock_now() + 100 * TEREDO_MS);
	/* not woken by it any more: the next wake-up is the datagram's */
	from_peer(f, TEREDO_VIA_PRIMARY, "x");
	run(f, 1);
	assert_int_equal(f->calls, 1);
	/* still gone: looked at once, and again left alone */
	pump_expire(f->pump, retry);
	assert_true(pump_deadline(f->pump) == TEREDO_NEVER);
	run(f, 1);
	assert_true(pump_deadline(f->pump) != TEREDO_NEVER);

	assert_int_equal(tun6_reattach(f->tun, "teredo", false), 0);
	assert_true(netns_set_link("teredo", true));
	pump_expire(f->pump, pump_deadline(f->pump));
	f->calls = 0;
	run(f, 1); /* what the stack says on a new interface */
	assert_true(f->calls > 0);
	assert_true(pump_deadline(f->pump) == TEREDO_NEVER);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_packet_from_the_tun_goes_to_the_peer),
		T(a_datagram_goes_to_the_tun_without_its_headers),
		T(the_socket_of_a_verdict_is_the_one_that_sends),
		T(the_second_socket_comes_and_goes),
		T(a_held_burst_is_not_overtaken),
		T(what_was_held_for_the_tun_comes_first_too),
		T(one_wake_up_takes_a_bounded_number),
		T(what_the_tun_does_not_take_is_counted),
		T(what_has_no_route_is_counted),
		T(trusted_peers_are_recorded),
		T(an_address_is_saved_once_before_it_is_told),
		T(what_is_due_runs_until_nothing_is),
		T(what_is_always_due_does_not_stop_the_packets),
		T(a_deleted_tun_is_left_alone_until_it_is_back),
	};

	if (!netns_enter_with_tun())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
