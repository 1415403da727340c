/*
 * udp_tx.h - datagrams out, many at a time
 */
#ifndef MIREDO_UDP_TX_H
#define MIREDO_UDP_TX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "../libteredo/teredo.h"

struct udp_tx;

/* All memory is taken here. features: bits of enum datapath. 0 or -ENOMEM. */
int udp_tx_new(struct udp_tx **tx, uint32_t features);
void udp_tx_free(struct udp_tx *tx);

/* Makes ready for one more udp_tx_add(), with room for len <= UDP_TX_ROOM
 * octets that lives until that datagram has been sent. May send all that was
 * added before. */
#define UDP_TX_ROOM	65536u
uint8_t *udp_tx_next(struct udp_tx *tx, size_t len);

/* Adds one datagram of one or two pieces, to be sent from socket fd. The
 * octets stay as they are until udp_tx_flush(). */
void udp_tx_add(struct udp_tx *tx, int fd, struct teredo_ep to,
		const struct iovec *piece, unsigned n);

/* Sends all, in order for each destination; waits at most 4 ms for a full
 * buffer. What the kernel does not take is dropped and counted. */
void udp_tx_flush(struct udp_tx *tx);

struct udp_tx_counts {
	uint64_t packets, bytes, drops;
	uint64_t refused;	/* of the drops: EPERM, by a firewall here */
	int error;	/* errno of the last one if it was dropped, else 0 */
};
const struct udp_tx_counts *udp_tx_counts(const struct udp_tx *tx);

/* Features that are still in use. */
uint32_t udp_tx_features(const struct udp_tx *tx);

#endif
