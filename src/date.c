/*
 * date.c - dates as days since 1970-01-01, in UTC
 *
 * The one place that looks at the clock on the wall: everything else counts
 * on one that is never set. A date is a day and no time, so that a clock that
 * is a little wrong does little harm; days are those of UTC, the same for
 * everybody who reads an announcement.
 */
#include "config.h"

#include "date.h"

#include <string.h>
#include <time.h>

#define DAY 86400

const char *date_text(char buf[DATE_LEN], uint32_t days)
{
	const time_t t = (time_t)days * DAY;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(buf, DATE_LEN, "%Y-%m-%d", &tm) == 0)
		buf[0] = '\0';
	return buf;
}

bool date_read(const char *text, uint32_t *days)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	char again[DATE_LEN];
	time_t t;

	if (end == NULL || *end != '\0')
		return false;
	t = timegm(&tm);
	if (t < DAY || t / DAY > UINT32_MAX)
		return false;
	*days = (uint32_t)(t / DAY);
	/* no 30th of February, no digits left out */
	return strcmp(date_text(again, *days), text) == 0;
}

uint32_t date_today(void)
{
	time_t now = time(NULL);

	return now > 0 && now / DAY <= UINT32_MAX ? (uint32_t)(now / DAY) : 0;
}
