/*
 * miredoctl_status.h - what an instance's status means, and how it is said
 */
#ifndef MIREDO_MIREDOCTL_STATUS_H
#define MIREDO_MIREDOCTL_STATUS_H

#include <stdbool.h>
#include <stdio.h>

#include "ctl.h"

/* What is wrong, most important first; they are not added up. */
enum miredoctl_health {
	HEALTH_OK,
	HEALTH_SERVER_UNRESOLVED,
	HEALTH_SERVER_UNREACHABLE,
	HEALTH_NOT_QUALIFIED, /* yet */
	HEALTH_NAT_SYMMETRIC,
	HEALTH_KEY_EXPIRED,
};

/* ---- miredoctl_state.c ---- */

/* Makes the texts of an answer fit to print: who answers may be hostile. */
void miredoctl_clean(struct ctl_status *st);
/* "client", "relay", "server" */
const char *miredoctl_role(const struct ctl_status *st);
/* "qualified", "relaying", "serving", ...; refreshing is qualified, too. */
const char *miredoctl_state(const struct ctl_status *st);
/* Whether an instance could ever be in this state. */
bool miredoctl_is_state(const char *name);
bool miredoctl_has_address(const struct ctl_status *st);
/* The NAT's type ("none", "restricted", "symmetric"), and what it means:
 * "none", "easy" or "hard". NULL: unknown. */
const char *miredoctl_nat(const struct ctl_status *st);
const char *miredoctl_nat_class(const struct ctl_status *st);
/* "fixed", "determining", ...; NULL: unknown */
const char *miredoctl_interval(const struct ctl_status *st);
/* For how long it is what it is, in ns. */
uint64_t miredoctl_since(const struct ctl_status *st);
enum miredoctl_health miredoctl_health(const struct ctl_status *st);
/* "server-unreachable" and a sentence for each that is not HEALTH_OK. */
const char *miredoctl_health_code(enum miredoctl_health h);
const char *miredoctl_health_text(enum miredoctl_health h);

/* ---- miredoctl_text.c, miredoctl_json.c ---- */

void miredoctl_print_text(const struct ctl_status *st, FILE *out);
/* false: out of memory */
bool miredoctl_print_json(const struct ctl_status *st, FILE *out);

#endif
