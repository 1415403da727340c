/*
 * story_nat.c - the boxes do what their names say
 *
 * Before anything is concluded from a NAT, the NAT itself is tried with plain
 * datagrams: what a remote host sees (mapping), and who gets in (filtering).
 * RFC 4380 section 3.1, RFC 4787 sections 4 and 5.
 */
#include "config.h"

#include <arpa/inet.h>

#include "nat.h"
#include "scenario.h"

#define MS TEREDO_MS

/* A host that remembers the last datagram and how many there were. */
struct probe {
	struct link4 *link;
	struct teredo_ep last_src, last_dst;
	unsigned got;
};

static void receive(void *ctx, struct link4 *on, struct datagram *d)
{
	struct probe *p = ctx;

	(void)on;
	p->last_src = d->src;
	p->last_dst = d->dst;
	p->got++;
}

static uint32_t ip(const char *text)
{
	return inet_addr(text);
}

static struct probe *public_probe(struct world *w, const char *text)
{
	struct probe *p = world_alloc(w, sizeof(*p));

	p->link = net4_attach(w, text, ip(text), receive, p);
	return p;
}

static struct probe *inside_probe(struct world *w, struct nat *nat,
				  const char *text)
{
	struct probe *p = world_alloc(w, sizeof(*p));

	p->link = nat_attach(nat, text, ip(text), receive, p);
	return p;
}

/* Sends from port 1000 of p; whether `to` got it. */
static bool sends(struct probe *p, uint16_t from_port, struct probe *to,
		  struct teredo_ep dst)
{
	unsigned before = to->got;

	net4_send(p->link, htons(from_port), dst, "x", 1);
	world_run(p->link->w, 100 * MS);
	return to->got > before;
}

static struct teredo_ep at(const struct probe *p, uint16_t port)
{
	return (struct teredo_ep){p->link->ip, htons(port)};
}

struct stage {
	struct nat *nat;
	struct probe *in, *a, *b; /* inside, and two outside */
};

static struct stage set_stage(struct world *w, enum nat_kind kind)
{
	struct stage s = {.nat = nat_new(w, "nat", kind, ip("203.0.113.1"))};

	s.in = inside_probe(w, s.nat, "192.168.1.2");
	s.a = public_probe(w, "198.51.100.1");
	s.b = public_probe(w, "198.51.100.2");
	return s;
}

static enum nat_kind kind_of(unsigned variant)
{
	return NAT_CONE + variant;
}

static void kind_label(unsigned variant, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s", nat_kind_name(kind_of(variant)));
}

static bool same(struct teredo_ep a, struct teredo_ep b)
{
	return a.ip == b.ip && a.port == b.port;
}

static void mapping_depends_on_the_remote_only_if_symmetric(struct world *w,
							    unsigned variant)
{
	struct stage s = set_stage(w, kind_of(variant));
	struct teredo_ep seen;

	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	seen = s.a->last_src;
	EXPECT(w, seen.ip == s.nat->outside->ip);
	EXPECT(w, sends(s.in, 1000, s.b, at(s.b, 7)));
	EXPECT(w, same(seen, s.b->last_src) == (s.nat->kind != NAT_SYMMETRIC));
	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 8)));
	EXPECT(w, same(seen, s.a->last_src) == (s.nat->kind != NAT_SYMMETRIC));
	/* the same conversation keeps its mapping, another port has another */
	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	EXPECT(w, same(seen, s.a->last_src));
	EXPECT(w, sends(s.in, 1001, s.a, at(s.a, 7)));
	EXPECT(w, !same(seen, s.a->last_src));
}

static void filtering_admits_whom_the_kind_says(struct world *w,
						unsigned variant)
{
	struct stage s = set_stage(w, kind_of(variant));
	enum nat_kind kind = s.nat->kind;
	struct teredo_ep map;

	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	map = s.a->last_src;
	/* the one that was written to; its other port; somebody else */
	EXPECT(w, sends(s.a, 7, s.in, map));
	EXPECT(w, same(s.in->last_dst, at(s.in, 1000)));
	EXPECT(w, sends(s.a, 8, s.in, map) ==
			  (kind == NAT_CONE || kind == NAT_ADDRESS));
	EXPECT(w, sends(s.b, 7, s.in, map) == (kind == NAT_CONE));
	/* nobody gets in where nothing went out */
	map.port = (uint16_t)~map.port;
	EXPECT(w, !sends(s.a, 7, s.in, map));
}

static void an_idle_mapping_ends(struct world *w, unsigned variant)
{
	struct stage s = set_stage(w, kind_of(variant));
	struct teredo_ep first;

	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	first = s.a->last_src;
	world_run(w, 59 * TEREDO_SECOND);
	EXPECT(w, sends(s.a, 7, s.in, first));
	world_run(w, 59 * TEREDO_SECOND);
	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	EXPECT(w, same(first, s.a->last_src));
	world_run(w, 60 * TEREDO_SECOND);
	EXPECT(w, !sends(s.a, 7, s.in, first));
	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	EXPECT(w, !same(first, s.a->last_src));
}

static void flush_and_move_change_the_mapping(struct world *w, unsigned variant)
{
	struct stage s = set_stage(w, kind_of(variant));
	struct teredo_ep first;

	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	first = s.a->last_src;
	nat_flush(s.nat);
	EXPECT(w, !sends(s.a, 7, s.in, first));
	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	EXPECT(w, !same(first, s.a->last_src));
	nat_move(s.nat, ip("203.0.113.9"));
	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	EXPECT(w, s.a->last_src.ip == ip("203.0.113.9"));
	EXPECT(w, !sends(s.a, 7, s.in, first));
}

static void a_preserving_nat_keeps_the_port(struct world *w, unsigned variant)
{
	struct stage s = set_stage(w, kind_of(variant));
	struct probe *other = inside_probe(w, s.nat, "192.168.1.3");

	s.nat->preserves_port = true;
	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	EXPECT(w, s.a->last_src.port == htons(1000));
	/* but not for two */
	EXPECT(w, sends(other, 1000, s.a, at(s.a, 7)));
	EXPECT(w, s.a->last_src.port != htons(1000));
	nat_flush(s.nat);
	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	EXPECT(w, s.a->last_src.port == htons(1000));
}

static void there_is_no_hairpin(struct world *w, unsigned variant)
{
	struct stage s = set_stage(w, kind_of(variant));
	struct probe *other = inside_probe(w, s.nat, "192.168.1.3");

	EXPECT(w, sends(other, 1000, s.a, at(s.a, 7)));
	EXPECT(w, !sends(s.in, 1000, other, s.a->last_src));
}

static void lines_lose_cut_and_delay(struct world *w, unsigned variant)
{
	struct probe *a = public_probe(w, "198.51.100.1");
	struct probe *b = public_probe(w, "198.51.100.2");
	unsigned lost = 0;

	(void)variant;
	a->link->line.delay = 30 * MS;
	b->link->line.delay = 40 * MS;
	net4_send(a->link, htons(1), at(b, 1), "x", 1);
	world_run(w, 69 * MS);
	EXPECT(w, b->got == 0);
	world_run(w, 1 * MS);
	EXPECT(w, b->got == 1);
	b->link->line.down = true;
	EXPECT(w, !sends(a, 1, b, at(b, 1)));
	EXPECT(w, !sends(b, 1, a, at(a, 1)));
	b->link->line.down = false;
	net4_cut(w, a->link->ip, b->link->ip);
	EXPECT(w, !sends(a, 1, b, at(b, 1)));
	EXPECT(w, !sends(b, 1, a, at(a, 1)));
	net4_mend(w, a->link->ip, b->link->ip);
	EXPECT(w, sends(a, 1, b, at(b, 1)));
	a->link->line.loss = 200;
	for (unsigned i = 0; i < 1000; i++)
		lost += !sends(a, 1, b, at(b, 1));
	EXPECT(w, lost > 140 && lost < 260);
}

#define KINDS .variants = NAT_KINDS - NAT_CONE, .label = kind_label

const struct scenario story_nat[] = {
	STORY(mapping_depends_on_the_remote_only_if_symmetric, "RFC4787-REQ-1",
	      KINDS),
	STORY(filtering_admits_whom_the_kind_says, "RFC4787-REQ-8", KINDS),
	STORY(an_idle_mapping_ends, "RFC4787-REQ-5", KINDS),
	STORY(flush_and_move_change_the_mapping, "R12", KINDS),
	STORY(a_preserving_nat_keeps_the_port, "RFC4787-REQ-3", KINDS),
	STORY(there_is_no_hairpin, "RFC4787-REQ-9", KINDS),
	STORY(lines_lose_cut_and_delay, "R18"),
	{.name = NULL},
};
