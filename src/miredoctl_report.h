/*
 * miredoctl_report.h - all that a report tells, for who writes it
 */
#ifndef MIREDO_MIREDOCTL_REPORT_H
#define MIREDO_MIREDOCTL_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "ctl_records.h"

#define REPORT_PEERS  512	/* that are looked at */
#define REPORT_EVENTS 256
#define REPORT_SHOWN  40	/* of either, in a list */
#define REPORT_TEXT   160

struct report {
	struct ctl_status st;
	bool allowed;		/* to see peers and events */
	bool masked;
	unsigned n_peers, n_events;
	struct ctl_peer peer[REPORT_PEERS];	/* busiest first */
	struct ctl_event event[REPORT_EVENTS];	/* oldest first */
	char kernel[REPORT_TEXT], system[REPORT_TEXT], when[40];
};

/* ---- miredoctl_report_mask.c ---- */

/* A new text in which addresses are numbered instead of shown, and the
 * server's name, too; the caller's. NULL: out of memory. */
char *report_mask(const char *text, const char *server_name);

/* ---- miredoctl_report_text.c, _html.c, _svg.c ---- */

void report_write_text(const struct report *r, FILE *out);
void report_write_html(const struct report *r, FILE *out);
/* Fit to stand in HTML. */
void report_escape(const char *text, FILE *out);
/* Us, the NAT, the server, the busiest peers, and the ways between. */
void report_draw_network(const struct report *r, FILE *out);
/* The client's state over time; nothing where no state is known. */
void report_draw_states(const struct report *r, FILE *out);

#endif
