/*
 * tun_tx.c - packets into the tun, merged where the kernel takes that
 *
 * gso.h says what may be merged and keeps the order; this is the writing. A
 * merged packet that the tun refuses is written in pieces, and if those are
 * taken, nothing of its kind (TCP or UDP) is merged any more: some kernels
 * refuse valid ones (EINVAL). EIO alone says nothing: an interface that is
 * down gives it for any packet.
 *
 * The refusal comes while other runs still wait in the merger. Nothing is
 * written past them: what follows goes through the merger, or after them.
 */
#include "config.h"

#include "tun_tx.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <stdlib.h>

#include "../libtun6/gso.h"
#include "../libtun6/tun6.h"
#include "datapath.h"

struct tun_tx {
	int fd;
	uint32_t features;
	struct tun_tx_counts counts;
	struct gso_merger merger;
};

static void count(struct tun_tx *tx, uint32_t n, size_t len)
{
	tx->counts.packets += n;
	tx->counts.bytes += len;
}

/* Whether the tun took it. */
static bool write_one(struct tun_tx *tx, const uint8_t *ip6, size_t len)
{
	struct virtio_net_hdr vnet = { 0 };
	const struct iovec piece[2] = { { &vnet, sizeof(vnet) },
					{ (void *)(uintptr_t)ip6, len } };
	unsigned skip = (tx->features & DATAPATH_VNET) == 0;

	if (tun6_write(tx->fd, piece + skip, 2 - skip) != 0) {
		tx->counts.drops++;
		return false;
	}
	count(tx, 1, len);
	return true;
}

static void stop_merging(struct tun_tx *tx, const struct gso_run *run)
{
	if (gso_run_is_tcp(run)) {
		tx->features &= ~(uint32_t)DATAPATH_TSO;
		tx->features |= DATAPATH_TSO_READ;
		tx->merger.tcp = false;
	} else {
		tx->features &= ~(uint32_t)DATAPATH_USO;
		tx->features |= DATAPATH_USO_READ;
		tx->merger.udp = false;
	}
}

/* A merged packet was refused. */
static void write_pieces(struct tun_tx *tx, const struct gso_run *run)
{
	bool taken = false;

	for (uint32_t i = 0; i < run->n; i++)
		taken |= write_one(tx, run->packet[i].iov_base,
				   run->packet[i].iov_len);
	if (taken)
		stop_merging(tx, run);
}

static void write_run(void *ctx, const struct gso_run *run)
{
	struct tun_tx *tx = ctx;
	uint8_t head[GSO_RUN_HEAD];
	struct iovec piece[1 + GSO_SEGMENTS];
	unsigned n = gso_run_iov(run, head, piece);
	int error = tun6_write(tx->fd, piece, n);

	if (error == 0)
		count(tx, run->n, run->n * run->head + run->payload);
	else if (run->n > 1 && (error == -EINVAL || error == -EIO))
		write_pieces(tx, run);
	else
		tx->counts.drops += run->n;
}

int tun_tx_new(struct tun_tx **out, int fd, uint32_t features)
{
	struct tun_tx *tx = calloc(1, sizeof(*tx));

	if (tx == NULL)
		return -ENOMEM;
	tx->fd = fd;
	tx->features = features &
		       (DATAPATH_VNET | DATAPATH_TSO | DATAPATH_USO);
	tx->merger.tcp = (features & DATAPATH_TSO) != 0;
	tx->merger.udp = (features & DATAPATH_USO) != 0;
	tx->merger.emit = write_run;
	tx->merger.ctx = tx;
	*out = tx;
	return 0;
}

void tun_tx_free(struct tun_tx *tx)
{
	free(tx);
}

void tun_tx_add(struct tun_tx *tx, const uint8_t *ip6, uint32_t len)
{
	if (tx->merger.tcp || tx->merger.udp) {
		gso_merge(&tx->merger, ip6, len);
		return;
	}
	gso_flush(&tx->merger); /* what waited when merging ended */
	write_one(tx, ip6, len);
}

void tun_tx_now(struct tun_tx *tx, const uint8_t *ip6, uint32_t len)
{
	tun_tx_flush(tx);
	write_one(tx, ip6, len);
}

void tun_tx_flush(struct tun_tx *tx)
{
	gso_flush(&tx->merger);
}

const struct tun_tx_counts *tun_tx_counts(const struct tun_tx *tx)
{
	return &tx->counts;
}

uint32_t tun_tx_features(const struct tun_tx *tx)
{
	return tx->features;
}
