/*
 * text.h - addresses and quantities for people
 *
 * Each writes a NUL-terminated text to buf and returns it. Addresses and ports
 * in network order.
 */
#ifndef MIREDO_TEXT_H
#define MIREDO_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define TEXT_IP4_LEN	16
#define TEXT_EP_LEN	22
#define TEXT_IP6_LEN	46
#define TEXT_AMOUNT_LEN	40

/* "192.0.2.1", "192.0.2.1:3544", "2001:db8::1" (RFC 5952) */
const char *text_ip4(char buf[TEXT_IP4_LEN], uint32_t ip);
const char *text_ep(char buf[TEXT_EP_LEN], uint32_t ip, uint16_t port);
const char *text_ip6(char buf[TEXT_IP6_LEN], const uint8_t addr[16]);

/* The two greatest units: "41 s", "3 h 12 m", "12 d 4 h". */
const char *text_duration(char buf[TEXT_AMOUNT_LEN], uint64_t ns);
/* "812 B", "14.2 MiB" */
const char *text_bytes(char buf[TEXT_AMOUNT_LEN], uint64_t bytes);

/* "18,204" */
const char *text_count(char buf[TEXT_AMOUNT_LEN], uint64_t n);
/* n things in ns, each second: "0", "3.1", "812", "41.2 k" */
const char *text_rate(char buf[TEXT_AMOUNT_LEN], uint64_t n, uint64_t ns);

#endif
