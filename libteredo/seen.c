/*
 * seen.c - about how many different ones there were lately
 *
 * What a place has is a minute of 45 days, never 0, and it counts while that
 * is one of the last SEEN_MINUTES; older ones stay until the place is used
 * again. used[] has the sums, so that nobody has to look at all places. One
 * that was used exactly 45 days before is not counted: nobody will notice.
 */
#include "seen.h"

#include <stdlib.h>
#include <string.h>

#define MINUTE (60 * TEREDO_SECOND)

bool seen_init(struct seen *s, const struct teredo_env *env)
{
	*s = (struct seen){ .at = calloc(SEEN_PLACES, sizeof(*s->at)) };
	env->random(env->ctx, s->key, sizeof(s->key));
	return s->at != NULL;
}

void seen_fini(struct seen *s)
{
	free(s->at);
	s->at = NULL;
}

static uint64_t minute_of(teredo_time now)
{
	return now / MINUTE + SEEN_MINUTES;	/* before it there was some time */
}

static uint16_t stamp_of(uint64_t minute)
{
	return (uint16_t)(minute % UINT16_MAX + 1);
}

/* The sums grow older. */
static void turn(struct seen *s, uint64_t minute)
{
	uint64_t gap = minute - s->minute;

	for (unsigned i = SEEN_MINUTES; i-- > 0;)
		s->used[i] = i >= gap ? s->used[i - gap] : 0;
	s->minute = minute;
}

void seen_note(struct seen *s, const void *id, size_t len, teredo_time now)
{
	uint16_t *at = &s->at[siphash13(s->key, id, len) % SEEN_PLACES];
	uint64_t minute = minute_of(now);

	if (minute > s->minute)
		turn(s, minute);
	for (unsigned i = 0; i < SEEN_MINUTES; i++)
		if (*at == stamp_of(s->minute - i)) {
			s->used[i]--;
			break;
		}
	*at = stamp_of(s->minute);
	s->used[0]++;
}

uint32_t seen_places(const struct seen *s, teredo_time now)
{
	uint64_t gap = minute_of(now) - s->minute;
	uint32_t n = 0;

	for (unsigned i = 0; i + gap < SEEN_MINUTES; i++)
		n += s->used[i];
	return n;
}
