/*
 * decode.c - says what libteredo reads in datagrams
 *
 * From standard input: two octets of length and a datagram, again and again.
 * For each a line of words: what is there, in the order in which differ.py
 * expects it. Nothing is decided here.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "../../libteredo/icmp6.h"
#include "../../libteredo/wire.h"

static void print_hex(const char *name, const uint8_t *data, size_t len)
{
	printf(" %s=", name);
	for (size_t i = 0; i < len; i++)
		printf("%02x", data[i]);
}

static void print_elements(const struct wire_packet *p)
{
	if (p->auth.present) {
		print_hex("id", p->auth.id, p->auth.id_len);
		print_hex("value", p->auth.value, p->auth.value_len);
		print_hex("nonce", p->auth.nonce, WIRE_NONCE_LEN);
		printf(" conf=%u", p->auth.confirmation);
	}
	if (p->has_origin) {
		print_hex("oport", (const uint8_t *)&p->origin.port, 2);
		print_hex("oip", (const uint8_t *)&p->origin.ip, 4);
	}
}

static void print_icmp6(const struct wire_packet *p)
{
	struct icmp6_ra ra;
	size_t len;
	const uint8_t *msg = icmp6_message(p, &len);

	if (msg == NULL)
		return;
	printf(" icmp=%u", msg[0]);
	if (icmp6_is_rs(p))
		printf(" rs=1");
	if (icmp6_parse_ra(p, &ra)) {
		print_hex("prefix", ra.prefix.b, 16);
		printf(" mtu=%u", (unsigned)ra.mtu);
	}
}

static void print_packet(const struct wire_packet *p)
{
	uint8_t type;
	size_t len;

	printf(" off=%u plen=%u nh=%u hl=%u", (unsigned)p->ip6_off,
	       (unsigned)(p->ip6_len - WIRE_IP6_LEN), p->next_header,
	       p->hop_limit);
	print_hex("src", p->src.b, 16);
	print_hex("dst", p->dst.b, 16);
	wire_upper(p, &type, &len);
	printf(" upper=%u upperlen=%zu bubble=%d rh0=%d", type, len,
	       wire_is_bubble(p), wire_has_rh0(p));
	print_icmp6(p);
}

static void print_trailers(const struct wire_packet *p)
{
	struct wire_trailer t;
	uint32_t at = 0;

	while (wire_next_trailer(p, &at, &t)) {
		char name[8];

		snprintf(name, sizeof(name), "t%u", t.type);
		print_hex(name, t.value, t.len);
	}
}

static void decode(const uint8_t *data, size_t len)
{
	struct wire_packet p;
	enum wire_error error = wire_parse(&p, data, len);

	if (error == WIRE_MALFORMED) {
		puts("malformed");
		return;
	}
	fputs(error == WIRE_REFUSED ? "refused" : "ok", stdout);
	print_elements(&p);
	print_packet(&p);
	print_trailers(&p);
	putchar('\n');
}

int main(void)
{
	uint8_t head[2];

	while (fread(head, 1, sizeof(head), stdin) == sizeof(head)) {
		size_t len = head[0] * 256u + head[1];
		uint8_t *data = malloc(len > 0 ? len : 1);

		if (data == NULL || fread(data, 1, len, stdin) != len)
			return EXIT_FAILURE;
		decode(data, len);
		free(data);
	}
	return EXIT_SUCCESS;
}
