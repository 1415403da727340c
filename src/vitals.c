/*
 * vitals.c - how an engine has been: its counters some time ago, its health
 *
 * A status is of now. For rates the counters of 10 to 20 s ago are kept, in
 * two samples that take turns, and for how long something has been wrong.
 *
 * The log gets a line when a reason comes and one when it ends, with the code
 * before the colon, so that one reason does not suppress another
 * (log_limit.c). One that is only hidden by its cause has not ended. That a
 * client has only just asked its server is no news, and until it has its
 * answer nobody knows what has ended. Information is logged by who has it.
 */
#include "config.h"

#include "vitals.h"

#include <string.h>

#include "log.h"

#define SAMPLE_EACH 10000000000u
#define NEVER_TOLD  (1u << 31)	/* which is no health */
#define EARLY	    (1u << HEALTH_NOT_QUALIFIED)

static_assert(HEALTHS < 31, "health fits");

void vitals_begin(struct vitals *v, uint64_t now)
{
	memset(v, 0, sizeof(*v));
	v->sample[0].age = v->sample[1].age = now;
	v->health = NEVER_TOLD;
}

static void take_sample(struct vitals *v, const struct ctl_status *st,
			uint64_t now)
{
	struct ctl_sample *s = &v->sample[1];

	v->sample[0] = *s;
	s->age = now;
	s->udp_rx = st->udp_rx;
	s->udp_tx = st->udp_tx;
	s->tun_rx = st->tun_rx;
	s->tun_tx = st->tun_tx;
	s->udp_refused = st->udp_refused;
	memcpy(s->counters, st->counters, sizeof(s->counters));
}

/* Problems that are new, each in a line. */
static void log_new(uint32_t bits)
{
	for (unsigned h = 0; h < HEALTHS; h++)
		if ((bits & 1u << h) != 0)
			log_line(LOG_WARNING, "health %s: %s",
				 health_reason((enum health)h)->code,
				 health_reason((enum health)h)->text);
}

/* Those that have ended, each in a line, or with the last one all in one. */
static void log_ended(uint32_t ended, bool well)
{
	char codes[HEALTH_CODES_LEN];

	if (ended != 0 && well) {
		log_line(LOG_NOTICE, "health ok: no more %s",
			 health_codes(codes, ended));
		return;
	}
	for (unsigned h = 0; h < HEALTHS; h++)
		if ((ended & 1u << h) != 0)
			log_line(LOG_NOTICE, "health %s has ended",
				 health_reason((enum health)h)->code);
}

/* Which of the logged ones are still there: found, or behind a cause. */
static uint32_t still(uint32_t logged, uint32_t found)
{
	uint32_t bits = 0;

	for (unsigned h = 0; h < HEALTHS; h++) {
		uint32_t bit = 1u << h;

		if ((logged & bit) != 0 &&
		    ((found & bit) != 0 ||
		     health_visible(found | bit) == found))
			bits |= bit;
	}
	return bits;
}

static void log_health(struct vitals *v, uint32_t found)
{
	uint32_t is = health_problems(found) & ~EARLY, kept;

	log_new(is & ~v->logged);
	v->logged |= is;
	if ((found & EARLY) != 0)
		return;
	kept = still(v->logged, is);
	log_ended(v->logged & ~kept, kept == 0);
	v->logged = kept;
}

bool vitals_look(struct vitals *v, const struct ctl_status *st, uint64_t now)
{
	uint32_t found = health_find(st);

	if (now - v->sample[1].age >= SAMPLE_EACH)
		take_sample(v, st, now);
	if (found == v->health)
		return false;
	log_health(v, found);
	for (unsigned i = 0; i < HEALTHS; i++)
		if ((found & ~v->health & 1u << i) != 0)
			v->since[i] = now;
	v->health = found;
	return true;
}

void vitals_fill(const struct vitals *v, struct ctl_status *st, uint64_t now)
{
	st->then = v->sample[0];
	st->then.age = now - v->sample[0].age;
	for (unsigned i = 0; i < HEALTHS; i++)
		st->health_age[i] = (v->health & 1u << i) != 0
					    ? now - v->since[i] : UINT64_MAX;
}
