/*
 * netns.h - a network namespace of one's own, for tests that need a kernel
 */
#ifndef TEST_NETNS_H
#define TEST_NETNS_H

#include <stdbool.h>
#include <stdint.h>

/* Enters a fresh network namespace with its loopback up; as another user than
 * root in a user namespace too. false: the kernel does not let us; the TAP for
 * a program that is skipped, with the reason, is printed. */
bool netns_enter(void);
/* The same, and /dev/net/tun can be used. */
bool netns_enter_with_tun(void);

/* Sets or clears IFF_UP; true on success. */
bool netns_set_link(const char *ifname, bool up);
bool netns_set_mtu(const char *ifname, int mtu);
bool netns_has_carrier(const char *ifname);
/* As `ip link del` does; true when it is gone. */
bool netns_delete_link(const char *ifname);

/* Adds an IPv4 address (network order) to the loopback; true on success. */
bool netns_add_ip4(uint32_t ip);

#endif
