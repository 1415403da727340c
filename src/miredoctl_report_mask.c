/*
 * miredoctl_report_mask.c - addresses unsaid
 *
 * A report is made to be shown to others. Masking works on the finished text,
 * whatever its form, so that no line can be forgotten: whatever reads as an
 * IPv4 or IPv6 address gets a number in its place, the same address the same
 * number, so that one still sees what belongs together. Which kind it is stays:
 * ip4-1, teredo-2, ip6-3. A port beside an IPv4 address is kept.
 */
#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "miredoctl_report.h"

#define KNOWN_MAX 1024
#define TOKEN_MAX 64

struct mask {
	unsigned n;
	struct {
		int family;
		uint8_t addr[16];
	} known[KNOWN_MAX];
};

static bool is_kept(int family, const uint8_t addr[16])
{
	static const uint8_t zero[16], loopback[16] = {[15] = 1};
	static const uint8_t prefix[16] = {0x20, 1};

	if (family == AF_INET)
		return addr[0] == 127 || memcmp(addr, zero, 4) == 0;
	return memcmp(addr, zero, 16) == 0 || memcmp(addr, loopback, 16) == 0 ||
	       memcmp(addr, prefix, 16) == 0;
}

static unsigned number_of(struct mask *m, int family, const uint8_t *addr)
{
	size_t len = family == AF_INET ? 4 : 16;
	unsigned i;

	for (i = 0; i < m->n; i++)
		if (m->known[i].family == family &&
		    memcmp(m->known[i].addr, addr, len) == 0)
			break;
	if (i == m->n && m->n < KNOWN_MAX) {
		m->known[i].family = family;
		memcpy(m->known[i].addr, addr, len);
		m->n++;
	}
	return i + 1;
}

/* The token, or what is said in its place. */
static void put_token(struct mask *m, const char *token, FILE *out)
{
	char host[TOKEN_MAX];
	const char *port = strchr(token, ':');
	uint8_t addr[16];
	int family = AF_INET6;

	snprintf(host, sizeof(host), "%s", token);
	if (strchr(token, '.') != NULL) {
		family = AF_INET;
		if (port != NULL)
			host[port - token] = '\0';
	} else {
		port = NULL;
	}
	if (inet_pton(family, host, addr) != 1 || is_kept(family, addr)) {
		fputs(token, out);
		return;
	}
	fprintf(out, "%s-%u%s",
		family == AF_INET		      ? "ip4"
		: memcmp(addr, "\x20\1\0\0", 4) == 0 ? "teredo"
						      : "ip6",
		number_of(m, family, addr), port != NULL ? port : "");
}

static bool is_part(char c)
{
	return isxdigit((unsigned char)c) || c == '.' || c == ':';
}

/* How many characters at `at` belong to a token, without a final stop. */
static size_t token_len(const char *at)
{
	size_t len = 0;

	while (is_part(at[len]))
		len++;
	while (len > 0 && (at[len - 1] == '.' || at[len - 1] == ':') &&
	       !(len > 1 && at[len - 1] == ':' && at[len - 2] == ':'))
		len--;
	return len;
}

static void write_masked(struct mask *m, const char *text, const char *name,
			 FILE *out)
{
	size_t name_len = strlen(name), len;
	char token[TOKEN_MAX], before = ' ';

	while (*text != '\0') {
		bool begins = !isalnum((unsigned char)before);

		len = begins ? token_len(text) : 0;
		if (begins && name_len > 0 &&
		    strncmp(text, name, name_len) == 0 &&
		    !isalnum((unsigned char)text[name_len])) {
			fputs("SERVER", out);
			len = name_len;
		} else if (len > 2 && len < TOKEN_MAX &&
			   !isalpha((unsigned char)text[len])) {
			memcpy(token, text, len);
			token[len] = '\0';
			put_token(m, token, out);
		} else {
			len = 1;
			fputc(*text, out);
		}
		text += len;
		before = text[-1];
	}
}

char *report_mask(const char *text, const char *server_name)
{
	struct mask *m = calloc(1, sizeof(*m));
	uint32_t ip;
	char *masked = NULL;
	size_t size;
	FILE *out = m != NULL ? open_memstream(&masked, &size) : NULL;

	/* an address as the name is masked as one */
	if (inet_pton(AF_INET, server_name, &ip) == 1)
		server_name = "";
	if (out != NULL) {
		write_masked(m, text, server_name, out);
		if (fclose(out) != 0) {
			free(masked);
			masked = NULL;
		}
	}
	free(m);
	return masked;
}
