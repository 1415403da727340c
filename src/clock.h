/*
 * clock.h - the only clock: CLOCK_BOOTTIME in nanoseconds
 */
#ifndef MIREDO_CLOCK_H
#define MIREDO_CLOCK_H

#include <stdint.h>

uint64_t clock_now(void);

#endif
