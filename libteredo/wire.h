/*
 * wire.h - the datagram: [authentication] [origin] IPv6 packet [trailers]
 *
 * RFC 4380 5.1.1, RFC 6081 4.1. Parsing takes no state and decides nothing
 * but well-formedness. Pointers in a parsed packet point into the caller's
 * buffer and live as long as it.
 */
#ifndef LIBTEREDO_WIRE_H
#define LIBTEREDO_WIRE_H

#include "teredo.h"

#define WIRE_IP6_LEN		40u
#define WIRE_ORIGIN_LEN		8u
#define WIRE_AUTH_LEN		13u	/* with empty identifier and value */
#define WIRE_NONCE_LEN		8u
#define WIRE_NH_NONE		59	/* next header of a bubble */
#define WIRE_MAX_TRAILERS	64u	/* what a server forwards (S-FWD-09) */

enum wire_error {
	WIRE_OK,
	WIRE_MALFORMED,		/* A-ENC-06..08, C-RX-02 */
	WIRE_REFUSED,		/* unknown trailer 0x40-0x7f (X-TLV-04) */
};

struct wire_auth {
	bool present;
	const uint8_t *id, *value;
	uint8_t id_len, value_len;
	uint8_t nonce[WIRE_NONCE_LEN];
	uint8_t confirmation;
};

struct wire_packet {
	struct wire_auth auth;
	bool has_origin;
	struct teredo_ep origin;
	/* the IPv6 packet: ip6_len = 40 + payload length, off from the start
	 * of the datagram */
	const uint8_t *ip6;
	uint32_t ip6_off, ip6_len;
	struct teredo_addr src, dst;
	uint8_t next_header, hop_limit;
	/* what follows it, not yet looked at beyond WIRE_REFUSED */
	const uint8_t *trailers;
	uint32_t trailers_len;
};

/* Parses a UDP payload. On error *p is unspecified. */
enum wire_error wire_parse(struct wire_packet *p, const uint8_t *data,
			   size_t len);

/* Parses a bare IPv6 packet, as read from a tun: len must be exactly
 * 40 + payload length. */
enum wire_error wire_parse_ip6(struct wire_packet *p, const uint8_t *ip6,
			       size_t len);

/* The same of the first len octets of a packet: ip6_len is len. */
enum wire_error wire_parse_ip6_head(struct wire_packet *p, const uint8_t *ip6,
				    size_t len);

/* Payload length 0 and next header 59 (A-ENC-09). Trailers do not count. */
bool wire_is_bubble(const struct wire_packet *p);

/* Whether the extension headers contain a routing header of type 0 with
 * segments left (RFC 5095), or may: the walk ends after 8 headers, and what
 * more of them hide is not known. */
bool wire_has_rh0(const struct wire_packet *p);

/* What follows the extension headers: where, its number in *type and its
 * length in *len. The walk ends after 8 headers; of a packet in which
 * wire_has_rh0() finds nothing it is whole. */
const uint8_t *wire_upper(const struct wire_packet *p, uint8_t *type,
			  size_t *len);

/*
 * Trailers (RFC 6081 4.1) in packet order. Start with *at = 0; returns false
 * at the end and at the first malformed one (X-TLV-06).
 */
struct wire_trailer {
	uint8_t type, len;
	const uint8_t *value;
};
bool wire_next_trailer(const struct wire_packet *p, uint32_t *at,
		       struct wire_trailer *t);

/* Writers. Each writes exactly the stated octets to out. */

/* 13 octets: no identifier, no value, confirmation 0. */
void wire_put_auth(uint8_t *out, const uint8_t nonce[WIRE_NONCE_LEN]);
/* 8 octets */
void wire_put_origin(uint8_t *out, struct teredo_ep origin);
/* 40 octets */
void wire_put_ip6(uint8_t *out, uint16_t payload_len, uint8_t next_header,
		  uint8_t hop_limit, const struct teredo_addr *src,
		  const struct teredo_addr *dst);
/* 40 octets: a bubble, hop limit 0 as deployed peers send (A-ENC-11) */
#define WIRE_BUBBLE_LEN 40u
void wire_put_bubble(uint8_t *out, const struct teredo_addr *src,
		     const struct teredo_addr *dst);

#endif
