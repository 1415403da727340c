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

#define MS    TEREDO_MS
#define BOXES (NAT_KINDS - NAT_CONE) /* kinds that are one */

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

/* Sends from this port of p; whether `to` got it. */
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

	s.nat->ports = NAT_PRESERVED;
	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	EXPECT(w, s.a->last_src.port == htons(1000));
	/* but not for two */
	EXPECT(w, sends(other, 1000, s.a, at(s.a, 7)));
	EXPECT(w, s.a->last_src.port != htons(1000));
	nat_flush(s.nat);
	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	EXPECT(w, s.a->last_src.port == htons(1000));
}

static void a_sequential_nat_counts_its_ports(struct world *w, unsigned variant)
{
	struct stage s = set_stage(w, kind_of(variant));
	uint16_t first;

	s.nat->ports = NAT_SEQUENTIAL;
	s.nat->next_port = 65534;
	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	first = ntohs(s.a->last_src.port);
	EXPECT(w, first == 65535);
	EXPECT(w, sends(s.in, 1001, s.a, at(s.a, 7)));
	EXPECT(w, ntohs(s.a->last_src.port) == 1024);
	EXPECT(w, sends(s.in, 1000, s.b, at(s.b, 7)));
	EXPECT(w, ntohs(s.b->last_src.port) ==
			  (s.nat->kind == NAT_SYMMETRIC ? 1025 : first));
}

/* variant: hairpin * kinds + kind */
static void hairpin_label(unsigned v, char out[SCENARIO_LABEL])
{
	snprintf(out, SCENARIO_LABEL, "%s_%s",
		 nat_kind_name(NAT_CONE + v % BOXES),
		 v / BOXES ? "with" : "without");
}

/* Inside to inside by the public address, as for a stranger. */
static void hairpin_is_as_it_is_said(struct world *w, unsigned v)
{
	struct stage s = set_stage(w, NAT_CONE + v % BOXES);
	struct probe *other = inside_probe(w, s.nat, "192.168.1.3");
	struct teredo_ep map, of_in;

	s.nat->hairpin = v / BOXES;
	EXPECT(w, sends(other, 1000, s.a, at(s.a, 7)));
	map = s.a->last_src;
	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	of_in = s.a->last_src;
	EXPECT(w, sends(s.in, 1000, other, map) ==
			  (s.nat->hairpin && s.nat->kind == NAT_CONE));
	/* the other one opens the way */
	sends(other, 1000, s.in, of_in);
	EXPECT(w, sends(s.in, 1000, other, map) ==
			  (s.nat->hairpin && s.nat->kind != NAT_SYMMETRIC));
	if (other->got)
		EXPECT(w, same(other->last_src, of_in));
	/* by private addresses there is always a way */
	EXPECT(w, sends(s.in, 1000, other, at(other, 1000)));
	EXPECT(w, same(other->last_src, at(s.in, 1000)));
}

/* variant: mapping * 3 + filtering */
static void rules_label(unsigned v, char out[SCENARIO_LABEL])
{
	static const char *const rule[] = {"any", "per_address", "per_port"};

	snprintf(out, SCENARIO_LABEL, "maps_%s_filters_%s", rule[v / NAT_RULES],
		 rule[v % NAT_RULES]);
}

/* Each rule by itself, whatever the other is. */
static void mapping_and_filtering_are_two_rules(struct world *w, unsigned v)
{
	struct stage s = set_stage(w, NAT_CONE);
	struct teredo_ep map;

	s.nat->mapping = v / NAT_RULES;
	s.nat->filtering = v % NAT_RULES;
	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	map = s.a->last_src;
	EXPECT(w, sends(s.a, 7, s.in, map));
	EXPECT(w, sends(s.a, 8, s.in, map) == (s.nat->filtering < NAT_PER_PORT));
	EXPECT(w, sends(s.b, 7, s.in, map) == (s.nat->filtering == NAT_ANY));
	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 8)));
	EXPECT(w, same(map, s.a->last_src) == (s.nat->mapping < NAT_PER_PORT));
	EXPECT(w, sends(s.in, 1000, s.b, at(s.b, 7)));
	EXPECT(w, same(map, s.b->last_src) == (s.nat->mapping == NAT_ANY));
}

static void what_comes_in_may_not_keep_a_mapping(struct world *w,
						 unsigned variant)
{
	struct stage s = set_stage(w, kind_of(variant));
	struct teredo_ep map;

	s.nat->ignores_inbound = true;
	s.nat->lifetime = 30 * TEREDO_SECOND;
	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	map = s.a->last_src;
	world_run(w, 20 * TEREDO_SECOND);
	EXPECT(w, sends(s.a, 7, s.in, map));
	world_run(w, 20 * TEREDO_SECOND);
	EXPECT(w, !sends(s.a, 7, s.in, map));
}

/* Two homes behind a carrier's NAT: the stricter rule holds, and the way
 * between the homes is a hairpin. */
static void nats_make_a_chain(struct world *w, unsigned variant)
{
	struct nat *carrier = nat_new(w, "cgn", NAT_PORT, ip("203.0.113.1"));
	struct nat *home = nat_new(w, "home", kind_of(variant), 0);
	struct nat *home2 = nat_new(w, "home2", NAT_CONE, 0);
	struct probe *in = inside_probe(w, home, "192.168.1.2");
	struct probe *in2 = inside_probe(w, home2, "192.168.1.2");
	struct probe *a = public_probe(w, "198.51.100.1");
	struct teredo_ep map, map2;

	nat_plug(carrier, home->outside, ip("100.64.0.1"));
	nat_plug(carrier, home2->outside, ip("100.64.0.2"));
	EXPECT(w, sends(in, 1000, a, at(a, 7)));
	map = a->last_src;
	EXPECT(w, map.ip == carrier->outside->ip);
	EXPECT(w, sends(a, 7, in, map));
	EXPECT(w, !sends(a, 8, in, map));
	EXPECT(w, sends(in2, 1000, a, at(a, 7)));
	map2 = a->last_src;
	EXPECT(w, map2.ip == map.ip && !same(map, map2));
	EXPECT(w, !sends(in, 1000, in2, map2));
	carrier->hairpin = true;
	sends(in2, 1000, in, map);
	EXPECT(w, sends(in, 1000, in2, map2) == (home->kind != NAT_SYMMETRIC));
	/* a reboot of either makes another mapping */
	nat_flush(home);
	EXPECT(w, !sends(a, 7, in, map));
	EXPECT(w, sends(in, 1000, a, at(a, 7)));
	EXPECT(w, !same(map, a->last_src));
}

/* What is in flight to where a host was does not reach it where it is. */
static void a_host_leaves_its_nat(struct world *w, unsigned variant)
{
	struct stage s = set_stage(w, kind_of(variant));
	struct nat *other = nat_new(w, "other", kind_of(variant),
				    ip("203.0.113.7"));
	struct teredo_ep map;

	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	map = s.a->last_src;
	s.a->link->line.delay = 30 * MS;
	net4_send(s.a->link, htons(7), map, "x", 1);
	nat_plug(other, s.in->link, ip("192.168.2.2"));
	world_run(w, 100 * MS);
	EXPECT(w, s.in->got == 0);
	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	EXPECT(w, s.a->last_src.ip == other->outside->ip);
	EXPECT(w, !sends(s.a, 7, s.in, map));
	net4_plug(s.in->link, ip("203.0.113.9"));
	EXPECT(w, sends(s.in, 1000, s.a, at(s.a, 7)));
	EXPECT(w, same(s.a->last_src, at(s.in, 1000)));
	net4_unplug(s.in->link);
	EXPECT(w, !sends(s.in, 1000, s.a, at(s.a, 7)));
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

#define KINDS .variants = BOXES, .label = kind_label

const struct scenario story_nat[] = {
	STORY(mapping_depends_on_the_remote_only_if_symmetric, "RFC4787-REQ-1",
	      KINDS),
	STORY(filtering_admits_whom_the_kind_says, "RFC4787-REQ-8", KINDS),
	STORY(an_idle_mapping_ends, "RFC4787-REQ-5", KINDS),
	STORY(flush_and_move_change_the_mapping, "R12", KINDS),
	STORY(a_preserving_nat_keeps_the_port, "RFC4787-REQ-3", KINDS),
	STORY(a_sequential_nat_counts_its_ports, "RFC6081-3", KINDS),
	STORY(hairpin_is_as_it_is_said, "RFC4787-REQ-9",
	      .variants = 2 * BOXES, .label = hairpin_label),
	STORY(mapping_and_filtering_are_two_rules, "RFC4787-REQ-1",
	      .variants = NAT_RULES * NAT_RULES, .label = rules_label),
	STORY(what_comes_in_may_not_keep_a_mapping, "RFC4787-REQ-6", KINDS),
	STORY(nats_make_a_chain, "RFC6888", KINDS),
	STORY(a_host_leaves_its_nat, "R10", KINDS),
	STORY(lines_lose_cut_and_delay, "R18"),
	{.name = NULL},
};
