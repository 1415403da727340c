/*
 * udp_rx.h - datagrams in, many at a time
 */
#ifndef MIREDO_UDP_RX_H
#define MIREDO_UDP_RX_H

#include <stdint.h>

#include "../libteredo/teredo.h"

struct relief;
struct udp_rx;

/* What one receive gave: datagrams of one sender, one behind the other, each
 * `size` octets but for a shorter last one. */
struct udp_message {
	uint8_t *data;		/* until the next receive or relief_step() */
	uint32_t len, size;	/* len 0: one empty datagram */
	struct teredo_ep from;
	uint32_t local_ip;	/* where it was sent to; 0: unknown */
};

/* All memory is taken here; `relief`, which may be NULL, is told of the buffers.
 * features: bits of enum datapath. 0 or -ENOMEM. */
int udp_rx_new(struct udp_rx **rx, uint32_t features, struct relief *relief);
void udp_rx_free(struct udp_rx *rx);

/* What waits at the socket, at most udp_rx_slots() messages; 0: nothing. */
unsigned udp_rx_receive(struct udp_rx *rx, int fd);
unsigned udp_rx_slots(const struct udp_rx *rx);

/* Message i of the last receive. */
struct udp_message udp_rx_message(const struct udp_rx *rx, unsigned i);

/* Features that are still in use. */
uint32_t udp_rx_features(const struct udp_rx *rx);

#endif
