/*
 * miredoctl_pcapng.c - a capture file: two interfaces, comments
 *
 * draft-ietf-opsawg-pcapng: a section header, two interface descriptions, an
 * enhanced packet block for each packet, in this machine's byte order. Outer
 * packets get the IPv4 and UDP headers that the kernel took off or will put
 * on: without checksums, which nobody here has seen.
 */
#include "config.h"

#include "miredoctl_pcapng.h"

#include <arpa/inet.h>
#include <string.h>

#define BLOCK_SECTION	0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET	6u
#define LINKTYPE_IPV4	228u
#define LINKTYPE_IPV6	229u
#define OPT_COMMENT	1u
#define OPT_IF_NAME	2u
#define OPT_FLAGS	2u	/* of a packet */
#define OPT_RESOLUTION	9u
#define HEADERS		28u	/* IPv4 and UDP */

static void put32(FILE *out, uint32_t v)
{
	fwrite(&v, sizeof(v), 1, out);
}

static void put16(FILE *out, uint16_t v)
{
	fwrite(&v, sizeof(v), 1, out);
}

static uint32_t padded(size_t len)
{
	return (uint32_t)((len + 3) & ~(size_t)3);
}

static void pad(FILE *out, size_t len)
{
	static const uint8_t zeros[4];

	fwrite(zeros, padded(len) - len, 1, out);
}

static uint32_t option_len(size_t len)
{
	return 4 + padded(len);
}

static void put_option(FILE *out, uint16_t code, const void *data, size_t len)
{
	put16(out, code);
	put16(out, (uint16_t)len);
	fwrite(data, len, 1, out);
	pad(out, len);
}

static void put_interface(FILE *out, uint16_t link_type, const char *name)
{
	const uint8_t ns = 9;
	uint32_t len = 20 + option_len(strlen(name)) + option_len(1) + 4;

	put32(out, BLOCK_INTERFACE);
	put32(out, len);
	put16(out, link_type);
	put16(out, 0);
	put32(out, 0);	/* no snap length for all */
	put_option(out, OPT_IF_NAME, name, strlen(name));
	put_option(out, OPT_RESOLUTION, &ns, 1);
	put32(out, 0);	/* end of options */
	put32(out, len);
}

void pcapng_begin(FILE *out, const char *inner)
{
	put32(out, BLOCK_SECTION);
	put32(out, 28);
	put32(out, 0x1a2b3c4du);
	put16(out, 1);
	put16(out, 0);
	put32(out, UINT32_MAX);	/* of unknown length */
	put32(out, UINT32_MAX);
	put32(out, 28);
	put_interface(out, LINKTYPE_IPV4, "outer");
	put_interface(out, LINKTYPE_IPV6, inner);
}

static uint16_t header_checksum(const uint8_t *h)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < 20; i += 2)
		sum += (uint32_t)h[i] << 8 | h[i + 1];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void make_headers(uint8_t h[HEADERS], const struct pcapng_packet *p)
{
	uint16_t total = htons((uint16_t)(HEADERS + p->length));
	uint16_t udp = htons((uint16_t)(8 + p->length)), sum;

	memset(h, 0, HEADERS);
	h[0] = 0x45;
	memcpy(h + 2, &total, 2);
	h[8] = 64;
	h[9] = IPPROTO_UDP;
	memcpy(h + 12, &p->src_ip, 4);
	memcpy(h + 16, &p->dst_ip, 4);
	sum = header_checksum(h);
	memcpy(h + 10, &sum, 2);
	memcpy(h + 20, &p->src_port, 2);
	memcpy(h + 22, &p->dst_port, 2);
	memcpy(h + 24, &udp, 2);
}

void pcapng_put(FILE *out, const struct pcapng_packet *p)
{
	uint32_t head = p->interface == PCAPNG_OUTER ? HEADERS : 0;
	uint32_t flags = p->inbound ? 1 : 2;
	uint32_t len = 32 + padded(head + p->captured) + option_len(4) +
		       option_len(strlen(p->comment)) + 4;
	uint8_t headers[HEADERS];

	put32(out, BLOCK_PACKET);
	put32(out, len);
	put32(out, p->interface);
	put32(out, (uint32_t)(p->time >> 32));
	put32(out, (uint32_t)p->time);
	put32(out, head + p->captured);
	put32(out, head + p->length);
	make_headers(headers, p);
	fwrite(headers, head, 1, out);
	fwrite(p->data, p->captured, 1, out);
	pad(out, head + p->captured);
	put_option(out, OPT_FLAGS, &flags, 4);
	put_option(out, OPT_COMMENT, p->comment, strlen(p->comment));
	put32(out, 0);
	put32(out, len);
}
