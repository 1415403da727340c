/*
 * udp_rx.c - datagrams in, many at a time
 *
 * recvmmsg() fills several slots; with UDP_GRO set on the socket (udp.c) a
 * slot holds a row of datagrams of one sender that came together, and the
 * kernel says how long each is. A slot takes the longest of either, so that
 * nothing is ever cut off; memory is used as far as datagrams reach, and goes
 * back (relief.h).
 *
 * Slots lie a little more than 64 KiB apart: at exactly that, the first lines
 * of all would share one set of the processor's cache.
 *
 * Without DATAPATH_BATCH there is one slot and recvmsg(); also when
 * recvmmsg() turns out not to be there.
 */
#include "config.h"

#include "udp_rx.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "datapath.h"
#include "relief.h"

#define SLOTS  32u
#define SLOT   65536u
#define STRIDE (SLOT + 576u)

struct slot {
	struct sockaddr_in from;
	struct iovec iov;
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(struct in_pktinfo)) +
			   CMSG_SPACE(sizeof(int))];
	} control;
};

struct udp_rx {
	uint32_t features;
	unsigned slots;
	uint8_t *memory;
	struct slot slot[SLOTS];
	struct mmsghdr msg[SLOTS];
};

int udp_rx_new(struct udp_rx **out, uint32_t features, struct relief *relief)
{
	struct udp_rx *rx = calloc(1, sizeof(*rx));

	if (rx == NULL)
		return -ENOMEM;
	rx->features = features & DATAPATH_BATCH;
	rx->slots = rx->features != 0 ? SLOTS : 1;
	rx->memory = calloc(rx->slots, STRIDE);
	if (rx->memory == NULL) {
		free(rx);
		return -ENOMEM;
	}
	if (relief != NULL)
		relief_buffer(relief, rx->memory, rx->slots * STRIDE);
	for (unsigned i = 0; i < rx->slots; i++)
		rx->slot[i].iov = (struct iovec){
			.iov_base = rx->memory + (size_t)i * STRIDE,
			.iov_len = SLOT };
	*out = rx;
	return 0;
}

void udp_rx_free(struct udp_rx *rx)
{
	if (rx == NULL)
		return;
	free(rx->memory);
	free(rx);
}

unsigned udp_rx_slots(const struct udp_rx *rx)
{
	return rx->slots;
}

uint32_t udp_rx_features(const struct udp_rx *rx)
{
	return rx->features;
}

static void prepare(struct udp_rx *rx, unsigned i)
{
	struct slot *s = &rx->slot[i];

	rx->msg[i].msg_hdr = (struct msghdr){
		.msg_name = &s->from,
		.msg_namelen = sizeof(s->from),
		.msg_iov = &s->iov,
		.msg_iovlen = 1,
		.msg_control = &s->control,
		.msg_controllen = sizeof(s->control.space),
	};
}

static unsigned receive_one(struct udp_rx *rx, int fd)
{
	ssize_t len;

	prepare(rx, 0);
	len = recvmsg(fd, &rx->msg[0].msg_hdr, 0);
	rx->msg[0].msg_len = len < 0 ? 0 : (unsigned)len;
	return len >= 0;
}

unsigned udp_rx_receive(struct udp_rx *rx, int fd)
{
	int n;

	if (rx->slots == 1)
		return receive_one(rx, fd);
	for (unsigned i = 0; i < rx->slots; i++)
		prepare(rx, i);
	n = recvmmsg(fd, rx->msg, rx->slots, 0, NULL);
	if (n >= 0)
		return (unsigned)n;
	if (errno != ENOSYS)
		return 0;
	rx->slots = 1;
	rx->features = 0;
	return receive_one(rx, fd);
}

struct udp_message udp_rx_message(const struct udp_rx *rx, unsigned i)
{
	const struct slot *s = &rx->slot[i];
	struct msghdr msg = rx->msg[i].msg_hdr;
	struct udp_message m = {
		.data = s->iov.iov_base,
		.len = rx->msg[i].msg_len,
		.size = rx->msg[i].msg_len,
		.from = { .ip = s->from.sin_addr.s_addr,
			  .port = s->from.sin_port },
	};
	struct in_pktinfo info;
	int size;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL;
	     c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			m.local_ip = info.ipi_addr.s_addr;
		} else if (c->cmsg_level == IPPROTO_UDP &&
			   c->cmsg_type == UDP_GRO) {
			memcpy(&size, CMSG_DATA(c), sizeof(size));
			if (size > 0)
				m.size = (uint32_t)size;
		}
	return m;
}
