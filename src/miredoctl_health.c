/*
 * miredoctl_health.c - what is wrong, in words with names and numbers in them
 *
 * health.c finds the reasons and has a sentence and a remedy for each; here
 * they get what this status knows beside: which server, which interface, when
 * it is tried again. A screen ends with one next step at most, which is the
 * remedy of what is most important.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "date.h"
#include "miredoctl.h"
#include "miredoctl_status.h"
#include "text.h"

#define TEXT_WIDTH 56	/* beside the codes */
#define CODE_WIDTH 19

static void server_text(char *buf, const struct ctl_status *st)
{
	char ip[TEXT_IP4_LEN], again[TEXT_AMOUNT_LEN] = "at once";

	if (st->retry_in >= 1000000000u)
		snprintf(again, sizeof(again), "in %" PRIu64 " s",
			 st->retry_in / 1000000000u);
	snprintf(buf, MIREDOCTL_REASON_MAX,
		 "No answer from %s:3544 (UDP). It is off, or something "
		 "between you and it blocks UDP 3544. Next try %s.%s",
		 text_ip4(ip, st->server_ip), again,
		 miredoctl_has_address(st) ? " Address and peers are kept."
					   : "");
}

static void engine_text(char *buf, const struct ctl_status *st)
{
	char again[TEXT_AMOUNT_LEN] = "at once";

	if (st->retry_in >= 1000000000u)
		snprintf(again, sizeof(again), "in %" PRIu64 " s",
			 st->retry_in / 1000000000u);
	snprintf(buf, MIREDOCTL_REASON_MAX,
		 "The engine, which handles every packet, ended %" PRIu32
		 " times within a minute: %.47s. The next one starts %s.",
		 st->deaths, st->fate, again);
}

static void shadow_text(char *buf, const struct ctl_status *st)
{
	bool client = st->role == PRIV_CLIENT;

	if (st->link.other[0] != '\0')
		snprintf(buf, MIREDOCTL_REASON_MAX,
			 "The %s route of %.19s (metric %" PRIu32 ") wins over "
			 "ours: packets for %s leave there.",
			 client ? "IPv6" : "prefix's", st->link.other,
			 st->link.other_metric,
			 client ? "native hosts" : "Teredo clients");
	else
		snprintf(buf, MIREDOCTL_REASON_MAX,
			 "There is no route through the tunnel any more, or "
			 "one that refuses wins over it.");
}

const char *miredoctl_health_text(char buf[MIREDOCTL_REASON_MAX],
				  const struct ctl_status *st, enum health h)
{
	char text[40];

	snprintf(buf, MIREDOCTL_REASON_MAX, "%s", health_reason(h)->text);
	switch ((int)h) {
	case HEALTH_ENGINE_DOWN:
		engine_text(buf, st);
		break;
	case HEALTH_SERVER_UNREACHABLE:
		if (st->server_ip != 0)
			server_text(buf, st);
		break;
	case HEALTH_DNS_FAILED:
		snprintf(buf, MIREDOCTL_REASON_MAX,
			 "%.120s has no IPv4 address: DNS does not answer, or "
			 "says no.", st->server_name);
		break;
	case HEALTH_ROUTE_SHADOWED:
		shadow_text(buf, st);
		break;
	case HEALTH_IFACE_DOWN:
	case HEALTH_IFACE_GONE:
		snprintf(buf, MIREDOCTL_REASON_MAX, h == HEALTH_IFACE_DOWN
			 ? "Somebody set %.19s down; it is left so."
			 : "%.19s was deleted or moved away, and cannot be "
			   "made again.", st->instance);
		break;
	case HEALTH_MAPPING_UNSTABLE:
		snprintf(buf, MIREDOCTL_REASON_MAX,
			 "The NAT changed the mapping %" PRIu64 " times in %s, "
			 "and with it the address.",
			 st->counters[TEREDO_EV_mapping_changed],
			 text_duration(text, st->engine_age));
		break;
	case HEALTH_SUNSET_NEAR:
		snprintf(buf, MIREDOCTL_REASON_MAX,
			 "Nothing will be answered from %s on, in %" PRIu32
			 " days.", date_text(text, st->sunset),
			 st->link.sunset_days);
		break;
	default:
		break;
	}
	return buf;
}

const char *miredoctl_health_remedy(char buf[MIREDOCTL_REASON_MAX],
				    const struct ctl_status *st, enum health h)
{
	if (h == HEALTH_IFACE_DOWN)
		snprintf(buf, MIREDOCTL_REASON_MAX, "ip link set dev %.19s up",
			 st->instance);
	else if (h == HEALTH_DNS_FAILED)
		snprintf(buf, MIREDOCTL_REASON_MAX,
			 "getent ahostsv4 %.120s", st->server_name);
	else if (h == HEALTH_ROUTE_SHADOWED && st->role != PRIV_CLIENT)
		snprintf(buf, MIREDOCTL_REASON_MAX,
			 "miredoctl -i %.19s route 2001::1; ip -6 route",
			 st->instance);
	else
		snprintf(buf, MIREDOCTL_REASON_MAX, "%s",
			 health_reason(h)->remedy);
	return buf;
}

static void print_reason(const struct ctl_status *st, enum health h,
			 bool worst, FILE *out)
{
	static const enum miredoctl_colour colour[] = {
		[HEALTH_INFO] = PLAIN, [HEALTH_WARNING] = YELLOW,
		[HEALTH_ERROR] = RED,
	};
	const struct health_reason *r = health_reason(h);
	char text[MIREDOCTL_REASON_MAX], try[MIREDOCTL_REASON_MAX + 5];

	fprintf(out, "  %s%-*s%s", miredoctl_colour(colour[r->severity]),
		CODE_WIDTH, r->code, miredoctl_colour(PLAIN));
	miredoctl_wrap(out, miredoctl_health_text(text, st, h), CODE_WIDTH + 2,
		       TEXT_WIDTH);
	if (!worst)
		return;
	snprintf(try, sizeof(try), "Try: %s",
		 miredoctl_health_remedy(text, st, h));
	fprintf(out, "  %-*s", CODE_WIDTH, "");
	miredoctl_wrap(out, try, CODE_WIDTH + 2, TEXT_WIDTH);
}

void miredoctl_print_health(const struct ctl_status *st, FILE *out)
{
	uint32_t found = health_find(st);
	enum health worst = health_worst(found);
	unsigned problems = 0;

	for (unsigned h = 0; h < HEALTHS; h++)
		problems += (found & 1u << h) != 0 &&
			    health_reason((enum health)h)->severity !=
				    HEALTH_INFO;
	if (problems == 0)
		fprintf(out, "Health: %sok%s\n", miredoctl_colour(GREEN),
			miredoctl_colour(PLAIN));
	else
		fprintf(out, "Health: %u problem%s\n", problems,
			problems == 1 ? "" : "s");
	for (unsigned h = 0; h < HEALTHS; h++)
		if ((found & 1u << h) != 0)
			print_reason(st, (enum health)h, h == worst, out);
}

int miredoctl_health_exit(const struct ctl_status *st)
{
	return health_is_well(health_find(st)) ? CTL_EXIT_OK
					       : CTL_EXIT_DEGRADED;
}
