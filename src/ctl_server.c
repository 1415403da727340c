/*
 * ctl_server.c - the engine's end of the control socket
 *
 * A connection may ask again and again, one answer for each request. There is
 * no output queue but the kernel's: who lets it fill up is hung up on. What is
 * no request is not discussed but closed; a wrong version, an unknown verb and
 * what is not for everybody (ctl_access.h) are answered with an error.
 *
 * Events and captured packets are streams: such a connection asks no more, and
 * gets what happens as it happens. What its buffer has no room for is lost to
 * it, and it is told how much that was. The last events are kept for who asks
 * later. What the parent has to do is handed on to it with the connection.
 *
 * Nobody at this socket may delay a packet: everything is non-blocking, a turn
 * takes one request of a connection and then the packets have theirs, there
 * are at most CTL_CONNECTIONS, of whom the one that was silent for longest
 * makes room for another, and who says nothing is thrown out. Only who may
 * have a stream is left alone.
 */
#include "config.h"

#include "ctl_server.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "ctl_access.h"

enum stream { NO_STREAM, EVENTS, PACKETS };

struct connection {
	struct ctl_server *server;
	int fd; /* -1: free */
	uint64_t since;	/* accepted, or its last request */
	enum stream stream;
	uint32_t lost;	/* records, since it took some */
	uint64_t left;	/* packets that it wants */
};

/* What all messages of records begin with. */
struct batch {
	struct ctl_head head;
	uint32_t n, lost;
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
	uint32_t happened;	/* counts on: past[] is a ring */
	struct ctl_event past[CTL_EVENTS_MAX];
	struct ctl_peers page;
};

static unsigned count(const struct ctl_server *s, enum stream stream)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CTL_CONNECTIONS; i++)
		n += s->connection[i].fd >= 0 &&
		     s->connection[i].stream == stream;
	return n;
}

static void hang_up(struct connection *c)
{
	struct ctl_server *s = c->server;
	bool captured = c->stream == PACKETS;

	loop_remove(s->loop, c->fd);
	close(c->fd);
	c->fd = -1;
	c->stream = NO_STREAM;
	if (captured && count(s, PACKETS) == 0)
		s->ops->capture(s->ctx, false);
}

static struct ctl_head head_of(uint32_t verb, int error)
{
	return (struct ctl_head){
		.magic = CTL_MAGIC,
		.version = CTL_VERSION,
		.verb = verb,
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
	const struct ctl_head head = head_of(r->verb, error);

	answer(c, &head, sizeof(head));
}

static void answer_status(struct connection *c, const struct ctl_request *r)
{
	struct ctl_status st;

	memset(&st, 0, sizeof(st));
	st.head = head_of(r->verb, 0);
	c->server->ops->status(c->server->ctx, &st);
	answer(c, &st, sizeof(st));
}

static void answer_peers(struct connection *c, const struct ctl_request *r)
{
	struct ctl_server *s = c->server;
	struct ctl_peers *page = &s->page;

	memset(page, 0, sizeof(*page));
	page->head = head_of(r->verb, 0);
	s->ops->peers(s->ctx, r->value, page);
	answer(c, page, offsetof(struct ctl_peers, peer) +
			page->n * sizeof(page->peer[0]));
}

static void answer_lookup(struct connection *c, const struct ctl_request *r)
{
	struct ctl_lookup l;

	memset(&l, 0, sizeof(l));
	l.head = head_of(r->verb, 0);
	c->server->ops->lookup(c->server->ctx, r->addr, &l);
	answer(c, &l, sizeof(l));
}

/* From now on it is the parent's, or it was not taken. */
static void hand_on(struct connection *c, const struct ctl_request *r)
{
	int error = c->server->ops->parent(c->server->ctx, r, c->fd);

	if (error != 0)
		refuse(c, r, error);
	else
		hang_up(c);
}

/* ---- streams ---- */

/* Whether it took them. */
static bool send_batch(struct connection *c, uint32_t verb,
		       const void *records, size_t len, uint32_t n)
{
	struct batch b = {.head = head_of(verb, 0), .n = n, .lost = c->lost};
	struct iovec piece[2] = {{&b, sizeof(b)},
				 {(void *)(uintptr_t)records, len}};
	struct msghdr m = {.msg_iov = piece, .msg_iovlen = 2};

	if (sendmsg(c->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
		c->lost = 0;
		return true;
	}
	if (errno == EAGAIN || errno == ENOBUFS)
		c->lost += n;
	else
		hang_up(c);
	return false;
}

static void send_past(struct connection *c)
{
	const struct ctl_server *s = c->server;
	struct ctl_event sorted[CTL_EVENTS_MAX];
	uint32_t n = s->happened < CTL_EVENTS_MAX ? s->happened
						  : CTL_EVENTS_MAX;

	for (uint32_t i = 0; i < n; i++)
		sorted[i] = s->past[(s->happened - n + i) % CTL_EVENTS_MAX];
	send_batch(c, CTL_EVENTS, sorted, n * sizeof(sorted[0]), n);
}

/* The first message, which may be empty, tells that it is a stream now. */
static void begin_events(struct connection *c, const struct ctl_request *r)
{
	if (r->value != CTL_EVENTS_PAST)
		c->stream = EVENTS;
	c->lost = 0;
	if (r->value == CTL_EVENTS_NEW)
		send_batch(c, CTL_EVENTS, NULL, 0, 0);
	else
		send_past(c);
}

static void begin_packets(struct connection *c, const struct ctl_request *r)
{
	struct ctl_server *s = c->server;

	c->stream = PACKETS;
	c->lost = 0;
	c->left = r->value == 0 ? UINT64_MAX : r->value;
	if (count(s, PACKETS) == 1)
		s->ops->capture(s->ctx, true);
	send_batch(c, CTL_CAPTURE, NULL, 0, 0);
}

static void begin_stream(struct connection *c, const struct ctl_request *r)
{
	const struct ctl_server *s = c->server;

	if (r->verb == CTL_EVENTS && r->value > CTL_EVENTS_PAST)
		refuse(c, r, -EINVAL);
	else if ((r->verb == CTL_CAPTURE || r->value != CTL_EVENTS_PAST) &&
		 count(s, EVENTS) + count(s, PACKETS) >= CTL_STREAMS)
		refuse(c, r, -EBUSY);
	else if (r->verb == CTL_EVENTS)
		begin_events(c, r);
	else
		begin_packets(c, r);
}

bool ctl_server_listens(const struct ctl_server *s)
{
	return count(s, EVENTS) > 0;
}

void ctl_server_event(struct ctl_server *s, const struct ctl_event *event,
		      bool past)
{
	if (past)
		s->past[s->happened++ % CTL_EVENTS_MAX] = *event;
	for (unsigned i = 0; i < CTL_CONNECTIONS; i++)
		if (s->connection[i].fd >= 0 &&
		    s->connection[i].stream == EVENTS)
			send_batch(&s->connection[i], CTL_EVENTS, event,
				   sizeof(*event), 1);
}

void ctl_server_packets(struct ctl_server *s, const void *records, size_t len,
			uint32_t n)
{
	for (unsigned i = 0; i < CTL_CONNECTIONS; i++) {
		struct connection *c = &s->connection[i];

		if (c->fd < 0 || c->stream != PACKETS)
			continue;
		if (!send_batch(c, CTL_CAPTURE, records, len, n))
			continue;
		c->left -= c->left < n ? c->left : n;
		if (c->left == 0)
			hang_up(c);
	}
}

/* ---- requests ---- */

static bool is_served(const struct ctl_ops *ops, uint32_t verb)
{
	switch (verb) {
	case CTL_PEERS:
		return ops->peers != NULL;
	case CTL_LOOKUP:
		return ops->lookup != NULL;
	case CTL_EVENTS:
		return true;
	case CTL_CAPTURE:
		return ops->capture != NULL;
	case CTL_RELOAD:
	case CTL_ANNOUNCE:
		return ops->parent != NULL;
	default:
		return false;
	}
}

static void obey_friend(struct connection *c, const struct ctl_request *r)
{
	if (!is_served(c->server->ops, r->verb))
		refuse(c, r, -EOPNOTSUPP);
	else if (r->verb == CTL_PEERS)
		answer_peers(c, r);
	else if (r->verb == CTL_LOOKUP)
		answer_lookup(c, r);
	else if (r->verb == CTL_EVENTS || r->verb == CTL_CAPTURE)
		begin_stream(c, r);
	else
		hand_on(c, r);
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
		obey_friend(c, r);
}

static void connection_readable(void *ctx, uint32_t events)
{
	struct connection *c = ctx;
	struct ctl_request r;
	ssize_t n = recv(c->fd, &r, sizeof(r), MSG_DONTWAIT | MSG_TRUNC);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != (ssize_t)sizeof(r) || r.magic != CTL_MAGIC ||
	    c->stream != NO_STREAM) {
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
	struct connection *oldest = NULL;

	for (unsigned i = 0; i < CTL_CONNECTIONS; i++) {
		struct connection *c = &s->connection[i];

		if (c->fd < 0)
			return c;
		if (c->stream == NO_STREAM &&
		    (oldest == NULL || c->since < oldest->since))
			oldest = c;
	}
	assert(oldest != NULL);	/* there are more than streams */
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

void ctl_server_configured(const struct priv_config *c, uint64_t now,
			   struct ctl_status *st)
{
	st->role = c->role;
	st->configured = c->configured;
	st->uptime = now - c->started * 1000000000ull;
	st->mtu = c->mtu;
	st->prefix = c->prefix;
	st->server_ip = c->public_ip;
	st->server_ip2 = c->public_ip2;
	st->local_ip = c->bind_ip;
	st->local_port = c->bind_port;
	st->last_answer_age = UINT64_MAX;
	memcpy(st->instance, c->instance, sizeof(st->instance));
	memcpy(st->native, c->native, sizeof(st->native));
	st->auth_required = c->require_auth;
	st->sunset = c->sunset;
	st->firewall = c->firewall;
	st->n_counters = TEREDO_N_COUNTERS;
}

void ctl_server_expire(struct ctl_server *s, uint64_t now)
{
	for (unsigned i = 0; i < CTL_CONNECTIONS; i++) {
		struct connection *c = &s->connection[i];

		if (c->fd >= 0 && c->stream == NO_STREAM &&
		    now >= c->since + CTL_IDLE)
			hang_up(c);
	}
	if (!s->listening)
		listen_again(s);
}
