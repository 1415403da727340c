/*
 * icmp6.h - the ICMPv6 messages that Teredo needs
 *
 * Router solicitation and advertisement (RFC 4861 4.1, 4.2, 6.1), echo
 * (RFC 4443 4), destination unreachable (RFC 4443 3.1). Parsers take a packet
 * that wire_parse() accepted; builders write a whole IPv6 packet.
 */
#ifndef LIBTEREDO_ICMP6_H
#define LIBTEREDO_ICMP6_H

#include "teredo.h"
#include "wire.h"

#define ICMP6_NEXT_HEADER	58
#define ICMP6_UNREACHABLE	1
#define ICMP6_ECHO_REQUEST	128
#define ICMP6_ECHO_REPLY	129
#define ICMP6_RS		133
#define ICMP6_RA		134
#define ICMP6_REDIRECT		137

/* Internet checksum of an ICMPv6 message: 0 when a received one is right. */
uint16_t icmp6_checksum(const struct teredo_addr *src,
			const struct teredo_addr *dst,
			const uint8_t *msg, size_t len);

/* Router or neighbour solicitation or advertisement, or redirect, also behind
 * extension headers: belongs to a link and never crosses (C-RX-21). */
bool icmp6_is_neighbour_discovery(const struct wire_packet *p);

/* The message directly behind the IPv6 header, with a right checksum; NULL
 * otherwise. *len gets its length, at least 8. */
const uint8_t *icmp6_message(const struct wire_packet *p, size_t *len);

/* Valid router solicitation (RFC 4861 6.1.1, S-CHK-10). */
bool icmp6_is_rs(const struct wire_packet *p);

/* Valid router advertisement (RFC 4861 6.1.2) with exactly one prefix option
 * of length 64 (C-QUAL-08, C-QUAL-10). mtu: 0 without a usable MTU option. */
struct icmp6_ra {
	struct teredo_addr prefix;
	uint32_t mtu;
};
bool icmp6_parse_ra(const struct wire_packet *p, struct icmp6_ra *ra);

#define ICMP6_RS_LEN	48u	/* whole IPv6 packet */
void icmp6_put_rs(uint8_t *out, const struct teredo_addr *src);

/* The advertisement of section 2 of the observed wire format: router lifetime
 * 0, retransmission 2000 ms, prefix 64 with A set and infinite lifetimes, MTU
 * option (S-RS-02, S-RS-16). */
#define ICMP6_RA_LEN	96u
void icmp6_put_ra(uint8_t *out, const struct teredo_addr *src,
		  const struct teredo_addr *dst, uint32_t prefix,
		  uint32_t server_ip, uint32_t mtu);

/* Gives it another destination: a template becomes an advertisement. */
void icmp6_readdress_ra(uint8_t *ra, const struct teredo_addr *dst);

/* Echo request or reply (`type`) with data_len octets of data. */
#define ICMP6_ECHO_LEN(data_len)	(48u + (data_len))
void icmp6_put_echo(uint8_t *out, uint8_t type, const struct teredo_addr *src,
		    const struct teredo_addr *dst, uint16_t id, uint16_t seq,
		    const uint8_t *data, size_t data_len);

/* Destination unreachable, code 3 (address), quoting as much of `about`, a
 * packet or at least the first 1280 octets of it, as fits 1280 octets. Returns
 * its length, or 0 where RFC 4443 2.4(e) forbids an error (ICMPv6 error,
 * multicast or non-unique source) or we have no address to send it from: src
 * is `::' (RFC 4443 2.2). out: 1280 octets. */
#define ICMP6_ERROR_MAX	1280u
size_t icmp6_put_unreachable(uint8_t *out, const struct teredo_addr *src,
			     const uint8_t *about, size_t about_len);

#endif
