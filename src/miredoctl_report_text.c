/*
 * miredoctl_report_text.c - the report to be pasted into a letter
 */
#include "config.h"

#include <inttypes.h>

#include "miredoctl_peers.h"
#include "miredoctl_event_words.h"
#include "miredoctl_report.h"
#include "miredoctl_status.h"
#include "text.h"

static void write_peers(const struct report *r, FILE *out)
{
	char addr[TEXT_IP6_LEN], ep[TEXT_EP_LEN], age[TEXT_AMOUNT_LEN];
	char rx[TEXT_AMOUNT_LEN], tx[TEXT_AMOUNT_LEN];

	fprintf(out, "\n== Peers: %u\n", r->n_peers);
	for (unsigned i = 0; i < r->n_peers && i < REPORT_SHOWN; i++) {
		const struct ctl_peer *p = &r->peer[i];

		fprintf(out, "  %-39s %-7s %-21s", text_ip6(addr, p->addr),
			miredoctl_way(p->way),
			p->ip != 0 ? text_ep(ep, p->ip, p->port) : "-");
		fprintf(out, " %s", p->age == UINT64_MAX
					    ? "never"
					    : text_duration(age, p->age));
		if (p->rtt != 0)
			fprintf(out, ", %.1f ms", (double)p->rtt / 1e6);
		fprintf(out, ", rx %s, tx %s\n", text_bytes(rx, p->rx.bytes),
			text_bytes(tx, p->tx.bytes));
	}
	if (r->n_peers > REPORT_SHOWN)
		fprintf(out, "  and %u more\n", r->n_peers - REPORT_SHOWN);
}

static void write_events(const struct report *r, FILE *out)
{
	unsigned first = r->n_events > REPORT_SHOWN
				 ? r->n_events - REPORT_SHOWN : 0;
	char age[TEXT_AMOUNT_LEN];

	fprintf(out, "\n== Events: %u\n", r->n_events);
	for (unsigned i = first; i < r->n_events; i++) {
		fprintf(out, "  %12s ago  ",
			text_duration(age,
				      r->st.head.now - r->event[i].time));
		event_print(&r->event[i], out);
		fputc('\n', out);
	}
}

static void write_counters(const struct report *r, FILE *out)
{
	fprintf(out, "\n== Counters\n");
	for (unsigned i = 0; i < TEREDO_N_COUNTERS; i++)
		if (r->st.counters[i] != 0)
			fprintf(out, "  %-32s %" PRIu64 "\n",
				teredo_counter_name((enum teredo_counter)i),
				r->st.counters[i]);
}

void report_write_text(const struct report *r, FILE *out)
{
	fprintf(out,
		"miredo report of %s; made on this host, sent nowhere\n"
		"%s\n\n== Status\n",
		r->when, r->masked ? "addresses are numbered; --full shows them"
				   : "with all addresses");
	miredoctl_print_text(&r->st, out);
	if (r->allowed) {
		write_peers(r, out);
		write_events(r, out);
	} else {
		fprintf(out, "\n== Peers and events: only for root and the "
			     "service user's group\n");
	}
	write_counters(r, out);
	fprintf(out, "\n== System\n  miredo %s\n  %s\n  %s\n", PACKAGE_VERSION,
		r->kernel, r->system);
}
