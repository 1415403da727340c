/*
 * priv_serve.c - carrying out what the engine asks for
 *
 * Every message passes priv_check() first; here is nothing to decide. What is
 * refused is answered where an answer is expected, and otherwise passed over:
 * the engine asks again. What is malformed ends the engine. A failed netlink
 * call is an answer, not a death.
 *
 * At most so many messages are read at a time that signals and the watchdog
 * have their turn. Of the engine's lines one a second is logged for each reason
 * (log_limit.h), and twenty in all; how many were not, is told after them, by
 * a timer if no line follows.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "msg.h"
#include "parent.h"

#define MESSAGES  32
#define LOG_LINES 20			/* a second */
#define LOG_WINDOW 1000000000u		/* ns */

static void serve_answer(struct parent *p, uint32_t about, int err)
{
	const struct priv_answer m = {
		.verb = PRIV_ANSWER,
		.about = about,
		.error = err,
	};

	parent_send(p, &m, sizeof(m), -1);
}

/* A new second, in which again some lines may be logged. */
static void log_window(struct parent_engine *e, uint64_t now)
{
	if (now - e->log_window < LOG_WINDOW)
		return;
	if (e->log_suppressed > 0)
		log_line(LOG_WARNING, "%u lines of the engine were suppressed",
			 e->log_suppressed);
	e->log_window = now;
	e->log_lines = e->log_suppressed = 0;
}

static void serve_log(struct parent *p, const struct priv_log *m, uint64_t now)
{
	struct parent_engine *e = &p->engine;
	unsigned more;

	log_window(e, now);
	if (!log_limit_pass(&e->log_limit, m->text, now, &more))
		return;
	if (e->log_lines++ >= LOG_LINES)
		e->log_suppressed += 1 + more;
	else if (more > 0)
		log_line((int)m->level, "%s (%u like it were suppressed)",
			 m->text, more);
	else
		log_line((int)m->level, "%s", m->text);
}

void priv_serve_tick(struct parent *p, uint64_t now)
{
	struct parent_engine *e = &p->engine;
	char begin[LOG_LIMIT_BEGIN];
	unsigned n;

	log_window(e, now);
	while (log_limit_flush(&e->log_limit, now, &n, begin)) {
		if (e->log_lines++ >= LOG_LINES && now != UINT64_MAX)
			e->log_suppressed += n;
		else
			log_line(LOG_WARNING, begin[0] != '\0'
				 ? "%u lines like \"%s\" were suppressed"
				 : "%u lines%s were suppressed", n, begin);
	}
}

static void serve_tun(struct parent *p, const void *msg)
{
	struct priv_tun_up m;

	memcpy(&m, msg, sizeof(m));
	serve_answer(p, m.verb, parent_link_up(p, m.addr, m.mtu));
	parent_health_tell(p, false);
}

/* The descriptor itself says that it went well. */
static void serve_secondary(struct parent *p, uint32_t wanted)
{
	const struct priv_word word = { PRIV_FD, PRIV_FD_UDP2 };
	int err = parent_secondary(p, wanted == 1);

	if (err < 0)
		serve_answer(p, PRIV_SECONDARY, err);
	else if (wanted == 1)
		parent_send(p, &word, sizeof(word), p->fd[PRIV_FD_UDP2]);
}

/* A message that was checked; fd came with it, or is -1. */
static void serve(struct parent *p, const void *msg, int fd, uint64_t now)
{
	struct priv_word m;
	struct priv_log log;

	memcpy(&m, msg, sizeof(m));
	switch (m.verb) {
	case PRIV_READY:
		parent_ready(p);
		break;
	case PRIV_TUN_UP:
		serve_tun(p, msg);
		break;
	case PRIV_CARRIER:
		p->link.held = m.value == 0;
		parent_link_carrier(p);
		break;
	case PRIV_RESOLVE:
		resolve_ask(p, m.value);
		break;
	case PRIV_SECONDARY:
		serve_secondary(p, m.value);
		break;
	case PRIV_HEALTH:
		p->engine.health = m.value;
		parent_health_say(p);
		break;
	case PRIV_RELOAD:
	case PRIV_ANNOUNCE:
		parent_ask(p, m.verb, m.value, fd);
		break;
	case PRIV_LOG:
		memcpy(&log, msg, sizeof(log));
		serve_log(p, &log, now);
		break;
	default:	/* KEEPALIVE */
		break;
	}
	p->engine.silent = 0;
}

static void serve_refused(struct parent *p, const void *msg, int fd, int err)
{
	struct priv_resolved failed = { .verb = PRIV_RESOLVED };
	struct priv_word m;

	memcpy(&m, msg, sizeof(m));
	if (fd >= 0) {
		parent_ask_refuse(p, m.verb, fd);
	} else if (m.verb == PRIV_TUN_UP || m.verb == PRIV_SECONDARY) {
		serve_answer(p, m.verb, err);
	} else if (m.verb == PRIV_HEALTH) {
		p->engine.health = m.value;	/* told with the next tick */
	} else if (m.verb == PRIV_RESOLVE) {
		failed.server = m.value;
		parent_send(p, &failed, sizeof(failed), -1);
	}
}

static bool brings_fd(const void *msg, size_t len)
{
	uint32_t verb = 0;

	if (len >= sizeof(verb))
		memcpy(&verb, msg, sizeof(verb));
	return priv_brings_fd(verb);
}

/* Takes one message off; false: there is none, or no more engine. */
static bool serve_one(struct parent *p)
{
	uint8_t msg[PRIV_MESSAGE_MAX];
	uint64_t now = clock_now();
	int fd, err;
	ssize_t n = msg_recv(p->engine.child.sock, msg, sizeof(msg), &fd);

	if (n == -EAGAIN || n == -EINTR)
		return false;
	if (n == -ECONNRESET)	/* it ended without reading all */
		n = 0;
	if (n > 0 && (fd >= 0) != brings_fd(msg, (size_t)n))
		n = -EPROTO;
	err = n <= 0 ? -EPROTO : priv_check(&p->policy, msg, (uint32_t)n, now);
	if (err == -EPROTO && fd >= 0)
		close(fd);
	if (n <= 0) {
		parent_engine_bad(p, n == 0 ? NULL : "sends what is no message");
		return false;
	}
	if (err == 0)
		serve(p, msg, fd, now);
	else if (err == -EPROTO)
		parent_engine_bad(p, "breaks the rules of the border");
	else
		serve_refused(p, msg, fd, err);
	return err != -EPROTO && p->engine.child.sock >= 0;
}

void priv_serve(void *ctx, uint32_t events)
{
	struct parent *p = ctx;

	(void)events;
	for (unsigned i = 0; i < MESSAGES && serve_one(p); i++)
		;
}
