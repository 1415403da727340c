/*
 * client_interval.c - how long the NAT keeps a mapping that nobody uses
 *
 * RFC 4380 5.2.7, for a client that is asked to find its refresh interval out.
 * A second UDP port gets a mapping of its own, by a qualification like the
 * first port's, and is then left alone for a candidate interval. A bubble
 * through the server tells whether the mapping is still there:
 *
 *   OPENING --port--> SOLICITING --answer--> WAITING --candidate--> TESTING
 *   TESTING --bubble, or none of four--> SOLICITING (the maintenance)
 *   SOLICITING --12 s--> PAUSING --30 s--> SOLICITING
 *   SOLICITING --12 s, never answered--> UNUSABLE
 *   --candidate close enough to the maximum--> CONCLUDED
 *
 * Three values carry it: the interval that is in use, the candidate, and the
 * maximum, which a candidate that failed becomes. It ends when the interval
 * has reached 75 % of the maximum: after a failure as the RFC has it, and after
 * a success (Q14) when it is above that, so that 30, 60, 90, 105 ends there.
 *
 * The bubble goes from the service port through the server, because a direct
 * one would only test hairpinning (Q14). With the last bubble goes a
 * solicitation from the service port: if that is answered, the server was there
 * and the mapping was not. A test that nobody can judge (the server silent, the
 * machine asleep over its time) changes nothing and is made again.
 *
 * All that is counted on must be unlike what a stranger can make: the bubble
 * comes from the server's endpoint, from our own address, to an address with
 * flags that are drawn anew for each test. Any other packet on that port makes
 * us wait anew, for it may have kept the mapping alive, and is dropped
 * (C-RID-10); it can delay the end and never lengthen the interval.
 *
 * Another mapping of the service port, thus another NAT or one that forgets
 * sooner, puts the interval back to where it began and all begins anew.
 *
 * Elsewhere: solicitations and what makes an answer good (client_qualify.c),
 * the port itself, which is opened and closed on our OUTBOX_SECONDARY news.
 */
#include "client_internal.h"

#include <assert.h>
#include <string.h>

#define MAXIMUM		(120 * TEREDO_SECOND)	/* C-RID-03 */
#define BUBBLES		4u			/* C-RID-06 */
#define BUBBLE_GAP	(2 * TEREDO_SECOND)
#define PAUSE		(30 * TEREDO_SECOND)

static void say(struct teredo_outbox *ob, enum outbox_kind kind, uint32_t arg)
{
	outbox_news(ob, kind, NULL, (struct teredo_ep){ 0, 0 }, arg);
}

/* C-RID-11 */
static void end(struct teredo_client *c, enum client_interval_step step,
		struct teredo_outbox *ob)
{
	c->secondary.step = step;
	c->secondary.timer = TEREDO_NEVER;
	c->secondary.is_open = false;
	say(ob, OUTBOX_SECONDARY, 0);
	say(ob, OUTBOX_STATE, 0);
}

static void solicit(struct teredo_client *c, teredo_time now,
		    struct teredo_outbox *ob)
{
	struct client_interval *s = &c->secondary;

	client_qualify_send_rs(c, TEREDO_VIA_SECONDARY, c->used.ip, &s->nonces,
			       now, ob);
	s->step = CLIENT_INTERVAL_SOLICITING;
	s->tries++;
	s->timer = now + CLIENT_RS_GAP;
}

/* C-RID-09 */
static void maintain(struct teredo_client *c, teredo_time now,
		     struct teredo_outbox *ob)
{
	memset(&c->secondary.nonces, 0, sizeof(c->secondary.nonces));
	c->secondary.tries = 0;
	solicit(c, now, ob);
}

void client_interval_begin(struct teredo_client *c, teredo_time now,
			   struct teredo_outbox *ob)
{
	struct client_interval *s = &c->secondary;

	if (!c->config.find_refresh)
		return;
	c->refresh = c->config.refresh;
	s->max = s->candidate = 0;
	if (s->is_open) {
		maintain(c, now, ob);
	} else if (s->step != CLIENT_INTERVAL_OPENING) {
		s->step = CLIENT_INTERVAL_OPENING;
		say(ob, OUTBOX_SECONDARY, 1);
	}
}

void teredo_client_secondary_opened(struct teredo_client *c, teredo_time now,
				    struct teredo_outbox *ob)
{
	if (c->secondary.step != CLIENT_INTERVAL_OPENING)
		return;
	c->secondary.is_open = true;
	maintain(c, now, ob);
}

/* C-RID-05 */
static void send_bubble(struct teredo_client *c, teredo_time now,
			struct teredo_outbox *ob)
{
	struct client_interval *s = &c->secondary;
	uint8_t *p = outbox_udp(ob, TEREDO_VIA_PRIMARY,
				addr_server_ep(c->used.ip), WIRE_BUBBLE_LEN);

	assert(p != NULL);
	wire_put_bubble(p, &c->addr, &s->addr);
	c->count.n[TEREDO_EV_bubble_indirect_sent]++;
	s->step = CLIENT_INTERVAL_TESTING;
	s->timer = now + BUBBLE_GAP;
	if (++s->tries == BUBBLES) {
		s->tested_at = now;
		client_qualify_doubt(c, now, ob);
	}
}

/* The server would have passed the last bubble on: it answered what was sent
 * with it, or just before. */
static bool server_was_there(const struct teredo_client *c)
{
	teredo_time tested_at = c->secondary.tested_at;

	return c->last_solicit <= tested_at &&
	       c->last_answer + PATH_ONE_WAY > tested_at;
}

static void test(struct teredo_client *c, teredo_time now,
		 struct teredo_outbox *ob)
{
	c->secondary.tries = 0;
	send_bubble(c, now, ob);
}

/* C-RID-02 */
static void give_up(struct teredo_client *c, teredo_time now,
		    struct teredo_outbox *ob)
{
	struct client_interval *s = &c->secondary;

	s->step = CLIENT_INTERVAL_PAUSING;
	s->timer = now + PAUSE;
	if (s->max == 0)
		end(c, CLIENT_INTERVAL_UNUSABLE, ob);
}

static teredo_time average(teredo_time a, teredo_time b)
{
	return (a + b) / 2;
}

/* C-RID-07, Q14 */
static void succeed(struct teredo_client *c, teredo_time now,
		    struct teredo_outbox *ob)
{
	struct client_interval *s = &c->secondary;

	c->refresh = s->candidate;
	s->candidate = average(c->refresh, s->max);
	if (s->candidate > 2 * c->refresh)
		s->candidate = 2 * c->refresh;
	if (4 * c->refresh > 3 * s->max)
		end(c, CLIENT_INTERVAL_CONCLUDED, ob);
	else
		maintain(c, now, ob);
}

/* C-RID-08 */
static void fail(struct teredo_client *c, teredo_time now,
		 struct teredo_outbox *ob)
{
	struct client_interval *s = &c->secondary;

	s->max = s->candidate;
	s->candidate = average(c->refresh, s->max);
	if (4 * c->refresh >= 3 * s->max)
		end(c, CLIENT_INTERVAL_CONCLUDED, ob);
	else
		maintain(c, now, ob);
}

void client_interval_expire(struct teredo_client *c, teredo_time now,
			    struct teredo_outbox *ob)
{
	struct client_interval *s = &c->secondary;
	bool is_late = now > s->timer && now - s->timer > BUBBLE_GAP;

	if (now < s->timer)
		return;
	switch (s->step) {
	case CLIENT_INTERVAL_SOLICITING:
		if (s->tries < CLIENT_RS_TRIES)
			solicit(c, now, ob);
		else
			give_up(c, now, ob);
		break;
	case CLIENT_INTERVAL_PAUSING:
		maintain(c, now, ob);
		break;
	case CLIENT_INTERVAL_WAITING:
		if (is_late)
			maintain(c, now, ob);
		else
			test(c, now, ob);
		break;
	case CLIENT_INTERVAL_TESTING:
		if (!is_late && s->tries < BUBBLES)
			send_bubble(c, now, ob);
		else if (!is_late && server_was_there(c))
			fail(c, now, ob);
		else
			maintain(c, now, ob);
		break;
	case CLIENT_INTERVAL_IDLE:
	case CLIENT_INTERVAL_OPENING:
	case CLIENT_INTERVAL_CONCLUDED:
	case CLIENT_INTERVAL_UNUSABLE:
		break;
	}
}

/* The secondary address is one of its own each time; C-RID-03, C-RID-09 */
static void take_answer(struct teredo_client *c, struct teredo_ep mapped,
			teredo_time now)
{
	struct client_interval *s = &c->secondary;
	uint16_t flags;

	c->count.n[TEREDO_EV_ra_accepted]++;
	c->env.random(c->env.ctx, &flags, sizeof(flags));
	addr_make(&s->addr, addr_default_prefix(), c->used.ip,
		  flags & ADDR_FLAGS_RANDOM, mapped);
	if (s->max == 0) {
		s->max = MAXIMUM;
		s->candidate = 2 * c->refresh;
	}
	s->step = CLIENT_INTERVAL_WAITING;
	s->timer = now + s->candidate;
}

static struct teredo_verdict answer_in(struct teredo_client *c,
				       const struct teredo_rx *rx,
				       const struct wire_packet *p,
				       teredo_time now)
{
	struct icmp6_ra ra;
	enum teredo_counter why = client_qualify_objection(c, p, &ra);

	if (why != CLIENT_NO_OBJECTION)
		return client_drop(c, why);
	if (c->secondary.step != CLIENT_INTERVAL_SOLICITING ||
	    !client_qualify_is_from(&c->used, rx, &ra) ||
	    !nonce_ring_take(&c->secondary.nonces, now, p->auth.nonce))
		return client_drop(c, TEREDO_DROP_nonce);
	take_answer(c, p->origin, now);
	return (struct teredo_verdict){ .fate = TEREDO_TAKEN };
}

static bool is_our_bubble(const struct teredo_client *c,
			  const struct teredo_rx *rx,
			  const struct wire_packet *p)
{
	return c->secondary.step == CLIENT_INTERVAL_TESTING &&
	       wire_is_bubble(p) && addr_equal(&p->src, &c->addr) &&
	       addr_equal(&p->dst, &c->secondary.addr) &&
	       ep_equal(rx->from, addr_server_ep(c->used.ip));
}

struct teredo_verdict client_interval_in(struct teredo_client *c,
					 const struct teredo_rx *rx,
					 teredo_time now,
					 struct teredo_outbox *ob)
{
	struct client_interval *s = &c->secondary;
	struct wire_packet p;

	if (s->step == CLIENT_INTERVAL_WAITING)
		s->timer = now + s->candidate;		/* C-RID-04 */
	switch (wire_parse(&p, rx->data, rx->len)) {
	case WIRE_OK:
		break;
	case WIRE_MALFORMED:
		return client_drop(c, TEREDO_DROP_malformed);
	case WIRE_REFUSED:
		return client_drop(c, TEREDO_DROP_trailer);
	}
	if (addr_equal(&p.dst, &c->solicitor))
		return answer_in(c, rx, &p, now);
	if (!is_our_bubble(c, rx, &p))
		return client_drop(c, TEREDO_DROP_not_for_us);
	c->count.n[TEREDO_EV_bubble_received]++;
	succeed(c, now, ob);
	return (struct teredo_verdict){ .fate = TEREDO_TAKEN };
}

enum teredo_interval client_interval_state(const struct teredo_client *c)
{
	if (!c->config.find_refresh)
		return TEREDO_INTERVAL_FIXED;
	if (c->secondary.step == CLIENT_INTERVAL_CONCLUDED)
		return TEREDO_INTERVAL_DETERMINED;
	if (c->secondary.step == CLIENT_INTERVAL_IDLE ||
	    c->secondary.step == CLIENT_INTERVAL_UNUSABLE)
		return TEREDO_INTERVAL_UNDETERMINED;
	return TEREDO_INTERVAL_DETERMINING;
}

bool client_interval_is_sound(uint32_t ms)
{
	return ms == 0 || (ms >= 1000 && ms * TEREDO_MS <= MAXIMUM);
}

void client_interval_restore(struct teredo_client *c, uint32_t ms)
{
	if (!c->config.find_refresh || ms == 0)
		return;
	c->refresh = ms * TEREDO_MS;
	c->secondary.step = CLIENT_INTERVAL_CONCLUDED;
}
