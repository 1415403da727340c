/*
 * local_bench.h - a neighbour for the client on the bench
 *
 * We are 10.0.0.2 in 10.0.0.0/24 behind a NAT at 192.0.2.45; the neighbour is
 * 10.0.0.7 behind the same.
 */
#ifndef TESTS_UNIT_LOCAL_BENCH_H
#define TESTS_UNIT_LOCAL_BENCH_H

#include "tests/unit/client_bench.h"

#define GROUP	  ep4("224.0.0.253", 3544)
#define NEAR	  ep4("10.0.0.7", 40007)	/* where the neighbour is */
#define OTHER	  ep4("10.0.0.8", 40008)

/* Qualified, and announced 10 s ago. */
static inline int setup_with(enum teredo_discovery discovery)
{
	bench_open_discovering(discovery);
	bench_qualify();
	bench_run(0);
	bench_forget();		/* the first announcement */
	bench_run(10 * S);
	return 0;
}

/* What the neighbour's mapping is. */
static inline struct teredo_ep near_mapped(void)
{
	return ep4("192.0.2.45", 50007);
}

static inline struct teredo_addr near(void)
{
	return bench_peer(near_mapped());
}

static inline struct test_packet discovery_of(const struct teredo_addr *src)
{
	struct teredo_addr all = ip6("ff02::1");
	struct test_packet p = { .len = 0 };

	packet_bubble(&p, src, &all);
	p.b[7] = 1;
	return p;
}

static inline struct teredo_verdict announce(const struct teredo_addr *src,
					     struct teredo_ep from)
{
	struct test_packet p = discovery_of(src);

	return bench_discovery(from, GROUP.ip, &p);
}

/* The neighbour is noted, what we say to that is read. */
static inline void discover(void)
{
	struct teredo_addr a = near();

	assert_int_equal(announce(&a, NEAR).fate, TEREDO_TAKEN);
	while (bench_next() != NULL)
		;
}

/* ... and trusted at its place on the link. */
static inline void befriend(void)
{
	struct teredo_addr a = near();

	discover();
	assert_int_equal(bench_bubble(NEAR, &a, &bench.own).fate,
			 TEREDO_TAKEN);
	assert_ep_equal(bench_send(&a, 8).to, NEAR);
	bench_run(3 * S);
	bench_forget();
}

#endif
