/*
 * parent_datapath.c - which offloads there are, and which are used
 *
 * Each is asked for on the very descriptors that the engine gets, so that the
 * answer is about them; what `DataPath` does not want is turned off again, for
 * the engine before may have had it. Batches are probed by calls for no
 * datagram at all. What fails later, the engine gives up by itself.
 *
 * Without a tunnel, in a server, there is no GRO: its datagrams come one from
 * each client, and to look for rows among them costs 5 % of each.
 *
 * The virtio-net header is a property of the interface from its making on: it
 * is there with `plain`, too, so that a reload can change that, and says that
 * each packet is an ordinary one.
 */
#include "config.h"

#include <sys/socket.h>

#include "../libtun6/tun6.h"
#include "datapath.h"
#include "log.h"
#include "parent.h"
#include "udp.h"

uint32_t parent_datapath_tun(const struct parent *p, uint32_t want)
{
	unsigned got;

	if (p->fd[PRIV_FD_TUN] < 0 || !p->vnet)
		return 0;
	got = tun6_offload(p->fd[PRIV_FD_TUN],
			   ((want & DATAPATH_TSO) != 0 ? TUN6_TSO : 0u) |
			   ((want & DATAPATH_USO) != 0 ? TUN6_USO : 0u));
	return DATAPATH_VNET | ((got & TUN6_TSO) != 0 ? DATAPATH_TSO : 0u) |
	       ((got & TUN6_USO) != 0 ? DATAPATH_USO : 0u);
}

static uint32_t probe_batch(int fd)
{
	struct mmsghdr none[1];

	return sendmmsg(fd, none, 0, 0) == 0 &&
			       recvmmsg(fd, none, 0, MSG_DONTWAIT, NULL) == 0
		       ? DATAPATH_BATCH
		       : 0;
}

static void say(const struct parent *p, uint32_t want, uint32_t got)
{
	char text[DATAPATH_TEXT_LEN];
	const char *name;
	uint32_t bit;

	log_line(LOG_NOTICE, "data path: %s", datapath_text(text, got));
	if (p->conf.datapath != CONF_DATAPATH_OFFLOAD)
		return;
	for (unsigned i = 0; (name = datapath_name(i, &bit)) != NULL; i++)
		if ((want & ~got & bit) != 0)
			log_line(LOG_WARNING, "DataPath offload: this system "
					      "has no %s", name);
}

void parent_datapath_set(struct parent *p)
{
	bool on = p->conf.datapath != CONF_DATAPATH_PLAIN;
	uint32_t want = DATAPATH_SEGMENT | DATAPATH_BATCH, got;

	if (p->fd[PRIV_FD_TUN] >= 0)
		want |= DATAPATH_GRO | DATAPATH_TSO | DATAPATH_USO;
	got = udp_offload(p->fd[PRIV_FD_UDP], on ? want : 0);
	if (p->fd[PRIV_FD_UDP2] >= 0)
		got &= udp_offload(p->fd[PRIV_FD_UDP2], on ? want : 0);
	got |= parent_datapath_tun(p, on ? want : 0);
	if (on)
		got |= probe_batch(p->fd[PRIV_FD_UDP]);
	if (!p->datapath_said || got != p->config.datapath)
		say(p, want, got);
	p->datapath_said = true;
	p->config.datapath = got;
}
