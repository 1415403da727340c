/*
 * miredoctl_events.c - what happens, line by line
 *
 * The words are in miredoctl_event_words.c.
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

#include "miredoctl.h"
#include "miredoctl_event_words.h"
#include "text.h"

#define TRIES	100	/* for the next engine, 100 ms apart */
#define TIME_LEN 40

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
	char when[TIME_LEN];

	time_of(when, e, false);
	fprintf(out, "%s  ", when);
	event_print(e, out);
	fputc('\n', out);
}

/* null: an event of single words */
static json_t *bits_json(const struct ctl_event *e, uint32_t bits)
{
	json_t *list = event_bit(e, 0) != NULL ? json_array() : json_null();

	for (unsigned bit = 0; bit < 32; bit++)
		if ((bits & 1u << bit) != 0 && event_bit(e, bit) != NULL)
			json_array_append_new(list,
					      json_string(event_bit(e, bit)));
	return list;
}

static json_t *event_json(const struct ctl_event *e)
{
	char when[TIME_LEN], addr[TEXT_IP6_LEN], old[TEXT_IP6_LEN];
	char ep[TEXT_EP_LEN];
	const char *word = event_word(e, e->value);
	bool words = word[0] != '\0';

	time_of(when, e, true);
	return json_pack(
		"{s:s,s:s,s:s,s:s?,s:s?,s:o,s:o,s:s?,s:s?,s:s?,s:o}", "schema",
		"miredo.event/1", "time", when, "event", event_name(e), "value",
		words ? word : NULL, "old_value",
		words && !e->fresh ? event_word(e, e->old) : NULL, "came",
		bits_json(e, event_came(e)), "went",
		bits_json(e, event_went(e)), "address",
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
