/*
 * fuzz_ctl.c - anybody at the control socket
 *
 * Connections come, say any octets, in any order, say nothing, and go; time
 * passes. The event loop is this file, the sockets are the kernel's. Who asks
 * rightly gets one answer for each request, who says what is no request is hung
 * up on without, and who is silent for five seconds, too; there are at most
 * CTL_CONNECTIONS.
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../src/clock.h"
#include "../../src/ctl_server.h"

#define SECOND	1000000000u
#define FDS	64
#define CALLERS 20u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct world {
	const uint8_t *at, *end;
	uint64_t now;
	struct ctl_server *s;
	int listener;
	struct sockaddr_un name;
	socklen_t name_len;
	int caller[CALLERS];		/* -1: none */
	unsigned due[CALLERS];		/* answers not heard yet, at most */
	bool streams[CALLERS];		/* has asked for one */
	bool said_bad[CALLERS];		/* what was no request */
	uint64_t spoke[CALLERS];	/* or called */
	struct {
		loop_fn *fn;
		void *ctx;
	} watch[FDS];
	union {
		struct ctl_head head;
		struct ctl_status status;
		struct ctl_peers peers;
		struct ctl_lookup lookup;
		struct ctl_events events;
		struct ctl_packets packets;
	} m;
	unsigned watched, filled, handed;
	bool captures;
} w;

static uint8_t octet(void)
{
	return w.at < w.end ? *w.at++ : 0;
}

uint64_t clock_now(void)
{
	return w.now;
}

/* ---- the event loop ---- */

int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn *fn,
	     void *ctx)
{
	(void)loop;
	assert(events == EPOLLIN && fd < FDS && w.watch[fd].fn == NULL);
	w.watch[fd].fn = fn;
	w.watch[fd].ctx = ctx;
	w.watched++;
	assert(w.watched <= CTL_CONNECTIONS + 1);
	return 0;
}

void loop_remove(struct loop *loop, int fd)
{
	(void)loop;
	if (fd < FDS && w.watch[fd].fn != NULL)
		w.watched--;
	w.watch[fd].fn = NULL;
}

/* One turn: who has nothing to read finds that out. */
static void turn(void)
{
	for (int fd = 0; fd < FDS; fd++)
		if (w.watch[fd].fn != NULL)
			w.watch[fd].fn(w.watch[fd].ctx, EPOLLIN);
}

static void fill(void *ctx, struct ctl_status *st)
{
	assert(ctx == &w && st->head.magic == CTL_MAGIC);
	st->pid = 4711;
	w.filled++;
}

static void peers(void *ctx, uint32_t from, struct ctl_peers *page)
{
	assert(ctx == &w);
	page->n = from % (CTL_PEERS_MAX + 1);
	page->next = CTL_PEERS_END;
}

static void lookup(void *ctx, const uint8_t addr[16], struct ctl_lookup *l)
{
	assert(ctx == &w);
	l->would = addr[0];
}

/* The parent takes every second one, and answers at once. */
static int parent(void *ctx, const struct ctl_request *r, int fd)
{
	const struct ctl_report report = {
		.head = { CTL_MAGIC, CTL_VERSION, r->verb, 0, w.now },
	};

	assert(ctx == &w);
	if (w.handed++ % 2 == 0)
		return -EAGAIN;
	(void)!send(fd, &report, sizeof(report), MSG_NOSIGNAL);
	return 0;
}

static void capture(void *ctx, bool wanted)
{
	assert(ctx == &w && wanted != w.captures);
	w.captures = wanted;
}

static const struct ctl_ops ops = {
	.status = fill,
	.peers = peers,
	.lookup = lookup,
	.parent = parent,
	.capture = capture,
};

/* ---- the callers ---- */

static void open_listener(void)
{
	int error;

	w.name.sun_family = AF_UNIX;
	w.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	error = bind(w.listener, (const struct sockaddr *)&w.name,
		     sizeof(sa_family_t));	/* the kernel finds a name */
	assert(error == 0);
	w.name_len = sizeof(w.name);
	error = getsockname(w.listener, (struct sockaddr *)&w.name,
			    &w.name_len) || listen(w.listener, CALLERS);
	assert(error == 0);
}

static void call(unsigned i)
{
	int error;

	if (w.caller[i] >= 0)
		return;
	w.caller[i] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	error = connect(w.caller[i], (const struct sockaddr *)&w.name,
			w.name_len);
	assert(error == 0);
	w.said_bad[i] = false;
	w.due[i] = 0;
	w.streams[i] = false;
	w.spoke[i] = w.now;
}

static void say(unsigned i)
{
	struct ctl_request m = { .magic = CTL_MAGIC, .version = CTL_VERSION,
				 .verb = CTL_STATUS };
	uint8_t msg[300] = { 0 };
	uint8_t how = octet(), where = octet(), what = octet();
	size_t len = how & 1 ? where : sizeof(m);

	m.verb += how >> 2 & 7;
	m.value = what;
	memcpy(msg, &m, sizeof(m));
	if (how & 2)
		msg[where % sizeof(m)] ^= what;
	if (w.caller[i] < 0 || send(w.caller[i], msg, len, MSG_NOSIGNAL) < 0)
		return;
	w.spoke[i] = w.now;
	if (len != sizeof(m) || memcmp(msg, &m, 4) != 0)
		w.said_bad[i] = true;
	if (!w.said_bad[i])
		w.due[i]++;
	memcpy(&m, msg, sizeof(m));
	w.streams[i] |= m.verb == CTL_EVENTS || m.verb == CTL_CAPTURE;
}

static void hang_up(unsigned i)
{
	if (w.caller[i] >= 0)
		close(w.caller[i]);
	w.caller[i] = -1;
}

/* What an answer without an error is long. */
static size_t length(void)
{
	switch (w.m.head.verb) {
	case CTL_STATUS:
		assert(w.m.status.pid == 4711);
		return sizeof(w.m.status);
	case CTL_PEERS:
		return offsetof(struct ctl_peers, peer) +
		       w.m.peers.n * sizeof(w.m.peers.peer[0]);
	case CTL_LOOKUP:
		return sizeof(w.m.lookup);
	case CTL_EVENTS:
		return offsetof(struct ctl_events, event) +
		       w.m.events.n * sizeof(w.m.events.event[0]);
	case CTL_CAPTURE:
		return offsetof(struct ctl_packets, record) +
		       w.m.packets.n * sizeof(struct ctl_packet);
	default:
		return sizeof(struct ctl_report);
	}
}

/* What a caller got: nothing yet, its answers, the end. */
static void hear(unsigned i)
{
	ssize_t n;

	while ((n = recv(w.caller[i], &w.m, sizeof(w.m), MSG_TRUNC)) > 0) {
		assert(n <= (ssize_t)sizeof(w.m));
		assert(w.streams[i] || w.due[i]-- > 0);
		assert(w.m.head.magic == CTL_MAGIC &&
		       w.m.head.version == CTL_VERSION &&
		       w.m.head.now == w.now);
		if (w.m.head.error != 0)
			assert(w.m.head.error < 0 && n == sizeof(w.m.head));
		else
			assert((size_t)n == length());
	}
	if (n < 0 && errno == EAGAIN)
		assert(w.streams[i] ||
		       w.now < w.spoke[i] + CTL_IDLE + 2 * (uint64_t)SECOND);
	else
		hang_up(i);
}

/* What the streams are about. */
static void happen(uint8_t what)
{
	const struct ctl_event event = { .kind = CTL_EVENT_STATE };
	const struct ctl_packet packet[2] = { { 0 } };

	if (what % 2 == 0)
		ctl_server_event(w.s, &event, what % 4 == 0);
	else
		ctl_server_packets(w.s, packet, sizeof(packet), 2);
}

static void act(void)
{
	uint8_t op = octet();
	unsigned i = op / 8 % CALLERS;

	switch (op % 8) {
	case 0:
	case 1:
		call(i);
		break;
	case 2:
	case 3:
	case 4:
		say(i);
		break;
	case 5:
		hang_up(i);
		break;
	case 6:
		w.now += SECOND / 4;
		happen(op / 8);
		break;
	default:
		w.now += SECOND;
		break;
	}
	turn();
	ctl_server_expire(w.s, w.now);
	turn();
	for (i = 0; i < CALLERS; i++)
		if (w.caller[i] >= 0)
			hear(i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int error;

	memset(&w, 0, sizeof(w));
	w.at = data;
	w.end = data + len;
	w.now = 3600 * (uint64_t)SECOND;
	for (unsigned i = 0; i < CALLERS; i++)
		w.caller[i] = -1;
	open_listener();
	error = ctl_server_new(&w.s, NULL, w.listener, &ops, &w);
	assert(error == 0);
	while (w.at < w.end)
		act();
	for (unsigned i = 0; i < CALLERS; i++)
		hang_up(i);
	ctl_server_free(w.s);
	assert(!w.captures);
	assert(w.watched == 0);
	close(w.listener);
	return 0;
}
