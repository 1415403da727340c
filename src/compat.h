/*
 * compat.h - what Debian 12's headers lack and newer kernels have
 */
#ifndef MIREDO_COMPAT_H
#define MIREDO_COMPAT_H

#include <linux/landlock.h>
#include <stdint.h>

/* Landlock 3: truncate; 5: ioctl on devices */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE	(1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV	(1ULL << 15)
#endif

/* Landlock 4: TCP */
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP	(1ULL << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#define LANDLOCK_RULE_NET_PORT		2
#endif

/* Landlock 6: abstract sockets and signals */
#ifndef LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL		    (1ULL << 1)
#endif

/* The kernel's structs as of Landlock 6, under names of our own. */
struct compat_landlock_ruleset {
	uint64_t fs, net, scoped;
};
struct compat_landlock_port {
	uint64_t allowed, port;
};

#endif
