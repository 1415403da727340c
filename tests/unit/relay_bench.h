/*
 * relay_bench.h - a relay on the bench, its clock, and what it sent
 *
 * The relay is 203.0.113.1 on 203.0.113.0/24; N is a native host behind it,
 * RELAY6 its own address. After each step the bench checks what always holds:
 * nothing lost, nothing to an unfit endpoint, bubbles of 40 octets from a
 * link-local address, no bubble and nothing for the tunnel's own prefix on the
 * native side.
 */
#ifndef TESTS_UNIT_RELAY_BENCH_H
#define TESTS_UNIT_RELAY_BENCH_H

#include "libteredo/relay.h"
#include "packets.h"

#define SERVER	"198.51.100.1"
#define HOST	"192.0.2.45"	/* where the client is, port 40000 */
#define MOVED	"192.0.2.46"	/* where else it may be, port 2000 */
#define RELAY4	"203.0.113.1"
#define RELAY6	"2001:db8:5e1f::1"
#define N	"2001:db8::1"

struct relay_bench {
	struct teredo_relay *r;
	struct teredo_outbox ob;	/* of the last step */
	struct local4 local;
	uint64_t seed;
	teredo_time now;
	unsigned bubbles, errors;	/* sent since bench_new() */
};

/* *state is a bench with 64 peers in the router's scope. */
int bench_setup(void **state);
int bench_teardown(void **state);
struct relay_bench *bench_new(const struct teredo_relay_config *config);
void bench_free(struct relay_bench *b);

struct teredo_addr client(void);	/* SERVER, flags 0, HOST:40000 */
struct teredo_ep home(void);		/* HOST:40000 */

/* UDP packets (17) of len octets between client and native host */
struct test_packet to_client(struct teredo_addr src, struct teredo_addr dst);
struct test_packet from_client(struct teredo_addr src, struct teredo_addr dst);

struct teredo_verdict give_tun(struct relay_bench *b,
			       const struct test_packet *p);
struct teredo_verdict give_udp(struct relay_bench *b,
			       const struct test_packet *p,
			       struct teredo_ep from);
void expect_tun_drop(struct relay_bench *b, const struct test_packet *p,
		     enum teredo_counter why);
void expect_udp_drop(struct relay_bench *b, const struct test_packet *p,
		     struct teredo_ep from, enum teredo_counter why);
/* TO_TUN, all of the packet. */
void expect_delivery(struct relay_bench *b, const struct test_packet *p,
		     struct teredo_ep from);
/* TO_UDP, to that endpoint. */
void expect_sent(struct relay_bench *b, const struct test_packet *p,
		 struct teredo_ep to);

/* Lets time pass and timers fire; true: the outbox of the last one that said
 * anything is in b->ob. */
bool run_until(struct relay_bench *b, teredo_time when);

/* The source of the bubble that the last step sent to the client's server:
 * its cookie. */
struct teredo_addr bubble_source(const struct relay_bench *b);

/* The client answers that bubble from there. */
struct teredo_verdict answer_bubble(struct relay_bench *b,
				    struct teredo_addr from6,
				    struct teredo_ep from);

/* Our side sends to `who`, which answers from there and is proven. */
void prove(struct relay_bench *b, struct teredo_addr who,
	   struct teredo_ep from);

/* Items of that kind in the outbox; the i-th of them. */
unsigned outbox_count(const struct relay_bench *b, enum outbox_kind kind);
const struct outbox_item *outbox_nth(const struct relay_bench *b,
				     enum outbox_kind kind, unsigned i);

uint64_t bench_count(const struct relay_bench *b, enum teredo_counter c);

#endif
