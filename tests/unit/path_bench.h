/*
 * path_bench.h - a path on the bench, with a role that only counts its probes
 *
 * The role sends one octet per probe, from which it can be kept; the clock
 * jumps to wherever path_deadline() wants to be called.
 */
#ifndef TESTS_UNIT_PATH_BENCH_H
#define TESTS_UNIT_PATH_BENCH_H

#include "tests/unit/testing.h"

#include "libteredo/icmp6.h"
#include "libteredo/path.h"

#define S	TEREDO_SECOND
#define T0	(1000 * S)	/* when a test begins */
#define PAUSE	(30 * S)
#define MAX	100u		/* peers */

extern struct path path;
extern struct teredo_counters count;
extern struct teredo_outbox ob;		/* of the last call */
extern teredo_time now;
extern uint64_t seed;

/* The peer that all is about, where it is, and our own address. */
extern struct teredo_addr dst, us;
extern struct teredo_ep ep;

/* What the role was asked for, and whether it refuses. */
extern bool refuses;
extern unsigned n_probes, n_doubts;
extern teredo_time probed_at[128], doubted_at;
extern uint8_t probe_number[128];

int path_bench_setup(void **state);
int path_bench_teardown(void **state);
#define PATH_TEST(name) \
	cmocka_unit_test_setup_teardown(name, path_bench_setup, \
					path_bench_teardown)

/* dst in the table, or NULL; and other addresses. */
struct peer *peer(void);
struct teredo_addr dst_number(unsigned number);

/* Sends a packet whose payload is `mark` and len - 1 other octets. */
struct teredo_verdict send_to(const struct teredo_addr *to, size_t len,
			      uint8_t mark);
/* 100 octets to dst; or from it, before it is proven; or its proof. */
enum teredo_fate send_one(uint8_t mark);
struct teredo_verdict receive(uint8_t mark);
void proven(void);

/* Lets time pass as a shell would. Gives the number of errors to the tun. */
unsigned run_until(teredo_time end);

unsigned items_of(enum outbox_kind kind);

#endif
