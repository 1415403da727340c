/*
 * date.h - dates as days since 1970-01-01, in UTC
 */
#ifndef MIREDO_DATE_H
#define MIREDO_DATE_H

#include <stdbool.h>
#include <stdint.h>

#define DATE_LEN 16

/* Reads "2027-12-31", from 1970-01-02 to 9999-12-31. */
bool date_read(const char *text, uint32_t *days);
/* Writes it the same way to buf and returns that. */
const char *date_text(char buf[DATE_LEN], uint32_t days);
/* Today by the clock on the wall, which may be wrong. */
uint32_t date_today(void);

#endif
