/*
 * miredoctl_json.c - the status as JSON, schema miredo.status/1
 *
 * Additive only: a reader that ignores what it does not know never breaks.
 * Numbers are numbers, addresses are strings, what is unknown or does not
 * apply to the role is null. No time of day anywhere, only ages.
 */
#include "config.h"

#include <jansson.h>

#include "../libteredo/client.h"
#include "datapath.h"
#include "date.h"
#include "miredoctl_status.h"
#include "text.h"

#define FLAGS (JSON_INDENT(1) | JSON_REAL_PRECISION(9))

/* An object being filled. A value that could not be made, for want of memory,
 * is noted in `complete`, so that only the end has to look. */
struct object {
	json_t *json;
	bool *complete;
};

static void set(struct object o, const char *name, json_t *value)
{
	if (json_object_set_new(o.json, name, value) != 0)
		*o.complete = false;
}

static struct object set_object(struct object o, const char *name)
{
	struct object inner = {.json = json_object(), .complete = o.complete};

	set(o, name, inner.json);
	return inner;
}

static void set_number(struct object o, const char *name, uint64_t n)
{
	set(o, name, json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n));
}

/* NULL, and what is no UTF-8, is null. */
static void set_string(struct object o, const char *name, const char *s)
{
	json_t *value = s != NULL ? json_string(s) : NULL;

	set(o, name, value != NULL ? value : json_null());
}

/* UINT64_MAX: never. */
static void set_seconds(struct object o, const char *name, uint64_t ns)
{
	if (ns != UINT64_MAX)
		set_number(o, name, ns / 1000000000u);
	else
		set(o, name, json_null());
}

static void set_endpoint(struct object o, const char *name, uint32_t ip,
			 uint16_t port)
{
	char ep[TEXT_EP_LEN];

	set_string(o, name, ip != 0 ? text_ep(ep, ip, port) : NULL);
}

static void set_ip4(struct object o, const char *name, uint32_t ip)
{
	char text[TEXT_IP4_LEN];

	set_string(o, name, ip != 0 ? text_ip4(text, ip) : NULL);
}

static void set_client_server(struct object o, const struct ctl_status *st)
{
	struct object s = set_object(o, "server");
	uint64_t rtt_us = st->rtt / 1000;

	set_string(s, "name", st->server_name[0] ? st->server_name : NULL);
	set_ip4(s, "ipv4", st->server_ip);
	set_ip4(s, "ipv4_secondary", st->server_ip2);
	set(s, "rtt_ms",
	    st->rtt != 0 ? json_real((double)rtt_us / 1000) : json_null());
	set_seconds(s, "last_answer_s", st->last_answer_age);
	set_number(s, "failures", st->failures);
}

static void set_nat(struct object o, const struct ctl_status *st)
{
	struct object nat = set_object(o, "nat");
	bool known = miredoctl_nat(st) != NULL;

	set_string(nat, "type", miredoctl_nat(st));
	set_string(nat, "class", miredoctl_nat_class(st));
	set(nat, "port_preserving",
	    miredoctl_port_preserving(st) < 0
		    ? json_null()
		    : json_boolean(miredoctl_port_preserving(st)));
	set(nat, "mapping_varies",
	    known ? json_boolean(st->nat == TEREDO_NAT_SYMMETRIC)
		  : json_null());
	set_endpoint(nat, "local", st->local_ip, st->local_port);
	set_endpoint(nat, "external", st->mapped_ip, st->mapped_port);
}

static void set_traffic(struct object o, const char *name,
			const struct ctl_traffic *rx,
			const struct ctl_traffic *tx)
{
	struct object t = set_object(o, name);

	set_number(t, "rx_packets", rx->packets);
	set_number(t, "rx_bytes", rx->bytes);
	set_number(t, "tx_packets", tx->packets);
	set_number(t, "tx_bytes", tx->bytes);
}

static void set_counters(struct object o, const struct ctl_status *st)
{
	struct object drops = set_object(o, "drops");
	struct object events = set_object(o, "events");

	for (unsigned i = 0; i < TEREDO_N_COUNTERS; i++)
		set_number(i < TEREDO_N_DROPS ? drops : events,
			   teredo_counter_name((enum teredo_counter)i),
			   st->counters[i]);
	set_number(drops, "kernel_udp", st->udp_drops);
	set_number(drops, "kernel_tun", st->tun_drops);
}

static void add_reason(struct object o, json_t *list, enum health h,
		       const struct ctl_status *st)
{
	const struct health_reason *r = health_reason(h);
	struct object reason = {.json = json_object(), .complete = o.complete};
	char text[MIREDOCTL_REASON_MAX];

	set_string(reason, "code", r->code);
	set_string(reason, "severity", health_severity_name(r->severity));
	set_seconds(reason, "since_s", st->health_age[h]);
	set_string(reason, "text", miredoctl_health_text(text, st, h));
	set_string(reason, "remedy", miredoctl_health_remedy(text, st, h));
	if (json_array_append_new(list, reason.json) != 0)
		*o.complete = false;
}

static void set_health(struct object o, const struct ctl_status *st)
{
	uint32_t found = health_find(st);
	json_t *list = json_array();

	for (unsigned h = 0; h < HEALTHS; h++)
		if ((found & 1u << h) != 0)
			add_reason(o, list, (enum health)h, st);
	set(o, "health", list);
}

/* The interface, and which route is taken. */
static void set_link(struct object o, const struct ctl_status *st)
{
	const struct priv_link *l = &st->link;
	struct object link;

	if (st->role == PRIV_SERVER) {
		set(o, "link", json_null());
		return;
	}
	link = set_object(o, "link");
	set(link, "carrier", json_boolean((l->bits & PRIV_LINK_CARRIER) != 0));
	set_seconds(link, "carrier_since_s", miredoctl_carrier_age(st));
	set(link, "held", json_boolean((l->bits & PRIV_LINK_HELD) != 0));
	set(link, "route_metric",
	    l->metric != 0 ? json_integer(l->metric) : json_null());
	set_string(link, "shadowed_by", l->other[0] ? l->other : NULL);
}

/* null: none in use, so that nobody proves anything but a nonce. */
static void set_authentication(struct object o, const struct ctl_status *st)
{
	struct object a;

	if (st->auth_keys == 0) {
		set(o, "authentication", json_null());
		return;
	}
	a = set_object(o, "authentication");
	if (st->role == PRIV_CLIENT) {
		set_string(a, "algorithm",
			   auth_algorithm_name(st->auth_algorithm));
		set(a, "key_valid", json_boolean(st->auth_expired == 0));
	} else {
		set_number(a, "keys", st->auth_keys);
		set(a, "required", json_boolean(st->auth_required != 0));
	}
}

/* Zero is null. */
static void set_decimal(struct object o, const char *name, uint64_t ns)
{
	set(o, name, ns != 0 ? json_real((double)(ns / 1000000u) / 1000)
			     : json_null());
}

static void set_refresh(struct object o, const struct ctl_status *st)
{
	struct object r = set_object(o, "refresh");

	set_decimal(r, "interval_s", st->refresh);
	set_string(r, "state", miredoctl_interval(st));
	set_decimal(r, "candidate_s", st->refresh_candidate);
	set_decimal(r, "maximum_s", st->refresh_max);
}

static void set_client(struct object o, const struct ctl_status *st)
{
	struct object peers;
	char text[TEXT_IP6_LEN];
	bool up = miredoctl_has_address(st);

	set_string(o, "address", up ? text_ip6(text, st->addr) : NULL);
	set_client_server(o, st);
	set_authentication(o, st);
	set_nat(o, st);
	set_refresh(o, st);
	peers = set_object(o, "peers");
	set_number(peers, "direct", st->peers_direct);
	set_number(peers, "relay", st->peers_relay);
	set_number(peers, "pending", st->peers_pending);
	set_number(peers, "limit", st->peers_max);
	set_number(peers, "local", st->peers_local);
	set_number(peers, "neighbours", st->neighbours);
}

static void set_relay_peers(struct object o, const struct ctl_status *st)
{
	struct object peers = set_object(o, "peers");

	set_number(peers, "verified", st->peers_direct);
	set_number(peers, "unverified", st->peers_pending);
	set_number(peers, "limit", st->peers_max);
}

static void set_relay(struct object o, const struct ctl_status *st)
{
	char ep[TEXT_EP_LEN];

	set_string(o, "bind", text_ep(ep, st->local_ip, st->local_port));
	set_relay_peers(o, st);
}

static void set_server(struct object o, const struct ctl_status *st)
{
	set_endpoint(o, "primary", st->server_ip, st->local_port);
	set_endpoint(o, "secondary", st->server_ip2, st->local_port);
	set(o, "clients_seen",
	    miredoctl_clients(st) != UINT64_MAX
		    ? json_integer((json_int_t)miredoctl_clients(st))
		    : json_null());
	set_authentication(o, st);
}

/* RFC 4380 5.5: what has IPv6 by other means, the announced end. */
static void set_sunset(struct object o, const struct ctl_status *st)
{
	char date[DATE_LEN];

	set_string(o, "native_ipv6", st->native[0] ? st->native : NULL);
	set_string(o, "sunset",
		   st->sunset != 0 ? date_text(date, st->sunset) : NULL);
}

/* The offloads in use; none is plain. */
static void set_datapath(struct object o, const struct ctl_status *st)
{
	json_t *list = json_array();
	const char *name;
	uint32_t bit;

	for (unsigned i = 0; (name = datapath_name(i, &bit)) != NULL; i++)
		if ((st->datapath & bit) != 0 &&
		    json_array_append_new(list, json_string(name)) != 0)
			*o.complete = false;
	set(o, "datapath", list);
	if (st->configured == PRIV_CLIENT)
		set(o, "firewall", json_boolean(st->firewall != 0));
}

static void set_all(struct object o, const struct ctl_status *st)
{
	uint32_t role = st->role == PRIV_DORMANT ? st->configured : st->role;
	struct object traffic;

	set_string(o, "schema", "miredo.status/1");
	set_string(o, "version", PACKAGE_VERSION);
	set_string(o, "role", miredoctl_role(st));
	set_string(o, "interface",
		   role != PRIV_SERVER ? st->instance : NULL);
	set(o, "pid", st->pid != 0 ? json_integer(st->pid) : json_null());
	set(o, "generation", st->generation != 0
				     ? json_integer(st->generation)
				     : json_null());
	set_string(o, "state", miredoctl_state(st));
	set_seconds(o, "since_s", miredoctl_since(st));
	set_number(o, "mtu", st->mtu);
	if (st->role == PRIV_CLIENT)
		set_client(o, st);
	else if (st->role == PRIV_RELAY)
		set_relay(o, st);
	else if (st->role == PRIV_SERVER || st->role == PRIV_SERVER_RELAY)
		set_server(o, st);
	if (st->role == PRIV_SERVER_RELAY)
		set_relay_peers(o, st);
	set_sunset(o, st);
	set_datapath(o, st);
	set_link(o, st);
	traffic = set_object(o, "traffic");
	set_number(traffic, "rx_bytes", st->udp_rx.bytes);
	set_number(traffic, "tx_bytes", st->udp_tx.bytes);
	set_number(traffic, "rx_packets", st->udp_rx.packets);
	set_number(traffic, "tx_packets", st->udp_tx.packets);
	set_traffic(traffic, "outer", &st->udp_rx, &st->udp_tx);
	set_traffic(traffic, "inner", &st->tun_tx, &st->tun_rx);
	set_counters(o, st);
	set_health(o, st);
}

bool miredoctl_print_json(const struct ctl_status *st, FILE *out)
{
	bool complete = true;
	struct object o = {.json = json_object(), .complete = &complete};

	set_all(o, st);
	if (complete)
		complete = json_dumpf(o.json, out, FLAGS) == 0;
	json_decref(o.json);
	fputc('\n', out);
	return complete;
}
