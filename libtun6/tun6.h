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

/* Creates the interface (name "" or NULL: the kernel's tunN) without packet
 * information, non-blocking. name_out gets its name. The descriptor or
 * -errno: -ENOENT no /dev/net/tun, -EPERM, -EBUSY exists and is taken. */
int tun6_open(const char *name, char name_out[IF_NAMESIZE]);

/* Makes the interface again on the same descriptor after it was deleted. */
int tun6_reattach(int fd, const char *name);

/* Carrier on or off; 0 or -errno. */
int tun6_carrier(int fd, bool on);

/* One packet. Length, or -errno (-EAGAIN: none; -EIO: interface is down). */
ssize_t tun6_read(int fd, void *buf, size_t size);
/* 0 or -errno; -EAGAIN, -ENOBUFS: the kernel would not take it. */
int tun6_write(int fd, const void *ip6, size_t len);

#endif
