/*
 * parent_open.c - the descriptors that outlive every engine
 *
 * All that needs privileges or a path is opened here, once, before the
 * parent leaves root: interface, UDP sockets, a server's raw IPv6 socket, the
 * control socket, the snapshot. What cannot be had ends the start with a
 * message that names the directive, what is there instead, and what to do;
 * its exit status is by sysexits(3): 69 the system lacks something, 75 it is
 * taken, 77 no permission, 78 the configuration cannot be right.
 *
 * The control socket is a convenience: packets flow without it, so a /run
 * that is full or read-only is a warning. It is made last: who has interface
 * and port is the one that may take the place of a dead one's socket.
 *
 * The same code opens other UDP sockets after a reload; then a failure is
 * only said. The old sockets stay until the new ones are there, or are in
 * their way: root may have bound what nobody else can have back.
 */
#include "config.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "../libteredo/addr.h"
#include "../libtun6/tun6.h"
#include "clock.h"
#include "failure.h"
#include "holder.h"
#include "log.h"
#include "msg.h"
#include "parent.h"
#include "sandbox.h"
#include "snapshot.h"
#include "udp.h"

static_assert((int)CONF_CLIENT == PRIV_CLIENT &&
		      (int)CONF_RELAY == PRIV_RELAY &&
		      (int)CONF_SERVER == PRIV_SERVER &&
		      (int)CONF_SERVER_RELAY == PRIV_SERVER_RELAY,
	      "roles");

/* ---- UDP ---- */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_udp(struct parent *p)
{
	close_fd(&p->fd[PRIV_FD_UDP]);
	close_fd(&p->fd[PRIV_FD_UDP2]);
}

/* One address to bind and what the configuration calls it. */
struct binding {
	const char *directive;
	const char *name;	/* an address, "" for any */
	struct conf_place place;
	struct teredo_ep ep;
};

/* Names are addresses by now (parent_names.c); of "" it stays what it is. */
static void read_address(const char *name, uint32_t *ip)
{
	bool is_address = name[0] == '\0' || inet_pton(AF_INET, name, ip) == 1;

	assert(is_address);
}

/* "miredo.conf:6:13: " or "" */
static const char *where(const struct conf *conf, struct conf_place place)
{
	static char text[sizeof(conf->file) + 32];

	text[0] = '\0';
	if (place.line > 0)
		snprintf(text, sizeof(text), "%s:%u:%u: ", conf->file,
			 place.line, place.column);
	return text;
}

static int udp_refused(struct parent *p, const struct conf *conf,
		       const struct binding *b, int err)
{
	const char *at = where(conf, b->place);
	unsigned port = ntohs(b->ep.port);
	char ip[INET_ADDRSTRLEN], have[256];

	inet_ntop(AF_INET, &b->ep.ip, ip, sizeof(ip));
	switch (-err) {
	case EADDRNOTAVAIL:
		netconf_list_ip4(p->nc, have, sizeof(have));
		log_line(LOG_ERR, "%s%s %s is not on this host (have %s)", at,
			 b->directive, ip, have);
		return EX_CONFIG;
	case EADDRINUSE:
		log_line(LOG_ERR,
			 "%sUDP port %u of %s is taken by another program: "
			 "see ss -lunp sport = :%u", at, port, ip, port);
		return EX_TEMPFAIL;
	case EACCES:
		log_line(LOG_ERR, "%sno permission for UDP port %u", at, port);
		return EX_NOPERM;
	default:
		log_line(LOG_ERR, "%sUDP port %u of %s: %s", at, port, ip,
			 strerror(-err));
		return EX_OSERR;
	}
}

/* Our own sockets, of before a reload, may be in the way. */
static int open_one(struct parent *p, struct teredo_ep ep)
{
	int fd = udp_open(ep);

	if (fd != -EADDRINUSE || p->fd[PRIV_FD_UDP] < 0)
		return fd;
	close_udp(p);
	return udp_open(ep);
}

/* Client and relay. *fd and 0, or the exit status, said why. */
static int open_udp(struct parent *p, const struct conf *conf, int *fd)
{
	struct binding b = {
		.directive = "BindAddress",
		.name = conf->bind_address,
		.place = conf->bind_address_place,
		.ep.port = htons(conf->bind_port),
	};

	read_address(b.name, &b.ep.ip);
	*fd = open_one(p, b.ep);
	if (*fd == -EADDRINUSE)
		b.place = conf->bind_port_place;
	return *fd < 0 ? udp_refused(p, conf, &b, *fd) : 0;
}

/* A server's second address; *fd stays -1 in one-address mode. */
static int open_udp2(struct parent *p, const struct conf *conf, uint32_t first,
		     int *fd)
{
	struct binding b = {
		.directive = "ServerBindAddress2",
		.name = conf->server_bind2,
		.place = conf->server_bind2_place,
		.ep = { htonl(ntohl(first) + 1), htons(TEREDO_PORT) },
	};
	char ip[INET_ADDRSTRLEN];

	*fd = -1;
	if (conf->server_single)
		return 0;
	read_address(b.name, &b.ep.ip);
	*fd = open_one(p, b.ep);
	if (*fd == -EADDRNOTAVAIL && b.name[0] == '\0') {
		log_line(LOG_WARNING,
			 "server mode found one IPv4 address (%s). Running "
			 "single-address: Windows clients cannot detect "
			 "symmetric NAT.",
			 inet_ntop(AF_INET, &first, ip, sizeof(ip)));
		*fd = -1;
		return 0;
	}
	return *fd < 0 ? udp_refused(p, conf, &b, *fd) : 0;
}

static int open_server_udp(struct parent *p, const struct conf *conf, int *fd,
			   int *fd2)
{
	struct binding b = {
		.directive = "ServerBindAddress",
		.name = conf->server_bind,
		.place = conf->server_bind_place,
		.ep.port = htons(TEREDO_PORT),
	};
	int status;

	read_address(b.name, &b.ep.ip);
	*fd = open_one(p, b.ep);
	if (*fd < 0)
		return udp_refused(p, conf, &b, *fd);
	status = open_udp2(p, conf, b.ep.ip, fd2);
	if (status != 0)
		close(*fd);
	return status;
}

/* ---- what a server says that it is ---- */

static int advertise(const struct conf *conf, const char *name,
		     struct conf_place place, uint32_t otherwise, uint32_t *ip)
{
	char text[INET_ADDRSTRLEN];

	*ip = otherwise;
	read_address(name, ip);
	if (ipv4_is_global(*ip))
		return 0;
	inet_ntop(AF_INET, ip, text, sizeof(text));
	log_line(LOG_ERR,
		 "%s%s is not a public address: behind a port forward or 1:1 "
		 "NAT set ServerPublicAddress", where(conf, place), text);
	return EX_CONFIG;
}

/* The addresses that clients know. 0 or the exit status. */
static int advertise_both(const struct conf *conf, uint32_t ip, uint32_t ip2,
			  uint32_t public_ip[2])
{
	bool translated = conf->server_public[0] != '\0';
	int status = advertise(conf, conf->server_public,
			       translated ? conf->server_public_place
					  : conf->server_bind_place,
			       ip, &public_ip[0]);

	public_ip[1] = 0;
	if (status != 0 || ip2 == 0)
		return status;
	if (translated)
		ip2 = htonl(ntohl(public_ip[0]) + 1);
	return advertise(conf, conf->server_public2,
			 conf->server_public2_place, ip2, &public_ip[1]);
}

/* ---- sockets, at the start and after a reload ---- */

/* Opens what `conf` wants and, when all went well, takes it. */
static int open_sockets(struct parent *p, const struct conf *conf)
{
	uint32_t public_ip[2] = { 0, 0 };
	int fd = -1, fd2 = -1, status;

	status = conf_is_server(conf)
			 ? open_server_udp(p, conf, &fd, &fd2)
			 : open_udp(p, conf, &fd);
	if (status != 0)
		return status;
	if (conf_is_server(conf))
		status = advertise_both(conf, udp_bound(fd).ip,
					fd2 < 0 ? 0 : udp_bound(fd2).ip,
					public_ip);
	if (status != 0) {
		close_fd(&fd);
		close_fd(&fd2);
		return status;
	}
	close_udp(p);
	p->fd[PRIV_FD_UDP] = fd;
	p->fd[PRIV_FD_UDP2] = fd2;
	p->config.public_ip = public_ip[0];
	p->config.public_ip2 = public_ip[1];
	return 0;
}

static bool same_binding(const struct conf *a, const struct conf *b)
{
	return strcmp(a->bind_address, b->bind_address) == 0 &&
	       a->bind_port == b->bind_port &&
	       strcmp(a->server_bind, b->server_bind) == 0 &&
	       strcmp(a->server_bind2, b->server_bind2) == 0 &&
	       a->server_single == b->server_single &&
	       strcmp(a->server_public, b->server_public) == 0 &&
	       strcmp(a->server_public2, b->server_public2) == 0;
}

static void reopen_old(struct parent *p, struct teredo_ep was,
		       const struct teredo_ep *was2)
{
	p->fd[PRIV_FD_UDP] = udp_open(was);
	p->fd[PRIV_FD_UDP2] = was2 == NULL ? -1 : udp_open(*was2);
	if (p->fd[PRIV_FD_UDP] < 0 ||
	    (was2 != NULL && p->fd[PRIV_FD_UDP2] < 0)) {
		failure_tell("gave up: the old UDP port cannot be had back "
			     "after a reload that failed");
		die(EX_OSERR, "the old UDP port cannot be had back");
	}
}

int parent_reopen(struct parent *p, const struct conf *next)
{
	struct teredo_ep was = udp_bound(p->fd[PRIV_FD_UDP]);
	struct teredo_ep was2 = udp_bound(p->fd[PRIV_FD_UDP2]);
	bool two = p->fd[PRIV_FD_UDP2] >= 0;

	if (same_binding(&p->conf, next) || open_sockets(p, next) == 0)
		return 0;
	if (p->fd[PRIV_FD_UDP] < 0)
		reopen_old(p, was, two ? &was2 : NULL);
	return -1;
}

int parent_secondary(struct parent *p, bool open)
{
	struct teredo_ep ep = { p->config.bind_ip, 0 };
	int fd;

	close_fd(&p->fd[PRIV_FD_UDP2]);
	if (!open)
		return 0;
	fd = udp_open(ep);
	if (fd >= 0)
		p->fd[PRIV_FD_UDP2] = fd;
	return fd < 0 ? fd : 0;
}

/* ---- the interface ---- */

static int tun_refused(const char *ifname, int err)
{
	char holder[200];

	switch (-err) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		log_line(LOG_ERR, "/dev/net/tun is missing. Load it: modprobe "
				  "tun       (containers: --device "
				  "/dev/net/tun)");
		return EX_UNAVAILABLE;
	case EPERM:
	case EACCES:
		log_line(LOG_ERR, "no permission to create interface \"%s\": "
				  "start as root, or with CAP_NET_ADMIN",
			 ifname);
		return EX_NOPERM;
	case EBUSY:
		if (holder_of_tun(ifname, holder, sizeof(holder)))
			log_line(LOG_ERR, "cannot create interface \"%s\": it "
					  "exists and belongs to %s",
				 ifname, holder);
		else
			log_line(LOG_ERR, "cannot create interface \"%s\": it "
					  "exists. Choose another "
					  "InterfaceName, or remove it: ip "
					  "link del %s",
				 ifname, ifname);
		return EX_TEMPFAIL;
	default:
		log_line(LOG_ERR, "cannot create interface \"%s\": %s", ifname,
			 strerror(-err));
		return EX_OSERR;
	}
}

static int open_tun(struct parent *p)
{
	char name[IF_NAMESIZE];

	if (access("/proc/net/if_inet6", F_OK) != 0) {
		log_line(LOG_ERR, "this kernel has no IPv6. Boot it without "
				  "ipv6.disable=1, or load it: modprobe ipv6");
		return EX_UNAVAILABLE;
	}
	p->vnet = true;
	p->fd[PRIV_FD_TUN] = tun6_open(p->conf.ifname, name, &p->vnet);
	return p->fd[PRIV_FD_TUN] < 0
		       ? tun_refused(p->conf.ifname, p->fd[PRIV_FD_TUN])
		       : 0;
}

/* A server passes connectivity tests on by this. */
static int open_native6(struct parent *p)
{
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			IPPROTO_RAW);

	p->fd[PRIV_FD_NATIVE6] = fd;
	if (fd >= 0)
		return 0;
	if (errno == EPERM) {
		log_line(LOG_ERR, "no permission for a raw IPv6 socket: start "
				  "as root, or with CAP_NET_RAW");
		return EX_NOPERM;
	}
	log_line(LOG_WARNING, "no IPv6 here (%s): clients will not reach "
			      "native IPv6 hosts with this server",
		 strerror(errno));
	return 0;
}

/* ---- the control socket ---- */

/* Whether we may make a socket there: nobody else may write to it but root and
 * the service user, whose the directory is where systemd makes it. */
static bool run_dir_is_fit(const char *dir, uid_t user)
{
	struct stat st;

	if (mkdir(dir, 0755) < 0 && errno != EEXIST) {
		log_line(LOG_WARNING, "no control socket: %s: %s", dir,
			 strerror(errno));
		return false;
	}
	if (lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) &&
	    (st.st_uid == 0 || st.st_uid == user) &&
	    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return true;
	log_line(LOG_WARNING, "no control socket: %s is not a directory of "
			      "root's or the service user's that nobody else "
			      "can write to", dir);
	return false;
}

static bool control_name(const struct parent *p, struct sockaddr_un *sun)
{
	int n = snprintf(sun->sun_path, sizeof(sun->sun_path), "%s/%s.sock",
			 p->opt.run_dir, p->config.instance);

	sun->sun_family = AF_UNIX;
	return n > 0 && (size_t)n < sizeof(sun->sun_path);
}

/* Whether somebody listens there: 0, -errno if not. */
static int control_ask(const struct sockaddr_un *sun, char *text, size_t size)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0);
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);
	int err = 0;

	snprintf(text, size, "another");
	if (connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0)
		err = errno == EAGAIN ? 0 : -errno;	/* it has no time */
	else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
		holder_describe(peer.pid, text, size);
	close(fd);
	return err;
}

/* Before anything else is opened: the best message is this one. */
static int control_is_free(struct parent *p)
{
	struct sockaddr_un sun;
	char text[200];

	if (!control_name(p, &sun) || control_ask(&sun, text, sizeof(text)) < 0)
		return 0;
	log_line(LOG_ERR, "already running: %s has %s", text, sun.sun_path);
	return EX_TEMPFAIL;
}

/* Makes room: a socket that nobody listens at any more is removed. */
static void control_reclaim(const struct sockaddr_un *sun)
{
	struct stat st;
	char text[200];

	if (control_ask(sun, text, sizeof(text)) == -ECONNREFUSED &&
	    lstat(sun->sun_path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(sun->sun_path);
}

/* Last of all: of two that start at once, only one has come here. */
static void open_control(struct parent *p)
{
	struct sockaddr_un sun;
	mode_t mask;
	int fd, err;

	if (!control_name(p, &sun)) {
		log_line(LOG_WARNING, "no control socket: %s is too long",
			 p->opt.run_dir);
		return;
	}
	if (!run_dir_is_fit(p->opt.run_dir, p->opt.child.uid))
		return;
	control_reclaim(&sun);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	msg_refuse_fds(fd);	/* of the engine nothing lingers for anybody */
	mask = umask(0111);	/* 0666: everybody may ask */
	err = bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	umask(mask);
	if (err == 0 && listen(fd, 16) == 0) {
		p->fd[PRIV_FD_CONTROL] = fd;
		snprintf(p->control, sizeof(p->control), "%s", sun.sun_path);
		return;
	}
	log_line(LOG_WARNING, "no control socket: %s: %s", sun.sun_path,
		 strerror(errno));
	close(fd);
}

/* ---- all of it ---- */

static void configure_access(struct priv_config *c, const struct conf *conf)
{
	static_assert((int)CONF_ACCESS == PRIV_ACCESS, "all rules fit");

	memset(c->access, 0, sizeof(c->access));
	c->n_access = conf->n_access;
	for (unsigned i = 0; i < conf->n_access; i++) {
		c->access[i].ip = conf->access[i].ip;
		c->access[i].bits = conf->access[i].bits;
		c->access[i].allow = conf->access[i].allow;
	}
}

void parent_configure(struct parent *p)
{
	const struct conf *conf = &p->conf;
	struct priv_config *c = &p->config;
	struct teredo_ep bound = udp_bound(p->fd[PRIV_FD_UDP]);

	c->verb = PRIV_CONFIG;
	c->configured = (uint32_t)conf->role;
	c->role = parent_role(p);
	c->prefix = conf->prefix;
	c->mtu = conf->mtu;
	c->max_peers = conf->max_peers;
	c->bind_ip = bound.ip;
	c->bind_port = bound.port;
	/* A client's own relay may be behind any NAT (A-SUN-03). */
	c->host_local = conf->role == CONF_CLIENT || conf->host_local;
	c->direct_bubbles = conf->role == CONF_CLIENT || conf->restricted;
	c->sunset = conf->sunset;
	memset(c->native, 0, sizeof(c->native));
	if (p->native != 0)
		if_indextoname((unsigned)p->native, c->native);
	c->servers = c->role == PRIV_CLIENT ? conf->n_servers : 0;
	c->require_auth = conf->require_auth;
	configure_access(c, conf);
	c->firewall = conf->firewall;
	c->refresh = conf->refresh;
	c->find_refresh = conf->find_refresh;
	parent_discovery_open(p);
	c->discovery = p->fd[PRIV_FD_DISCOVERY] < 0 ? 0 : conf->discovery;
	parent_datapath_set(p);
	memset(c->server_name, 0, sizeof(c->server_name));
	for (unsigned i = 0; i < c->servers; i++)
		memcpy(c->server_name[i], conf->server[i].name,
		       sizeof(c->server_name[i]));
	p->policy.role = c->role;
	p->policy.prefix = c->prefix;
	p->policy.mtu_max = TEREDO_MAX_UDP;
	p->policy.n_servers = c->servers;
}

static void must(int status)
{
	if (status != 0)
		exit(status);
}

void parent_open(struct parent *p)
{
	bool server = p->conf.role == CONF_SERVER;

	snprintf(p->config.instance, sizeof(p->config.instance), "%s",
		 server ? "server" : p->conf.ifname);
	if (!server && !sandbox_has_net_admin())
		must(tun_refused(p->conf.ifname, -EPERM));
	must(control_is_free(p));
	must(parent_names_wait(p, &p->conf) ? 0 : EX_TEMPFAIL);
	must(open_sockets(p, &p->conf));
	must(server ? open_native6(p) : open_tun(p));
	open_control(p);
	parent_sunset_look(p, true);
	p->config.started = (uint32_t)(clock_now() / 1000000000u);
	parent_configure(p);
	p->fd[PRIV_FD_SNAPSHOT] = snapshot_create(p->config.max_peers);
	if (p->fd[PRIV_FD_SNAPSHOT] < 0)
		die(EX_OSERR, "snapshot: %s",
		    strerror(-p->fd[PRIV_FD_SNAPSHOT]));
}
