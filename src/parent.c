/*
 * parent.c - the privileged helper and supervisor
 *
 * The parent never handles a packet. It holds the descriptors and keeps an
 * engine running on them: when one dies, packets wait in the kernel's queues
 * and the next goes on from the snapshot with the same interface, port and
 * address. A reload is the same path, with an engine that was told to end.
 *
 *   start -> [no engine] -> started -> ready -> ended (reload, 1 s) -> start
 *                 ^            | 5 s     | 2.5 s silent, 10 s asleep
 *                 +-- delay ---+---------+--- crash
 *
 * The first crash is answered at once, the next after 0.1 s to 5 s; the sixth
 * within a minute ends the service with status 70, and with it, because the
 * last descriptor closes, interface, addresses and routes.
 *
 * Silence is counted in turns of the loop, not in time: after a suspend, or
 * when everything was stopped and goes on, the engine has as many turns as
 * the parent to be heard. A tick that is seconds late is taken for that, and
 * the engine asks its server at once whether it is still where it was.
 * An engine that had no processor while it was silent is no hung one, as far as
 * can be told: such a turn counts for a quarter, unless a signal stopped it.
 *
 * All timers are in one table; the loop has one deadline. Signals come as
 * events; there are no handlers.
 */
#include "config.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "failure.h"
#include "log.h"
#include "msg.h"
#include "notify.h"
#include "parent.h"
#include "sandbox.h"

#define MS 1000000u
#define TICK (500 * MS)
#define SLEPT (3000ull * MS)
#define SILENT_READY	5	/* ticks */
#define SILENT_START	10
#define SILENT_ENDING	2
#define QUARTERS	4	/* of a tick */
#define HAD_ITS_TURN (TICK / 10)	/* of processor time, in a tick */
#define HEALTH (500 * MS)
#define MINUTE 60000000000u

/* ---- timers ---- */

static void timers_run(void *ctx, uint32_t events);

static void timers_arm(struct parent *p)
{
	uint64_t next = UINT64_MAX;

	for (unsigned t = 0; t < PARENT_TIMERS; t++)
		if (p->due[t] < next)
			next = p->due[t];
	loop_deadline(p->loop, next, timers_run, p);
}

void parent_timer(struct parent *p, enum parent_timer t, uint64_t when)
{
	p->due[t] = when;
	timers_arm(p);
}

/* ---- the engine ---- */

static void engine_close(struct parent *p)
{
	struct child *c = &p->engine.child;

	if (c->sock < 0)
		return;
	loop_remove(p->loop, c->sock);
	close(c->sock);
	c->sock = -1;
}

void parent_engine_bad(struct parent *p, const char *why)
{
	if (p->engine.child.pid == 0)
		return;
	if (why != NULL)
		log_line(LOG_ERR, "the engine %s: killed", why);
	engine_close(p);
	p->engine.silent = 0;
	if (why != NULL || !p->engine.ending)
		kill(p->engine.child.pid, SIGKILL);
}

void parent_send(struct parent *p, const void *msg, size_t len, int fd)
{
	struct parent_engine *e = &p->engine;
	int err;

	if (e->child.sock < 0 || e->ending)
		return;
	err = msg_send(e->child.sock, msg, len, fd);
	if (err < 0)	/* when it is gone already, that is said by SIGCHLD */
		parent_engine_bad(p, err == -EPIPE ? NULL : "does not read");
}

static void engine_hand_keys(struct parent *p)
{
	struct priv_keys m = { .verb = PRIV_KEYS };

	for (uint32_t i = 0; i < p->keys.n; i += m.n) {
		m.n = p->keys.n - i;
		if (m.n > PRIV_KEYS_EACH)
			m.n = PRIV_KEYS_EACH;
		memcpy(m.key, &p->keys.key[i], m.n * sizeof(m.key[0]));
		parent_send(p, &m, sizeof(m), -1);
	}
	explicit_bzero(&m, sizeof(m));
}

static void engine_hand_over(struct parent *p)
{
	struct priv_word word = { PRIV_FD, 0 };

	parent_send(p, &p->config, sizeof(p->config), -1);
	engine_hand_keys(p);
	for (uint32_t i = 1; i < PARENT_FDS; i++) {
		word.value = i;
		if (p->fd[i] >= 0)
			parent_send(p, &word, sizeof(word), p->fd[i]);
	}
	parent_net_look(p);
	p->net.solicit = 0;
	parent_net_tell(p, true);
	parent_health_tell(p, true);
	word = (struct priv_word){ PRIV_START, 0 };
	parent_send(p, &word, sizeof(word), -1);
}

static void engine_died(struct parent *p, const char *how);

static void engine_start(struct parent *p)
{
	struct parent_engine *e = &p->engine;
	char how[100];
	int err;

	parent_timer(p, PARENT_RESPAWN, UINT64_MAX);
	e->ready = e->ending = e->stopped = p->link.held = false;
	e->silent = 0;
	e->used = 0;
	parent_link_discard(p);
	err = child_start(&e->child, &p->opt.child, "miredo-engine");
	if (err < 0) {
		snprintf(how, sizeof(how), "not started: %s", strerror(-err));
		engine_died(p, how);
		return;
	}
	err = loop_add(p->loop, e->child.sock, EPOLLIN, priv_serve, p);
	if (err < 0)
		parent_engine_bad(p, strerror(-err));
	engine_hand_over(p);
}

/* How long to wait with the next one; UINT64_MAX: no more. */
static uint64_t engine_delay(struct parent *p, uint64_t now)
{
	static const uint64_t delay[PARENT_DEATHS] = {
		0, 100 * MS, 500 * MS, 2000ull * MS, 5000ull * MS, UINT64_MAX,
	};
	struct parent_engine *e = &p->engine;
	unsigned recent = 0;

	e->died[e->deaths++ % PARENT_DEATHS] = now;
	for (unsigned i = 0; i < e->deaths && i < PARENT_DEATHS; i++)
		recent += now - e->died[i] < MINUTE;
	assert(recent > 0);	/* this one */
	e->recent = recent;
	return delay[recent - 1];
}

/* It is gone, and nobody wanted that. */
static void engine_died(struct parent *p, const char *how)
{
	uint64_t now = clock_now(), delay = engine_delay(p, now);

	log_line(LOG_ERR, "the engine ended: %s", how);
	if (delay == UINT64_MAX) {
		log_line(LOG_CRIT, "the engine ended %d times in a minute: "
				   "giving up", PARENT_DEATHS);
		failure_tell("gave up: the engine ended %d times in a minute, "
			     "the last time: %s", PARENT_DEATHS, how);
		loop_stop(p->loop, EX_SOFTWARE);
		return;
	}
	if (delay > 0)
		parent_stand_in(p, how);
	parent_timer(p, PARENT_RESPAWN, now + delay);
}

/* What must not be tried again: the engine could not start here at all. */
static bool engine_hopeless(const struct parent *p, int status)
{
	return !p->ever_ready && WIFEXITED(status) &&
	       (WEXITSTATUS(status) == EX_UNAVAILABLE ||
		WEXITSTATUS(status) == EX_NOPERM ||
		WEXITSTATUS(status) == EX_CONFIG);
}

static void engine_reap(struct parent *p)
{
	struct parent_engine *e = &p->engine;
	int status;

	do {
		if (e->child.pid == 0 ||
		    waitpid(e->child.pid, &status,
			    WNOHANG | WUNTRACED | WCONTINUED) != e->child.pid)
			return;
		e->stopped = WIFSTOPPED(status);
	} while (e->stopped || WIFCONTINUED(status));
	e->child.pid = 0;
	if (e->child.sock >= 0)		/* its last words */
		priv_serve(p, 0);
	engine_close(p);
	if (p->conf.role == CONF_CLIENT)	/* the next asks for its own */
		parent_secondary(p, false);
	if (e->ready)	/* one that dies before it is healthy delays nothing */
		parent_timer(p, PARENT_UNHEALTHY, clock_now() + HEALTH);
	e->ready = false;
	if (e->ending) {
		parent_reload_finish(p);
		engine_start(p);
	} else if (engine_hopeless(p, status)) {
		loop_stop(p->loop, WEXITSTATUS(status));
	} else {
		engine_died(p, child_fate(status));
	}
}

void parent_engine_renew(struct parent *p)
{
	struct parent_engine *e = &p->engine;

	if (e->child.pid == 0) {	/* there will be a new one anyway */
		parent_reload_finish(p);
		return;
	}
	if (e->ending)
		return;
	e->ending = true;
	e->silent = 0;
	shutdown(e->child.sock, SHUT_WR);
}

/* Asleep for too long, or waiting for a processor: that looks the same. */
static bool engine_had_its_turn(struct parent_engine *e)
{
	uint64_t before = e->used;

	e->used = child_used(&e->child);
	return e->stopped || e->used - before >= HAD_ITS_TURN;
}

static void engine_watch(struct parent *p)
{
	struct parent_engine *e = &p->engine;
	unsigned patience = e->ending  ? SILENT_ENDING
			    : e->ready ? SILENT_READY
				       : SILENT_START;

	if (e->child.pid == 0)
		return;
	e->silent += engine_had_its_turn(e) ? QUARTERS : 1;
	if (e->silent >= patience * QUARTERS)
		parent_engine_bad(p, e->ready || e->ending
					     ? "hangs"
					     : "is not ready in time");
}

/* A daemon that serves lets go of the terminal and of who started it. */
static void detach(struct parent *p)
{
	ssize_t done;

	log_echo(false);
	if (p->opt.launcher < 0)
		return;
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		dup2(p->opt.child.stdio, fd);
	done = write(p->opt.launcher, "", 1);
	(void)done;	/* it may be gone; we are here to stay */
	close(p->opt.launcher);
	p->opt.launcher = -1;
}

void parent_ready(struct parent *p)
{
	static const char *const names[] = {
		[PRIV_CLIENT] = "client",
		[PRIV_RELAY] = "relay",
		[PRIV_SERVER] = "server",
		[PRIV_SERVER_RELAY] = "server and relay",
	};
	bool dormant = p->config.role == PRIV_DORMANT;
	struct parent_engine *e = &p->engine;

	if (e->ready)
		return;
	e->ready = true;
	e->served++;
	parent_stand_in_end(p);
	parent_timer(p, PARENT_UNHEALTHY, UINT64_MAX);
	parent_link_carrier(p);
	parent_ask_done(p, 0);
	if (p->ever_ready) {
		log_line(LOG_NOTICE, "a new engine %s",
			 dormant ? "is dormant" : "serves");
		return;
	}
	p->ever_ready = true;
	failure_serves();
	log_line(LOG_NOTICE, "version %s %s as %s", PACKAGE_VERSION,
		 dormant ? "is dormant" : "serves",
		 names[dormant ? p->config.configured : p->config.role]);
	notify_say(p->opt.notify, "READY=1");
	parent_health_say(p);
	detach(p);
}

/* ---- time and signals ---- */

static void tick(struct parent *p, uint64_t now, uint64_t late)
{
	if (late >= SLEPT)
		parent_net_slept(p);
	engine_watch(p);
	priv_serve_tick(p, now);
	parent_stand_in_tick(p, now);
	resolve_tick(p, now);
	parent_names_tick(p, now);
	parent_sunset_tick(p);
	parent_health_tell(p, false);
	parent_health_say(p);
	/* The engines are our business: six that die end the service. */
	if (p->opt.watchdog > 0 && now - p->notified >= p->opt.watchdog) {
		notify_say(p->opt.notify, "WATCHDOG=1");
		p->notified = now;
	}
	parent_timer(p, PARENT_TICK, now + TICK);
}

static void timers_run(void *ctx, uint32_t events)
{
	struct parent *p = ctx;
	uint64_t now = clock_now(), late;

	(void)events;
	for (unsigned t = 0; t < PARENT_TIMERS; t++) {
		if (p->due[t] > now)
			continue;
		late = now - p->due[t];
		p->due[t] = UINT64_MAX;
		if (t == PARENT_TICK)
			tick(p, now, late);
		else if (t == PARENT_RESPAWN)
			engine_start(p);
		else if (t == PARENT_UNHEALTHY)
			parent_link_carrier(p);
		else if (t == PARENT_NATIVE)
			parent_sunset_native(p);
		else
			parent_net_settled(p);
	}
	timers_arm(p);
}

static void signalled(void *ctx, uint32_t signo)
{
	struct parent *p = ctx;

	switch (signo) {
	case SIGTERM:
	case SIGINT:
	case SIGQUIT:
		log_line(LOG_NOTICE, "ending on signal %u", signo);
		loop_stop(p->loop, 0);
		break;
	case SIGHUP:
		/* The next engine says again what this one said: the
		 * administrator's wish, which is not counted. An engine that
		 * dies or asks for a reload gains nothing by it. */
		p->policy.tun.taken = p->policy.resolve.taken = 0;
		p->policy.secondary.taken = 0;
		(void)parent_reload(p);
		break;
	case SIGCHLD:
		engine_reap(p);
		break;
	default:	/* USR1, USR2, PIPE */
		break;
	}
}

/* ---- the start ---- */

static int watch_signals(struct parent *p)
{
	static const int signals[] = { SIGTERM, SIGINT,	 SIGQUIT, SIGHUP,
				       SIGCHLD, SIGUSR1, SIGUSR2, SIGPIPE };
	sigset_t set;

	sigemptyset(&set);
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&set, signals[i]);
	return loop_signals(p->loop, &set, signalled, p);
}

static void must(int err, const char *what)
{
	if (err < 0)
		die(EX_OSERR, "%s: %s", what, strerror(-err));
}

/* Where the configuration really is: the sandbox sees through no link. */
static void real_directory(const char *file, char dir[PATH_MAX])
{
	if (realpath(file, dir) == NULL)
		snprintf(dir, PATH_MAX, "%s", file);
	dirname(dir);
}

static void warn_of_reload(const char *file)
{
	if (access(file, R_OK) < 0)
		log_line(LOG_WARNING, "%s: %s: SIGHUP cannot read it again",
			 file, strerror(errno));
}

static bool has_names(const struct conf *c)
{
	uint32_t ip;

	for (unsigned i = 0; c->role == CONF_CLIENT && i < c->n_servers; i++)
		if (inet_pton(AF_INET, c->server[i].name, &ip) != 1)
			return true;
	return false;
}

/* As the service user: a file of its own, in a directory of its own. */
static void open_known(struct parent *p, int prepared)
{
	int err = known_open(&p->known, p->opt.state_dir, p->config.instance);

	if (err == -ENOENT)	/* why is there no directory? */
		err = prepared;
	if (err == -EBADMSG)
		log_line(LOG_WARNING, "%s/%s.servers is damaged: ignored",
			 p->opt.state_dir, p->config.instance);
	else if (err < 0)
		log_line(LOG_WARNING, "addresses of servers are not kept: "
				      "%s/%s.servers: %s", p->opt.state_dir,
			 p->config.instance, strerror(-err));
}

static void enter_sandbox(struct parent *p)
{
	char conf_dir[PATH_MAX], key_dir[PATH_MAX];
	bool keys = p->conf.key_file[0] != '\0', known = has_names(&p->conf);
	int prepared = 0;

	real_directory(p->opt.conf_file, conf_dir);
	real_directory(p->conf.key_file, key_dir);
	if (known)
		prepared = known_prepare(p->opt.state_dir, p->opt.child.uid,
					 p->opt.child.gid);
	sandbox_become(p->opt.child.uid, p->opt.child.gid,
		       p->conf.role != CONF_SERVER);
	if (known)
		open_known(p, prepared);
	sandbox_parent_files(conf_dir, keys ? key_dir : NULL,
			     p->opt.child.dir);
	sandbox_parent_calls();
	if (p->opt.server_name == NULL)
		warn_of_reload(p->opt.conf_file);
	if (keys)
		warn_of_reload(p->conf.key_file);
}

static void begin_link(struct parent *p)
{
	int err = parent_link_begin(p);

	if (err < 0)
		die(err == -EAFNOSUPPORT ? EX_UNAVAILABLE : EX_OSERR, "%s: %s",
		    p->config.instance, parent_link_error(p, err));
}

static void begin(struct parent *p)
{
	for (unsigned i = 0; i < PARENT_FDS; i++)
		p->fd[i] = -1;
	for (unsigned t = 0; t < PARENT_TIMERS; t++)
		p->due[t] = UINT64_MAX;
	p->engine.child.sock = p->known.fd = p->asker = -1;
	p->link.mtu = p->conf.mtu;
	if (!parent_read_keys(p))
		exit(EX_CONFIG);
	must(netconf_open(&p->nc), "netlink");
	must(loop_new(&p->loop), "event loop");
	parent_open(p);
	must(firewall_set(&p->firewall, &p->conf), "InboundFirewall");
	begin_link(p);
	must(parent_net_watch(p), "netlink");
	must(watch_signals(p), "signals");
	failure_close();
	enter_sandbox(p);
	parent_timer(p, PARENT_TICK, clock_now() + TICK);
	engine_start(p);
}

int parent_run(const struct parent_options *opt, const struct conf *conf)
{
	static struct parent p;
	int status;

	p.opt = *opt;
	p.conf = *conf;
	begin(&p);
	status = loop_run(p.loop);
	notify_say(p.opt.notify, "STOPPING=1");
	parent_stand_in_end(&p);
	engine_close(&p);
	child_end(&p.engine.child);
	priv_serve_tick(&p, UINT64_MAX);
	resolve_tick(&p, UINT64_MAX);
	parent_names_tick(&p, UINT64_MAX);
	firewall_free(p.firewall);
	return status;
}
