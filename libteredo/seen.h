/*
 * seen.h - about how many different ones there were lately
 *
 * A server keeps no state of its clients, and shall yet say how many it has.
 * Each is noted in one of SEEN_PLACES places, by a keyed hash, with the minute:
 * nobody can be found in there, and nobody can fill it on purpose with little.
 * Of the places in use follows how many there are, to about 1 % up to 100,000
 * and roughly up to half a million (Whang and others, "linear counting").
 */
#ifndef LIBTEREDO_SEEN_H
#define LIBTEREDO_SEEN_H

#include "siphash.h"
#include "teredo.h"

#define SEEN_PLACES	65536u
#define SEEN_MINUTES	5u	/* the present one, which is not over, is one */

struct seen {
	uint8_t key[SIPHASH_KEY_LEN];
	uint16_t *at;		/* by place: the minute of the last note */
	uint64_t minute;	/* of the last note of all */
	uint32_t used[SEEN_MINUTES];	/* places by minutes before that one */
};

/* Takes its memory. false: out of memory (nothing kept). */
bool seen_init(struct seen *s, const struct teredo_env *env);
void seen_fini(struct seen *s);

/* Whoever has these octets as a name is there. */
void seen_note(struct seen *s, const void *id, size_t len, teredo_time now);

/* Places used within SEEN_MINUTES. */
uint32_t seen_places(const struct seen *s, teredo_time now);

#endif
