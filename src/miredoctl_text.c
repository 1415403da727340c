/*
 * miredoctl_text.c - the status as a screen of 80 columns
 *
 * Made to be read, and to be pasted into a report as it is: no colour, no
 * pager, nothing that is unknown. Machines take the JSON.
 */
#include "config.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "datapath.h"
#include "date.h"
#include "../libteredo/client.h"
#include "miredoctl_status.h"
#include "text.h"

#define WIDTH 79

/* A line's name; what follows is its text. */
static void begin(FILE *out, const char *name)
{
	fprintf(out, "  %-14s ", name);
}

static void print_heading(const struct ctl_status *st, FILE *out)
{
	char up[TEXT_AMOUNT_LEN], state[32], engine[24] = "";
	size_t i;
	int n;

	for (i = 0; i < sizeof(state) - 1 && miredoctl_state(st)[i]; i++)
		state[i] = (char)toupper((unsigned char)miredoctl_state(st)[i]);
	state[i] = '\0';
	if (st->generation > 1)
		snprintf(engine, sizeof(engine), " (engine %" PRIu32 ")",
			 st->generation);
	n = fprintf(out, "miredo %s  %s  %.20s  up %s%s", PACKAGE_VERSION,
		    miredoctl_role(st), st->instance,
		    text_duration(up, st->uptime), engine);
	if (n > 0 && n < WIDTH)
		fprintf(out, "%*s", WIDTH - n, state);
	fputc('\n', out);
}

static void print_server_line(const struct ctl_status *st, FILE *out)
{
	char ip[TEXT_IP4_LEN], age[TEXT_AMOUNT_LEN];

	if (st->server_name[0] == '\0')
		return;
	begin(out, "Server");
	fprintf(out, "%s", st->server_name);
	if (st->server_ip != 0 &&
	    strcmp(st->server_name, text_ip4(ip, st->server_ip)) != 0)
		fprintf(out, " (%s)", ip);
	fputc('\n', out);
	begin(out, "Last answer");
	if (st->last_answer_age == UINT64_MAX)
		fprintf(out, "never");
	else
		fprintf(out, "%s ago", text_duration(age, st->last_answer_age));
	if (st->rtt != 0)
		fprintf(out, ", after %.1f ms", (double)st->rtt / 1e6);
	if (st->failures != 0)
		fprintf(out, "; no answer to %" PRIu32 " solicitations",
			st->failures);
	fputc('\n', out);
}

static void print_mapping(const struct ctl_status *st, FILE *out)
{
	char local[TEXT_EP_LEN], external[TEXT_EP_LEN], age[TEXT_AMOUNT_LEN];

	begin(out, "Mapping");
	if (st->local_ip != 0)
		fprintf(out, "%s -> ",
			text_ep(local, st->local_ip, st->local_port));
	fprintf(out, "%s, for %s\n",
		text_ep(external, st->mapped_ip, st->mapped_port),
		text_duration(age, st->address_age));
}

/* Half seconds matter here. */
static void print_refresh(const struct ctl_status *st, FILE *out)
{
	begin(out, "Refresh");
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
	begin(out, "Authentication");
	if (st->role == PRIV_CLIENT)
		fprintf(out, "%s%s\n", auth_algorithm_name(st->auth_algorithm),
			st->auth_expired ? "; the server refuses our key" : "");
	else
		fprintf(out, "%" PRIu32 " keys, %srequired\n", st->auth_keys,
			st->auth_required ? "" : "not ");
}

static void print_client(const struct ctl_status *st, FILE *out)
{
	char addr[TEXT_IP6_LEN];

	if (miredoctl_has_address(st)) {
		begin(out, "Address");
		fprintf(out, "%s\n", text_ip6(addr, st->addr));
	}
	print_server_line(st, out);
	print_authentication(st, out);
	if (miredoctl_nat(st) != NULL) {
		begin(out, "NAT");
		fprintf(out, "%s\n", miredoctl_nat(st));
	}
	if (!miredoctl_has_address(st))
		return;
	print_mapping(st, out);
	print_refresh(st, out);
	begin(out, "MTU");
	fprintf(out, "%" PRIu32 "\n", st->mtu);
	begin(out, "Peers");
	fprintf(out,
		"%" PRIu32 " direct, %" PRIu32 " via relays, %" PRIu32
		" pending (limit %" PRIu32 ")\n",
		st->peers_direct, st->peers_relay, st->peers_pending,
		st->peers_max);
	if (st->neighbours == 0 && st->peers_local == 0)
		return;
	begin(out, "On this link");
	fprintf(out, "%" PRIu32 " discovered, %" PRIu32 " of the direct peers\n",
		st->neighbours, st->peers_local);
}

static void print_relay_peers(const struct ctl_status *st, FILE *out)
{
	begin(out, "Peers");
	fprintf(out,
		"%" PRIu32 " verified, %" PRIu32 " unverified (limit %" PRIu32
		")\n",
		st->peers_direct, st->peers_pending, st->peers_max);
}

static void print_relay(const struct ctl_status *st, FILE *out)
{
	const uint8_t *b = (const uint8_t *)&st->prefix;
	uint8_t addr[16] = {b[0], b[1], b[2], b[3]};
	char text[TEXT_IP6_LEN], ep[TEXT_EP_LEN];

	begin(out, "Bind");
	fprintf(out, "%s\n", text_ep(ep, st->local_ip, st->local_port));
	begin(out, "Prefix");
	fprintf(out, "%s/32, MTU %" PRIu32 "\n", text_ip6(text, addr), st->mtu);
	print_relay_peers(st, out);
}

static void print_server(const struct ctl_status *st, FILE *out)
{
	const uint64_t *n = st->counters;
	char ep[TEXT_EP_LEN];

	begin(out, "Primary");
	fprintf(out, "%s\n", text_ep(ep, st->server_ip, st->local_port));
	begin(out, "Secondary");
	fprintf(out, "%s\n",
		st->server_ip2 != 0
			? text_ep(ep, st->server_ip2, st->local_port)
			: "none: clients cannot tell a symmetric NAT");
	print_authentication(st, out);
	begin(out, "Solicitations");
	fprintf(out, "%" PRIu64 " received, %" PRIu64 " answered\n",
		n[TEREDO_EV_rs_received], n[TEREDO_EV_ra_sent]);
	begin(out, "Forwarded");
	fprintf(out, "%" PRIu64 " bubbles, %" PRIu64 " connectivity tests\n",
		n[TEREDO_EV_bubble_forwarded], n[TEREDO_EV_echo_forwarded]);
}

/* RFC 4380 5.5 */
static void print_sunset(const struct ctl_status *st, FILE *out)
{
	char date[DATE_LEN];

	if (st->native[0] != '\0') {
		begin(out, "Dormant");
		fprintf(out, "native IPv6 on %.19s%s\n", st->native,
			st->role == PRIV_RELAY ? "; a relay for this host"
					       : "");
	}
	if (st->sunset != 0) {
		begin(out, "Sunset");
		fprintf(out, "%s%s\n", date_text(date, st->sunset),
			st->role == PRIV_DORMANT ? ": nothing is answered"
						 : "");
	}
}

static void print_traffic(const struct ctl_status *st, FILE *out)
{
	char features[DATAPATH_TEXT_LEN];
	char rx[TEXT_AMOUNT_LEN], tx[TEXT_AMOUNT_LEN];
	uint64_t drops = (uint64_t)st->tun_drops + st->udp_drops;
	const char *separator = " (";

	begin(out, "Data path");
	fprintf(out, "%s\n", datapath_text(features, st->datapath));
	begin(out, "Traffic");
	fprintf(out, "received %s, sent %s\n", text_bytes(rx, st->udp_rx.bytes),
		text_bytes(tx, st->udp_tx.bytes));
	for (unsigned i = 0; i < TEREDO_N_DROPS; i++)
		drops += st->counters[i];
	begin(out, "Dropped");
	fprintf(out, "%" PRIu64, drops);
	for (unsigned i = 0; i < TEREDO_N_DROPS; i++) {
		if (st->counters[i] == 0)
			continue;
		fprintf(out, "%s%" PRIu64 " %s", separator, st->counters[i],
			teredo_counter_name((enum teredo_counter)i));
		separator = ", ";
	}
	if (st->tun_drops != 0 || st->udp_drops != 0) {
		fprintf(out, "%s%" PRIu32 " by the kernel", separator,
			st->tun_drops + st->udp_drops);
		separator = ", ";
	}
	fprintf(out, "%s\n", separator[0] == ',' ? ")" : "");
}

void miredoctl_print_text(const struct ctl_status *st, FILE *out)
{
	enum miredoctl_health health = miredoctl_health(st);

	print_heading(st, out);
	switch (st->role) {
	case PRIV_CLIENT:
		print_client(st, out);
		break;
	case PRIV_RELAY:
		print_relay(st, out);
		break;
	case PRIV_SERVER:
		print_server(st, out);
		break;
	case PRIV_SERVER_RELAY:
		print_server(st, out);
		print_relay_peers(st, out);
		break;
	default:
		break;
	}
	print_sunset(st, out);
	print_traffic(st, out);
	if (health == HEALTH_OK)
		fprintf(out, "Health: ok\n");
	else
		fprintf(out, "Health: %s\n  %s\n",
			miredoctl_health_code(health),
			miredoctl_health_text(health));
}
