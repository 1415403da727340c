/*
 * parent_discovery.c - a client's ear for its link: RFC 4380 5.2.8
 *
 * Local clients announce themselves to 224.0.0.253, UDP port 3544, which is
 * not the client's own port, and which a server on this host may have as well
 * (Q5). So there is a socket of its own, bound to the group's address, where
 * it is in nobody's way: it hears the group, and nothing that is sent to an
 * address of this host (C-LCD-04). Others who listen to the group may share it.
 *
 * Which link is listened to is the kernel's choice, or the administrator's by
 * BindAddress: the one that has this address, else the one to which packets
 * to the group would go. It is chosen again whenever something changed on the
 * host; our own announcements leave by the same. The engine is told of the
 * subnets of that link, and believes nobody else there (C-LCD-06).
 *
 * The socket is held like all others, so that it outlives an engine. Without
 * it a client works, only not with neighbours behind a NAT that does not
 * hairpin: so a failure is a warning.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../libteredo/teredo.h"
#include "log.h"
#include "parent.h"
#include "udp.h"

#define GROUP		0xe00000fdu	/* 224.0.0.253 */
#define FEW_DESCRIPTORS 20

/* Where descriptors are few they are left to what cannot do without (E3). */
static int open_group(struct teredo_ep group)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur < FEW_DESCRIPTORS)
		return -EMFILE;
	return udp_open_group(group);
}

void parent_discovery_open(struct parent *p)
{
	const struct teredo_ep group = { htonl(GROUP), htons(TEREDO_PORT) };
	int *fd = &p->fd[PRIV_FD_DISCOVERY];
	bool wanted = p->config.role == PRIV_CLIENT && p->conf.discovery != 0;

	if (wanted == (*fd >= 0))
		return;
	p->link_joined = 0;
	if (wanted) {
		*fd = open_group(group);
		if (*fd < 0)
			log_line(LOG_WARNING,
				 "no local client discovery: UDP port %d of "
				 "224.0.0.253: %s", TEREDO_PORT,
				 strerror(-*fd));
	} else {
		close(*fd);
		*fd = -1;
	}
}

static int find_link(struct parent *p, const struct netconf_host *host)
{
	uint32_t ip = p->config.bind_ip;

	if (ip == 0)
		return netconf_out(p->nc, htonl(GROUP));
	for (unsigned i = 0; i < host->nets; i++)
		if (host->net[i].ip == ip)
			return host->net[i].ifindex;
	return 0;
}

/* Also where we are a member already: the link may have been away. */
static void join(struct parent *p, int ifindex)
{
	int fd = p->fd[PRIV_FD_DISCOVERY];
	int err = udp_join(fd, htonl(GROUP), ifindex);

	if (err == 0)
		err = udp_set_link(p->fd[PRIV_FD_UDP], ifindex);
	if (p->link_joined == ifindex)
		return;
	if (p->link_joined != 0)
		udp_leave(fd, htonl(GROUP), p->link_joined);
	if (err < 0)
		log_line(LOG_WARNING, "no local client discovery: joining "
				      "224.0.0.253: %s", strerror(-err));
	p->link_joined = ifindex;
}

void parent_discovery_look(struct parent *p, const struct netconf_host *host)
{
	struct priv_netchange *m = &p->net;
	int ifindex;

	m->nets = 0;
	memset(m->net_ip, 0, sizeof(m->net_ip));
	memset(m->net_mask, 0, sizeof(m->net_mask));
	if (p->fd[PRIV_FD_DISCOVERY] < 0)
		return;
	ifindex = find_link(p, host);
	if (ifindex == 0)
		return;
	join(p, ifindex);
	for (unsigned i = 0; i < host->nets && m->nets < PRIV_NETS; i++) {
		if (host->net[i].ifindex != ifindex)
			continue;
		m->net_ip[m->nets] = host->net[i].ip;
		m->net_mask[m->nets++] = host->net[i].mask;
	}
}
