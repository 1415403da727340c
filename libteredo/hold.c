/*
 * hold.c - packets that wait for a path
 *
 * One array of blocks of 256 octets, linked by number. A packet takes as many
 * as it needs, the first begins with its length and way; the packets of a
 * queue are linked one after the other, so that a queue is its first and its
 * last block. Block numbers are stored plus one: 0 is "none", and a zeroed
 * queue is an empty one.
 *
 * Free blocks are zero (table.h).
 */
#include "hold.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "slots.h"
#include "table.h"

#define BLOCK_DATA 248u

struct block {
	uint32_t next;
	uint16_t len;		/* of the whole packet; first block only */
	uint8_t way;
	uint8_t unused;
	uint8_t data[BLOCK_DATA];
};

struct hold {
	struct slots used;
	struct block *block;
};

_Static_assert(HOLD_PEER_BYTES <= UINT16_MAX, "a queue counts in 16 bits");

struct hold *hold_new(size_t bytes, const struct teredo_env *env)
{
	struct hold *h = calloc(1, sizeof(*h));
	uint32_t n = (uint32_t)(bytes / sizeof(struct block));

	if (h == NULL)
		return NULL;
	h->block = table_new(env, n > 0 ? n : 1, sizeof(*h->block));
	if (h->block == NULL || !slots_init(&h->used, n)) {
		free(h->block);
		free(h);
		return NULL;
	}
	return h;
}

void hold_free(struct hold *h)
{
	if (h == NULL)
		return;
	slots_fini(&h->used);
	free(h->block);
	free(h);
}

static struct block *at(const struct hold *h, uint32_t number)
{
	assert(number > 0 && number <= h->used.max);
	return &h->block[number - 1];
}

static void block_give(struct hold *h, uint32_t number)
{
	memset(at(h, number), 0, sizeof(struct block));
	slots_give(&h->used, number - 1);
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
	    len > HOLD_PEER_BYTES - q->bytes || blocks_for(len) > h->used.max - h->used.count)
		return false;
	do {
		uint32_t number = slots_take(&h->used) + 1;
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

size_t hold_used(const struct hold *h)
{
	return (size_t)h->used.count * sizeof(struct block);
}
