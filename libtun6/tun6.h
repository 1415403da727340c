/*
 * tun6.h - the tunnel interface: a Linux tun device for IPv6
 *
 * Knows nothing of Teredo. The parent opens, the engine reads and writes.
 */
#ifndef LIBTUN6_TUN6_H
#define LIBTUN6_TUN6_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Creates the interface (name "" or NULL: the kernel's tunN) without packet
 * information, non-blocking. name_out gets its name. *vnet asks for a
 * virtio-net header before each packet and says whether there is one. The
 * descriptor or -errno: -ENOENT no /dev/net/tun, -EPERM, -EBUSY exists and is
 * taken. */
int tun6_open(const char *name, char name_out[IF_NAMESIZE], bool *vnet);

/* Makes the interface again on the same descriptor after it was deleted; vnet
 * as tun6_open() said. */
int tun6_reattach(int fd, const char *name, bool vnet);

/* What the kernel may leave to us and take from us (gso.h), with vnet only. */
enum tun6_offload { TUN6_TSO = 1, TUN6_USO = 2 };
/* Sets those of `want` that this kernel has; which. */
unsigned tun6_offload(int fd, unsigned want);

/* Carrier on or off; 0 or -errno. */
int tun6_carrier(int fd, bool on);
/* Throws away what waits to be read, which is 2000 packets; reads not much more
 * often than that, whatever comes. Without carrier no more does. */
void tun6_discard(int fd);

/* One packet, after a virtio-net header with vnet. Length of both, or -errno
 * (-EAGAIN: none; -EIO: interface is down). */
ssize_t tun6_read(int fd, void *buf, size_t size);
/* The same in n pieces. 0 or -errno; -EAGAIN, -ENOBUFS: the kernel would not
 * take it; -EINVAL, -EIO: nor anything merged like this. */
int tun6_write(int fd, const struct iovec *piece, unsigned n);

#endif
