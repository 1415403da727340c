/*
 * scenario.h - a story to be told in a world, and how often
 *
 * A scenario is a function that builds a cast, lets time pass and expects
 * things. Its name is a sentence; `ids` names the requirements that it shows.
 * It may have variants (a NAT of each kind) and may be run over many seeds;
 * what it measures goes to world.figure.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "world.h"

#define SCENARIO_LABEL 64

struct scenario {
	const char *name;
	const char *ids;
	void (*run)(struct world *w, unsigned variant);
	unsigned variants; /* 0: it has none */
	void (*label)(unsigned variant, char out[SCENARIO_LABEL]);
	unsigned seeds; /* 0: one */
	/* So many percent of the figures are at most `limit`; 0: no matter.
	 * Then it is run with the fixed seed only: chance may beat a limit. */
	unsigned percent;
	teredo_time limit;
};

/* An entry of a table; fields with other values than 0 may follow. */
#define STORY(function, requirements, ...)                                     \
	{                                                                      \
		.name = #function, .ids = (requirements), .run = (function),   \
		__VA_ARGS__                                                    \
	}

/* Each ends with an entry without a name. */
extern const struct scenario story_line[];
extern const struct scenario story_nat[];
extern const struct scenario story_qualify[];
extern const struct scenario story_secure[];
extern const struct scenario story_interval[];
extern const struct scenario story_native[];
extern const struct scenario story_pairs[];
extern const struct scenario story_give_up[];
extern const struct scenario story_link[];
extern const struct scenario story_outage[];
extern const struct scenario story_access[];
extern const struct scenario story_combined[];
extern const struct scenario story_restart[];
extern const struct scenario story_stranger[];
extern const struct scenario story_siege[];
extern const struct scenario story_replay[];
extern const struct scenario story_rogue[];
extern const struct scenario story_loops[];
extern const struct scenario story_soak[];

#endif
