/*
 * miredoctl_text.c - the status as a screen of 80 columns
 *
 * Made to be read, and to be pasted into a report as it is: no pager, nothing
 * that is unknown, no more than 80x24. Machines take the JSON.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "datapath.h"
#include "date.h"
#include "../libteredo/client.h"
#include "miredoctl.h"
#include "miredoctl_status.h"
#include "text.h"

#define WIDTH 79

void miredoctl_begin(FILE *out, const char *name)
{
	fprintf(out, "  %-14s ", name);
}

/* In capitals, at the end of the first line. */
static const char *headline(const struct ctl_status *st)
{
	if (st->deaths != 0)
		return "NO ENGINE";
	switch (st->role) {
	case PRIV_CLIENT:
		if (st->state == TEREDO_CLIENT_LOST)
			return "SERVER LOST";
		return strcmp(miredoctl_state(st), "qualified") == 0
			       ? "QUALIFIED" : "NOT QUALIFIED";
	case PRIV_RELAY:
		return strcmp(miredoctl_state(st), "relaying") == 0
			       ? "ANNOUNCING" : "NOT ANNOUNCING";
	case PRIV_SERVER:
	case PRIV_SERVER_RELAY:
		return "SERVING";
	case PRIV_DORMANT:
		return "DORMANT";
	default:
		return "UNKNOWN";
	}
}

static void print_heading(const struct ctl_status *st, FILE *out)
{
	char up[TEXT_AMOUNT_LEN], engine[24] = "";
	const char *state = headline(st);
	int n;

	if (st->generation > 1)
		snprintf(engine, sizeof(engine), " (engine %" PRIu32 ")",
			 st->generation);
	n = fprintf(out, "miredo %s  %s  %.20s  up %s%s", PACKAGE_VERSION,
		    miredoctl_role(st),
		    strcmp(st->instance, "server") == 0 ? "-" : st->instance,
		    text_duration(up, st->uptime), engine);
	if (n > 0 && n + (int)strlen(state) < WIDTH)
		fprintf(out, "%*s", WIDTH - n - (int)strlen(state), "");
	fprintf(out, "%s%s%s\n", miredoctl_colour(BOLD), state,
		miredoctl_colour(PLAIN));
}

/* "name (address)"; a long name at the cost of the address. */
static int print_server_name(const struct ctl_status *st, FILE *out)
{
	char ip[TEXT_IP4_LEN];
	int n = fprintf(out, "%.40s", st->server_name);

	if (st->server_ip != 0 &&
	    strcmp(st->server_name, text_ip4(ip, st->server_ip)) != 0)
		n += fprintf(out, " (%s)", ip);
	return n;
}

/* "": it has been asked, and that is all. */
static void server_says(char *out, size_t size, const struct ctl_status *st)
{
	out[0] = '\0';
	if (st->failures != 0)
		snprintf(out, size, "no answer to %" PRIu32 " solicitation%s",
			 st->failures, st->failures == 1 ? "" : "s");
	else if (st->rtt != 0)
		snprintf(out, size, "RTT %.1f ms", (double)st->rtt / 1e6);
	else if (st->server_ip == 0)
		snprintf(out, size, "no IPv4 address yet");
}

static void print_server_line(const struct ctl_status *st, FILE *out)
{
	char says[64];
	char age[TEXT_AMOUNT_LEN];
	int n;

	if (st->server_name[0] == '\0')
		return;
	miredoctl_begin(out, "Server");
	n = print_server_name(st, out);
	server_says(says, sizeof(says), st);
	if (says[0] != '\0' && n <= 30) {
		fprintf(out, "%*s", 32 - n, "");
	} else if (says[0] != '\0') {
		fputc('\n', out);
		miredoctl_begin(out, "");
	}
	fprintf(out, "%s\n", says);
	miredoctl_begin(out, "Last answer");
	if (st->last_answer_age == UINT64_MAX)
		fprintf(out, "never\n");
	else
		fprintf(out, "%s ago\n",
			text_duration(age, st->last_answer_age));
}

/* In both vocabularies: the Windows word and how hard it is. */
static void print_nat(const struct ctl_status *st, FILE *out)
{
	if (miredoctl_nat(st) == NULL)
		return;
	miredoctl_begin(out, "NAT");
	fprintf(out, "%s", miredoctl_nat(st));
	if (strcmp(miredoctl_nat(st), miredoctl_nat_class(st)) != 0)
		fprintf(out, " (%s)", miredoctl_nat_class(st));
	if (miredoctl_port_preserving(st) >= 0)
		fprintf(out, ", %sport-preserving",
			miredoctl_port_preserving(st) ? "" : "not ");
	fputc('\n', out);
}

static void print_mapping(const struct ctl_status *st, FILE *out)
{
	char local[TEXT_EP_LEN], external[TEXT_EP_LEN], age[TEXT_AMOUNT_LEN];

	miredoctl_begin(out, "Local mapping");
	if (st->local_ip != 0)
		fprintf(out, "%s -> ",
			text_ep(local, st->local_ip, st->local_port));
	fprintf(out, "%s   stable %s\n",
		text_ep(external, st->mapped_ip, st->mapped_port),
		text_duration(age, st->address_age));
}

/* Half seconds matter here. */
static void print_refresh(const struct ctl_status *st, FILE *out)
{
	miredoctl_begin(out, "Refresh");
	fprintf(out, "every %.4g s", (double)st->refresh / 1e9);
	if (st->interval == TEREDO_INTERVAL_DETERMINED)
		fprintf(out, ", determined");
	else if (st->interval == TEREDO_INTERVAL_DETERMINING &&
		 st->refresh_candidate != 0)
		fprintf(out, ", being determined: %.4g s is tried",
			(double)st->refresh_candidate / 1e9);
	else if (st->interval != TEREDO_INTERVAL_FIXED)
		fprintf(out, st->interval == TEREDO_INTERVAL_DETERMINING
				     ? ", being determined"
				     : ", not determined");
	fputc('\n', out);
}

/* Only where there is something to say. */
static void print_authentication(const struct ctl_status *st, FILE *out)
{
	if (st->auth_keys == 0)
		return;
	miredoctl_begin(out, "Authentication");
	if (st->role == PRIV_CLIENT)
		fprintf(out, "%s%s\n", auth_algorithm_name(st->auth_algorithm),
			st->auth_expired ? "; the server refuses our key" : "");
	else
		fprintf(out, "%" PRIu32 " key%s, %srequired\n", st->auth_keys,
			st->auth_keys == 1 ? "" : "s",
			st->auth_required ? "" : "not ");
}

static void print_route(const struct ctl_status *st, FILE *out)
{
	miredoctl_begin(out, "MTU / route");
	fprintf(out, "%" PRIu32, st->mtu);
	if ((st->link.bits & PRIV_LINK_SHADOWED) != 0)
		fprintf(out, ", %s%.19s wins with metric %" PRIu32,
			st->link.other[0] ? "" : "none of ours: ",
			st->link.other, st->link.other_metric);
	else if (st->link.metric != 0)
		fprintf(out, ", default metric %" PRIu32
			" (native IPv6: none that wins)", st->link.metric);
	fputc('\n', out);
}

static void print_peers(const struct ctl_status *st, FILE *out)
{
	char limit[TEXT_AMOUNT_LEN], used[TEXT_AMOUNT_LEN];

	miredoctl_begin(out, "Peers");
	fprintf(out, "%" PRIu32 " direct, %" PRIu32 " via relay, %" PRIu32
		" pending      (%s of %s)\n",
		st->peers_direct, st->peers_relay, st->peers_pending,
		text_count(used, (uint64_t)st->peers_direct +
					 st->peers_relay + st->peers_pending),
		text_count(limit, st->peers_max));
	if (st->neighbours == 0 && st->peers_local == 0)
		return;
	miredoctl_begin(out, "On this link");
	fprintf(out, "%" PRIu32 " discovered, %" PRIu32 " of the direct peers\n",
		st->neighbours, st->peers_local);
}

static void print_client(const struct ctl_status *st, FILE *out)
{
	char addr[TEXT_IP6_LEN];

	if (miredoctl_has_address(st)) {
		miredoctl_begin(out, "Address");
		fprintf(out, "%s\n", text_ip6(addr, st->addr));
	}
	print_server_line(st, out);
	print_authentication(st, out);
	print_nat(st, out);
	if (!miredoctl_has_address(st))
		return;
	print_mapping(st, out);
	print_refresh(st, out);
	print_route(st, out);
	print_peers(st, out);
}

/* RFC 4380 5.5 */
static void print_sunset(const struct ctl_status *st, FILE *out)
{
	char date[DATE_LEN];

	if (st->native[0] != '\0') {
		miredoctl_begin(out, "Dormant");
		fprintf(out, "native IPv6 on %.19s%s\n", st->native,
			st->role == PRIV_RELAY ? "; a relay for this host"
					       : "");
	}
	if (st->sunset != 0) {
		miredoctl_begin(out, "Sunset");
		fprintf(out, "%s%s\n", date_text(date, st->sunset),
			st->role == PRIV_DORMANT ? ": nothing is answered"
						 : "");
	}
}

/* The drops by reason, the greatest first, as far as the line goes. */
static void print_drops(const struct ctl_status *st, FILE *out)
{
	uint64_t total = (uint64_t)st->tun_drops + st->udp_drops;
	uint64_t n[TEREDO_N_DROPS + 1];
	unsigned shown = 0;
	char piece[60];
	int used;

	n[TEREDO_N_DROPS] = total;
	for (unsigned i = 0; i < TEREDO_N_DROPS; i++) {
		n[i] = st->counters[i];
		total += n[i];
	}
	miredoctl_begin(out, "Dropped");
	used = 17 + fprintf(out, "%" PRIu64, total);
	for (; shown <= TEREDO_N_DROPS; shown++) {
		unsigned best = 0;

		for (unsigned i = 1; i <= TEREDO_N_DROPS; i++)
			if (n[i] > n[best])
				best = i;
		if (n[best] == 0)
			break;
		snprintf(piece, sizeof(piece), "%s%" PRIu64 " %s",
			 shown == 0 ? " (" : ", ", n[best],
			 best == TEREDO_N_DROPS ? "by the kernel"
			 : teredo_counter_name((enum teredo_counter)best));
		if (used + (int)strlen(piece) > WIDTH - 6)
			break;
		used += fprintf(out, "%s", piece);
		total -= n[best];
		n[best] = 0;
	}
	if (shown > 0)
		fprintf(out, "%s)", total > 0 ? ", ..." : "");
	fputc('\n', out);
}

static void print_traffic(const struct ctl_status *st, FILE *out)
{
	char features[DATAPATH_TEXT_LEN];
	char rx[TEXT_AMOUNT_LEN], tx[TEXT_AMOUNT_LEN];

	miredoctl_begin(out, "Data path");
	fprintf(out, "%s\n", datapath_text(features, st->datapath));
	miredoctl_begin(out, "Traffic");
	fprintf(out, "rx %s  tx %s\n", text_bytes(rx, st->udp_rx.bytes),
		text_bytes(tx, st->udp_tx.bytes));
	print_drops(st, out);
}

void miredoctl_print_text(const struct ctl_status *st, FILE *out)
{
	print_heading(st, out);
	if (st->deaths != 0) {	/* the rest is an engine's to know */
		miredoctl_print_health(st, out);
		return;
	}
	if (st->role == PRIV_CLIENT)
		print_client(st, out);
	if (st->role == PRIV_SERVER || st->role == PRIV_SERVER_RELAY) {
		miredoctl_print_server(st, out);
		print_authentication(st, out);
	}
	if (st->role == PRIV_RELAY || st->role == PRIV_SERVER_RELAY)
		miredoctl_print_relay(st, out);
	if (st->configured == PRIV_CLIENT) {
		miredoctl_begin(out, "Inbound");
		fprintf(out, "%s\n", st->firewall != 0
					     ? "firewall enabled"
					     : "firewall disabled");
	}
	print_sunset(st, out);
	print_traffic(st, out);
	miredoctl_print_health(st, out);
}
