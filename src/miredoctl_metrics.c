/*
 * miredoctl_metrics.c - the status as OpenMetrics text
 *
 * For node_exporter's textfile collector, say: the daemon has no HTTP port.
 * With --write the file is replaced as a whole, so that nobody reads half of
 * one; an instance that does not run is written, too, as miredo_up 0.
 *
 * Families are the table below; drops, events and codes of health come from
 * the tables that the daemon counts and judges by. miredo-metrics(7) is made
 * from the same (tests/lint/metrics.py).
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "miredoctl.h"
#include "miredoctl_status.h"

typedef void metric_fn(FILE *out, const char *name,
		       const struct ctl_status *st);

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static void put_build(FILE *out, const char *name, const struct ctl_status *st)
{
	(void)st;
	fprintf(out, "%s_info{version=\"%s\"} 1\n", name, PACKAGE_VERSION);
}

/* The label that tells instances apart, whether they run or not: so that it is
 * one series that goes from 1 to 0. A server has no interface. */
static void put_interface(FILE *out, const char *instance)
{
	fputs("interface=\"", out);
	if (strcmp(instance, "server") == 0)
		instance = "";
	for (const char *c = instance; *c != '\0'; c++)
		fprintf(out, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
	fputc('"', out);
}

static void put_instance(FILE *out, const char *name,
			 const struct ctl_status *st)
{
	fprintf(out, "%s_info{role=\"%s\",", name, miredoctl_role(st));
	put_interface(out, st->instance);
	fputs("} 1\n", out);
}

static void put_up(FILE *out, const char *name, const struct ctl_status *st)
{
	fprintf(out, "%s{", name);
	put_interface(out, st->instance);
	fprintf(out, "} %d\n", st->pid != 0);
}

static void put_uptime(FILE *out, const char *name, const struct ctl_status *st)
{
	fprintf(out, "%s %.3f\n", name, seconds(st->uptime));
}

static void put_engines(FILE *out, const char *name,
			const struct ctl_status *st)
{
	fprintf(out, "%s_total %" PRIu32 "\n", name, st->generation);
}

static void put_state(FILE *out, const char *name, const struct ctl_status *st)
{
	fprintf(out, "%s{state=\"%s\"} 1\n", name, miredoctl_state(st));
}

static void put_carrier(FILE *out, const char *name,
			const struct ctl_status *st)
{
	if (st->role != PRIV_SERVER)
		fprintf(out, "%s %d\n", name,
			(st->link.bits & PRIV_LINK_CARRIER) != 0);
}

static void put_healthy(FILE *out, const char *name,
			const struct ctl_status *st)
{
	fprintf(out, "%s %d\n", name, health_is_well(health_find(st)));
}

static void put_health(FILE *out, const char *name, const struct ctl_status *st)
{
	uint32_t found = health_find(st);

	for (unsigned h = 0; h < HEALTHS; h++) {
		const struct health_reason *r = health_reason((enum health)h);

		fprintf(out, "%s{code=\"%s\",severity=\"%s\"} %u\n", name,
			r->code, health_severity_name(r->severity),
			found >> h & 1);
	}
}

static void put_peers(FILE *out, const char *name, const struct ctl_status *st)
{
	bool client = st->role == PRIV_CLIENT;

	if (st->peers_max == 0)
		return;
	fprintf(out, "%s{state=\"%s\"} %" PRIu32 "\n", name,
		client ? "direct" : "verified", st->peers_direct);
	if (client)
		fprintf(out, "%s{state=\"relay\"} %" PRIu32 "\n", name,
			st->peers_relay);
	fprintf(out, "%s{state=\"%s\"} %" PRIu32 "\n", name,
		client ? "pending" : "unverified", st->peers_pending);
}

static void put_limit(FILE *out, const char *name, const struct ctl_status *st)
{
	if (st->peers_max != 0)
		fprintf(out, "%s %" PRIu32 "\n", name, st->peers_max);
}

static void put_rtt(FILE *out, const char *name, const struct ctl_status *st)
{
	if (st->role == PRIV_CLIENT && st->rtt != 0)
		fprintf(out, "%s %.6f\n", name, seconds(st->rtt));
}

static void put_answer(FILE *out, const char *name, const struct ctl_status *st)
{
	if (st->role == PRIV_CLIENT && st->last_answer_age != UINT64_MAX)
		fprintf(out, "%s %.3f\n", name, seconds(st->last_answer_age));
}

static void put_failures(FILE *out, const char *name,
			 const struct ctl_status *st)
{
	if (st->role == PRIV_CLIENT)
		fprintf(out, "%s %" PRIu32 "\n", name, st->failures);
}

static void put_clients(FILE *out, const char *name,
			const struct ctl_status *st)
{
	if ((st->role == PRIV_SERVER || st->role == PRIV_SERVER_RELAY) &&
	    miredoctl_clients(st) != UINT64_MAX)
		fprintf(out, "%s %" PRIu64 "\n", name, miredoctl_clients(st));
}

static void put_both_ways(FILE *out, const char *name, const char *side,
			  uint64_t rx, uint64_t tx)
{
	fprintf(out, "%s_total{direction=\"rx\",side=\"%s\"} %" PRIu64 "\n",
		name, side, rx);
	fprintf(out, "%s_total{direction=\"tx\",side=\"%s\"} %" PRIu64 "\n",
		name, side, tx);
}

static void put_packets(FILE *out, const char *name,
			const struct ctl_status *st)
{
	put_both_ways(out, name, "outer", st->udp_rx.packets,
		      st->udp_tx.packets);
	put_both_ways(out, name, "inner", st->tun_tx.packets,
		      st->tun_rx.packets);
}

static void put_bytes(FILE *out, const char *name, const struct ctl_status *st)
{
	put_both_ways(out, name, "outer", st->udp_rx.bytes, st->udp_tx.bytes);
	put_both_ways(out, name, "inner", st->tun_tx.bytes, st->tun_rx.bytes);
}

static void put_drops(FILE *out, const char *name, const struct ctl_status *st)
{
	for (unsigned i = 0; i < TEREDO_N_DROPS; i++)
		fprintf(out, "%s_total{reason=\"%s\"} %" PRIu64 "\n", name,
			teredo_counter_name((enum teredo_counter)i),
			st->counters[i]);
	fprintf(out, "%s_total{reason=\"kernel_udp\"} %" PRIu32 "\n", name,
		st->udp_drops);
	fprintf(out, "%s_total{reason=\"kernel_tun\"} %" PRIu32 "\n", name,
		st->tun_drops);
}

static void put_events(FILE *out, const char *name, const struct ctl_status *st)
{
	for (unsigned i = TEREDO_N_DROPS; i < TEREDO_N_COUNTERS; i++)
		fprintf(out, "%s_total{event=\"%s\"} %" PRIu64 "\n", name,
			teredo_counter_name((enum teredo_counter)i),
			st->counters[i]);
}

static const struct {
	const char *name, *type, *unit, *help;
	metric_fn *put;
} families[] = {
	{"miredo_build", "info", NULL, "Which version this is.", put_build},
	{"miredo_up", "gauge", NULL, "Whether the instance runs.", put_up},
	{"miredo_instance", "info", NULL, "The role, and its interface.",
	 put_instance},
	{"miredo_uptime_seconds", "gauge", "seconds",
	 "For how long the service has run, whatever its engines did.", put_uptime},
	{"miredo_engines", "counter", NULL,
	 "Engines so far; more than one after a crash or a reload.",
	 put_engines},
	{"miredo_state", "gauge", NULL, "The state, as status --json has it.",
	 put_state},
	{"miredo_carrier", "gauge", NULL,
	 "Whether the interface has carrier: of a relay, whether it is "
	 "announced.", put_carrier},
	{"miredo_healthy", "gauge", NULL,
	 "Whether there is neither an error nor a warning.", put_healthy},
	{"miredo_health", "gauge", NULL,
	 "Whether this reason is active: the codes of miredoctl(8).",
	 put_health},
	{"miredo_peers", "gauge", NULL, "Peers by the way to them.", put_peers},
	{"miredo_peers_limit", "gauge", NULL, "MaxPeers.", put_limit},
	{"miredo_server_rtt_seconds", "gauge", "seconds",
	 "Of a client: round trip to its server.", put_rtt},
	{"miredo_server_answer_age_seconds", "gauge", "seconds",
	 "Of a client: since its server's last answer.", put_answer},
	{"miredo_server_failures", "gauge", NULL,
	 "Of a client: solicitations without an answer, in a row.",
	 put_failures},
	{"miredo_clients_seen", "gauge", NULL,
	 "Of a server: clients answered within the last five minutes, about.",
	 put_clients},
	{"miredo_packets", "counter", NULL,
	 "Packets: outer are UDP datagrams, inner IPv6 packets to (rx) and from "
	 "(tx) this host.", put_packets},
	{"miredo_bytes", "counter", "bytes", "The same in octets.", put_bytes},
	{"miredo_drops", "counter", NULL, "Dropped packets by reason.",
	 put_drops},
	{"miredo_events", "counter", NULL, "What the protocol did.",
	 put_events},
};

/* Without a pid it does not run, and nothing but its name is known. */
static void put_all(FILE *out, const struct ctl_status *st)
{
	for (unsigned i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const char *name = families[i].name;

		if (st->pid == 0 && families[i].put != put_up)
			continue;
		fprintf(out, "# TYPE %s %s\n", name, families[i].type);
		if (families[i].unit != NULL)
			fprintf(out, "# UNIT %s %s\n", name, families[i].unit);
		fprintf(out, "# HELP %s %s\n", name, families[i].help);
		families[i].put(out, name, st);
	}
	fputs("# EOF\n", out);
}

/* Beside the file, and then in its place. */
static int write_file(const char *path, const struct ctl_status *st)
{
	char *temporary = NULL;
	FILE *out = NULL;
	int fd = -1, error = 0;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return CTL_EXIT_FAILED;
	fd = mkstemp(temporary);
	if (fd >= 0)
		out = fdopen(fd, "w");
	if (out == NULL) {
		error = errno;
	} else {
		put_all(out, st);
		if (fflush(out) != 0 || fchmod(fd, 0644) != 0 ||
		    rename(temporary, path) != 0)
			error = errno;
		fclose(out);
	}
	if (error != 0) {
		fprintf(stderr, "miredoctl: %s: %s\n", path, strerror(error));
		if (fd >= 0)
			unlink(temporary);
	}
	free(temporary);
	return error == 0 ? CTL_EXIT_OK
	       : error == EACCES || error == EPERM ? CTL_EXIT_DENIED
						   : CTL_EXIT_FAILED;
}

static struct ctl_status absent(const char *instance)
{
	struct ctl_status st = {.pid = 0};

	snprintf(st.instance, sizeof(st.instance), "%s",
		 instance != NULL ? instance : "");
	return st;
}

int miredoctl_cmd_metrics(const struct miredoctl_args *args)
{
	const char *path = args->value[OPT_WRITE];
	struct ctl_status st;
	int error = miredoctl_get_status(args, &st, false), written;

	if (path == NULL) {
		if (error == 0)
			put_all(stdout, &st);
		return error != 0 ? error
		       : fflush(stdout) == 0 ? CTL_EXIT_OK : CTL_EXIT_FAILED;
	}
	if (error != 0 && error != CTL_EXIT_NOT_RUNNING)
		return error;
	if (error != 0)
		st = absent(args->value[OPT_INSTANCE]);
	written = write_file(path, &st);
	return written != CTL_EXIT_OK ? written : error;
}
