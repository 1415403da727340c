/*
 * miredoctl_rates.c - the screens of relay and server
 *
 * What interests here is what happens now, not since the start: so the engine
 * keeps its counters as they were 10 to 20 s ago, and the difference is a mean
 * over that time. Totals are in the JSON and in the metrics.
 */
#include "config.h"

#include <string.h>

#include "miredoctl_status.h"
#include "text.h"

#define SECOND 1000000000u
#define RELAY_BUBBLES "2000/s"	/* PROBES in relay.c */

/* A younger engine is taken to have lived for a second. */
static uint64_t window(const struct ctl_status *st)
{
	return st->then.age > SECOND ? st->then.age : SECOND;
}

static const char *rate(char buf[TEXT_AMOUNT_LEN], const struct ctl_status *st,
			uint64_t now, uint64_t then)
{
	return text_rate(buf, now > then ? now - then : 0, window(st));
}

static const char *rate_of(char buf[TEXT_AMOUNT_LEN],
			   const struct ctl_status *st, enum teredo_counter c)
{
	return rate(buf, st, st->counters[c], st->then.counters[c]);
}

/* The drops of now, the most frequent ones first; what there is no room for is
 * summed up. */
static void print_drop_rates(const struct ctl_status *st, FILE *out)
{
	char text[TEXT_AMOUNT_LEN], piece[80];
	uint32_t told = 0;
	uint64_t rest = 0;
	int used = 17;

	miredoctl_begin(out, "Dropped/s");
	for (;;) {
		uint64_t most = 0;
		unsigned which = TEREDO_N_DROPS;

		for (unsigned i = 0; i < TEREDO_N_DROPS; i++) {
			uint64_t d = st->counters[i] - st->then.counters[i];

			if ((told & 1u << i) == 0 && d > most) {
				most = d;
				which = i;
			}
		}
		if (which == TEREDO_N_DROPS)
			break;
		snprintf(piece, sizeof(piece), "%s%s %s", told ? "   " : "",
			 teredo_counter_name((enum teredo_counter)which),
			 text_rate(text, most, window(st)));
		if (used + (int)strlen(piece) > 58)
			break;
		told |= 1u << which;
		used += fprintf(out, "%s", piece);
	}
	for (unsigned i = 0; i < TEREDO_N_DROPS; i++)
		if ((told & 1u << i) == 0)
			rest += st->counters[i] - st->then.counters[i];
	if (told == 0)
		fprintf(out, "0");
	else if (rest > 0)
		fprintf(out, "   others %s", text_rate(text, rest, window(st)));
	fputc('\n', out);
}

static void print_packets(const struct ctl_status *st, FILE *out)
{
	char in[TEXT_AMOUNT_LEN], sent[TEXT_AMOUNT_LEN],
		bubbles[TEXT_AMOUNT_LEN];
	const uint64_t *n = st->counters, *t = st->then.counters;

	miredoctl_begin(out, "Packets");
	fprintf(out, "%s/s in   %s/s out      bubbles %s/s (limit %s)\n",
		rate(in, st, st->udp_rx.packets, st->then.udp_rx.packets),
		rate(sent, st, st->udp_tx.packets, st->then.udp_tx.packets),
		rate(bubbles, st,
		     n[TEREDO_EV_bubble_direct_sent] +
			     n[TEREDO_EV_bubble_indirect_sent],
		     t[TEREDO_EV_bubble_direct_sent] +
			     t[TEREDO_EV_bubble_indirect_sent]),
		RELAY_BUBBLES);
}

void miredoctl_print_relay(const struct ctl_status *st, FILE *out)
{
	const uint8_t *b = (const uint8_t *)&st->prefix;
	const uint8_t prefix[16] = {b[0], b[1], b[2], b[3]};
	char a[TEXT_IP6_LEN], n[3][TEXT_AMOUNT_LEN], limit[TEXT_AMOUNT_LEN];

	miredoctl_begin(out, st->role == PRIV_RELAY ? "Bind" : "Relay");
	if (st->role == PRIV_RELAY)
		fprintf(out, "%s  ",
			text_ep(a, st->local_ip, st->local_port));
	fprintf(out, "prefix %s/32  carrier %s", text_ip6(a, prefix),
		(st->link.bits & PRIV_LINK_CARRIER) != 0 ? "up" : "down");
	if (miredoctl_carrier_age(st) != UINT64_MAX)
		fprintf(out, " %s",
			text_duration(n[0], miredoctl_carrier_age(st)));
	fputc('\n', out);
	miredoctl_begin(out, "Peers");
	fprintf(out, "%s active  (verified %s, unverified %s)   limit %s\n",
		text_count(n[0], (uint64_t)st->peers_direct +
					 st->peers_pending),
		text_count(n[1], st->peers_direct),
		text_count(n[2], st->peers_pending),
		text_count(limit, st->peers_max));
	print_packets(st, out);
	print_drop_rates(st, out);
}

void miredoctl_print_server(const struct ctl_status *st, FILE *out)
{
	char ep[TEXT_EP_LEN], n[3][TEXT_AMOUNT_LEN];

	miredoctl_begin(out, "Primary");
	fprintf(out, "%s", text_ep(ep, st->server_ip, st->local_port));
	fprintf(out, "     secondary %s\n",
		st->server_ip2 != 0
			? text_ep(ep, st->server_ip2, st->local_port)
			: "none");
	miredoctl_begin(out, "Solicitations");
	fprintf(out, "%s/s   answered %s/s   rate-limited %s/s\n",
		rate_of(n[0], st, TEREDO_EV_rs_received),
		rate_of(n[1], st, TEREDO_EV_ra_sent),
		rate_of(n[2], st, TEREDO_DROP_rate_limited));
	miredoctl_begin(out, "Clients");
	if (miredoctl_clients(st) == UINT64_MAX)
		fprintf(out, "more than 400,000");
	else
		fprintf(out, "%s", text_count(n[0], miredoctl_clients(st)));
	fprintf(out, " seen within 5 min\n");
	miredoctl_begin(out, "Bubbles");
	fprintf(out, "%s/s relayed, %s/s refused      tests %s/s\n",
		rate_of(n[0], st, TEREDO_EV_bubble_forwarded),
		rate_of(n[1], st, TEREDO_DROP_not_relayed),
		rate_of(n[2], st, TEREDO_EV_echo_forwarded));
	if (st->role == PRIV_SERVER)
		print_drop_rates(st, out);
}
