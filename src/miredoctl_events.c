/*
 * miredoctl_events.c - what happens, line by line
 *
 * An engine that is replaced ends the connection; the next one is asked, which
 * begins with its own start. The engine counts time from boot, so that the
 * clock on the wall is looked at here, and it is the time of day now that
 * tells when it was.
 */
#include "config.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "../libteredo/client.h"
#include "ctl_records.h"
#include "health.h"
#include "miredoctl.h"
#include "miredoctl_peers.h"
#include "text.h"

#define TRIES	100	/* for the next engine, 100 ms apart */
#define TIME_LEN 40

/* In a row's name, with what changes it by its value. */
static const char *name_of(const struct ctl_event *e)
{
	static const char *const name[] = {
		[CTL_EVENT_STARTED] = "started",
		[CTL_EVENT_STATE] = "state-changed",
		[CTL_EVENT_QUALIFIED] = "qualified",
		[CTL_EVENT_ADDRESS] = "address-changed",
		[CTL_EVENT_NAT] = "nat-changed",
		[CTL_EVENT_PEER] = "peer-",
		[CTL_EVENT_LINK] = "link-changed",
		[CTL_EVENT_HEALTH] = "health-changed",
	};

	if (e->kind == CTL_EVENT_PEER && e->value == TEREDO_WAY_RELAY)
		return "peer-relay";
	if (e->kind == CTL_EVENT_PEER && e->value == TEREDO_WAY_LOCAL)
		return "peer-local";
	if (e->kind == CTL_EVENT_PEER)
		return "peer-direct";
	if (e->kind < sizeof(name) / sizeof(name[0]) && name[e->kind] != NULL)
		return name[e->kind];
	return "unknown";
}

/* The most important one, or "ok". */
static const char *health_word(uint32_t bits)
{
	enum health h = health_worst(health_visible(bits));

	return h < HEALTHS ? health_reason(h)->code : "ok";
}

/* The value in words; "" where a number says it. */
static const char *word_of(const struct ctl_event *e, uint32_t value)
{
	if (e->kind == CTL_EVENT_STATE && value < TEREDO_CLIENT_STATES)
		return teredo_client_state_name(
			(enum teredo_client_state)value);
	if (e->kind == CTL_EVENT_NAT && value < TEREDO_NATS)
		return teredo_nat_name((enum teredo_nat)value);
	if (e->kind == CTL_EVENT_LINK && (value & PRIV_LINK_HELD) != 0)
		return "held";
	if (e->kind == CTL_EVENT_LINK && (value & PRIV_LINK_DOWN) != 0)
		return "down";
	if (e->kind == CTL_EVENT_LINK && (value & PRIV_LINK_HOMELESS) != 0)
		return "no-bind-address";
	if (e->kind == CTL_EVENT_HEALTH)
		return health_word(value);
	if (e->kind == CTL_EVENT_LINK)
		return (value & PRIV_LINK_CARRIER) != 0 ? "carrier"
							: "no-carrier";
	return "";
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Both in UTC: "2026-11-22T04:55:01.123Z", "2026-11-22 04:55:01". */
static void time_of(char text[TIME_LEN], const struct ctl_event *e,
		    bool machine)
{
	uint64_t age = clock_ns(CLOCK_BOOTTIME) - e->time;
	uint64_t ns = clock_ns(CLOCK_REALTIME) - age;
	time_t seconds = (time_t)(ns / 1000000000u);
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(text, TIME_LEN,
		     machine ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &tm);
	if (machine)
		snprintf(text + n, TIME_LEN - n, ".%03uZ",
			 (unsigned)(ns / 1000000u % 1000u));
}

static bool is_set(const uint8_t addr[16])
{
	static const uint8_t none[16];

	return memcmp(addr, none, sizeof(none)) != 0;
}

/* ---- a line ---- */

static void print_text(const struct ctl_event *e, FILE *out)
{
	char when[TIME_LEN], addr[TEXT_IP6_LEN], ep[TEXT_EP_LEN];
	const char *word = word_of(e, e->value);

	time_of(when, e, false);
	fprintf(out, "%s  %-15s", when, name_of(e));
	if (word[0] != '\0')
		fprintf(out, "  %s, was %s", word, word_of(e, e->old));
	else if (e->kind == CTL_EVENT_STARTED)
		fprintf(out, "  engine %u", e->value);
	if (is_set(e->addr))
		fprintf(out, "  %s", text_ip6(addr, e->addr));
	if (is_set(e->old_addr))
		fprintf(out, " replaces %s", text_ip6(addr, e->old_addr));
	if (e->ip != 0)
		fprintf(out, "  at %s", text_ep(ep, e->ip, e->port));
	fputc('\n', out);
}

static json_t *event_json(const struct ctl_event *e)
{
	char when[TIME_LEN], addr[TEXT_IP6_LEN], old[TEXT_IP6_LEN];
	char ep[TEXT_EP_LEN];
	const char *word = word_of(e, e->value);
	bool words = word[0] != '\0';

	time_of(when, e, true);
	return json_pack(
		"{s:s,s:s,s:s,s:s?,s:s?,s:s?,s:s?,s:s?,s:o}", "schema",
		"miredo.event/1", "time", when, "event", name_of(e), "value",
		words ? word : NULL, "old_value",
		words ? word_of(e, e->old) : NULL, "address",
		is_set(e->addr) ? text_ip6(addr, e->addr) : NULL,
		"old_address",
		is_set(e->old_addr) ? text_ip6(old, e->old_addr) : NULL,
		"endpoint", e->ip != 0 ? text_ep(ep, e->ip, e->port) : NULL,
		"generation",
		e->kind == CTL_EVENT_STARTED ? json_integer(e->value)
					     : json_null());
}

/* One object per line. */
static int put(json_t *json)
{
	bool done = json != NULL && json_dumpf(json, stdout, 0) == 0;

	json_decref(json);
	putchar('\n');
	return done ? CTL_EXIT_OK : CTL_EXIT_FAILED;
}

static int print_lost(uint32_t lost, bool json)
{
	if (json)
		return put(json_pack("{s:s,s:s,s:I}", "schema",
				     "miredo.event/1", "event", "lost",
				     "count", (json_int_t)lost));
	printf("%u events were lost: too slow a reader\n", lost);
	return CTL_EXIT_OK;
}

static int print_all(const struct ctl_events *m, bool json)
{
	int code = m->lost > 0 ? print_lost(m->lost, json) : CTL_EXIT_OK;

	for (uint32_t i = 0; i < m->n && code == 0; i++) {
		if (json)
			code = put(event_json(&m->event[i]));
		else
			print_text(&m->event[i], stdout);
	}
	return fflush(stdout) == 0 ? code : CTL_EXIT_FAILED;
}

/* ---- asking ---- */

static int hear(int fd, struct ctl_events *m, bool quiet)
{
	size_t len, head = offsetof(struct ctl_events, event);
	int code = miredoctl_answer(fd, m, sizeof(*m), head, &len, quiet);

	if (code == 0 && (m->n > CTL_EVENTS_MAX ||
			  len != head + m->n * sizeof(m->event[0])))
		code = CTL_EXIT_FAILED;
	return code;
}

/* The stream of one engine, up to its end. *heard: there was anything. */
static int follow(const struct miredoctl_args *args, enum ctl_events_wanted w,
		  bool again, bool *heard)
{
	static const struct timeval for_ever;
	bool json = args->value[OPT_JSON] != NULL;
	struct ctl_events m;
	int fd, code = miredoctl_connect(args, &fd, again);

	if (code != 0)
		return code;
	code = miredoctl_request(fd, CTL_EVENTS, w, NULL, again);
	if (code == 0)
		code = hear(fd, &m, again);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &for_ever, sizeof(for_ever));
	while (code == 0) {
		*heard = true;
		code = print_all(&m, json);
		if (code != 0 || w == CTL_EVENTS_PAST)
			break;
		code = hear(fd, &m, true);
	}
	close(fd);
	return code;
}

int miredoctl_cmd_events(const struct miredoctl_args *args)
{
	const struct timespec pause = {.tv_nsec = 100000000};
	bool heard = false;
	int code;

	if (args->value[OPT_PAST] != NULL)
		return follow(args, CTL_EVENTS_PAST, false, &heard);
	code = follow(args, CTL_EVENTS_ALL, false, &heard);
	for (unsigned i = 0; heard && i < TRIES && ferror(stdout) == 0; i++) {
		bool again = false;

		nanosleep(&pause, NULL);
		code = follow(args, CTL_EVENTS_ALL, true, &again);
		if (again)
			i = 0;
	}
	if (heard && code != 0)
		fprintf(stderr, "miredoctl: miredo has ended\n");
	return heard ? CTL_EXIT_NOT_RUNNING : code;
}
