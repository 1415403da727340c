/*
 * ctl_server.c - the engine's end of the control socket
 *
 * A connection may ask again and again, one answer for each request. There is
 * no output queue but the kernel's: who lets it fill up is hung up on. What is
 * no request is not discussed but closed; a wrong version, an unknown verb and
 * what is not for everybody (ctl_access.h) are answered with an error.
 *
 * Nobody at this socket may delay a packet: everything is non-blocking, a turn
 * takes one request of a connection and then the packets have theirs, there
 * are at most CTL_CONNECTIONS, of whom the one that was silent for longest
 * makes room for another, and who says nothing is thrown out.
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
#include "ctl_access.h"

struct connection {
	struct ctl_server *server;
	int fd; /* -1: free */
	uint64_t since;	/* accepted, or its last request */
};

struct ctl_server {
	struct loop *loop;
	int listener;
	bool listening;
	const struct ctl_ops *ops;
	void *ctx;
	uid_t uid;
	gid_t gid;
	struct connection connection[CTL_CONNECTIONS];
};

static void hang_up(struct connection *c)
{
	loop_remove(c->server->loop, c->fd);
	close(c->fd);
	c->fd = -1;
}

static struct ctl_head head_of(const struct ctl_request *r, int error)
{
	return (struct ctl_head){
		.magic = CTL_MAGIC,
		.version = CTL_VERSION,
		.verb = r->verb,
		.error = error,
		.now = clock_now(),
	};
}

/* Who does not take it has lost it, and us. */
static void answer(struct connection *c, const void *data, size_t len)
{
	if (send(c->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		hang_up(c);
}

static void refuse(struct connection *c, const struct ctl_request *r, int error)
{
	const struct ctl_head head = head_of(r, error);

	answer(c, &head, sizeof(head));
}

static void answer_status(struct connection *c, const struct ctl_request *r)
{
	struct ctl_status st;

	memset(&st, 0, sizeof(st));
	st.head = head_of(r, 0);
	c->server->ops->status(c->server->ctx, &st);
	answer(c, &st, sizeof(st));
}

static void obey(struct connection *c, const struct ctl_request *r)
{
	const struct ctl_server *s = c->server;

	if (r->version != CTL_VERSION)
		refuse(c, r, -EPROTONOSUPPORT);
	else if (r->verb == CTL_STATUS)
		answer_status(c, r);
	else if (!ctl_access_is_granted(c->fd, s->uid, s->gid))
		refuse(c, r, -EPERM);
	else
		refuse(c, r, -EOPNOTSUPP);
}

static void connection_readable(void *ctx, uint32_t events)
{
	struct connection *c = ctx;
	struct ctl_request r;
	ssize_t n = recv(c->fd, &r, sizeof(r), MSG_DONTWAIT | MSG_TRUNC);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != (ssize_t)sizeof(r) || r.magic != CTL_MAGIC) {
		hang_up(c);
		return;
	}
	c->since = clock_now();
	obey(c, &r);
}

/* Out of descriptors, say: a level-triggered listener would call us at every
 * turn, so it rests until the next ctl_server_expire(). */
static void rest(struct ctl_server *s)
{
	loop_remove(s->loop, s->listener);
	s->listening = false;
}

/* Who was silent for longest has had the time to speak, and makes room: so
 * that nobody who keeps connections open keeps others out (faults B11). */
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
		   const struct ctl_ops *ops, void *ctx)
{
	struct ctl_server *s = calloc(1, sizeof(*s));
	int error;

	if (s == NULL)
		return -ENOMEM;
	s->loop = loop;
	s->listener = listener;
	s->ops = ops;
	s->ctx = ctx;
	s->uid = geteuid();
	s->gid = getegid();
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
