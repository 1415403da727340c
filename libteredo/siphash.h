/*
 * siphash.h - keyed hashes: SipHash-2-4 for cookies, SipHash-1-3 for tables
 *
 * Aumasson and Bernstein, "SipHash: a fast short-input PRF". Output as the
 * reference gives it for little-endian input, on any machine.
 */
#ifndef LIBTEREDO_SIPHASH_H
#define LIBTEREDO_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_LEN 16

uint64_t siphash24(const uint8_t key[SIPHASH_KEY_LEN], const void *data,
		   size_t len);
uint64_t siphash13(const uint8_t key[SIPHASH_KEY_LEN], const void *data,
		   size_t len);

#endif
