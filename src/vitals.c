/*
 * vitals.c - how an engine has been: its counters some time ago, its health
 *
 * A status is of now. For rates the counters of 10 to 20 s ago are kept, in
 * two samples that take turns, and for how long something has been wrong. The
 * log gets one line when the worst of it changes, with the code before the colon,
 * so that one reason does not suppress another (log_limit.c). That a client has
 * only just asked its server is no news.
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
	v->logged = HEALTHS;
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

static void log_health(struct vitals *v, uint32_t is)
{
	enum health new = health_worst(is & ~EARLY);

	if (new == v->logged || (new == HEALTHS && (is & EARLY) != 0))
		return;
	if (new != HEALTHS)
		log_line(LOG_WARNING, "health %s: %s",
			 health_reason(new)->code, health_reason(new)->text);
	else
		log_line(LOG_NOTICE, "health ok: no more %s",
			 health_reason(v->logged)->code);
	v->logged = new;
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
