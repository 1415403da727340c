/*
 * miredoctl_ping.c - a ping that tells which way each answer came
 *
 * Echo requests by the kernel's own ICMPv6, through the tunnel as any program's
 * packets, one a second; the engine is asked before the first and after each
 * answer what it knows of the peer. An answer whose request had to be held for
 * bubbles came "via server (bubble)", or by a relay if the peer is native. It
 * ends with the first answer that needed no such help.
 *
 * A datagram socket needs no privilege where net.ipv4.ping_group_range allows
 * it; root has a raw one. Of either only our own answers are taken: kernel or
 * we compare the identifier.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../libtun6/netconf.h"
#include "clock.h"
#include "miredoctl.h"
#include "miredoctl_dest.h"
#include "miredoctl_ping.h"
#include "miredoctl_status.h"

#define INTERVAL 1000000000u /* ns */
#define TRIES	 5
#define PAYLOAD	 16u /* octets: the time, and what nobody guesses */

struct ping {
	struct ping_view view;
	int control, fd;
	bool raw;
	uint16_t id;
	struct sockaddr_in6 to;
	uint64_t sent[PING_MOST];
	uint8_t secret[8];
};

/* ---- what the engine knows ---- */

static int ask_engine(struct ping *p, struct ctl_lookup *lookup)
{
	size_t len;
	int error = miredoctl_request(p->control, CTL_LOOKUP, 0,
				      p->to.sin6_addr.s6_addr, false);

	if (error != 0)
		return error;
	return miredoctl_answer(p->control, lookup, sizeof(*lookup),
				sizeof(*lookup), &len, false);
}

/* ---- echo ---- */

static int open_socket(struct ping *p)
{
	const int on = 1;

	p->fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       IPPROTO_ICMPV6);
	if (p->fd < 0) {
		p->raw = true;
		p->fd = socket(AF_INET6,
			       SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			       IPPROTO_ICMPV6);
	}
	if (p->fd < 0) {
		fputs("miredoctl: no permission to send a ping: ask root, or "
		      "widen net.ipv4.ping_group_range\n",
		      stderr);
		return CTL_EXIT_DENIED;
	}
	setsockopt(p->fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	p->id = (uint16_t)getpid();
	return 0;
}

/* false: the kernel would not send it, errno says why. */
static bool send_echo(struct ping *p, unsigned seq)
{
	struct {
		struct icmp6_hdr h;
		uint8_t payload[PAYLOAD];
	} echo = {.h = {.icmp6_type = ICMP6_ECHO_REQUEST}};

	echo.h.icmp6_id = htons(p->id);
	echo.h.icmp6_seq = htons((uint16_t)seq);
	memcpy(echo.payload, p->secret, sizeof(p->secret));
	p->sent[seq] = clock_now();
	return sendto(p->fd, &echo, sizeof(echo), 0,
		      (const struct sockaddr *)&p->to, sizeof(p->to)) >= 0;
}

/* The number of the request that it answers, PING_MOST: none of ours. */
static unsigned receive_echo(struct ping *p)
{
	struct {
		struct icmp6_hdr h;
		uint8_t payload[PAYLOAD];
	} echo;
	struct sockaddr_in6 from;
	socklen_t flen = sizeof(from);
	ssize_t len = recvfrom(p->fd, &echo, sizeof(echo), 0,
			       (struct sockaddr *)&from, &flen);
	unsigned seq;

	if (len < (ssize_t)(sizeof(echo.h) + sizeof(p->secret)) ||
	    echo.h.icmp6_type != ICMP6_ECHO_REPLY ||
	    (p->raw && ntohs(echo.h.icmp6_id) != p->id) ||
	    memcmp(echo.payload, p->secret, sizeof(p->secret)) != 0 ||
	    memcmp(&from.sin6_addr, &p->to.sin6_addr, 16) != 0)
		return PING_MOST;
	seq = ntohs(echo.h.icmp6_seq);
	if (seq >= PING_MOST || p->sent[seq] == 0)
		return PING_MOST;
	return seq;
}

/* An ICMPv6 error for one of ours; the engine says "unreachable" so. */
static void take_errors(struct ping *p)
{
	char control[256], data[64];
	struct iovec iov = {.iov_base = data, .iov_len = sizeof(data)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct sock_extended_err e;

	for (;;) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		if (recvmsg(p->fd, &msg, MSG_ERRQUEUE) < 0)
			return;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL;
		     c = CMSG_NXTHDR(&msg, c)) {
			if (c->cmsg_level != IPPROTO_IPV6 ||
			    c->cmsg_type != IPV6_RECVERR ||
			    c->cmsg_len < CMSG_LEN(sizeof(e)))
				continue;
			memcpy(&e, CMSG_DATA(c), sizeof(e));
			if (e.ee_origin == SO_EE_ORIGIN_ICMP6 &&
			    e.ee_type == ICMP6_DST_UNREACH)
				p->view.refused = true;
		}
	}
}

/* ---- the course of it ---- */

/* Whether it needed the help of a server: then another one may do without. */
static bool needed_help(const struct ctl_lookup *before)
{
	return before->would == TEREDO_WOULD_BUBBLE ||
	       before->would == TEREDO_WOULD_WAIT;
}

/* An answer came. 0, or an exit code. */
static int take_answer(struct ping *p, unsigned seq, bool *done)
{
	struct ping_answer *a = &p->view.answer[p->view.answers];
	int error = ask_engine(p, &p->view.now);

	if (error != 0)
		return error;
	p->view.answers++;
	a->rtt = clock_now() - p->sent[seq];
	a->seq = seq;
	p->sent[seq] = 0;
	a->peer = p->view.now.peer;
	a->known = p->view.now.known != 0;
	a->helped = p->view.answers == 1 && needed_help(&p->view.before) &&
		    a->known &&
		    (a->peer.way == TEREDO_WAY_DIRECT ||
		     a->peer.way == TEREDO_WAY_LOCAL);
	*done = !a->helped && a->known && a->peer.way >= TEREDO_WAY_DIRECT;
	miredoctl_progress(NULL);
	if (!p->view.quiet)
		ping_print_answer(&p->view, a);
	return 0;
}

/* Listens until then. 0, or an exit code. */
static int listen_until(struct ping *p, uint64_t when, bool *done)
{
	struct pollfd fd = {.fd = p->fd, .events = POLLIN};
	uint64_t now;
	unsigned seq;
	int error;

	while (!*done && !p->view.refused && (now = clock_now()) < when) {
		poll(&fd, 1, (int)((when - now + 999999) / 1000000));
		take_errors(p);
		if ((fd.revents & POLLIN) == 0)
			continue;
		seq = receive_echo(p);
		if (seq == PING_MOST)
			continue;
		error = take_answer(p, seq, done);
		if (error != 0)
			return error;
	}
	return 0;
}

static int run(struct ping *p, unsigned tries)
{
	bool done = false;
	int error = ask_engine(p, &p->view.before);

	p->view.now = p->view.before;
	for (unsigned i = 0; i < tries && error == 0 && !done; i++) {
		p->view.refused = false;
		miredoctl_progress("waiting for an answer, try %u of %u ...",
				   i + 1, tries);
		if (!send_echo(p, i) && errno != EAGAIN && errno != ENOBUFS) {
			error = errno;
			miredoctl_progress(NULL);
			fprintf(stderr, "miredoctl: cannot send: %s\n",
				strerror(error));
			return CTL_EXIT_FAILED;
		}
		p->view.tries++;
		error = listen_until(p, p->sent[i] + INTERVAL, &done);
		if (p->view.refused && p->view.answers == 0)
			break;
	}
	miredoctl_progress(NULL);
	if (error == 0 && p->view.answers == 0)
		error = ask_engine(p, &p->view.now);
	return error;
}

/* ---- what can be pinged ---- */

static int check_kind(const struct miredoctl_dest *dest)
{
	const char *kind = miredoctl_dest_kind(&dest->addr[0]);

	if (kind == NULL)
		return 0;
	fprintf(stderr,
		"miredoctl: %s is %s; ping a Teredo (2001::/32) or global "
		"address\n",
		dest->name, kind);
	return CTL_EXIT_USAGE;
}

/* What goes another way says nothing of the tunnel. */
static int check_route(const struct miredoctl_dest *dest,
		       const struct ctl_status *st)
{
	struct netconf_route r;
	struct netconf *nc;
	char dev[IF_NAMESIZE] = "";
	int error;

	if (netconf_open(&nc) != 0)
		return 0;
	error = netconf_route(nc, AF_INET6, &dest->addr[0], 0, &r);
	netconf_close(nc);
	if (error == 0)
		if_indextoname((unsigned)r.ifindex, dev);
	if (strcmp(dev, st->instance) == 0)
		return 0;
	fprintf(stderr,
		"miredoctl: %s does not go through %s; why: miredoctl route "
		"%s\n",
		dest->name, st->instance, dest->name);
	return CTL_EXIT_FAILED;
}

static int check_role(const struct ctl_status *st)
{
	if (miredoctl_has_tunnel(st))
		return 0;
	fprintf(stderr, "miredoctl: this %s has no tunnel to ping through\n",
		miredoctl_role(st));
	return CTL_EXIT_FAILED;
}

static unsigned tries_of(const struct miredoctl_args *args)
{
	const char *text = args->value[OPT_COUNT];
	char *end;
	unsigned long n;

	if (text == NULL)
		return TRIES;
	n = strtoul(text, &end, 10);
	if (end == text || *end != '\0' || n < 1 || n > PING_MOST)
		miredoctl_usage("--count wants 1 to %u", PING_MOST);
	return (unsigned)n;
}

static int prepare(struct ping *p, const struct miredoctl_args *args)
{
	static struct miredoctl_dest dest;
	struct ctl_status st = { 0 };
	int error = miredoctl_find_dest(&dest, args->operand[0]);

	if (error == 0)
		error = check_kind(&dest);
	if (error == 0)
		error = miredoctl_get_status(args, &st, false);
	if (error == 0)
		error = check_role(&st);
	if (error == 0)
		error = check_route(&dest, &st);
	if (error == 0)
		error = open_socket(p);
	if (error == 0)
		error = miredoctl_connect(args, &p->control, false);
	p->to.sin6_family = AF_INET6;
	p->to.sin6_addr = dest.addr[0];
	p->view.name = dest.name;
	memcpy(p->view.addr, &dest.addr[0], sizeof(p->view.addr));
	p->view.server_ip = st.server_ip;
	p->view.quiet = args->value[OPT_JSON] != NULL;
	return error;
}

int miredoctl_cmd_ping(const struct miredoctl_args *args)
{
	static struct ping p;
	unsigned tries = tries_of(args);
	bool written = true;
	int error = prepare(&p, args);
	uint64_t now = clock_now();

	if (error != 0)
		return error;
	memcpy(p.secret, &now, sizeof(p.secret));
	error = run(&p, tries);
	if (error != 0)
		return error;
	if (p.view.quiet)
		written = ping_print_json(&p.view);
	else if (p.view.answers == 0)
		ping_print_silence(&p.view);
	return written && fflush(stdout) == 0 && p.view.answers > 0
		       ? CTL_EXIT_OK
		       : CTL_EXIT_FAILED;
}
