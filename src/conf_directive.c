/*
 * conf_directive.c - the directives: the one table
 *
 * A directive more is a line here, a function in the file of those whom it
 * concerns (conf_directive.h), its default in conf_apply.c, a line in
 * conf_print.c, and man/miredo.conf.5.
 */
#include "config.h"

#include <assert.h>
#include <string.h>

#include "conf_directive.h"

/* clang-format off */
const struct conf_directive conf_directives[] = {
	{"RelayType", conf_apply_type, IN_ALL, 0},
	{"DataPath", conf_common_datapath, IN_ALL, 0},
	{"SyslogFacility", conf_common_facility, IN_ALL, 0},
	{"PeerAllow", conf_common_allow, IN_ALL, REPEATS},
	{"PeerDeny", conf_common_deny, IN_ALL, REPEATS},

	{"InterfaceName", conf_tunnel_name, IN_TUNNEL | IN_BOTH, 0},
	{"MaxPeers", conf_tunnel_peers, IN_TUNNEL | IN_BOTH, 0},
	{"BindAddress", conf_tunnel_address, IN_TUNNEL, 0},
	{"BindPort", conf_tunnel_port, IN_TUNNEL, 0},
	{"RelayScope", conf_tunnel_scope, IN_RELAY, 0},

	{"Prefix", conf_common_prefix, IN_ROUTING, 0},
	{"InterfaceMTU", conf_common_mtu, IN_ROUTING, 0},
	{"SunsetDate", conf_common_sunset, IN_ROUTING, 0},

	{"ServerAddress", conf_client_server, IN_CLIENT, REPEATS | NAMED},
	{"ServerAddress2", conf_client_server2, IN_CLIENT, REPEATS | NAMED},
	{"RefreshInterval", conf_client_refresh, IN_CLIENT, 0},
	{"LocalDiscovery", conf_client_discovery, IN_CLIENT, 0},
	{"InboundFirewall", conf_client_firewall, IN_CLIENT, 0},
	{"InboundAllow", conf_client_inbound, IN_CLIENT, REPEATS},
	{"NativeIPv6", conf_client_native, IN_CLIENT, 0},

	{"ServerBindAddress", conf_server_bind, IN_SERVER, NAMED},
	{"ServerBindAddress2", conf_server_bind2, IN_SERVER, 0},
	{"ServerPublicAddress", conf_server_public, IN_SERVER, 0},
	{"ServerPublicAddress2", conf_server_public2, IN_SERVER, 0},

	{"KeyFile", conf_common_key_file, IN_SECURE, 0},
	{"ClientIdentifier", conf_client_id, IN_CLIENT, 0},
	{"RequireAuthentication", conf_server_require_auth, IN_SERVER, 0},

	/* of Miredo's unreleased branch */
	{"DiscoveryInterfaces", NULL, IN_ALL, 0},
	{"DiscoveryNetmask", NULL, IN_ALL, 0},
	{NULL, NULL, 0, 0},
};
/* clang-format on */

static_assert(sizeof(conf_directives) / sizeof(*conf_directives) <=
		      CONF_DIRECTIVES_MAX, "they fit");

unsigned conf_directive_find(const char *name)
{
	unsigned d = 0;

	while (strcmp(conf_directives[d].name, name) != 0) {
		d++;
		assert(conf_directives[d].name != NULL);
	}
	return d;
}
