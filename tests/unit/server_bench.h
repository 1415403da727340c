/*
 * server_bench.h - a server on the bench: one packet in, one answer out
 *
 * S1 = 198.51.100.1 and S2 = 198.51.100.2 are its addresses. Whatever a test
 * is about, each packet is also checked against what always holds: one out
 * for one in, nothing to an address that is unfit, at most 8 octets more but
 * in an advertisement (S-FWD-10), nothing lost.
 */
#ifndef TESTS_UNIT_SERVER_BENCH_H
#define TESTS_UNIT_SERVER_BENCH_H

#include "libteredo/server.h"
#include "packets.h"

#define S1	"198.51.100.1"
#define S2	"198.51.100.2"
#define S1_LL	"fe80::8000:f227:39cc:9bfe"
#define CLIENT	"192.0.2.45"	/* asks from port 40000 */
#define OTHER	"203.0.113.9"	/* client at port 50000 */
#define NATIVE	"2001:db8::1"

struct server_bench {
	struct teredo_server *s;
	struct teredo_outbox ob;
	struct local4 local;
	uint64_t seed;
	teredo_time now;
};

/* ip2 may be NULL: one-address mode. local4 holds both and 198.51.100.255. */
struct server_bench *bench_new(const char *ip2, uint32_t mtu);
/* ... with keys for secure qualification, which may be required */
struct server_bench *bench_new_keyed(const char *ip2, uint32_t mtu,
				     const struct auth_keys *keys,
				     bool required, test_hmac_fn *hmac);
void bench_free(struct server_bench *b);
/* cmocka fixtures: *state is a bench with both addresses and MTU 1280. */
int bench_setup(void **state);
int bench_teardown(void **state);

/* Gives it a datagram and checks what always holds. */
struct teredo_verdict bench_give(struct server_bench *b,
				 const struct test_packet *p,
				 struct teredo_ep from, enum teredo_via via);

/* The datagram is dropped for that reason and no other. */
void expect_drop(struct server_bench *b, const struct test_packet *p,
		 struct teredo_ep from, enum teredo_counter why);

/* The datagram, sent to S1, is answered or passed on by UDP. */
const struct outbox_item *expect_udp(struct server_bench *b,
				     const struct test_packet *p,
				     struct teredo_ep from);

/* The datagram goes to native IPv6 as it is; returns its offset. */
uint32_t expect_native(struct server_bench *b, const struct test_packet *p,
		       struct teredo_ep from);

/* The octets of the answer are those of `p`. */
void assert_octets(const struct server_bench *b,
		   const struct outbox_item *item,
		   const struct test_packet *p);

/* How often it counted. */
uint64_t bench_count(const struct server_bench *b, enum teredo_counter c);

#endif
