/*
 * conf_value.h - what a directive's value may be
 *
 * Each reader checks one setting's value, notes an error with the allowed
 * range in the report, and returns whether the value is good.
 */
#ifndef MIREDO_CONF_VALUE_H
#define MIREDO_CONF_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "conf_report.h"

/* A directive and one value of it, as libconfuse gave it. */
struct conf_setting {
	const char *name; /* the directive's, for messages */
	char *value;	  /* NULL: unreadable, which is said */
	struct conf_span name_at, value_at;
};

/* A word that a value may be. `old`: an old name, not in the hint. */
struct conf_word {
	const char *name;
	int value;
	bool old;
};

/* Decimal; hexadecimal and octal as Miredo did, with a warning. */
bool conf_value_number(struct conf_report *r, const struct conf_setting *s,
		       uint32_t min, uint32_t max, uint32_t *number);

/* One of n words, whatever the case. NULL: none. */
const struct conf_word *conf_value_word(struct conf_report *r,
					const struct conf_setting *s,
					const struct conf_word *words,
					unsigned n);

/* The words of SyslogFacility: their number. */
unsigned conf_value_facilities(const struct conf_word **words);

/* A host name (only its form is checked) or a unicast IPv4 address; with
 * `global` an address must be global as in RFC 4380 5.2.4. */
bool conf_value_host(struct conf_report *r, const struct conf_setting *s,
		     bool global);

/* An IPv6 prefix of 32 bits, global unicast; its octets 0-3. */
bool conf_value_prefix(struct conf_report *r, const struct conf_setting *s,
		       uint32_t *prefix);

/* An IPv4 prefix, such as 192.0.2.0/24, or one address: its octets in network
 * order, without bits behind it, and its length. */
bool conf_value_prefix4(struct conf_report *r, const struct conf_setting *s,
			uint32_t *ip, uint8_t *bits);

/* A name that the kernel takes for an interface. */
bool conf_value_ifname(struct conf_report *r, const struct conf_setting *s);

/* The absolute path of a file, of plain characters. */
bool conf_value_path(struct conf_report *r, const struct conf_setting *s);

/* A date as 2027-12-31: days since 1970-01-01, more than 0. */
bool conf_value_date(struct conf_report *r, const struct conf_setting *s,
		     uint32_t *days);

/* Whether text is an IPv4 address, not a name. *ip in network order. */
bool conf_value_is_ip(const char *text, uint32_t *ip);

/* The word of n that was probably meant, or NULL. name(i) gives them. */
const char *conf_value_near(const char *text, size_t len, unsigned n,
			    const char *(*name)(const void *words, unsigned i),
			    const void *words);

#endif
