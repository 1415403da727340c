/*
 * chance.h - a world that nobody thought of
 *
 * chance_new() draws everything from the world's seed: servers, relays, NATs
 * and chains of them, lines, clients, and who talks to whom. Then bad luck
 * strikes (chance_luck.c) while the referee watches; when it is over, all must
 * be well (chance_goals.c).
 */
#ifndef SIM_CHANCE_H
#define SIM_CHANCE_H

#include "lab.h"
#include "villain.h"

#define CHANCE_CLIENTS 6u
#define CHANCE_NATS    6u
#define CHANCE_SERVERS 2u
#define CHANCE_HOSTS   2u
#define CHANCE_NODES   (CHANCE_CLIENTS + CHANCE_SERVERS + CHANCE_HOSTS)

struct chance {
	struct world *w;
	struct lab *l;
	struct rng rng;
	unsigned clients, nats, servers, relays, nodes;
	struct node *client[CHANCE_CLIENTS];
	struct nat *nat[CHANCE_NATS];
	struct node *server[CHANCE_SERVERS];
	struct node *relay[CHANCE_HOSTS];
	struct stack *host[CHANCE_HOSTS];
	struct node *node[CHANCE_NODES]; /* all of them */
	struct villain *eve;
	teredo_time stuck[CHANCE_CLIENTS]; /* so long now */
	bool is_over;			   /* the bad luck */
};

struct chance *chance_new(struct world *w);
/* The same of one client, perhaps behind NATs, and its servers only: nobody to
 * talk to. It costs little, so that a million can be tried. */
struct chance *chance_new_lean(struct world *w);
/* Bad luck and talk, for so long. */
void chance_luck(struct chance *s, teredo_time duration);
/* Repairs everything, and says what is still wrong by failing. */
void chance_goals(struct chance *s);

unsigned chance_draw(struct chance *s, unsigned n);
/* Less than so many seconds. */
teredo_time chance_time(struct chance *s, unsigned seconds);
/* How good a line may be; wild: there may be losses. */
void chance_line(struct chance *s, struct line *line, bool wild);
/* Fails when a client that could qualify does not for long. */
void chance_watch(struct chance *s);

#endif
