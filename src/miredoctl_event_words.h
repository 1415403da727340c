/*
 * miredoctl_event_words.h - what happened, in words
 */
#ifndef MIREDO_MIREDOCTL_EVENT_WORDS_H
#define MIREDO_MIREDOCTL_EVENT_WORDS_H

#include <stdio.h>

#include "ctl_records.h"

/* "link-changed"; "unknown" for a kind that is none. */
const char *event_name(const struct ctl_event *e);

/* One word for e->value or e->old, of several the most important; "": such an
 * event has none. */
const char *event_word(const struct ctl_event *e, uint32_t value);

/* A set of things that come and go: which those of one word are. NULL: no such
 * bit, or an event of another kind. */
const char *event_bit(const struct ctl_event *e, unsigned bit);

/* Bits of what is there now and was not before, and the reverse. */
uint32_t event_came(const struct ctl_event *e);
uint32_t event_went(const struct ctl_event *e);

/* All of it but the time, without an end of line; fit to stand in HTML. */
void event_print(const struct ctl_event *e, FILE *out);

#endif
