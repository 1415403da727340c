/*
 * relief.c - pages that hold nothing go back to the system
 *
 * The core's tables are as long as the most that they may hold, and what is
 * not in use in them is zero (libteredo/table.h). The kernel gives memory to
 * them page by page as it is touched, in a flood all of it. Here is the way
 * back: a hand goes round through all pages in ten seconds, and what holds
 * zeros only is no longer ours, until it is touched again. Packets wait in the
 * meantime, so that no step is longer than half a millisecond: the round of
 * tables of more than 20 MB takes longer.
 *
 * To look at a page that is not there maps the kernel's one page of zeros,
 * which costs no memory. Neighbours are given back by one call. Whether a page
 * was there is not known, and need not be.
 *
 * The buffer of what is received is 2 MB, for rows of datagrams as long as they
 * can be. Few are, and each would be remembered by a page for ever; so it goes
 * the same way, whatever is in it. Under load it is back within a moment, for
 * 50 page faults a second.
 *
 * Large pages are refused: one peer would keep 2 MB.
 */
#include "config.h"

#include "relief.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void add(struct relief *r, void *memory, size_t len, bool is_buffer)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t skip = -(uintptr_t)memory & (page - 1);
	size_t pages = len < skip ? 0 : (len - skip) / page;
	uint8_t *base = (uint8_t *)memory + skip;

	r->page = page;
	if (pages == 0 || r->areas == RELIEF_AREAS)
		return;
	madvise(base, pages * page, MADV_NOHUGEPAGE);
	r->area[r->areas].base = base;
	r->area[r->areas].is_buffer = is_buffer;
	r->area[r->areas++].pages = pages;
	r->pages += pages;
}

void relief_table(void *ctx, void *memory, size_t len)
{
	add(ctx, memory, len, false);
}

void relief_buffer(struct relief *r, void *memory, size_t len)
{
	add(r, memory, len, true);
}

static bool is_zero(const uint8_t *page, size_t len)
{
	return page[0] == 0 && memcmp(page, page + 1, len - 1) == 0;
}

/* Looks at n pages of a table. */
static void look_at(const struct relief *r, uint8_t *page, size_t n)
{
	while (n > 0) {
		size_t zeros = 0;

		while (zeros < n && is_zero(page + zeros * r->page, r->page))
			zeros++;
		if (zeros > 0)
			madvise(page, zeros * r->page, MADV_DONTNEED);
		if (zeros < n)
			zeros++;	/* one that is in use */
		page += zeros * r->page;
		n -= zeros;
	}
}

void relief_step(struct relief *r)
{
	size_t left = r->pages / RELIEF_PARTS + 1, first = 0;

	if (left > RELIEF_STEP)
		left = RELIEF_STEP;
	if (left > r->pages)
		left = r->pages;
	for (unsigned i = 0; i < r->areas && left > 0; i++) {
		size_t pages = r->area[i].pages, at = r->hand - first, n;
		uint8_t *page;

		first += pages;
		if (r->hand >= first)
			continue;
		n = left < pages - at ? left : pages - at;
		page = r->area[i].base + at * r->page;
		if (r->area[i].is_buffer)
			madvise(page, n * r->page, MADV_DONTNEED);
		else
			look_at(r, page, n);
		r->hand += n;
		left -= n;
	}
	if (r->hand == r->pages)
		r->hand = 0;
}
