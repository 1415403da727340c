/*
 * log_limit.h - at most one line a second for each reason
 */
#ifndef MIREDO_LOG_LIMIT_H
#define MIREDO_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_LIMIT_PERIOD  1000000000u	/* ns, for each reason */
#define LOG_LIMIT_REASONS 16u
#define LOG_LIMIT_BEGIN   48u		/* of a line, as it is told later */

/* All zero: nothing was said yet. */
struct log_limit {
	struct log_limit_reason {
		uint32_t reason;
		unsigned suppressed;
		uint64_t said; /* 0: free */
		char begin[LOG_LIMIT_BEGIN];
	} reasons[LOG_LIMIT_REASONS];
	unsigned lost; /* of reasons that made room for others */
};

/*
 * Whether the line may be logged at `now` (ns, not 0, never less than before).
 * *suppressed: when it may, how many of its reason were not since the last.
 */
bool log_limit_pass(struct log_limit *l, const char *line, uint64_t now,
		    unsigned *suppressed);

/*
 * What was not logged, where no line has come since that could tell: to be
 * called from time to time until false. Then *suppressed lines are told of,
 * each like `begin`, which is "" where that is forgotten, and the next line of
 * that reason has its second to wait. `now` UINT64_MAX: there comes no more.
 */
bool log_limit_flush(struct log_limit *l, uint64_t now, unsigned *suppressed,
		     char begin[LOG_LIMIT_BEGIN]);

#endif
