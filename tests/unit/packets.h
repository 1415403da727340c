/*
 * packets.h - whole packets for tests of relay and server
 *
 * On top of testing.h: by value, so that a test changes a copy. ICMPv6
 * checksums are computed here once more, not by the code under test.
 */
#ifndef TESTS_UNIT_PACKETS_H
#define TESTS_UNIT_PACKETS_H

#include "testing.h"

/* An address with that server, flags, and mapping; port in host order. */
struct teredo_addr teredo6(const char *server, unsigned flags, const char *ip,
			   unsigned port);

struct test_packet make_ip6(struct teredo_addr src, struct teredo_addr dst,
			    unsigned next_header, const void *payload,
			    size_t len);
struct test_packet make_bubble(struct teredo_addr src, struct teredo_addr dst);
/* An ICMPv6 message of len octets, zero behind its type, hop limit 255. */
struct test_packet make_icmp6(struct teredo_addr src, struct teredo_addr dst,
			      unsigned type, size_t len);
struct test_packet make_rs(struct teredo_addr src);

/* Makes the checksum of a changed ICMPv6 packet right again. */
void fix_checksum(struct test_packet *p);

/* Octets 4, 5 after those of another length. */
void fix_length(struct test_packet *p);

/* The packet with something before or behind it. */
struct test_packet with_front(struct test_packet p, const void *octets,
			      size_t len);
struct test_packet with_auth(struct test_packet p, const char *nonce);
struct test_packet with_origin(struct test_packet p, struct teredo_ep ep);
/* len octets that a node which does not know them skips (X-TLV-05) */
struct test_packet with_trailers(struct test_packet p, size_t len);

/* Addresses that are not global unicast, some from each range (A-V4G-01..09),
 * and their neighbours that are; NULL ends them. */
extern const char *const not_global4[];
extern const char *const barely_global4[];

#endif
