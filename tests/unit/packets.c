/*
 * packets.c - whole packets for tests of relay and server
 *
 * See packets.h. The checksum is the textbook one of RFC 1071, on purpose not
 * the library's.
 */
#include "config.h"

#include "packets.h"

const char *const not_global4[] = {
	"0.0.0.0",	   "0.1.2.3",	      "0.255.255.255",
	"127.0.0.1",	   "127.255.255.255", "10.0.0.0",
	"10.1.2.3",	   "10.255.255.255",  "172.16.0.1",
	"172.31.255.254",  "192.168.0.0",     "192.168.1.1",
	"169.254.1.1",	   "192.88.99.1",     "224.0.0.1",
	"224.0.0.253",	   "239.255.255.255", "240.0.0.1",
	"255.255.255.255", NULL,
};

const char *const barely_global4[] = {
	"1.0.0.1",	"126.255.255.255", "128.0.0.1",
	"9.255.255.255", "11.0.0.1",	   "172.15.255.255",
	"172.32.0.1",	"192.167.255.255", "192.169.0.1",
	"169.253.255.255", "169.255.0.1",  "192.88.98.255",
	"192.88.100.1", "223.255.255.254", "100.64.0.1",
	"192.0.2.1",	"198.18.0.1",	   "203.0.113.200",
	NULL,
};

struct teredo_addr teredo6(const char *server, unsigned flags, const char *ip,
			   unsigned port)
{
	struct teredo_addr a = { .b = { 0x20, 0x01 } };
	uint32_t s = ip4(server), m = ~ip4(ip);

	memcpy(a.b + 4, &s, 4);
	a.b[8] = (uint8_t)(flags >> 8);
	a.b[9] = (uint8_t)flags;
	a.b[10] = (uint8_t)~(port >> 8);
	a.b[11] = (uint8_t)~port;
	memcpy(a.b + 12, &m, 4);
	return a;
}

void fix_length(struct test_packet *p)
{
	p->b[4] = (uint8_t)((p->len - 40) >> 8);
	p->b[5] = (uint8_t)(p->len - 40);
}

struct test_packet make_ip6(struct teredo_addr src, struct teredo_addr dst,
			    unsigned next_header, const void *payload,
			    size_t len)
{
	struct test_packet p = { .len = 40, .b = { 0x60 } };

	p.b[6] = (uint8_t)next_header;
	p.b[7] = 255;
	memcpy(p.b + 8, src.b, 16);
	memcpy(p.b + 24, dst.b, 16);
	packet_put(&p, payload, len);
	fix_length(&p);
	return p;
}

struct test_packet make_bubble(struct teredo_addr src, struct teredo_addr dst)
{
	struct test_packet p = make_ip6(src, dst, 59, "", 0);

	p.b[7] = 0;	/* A-ENC-11 */
	return p;
}

void fix_checksum(struct test_packet *p)
{
	uint32_t sum = (uint32_t)(p->len - 40) + 58;

	p->b[42] = p->b[43] = 0;
	for (size_t i = 8; i < p->len; i++)
		sum += (uint32_t)p->b[i] << (i % 2 == 0 ? 8 : 0);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	p->b[42] = (uint8_t)(~sum >> 8);
	p->b[43] = (uint8_t)~sum;
}

struct test_packet make_icmp6(struct teredo_addr src, struct teredo_addr dst,
			      unsigned type, size_t len)
{
	uint8_t msg[2048] = { (uint8_t)type };
	struct test_packet p = make_ip6(src, dst, 58, msg, len);

	fix_checksum(&p);
	return p;
}

struct test_packet make_rs(struct teredo_addr src)
{
	return make_icmp6(src, ip6("ff02::2"), 133, 8);
}

struct test_packet with_front(struct test_packet p, const void *octets,
			      size_t len)
{
	struct test_packet out = { .len = 0 };

	packet_put(&out, octets, len);
	packet_put(&out, p.b, p.len);
	return out;
}

struct test_packet with_auth(struct test_packet p, const char *nonce)
{
	uint8_t auth[13] = { 0, 1 };

	memcpy(auth + 4, nonce, 8);
	return with_front(p, auth, sizeof(auth));
}

struct test_packet with_origin(struct test_packet p, struct teredo_ep ep)
{
	uint8_t origin[8] = { 0 };

	memcpy(origin + 2, &ep.port, 2);
	memcpy(origin + 4, &ep.ip, 4);
	for (int i = 2; i < 8; i++)
		origin[i] = (uint8_t)~origin[i];
	return with_front(p, origin, sizeof(origin));
}

struct test_packet with_trailers(struct test_packet p, size_t len)
{
	uint8_t *at = packet_more(&p, len);

	memset(at, 0xda, len);
	if (len > 0)
		at[0] = 0x80;
	if (len > 1)
		at[1] = (uint8_t)(len - 2);
	return p;
}
