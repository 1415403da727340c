/*
 * text.c - addresses and quantities for people
 *
 * For log lines and screens; machines get JSON and numbers.
 */
#include "config.h"

#include "text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

const char *text_ip4(char buf[TEXT_IP4_LEN], uint32_t ip)
{
	const struct in_addr in = {.s_addr = ip};

	return inet_ntop(AF_INET, &in, buf, TEXT_IP4_LEN);
}

const char *text_ep(char buf[TEXT_EP_LEN], uint32_t ip, uint16_t port)
{
	char address[TEXT_IP4_LEN];

	snprintf(buf, TEXT_EP_LEN, "%s:%u", text_ip4(address, ip),
		 (unsigned)ntohs(port));
	return buf;
}

const char *text_ip6(char buf[TEXT_IP6_LEN], const uint8_t addr[16])
{
	return inet_ntop(AF_INET6, addr, buf, TEXT_IP6_LEN);
}

const char *text_duration(char buf[TEXT_AMOUNT_LEN], uint64_t ns)
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} unit[] = {{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
	uint64_t s = ns / 1000000000u;
	unsigned i = 0;

	while (i < 3 && s < unit[i].seconds)
		i++;
	if (i == 3)
		snprintf(buf, TEXT_AMOUNT_LEN, "%" PRIu64 " s", s);
	else
		snprintf(buf, TEXT_AMOUNT_LEN, "%" PRIu64 " %s %u %s",
			 s / unit[i].seconds, unit[i].name,
			 (unsigned)(s % unit[i].seconds / unit[i + 1].seconds),
			 unit[i + 1].name);
	return buf;
}

const char *text_bytes(char buf[TEXT_AMOUNT_LEN], uint64_t bytes)
{
	static const char *const unit[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
	double amount = (double)bytes / 1024;
	unsigned i = 0;

	if (bytes < 1024) {
		snprintf(buf, TEXT_AMOUNT_LEN, "%" PRIu64 " B", bytes);
		return buf;
	}
	for (; amount >= 1024 && i < 4; i++)
		amount /= 1024;
	snprintf(buf, TEXT_AMOUNT_LEN, "%.1f %s", amount, unit[i]);
	return buf;
}

const char *text_count(char buf[TEXT_AMOUNT_LEN], uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
	char *to = buf;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return buf;
}

const char *text_rate(char buf[TEXT_AMOUNT_LEN], uint64_t n, uint64_t ns)
{
	double rate = ns != 0 ? (double)n * 1e9 / (double)ns : 0;

	if (n == 0 || ns == 0)
		snprintf(buf, TEXT_AMOUNT_LEN, "0");
	else if (rate < 0.1)
		snprintf(buf, TEXT_AMOUNT_LEN, "<0.1");
	else if (rate < 9.95)
		snprintf(buf, TEXT_AMOUNT_LEN, "%.1f", rate);
	else if (rate < 9999.5)
		snprintf(buf, TEXT_AMOUNT_LEN, "%.0f", rate);
	else
		snprintf(buf, TEXT_AMOUNT_LEN, "%.1f %s",
			 rate < 1e6 ? rate / 1e3 : rate / 1e6,
			 rate < 1e6 ? "k" : "M");
	return buf;
}
