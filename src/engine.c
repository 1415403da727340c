/*
 * engine.c - miredo-engine: the unprivileged process that handles every packet
 *
 * The parent starts it with a socket as descriptor 3 and sends configuration,
 * descriptors, the host's addresses and START. Up to there the engine may
 * block (for a limited time) and allocate; then it enters its sandbox, goes on
 * from the snapshot if there is something in it, says READY and runs. From
 * then on: no allocation, no path, no call that waits. Memory goes one way:
 * what a flood filled, tables and buffers, is given back (relief.h).
 *
 * What it needs of the outside world it asks of the parent by verbs (priv.h):
 * an address for the interface, a name resolved, a line logged. None of them
 * is waited for. A verb that could not be sent, or that was refused, is tried
 * again with the next keepalive.
 *
 * Secrets stay in the role alone: what they came in is wiped.
 *
 * It ends when the parent's end of the socket is closed; there is nothing to
 * clean up. Signals that a terminal or a service manager sends to the whole
 * group are the parent's business: an engine that obeyed them would only be
 * replaced by another before the parent ends.
 *
 * Elsewhere: the packets (pump.c), the protocol (libteredo), the roles'
 * translation (role_*.c), what is said at the control socket (engine_ctl.c).
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "engine_ctl.h"
#include "hmac.h"
#include "log.h"
#include "loop.h"
#include "msg.h"
#include "pump.h"
#include "record.h"
#include "relief.h"
#include "role.h"
#include "sandbox.h"

#define PARENT_FD     3
#define START_TIMEOUT 10000 /* ms between two messages before START */
#define KEEPALIVE     TEREDO_SECOND
#define MESSAGES      8 /* from the parent per wake-up */
#define N_FDS	      (PRIV_FD_SNAPSHOT + 1)

union message {
	uint32_t verb;
	struct priv_word word;
	struct priv_config config;
	struct priv_keys keys;
	struct priv_netchange net;
	struct priv_resolved resolved;
	struct priv_answer answer;
	struct priv_link link;
};

enum request { REQUEST_NONE, REQUEST_TO_SEND, REQUEST_SENT };

struct engine {
	struct priv_config config;
	struct auth_keys keys;	   /* until the role has them */
	uint32_t n_keys;
	struct priv_netchange net; /* as it was at the start */
	int fd[N_FDS];		   /* by enum priv_fd; -1: not given */
	struct loop *loop;
	const struct role_ops *ops;
	void *role;
	struct snapshot *snap;
	struct pump *pump;
	struct engine_ctl *ctl;
	teredo_time keepalive_at;
	struct record record; /* when peers were heard */
	struct relief relief; /* the core's memory, and the pump's */
	struct priv_tun_up tun_up;
	enum request tun_up_is;
	int tun_up_error;  /* the last one logged */
	uint32_t resolve;  /* bits: servers still to be asked for */
	uint32_t second;   /* whether a second port is wanted */
	enum request second_is;
	uint32_t health;   /* bits, as found last */
	enum request health_is;
	unsigned log_lost; /* lines that the parent did not take */
	struct priv_link link;	/* what the parent told of it */
};

static void draw(void *ctx, void *buf, size_t len)
{
	ssize_t n;

	(void)ctx;
	assert(len <= 256); /* so it is whole and never interrupted */
	n = getrandom(buf, len, 0);
	assert(n == (ssize_t)len);
}

/* ---- to the parent ---- */

static int send_word(enum priv_verb verb, uint32_t value)
{
	const struct priv_word word = {.verb = verb, .value = value};

	return msg_send(PARENT_FD, &word, sizeof(word), -1);
}

static int send_log(int level, const char *line)
{
	struct priv_log log = {.verb = PRIV_LOG, .level = (uint32_t)level};

	snprintf(log.text, sizeof(log.text), "%s", line);
	return msg_send(PARENT_FD, &log, sizeof(log), -1);
}

static void log_sink(void *ctx, int level, const char *line)
{
	struct engine *e = ctx;
	char lost[40];

	if (e->log_lost != 0) {
		snprintf(lost, sizeof(lost), "lines lost: %u", e->log_lost);
		if (send_log(LOG_WARNING, lost) == 0)
			e->log_lost = 0;
	}
	if (send_log(level, line) != 0)
		e->log_lost++;
}

static void send_requests(struct engine *e)
{
	if (e->tun_up_is == REQUEST_TO_SEND &&
	    msg_send(PARENT_FD, &e->tun_up, sizeof(e->tun_up), -1) == 0)
		e->tun_up_is = REQUEST_SENT;
	if (e->second_is == REQUEST_TO_SEND &&
	    send_word(PRIV_SECONDARY, e->second) == 0)
		e->second_is = e->second == 1 ? REQUEST_SENT : REQUEST_NONE;
	for (uint32_t i = 0; i < PRIV_SERVERS; i++)
		if ((e->resolve & 1u << i) != 0 &&
		    send_word(PRIV_RESOLVE, i) == 0)
			e->resolve &= ~(1u << i);
}

/* What was sent before it is closed here has left. */
static void want_second(struct engine *e, uint32_t wanted)
{
	if (e->fd[PRIV_FD_UDP2] >= 0) {
		pump_secondary(e->pump, -1);
		close(e->fd[PRIV_FD_UDP2]);
		e->fd[PRIV_FD_UDP2] = -1;
	}
	e->second = wanted;
	e->second_is = REQUEST_TO_SEND;
}

static void take_news(void *ctx, const struct outbox_item *item)
{
	struct engine *e = ctx;

	engine_ctl_news(e->ctl, item);
	if (item->kind == OUTBOX_RESOLVE) {
		assert(item->arg < PRIV_SERVERS);
		e->resolve |= 1u << item->arg;
	} else if (item->kind == OUTBOX_SECONDARY) {
		want_second(e, item->arg);
	} else if (item->kind == OUTBOX_ADDRESS) {
		e->tun_up.verb = PRIV_TUN_UP;
		e->tun_up.mtu = item->arg;
		memcpy(e->tun_up.addr, item->addr.b, sizeof(e->tun_up.addr));
		e->tun_up_is = REQUEST_TO_SEND;
		e->tun_up_error = 0;
	}
	send_requests(e);
}

/* ---- time ---- */

static void look_at_health(struct engine *e, teredo_time now)
{
	if (engine_ctl_look(e->ctl, now, &e->health))
		e->health_is = REQUEST_TO_SEND;
	if (e->health_is == REQUEST_TO_SEND &&
	    send_word(PRIV_HEALTH, e->health) == 0)
		e->health_is = REQUEST_NONE;	/* a refused one is kept */
}

static void tick(void *ctx, uint32_t events);

static void arm(void *ctx)
{
	struct engine *e = ctx;
	teredo_time when = pump_deadline(e->pump);

	loop_deadline(e->loop, when < e->keepalive_at ? when : e->keepalive_at,
		      tick, e);
}

static void tick(void *ctx, uint32_t events)
{
	struct engine *e = ctx;
	teredo_time now = clock_now();

	(void)events;
	pump_expire(e->pump, now);
	if (now >= e->keepalive_at) {
		e->keepalive_at = now + KEEPALIVE;
		send_word(PRIV_KEEPALIVE, 0);
		send_requests(e);
		record_heard(&e->record, now);
		relief_step(&e->relief);
		engine_ctl_expire(e->ctl, now);
		look_at_health(e, now);
	}
	arm(e);
}

/* ---- from the parent ---- */

static size_t message_length(uint32_t verb)
{
	switch (verb) {
	case PRIV_CONFIG:
		return sizeof(struct priv_config);
	case PRIV_FD:
	case PRIV_START:
		return sizeof(struct priv_word);
	case PRIV_KEYS:
		return sizeof(struct priv_keys);
	case PRIV_NETCHANGE:
		return sizeof(struct priv_netchange);
	case PRIV_RESOLVED:
		return sizeof(struct priv_resolved);
	case PRIV_LINK:
		return sizeof(struct priv_link);
	case PRIV_ANSWER:
		return sizeof(struct priv_answer);
	default:
		return 0;
	}
}

/* One message: true. false: none is there. Ends the process at the end of the
 * connection, and if this is not the parent we know. */
static bool receive(union message *m, int *fd)
{
	ssize_t n = msg_recv(PARENT_FD, m, sizeof(*m), fd);

	if (n == -EAGAIN || n == -EINTR)
		return false;
	if (n == 0 || n == -ECONNRESET)
		_exit(EX_OK);
	if (n < (ssize_t)sizeof(m->verb) ||
	    (size_t)n != message_length(m->verb))
		die(EX_SOFTWARE, "malformed message from the parent");
	return true;
}

static void take_answer(struct engine *e, const struct priv_answer *a)
{
	if (a->about == PRIV_SECONDARY && e->second_is == REQUEST_SENT)
		e->second_is = REQUEST_TO_SEND;
	if (a->about != PRIV_TUN_UP || e->tun_up_is != REQUEST_SENT)
		return;
	e->tun_up_is = a->error == 0 ? REQUEST_NONE : REQUEST_TO_SEND;
	if (a->error == -EAGAIN)	/* too often; it is asked again */
		return;
	if (a->error != 0 && a->error != e->tun_up_error)
		log_line(LOG_ERR, "the address could not be set: %s",
			 strerror(-a->error));
	e->tun_up_error = a->error;
}

/* The second port, unless it is not wanted any more. */
static void take_second(struct engine *e, uint32_t which, int fd,
			teredo_time now)
{
	if (which != PRIV_FD_UDP2 || fd < 0)
		die(EX_SOFTWARE, "descriptor %u after the start", which);
	if (e->second_is != REQUEST_SENT || pump_secondary(e->pump, fd) != 0) {
		if (e->second_is == REQUEST_SENT)
			e->second_is = REQUEST_TO_SEND;
		close(fd);
		return;
	}
	e->second_is = REQUEST_NONE;
	e->fd[PRIV_FD_UDP2] = fd;
	e->ops->secondary(e->role, now, pump_outbox(e->pump));
}

static void handle(struct engine *e, const union message *m, int fd,
		   teredo_time now)
{
	struct teredo_outbox *ob = pump_outbox(e->pump);

	switch (m->verb) {
	case PRIV_NETCHANGE:
		e->ops->netchange(e->role, &m->net, now, ob);
		break;
	case PRIV_RESOLVED:
		e->ops->resolved(e->role, &m->resolved, now, ob);
		break;
	case PRIV_LINK:
		e->link = m->link;
		look_at_health(e, now);
		break;
	case PRIV_ANSWER:
		take_answer(e, &m->answer);
		break;
	case PRIV_FD:
		take_second(e, m->word.value, fd, now);
		break;
	default:
		die(EX_SOFTWARE, "message %u after the start", m->verb);
	}
	pump_deliver(e->pump, now);
}

static void parent_readable(void *ctx, uint32_t events)
{
	static union message m;
	struct engine *e = ctx;
	teredo_time now = clock_now();
	int fd;

	(void)events;
	for (unsigned i = 0; i < MESSAGES && receive(&m, &fd); i++) {
		if (fd >= 0 && m.verb != PRIV_FD) {
			close(fd);
			fd = -1;
		}
		handle(e, &m, fd, now);
	}
	arm(e);
}

/* ---- the start ---- */

static void take_fd(struct engine *e, uint32_t which, int fd)
{
	if (which == 0 || which >= N_FDS || fd < 0 || e->fd[which] >= 0)
		die(EX_SOFTWARE, "descriptor %u is wrong", which);
	e->fd[which] = fd;
}

static void take_keys(struct engine *e, struct priv_keys *m)
{
	if (m->n > PRIV_KEYS_EACH || m->n > AUTH_KEYS - e->keys.n)
		die(EX_SOFTWARE, "too many keys");
	for (uint32_t i = 0; i < m->n; i++) {
		if (!auth_key_is_sound(&m->key[i]))
			die(EX_SOFTWARE, "a key is wrong");
		e->keys.key[e->keys.n++] = m->key[i];
	}
	explicit_bzero(m, sizeof(*m));
	m->verb = PRIV_KEYS;
}

/* Takes what the parent sends up to START. */
static void receive_start(struct engine *e)
{
	static union message m;
	struct pollfd wait = {.fd = PARENT_FD, .events = POLLIN};
	int fd;

	do {
		if (poll(&wait, 1, START_TIMEOUT) == 0)
			die(EX_SOFTWARE, "the parent is silent");
		if (!receive(&m, &fd))
			continue;
		if (m.verb == PRIV_CONFIG)
			e->config = m.config;
		else if (m.verb == PRIV_KEYS)
			take_keys(e, &m.keys);
		else if (m.verb == PRIV_NETCHANGE)
			e->net = m.net;
		else if (m.verb == PRIV_LINK)
			e->link = m.link;
		else if (m.verb == PRIV_FD)
			take_fd(e, m.word.value, fd);
		else if (m.verb != PRIV_START)
			die(EX_SOFTWARE, "message %u before the start", m.verb);
	} while (m.verb != PRIV_START);
}

/* A server's raw IPv6 socket is not there where the kernel has no IPv6. */
static void check_start(const struct engine *e)
{
	bool needs_tun = e->config.configured != PRIV_SERVER;

	if (e->ops == NULL || e->fd[PRIV_FD_UDP] < 0 ||
	    e->fd[PRIV_FD_SNAPSHOT] < 0 ||
	    (needs_tun && e->fd[PRIV_FD_TUN] < 0))
		die(EX_SOFTWARE, "the parent did not send all");
}

static int open_control(struct engine *e)
{
	const struct engine_ctl_config config = {
		.loop = e->loop,
		.listener = e->fd[PRIV_FD_CONTROL],
		.config = &e->config,
		.n_keys = e->n_keys,
		.ops = e->ops,
		.role = e->role,
		.pump = e->pump,
		.snap = e->snap,
		.link = &e->link,
		.parent = PARENT_FD,
	};

	return engine_ctl_new(&e->ctl, &config);
}

/* Takes all memory and all descriptors that this process will ever have,
 * connections to the control socket excepted. */
static void open_all(struct engine *e)
{
	const struct teredo_env env = {
		.ctx = &e->relief,
		.random = draw,
		.hmac = hmac_compute,
		.table = relief_table,
	};
	struct pump_config pump = {
		.ops = e->ops,
		.tun = e->fd[PRIV_FD_TUN],
		.udp = {e->fd[PRIV_FD_UDP], e->fd[PRIV_FD_UDP2],
			e->fd[PRIV_FD_DISCOVERY]},
		.native6 = e->fd[PRIV_FD_NATIVE6],
		.features = e->config.datapath,
		.relief = &e->relief,
		.news = take_news,
		.done = arm,
		.ctx = e,
	};
	int error;

	e->role = e->ops->open(&e->config, &e->keys, &env);
	e->n_keys = e->keys.n;
	explicit_bzero(&e->keys, sizeof(e->keys));
	if (e->role == NULL)
		die(EX_UNAVAILABLE, "no memory for %u peers: set MaxPeers, or "
				    "give more", e->config.max_peers);
	error = snapshot_open(&e->snap, e->fd[PRIV_FD_SNAPSHOT],
			      e->config.max_peers);
	if (error == 0)
		error = loop_new(&e->loop);
	if (error == 0)
		error = loop_add(e->loop, PARENT_FD, EPOLLIN, parent_readable,
				 e);
	close(e->fd[PRIV_FD_SNAPSHOT]); /* it is mapped */
	pump.loop = e->loop;
	pump.role = e->role;
	pump.snap = e->snap;
	if (error == 0)
		error = pump_new(&e->pump, &pump);
	if (error == 0)
		error = open_control(e);
	if (error != 0)
		die(EX_SOFTWARE, "cannot start: %s", strerror(-error));
}

static void restore_peers(struct engine *e, teredo_time now)
{
	struct teredo_outbox *ob = pump_outbox(e->pump);
	struct snapshot_peer peer;
	uint32_t at = 0;

	while (snapshot_next_peer(e->snap, &at, &peer)) {
		e->ops->restore_peer(e->role, &peer.addr, peer.ep, peer.heard,
				     now, ob);
		pump_deliver(e->pump, now);
	}
}

/* From here on all input is hostile, the snapshot's too. */
static void begin(struct engine *e)
{
	struct teredo_outbox *ob = pump_outbox(e->pump);
	teredo_time now = clock_now();
	bool restored;

	e->keepalive_at = now + KEEPALIVE;
	e->record = (struct record){e->ops, e->role, e->snap, 0};
	e->net.solicit = 0;
	e->ops->netchange(e->role, &e->net, now, ob);
	pump_deliver(e->pump, now);
	restored = e->ops->start(e->role, e->snap, now, ob);
	snapshot_drop_peers(e->snap);
	pump_deliver(e->pump, now);
	if (restored)
		restore_peers(e, now);
	e->ops->save(e->role, e->snap);
	e->ops->report(e->role, now);
	if (send_word(PRIV_READY, 0) != 0 || send_word(PRIV_CARRIER, 1) != 0)
		die(EX_SOFTWARE, "the parent does not listen");
	arm(e);
}

int main(void)
{
	static struct engine e;
	uint8_t seed;

	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	for (unsigned i = 0; i < N_FDS; i++)
		e.fd[i] = -1;
	log_to_sink(log_sink, &e);
	sandbox_become(geteuid(), getegid(), false);
	draw(NULL, &seed, sizeof(seed)); /* may wait early in boot: here */
	receive_start(&e);
	e.ops = role_ops(e.config.role);
	check_start(&e);
	open_all(&e);
	sandbox_engine();
	begin(&e);
	return loop_run(e.loop);
}
