/*
 * ctl_server.c - the engine's end of the control socket
 *
 * One request, one answer, closed: there is no state between requests and no
 * output queue, because an answer fits the buffer of a fresh connection. A
 * wrong length or magic is not discussed but closed. Anyone may ask for the
 * status; it has no peer's address.
 *
 * Nobody at this socket may delay a packet: everything is non-blocking, a turn
 * takes one connection and then the packets have theirs, there are at most
 * CTL_CONNECTIONS, of whom the oldest makes room for another, and who says
 * nothing is thrown out.
 */
#include "config.h"

#include "ctl_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

struct connection {
	struct ctl_server *server;
	int fd; /* -1: free */
	uint64_t since;
};

struct ctl_server {
	struct loop *loop;
	int listener;
	bool listening;
	void (*fill)(void *ctx, struct ctl_status *st);
	void *ctx;
	struct connection connection[CTL_CONNECTIONS];
};

static void hang_up(struct connection *c)
{
	loop_remove(c->server->loop, c->fd);
	close(c->fd);
	c->fd = -1;
}

static bool is_status_request(const struct ctl_request *request, ssize_t len)
{
	return len == (ssize_t)sizeof(*request) &&
	       request->magic == CTL_MAGIC && request->version == CTL_VERSION &&
	       request->verb == CTL_STATUS;
}

static void answer(const struct connection *c)
{
	struct ctl_status st;

	memset(&st, 0, sizeof(st));
	st.magic = CTL_MAGIC;
	st.version = CTL_VERSION;
	c->server->fill(c->server->ctx, &st);
	/* Who does not take it has lost it. */
	(void)!send(c->fd, &st, sizeof(st), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void connection_readable(void *ctx, uint32_t events)
{
	struct connection *c = ctx;
	struct ctl_request request;
	ssize_t n = recv(c->fd, &request, sizeof(request),
			 MSG_DONTWAIT | MSG_TRUNC);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (is_status_request(&request, n))
		answer(c);
	hang_up(c);
}

/* Out of descriptors, say: a level-triggered listener would call us at every
 * turn, so it rests until the next ctl_server_expire(). */
static void rest(struct ctl_server *s)
{
	loop_remove(s->loop, s->listener);
	s->listening = false;
}

/* Who came first has had the longest time to speak, and makes room: so that
 * nobody who keeps connections open keeps others out (faults B11). */
static struct connection *make_room(struct ctl_server *s)
{
	struct connection *oldest = s->connection;

	for (unsigned i = 0; i < CTL_CONNECTIONS; i++) {
		struct connection *c = &s->connection[i];

		if (c->fd < 0)
			return c;
		if (c->since < oldest->since)
			oldest = c;
	}
	hang_up(oldest);
	return oldest;
}

static void listener_readable(void *ctx, uint32_t events)
{
	struct ctl_server *s = ctx;
	struct connection *c;
	int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			rest(s);
		return;
	}
	c = make_room(s);
	if (loop_add(s->loop, fd, EPOLLIN, connection_readable, c) != 0) {
		close(fd);
		return;
	}
	c->fd = fd;
	c->since = clock_now();
}

static int listen_again(struct ctl_server *s)
{
	int error =
		loop_add(s->loop, s->listener, EPOLLIN, listener_readable, s);

	s->listening = error == 0;
	return error;
}

int ctl_server_new(struct ctl_server **out, struct loop *loop, int listener,
		   void (*fill)(void *ctx, struct ctl_status *st), void *ctx)
{
	struct ctl_server *s = calloc(1, sizeof(*s));
	int error;

	if (s == NULL)
		return -ENOMEM;
	s->loop = loop;
	s->listener = listener;
	s->fill = fill;
	s->ctx = ctx;
	for (unsigned i = 0; i < CTL_CONNECTIONS; i++) {
		s->connection[i].server = s;
		s->connection[i].fd = -1;
	}
	error = listen_again(s);
	if (error != 0) {
		free(s);
		return error;
	}
	*out = s;
	return 0;
}

void ctl_server_free(struct ctl_server *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < CTL_CONNECTIONS; i++)
		if (s->connection[i].fd >= 0)
			hang_up(&s->connection[i]);
	rest(s);
	free(s);
}

void ctl_server_expire(struct ctl_server *s, uint64_t now)
{
	for (unsigned i = 0; i < CTL_CONNECTIONS; i++) {
		struct connection *c = &s->connection[i];

		if (c->fd >= 0 && now >= c->since + CTL_IDLE)
			hang_up(c);
	}
	if (!s->listening)
		listen_again(s);
}
