/*
 * client_census.c - how many peers of which kind, for the status
 *
 * Who is trusted follows from the time alone, so that no counter can be kept
 * up to date by what happens: somebody has to look at all of them. The status
 * is asked for thousands of times a second by who likes to, and a table may
 * have room for 16 million; yet no packet may wait for it. A table of up to
 * CENSUS_AT_ONCE places, as it is unless configured otherwise, is looked at
 * when the status is asked for. A larger one is counted on the way, a part
 * with each sweep, and the status has the last complete count, half a minute
 * to a minute old.
 */
#include "client_internal.h"

#define CENSUS_AT_ONCE	4096u
#define CENSUS_PARTS	30u

static void census_count(const struct teredo_client *c, uint32_t from,
			 uint32_t to, teredo_time now,
			 struct client_counts *n)
{
	for (uint32_t i = from; i < to; i++) {
		const struct peer *p = peers_at(c->path.peers, i);

		if (p == NULL)
			continue;
		if (!peer_is_trusted(p, now)) {
			n->pending += p->attempts > 0;
			continue;
		}
		if (!addr_in_prefix(&p->addr, addr_default_prefix()))
			n->relay++;
		else
			n->direct++;
		n->local += client_local_fits(c, &p->addr, p->ep);
	}
}

void client_census_sweep(struct teredo_client *c, teredo_time now)
{
	uint32_t max = peers_max(c->path.peers), to;
	struct client_census *s = &c->census;

	if (max <= CENSUS_AT_ONCE)
		return;
	to = max - s->at > max / CENSUS_PARTS ? s->at + max / CENSUS_PARTS
					      : max;
	census_count(c, s->at, to, now, &s->counting);
	s->at = to;
	if (to == max) {
		s->counted = s->counting;
		s->counting = (struct client_counts){ 0 };
		s->at = 0;
	}
}

/* Nothing is swept where nobody is. */
struct client_counts client_census(const struct teredo_client *c,
				   teredo_time now)
{
	uint32_t max = peers_max(c->path.peers);
	struct client_counts n = { 0 };

	if (max > CENSUS_AT_ONCE && peers_count(c->path.peers) > 0)
		return c->census.counted;
	if (max <= CENSUS_AT_ONCE)
		census_count(c, 0, max, now, &n);
	return n;
}
