/*
 * villain.c - the means of those who mean no good
 *
 * A tap stands between the wire and who receives, by taking the place of
 * link4.receive. What it keeps belongs to the world.
 */
#include "config.h"

#include "villain.h"

#include <arpa/inet.h>
#include <string.h>

#include "../../libteredo/icmp6.h"
#include "../../libteredo/wire.h"

static void hear(void *ctx, struct link4 *on, struct datagram *d)
{
	struct villain *v = ctx;

	(void)on;
	v->got++;
	if (v->hears)
		v->hears(v, d);
}

struct villain *villain_new(struct world *w, const char *name, const char *ip,
			    uint16_t port)
{
	struct villain *v = world_alloc(w, sizeof(*v));

	v->w = w;
	v->ep = (struct teredo_ep){inet_addr(ip), htons(port)};
	v->link = net4_attach(w, name, v->ep.ip, hear, v);
	return v;
}

void villain_bubble(struct villain *v, struct teredo_ep from,
		    struct teredo_ep to, const struct teredo_addr *src,
		    const struct teredo_addr *dst)
{
	uint8_t bubble[WIRE_BUBBLE_LEN];

	wire_put_bubble(bubble, src, dst);
	net4_spoof(v->link, from, to, bubble, sizeof(bubble));
}

void villain_echo(struct villain *v, uint8_t type, struct teredo_ep from,
		  struct teredo_ep to, const struct teredo_addr *src,
		  const struct teredo_addr *dst)
{
	uint8_t echo[ICMP6_ECHO_LEN(8)], data[8];

	rng_fill(&v->w->rng, data, sizeof(data));
	icmp6_put_echo(echo, type, src, dst, 1, 1, data, sizeof(data));
	net4_spoof(v->link, from, to, echo, sizeof(echo));
}

size_t villain_damage(struct rng *rng, uint8_t *data, size_t len)
{
	for (uint64_t n = rng_below(rng, 4); n; n--)
		data[rng_below(rng, len)] = (uint8_t)rng_next(rng);
	return rng_chance(rng, 100) ? (size_t)rng_below(rng, len) + 1 : len;
}

void villain_fix_checksum(uint8_t *ip6)
{
	uint8_t *msg = ip6 + WIRE_IP6_LEN;
	struct teredo_addr src, dst;
	uint16_t sum;

	memcpy(&src, ip6 + 8, sizeof(src));
	memcpy(&dst, ip6 + 24, sizeof(dst));
	msg[2] = msg[3] = 0;
	sum = icmp6_checksum(&src, &dst, msg,
			     (size_t)ip6[4] << 8 | ip6[5]);
	msg[2] = (uint8_t)(sum >> 8);
	msg[3] = (uint8_t)sum;
}

struct teredo_addr teredo_at(uint32_t server_ip, struct teredo_ep mapped)
{
	struct teredo_addr a;

	addr_make(&a, addr_default_prefix(), server_ip, 0, mapped);
	return a;
}

static void tap_receive(void *ctx, struct link4 *on, struct datagram *d)
{
	struct tap *t = ctx;
	struct datagram *copy;

	if (t->n < TAP_KEPT) {
		copy = world_alloc(on->w, sizeof(*d) + d->len);
		memcpy(copy, d, sizeof(*d) + d->len);
		t->kept[t->n++] = copy;
	}
	if (!t->meddle || t->meddle(t, d))
		t->receive(t->receive_ctx, on, d);
}

struct tap *tap_new(struct link4 *on,
		    bool (*meddle)(struct tap *t, struct datagram *d),
		    void *ctx)
{
	struct tap *t = world_alloc(on->w, sizeof(*t));

	t->meddle = meddle;
	t->ctx = ctx;
	t->on = on;
	t->receive = on->receive;
	t->receive_ctx = on->ctx;
	on->receive = tap_receive;
	on->ctx = t;
	return t;
}
