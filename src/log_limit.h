/*
 * log_limit.h - at most one line a second for each reason
 */
#ifndef MIREDO_LOG_LIMIT_H
#define MIREDO_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_LIMIT_PERIOD  1000000000u	/* ns, for each reason */
#define LOG_LIMIT_REASONS 16u

/* All zero: nothing was said yet. */
struct log_limit {
	struct log_limit_reason {
		uint32_t reason;
		unsigned suppressed;
		uint64_t said; /* 0: free */
	} reasons[LOG_LIMIT_REASONS];
};

/*
 * Whether the line may be logged at `now` (ns, not 0, never less than before).
 * *suppressed: when it may, how many of its reason were not since the last.
 */
bool log_limit_pass(struct log_limit *l, const char *line, uint64_t now,
		    unsigned *suppressed);

#endif
