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
	bool said_bad[CALLERS];		/* what was no request */
	uint64_t spoke[CALLERS];	/* or called */
	struct {
		loop_fn *fn;
		void *ctx;
	} watch[FDS];
	unsigned watched, filled;
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

static const struct ctl_ops ops = { .status = fill };

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
	w.spoke[i] = w.now;
}

static void say(unsigned i)
{
	struct ctl_request m = { .magic = CTL_MAGIC, .version = CTL_VERSION,
				 .verb = CTL_STATUS };
	uint8_t msg[300] = { 0 };
	uint8_t how = octet(), where = octet(), what = octet();
	size_t len = how & 1 ? where : sizeof(m);

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
}

static void hang_up(unsigned i)
{
	if (w.caller[i] >= 0)
		close(w.caller[i]);
	w.caller[i] = -1;
}

/* What a caller got: nothing yet, its answers, the end. */
static void hear(unsigned i)
{
	union {
		struct ctl_head head;
		struct ctl_status status;
	} m;
	ssize_t n;

	while ((n = recv(w.caller[i], &m, sizeof(m), MSG_TRUNC)) > 0) {
		assert(w.due[i]-- > 0 && n <= (ssize_t)sizeof(m));
		assert(m.head.magic == CTL_MAGIC &&
		       m.head.version == CTL_VERSION && m.head.now == w.now);
		if (m.head.verb != CTL_STATUS || m.head.error != 0)
			assert(m.head.error < 0 && n == sizeof(m.head));
		else
			assert(n == sizeof(m.status) && m.status.pid == 4711);
	}
	if (n < 0 && errno == EAGAIN)
		assert(w.now < w.spoke[i] + CTL_IDLE + 2 * (uint64_t)SECOND);
	else
		hang_up(i);
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
	assert(w.watched == 0);
	close(w.listener);
	return 0;
}
