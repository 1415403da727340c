/*
 * testing.h - what the unit tests of the protocol core share
 *
 * Addresses from text, packets from parts, and randomness from a seed. A test
 * that draws random numbers names its seed, so that it fails the same way
 * twice.
 */
#ifndef TESTS_UNIT_TESTING_H
#define TESTS_UNIT_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include <cmocka.h>

#include "libteredo/addr.h"
#include "libteredo/teredo.h"
#include "libteredo/wire.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- randomness: splitmix64 ---- */

static inline uint64_t test_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static inline void test_env_random(void *ctx, void *buf, size_t len)
{
	uint8_t *out = buf;

	while (len-- > 0)
		*out++ = (uint8_t)(test_random(ctx) >> 32);
}

/* *seed is the state: it lives as long as the environment. */
static inline struct teredo_env test_env(uint64_t *seed)
{
	return (struct teredo_env){ .ctx = seed, .random = test_env_random };
}

/* As in struct teredo_env. */
typedef void test_hmac_fn(void *ctx, enum teredo_hmac algorithm,
			  const uint8_t *key, size_t key_len,
			  const uint8_t *data, size_t len, uint8_t *out);

/* ---- addresses ---- */

/* "192.0.2.1" */
static inline uint32_t ip4(const char *text)
{
	struct in_addr in;

	assert_int_equal(inet_pton(AF_INET, text, &in), 1);
	return in.s_addr;
}

/* ep4("192.0.2.1", 3544): the port as humans write it */
static inline struct teredo_ep ep4(const char *ip, unsigned port)
{
	return (struct teredo_ep){ ip4(ip), htons((uint16_t)port) };
}

/* "2001:db8::1" */
static inline struct teredo_addr ip6(const char *text)
{
	struct teredo_addr a;

	assert_int_equal(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

static inline void assert_addr_equal(const struct teredo_addr *a,
				     const struct teredo_addr *b)
{
	char ta[INET6_ADDRSTRLEN], tb[INET6_ADDRSTRLEN];

	assert_string_equal(inet_ntop(AF_INET6, a, ta, sizeof(ta)),
			    inet_ntop(AF_INET6, b, tb, sizeof(tb)));
}

static inline void assert_ep_equal(struct teredo_ep a, struct teredo_ep b)
{
	assert_int_equal(ntohl(a.ip), ntohl(b.ip));
	assert_int_equal(ntohs(a.port), ntohs(b.port));
}

/* ---- datagrams, put together from front to back ---- */

struct test_packet {
	size_t len;
	uint8_t b[4096];
};

/* The next len octets, dirty, so that who writes them has to write all. */
static inline uint8_t *packet_more(struct test_packet *p, size_t len)
{
	uint8_t *at = p->b + p->len;

	assert_true(len <= sizeof(p->b) - p->len);
	p->len += len;
	memset(at, 0x5a, len);
	return at;
}

static inline void packet_put(struct test_packet *p, const void *octets,
			      size_t len)
{
	if (len > 0)
		memcpy(packet_more(p, len), octets, len);
}

/* Octets given as hexadecimal digits; blanks are ignored. */
static inline void packet_hex(struct test_packet *p, const char *hex)
{
	unsigned octet;
	int used;

	while (sscanf(hex, " %2x%n", &octet, &used) == 1) {
		*packet_more(p, 1) = (uint8_t)octet;
		hex += used;
	}
	assert_int_equal(hex[strspn(hex, " ")], '\0');
}

static inline void packet_auth(struct test_packet *p,
			       const uint8_t nonce[WIRE_NONCE_LEN])
{
	wire_put_auth(packet_more(p, WIRE_AUTH_LEN), nonce);
}

static inline void packet_origin(struct test_packet *p, struct teredo_ep origin)
{
	wire_put_origin(packet_more(p, WIRE_ORIGIN_LEN), origin);
}

static inline void packet_bubble(struct test_packet *p,
				 const struct teredo_addr *src,
				 const struct teredo_addr *dst)
{
	wire_put_bubble(packet_more(p, WIRE_BUBBLE_LEN), src, dst);
}

/* An IPv6 packet whose payload is `len` octets counting up from 0; next
 * header 17 if it matters to nobody. */
static inline void packet_ip6(struct test_packet *p, uint8_t next_header,
			      const struct teredo_addr *src,
			      const struct teredo_addr *dst, size_t len)
{
	wire_put_ip6(packet_more(p, WIRE_IP6_LEN), (uint16_t)len, next_header,
		     64, src, dst);
	for (size_t i = 0; i < len; i++)
		*packet_more(p, 1) = (uint8_t)i;
}

static inline void packet_trailer(struct test_packet *p, uint8_t type,
				  const void *value, uint8_t len)
{
	packet_put(p, &type, 1);
	packet_put(p, &len, 1);
	packet_put(p, value, len);
}

#endif
