/*
 * netconf.c - addresses, routes and link of the tunnel interface
 *
 * Every call may be repeated: what is there already is no error and causes no
 * notice, so that the parent can simply put everything in order again after
 * any change, and its own changes do not wake it for ever.
 *
 * Addresses are added without duplicate address detection: on a tunnel nobody
 * could answer it, and an address must be usable at once.
 *
 * A route straight to the interface would cost the kernel a neighbour entry for
 * each destination, though there is nobody to be asked for. They all share one
 * table of 1024 with the host's real links, and who scans Teredo addresses
 * through a relay would cut the host off from its own router. So routes go by a
 * gateway, that is nobody: one neighbour, and a permanent one, which the kernel
 * neither counts nor throws out when others fill that table.
 *
 * What the kernel would do on its own account is turned off (netconf_quiet):
 * a random fe80:: address beside the Teredo one, and belief in router
 * advertisements and redirects, by which an engine that went bad could give
 * the host addresses and routes behind the parent's back. Those are files
 * below /proc/sys: netlink can only read them. Their directory is kept open,
 * which keeps it the same to the kernel: a Landlock rule on it would else go
 * stale when its cache entry is dropped.
 *
 * What the host has beside the interface is netconf_host.c's.
 */
#include "config.h"

#include "netconf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netconf_nl.h"

int netconf_errno(int nle)
{
	static const struct {
		int nle, err;
	} map[] = {
		{ NLE_SUCCESS, 0 },	       { NLE_NOMEM, ENOMEM },
		{ NLE_EXIST, EEXIST },	       { NLE_INVAL, EINVAL },
		{ NLE_OBJ_NOTFOUND, ENOENT },  { NLE_NOADDR, EADDRNOTAVAIL },
		{ NLE_BUSY, EBUSY },	       { NLE_NOACCESS, EACCES },
		{ NLE_PERM, EPERM },	       { NLE_NODEV, ENODEV },
		{ NLE_OPNOTSUPP, EOPNOTSUPP }, { NLE_AGAIN, EAGAIN },
		{ NLE_AF_NOSUPPORT, EAFNOSUPPORT },
	};

	for (unsigned i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (map[i].nle == -nle)
			return -map[i].err;
	return -EIO;
}

int netconf_open(struct netconf **out)
{
	struct netconf *nc = calloc(1, sizeof(*nc));
	int err;

	if (nc == NULL)
		return -ENOMEM;
	nc->sysctl = open("/proc/sys/net/ipv6/conf",
			  O_PATH | O_DIRECTORY | O_CLOEXEC);
	nc->ask = nl_socket_alloc();
	err = nc->ask == NULL ? -NLE_NOMEM
			      : nl_connect(nc->ask, NETLINK_ROUTE);
	if (err < 0) {
		netconf_close(nc);
		return netconf_errno(err);
	}
	*out = nc;
	return 0;
}

void netconf_close(struct netconf *nc)
{
	if (nc == NULL)
		return;
	nl_socket_free(nc->watch);
	nl_socket_free(nc->ask);
	if (nc->sysctl >= 0)
		close(nc->sysctl);
	free(nc);
}

/* ---- the link ---- */

int netconf_index(struct netconf *nc, const char *ifname)
{
	struct rtnl_link *link;
	int err = rtnl_link_get_kernel(nc->ask, 0, ifname, &link);

	if (err < 0)
		return netconf_errno(err);
	err = rtnl_link_get_ifindex(link);
	rtnl_link_put(link);
	return err;
}

int netconf_is_tun(struct netconf *nc, int ifindex)
{
	struct rtnl_link *link;
	const char *kind;
	int err = rtnl_link_get_kernel(nc->ask, ifindex, NULL, &link);

	if (err < 0)
		return netconf_errno(err);
	kind = rtnl_link_get_type(link);
	err = kind != NULL && strcmp(kind, "tun") == 0;
	rtnl_link_put(link);
	return err;
}

int netconf_is_up(struct netconf *nc, int ifindex)
{
	struct rtnl_link *link;
	int err = rtnl_link_get_kernel(nc->ask, ifindex, NULL, &link);

	if (err < 0)
		return netconf_errno(err);
	err = (rtnl_link_get_flags(link) & IFF_UP) != 0;
	rtnl_link_put(link);
	return err;
}

/* Sends what `wanted` has and the link has not. Takes `wanted`. */
static int link_change(struct netconf *nc, int ifindex,
		       struct rtnl_link *wanted)
{
	struct rtnl_link *link = NULL;
	int err = -NLE_NOMEM;

	if (wanted != NULL)
		err = rtnl_link_get_kernel(nc->ask, ifindex, NULL, &link);
	if (err >= 0)
		err = rtnl_link_change(nc->ask, link, wanted, 0);
	rtnl_link_put(link);
	rtnl_link_put(wanted);
	return netconf_errno(err < 0 ? err : 0);
}

int netconf_set_link(struct netconf *nc, int ifindex, bool up)
{
	struct rtnl_link *wanted = rtnl_link_alloc();

	if (wanted != NULL && up)
		rtnl_link_set_flags(wanted, IFF_UP);
	else if (wanted != NULL)
		rtnl_link_unset_flags(wanted, IFF_UP);
	return link_change(nc, ifindex, wanted);
}

int netconf_set_mtu(struct netconf *nc, int ifindex, uint32_t mtu)
{
	struct rtnl_link *link, *wanted;
	uint32_t now;
	int err = rtnl_link_get_kernel(nc->ask, ifindex, NULL, &link);

	if (err < 0)
		return netconf_errno(err);
	now = rtnl_link_get_mtu(link);
	rtnl_link_put(link);
	if (now == mtu)
		return 0;
	wanted = rtnl_link_alloc();
	if (wanted != NULL)
		rtnl_link_set_mtu(wanted, mtu);
	return link_change(nc, ifindex, wanted);
}

static int sysctl_open(struct netconf *nc, const char *ifname, const char *key,
		       int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", ifname, key);
	return openat(nc->sysctl, path, flags | O_CLOEXEC);
}

/* Of one digit. */
static bool sysctl_is(struct netconf *nc, const char *ifname, const char *key,
		      const char *value)
{
	char now[2] = "";
	int fd = sysctl_open(nc, ifname, key, O_RDONLY);
	bool is = fd >= 0 && read(fd, now, 1) == 1 && now[0] == value[0];

	if (fd >= 0)
		close(fd);
	return is;
}

static int sysctl_write(struct netconf *nc, const char *ifname,
			const char *key, const char *value)
{
	int fd, err = 0;

	if (sysctl_is(nc, ifname, key, value))
		return 0;
	fd = sysctl_open(nc, ifname, key, O_WRONLY);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int netconf_set_queue(struct netconf *nc, int ifindex, uint32_t packets)
{
	struct rtnl_link *wanted = rtnl_link_alloc();

	if (wanted != NULL)
		rtnl_link_set_txqlen(wanted, packets);
	return link_change(nc, ifindex, wanted);
}

int netconf_quiet(struct netconf *nc, const char *ifname)
{
	static const char *const sysctl[][2] = {
		{ "disable_ipv6", "0" },
		{ "addr_gen_mode", "1" },	/* none */
		{ "accept_ra", "0" },
		{ "accept_redirects", "0" },
	};
	int first = 0;

	if (strchr(ifname, '/') != NULL)
		return -EINVAL;
	for (unsigned i = 0; i < sizeof(sysctl) / sizeof(sysctl[0]); i++) {
		int err = sysctl_write(nc, ifname, sysctl[i][0],
				       sysctl[i][1]);

		if (first == 0)
			first = err;
	}
	return first;
}

bool netconf_is_off6(struct netconf *nc, const char *ifname)
{
	return strchr(ifname, '/') == NULL &&
	       sysctl_is(nc, ifname, "disable_ipv6", "1");
}

/* ---- addresses ---- */

static struct rtnl_addr *addr_new(int ifindex, const uint8_t addr[16],
				  unsigned len, unsigned flags)
{
	struct rtnl_addr *ra = rtnl_addr_alloc();
	struct nl_addr *a = nl_addr_build(AF_INET6, addr, 16);
	int err = -NLE_NOMEM;

	if (ra != NULL && a != NULL) {
		nl_addr_set_prefixlen(a, (int)len);
		rtnl_addr_set_ifindex(ra, ifindex);
		rtnl_addr_set_flags(ra, IFA_F_NODAD | flags);
		err = rtnl_addr_set_local(ra, a);
	}
	nl_addr_put(a);
	if (err == 0)
		return ra;
	rtnl_addr_put(ra);
	return NULL;
}

static int addr_add(struct netconf *nc, int ifindex, const uint8_t addr[16],
		    unsigned len, unsigned flags)
{
	struct rtnl_addr *ra = addr_new(ifindex, addr, len, flags);
	int err;

	if (ra == NULL)
		return -ENOMEM;
	err = rtnl_addr_add(nc->ask, ra, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_addr_put(ra);
	return err == -NLE_EXIST ? 0 : netconf_errno(err);
}

int netconf_add_address(struct netconf *nc, int ifindex,
			const uint8_t addr[16], unsigned len)
{
	return addr_add(nc, ifindex, addr, len, 0);
}

static bool addr_is(struct rtnl_addr *ra, const uint8_t addr[16], unsigned len)
{
	struct nl_addr *a = rtnl_addr_get_local(ra);

	return a != NULL && nl_addr_get_len(a) == 16 &&
	       memcmp(nl_addr_get_binary_addr(a), addr, 16) == 0 &&
	       nl_addr_get_prefixlen(a) == len;
}

/* Removes the global addresses but `keep` (may be NULL). 1: it was there; 0:
 * it was not; else -errno. */
static int addr_flush_but(struct netconf *nc, int ifindex,
			  const uint8_t *keep, unsigned len)
{
	struct nl_cache *cache;
	int err = rtnl_addr_alloc_cache(nc->ask, &cache), kept = 0;

	if (err < 0)
		return netconf_errno(err);
	for (struct nl_object *o = nl_cache_get_first(cache); o != NULL;
	     o = nl_cache_get_next(o)) {
		struct rtnl_addr *ra = (struct rtnl_addr *)o;

		if (rtnl_addr_get_ifindex(ra) != ifindex ||
		    rtnl_addr_get_family(ra) != AF_INET6 ||
		    rtnl_addr_get_scope(ra) != RT_SCOPE_UNIVERSE)
			continue;
		if (keep != NULL && addr_is(ra, keep, len))
			kept = 1;
		else if (err == 0)
			err = rtnl_addr_delete(nc->ask, ra, 0);
		if (err == -NLE_NOADDR)
			err = 0;	/* gone meanwhile */
	}
	nl_cache_free(cache);
	return err < 0 ? netconf_errno(err) : kept;
}

int netconf_replace_address(struct netconf *nc, int ifindex,
			    const uint8_t addr[16], unsigned len)
{
	/* The old one goes first: at no time does the host have two. */
	int err = addr_flush_but(nc, ifindex, addr, len);

	return err == 0 ? addr_add(nc, ifindex, addr, len,
				   IFA_F_NOPREFIXROUTE)
			: err < 0 ? err : 0;
}

int netconf_flush_global(struct netconf *nc, int ifindex)
{
	return addr_flush_but(nc, ifindex, NULL, 0);
}

/* ---- routes ---- */

static const uint8_t gateway[16] = { 0xfe, 0x80, [15] = 1 };

/* The gateway as a neighbour that needs no asking for. */
static int add_gateway(struct netconf *nc, int ifindex)
{
	struct rtnl_neigh *neigh = rtnl_neigh_alloc();
	struct nl_addr *a = nl_addr_build(AF_INET6, gateway, 16);
	int err = -NLE_NOMEM;

	if (neigh != NULL && a != NULL) {
		rtnl_neigh_set_ifindex(neigh, ifindex);
		rtnl_neigh_set_state(neigh, NUD_PERMANENT);
		err = rtnl_neigh_set_dst(neigh, a);
	}
	if (err == 0)
		err = rtnl_neigh_add(nc->ask, neigh,
				     NLM_F_CREATE | NLM_F_REPLACE);
	nl_addr_put(a);
	rtnl_neigh_put(neigh);
	return netconf_errno(err);
}

static struct rtnl_route *route_new(int ifindex, const uint8_t dst[16],
				    unsigned len, uint32_t metric)
{
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *nh = rtnl_route_nh_alloc();
	struct nl_addr *a = nl_addr_build(AF_INET6, dst, 16);
	struct nl_addr *via = nl_addr_build(AF_INET6, gateway, 16);
	int err = -NLE_NOMEM;

	if (route != NULL && nh != NULL && a != NULL && via != NULL) {
		nl_addr_set_prefixlen(a, (int)len);
		rtnl_route_nh_set_ifindex(nh, ifindex);
		rtnl_route_nh_set_gateway(nh, via);
		rtnl_route_set_flags(route, RTNH_F_ONLINK);
		rtnl_route_set_family(route, AF_INET6);
		rtnl_route_set_table(route, RT_TABLE_MAIN);
		rtnl_route_set_protocol(route, RTPROT_STATIC);
		rtnl_route_set_scope(route, RT_SCOPE_UNIVERSE);
		rtnl_route_set_priority(route, metric);
		err = rtnl_route_set_dst(route, a);
	}
	nl_addr_put(a);
	nl_addr_put(via);
	if (err == 0) {
		rtnl_route_add_nexthop(route, nh);
		return route;
	}
	if (nh != NULL)
		rtnl_route_nh_free(nh);
	rtnl_route_put(route);
	return NULL;
}

int netconf_add_route(struct netconf *nc, int ifindex, const uint8_t dst[16],
		      unsigned len, uint32_t metric)
{
	struct rtnl_route *route;
	int err = add_gateway(nc, ifindex);

	if (err != 0)
		return err;
	route = route_new(ifindex, dst, len, metric);
	if (route == NULL)
		return -ENOMEM;
	err = rtnl_route_add(nc->ask, route, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_route_put(route);
	return err == -NLE_EXIST ? 0 : netconf_errno(err);
}

int netconf_del_route(struct netconf *nc, int ifindex, const uint8_t dst[16],
		      unsigned len, uint32_t metric)
{
	struct rtnl_route *route = route_new(ifindex, dst, len, metric);
	int err;

	if (route == NULL)
		return -ENOMEM;
	err = rtnl_route_delete(nc->ask, route, 0);
	rtnl_route_put(route);
	return err == -NLE_OBJ_NOTFOUND ? 0 : netconf_errno(err);
}
