/*
 * parent_ask.c - what the parent does for who asks at the control socket
 *
 * The engine hands a connection on, with a verb; the answer goes to the
 * connection itself, so that it does not matter which engine lives by then.
 * Who is at the other end the kernel says, and a connection of somebody who
 * may not ask ends the engine: it would have refused it. So does a socket that
 * nobody has connected to ours: the engine has the listener and its end of the
 * pair to us, of which the kernel says that the other end is ours, too. What is
 * sent to it is never waited for.
 *
 * A reload's answer has all that is logged on its behalf, errors of the
 * configuration above all, and comes when the new engine serves or when it is
 * clear that the old configuration stays. One at a time; what a SIGHUP finds in
 * the meantime is not its business.
 *
 * Holding is the parent's: it outlives engines and reloads, until it is
 * released or the service ends.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "ctl_access.h"
#include "ctl_records.h"
#include "log.h"
#include "msg.h"
#include "parent.h"

static void say(int fd, uint32_t verb, int error, bool more, const char *text)
{
	struct ctl_report m = {
		.head = {
			.magic = CTL_MAGIC,
			.version = CTL_VERSION,
			.verb = verb,
			.error = error,
			.now = clock_now(),
		},
		.more = more,
	};

	snprintf(m.text, sizeof(m.text), "%s", text);
	/* who has gone, or does not read, has had it */
	(void)msg_send(fd, &m, sizeof(m), -1);
}

static void say_last(int fd, uint32_t verb, int error, const char *text)
{
	say(fd, verb, error, false, text);
	close(fd);
}

/* ---- reload ---- */

static uint32_t ctl_verb_of(uint32_t verb)
{
	return verb == PRIV_RELOAD ? CTL_RELOAD : CTL_ANNOUNCE;
}

static void overheard(void *ctx, int level, const char *line)
{
	const struct parent *p = ctx;

	if (level <= LOG_NOTICE)
		say(p->asker, CTL_RELOAD, 0, true, line);
}

void parent_ask_listen(struct parent *p, bool on)
{
	log_tee(on && p->asker >= 0 ? overheard : NULL, p);
}

void parent_ask_done(struct parent *p, int error)
{
	if (p->asker < 0)
		return;
	log_tee(NULL, NULL);
	say_last(p->asker, CTL_RELOAD, error, "");
	p->asker = -1;
}

static void ask_reload(struct parent *p, int fd)
{
	if (p->asker >= 0) {
		say_last(fd, CTL_RELOAD, -EALREADY,
			 "another reload is still under way");
		return;
	}
	p->asker = fd;
	parent_ask_listen(p, true);
	if (parent_reload(p))
		parent_ask_listen(p, false);
	else
		parent_ask_done(p, -EINVAL);
}

/* ---- announce ---- */

static void ask_announce(struct parent *p, enum ctl_announce what, int fd)
{
	bool hold = what == CTL_HOLD, was = p->link.withheld;

	if (p->config.configured != PRIV_RELAY &&
	    p->config.configured != PRIV_SERVER_RELAY) {
		say_last(fd, CTL_ANNOUNCE, -EOPNOTSUPP,
			 "only a relay announces anything");
		return;
	}
	p->link.withheld = hold;
	if (hold != was)
		log_line(LOG_NOTICE, hold ? "held: no carrier, so that no "
					    "route is announced"
					  : "released: carrier as health "
					    "has it");
	parent_link_carrier(p);
	if (hold && (p->link.ifindex == 0 || p->link.carrier != 0)) {
		say_last(fd, CTL_ANNOUNCE, -EIO,
			 "the interface's carrier cannot be taken: the log "
			 "has why");
		return;
	}
	say_last(fd, CTL_ANNOUNCE, 0,
		 hold == was ? hold ? "it was held before" : "it was not held"
		 : hold	     ? "held: the interface has no carrier"
			     : "released");
}

/* ---- all of it ---- */

static int option(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
}

/* Accepted where we listen: it has the listener's name. */
static bool is_ours(const struct parent *p, int fd)
{
	struct sockaddr_un sun = { 0 };
	socklen_t len = sizeof(sun) - 1;

	return option(fd, SO_DOMAIN) == AF_UNIX &&
	       option(fd, SO_TYPE) == SOCK_SEQPACKET &&
	       option(fd, SO_ACCEPTCONN) == 0 && p->control[0] != '\0' &&
	       getsockname(fd, (struct sockaddr *)&sun, &len) == 0 &&
	       strcmp(sun.sun_path, p->control) == 0;
}

/* Of a listener and of a pair that we made the peer is this process. */
static bool is_from_us(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
	       peer.pid == getpid();
}

static bool is_fit(const struct parent *p, int fd)
{
	return is_ours(p, fd) && !is_from_us(fd) &&
	       ctl_access_is_granted(fd, p->opt.child.uid, p->opt.child.gid);
}

void parent_ask(struct parent *p, uint32_t verb, uint32_t value, int fd)
{
	if (!is_fit(p, fd)) {
		close(fd);
		parent_engine_bad(p, "asks for somebody who may not");
	} else if (verb == PRIV_RELOAD) {
		ask_reload(p, fd);
	} else {
		ask_announce(p, (enum ctl_announce)value, fd);
	}
}

void parent_ask_refuse(struct parent *p, uint32_t verb, int fd)
{
	if (is_fit(p, fd))
		say_last(fd, ctl_verb_of(verb), -EAGAIN,
			 "this was asked for too often: wait a minute");
	else
		close(fd);
}
