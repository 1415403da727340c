/*
 * gso.h - super-packets: split, merge, and finish checksums
 *
 * With offloads on, the kernel hands out TCP and UDP in pieces of up to
 * 64 KiB, to be cut into segments by whoever puts them on a wire, and takes
 * such pieces as well. A virtio-net header in front says how. Pure functions:
 * no descriptor, no allocation, no clock; payload is never copied.
 */
#ifndef LIBTUN6_GSO_H
#define LIBTUN6_GSO_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* gso_type of UDP in newer headers: VIRTIO_NET_HDR_GSO_UDP_L4 */
#define GSO_UDP_L4	5
#define GSO_HEADER_MAX	1280u	/* of a segment: no IPv6 packet needs more */
#define GSO_SEGMENTS	64u	/* at most merged, or in one send */
#define GSO_FLOWS	8u	/* that grow at a time */

/* ---- checksums (RFC 1071) ---- */

/* Adds len octets to a sum; an odd number only at the end of a message. */
uint64_t gso_sum(uint64_t sum, const void *data, size_t len);
/* Folded to 16 bits, not complemented, as in memory. */
uint16_t gso_fold(uint64_t sum);
/* Of the pseudo-header of an IPv6 packet (RFC 8200 8.1). */
uint64_t gso_sum_pseudo(const uint8_t *ip6, uint32_t len, uint8_t protocol);

/* ---- out of the tun: split ---- */

/* A packet as the tun gave it, seen as `count` segments. */
struct gso_super {
	const uint8_t *data;	/* IPv6 header first; the caller's */
	uint32_t len;
	uint32_t head;		/* headers of each segment */
	uint32_t transport;	/* where TCP or UDP begins */
	uint32_t size;		/* payload of each segment but the last */
	uint32_t count;		/* 1: an ordinary packet, all of data */
	uint8_t protocol;	/* 6 or 17 when count > 1 */
};

/* Looks at a packet of len octets that came with *vnet. When it is ordinary
 * its checksum is finished in place, if the kernel left that to us. 0, or
 * -EINVAL: the two do not fit together, or a kind that was not asked for. */
int gso_view(struct gso_super *s, const struct virtio_net_hdr *vnet,
	     uint8_t *data, size_t len);

/* Writes the s->head octets of headers of segment i < s->count, checksum
 * finished, and names its payload. Headers and payload together are the
 * IPv6 packet. For s->count > 1. */
struct iovec gso_segment(const struct gso_super *s, uint32_t i, uint8_t *head);

/* ---- into the tun: merge ---- */

/* Packets of one flow, in the order of their coming. */
struct gso_run {
	uint32_t n;		/* 0: not in use */
	uint32_t head;		/* headers of each */
	uint32_t size;		/* payload of each but the last */
	uint32_t payload;	/* of all */
	bool verified;		/* the first one's checksum is right */
	bool closed;		/* nothing may follow */
	struct iovec packet[GSO_SEGMENTS];	/* whole packets */
};

/* Takes a run of one packet or more, to be written by gso_run_iov(), or one
 * by one if the kernel refuses that. */
typedef void gso_emit_fn(void *ctx, const struct gso_run *run);

struct gso_merger {
	bool tcp, udp;		/* what the kernel takes merged */
	gso_emit_fn *emit;
	void *ctx;
	unsigned victim;	/* the next to go when all are in use */
	struct gso_run run[GSO_FLOWS];
};

/* Adds a packet, which stays the caller's and must stay as it is until the
 * next gso_flush(). Packets of a flow (addresses, ports) are emitted in the
 * order of their coming, and one that is of no flow (ICMPv6, fragment,
 * extension headers) after all before it between its two addresses. Only
 * what has a right checksum is merged; the rest is emitted alone, as it is. */
void gso_merge(struct gso_merger *m, const uint8_t *ip6, uint32_t len);

/* Emits all that is there. */
void gso_flush(struct gso_merger *m);

/* A run as writev() on the tun takes it: virtio-net header, then IPv6. Headers
 * that had to change are written to `head`. Number of iovecs. */
#define GSO_RUN_HEAD	(sizeof(struct virtio_net_hdr) + 40u + 60u)
bool gso_run_is_tcp(const struct gso_run *run); /* else UDP; for n > 1 */
unsigned gso_run_iov(const struct gso_run *run, uint8_t head[GSO_RUN_HEAD],
		     struct iovec iov[1 + GSO_SEGMENTS]);

#endif
