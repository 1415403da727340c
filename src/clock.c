/*
 * clock.c - the only clock: CLOCK_BOOTTIME in nanoseconds
 *
 * BOOTTIME goes on while the machine sleeps, so that what became stale during
 * a suspend is stale at resume; and it does not jump when somebody sets the
 * time of day. Nothing in this project asks for the time of day.
 */
#include "config.h"

#include <assert.h>
#include <time.h>

#include "clock.h"

uint64_t clock_now(void)
{
	struct timespec ts;
	int err = clock_gettime(CLOCK_BOOTTIME, &ts);

	assert(err == 0);	/* Linux has it since 2.6.39 */
	(void)err;
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}
