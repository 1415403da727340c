/*
 * marks.c - who wanted whom not long ago
 *
 * A mark is 32 bits of a keyed hash of both addresses, at a place that other
 * bits of it name, so that nobody can aim at another's. The network is what
 * counts of a source: one host has any number of addresses in it.
 */
#include "marks.h"

#include <stdlib.h>
#include <string.h>

#include "table.h"

#define IP6_SRC 8u	/* where the addresses stand */
#define IP6_DST 24u

bool marks_init(struct marks *m, const struct teredo_env *env, uint32_t n)
{
	m->n = n;
	m->hand = 0;
	env->random(env->ctx, m->key, sizeof(m->key));
	m->mark = table_new(env, n, sizeof(*m->mark));
	return m->mark != NULL;
}

void marks_fini(struct marks *m)
{
	free(m->mark);
	m->mark = NULL;
}

bool marks_returning(struct marks *m, const uint8_t *ip6)
{
	uint8_t who[24];
	uint64_t h;
	uint32_t *mark;
	bool was_here;

	memcpy(who, ip6 + IP6_SRC, 8);
	memcpy(who + 8, ip6 + IP6_DST, 16);
	h = siphash13(m->key, who, sizeof(who));
	mark = &m->mark[h % m->n];
	was_here = *mark == (uint32_t)(h >> 32);
	*mark = (uint32_t)(h >> 32);
	return was_here;
}

void marks_sweep(struct marks *m)
{
	for (uint32_t left = m->n / MARKS_PARTS + 1; left > 0; left--) {
		/* cppcheck-suppress duplicateConditionalAssign */
		if (m->mark[m->hand] != 0)	/* or its page comes back */
			m->mark[m->hand] = 0;
		m->hand = m->hand + 1 < m->n ? m->hand + 1 : 0;
	}
}
