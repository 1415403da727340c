/*
 * relief.h - pages that hold nothing go back to the system
 */
#ifndef MIREDO_RELIEF_H
#define MIREDO_RELIEF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RELIEF_AREAS 32u /* tables of one core, a buffer */
#define RELIEF_PARTS 10u
#define RELIEF_STEP  512u /* pages: half a millisecond without a packet */

struct relief {
	struct {
		uint8_t *base;
		size_t pages;
		bool is_buffer;
	} area[RELIEF_AREAS];
	unsigned areas;
	size_t pages, hand; /* of all areas */
	size_t page;	    /* octets in one */
};

/* teredo_env.table: `ctx` is a zeroed struct relief. Memory that does not fill
 * a page, and what is beyond RELIEF_AREAS, is left alone. */
void relief_table(void *ctx, void *memory, size_t len);
/* The same of memory that holds nothing worth keeping between two steps: all of
 * its pages are given back. */
void relief_buffer(struct relief *r, void *memory, size_t len);

/* Gives back what is zero, or a buffer's, in the next 1/RELIEF_PARTS of the
 * pages, but looks at no more than RELIEF_STEP; called once a second between
 * two calls of the core. */
void relief_step(struct relief *r);

#endif
