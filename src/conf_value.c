/*
 * conf_value.c - what a directive's value may be
 *
 * Values are judged by their form alone: no name is resolved and the host is
 * not asked, so that a check needs neither DNS nor privileges. Which IPv4
 * addresses are global is the core's knowledge (libteredo/addr.c, RFC 4380
 * 5.2.4); a name's addresses are held to the same rule when it is resolved.
 *
 * Miredo read numbers with strtol() and base 0; so "0x10" and "010" are still
 * taken, but said, since nobody means 8 by 010. Words may be in any case.
 */
#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#include "../libteredo/addr.h"
#include "conf_value.h"
#include "date.h"

#define HOST_HINT "an IPv4 address or a host name"
#define NEAR_MAX  32 /* longer words are like no other */

/* ---- numbers ---- */

bool conf_value_number(struct conf_report *r, const struct conf_setting *s,
		       uint32_t min, uint32_t max, uint32_t *number)
{
	const char *digits = s->value + (s->value[0] == '-');
	char *end = NULL;
	long n = 0;

	if (isdigit((unsigned char)*digits)) {
		errno = 0;
		n = strtol(s->value, &end, 0);
	}
	if (end == NULL || *end != '\0') {
		conf_error(r, s->value_at, NULL,
			   "%s \"%s\" is not a number (%u-%u)", s->name,
			   s->value, min, max);
		return false;
	}
	if (errno == ERANGE || n < (long)min || n > (long)max) {
		conf_error(r, s->value_at, NULL, "%s %s is out of range %u-%u",
			   s->name, s->value, min, max);
		return false;
	}
	if (digits[0] == '0' && digits[1] != '\0')
		conf_warning(r, s->value_at, "write it in decimal",
			     "%s %s means %ld", s->name, s->value, n);
	*number = (uint32_t)n;
	return true;
}

/* ---- words ---- */

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's distance, whatever the case. Both up to NEAR_MAX long. */
static unsigned distance(const char *a, size_t la, const char *b, size_t lb)
{
	unsigned row[NEAR_MAX + 1];

	for (unsigned j = 0; j <= lb; j++)
		row[j] = j;
	for (unsigned i = 1; i <= la; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= lb; j++) {
			bool same = tolower((unsigned char)a[i - 1]) ==
				    tolower((unsigned char)b[j - 1]);
			unsigned here = min3(row[j] + 1, row[j - 1] + 1,
					     diagonal + !same);

			diagonal = row[j];
			row[j] = here;
		}
	}
	return row[lb];
}

const char *conf_value_near(const char *text, size_t len, unsigned n,
			    const char *(*name)(const void *words, unsigned i),
			    const void *words)
{
	unsigned best = (unsigned)len / 3 + 1;
	const char *near = NULL;

	if (len > NEAR_MAX)
		return NULL;
	for (unsigned i = 0; i < n; i++) {
		const char *word = name(words, i);
		size_t l = strlen(word);
		unsigned d = l > NEAR_MAX ? best : distance(text, len, word, l);

		if (d < best && d < l) {
			best = d;
			near = word;
		}
	}
	return near;
}

static const char *word_name(const void *words, unsigned i)
{
	return ((const struct conf_word *)words)[i].name;
}

static void unknown_word(struct conf_report *r, const struct conf_setting *s,
			 const struct conf_word *words, unsigned n)
{
	const char *near = conf_value_near(s->value, strlen(s->value), n,
					   word_name, words);
	char hint[256];
	size_t used = 0;
	const char *comma = "";

	if (near != NULL)
		used = (size_t)snprintf(hint, sizeof(hint),
					"did you mean \"%s\"?  ", near);
	hint[used++] = '(';
	for (unsigned i = 0; i < n && used + 32 < sizeof(hint); i++) {
		if (words[i].old)
			continue;
		used += (size_t)snprintf(hint + used, sizeof(hint) - used,
					 "%s%.24s", comma, words[i].name);
		comma = ", ";
	}
	snprintf(hint + used, sizeof(hint) - used, ")");
	conf_error(r, s->value_at, hint, "unknown %s \"%s\"", s->name,
		   s->value);
}

const struct conf_word *conf_value_word(struct conf_report *r,
					const struct conf_setting *s,
					const struct conf_word *words,
					unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (strcasecmp(s->value, words[i].name) == 0)
			return &words[i];
	unknown_word(r, s, words, n);
	return NULL;
}

unsigned conf_value_facilities(const struct conf_word **words)
{
	static const struct conf_word facilities[] = {
		{"auth", LOG_AUTH, false},
		{"authpriv", LOG_AUTHPRIV, false},
		{"cron", LOG_CRON, false},
		{"daemon", LOG_DAEMON, false},
		{"ftp", LOG_FTP, false},
		{"kern", LOG_KERN, false},
		{"local0", LOG_LOCAL0, false},
		{"local1", LOG_LOCAL1, false},
		{"local2", LOG_LOCAL2, false},
		{"local3", LOG_LOCAL3, false},
		{"local4", LOG_LOCAL4, false},
		{"local5", LOG_LOCAL5, false},
		{"local6", LOG_LOCAL6, false},
		{"local7", LOG_LOCAL7, false},
		{"lpr", LOG_LPR, false},
		{"mail", LOG_MAIL, false},
		{"news", LOG_NEWS, false},
		{"security", LOG_AUTH, true},
		{"syslog", LOG_SYSLOG, false},
		{"user", LOG_USER, false},
		{"uucp", LOG_UUCP, false},
	};

	*words = facilities;
	return sizeof(facilities) / sizeof(*facilities);
}

/* ---- addresses and names ---- */

bool conf_value_is_ip(const char *text, uint32_t *ip)
{
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) != 1)
		return false;
	*ip = in.s_addr;
	return true;
}

/* RFC 1123 2.1, with the "_" that is met in practice. */
static bool is_label(const char *s, size_t len)
{
	if (len == 0 || len > 63 || s[0] == '-' || s[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '-' && s[i] != '_')
			return false;
	return true;
}

static bool is_host_name(const char *s)
{
	if (strlen(s) > 253)
		return false;
	for (;;) {
		size_t len = strcspn(s, ".");

		if (!is_label(s, len))
			return false;
		s += len;
		if (*s == '\0' || *++s == '\0')
			return true;
	}
}

static bool host_error(struct conf_report *r, const struct conf_setting *s)
{
	struct in6_addr in6;

	if (s->value[0] != '\0' &&
	    s->value[strspn(s->value, "0123456789.")] == '\0')
		conf_error(r, s->value_at, NULL, "%s %s is not an IPv4 address",
			   s->name, s->value);
	else if (inet_pton(AF_INET6, s->value, &in6) == 1)
		conf_error(r, s->value_at, HOST_HINT,
			   "%s %s is an IPv6 address", s->name, s->value);
	else
		conf_error(r, s->value_at, HOST_HINT,
			   "%s \"%s\" is not a host name", s->name, s->value);
	return false;
}

bool conf_value_host(struct conf_report *r, const struct conf_setting *s,
		     bool global)
{
	bool numeric = s->value[strspn(s->value, "0123456789.")] == '\0';
	uint32_t ip;

	if (!conf_value_is_ip(s->value, &ip))
		return (!numeric && is_host_name(s->value)) || host_error(r, s);
	if (ntohl(ip) >> 24 == 0 || ntohl(ip) >> 28 >= 14) {
		conf_error(r, s->value_at, NULL,
			   "%s %s is not a unicast IPv4 address", s->name,
			   s->value);
		return false;
	}
	if (global && !ipv4_is_global(ip)) {
		conf_error(r, s->value_at, NULL,
			   "%s %s is not a global IPv4 address", s->name,
			   s->value);
		return false;
	}
	return true;
}

bool conf_value_prefix(struct conf_report *r, const struct conf_setting *s,
		       uint32_t *prefix)
{
	static const uint8_t zero[12];
	const char *hint = "32 bits, such as 2001:0:: or 2001::/32";
	char text[INET6_ADDRSTRLEN];
	struct teredo_addr addr;
	size_t len = strcspn(s->value, "/");

	if (len < sizeof(text)) {
		memcpy(text, s->value, len);
		text[len] = '\0';
	}
	if (len >= sizeof(text) || inet_pton(AF_INET6, text, addr.b) != 1 ||
	    (s->value[len] == '/' && strcmp(s->value + len, "/32") != 0)) {
		conf_error(r, s->value_at, hint,
			   "%s \"%s\" is not an IPv6 prefix of 32 bits",
			   s->name, s->value);
		return false;
	}
	if (memcmp(addr.b + 4, zero, sizeof(zero)) != 0) {
		conf_error(r, s->value_at, hint,
			   "%s %s has bits behind the first 32", s->name,
			   s->value);
		return false;
	}
	if (!addr_is_global(&addr)) {
		conf_error(r, s->value_at, hint,
			   "%s %s is not a global unicast prefix", s->name,
			   s->value);
		return false;
	}
	memcpy(prefix, addr.b, sizeof(*prefix));
	return true;
}

/* "" or "/0" to "/32" */
static bool is_length(const char *text, unsigned *n)
{
	char *end;

	*n = 32;
	if (text[0] == '\0')
		return true;
	if (text[1] < '0' || text[1] > '9' || strlen(text) > 3)
		return false;
	*n = (unsigned)strtoul(text + 1, &end, 10);
	return *end == '\0' && *n <= 32;
}

bool conf_value_prefix4(struct conf_report *r, const struct conf_setting *s,
			uint32_t *ip, uint8_t *bits)
{
	const char *hint = "such as 192.0.2.0/24 or 192.0.2.1";
	size_t len = strcspn(s->value, "/");
	char text[INET_ADDRSTRLEN] = "";
	unsigned n;

	if (len < sizeof(text))
		memcpy(text, s->value, len);
	if (inet_pton(AF_INET, text, ip) != 1 ||
	    !is_length(s->value + len, &n)) {
		conf_error(r, s->value_at, hint,
			   "%s \"%s\" is not an IPv4 prefix", s->name,
			   s->value);
		return false;
	}
	if (n < 32 && (ntohl(*ip) & ~0u >> n) != 0) {
		conf_error(r, s->value_at, hint,
			   "%s %s has bits behind the first %u", s->name,
			   s->value, n);
		return false;
	}
	*bits = (uint8_t)n;
	return true;
}

bool conf_value_ifname(struct conf_report *r, const struct conf_setting *s)
{
	size_t len = strlen(s->value);
	bool good = len > 0 && len < IF_NAMESIZE &&
		    strcmp(s->value, ".") != 0 && strcmp(s->value, "..") != 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s->value[i];

		good &= c > ' ' && c < 0x7f && strchr("/:%", c) == NULL;
	}
	if (!good)
		conf_error(r, s->value_at,
			   "1-15 characters, no white space, \"/\", \":\", "
			   "\"%\"",
			   "%s \"%s\" cannot be an interface's name", s->name,
			   s->value);
	return good;
}

bool conf_value_path(struct conf_report *r, const struct conf_setting *s)
{
	const char *path = s->value;
	size_t len = strlen(path);
	bool good = path[0] == '/' && path[1] != '/' && len < CONF_PATH_MAX;

	for (size_t i = 0; i < len; i++)
		good &= isalnum((unsigned char)path[i]) ||
			strchr("/._-+@:", path[i]) != NULL;
	if (!good)
		conf_error(r, s->value_at,
			   "an absolute path of letters, digits and ._-+@:",
			   "%s \"%s\" cannot be a file's name", s->name, path);
	return good;
}

bool conf_value_date(struct conf_report *r, const struct conf_setting *s,
		     uint32_t *days)
{
	bool good = date_read(s->value, days);

	if (!good)
		conf_error(r, s->value_at, "year-month-day, as 2027-12-31",
			   "%s \"%s\" is not a date", s->name, s->value);
	return good;
}
