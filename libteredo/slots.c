/*
 * slots.c - which numbers of a pool are in use
 *
 * A bit for each in the lowest level. In each level above a bit stands for a
 * word of the one below, and is set when all of that word is. The highest
 * level is one word, so that the lowest free number is found in four steps.
 * Numbers from max on are never set: whoever takes knows that one below is
 * free, and the lowest is found first.
 */
#include "slots.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool slots_init(struct slots *s, uint32_t max)
{
	uint32_t words = max;

	assert(max <= 1u << 24);
	memset(s, 0, sizeof(*s));
	s->max = max;
	for (unsigned l = 0; l < SLOTS_LEVELS; l++) {
		words = words / 64 + 1;
		s->level[l] = calloc(words, sizeof(uint64_t));
		if (s->level[l] == NULL) {
			slots_fini(s);
			return false;
		}
	}
	return true;
}

void slots_fini(struct slots *s)
{
	for (unsigned l = 0; l < SLOTS_LEVELS; l++) {
		free(s->level[l]);
		s->level[l] = NULL;
	}
}

uint32_t slots_take(struct slots *s)
{
	uint32_t slot = 0, at;

	assert(s->count < s->max);
	for (unsigned l = SLOTS_LEVELS; l-- > 0;)
		slot = slot * 64 +
		       (uint32_t)__builtin_ctzll(~s->level[l][slot]);
	at = slot;
	for (unsigned l = 0; l < SLOTS_LEVELS; l++) {
		s->level[l][at / 64] |= 1ull << at % 64;
		if (s->level[l][at / 64] != UINT64_MAX)
			break;
		at /= 64;
	}
	s->count++;
	return slot;
}

void slots_give(struct slots *s, uint32_t slot)
{
	assert(slots_has(s, slot));
	for (unsigned l = 0; l < SLOTS_LEVELS; l++) {
		s->level[l][slot / 64] &= ~(1ull << slot % 64);
		slot /= 64;
	}
	s->count--;
}

bool slots_has(const struct slots *s, uint32_t slot)
{
	return slot < s->max && (s->level[0][slot / 64] >> slot % 64 & 1) != 0;
}
