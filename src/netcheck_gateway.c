/*
 * netcheck_gateway.c - NAT-PMP, PCP and UPnP: is one of them on the gateway?
 *
 * Only questions that change nothing: NAT-PMP's for the external address, PCP's
 * ANNOUNCE, UPnP's search. NAT-PMP and PCP share a port; a gateway that has
 * one of them answers the other with its own version and an error (RFC 6886
 * 3.5, RFC 6887 9), which is a No to what was asked, and to that alone: each
 * is asked from a port of its own. An answer that refuses is a No, too: such a
 * gateway would map nothing.
 *
 * The answers are short and fixed, UPnP's is text: a status line, and a search
 * target that must be the one asked for. Its device description is not
 * fetched.
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "netcheck.h"

#define PMP_ANSWER  12u
#define PCP_HEADER  24u
#define PCP_VERSION 2
#define IS_ANSWER   0x80
#define TARGET	    "urn:schemas-upnp-org:device:InternetGatewayDevice:1"

uint32_t netcheck_ssdp_group(void)
{
	return htonl(0xeffffffau);
}

size_t netcheck_put_nat_pmp(uint8_t *out)
{
	memset(out, 0, 2);
	return 2;
}

size_t netcheck_put_pcp(uint8_t *out, uint32_t local_ip)
{
	memset(out, 0, PCP_HEADER);
	out[0] = PCP_VERSION;
	memset(out + 18, 0xff, 2); /* the client's address, IPv4-mapped */
	memcpy(out + 20, &local_ip, 4);
	return PCP_HEADER;
}

size_t netcheck_put_ssdp(uint8_t *out)
{
	static const char search[] = "M-SEARCH * HTTP/1.1\r\n"
				     "HOST: 239.255.255.250:1900\r\n"
				     "MAN: \"ssdp:discover\"\r\n"
				     "MX: 1\r\n"
				     "ST: " TARGET "\r\n\r\n";

	_Static_assert(sizeof(search) <= NETCHECK_MAX, "fits");
	memcpy(out, search, sizeof(search) - 1);
	return sizeof(search) - 1;
}

enum netcheck_fact netcheck_get_nat_pmp(const uint8_t *data, size_t len)
{
	if (len < 4 || data[0] != 0 || data[1] != IS_ANSWER)
		return NETCHECK_UNKNOWN;
	if (data[2] != 0 || data[3] != 0)
		return NETCHECK_NO;
	return len >= PMP_ANSWER ? NETCHECK_YES : NETCHECK_UNKNOWN;
}

enum netcheck_fact netcheck_get_pcp(const uint8_t *data, size_t len)
{
	/* A NAT-PMP gateway answers with result 1: version not supported. */
	if (len >= 4 && data[0] == 0 && (data[1] & IS_ANSWER) != 0 &&
	    data[2] == 0 && data[3] == 1)
		return NETCHECK_NO;
	if (len < PCP_HEADER || data[0] != PCP_VERSION || data[1] != IS_ANSWER)
		return NETCHECK_UNKNOWN;
	return data[3] == 0 ? NETCHECK_YES : NETCHECK_NO;
}

/* The value of a header's line, without blanks; NULL: another header. */
static const char *header(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(line, name, len) != 0 || line[len] != ':')
		return NULL;
	return line + len + 1 + strspn(line + len + 1, " \t");
}

enum netcheck_fact netcheck_get_ssdp(const uint8_t *data, size_t len)
{
	char text[2048];
	char *line, *rest = NULL;
	const char *target;

	if (len >= sizeof(text))
		return NETCHECK_UNKNOWN;
	memcpy(text, data, len);
	text[len] = '\0';
	line = strtok_r(text, "\r\n", &rest);
	if (line == NULL || strncmp(line, "HTTP/1.1 200", 12) != 0)
		return NETCHECK_UNKNOWN;
	while ((line = strtok_r(NULL, "\r\n", &rest)) != NULL) {
		target = header(line, "ST");
		if (target != NULL && strcmp(target, TARGET) == 0)
			return NETCHECK_YES;
	}
	return NETCHECK_UNKNOWN;
}
