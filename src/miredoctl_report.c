/*
 * miredoctl_report.c - a report to give to others, as text or as a page
 *
 * Everything is asked for at once and written to memory, masked there unless
 * that is not wanted, and only then put into its file, so that a report is
 * whole or is not there. The server's name is hidden before: text shortens and
 * breaks a long one, and no search would find its parts. Who may not see peers
 * gets a report without them.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "miredoctl.h"
#include "miredoctl_report.h"
#include "miredoctl_status.h"

/* ---- asking ---- */

static int get_peers(struct report *r, int fd)
{
	struct ctl_peers page;
	uint32_t place = 0;
	size_t len;
	int error;

	while (place != CTL_PEERS_END && r->n_peers < REPORT_PEERS) {
		error = miredoctl_request(fd, CTL_PEERS, place, NULL, false);
		if (error == 0)
			error = miredoctl_answer(
				fd, &page, sizeof(page),
				offsetof(struct ctl_peers, peer), &len, false);
		if (error != 0)
			return error;
		if (page.n > CTL_PEERS_MAX || page.next <= place ||
		    len < offsetof(struct ctl_peers, peer) +
				  page.n * sizeof(page.peer[0]))
			return CTL_EXIT_FAILED;
		for (uint32_t i = 0; i < page.n && r->n_peers < REPORT_PEERS;
		     i++)
			r->peer[r->n_peers++] = page.peer[i];
		place = page.next;
	}
	return 0;
}

static int get_events(struct report *r, int fd)
{
	struct ctl_events page;
	size_t len;
	int error =
		miredoctl_request(fd, CTL_EVENTS, CTL_EVENTS_PAST, NULL, false);

	if (error == 0)
		error = miredoctl_answer(fd, &page, sizeof(page),
					 offsetof(struct ctl_events, event),
					 &len, false);
	if (error != 0)
		return error;
	if (page.n > CTL_EVENTS_MAX ||
	    len < offsetof(struct ctl_events, event) +
			  page.n * sizeof(page.event[0]))
		return CTL_EXIT_FAILED;
	memcpy(r->event, page.event, page.n * sizeof(page.event[0]));
	r->n_events = page.n;
	return 0;
}

static int by_traffic(const void *a, const void *b)
{
	const struct ctl_peer *p = a, *q = b;
	uint64_t x = p->rx.bytes + p->tx.bytes, y = q->rx.bytes + q->tx.bytes;

	if (x != y)
		return x < y ? 1 : -1;
	return memcmp(p->addr, q->addr, sizeof(p->addr));
}

/* 0, or an exit code; who may not see peers has none. */
static int gather(struct report *r, const struct miredoctl_args *args)
{
	int fd, error = miredoctl_get_status(args, &r->st, false);

	if (error == 0)
		error = miredoctl_connect(args, &fd, false);
	if (error != 0)
		return error;
	error = get_peers(r, fd);
	if (error == 0)
		error = get_events(r, fd);
	close(fd);
	r->allowed = error == 0;
	qsort(r->peer, r->n_peers, sizeof(r->peer[0]), by_traffic);
	return error == CTL_EXIT_DENIED ? 0 : error;
}

static void look_around(struct report *r)
{
	time_t now = time(NULL);
	struct utsname u;
	struct tm tm;

	if (uname(&u) == 0)
		snprintf(r->kernel, sizeof(r->kernel), "%.20s %.60s %.20s",
			 u.sysname, u.release, u.machine);
	snprintf(r->system, sizeof(r->system), "%s, IPv6 %s",
		 access("/dev/net/tun", F_OK) == 0 ? "/dev/net/tun is there"
						   : "no /dev/net/tun",
		 access("/proc/net/if_inet6", F_OK) == 0 ? "on" : "off");
	gmtime_r(&now, &tm);
	strftime(r->when, sizeof(r->when), "%Y-%m-%d %H:%M UTC", &tm);
}

/* ---- writing ---- */

/* An address as the name is masked as one. */
static void hide_server(struct ctl_status *st)
{
	uint32_t ip;

	if (st->server_name[0] != '\0' &&
	    inet_pton(AF_INET, st->server_name, &ip) != 1)
		snprintf(st->server_name, sizeof(st->server_name), "SERVER");
}

/* The whole of it; NULL: out of memory. The caller's. */
static char *compose(struct report *r, bool html)
{
	char *text = NULL, *masked, name[sizeof(r->st.server_name)];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	snprintf(name, sizeof(name), "%s", r->st.server_name);
	if (r->masked)
		hide_server(&r->st);
	if (html)
		report_write_html(r, out);
	else
		report_write_text(r, out);
	if (fclose(out) != 0 || !r->masked)
		return text;
	masked = report_mask(text, name);
	free(text);
	return masked;
}

static int put(const char *text, const char *file)
{
	FILE *out;

	if (file != NULL && strcmp(file, "-") == 0)
		file = NULL;
	out = file != NULL ? fopen(file, "we") : stdout;
	if (out != NULL && fputs(text, out) >= 0 && fflush(out) == 0 &&
	    (out == stdout || fclose(out) == 0)) {
		if (file != NULL)
			printf("written to %s\n", file);
		return CTL_EXIT_OK;
	}
	fprintf(stderr, "miredoctl: cannot write %s: %s\n",
		file != NULL ? file : "the report", strerror(errno));
	return CTL_EXIT_FAILED;
}

int miredoctl_cmd_report(const struct miredoctl_args *args)
{
	static struct report r;
	char *text;
	int error = gather(&r, args);

	if (error != 0)
		return error;
	look_around(&r);
	r.masked = args->value[OPT_FULL] == NULL;
	text = compose(&r, args->value[OPT_HTML] != NULL);
	if (text == NULL) {
		fputs("miredoctl: out of memory\n", stderr);
		return CTL_EXIT_FAILED;
	}
	error = put(text, args->value[OPT_OUTPUT]);
	free(text);
	return error;
}
