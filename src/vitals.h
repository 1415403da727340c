/*
 * vitals.h - how an engine has been: its counters some time ago, its health
 */
#ifndef MIREDO_VITALS_H
#define MIREDO_VITALS_H

#include "ctl.h"

struct vitals {
	struct ctl_sample sample[2];	/* the older one first; age: when */
	uint32_t health;		/* bits of enum health */
	uint32_t logged;		/* bits: as the log has them */
	uint64_t since[HEALTHS];	/* when each of them came */
};

void vitals_begin(struct vitals *v, uint64_t now);

/* Looks at a complete status, about once a second. true: the health is another
 * one than before; that was logged, a line for each reason. */
bool vitals_look(struct vitals *v, const struct ctl_status *st, uint64_t now);

/* Fills the vitals' part of a status. */
void vitals_fill(const struct vitals *v, struct ctl_status *st, uint64_t now);

#endif
