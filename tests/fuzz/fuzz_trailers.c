/*
 * fuzz_trailers.c - any octets behind a bubble, and any list of trailers
 *
 * RFC 6081 4.1 read a second time, by index and without wire.c: both must find
 * the same trailers, end at the same octet and agree whether the packet is
 * refused. Then the input is taken as trailers to be made: what was made is
 * what is read.
 * X-TLV-04, X-TLV-06, SEC-PRS-01
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "libteredo/wire.h"

#define AREA 1024u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Compares with the plain reading; says whether the packet is refused. */
static bool compare(const struct wire_packet *p, const uint8_t *area,
		    size_t len)
{
	struct wire_trailer t;
	bool refused = false;
	uint32_t at = 0;
	size_t i = 0;

	while (i + 2 <= len && i + 2 + area[i + 1] <= len) {
		bool found = wire_next_trailer(p, &at, &t);

		assert(found && t.type == area[i] && t.len == area[i + 1]);
		assert(t.value == p->trailers + i + 2);
		if (area[i] >= 0x40 && area[i] < 0x80)
			refused = true;
		i += 2u + area[i + 1];
		assert(at == i);
	}
	assert(!wire_next_trailer(p, &at, &t));
	return refused;
}

static void read_area(const uint8_t *area, size_t len)
{
	static const struct teredo_addr src = { { 0x20, 1 } };
	uint8_t *packet = malloc(WIRE_BUBBLE_LEN + len);
	struct wire_packet p;
	enum wire_error error;

	assert(packet != NULL);
	wire_put_bubble(packet, &src, &src);
	memcpy(packet + WIRE_BUBBLE_LEN, area, len);
	error = wire_parse(&p, packet, WIRE_BUBBLE_LEN + len);
	assert(error != WIRE_MALFORMED);
	assert(p.trailers == packet + WIRE_BUBBLE_LEN);
	assert(p.trailers_len == len && wire_is_bubble(&p));
	assert(compare(&p, area, len) == (error == WIRE_REFUSED));
	free(packet);
}

/* Pairs of type and length become trailers, filled with their type. */
static void make_area(const uint8_t *data, size_t len)
{
	uint8_t area[AREA];
	size_t used = 0, made = 0;
	struct wire_packet p;
	struct wire_trailer t;
	uint32_t at = 0;

	for (; made + 2 <= len; made += 2) {
		size_t n = data[made + 1];

		if (used + 2 + n > sizeof(area))
			break;
		area[used] = data[made];
		area[used + 1] = data[made + 1];
		memset(area + used + 2, data[made], n);
		used += 2 + n;
	}
	memset(&p, 0, sizeof(p));
	p.trailers = area;
	p.trailers_len = (uint32_t)used;
	for (size_t i = 0; i < made; i += 2) {
		bool found = wire_next_trailer(&p, &at, &t);

		assert(found && t.type == data[i] && t.len == data[i + 1]);
		assert(t.len == 0 || t.value[t.len - 1] == t.type);
	}
	assert(!wire_next_trailer(&p, &at, &t) && at == used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	read_area(data, len);
	make_area(data, len);
	return 0;
}
