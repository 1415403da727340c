/*
 * main.c - tells the stories: sim [-t] [-s SEED] [-x] [-l] [NAME...]
 *
 * Without a name all scenarios run, in TAP, each with the fixed seed and with
 * one drawn for this run, unless SIM_FIXED is in the environment, as where
 * packages are built; -s takes a seed instead. NAME is a scenario, or a
 * variant of one ("name/label"). -t prints the trace, -x only a hash of the
 * trace of each, -l lists them with their requirements. A failure prints the
 * end of the trace and how to get the whole of it.
 *
 * A scenario that asks for n seeds gets n worlds out of the one seed; what
 * they measured may be held against a limit. Else the largest is shown.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "scenario.h"

#define FIXED_SEED 1
#define MOST_SEEDS 2000

static const struct scenario *const stories[] = {
	story_line,    story_nat,     story_qualify,  story_secure,
	story_interval, story_native, story_pairs,    story_give_up,
	story_outage,  story_restart, story_stranger, story_siege,
	story_replay,  story_rogue,   story_loops,    story_link,
	story_access,
	story_combined,
	story_soak,
};

struct options {
	bool print, hash_only, list;
	unsigned n_seeds;
	uint64_t seed[2];
	char **names;
};

struct result {
	uint64_t events, hash;
	teredo_time figure, simulated;
};

static unsigned points, failures;
static struct result total;

static void full_name(const struct scenario *s, unsigned variant, char *out,
		      size_t room)
{
	char label[SCENARIO_LABEL];

	if (s->variants) {
		s->label(variant, label);
		snprintf(out, room, "%s/%s", s->name, label);
	} else {
		snprintf(out, room, "%s", s->name);
	}
}

/* One world. False: it failed, and that was explained. */
static bool run_world(const struct options *o, const struct scenario *s,
		      unsigned variant, uint64_t seed, struct result *result)
{
	struct world *volatile w = world_new(seed, o->print);
	volatile bool ok = true;

	if (setjmp(w->on_failure)) {
		ok = false;
		printf("# %s\n", w->failure);
		if (!o->print)
			trace_dump(&w->trace, stdout);
	} else {
		s->run(w, variant);
	}
	*result = (struct result){w->events, w->trace.hash, w->figure, w->now};
	world_free(w);
	return ok;
}

static int by_size(const void *a, const void *b)
{
	const teredo_time *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void report(const struct scenario *s, const char *name, uint64_t seed,
		   bool ok, teredo_time figure)
{
	failures += !ok;
	printf("%sok %u - %s seed %" PRIu64, ok ? "" : "not ", ++points, name,
	       seed);
	if (ok && figure)
		printf(", %.3f s", (double)figure / 1e9);
	if (!ok)
		printf(" [%s]", s->ids);
	putchar('\n');
	fflush(stdout);
}

/* One test point: a variant with all the worlds of a seed. */
static void run_point(const struct options *o, const struct scenario *s,
		      unsigned variant, uint64_t seed)
{
	static teredo_time figure[MOST_SEEDS];
	struct rng seeds = {seed};
	unsigned n = s->seeds && !o->hash_only ? s->seeds : 1;
	struct result r = {0};
	bool ok = true;
	char name[160];

	full_name(s, variant, name, sizeof(name));
	for (unsigned i = 0; ok && i < n; i++) {
		uint64_t one = i ? rng_next(&seeds) : seed;

		ok = run_world(o, s, variant, one, &r);
		if (!ok)
			printf("# the whole: sim -t -s %" PRIu64 " %s\n", one,
			       name);
		figure[i] = r.figure;
		total.events += r.events;
		total.simulated += r.simulated;
	}
	if (ok) {
		unsigned percent = s->percent ? s->percent : 100;

		qsort(figure, n, sizeof(*figure), by_size);
		r.figure = figure[(n * percent - 1) / 100];
		ok = !s->limit || r.figure <= s->limit;
		if (!ok)
			printf("# %u%% are above %.3f s\n", 100 - percent,
			       (double)s->limit / 1e9);
	}
	if (o->hash_only)
		printf("%016" PRIx64 " %s\n", r.hash, name);
	else
		report(s, name, seed, ok, r.figure);
}

static bool is_wanted(const struct options *o, const struct scenario *s,
		      unsigned variant)
{
	char name[160];

	full_name(s, variant, name, sizeof(name));
	for (char **want = o->names; *want; want++)
		if (!strcmp(*want, s->name) || !strcmp(*want, name))
			return true;
	return !*o->names;
}

static void run_scenario(const struct options *o, const struct scenario *s)
{
	char name[160];
	unsigned variants = s->variants ? s->variants : 1;

	for (unsigned v = 0; v < variants; v++) {
		if (!is_wanted(o, s, v))
			continue;
		full_name(s, v, name, sizeof(name));
		if (o->list)
			printf("%s [%s]\n", name, s->ids);
		for (unsigned i = 0; !o->list && i < o->n_seeds; i++)
			if (!s->limit || i == 0)
				run_point(o, s, v, o->seed[i]);
	}
}

static void usage(void)
{
	fputs("usage: sim [-t] [-s SEED] [-x] [-l] [NAME...]\n", stderr);
	exit(64);
}

static struct options read_options(int argc, char **argv)
{
	struct options o = {.n_seeds = 2, .seed = {FIXED_SEED}};
	uint32_t drawn;
	int c;

	if (getrandom(&drawn, sizeof(drawn), 0) != sizeof(drawn))
		abort();
	o.seed[1] = drawn;
	if (getenv("SIM_FIXED") != NULL)
		o.n_seeds = 1;
	while ((c = getopt(argc, argv, "ts:xl")) != -1) {
		if (c == 't')
			o.print = true;
		else if (c == 'x')
			o.hash_only = true;
		else if (c == 'l')
			o.list = true;
		else if (c != 's')
			usage();
		if (c != 's')
			continue;
		o.n_seeds = 1;
		o.seed[0] = strtoull(optarg, NULL, 0);
	}
	if (o.hash_only)
		o.n_seeds = 1;
	o.names = argv + optind;
	return o;
}

int main(int argc, char **argv)
{
	struct options o = read_options(argc, argv);

	for (size_t i = 0; i < sizeof(stories) / sizeof(*stories); i++)
		for (const struct scenario *s = stories[i]; s->name; s++)
			run_scenario(&o, s);
	if (o.list || o.hash_only)
		return 0;
	printf("1..%u\n", points);
	printf("# %.1f simulated hours, %" PRIu64 " events\n",
	       (double)total.simulated / 3600e9, total.events);
	if (!points) {
		fputs("sim: no such scenario\n", stderr);
		return 64;
	}
	return failures ? 1 : 0;
}
