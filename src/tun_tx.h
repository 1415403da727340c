/*
 * tun_tx.h - packets into the tun, merged where the kernel takes that
 */
#ifndef MIREDO_TUN_TX_H
#define MIREDO_TUN_TX_H

#include <stddef.h>
#include <stdint.h>

struct tun_tx;

/* Writes to fd, which stays the caller's. All memory is taken here. features:
 * bits of enum datapath. 0 or -ENOMEM. */
int tun_tx_new(struct tun_tx **tx, int fd, uint32_t features);
void tun_tx_free(struct tun_tx *tx);

/* Adds an IPv6 packet, which stays as it is until tun_tx_flush(). */
void tun_tx_add(struct tun_tx *tx, const uint8_t *ip6, uint32_t len);

/* Writes one after all that was added before; the octets are free again. */
void tun_tx_now(struct tun_tx *tx, const uint8_t *ip6, uint32_t len);

/* Writes all, each flow in order; never blocks. What the kernel does not take
 * is dropped and counted. */
void tun_tx_flush(struct tun_tx *tx);

struct tun_tx_counts {
	uint64_t packets, bytes, drops;
};
const struct tun_tx_counts *tun_tx_counts(const struct tun_tx *tx);

/* Of VNET, TSO, USO what is still in use; TSO_READ, USO_READ for what is not. */
uint32_t tun_tx_features(const struct tun_tx *tx);

#endif
