/*
 * conf_print.c - the effective configuration, a directive a line
 *
 * What is printed is a configuration in Miredo's syntax that gives the same
 * behaviour: defaults are spelt out, ignored directives are left out. Reading
 * it again and printing that prints the same.
 */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "../libteredo/teredo.h"
#include "conf.h"
#include "conf_value.h"
#include "date.h"

static void put(FILE *out, const char *name, const char *value)
{
	if (value[0] != '\0')
		fprintf(out, "%s %s\n", name, value);
}

static void print_datapath(const struct conf *conf, FILE *out)
{
	static const char *const words[] = {
		[CONF_DATAPATH_AUTO] = "auto",
		[CONF_DATAPATH_OFFLOAD] = "offload",
		[CONF_DATAPATH_PLAIN] = "plain",
	};

	if (conf->max_peers != 0)
		fprintf(out, "MaxPeers %u\n", conf->max_peers);
	put(out, "DataPath", words[conf->datapath]);
}

static void print_prefix(const struct conf *conf, FILE *out)
{
	struct in6_addr prefix = {{{0}}};
	char text[INET6_ADDRSTRLEN];

	memcpy(prefix.s6_addr, &conf->prefix, sizeof(conf->prefix));
	inet_ntop(AF_INET6, &prefix, text, sizeof(text));
	fprintf(out, "Prefix %s/32\n", text);
	fprintf(out, "InterfaceMTU %u\n", conf->mtu);
}

static void print_bind(const struct conf *conf, FILE *out)
{
	put(out, "BindAddress",
	    conf->bind_address[0] != '\0' ? conf->bind_address : "0.0.0.0");
	fprintf(out, "BindPort %u\n", conf->bind_port);
}

static void print_access(const struct conf *conf, FILE *out)
{
	for (unsigned i = 0; i < conf->n_access; i++) {
		const struct conf_access *rule = &conf->access[i];
		char text[INET_ADDRSTRLEN];

		inet_ntop(AF_INET, &rule->ip, text, sizeof(text));
		fprintf(out, "%s %s/%u\n",
			rule->allow ? "PeerAllow" : "PeerDeny", text,
			rule->bits);
	}
}

static void print_firewall(const struct conf *conf, FILE *out)
{
	static const char *const protocol[] = {
		[CONF_INBOUND_TCP] = "tcp",
		[CONF_INBOUND_UDP] = "udp",
	};
	char addr[INET6_ADDRSTRLEN];

	put(out, "InboundFirewall", conf->firewall ? "enabled" : "disabled");
	for (unsigned i = 0; i < conf->n_inbound; i++) {
		const struct conf_inbound *rule = &conf->inbound[i];

		fputs("InboundAllow ", out);
		if (rule->protocol == CONF_INBOUND_ANY)
			fputs("any", out);
		else
			fprintf(out, "%s/%u", protocol[rule->protocol],
				rule->first);
		if (rule->last != rule->first)
			fprintf(out, "-%u", rule->last);
		if (rule->bits != 0)
			fprintf(out, "@%s/%u",
				inet_ntop(AF_INET6, rule->addr, addr,
					  sizeof(addr)), rule->bits);
		fputc('\n', out);
	}
}

static void print_keys(const struct conf *conf, FILE *out)
{
	put(out, "KeyFile", conf->key_file);
	put(out, "ClientIdentifier", conf->client_id);
	if (conf->role != CONF_CLIENT && conf->key_file[0] != '\0')
		put(out, "RequireAuthentication",
		    conf->require_auth ? "yes" : "no");
}

static void print_native(const struct conf *conf, FILE *out)
{
	static const char *const words[] = {
		[CONF_NATIVE_RELAY] = "relay",
		[CONF_NATIVE_SLEEP] = "sleep",
		[CONF_NATIVE_IGNORE] = "ignore",
	};

	put(out, "NativeIPv6", words[conf->native]);
}

static void print_sunset(const struct conf *conf, FILE *out)
{
	char date[DATE_LEN];

	if (conf->sunset != 0)
		put(out, "SunsetDate", date_text(date, conf->sunset));
}

static void print_client(const struct conf *conf, FILE *out)
{
	static const char *const discovery[] = {
		[TEREDO_DISCOVERY_OFF] = "disabled",
		[TEREDO_DISCOVERY_NAT] = "enabled",
		[TEREDO_DISCOVERY_ANY] = "forced",
	};

	put(out, "RelayType", "client");
	put(out, "InterfaceName", conf->ifname);
	for (unsigned i = 0; i < conf->n_servers; i++) {
		put(out, "ServerAddress", conf->server[i].name);
		put(out, "ServerAddress2", conf->server[i].name2);
	}
	print_bind(conf, out);
	print_access(conf, out);
	if (conf->find_refresh)
		put(out, "RefreshInterval", "auto");
	else
		fprintf(out, "RefreshInterval %u\n", conf->refresh);
	put(out, "LocalDiscovery", discovery[conf->discovery]);
	print_keys(conf, out);
	print_firewall(conf, out);
	print_native(conf, out);
}

static void print_relay(const struct conf *conf, FILE *out)
{
	put(out, "RelayType", conf->restricted ? "restricted" : "relay");
	put(out, "InterfaceName", conf->ifname);
	put(out, "RelayScope", conf->host_local ? "host" : "router");
	print_prefix(conf, out);
	print_bind(conf, out);
	print_access(conf, out);
	print_sunset(conf, out);
}

/* The second address: as given, or the one after the first if that is an
 * address. One after a name is only known when the name is resolved. */
static void print_second(FILE *out, const char *name, const char *first,
			 const char *second)
{
	char text[INET_ADDRSTRLEN];
	uint32_t ip;

	if (second[0] == '\0' && conf_value_is_ip(first, &ip)) {
		ip = htonl(ntohl(ip) + 1);
		second = inet_ntop(AF_INET, &ip, text, sizeof(text));
	}
	put(out, name, second);
}

static void print_server(const struct conf *conf, FILE *out)
{
	put(out, "RelayType",
	    conf->role == CONF_SERVER ? "server" : "server-relay");
	put(out, "InterfaceName", conf->ifname);
	put(out, "ServerBindAddress", conf->server_bind);
	print_second(out, "ServerBindAddress2", conf->server_bind,
		     conf->server_single ? "none" : conf->server_bind2);
	put(out, "ServerPublicAddress", conf->server_public);
	if (!conf->server_single)
		print_second(out, "ServerPublicAddress2", conf->server_public,
			     conf->server_public2);
	print_prefix(conf, out);
	print_keys(conf, out);
	print_sunset(conf, out);
}

void conf_print(const struct conf *conf, FILE *out)
{
	const struct conf_word *facilities;
	unsigned n = conf_value_facilities(&facilities);

	if (conf->role == CONF_CLIENT)
		print_client(conf, out);
	else if (conf->role == CONF_RELAY)
		print_relay(conf, out);
	else
		print_server(conf, out);
	print_datapath(conf, out);
	for (unsigned i = 0; i < n; i++)
		if (facilities[i].value == conf->facility && !facilities[i].old)
			put(out, "SyslogFacility", facilities[i].name);
}
