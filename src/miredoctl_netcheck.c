/*
 * miredoctl_netcheck.c - netcheck's sockets and clock
 *
 * What is asked and what follows from the answers is netcheck.c's; here are
 * its sockets, poll(), and what the kernel alone knows: the gateway, our
 * address towards a server, native IPv6, and why a datagram did not leave
 * (IP_RECVERR). It needs no privilege and no daemon.
 */
#include "config.h"

#include <errno.h>
#include <time.h>

#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../libteredo/addr.h"
#include "../libtun6/netconf.h"
#include "clock.h"
#include "miredoctl.h"
#include "miredoctl_netcheck.h"
#include "miredoctl_netcheck_io.h"

#define SOCKETS	      10 /* the most of both machines */
#define LIFETIME_MOST 3600.0
#define LIFETIME      (300 * TEREDO_SECOND)

_Static_assert(SOCKETS >= (int)NETCHECK_SOCKETS &&
		       SOCKETS > NETCHECK_ASKER, "sockets for all");

#define LOOKUPS	      (2 * NETCHECK_SERVERS) /* as pipes behind them */

struct run {
	struct pollfd fd[SOCKETS + LOOKUPS];
	uint64_t began;
	uint64_t longest;	/* what takes so long; 0: a moment */
};

static void fill(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	if (getrandom(buf, len, 0) != (ssize_t)len)
		abort();
}

static const struct teredo_env env = {.random = fill};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "miredoctl: %s: %s\n", what, strerror(errno));
	exit(CTL_EXIT_FAILED);
}

/* ---- sockets ---- */

static uint16_t open_socket(struct pollfd *p)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);

	p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	p->events = POLLIN;
	if (p->fd < 0 ||
	    bind(p->fd, (struct sockaddr *)&sin, sizeof(sin)) != 0 ||
	    getsockname(p->fd, (struct sockaddr *)&sin, &len) != 0)
		fail("no UDP socket");
	return sin.sin_port;
}

/* Only for who takes them all: one that is left makes poll() return at once.
 */
static void ask_for_errors(int fd)
{
	const int on = 1;

	setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
}

static void close_sockets(struct run *run, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		close(run->fd[i].fd);
}

/* What the kernel said when it was to send. */
static enum netcheck_state state_of_send(int error)
{
	return error == EPERM || error == EACCES ? NETCHECK_BLOCKED
						 : NETCHECK_UNREACHABLE;
}

/* What `by` said by ICMP. Only the server itself knows that nobody listens
 * there: others that say so are firewalls. */
static enum netcheck_state state_of_icmp(const struct sock_extended_err *e,
					 uint32_t to, uint32_t by)
{
	if (e->ee_origin != SO_EE_ORIGIN_ICMP ||
	    e->ee_type != ICMP_DEST_UNREACH)
		return NETCHECK_UNREACHABLE;
	if (e->ee_code == ICMP_PORT_UNREACH)
		return by == to ? NETCHECK_REFUSED : NETCHECK_BLOCKED;
	return e->ee_code == ICMP_PKT_FILTERED || e->ee_code == ICMP_NET_ANO ||
			       e->ee_code == ICMP_HOST_ANO
		       ? NETCHECK_BLOCKED
		       : NETCHECK_UNREACHABLE;
}

static struct teredo_ep ep_of(const struct sockaddr_in *sin)
{
	return (struct teredo_ep){sin->sin_addr.s_addr, sin->sin_port};
}

/* Takes one error; false: there is none. */
static bool take_error(struct netcheck *nc, int fd)
{
	char control[512];
	struct sockaddr_in to = {0};
	struct msghdr msg = {.msg_name = &to,
			     .msg_namelen = sizeof(to),
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct sock_extended_err e;
	struct sockaddr_in by;

	if (recvmsg(fd, &msg, MSG_ERRQUEUE) < 0)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL;
	     c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR ||
		    c->cmsg_len < CMSG_LEN(sizeof(e) + sizeof(by)))
			continue;
		memcpy(&e, CMSG_DATA(c), sizeof(e));
		memcpy(&by, CMSG_DATA(c) + sizeof(e), sizeof(by));
		if (by.sin_family != AF_INET)
			by.sin_addr.s_addr = 0;
		netcheck_error(nc, ep_of(&to),
			       state_of_icmp(&e, to.sin_addr.s_addr,
					     by.sin_addr.s_addr),
			       by.sin_addr.s_addr);
	}
	return true;
}

/* 0 or the error */
static int send_datagram(int fd, const struct netcheck_datagram *d)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
				  .sin_port = d->to.port,
				  .sin_addr.s_addr = d->to.ip};

	/* What sendto() says first may belong to the datagram before. */
	for (unsigned tries = 0; tries < 2; tries++)
		if (sendto(fd, d->data, d->len, 0, (struct sockaddr *)&sin,
			   sizeof(sin)) >= 0)
			return 0;
	return errno;
}

/* One datagram into data; its length, or -1 when no more is there. */
static ssize_t receive(int fd, uint8_t *data, size_t size,
		       struct teredo_ep *from)
{
	struct sockaddr_in sin = { 0 };
	socklen_t slen = sizeof(sin);
	ssize_t len;

	do
		len = recvfrom(fd, data, size, 0, (struct sockaddr *)&sin,
			       &slen);
	while (len < 0 && errno != EAGAIN && errno != EBADF);
	if (len >= 0)
		*from = ep_of(&sin);
	return len;
}

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

/* Waits until `when` or until something comes, and not for long. */
static void wait_until(struct run *run, uint64_t when, unsigned n)
{
	uint64_t now = clock_now(), ms;

	if (run->longest == 0)
		miredoctl_progress("checking ... %.1f s",
				   seconds(now - run->began));
	else
		miredoctl_progress("how long the mapping lives ... %.0f s of "
				   "about %.0f s", seconds(now - run->began),
				   seconds(run->longest));
	ms = when <= now ? 0 : (when - now + TEREDO_MS - 1) / TEREDO_MS;
	poll(run->fd, n, ms > 100 ? 100 : (int)ms);
}

/* ---- the check ---- */

static void take_all(struct run *run, struct netcheck *nc)
{
	uint8_t data[2048];
	struct teredo_ep from;
	ssize_t len;

	for (unsigned i = 0; i < NETCHECK_SOCKETS; i++) {
		while (take_error(nc, run->fd[i].fd))
			;
		while ((len = receive(run->fd[i].fd, data, sizeof(data),
				      &from)) >= 0)
			netcheck_in(nc, (enum netcheck_socket)i, from, data,
				    (size_t)len, clock_now());
	}
}

/* Our address towards that server. */
static void find_local(struct netcheck_server *s, struct netconf *kernel)
{
	struct netconf_route r;

	if (s->ip != 0 && kernel != NULL &&
	    netconf_route(kernel, AF_INET, &s->ip, 0, &r) == 0 && r.has_src)
		memcpy(&s->local_ip, r.src, 4);
}

static void open_sockets(struct run *run, struct netcheck_config *config)
{
	for (unsigned i = 1; i < NETCHECK_SOCKETS; i++)
		open_socket(&run->fd[i]);
	config->local_port = open_socket(&run->fd[NETCHECK_MAIN]);
	for (unsigned i = 0; i < NETCHECK_SOCKETS; i++)
		ask_for_errors(run->fd[i].fd);
}

static void watch_lookups(struct run *run, const struct netcheck_lookups *all)
{
	struct pollfd *p = run->fd + NETCHECK_SOCKETS;

	for (unsigned i = 0; i < LOOKUPS; i++)
		p[i] = (struct pollfd){
			.fd = i < 2 * all->n ? all->of[i / 2][i % 2].pipe : -1,
			.events = POLLIN};
}

/* What has come of the names since. */
static void take_lookups(struct run *run, struct netcheck *nc,
			 struct netcheck_config *config,
			 struct netcheck_lookups *all, struct netconf *kernel)
{
	for (unsigned i = 0; i < config->servers; i++) {
		struct netcheck_server *s = &config->server[i];

		if (!s->is_awaited || !netcheck_take_lookup(all, i, s))
			continue;
		find_local(s, kernel);
		netcheck_found(nc, i, s, clock_now());
	}
	watch_lookups(run, all);
}

static void check(struct run *run, struct netcheck_config *config,
		  struct netcheck_lookups *all, struct netconf *kernel,
		  struct netcheck_report *report)
{
	struct netcheck_datagram d;
	struct netcheck *nc;
	int error;

	open_sockets(run, config);
	nc = netcheck_new(config, &env, clock_now());
	if (nc == NULL)
		fail("netcheck");
	do {
		take_lookups(run, nc, config, all, kernel);
		while (netcheck_next(nc, clock_now(), &d)) {
			error = send_datagram(run->fd[d.socket].fd, &d);
			if (error != 0)
				netcheck_error(nc, d.to, state_of_send(error),
					       0);
		}
		if (netcheck_deadline(nc) == TEREDO_NEVER)
			break;
		wait_until(run, netcheck_deadline(nc),
			   NETCHECK_SOCKETS + LOOKUPS);
		take_all(run, nc);
	} while (true);
	netcheck_report(nc, report);
	netcheck_free(nc);
	netcheck_end_lookups(all);
	close_sockets(run, NETCHECK_SOCKETS);
}

static void measure_lifetime(struct run *run, uint32_t server,
			     uint64_t longest, struct netcheck_life *life)
{
	struct netcheck_lifetime *l =
		netcheck_lifetime_new(server, longest, &env, clock_now());
	struct netcheck_datagram d;
	struct teredo_ep from;
	unsigned socket;
	ssize_t len;

	if (l == NULL)
		fail("netcheck");
	for (unsigned i = 0; i < SOCKETS; i++)
		open_socket(&run->fd[i]);
	run->began = clock_now();
	run->longest = longest;
	do {
		while (netcheck_lifetime_next(l, clock_now(), &socket, &d))
			send_datagram(run->fd[socket].fd, &d);
		wait_until(run, netcheck_lifetime_deadline(l), SOCKETS);
		for (unsigned i = 0; i < SOCKETS; i++)
			while ((len = receive(run->fd[i].fd, d.data,
					      sizeof(d.data), &from)) >= 0)
				netcheck_lifetime_in(l, i, from, d.data,
						     (size_t)len, clock_now());
	} while (netcheck_lifetime_deadline(l) != TEREDO_NEVER);
	netcheck_lifetime_result(l, life);
	netcheck_lifetime_free(l);
	close_sockets(run, SOCKETS);
}

/* ---- what the kernel knows ---- */

/* The way to the first server that has an address yet, or to anywhere. */
static void find_gateway(struct netcheck_config *config, struct netconf *kernel)
{
	struct netconf_route r;
	uint32_t to = htonl(0xc0586301); /* 192.88.99.1: nothing is sent there */

	for (unsigned i = config->servers; i-- > 0;)
		if (config->server[i].ip != 0)
			to = config->server[i].ip;
	if (netconf_route(kernel, AF_INET, &to, 0, &r) != 0 || !r.has_gateway)
		return;
	memcpy(&config->gateway, r.gateway, 4);
	if (r.has_src)
		memcpy(&config->gateway_local, r.src, 4);
}

static void find_ways(struct netcheck_findings *f,
		      struct netcheck_config *config, struct netconf *kernel)
{
	int ifindex, fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	f->has_ipv6 = fd >= 0;
	if (fd >= 0)
		close(fd);
	if (kernel == NULL)
		return;
	find_gateway(config, kernel);
	f->has_gateway = config->gateway != 0;
	ifindex = netconf_native(kernel, 0, addr_default_prefix());
	if (ifindex > 0)
		if_indextoname((unsigned)ifindex, f->native);
}

/* All of it but the lifetime. */
static void look(struct run *run, const struct netcheck_names *names,
		 struct netcheck_findings *f)
{
	static struct netcheck_lookups all;
	struct netcheck_config config = {.began = run->began,
					 .servers = names->n};
	struct netconf *kernel;

	if (netconf_open(&kernel) != 0)
		kernel = NULL;
	netcheck_begin_lookups(names, &all);
	for (unsigned i = 0; i < names->n; i++) {
		netcheck_take_lookup(&all, i, &config.server[i]);
		find_local(&config.server[i], kernel);
	}
	find_ways(f, &config, kernel);
	check(run, &config, &all, kernel, &f->report);
	if (kernel != NULL)
		netconf_close(kernel);
	memcpy(f->name, names->first, sizeof(f->name));
	f->took = clock_now() - run->began;
}

static int say_no_server(void)
{
	fputs("miredoctl: no server to ask: none is configured, and no client "
	      "runs.\n"
	      "           name one:      miredoctl netcheck SERVER\n"
	      "           Public Teredo servers are gone; run your own "
	      "(miredo-setup server),\n"
	      "           or try:        miredo-demo\n",
	      stderr);
	return CTL_EXIT_FAILED;
}

int miredoctl_cmd_netcheck(const struct miredoctl_args *args)
{
	static struct netcheck_names names;
	static struct netcheck_findings f;
	uint64_t longest = miredoctl_seconds(args, OPT_TIMEOUT, LIFETIME_MOST,
					     LIFETIME);
	struct run run = {.began = clock_now()};
	bool written;

	netcheck_find_names(&names, args);
	if (names.n == 0)
		return say_no_server();
	look(&run, &names, &f);
	if (args->value[OPT_LIFETIME] != NULL && f.report.nearest >= 0)
		measure_lifetime(&run, f.report.server[f.report.nearest].ip,
				 longest, &f.life);
	miredoctl_progress(NULL);
	if (args->value[OPT_JSON] == NULL) {
		netcheck_print_text(&f, stdout);
		written = true;
	} else {
		written = netcheck_print_json(&f, stdout);
	}
	if (!written || fflush(stdout) != 0)
		return CTL_EXIT_FAILED;
	return netcheck_exit_code(&f);
}
