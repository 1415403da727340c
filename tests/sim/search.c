/*
 * search.c - random worlds: search [-l] [-j JOBS] [-b BASE] [-s SEED [-t]]
 * [SEEDS]
 *
 * Each world gets a seed of its own, drawn from BASE, and so the same BASE is
 * the same search; `make check` takes the default one, of 300, and some lean
 * ones (-l): a client, its NATs and servers for some minutes, of which a
 * million can be tried (K2). A failure prints the world's seed and the
 * invariant; `search -s SEED` tells its last events, with -t all of them. TAP,
 * one point for each job, a process that takes every JOBS-th world and speaks
 * through a pipe. The trace is off but when a world is replayed: it costs half
 * the time.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chance.h"

#define MOST_JOBS 64u
#define MOST_TOLD 10u /* failures that are told, of each job */
#define HOUR	  (3600 * TEREDO_SECOND)
#define LEAN_MOST 1200u /* s of bad luck */

struct tally {
	uint64_t worlds, failures, events;
	double client_hours, longest; /* s, that a client was stuck */
};

struct options {
	unsigned jobs;
	uint64_t base, seeds;
	bool is_lean, is_one, print;
};

static void tell(struct world *w, bool is_lean, unsigned *clients)
{
	struct chance *s = is_lean ? chance_new_lean(w) : chance_new(w);

	*clients = s->clients;
	chance_luck(s, is_lean ? chance_time(s, LEAN_MOST)
			       : HOUR + chance_time(s, 3 * 3600));
	chance_goals(s);
}

/* A world. False: it failed; `told` has said why. */
static bool run(uint64_t seed, const struct options *o, struct tally *t)
{
	struct world *volatile w = world_new(seed, o->print);
	volatile bool ok = true;
	unsigned clients = 0;

	w->trace.off = !o->is_one;
	if (setjmp(w->on_failure)) {
		ok = false;
		printf("# seed %" PRIu64 ": %s\n", seed, w->failure);
		if (o->is_one && !o->print)
			trace_dump(&w->trace, stdout);
	} else {
		tell(w, o->is_lean, &clients);
	}
	t->worlds++;
	t->failures += !ok;
	t->events += w->events;
	t->client_hours += clients * ((double)w->now / HOUR);
	if ((double)w->figure / 1e9 > t->longest)
		t->longest = (double)w->figure / 1e9;
	world_free(w);
	return ok;
}

/* Every jobs-th seed from BASE on. */
static struct tally work(const struct options *o, unsigned job)
{
	struct rng seeds = {o->base};
	struct tally t = {0};

	for (uint64_t i = 0; i < o->seeds && t.failures < MOST_TOLD; i++) {
		uint64_t seed = rng_next(&seeds);

		if (i % o->jobs == job)
			run(seed, o, &t);
	}
	return t;
}

/* Returns the reading end of its pipe. */
static int start(const struct options *o, unsigned job)
{
	int fd[2];
	struct tally t;

	if (pipe(fd))
		abort();
	fflush(stdout);
	switch (fork()) {
	case -1:
		abort();
	case 0:
		close(fd[0]);
		t = work(o, job);
		fflush(stdout);
		_exit(write(fd[1], &t, sizeof(t)) != sizeof(t));
	default:
		close(fd[1]);
		return fd[0];
	}
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void add(struct tally *sum, const struct tally *t)
{
	sum->worlds += t->worlds;
	sum->failures += t->failures;
	sum->events += t->events;
	sum->client_hours += t->client_hours;
	if (t->longest > sum->longest)
		sum->longest = t->longest;
}

static int search(const struct options *o)
{
	int fd[MOST_JOBS];
	struct tally sum = {0}, t;
	double begin = seconds(), took;
	unsigned failed = 0;

	printf("1..%u\n# search%s -b %" PRIu64 " %" PRIu64 "\n", o->jobs,
	       o->is_lean ? " -l" : "", o->base, o->seeds);
	for (unsigned i = 0; i < o->jobs; i++)
		fd[i] = start(o, i);
	for (unsigned i = 0; i < o->jobs; i++) {
		bool ok = read(fd[i], &t, sizeof(t)) == sizeof(t);

		if (ok)
			add(&sum, &t);
		ok = ok && t.worlds && !t.failures;
		failed += !ok;
		printf("%sok %u - random worlds of job %u\n", ok ? "" : "not ",
		       i + 1, i + 1);
		close(fd[i]);
	}
	while (wait(NULL) > 0)
		;
	took = seconds() - begin;
	printf("# %" PRIu64 " worlds, %.0f client-hours, %" PRIu64
	       " events in %.1f s: %.0f client-hours/s; longest without "
	       "qualification %.0f s; %" PRIu64 " failures\n",
	       sum.worlds, sum.client_hours, sum.events, took,
	       sum.client_hours / took, sum.longest, sum.failures);
	return failed ? 1 : 0;
}

static void usage(void)
{
	fputs("usage: search [-l] [-j JOBS] [-b BASE] [-s SEED [-t]] [SEEDS]\n",
	      stderr);
	exit(64);
}

static struct options read_options(int argc, char **argv)
{
	struct options o = {.jobs = 2, .base = 3, .seeds = 300};
	int c;

	while ((c = getopt(argc, argv, "j:b:s:tl")) != -1) {
		if (c == 'j')
			o.jobs = (unsigned)strtoul(optarg, NULL, 0);
		else if (c == 'b' || c == 's')
			o.base = strtoull(optarg, NULL, 0);
		else if (c == 't')
			o.print = true;
		else if (c == 'l')
			o.is_lean = true;
		else
			usage();
		o.is_one |= c == 's';
	}
	if (optind < argc)
		o.seeds = strtoull(argv[optind], NULL, 0);
	if (!o.jobs || o.jobs > MOST_JOBS || !o.seeds)
		usage();
	if (o.jobs > o.seeds)
		o.jobs = (unsigned)o.seeds;
	return o;
}

int main(int argc, char **argv)
{
	struct options o = read_options(argc, argv);
	struct tally t = {0};

	if (!o.is_one)
		return search(&o);
	if (!run(o.base, &o, &t))
		return 1;
	printf("# seed %" PRIu64 ": %.1f client-hours, no failure\n", o.base,
	       t.client_hours);
	return 0;
}
