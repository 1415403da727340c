/*
 * miredoctl_route.c - does a packet to that destination take the tunnel?
 *
 * The kernel is asked what it would do, with its own choice of the source
 * address, and once more for the tunnel's interface alone. From both answers
 * follows why it is not the tunnel. The daemon is only asked which interface
 * is the tunnel, and with -i not even that.
 */
#include "config.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include <jansson.h>

#include "../libtun6/netconf.h"
#include "miredoctl.h"
#include "miredoctl_dest.h"
#include "miredoctl_status.h"
#include "text.h"

#define FLAGS	 (JSON_INDENT(1) | JSON_REAL_PRECISION(9))
#define WHY_MAX	 200
#define ROUTE_TEXT (TEXT_IP6_LEN + 8)

struct tunnel {
	char name[IF_NAMESIZE]; /* "": there is none */
	int index;
	bool running, has_address;
	bool needs_address; /* a relay has none, ever */
	uint8_t addr[16];
};

struct way {
	const struct in6_addr *addr;
	bool reachable;
	struct netconf_route route;
	char dev[IF_NAMESIZE];
	bool through;	  /* the tunnel */
	const char *code; /* why not, or what is wrong; NULL: nothing */
	char why[WHY_MAX];
};

/* ---- what is so ---- */

/* False: several run, which is said. */
static bool find_tunnel(struct tunnel *t, const struct miredoctl_args *args)
{
	const char *instance = args->value[OPT_INSTANCE];
	struct ctl_status st;
	int error = miredoctl_get_status(args, &st, true);

	memset(t, 0, sizeof(*t));
	t->running = error == 0;
	if (t->running && miredoctl_has_tunnel(&st)) {
		snprintf(t->name, sizeof(t->name), "%.15s", st.instance);
		t->needs_address = st.role == PRIV_CLIENT;
		t->has_address = miredoctl_has_address(&st);
		memcpy(t->addr, st.addr, sizeof(t->addr));
	} else if (!t->running && instance != NULL) {
		snprintf(t->name, sizeof(t->name), "%.15s", instance);
	}
	t->index = t->name[0] != '\0' ? (int)if_nametoindex(t->name) : 0;
	return error != CTL_EXIT_USAGE;
}

/* "the default route", "the route to 2001:db8::/32" */
static const char *route_text(char buf[64 + ROUTE_TEXT], const struct way *w,
			      unsigned len)
{
	char text[TEXT_IP6_LEN];
	uint8_t prefix[16] = {0};

	if (len == 0)
		return "the default route";
	memcpy(prefix, w->addr, len / 8);
	if (len % 8 != 0)
		prefix[len / 8] = (uint8_t)(w->addr->s6_addr[len / 8] &
					    (0xff00u >> len % 8));
	snprintf(buf, 64 + ROUTE_TEXT, "the route to %s/%u",
		 text_ip6(text, prefix), len);
	return buf;
}

static void say(struct way *w, const char *code, const char *why)
{
	w->code = code;
	snprintf(w->why, sizeof(w->why), "%s", why);
}

/* Another route than the tunnel's is taken; `mine` is the tunnel's. */
static void compare(struct way *w, const struct tunnel *t,
		    const struct netconf_route *mine)
{
	char buf[64 + ROUTE_TEXT], dev[sizeof(w->dev)];

	memcpy(dev, w->dev, sizeof(dev)); /* gcc fears that it overlaps why */
	if (w->route.len > mine->len) {
		w->code = "more-specific";
		snprintf(w->why, sizeof(w->why),
			 "%s by %s is more specific than what %s has",
			 route_text(buf, w, w->route.len), dev, t->name);
		return;
	}
	w->code = "metric";
	snprintf(w->why, sizeof(w->why),
		 "%s of %s (metric %u) wins over that of %s (metric %u)",
		 route_text(buf, w, w->route.len), dev,
		 w->route.metric, t->name, mine->metric);
}

static void explain(struct netconf *nc, struct way *w, const struct tunnel *t)
{
	struct netconf_route mine;

	if (w->reachable && strcmp(w->dev, "lo") == 0) {
		say(w, "own-address", "it is an address of this host");
	} else if (t->name[0] == '\0') {
		say(w, "no-tunnel", t->running
					    ? "this instance has no tunnel"
					    : "no client and no relay runs");
	} else if (t->index == 0) {
		w->code = "no-interface";
		snprintf(w->why, sizeof(w->why), "there is no interface %s",
			 t->name);
	} else if (netconf_route(nc, AF_INET6, w->addr, t->index, &mine) != 0) {
		w->code = "no-tunnel-route";
		snprintf(w->why, sizeof(w->why), "%s has no route to it%s",
			 t->name,
			 t->needs_address && !t->has_address
				 ? ": it has no address, see miredoctl status"
				 : "");
	} else if (w->reachable) {
		compare(w, t, &mine);
	} else {
		say(w, "no-route", "a route forbids it");
	}
}

static void look(struct netconf *nc, struct way *w, const struct tunnel *t)
{
	w->reachable = netconf_route(nc, AF_INET6, w->addr, 0, &w->route) == 0;
	if (w->reachable &&
	    if_indextoname((unsigned)w->route.ifindex, w->dev) == NULL)
		w->reachable = false; /* it is just gone */
	w->through = w->reachable && t->index != 0 &&
		     w->route.ifindex == t->index;
	if (!w->through)
		explain(nc, w, t);
	else if (t->has_address && w->route.has_src &&
		 memcmp(w->route.src, t->addr, sizeof(t->addr)) != 0)
		say(w, "source", "the source is not the tunnel's address: "
				 "answers take another way");
}

/* ---- how it is said ---- */

static void print_text(const struct way *w, const struct tunnel *t)
{
	const char *name = t->name[0] != '\0' ? t->name : "a tunnel";
	char text[TEXT_IP6_LEN];

	printf("%s  ->  ", text_ip6(text, w->addr->s6_addr));
	if (!w->reachable) {
		printf("%sno route%s\n", miredoctl_colour(RED),
		       miredoctl_colour(PLAIN));
	} else {
		printf("dev %s", w->dev);
		if (w->route.has_src)
			printf("  src %s", text_ip6(text, w->route.src));
		/* the tunnel's gateway is nobody */
		if (w->route.has_gateway && !w->through)
			printf("  via %s", text_ip6(text, w->route.gateway));
		printf("  %s%s %s%s\n",
		       miredoctl_colour(w->through ? GREEN : YELLOW),
		       w->through ? "through" : "NOT through", name,
		       miredoctl_colour(PLAIN));
	}
	if (w->code != NULL)
		printf("  why: %s\n", w->why);
}

static json_t *address(const uint8_t *addr, bool has)
{
	char text[TEXT_IP6_LEN];

	return has ? json_string(text_ip6(text, addr)) : json_null();
}

static json_t *way_json(const struct way *w)
{
	bool ok = w->reachable;

	return json_pack(
		"{s:o,s:b,s:s?,s:o,s:o,s:o,s:o,s:b,s:s?,s:s?}", "address",
		address(w->addr->s6_addr, true), "reachable", ok, "dev",
		ok ? w->dev : NULL, "src",
		address(w->route.src, ok && w->route.has_src), "gateway",
		address(w->route.gateway, ok && w->route.has_gateway),
		"prefix_length", ok ? json_integer(w->route.len) : json_null(),
		"metric", ok ? json_integer(w->route.metric) : json_null(),
		"through_tunnel", w->through, "reason", w->code, "why",
		w->code != NULL ? w->why : NULL);
}

static bool print_json(const struct miredoctl_dest *dest, const struct way *w,
		       const struct tunnel *t)
{
	json_t *list = json_array(), *all;
	bool complete;

	for (unsigned i = 0; i < dest->n; i++)
		json_array_append_new(list, way_json(&w[i]));
	all = json_pack("{s:s,s:s,s:s,s:s?,s:b,s:o}", "schema",
			"miredo.route/1", "version", PACKAGE_VERSION,
			"destination", dest->name, "tunnel",
			t->name[0] != '\0' ? t->name : NULL, "ipv4_first",
			dest->ipv4_first, "routes", list);
	complete = all != NULL && json_dumpf(all, stdout, FLAGS) == 0;
	json_decref(all);
	putchar('\n');
	return complete;
}

int miredoctl_cmd_route(const struct miredoctl_args *args)
{
	static struct miredoctl_dest dest;
	static struct way ways[DEST_MAX];
	struct tunnel tunnel;
	struct netconf *nc;
	bool any = false, written = true;
	int error = miredoctl_find_dest(&dest, args->operand[0]);

	if (error != 0)
		return error;
	if (!find_tunnel(&tunnel, args))
		return CTL_EXIT_USAGE;
	if (netconf_open(&nc) != 0) {
		fputs("miredoctl: cannot ask the kernel for routes\n", stderr);
		return CTL_EXIT_FAILED;
	}
	for (unsigned i = 0; i < dest.n; i++) {
		ways[i].addr = &dest.addr[i];
		look(nc, &ways[i], &tunnel);
		any |= ways[i].reachable;
	}
	netconf_close(nc);
	if (args->value[OPT_JSON] != NULL)
		written = print_json(&dest, ways, &tunnel);
	for (unsigned i = 0; args->value[OPT_JSON] == NULL && i < dest.n; i++)
		print_text(&ways[i], &tunnel);
	if (args->value[OPT_JSON] == NULL && dest.ipv4_first)
		printf("%s has IPv4 addresses, too, and programs try those "
		       "first (RFC 6724)\n",
		       dest.name);
	return written && fflush(stdout) == 0 && any ? CTL_EXIT_OK
						      : CTL_EXIT_FAILED;
}
