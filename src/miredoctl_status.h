/*
 * miredoctl_status.h - what an instance's status means, and how it is said
 */
#ifndef MIREDO_MIREDOCTL_STATUS_H
#define MIREDO_MIREDOCTL_STATUS_H

#include <stdbool.h>
#include <stdio.h>

#include "ctl.h"
#include "health.h"
#include "miredoctl.h"

/* ---- miredoctl_state.c ---- */

/* Makes the texts of an answer fit to print: who answers may be hostile. */
void miredoctl_clean(struct ctl_status *st);
/* The same for one text of that size, whose newline at the end it removes. */
void miredoctl_clean_text(char *text, size_t size);
/* "client", "relay", "server" */
const char *miredoctl_role(const struct ctl_status *st);
/* "qualified", "relaying", "serving", ...; refreshing is qualified, too. */
const char *miredoctl_state(const struct ctl_status *st);
/* Whether an instance could ever be in this state. */
bool miredoctl_is_state(const char *name);
bool miredoctl_has_address(const struct ctl_status *st);
/* Whether it has an interface through which packets go: a server has none. */
bool miredoctl_has_tunnel(const struct ctl_status *st);
/* The NAT's type ("none", "restricted", "symmetric"), and what it means:
 * "none", "easy" or "hard". NULL: unknown. */
const char *miredoctl_nat(const struct ctl_status *st);
const char *miredoctl_nat_class(const struct ctl_status *st);
/* "fixed", "determining", ...; NULL: unknown */
const char *miredoctl_interval(const struct ctl_status *st);
/* Whether the NAT kept the port: 1, 0, or -1 where that is not known. */
int miredoctl_port_preserving(const struct ctl_status *st);
/* For how long the carrier is as it is, in ns; UINT64_MAX: unknown. */
uint64_t miredoctl_carrier_age(const struct ctl_status *st);
/* How many clients a server has answered within five minutes, about; UINT64_MAX:
 * more than can be told. */
uint64_t miredoctl_clients(const struct ctl_status *st);
/* For how long it is what it is, in ns. */
uint64_t miredoctl_since(const struct ctl_status *st);

/* ---- miredoctl_absent.c ---- */

/* That the instance does not run, why not, and what to do. */
void miredoctl_say_absence(const struct miredoctl_args *args);
/* The same as a status in JSON; false: out of memory. */
bool miredoctl_print_absence(const struct miredoctl_args *args, FILE *out);

/* ---- miredoctl_health.c ---- */

#define MIREDOCTL_REASON_MAX 240

/* A sentence about h in this status, with its names and numbers. */
const char *miredoctl_health_text(char buf[MIREDOCTL_REASON_MAX],
				  const struct ctl_status *st, enum health h);
/* What to do about it. */
const char *miredoctl_health_remedy(char buf[MIREDOCTL_REASON_MAX],
				    const struct ctl_status *st,
				    enum health h);
/* The last part of a screen: "Health: ok", or each reason with its remedy. */
void miredoctl_print_health(const struct ctl_status *st, FILE *out);
/* The exit code of this state: 0 or 5. */
int miredoctl_health_exit(const struct ctl_status *st);

/* ---- miredoctl_text.c, miredoctl_rates.c, miredoctl_json.c ---- */

/* A line's name; what follows is its text. */
void miredoctl_begin(FILE *out, const char *name);
/* Relay and server, with what they do in a second. */
void miredoctl_print_relay(const struct ctl_status *st, FILE *out);
void miredoctl_print_server(const struct ctl_status *st, FILE *out);
void miredoctl_print_text(const struct ctl_status *st, FILE *out);
/* false: out of memory */
bool miredoctl_print_json(const struct ctl_status *st, FILE *out);

#endif
