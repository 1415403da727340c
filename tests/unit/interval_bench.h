/*
 * interval_bench.h - a client that finds its interval out, its NAT and server
 *
 * On top of client_bench.h. The box forgets the secondary mapping after
 * `lifetime` without a packet and gives another then; the server answers and
 * forwards at once, as far as the test lets it.
 */
#ifndef TESTS_UNIT_INTERVAL_BENCH_H
#define TESTS_UNIT_INTERVAL_BENCH_H

#include "tests/unit/client_bench.h"

struct interval_bench {
	teredo_time lifetime;		/* of the secondary mapping */
	bool answers, answers2;		/* the server; on that port */
	bool forwards;			/* it passes bubbles on */
	struct teredo_ep mapped;	/* the service port's */
	struct teredo_ep mapped2;	/* the secondary port's */
	teredo_time used2;		/* the last packet there */
	/* seen */
	unsigned bubbles, rs, rs2;
	teredo_time bubble_at[64], rs_at[256], rs2_at[64];
	struct sent last_bubble;
};
extern struct interval_bench box;

/* cmocka's setup: qualified, the port asked for and not there yet; the server
 * does all, the NAT never forgets. Teardown is bench_teardown(). */
int box_setup(void **state);
/* ... which begins with an interval of so long */
void box_setup_from(teredo_time refresh);
/* Until `end`, of bench.now */
void box_run(teredo_time for_how_long);
/* ... until it is concluded or given up, within an hour */
void box_run_to_end(void);
/* ... until the first bubble of the next test */
void box_run_to_test(void);

/* The octets of a server's answer on the secondary port to the last
 * solicitation from there, and of the forwarded bubble. */
struct bench_ra box_ra(void);
void box_put_bubble(struct test_packet *p);
struct teredo_verdict box_secondary(struct teredo_ep from,
				    const struct test_packet *p);

/* The interval and its state, the candidate and the maximum, in ms. */
void box_assert(enum teredo_interval state, unsigned refresh,
		unsigned candidate, unsigned max);
/* The news about the port: 1 open, 0 close; -1: none. Forgets the log. */
int box_port_news(void);

#endif
