/*
 * marks.h - who wanted whom not long ago
 *
 * Nothing is kept of who is turned away but a mark, in a table of fixed size
 * whose marks overwrite each other: he who comes again is known, as long as
 * not too many others came meanwhile.
 */
#ifndef LIBTEREDO_MARKS_H
#define LIBTEREDO_MARKS_H

#include "siphash.h"
#include "teredo.h"

#define MARKS_PARTS 30u

struct marks {
	uint8_t key[SIPHASH_KEY_LEN];
	uint32_t n, hand;
	uint32_t *mark;
};

/* Memory is taken here. false: there is none; marks_fini() may be called. */
bool marks_init(struct marks *m, const struct teredo_env *env, uint32_t n);
void marks_fini(struct marks *m);

/* Whether this source's /64 wanted this packet's destination before; that it
 * does is marked. */
bool marks_returning(struct marks *m, const uint8_t *ip6);
/* Forgets 1/MARKS_PARTS of them. */
void marks_sweep(struct marks *m);

#endif
