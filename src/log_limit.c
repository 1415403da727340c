/*
 * log_limit.c - at most one line a second for each reason
 *
 * What an outsider can bring about in the engine may be logged: so he could
 * fill a disk. Lines with the same reason are told apart from others by what
 * they begin with, up to the first digit, colon or quotation mark: what comes
 * behind that are names and addresses, which vary. Of each reason the first
 * line is logged, and then one a second, with the number of those that were
 * not. When silence follows, a timer tells that number, so that no line is
 * lost without a trace.
 *
 * The reasons known are few; a hostile engine can invent others and have the
 * stalest forgotten, which is why its lines are limited in all as well
 * (priv_serve.c).
 */
#include "config.h"

#include "log_limit.h"

#include <stddef.h>
#include <string.h>

static size_t reason_length(const char *line)
{
	return strcspn(line, "0123456789:\"");
}

/* FNV-1a: who wants two reasons to collide only loses lines of his own. */
static uint32_t reason_of(const char *line)
{
	size_t len = reason_length(line);
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)line[i]) * 16777619u;
	return hash;
}

static void keep_begin(struct log_limit_reason *r, const char *line)
{
	size_t len = reason_length(line);

	if (len > LOG_LIMIT_BEGIN - 1)
		len = LOG_LIMIT_BEGIN - 1;
	memcpy(r->begin, line, len);
	r->begin[len] = '\0';
}

bool log_limit_pass(struct log_limit *l, const char *line, uint64_t now,
		    unsigned *suppressed)
{
	struct log_limit_reason *r, *stalest = &l->reasons[0];
	uint32_t reason = reason_of(line);

	*suppressed = 0;
	for (r = l->reasons; r < l->reasons + LOG_LIMIT_REASONS; r++) {
		if (r->said != 0 && r->reason == reason)
			break;
		if (r->said < stalest->said)
			stalest = r;
	}
	if (r == l->reasons + LOG_LIMIT_REASONS) {
		r = stalest;
		r->reason = reason;
		l->lost += r->suppressed;
		keep_begin(r, line);
	} else if (now - r->said < LOG_LIMIT_PERIOD) {
		r->suppressed++;
		return false;
	} else {
		*suppressed = r->suppressed;
	}
	r->suppressed = 0;
	r->said = now;
	return true;
}

bool log_limit_flush(struct log_limit *l, uint64_t now, unsigned *suppressed,
		     char begin[LOG_LIMIT_BEGIN])
{
	begin[0] = '\0';
	*suppressed = l->lost;
	l->lost = 0;
	for (unsigned i = 0; i < LOG_LIMIT_REASONS && *suppressed == 0; i++) {
		struct log_limit_reason *r = &l->reasons[i];

		if (r->suppressed == 0 || now - r->said < LOG_LIMIT_PERIOD)
			continue;
		*suppressed = r->suppressed;
		memcpy(begin, r->begin, LOG_LIMIT_BEGIN);
		r->suppressed = 0;
		r->said = now;
	}
	return *suppressed > 0;
}
