/*
 * hold.c - packets that wait for a path
 *
 * One array of blocks of 256 octets, linked by number. A packet takes as many
 * as it needs, the first begins with its length and way; the packets of a
 * queue are linked one after the other, so that a queue is its first and its
 * last block. Block numbers are stored plus one: 0 is "none", and a zeroed
 * queue is an empty one.
 *
 * Free blocks form a list of their own, behind which there are those that were
 * never used: a large pool is not touched before it is needed.
 */
#include "hold.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_DATA 248u

struct block {
	uint32_t next;
	uint16_t len;		/* of the whole packet; first block only */
	uint8_t way;
	uint8_t unused;
	uint8_t data[BLOCK_DATA];
};

struct hold {
	uint32_t free;
	uint32_t used;		/* blocks above this number: never used yet */
	uint32_t n_free, n;
	struct block *block;
};

_Static_assert(HOLD_PEER_BYTES <= UINT16_MAX, "a queue counts in 16 bits");

struct hold *hold_new(size_t bytes)
{
	struct hold *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->n = (uint32_t)(bytes / sizeof(struct block));
	h->block = calloc(h->n > 0 ? h->n : 1, sizeof(*h->block));
	if (h->block == NULL) {
		free(h);
		return NULL;
	}
	h->n_free = h->n;
	return h;
}

void hold_free(struct hold *h)
{
	if (h == NULL)
		return;
	free(h->block);
	free(h);
}

static struct block *at(const struct hold *h, uint32_t number)
{
	assert(number > 0 && number <= h->n);
	return &h->block[number - 1];
}

static uint32_t block_take(struct hold *h)
{
	uint32_t number = h->free;

	assert(h->n_free > 0);
	h->n_free--;
	if (number == 0)
		return ++h->used;
	h->free = at(h, number)->next;
	return number;
}

static void block_give(struct hold *h, uint32_t number)
{
	at(h, number)->next = h->free;
	h->free = number;
	h->n_free++;
}

static uint32_t blocks_for(size_t len)
{
	return len == 0 ? 1 : (uint32_t)((len + BLOCK_DATA - 1) / BLOCK_DATA);
}

bool hold_put(struct hold *h, struct hold_queue *q, enum hold_way way,
	      const uint8_t *data, size_t len)
{
	size_t done = 0;

	if (q->packets >= HOLD_PEER_PACKETS ||
	    len > HOLD_PEER_BYTES - q->bytes || blocks_for(len) > h->n_free)
		return false;
	do {
		uint32_t number = block_take(h);
		struct block *b = at(h, number);
		size_t part = len - done < BLOCK_DATA ? len - done : BLOCK_DATA;

		b->next = 0;
		b->len = (uint16_t)len;
		b->way = (uint8_t)way;
		memcpy(b->data, data + done, part);
		done += part;
		if (q->tail != 0)
			at(h, q->tail)->next = number;
		else
			q->head = number;
		q->tail = number;
	} while (done < len);
	q->packets++;
	q->bytes = (uint16_t)(q->bytes + len);
	return true;
}

bool hold_first(const struct hold *h, const struct hold_queue *q,
		enum hold_way *way, size_t *len)
{
	const struct block *b;

	if (q->packets == 0)
		return false;
	b = at(h, q->head);
	*way = (enum hold_way)b->way;
	*len = b->len;
	return true;
}

void hold_take(struct hold *h, struct hold_queue *q, uint8_t *out, size_t max)
{
	size_t len, done = 0;

	assert(q->packets > 0);
	len = at(h, q->head)->len;
	if (max > len)
		max = len;
	for (uint32_t n = blocks_for(len); n > 0; n--) {
		uint32_t number = q->head;
		struct block *b = at(h, number);
		size_t part = max - done < BLOCK_DATA ? max - done : BLOCK_DATA;

		if (part > 0)
			memcpy(out + done, b->data, part);
		done += part;
		q->head = b->next;
		block_give(h, number);
	}
	q->packets--;
	q->bytes = (uint16_t)(q->bytes - len);
	if (q->packets == 0)
		q->tail = 0;
}

void hold_drop(struct hold *h, struct hold_queue *q)
{
	while (q->packets > 0)
		hold_take(h, q, NULL, 0);
}

size_t hold_used(const struct hold *h)
{
	return (size_t)(h->n - h->n_free) * sizeof(struct block);
}
