/*
 * wire.c - the datagram: [authentication] [origin] IPv6 packet [trailers]
 *
 * RFC 4380 5.1.1 and RFC 6081 4.1, read from front to back by a reader that
 * knows what is left:
 *
 *   00 01 id-len au-len id[] value[] nonce[8] confirmation	authentication
 *   00 00 ~port[2] ~ip[4]					origin
 *   6. .. plen[2] nh hl src[16] dst[16] payload[plen]		IPv6
 *   { type len value[len] }					trailers
 *
 * The first two octets, or the first nibble, tell which it is, and there is
 * one order and at most one of each (A-ENC-05, A-ENC-07), so that anything
 * out of order fails where the IPv6 header should be. What is left behind the
 * IPv6 packet belongs to it as trailers; a malformed one ends their
 * list and is no fault of the packet (X-TLV-06).
 *
 * What the packet is good for is decided elsewhere. This file does not look
 * at addresses.
 */
#include "wire.h"

#include <assert.h>
#include <string.h>

#define NH_HOP_BY_HOP	0
#define NH_ROUTING	43
#define NH_FRAGMENT	44
#define NH_AUTH		51
#define NH_DESTINATION	60
#define MAX_HEADERS	8

struct reader {
	const uint8_t *at;
	size_t left;
};

/* The next n octets, or NULL when there are not so many. */
static const uint8_t *take(struct reader *r, size_t n)
{
	const uint8_t *at = r->at;

	if (n > r->left)
		return NULL;
	r->at += n;
	r->left -= n;
	return at;
}

static bool starts_with(const struct reader *r, uint8_t first, uint8_t second)
{
	return r->left >= 2 && r->at[0] == first && r->at[1] == second;
}

static uint16_t get16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static bool get_auth(struct reader *r, struct wire_auth *a)
{
	const uint8_t *head = take(r, 4), *tail;

	if (head == NULL)
		return false;
	a->id_len = head[2];
	a->value_len = head[3];
	a->id = take(r, a->id_len);
	a->value = take(r, a->value_len);
	tail = take(r, WIRE_NONCE_LEN + 1);
	if (a->id == NULL || a->value == NULL || tail == NULL)
		return false;
	memcpy(a->nonce, tail, WIRE_NONCE_LEN);
	a->confirmation = tail[WIRE_NONCE_LEN];
	a->present = true;
	return true;
}

static bool get_origin(struct reader *r, struct teredo_ep *ep)
{
	const uint8_t *b = take(r, WIRE_ORIGIN_LEN);

	if (b == NULL)
		return false;
	memcpy(&ep->port, b + 2, 2);
	memcpy(&ep->ip, b + 4, 4);
	ep->port = (uint16_t)~ep->port;	/* the wire carries both inverted */
	ep->ip = ~ep->ip;
	return true;
}

static bool get_ip6_header(struct reader *r, struct wire_packet *p)
{
	const uint8_t *b = take(r, WIRE_IP6_LEN);

	if (b == NULL || b[0] >> 4 != 6)
		return false;
	p->ip6 = b;
	p->ip6_len = WIRE_IP6_LEN + get16(b + 4);
	p->next_header = b[6];
	p->hop_limit = b[7];
	memcpy(&p->src, b + 8, 16);
	memcpy(&p->dst, b + 24, 16);
	if (p->next_header == NH_HOP_BY_HOP && p->ip6_len == WIRE_IP6_LEN)
		return false;	/* a jumbogram, with its length in there */
	return true;
}

static bool get_ip6(struct reader *r, struct wire_packet *p)
{
	return get_ip6_header(r, p) &&
	       take(r, p->ip6_len - WIRE_IP6_LEN) != NULL;
}

/* X-TLV-04. All types that we know lie outside 0x40-0x7f. */
static bool trailers_refuse(const struct wire_packet *p)
{
	struct wire_trailer t;
	uint32_t at = 0;

	while (wire_next_trailer(p, &at, &t))
		if ((t.type & 0xc0) == 0x40)
			return true;
	return false;
}

enum wire_error wire_parse(struct wire_packet *p, const uint8_t *data,
			   size_t len)
{
	struct reader r = { data, len };

	memset(p, 0, sizeof(*p));
	if (len > TEREDO_MAX_UDP)
		return WIRE_MALFORMED;
	if (starts_with(&r, 0, 1) && !get_auth(&r, &p->auth))
		return WIRE_MALFORMED;
	if (starts_with(&r, 0, 0)) {
		if (!get_origin(&r, &p->origin))
			return WIRE_MALFORMED;
		p->has_origin = true;
	}
	p->ip6_off = (uint32_t)(len - r.left);
	if (!get_ip6(&r, p))
		return WIRE_MALFORMED;
	p->trailers = r.at;
	p->trailers_len = (uint32_t)r.left;
	return trailers_refuse(p) ? WIRE_REFUSED : WIRE_OK;
}

enum wire_error wire_parse_ip6(struct wire_packet *p, const uint8_t *ip6,
			       size_t len)
{
	struct reader r = { ip6, len };

	memset(p, 0, sizeof(*p));
	if (!get_ip6(&r, p) || r.left > 0)
		return WIRE_MALFORMED;
	p->trailers = r.at;
	return WIRE_OK;
}

enum wire_error wire_parse_ip6_head(struct wire_packet *p, const uint8_t *ip6,
				    size_t len)
{
	struct reader r = { ip6, len };

	memset(p, 0, sizeof(*p));
	if (!get_ip6_header(&r, p) || len > p->ip6_len)
		return WIRE_MALFORMED;
	p->ip6_len = (uint32_t)len;
	p->trailers = ip6 + len;
	return WIRE_OK;
}

bool wire_is_bubble(const struct wire_packet *p)
{
	return p->next_header == WIRE_NH_NONE && p->ip6_len == WIRE_IP6_LEN;
}

/*
 * Steps over one extension header: *type is its number on entry and that of
 * the next one on return. Gives the header, or NULL where the extension
 * headers end: at an upper layer, at a later fragment, or cut short.
 */
static const uint8_t *step_over(struct reader *r, uint8_t *type)
{
	const uint8_t *h = r->at;
	size_t len;

	if (r->left < 8)
		return NULL;
	switch (*type) {
	case NH_HOP_BY_HOP:
	case NH_ROUTING:
	case NH_DESTINATION:
		len = 8u + 8u * h[1];
		break;
	case NH_AUTH:
		len = 8u + 4u * h[1];
		break;
	case NH_FRAGMENT:
		len = 8;
		if ((get16(h + 2) & 0xfff8) != 0)
			return NULL;
		break;
	default:
		return NULL;
	}
	if (take(r, len) == NULL)
		return NULL;
	*type = h[0];
	return h;
}

bool wire_has_rh0(const struct wire_packet *p)
{
	struct reader r = { p->ip6 + WIRE_IP6_LEN, p->ip6_len - WIRE_IP6_LEN };
	uint8_t next = p->next_header;

	for (unsigned i = 0; i < MAX_HEADERS; i++) {
		bool routing = next == NH_ROUTING;
		const uint8_t *h = step_over(&r, &next);

		if (h == NULL)
			return false;
		if (routing && h[2] == 0 && h[3] != 0)
			return true;
	}
	return step_over(&r, &next) != NULL;
}

const uint8_t *wire_upper(const struct wire_packet *p, uint8_t *type,
			  size_t *len)
{
	struct reader r = { p->ip6 + WIRE_IP6_LEN, p->ip6_len - WIRE_IP6_LEN };

	*type = p->next_header;
	for (unsigned i = 0; i < MAX_HEADERS; i++)
		if (step_over(&r, type) == NULL)
			break;
	*len = r.left;
	return r.at;
}

bool wire_next_trailer(const struct wire_packet *p, uint32_t *at,
		       struct wire_trailer *t)
{
	struct reader r = { p->trailers, p->trailers_len };
	const uint8_t *head;

	if (take(&r, *at) == NULL || (head = take(&r, 2)) == NULL)
		return false;
	t->type = head[0];
	t->len = head[1];
	t->value = take(&r, t->len);
	if (t->value == NULL)
		return false;
	*at += 2u + t->len;
	return true;
}

void wire_put_auth(uint8_t *out, const uint8_t nonce[WIRE_NONCE_LEN])
{
	memset(out, 0, WIRE_AUTH_LEN);
	out[1] = 1;
	memcpy(out + 4, nonce, WIRE_NONCE_LEN);
}

void wire_put_origin(uint8_t *out, struct teredo_ep origin)
{
	uint16_t port = (uint16_t)~origin.port;
	uint32_t ip = ~origin.ip;

	out[0] = 0;
	out[1] = 0;
	memcpy(out + 2, &port, 2);
	memcpy(out + 4, &ip, 4);
}

void wire_put_ip6(uint8_t *out, uint16_t payload_len, uint8_t next_header,
		  uint8_t hop_limit, const struct teredo_addr *src,
		  const struct teredo_addr *dst)
{
	memset(out, 0, 4);
	out[0] = 0x60;
	out[4] = (uint8_t)(payload_len >> 8);
	out[5] = (uint8_t)payload_len;
	out[6] = next_header;
	out[7] = hop_limit;
	memcpy(out + 8, src, 16);
	memcpy(out + 24, dst, 16);
}

void wire_put_bubble(uint8_t *out, const struct teredo_addr *src,
		     const struct teredo_addr *dst)
{
	wire_put_ip6(out, 0, WIRE_NH_NONE, 0, src, dst);
}
