/*
 * peers_scale.c - the peer table and a relay with many peers: time and memory
 *
 * Prints lines of a name and a number:
 *
 *   lookup_ns, lookup_miss_ns, lookup_batched_ns
 *			among a million peers, keys at random, so that the
 *			table is not in the cache; batches of 64 with prefetch
 *   relay_kib_1000, ..._100000, ..._1000000
 *			resident memory of a relay's core with so many trusted
 *			peers
 *   peer_bytes		the same per peer, at a million
 *
 * Each size is measured in a process of its own. The daemon's snapshot is not
 * in it: 32 octets a peer, 2 MB at most.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libteredo/addr.h"
#include "libteredo/peers.h"
#include "libteredo/relay.h"

#define MANY  1000000u
#define BATCH 64u
#define NOW   (1000 * TEREDO_SECOND)

static void dice(void *ctx, void *buf, size_t len)
{
	uint64_t *seed = ctx;
	uint8_t *at = buf;

	for (size_t i = 0; i < len; i++) {
		*seed = *seed * 6364136223846793005u + 1442695040888963407u;
		at[i] = (uint8_t)(*seed >> 33);
	}
}

/* Peer i, i < 2^24: at 203.x.y.z, port 4096 + i % 50000. */
static struct teredo_addr address(uint32_t i)
{
	struct teredo_addr a = { { 0x20, 0x01, 0, 0, 192, 0, 2, 1 } };
	uint32_t port = ~(4096u + i % 50000u);

	a.b[10] = (uint8_t)(port >> 8);
	a.b[11] = (uint8_t)port;
	a.b[12] = (uint8_t)~203u;
	a.b[13] = (uint8_t)~(i >> 16);
	a.b[14] = (uint8_t)~(i >> 8);
	a.b[15] = (uint8_t)~i;
	return a;
}

static struct teredo_ep endpoint(const struct teredo_addr *a)
{
	struct teredo_ep ep;

	memcpy(&ep.port, a->b + 10, 2);
	memcpy(&ep.ip, a->b + 12, 4);
	ep.port = (uint16_t)~ep.port;
	ep.ip = ~ep.ip;
	return ep;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* ---- lookups ---- */

static double time_once(struct peers *t, const struct teredo_addr *key,
			bool batched)
{
	double start = now_ns();
	uint32_t found = 0;

	for (uint32_t i = 0; i < MANY; i += BATCH) {
		if (batched)
			peers_prefetch(t, key + i, BATCH);
		for (uint32_t k = 0; k < BATCH; k++)
			found += peers_find(t, &key[i + k]) != NULL;
	}
	if (found == 1)
		fputs("one found\n", stderr);	/* nothing is optimised away */
	return (now_ns() - start) / MANY;
}

/* The best of some: what another process took is not the table's. */
static double time_lookups(struct peers *t, const struct teredo_addr *key,
			   bool batched)
{
	double best = time_once(t, key, batched);

	for (unsigned i = 0; i < 7; i++) {
		double once = time_once(t, key, batched);

		if (once < best)
			best = once;
	}
	return best;
}

static void print_lookups(void)
{
	uint64_t seed = 4380;
	struct teredo_env env = { .ctx = &seed, .random = dice };
	struct peers *t = peers_new(MANY, &env, NULL, NULL);
	struct teredo_addr *hit = calloc(MANY, sizeof(*hit));
	struct teredo_addr *miss = calloc(MANY, sizeof(*miss));

	if (t == NULL || hit == NULL || miss == NULL)
		exit(1);
	for (uint32_t i = 0; i < MANY; i++) {
		struct teredo_addr a = address(i);
		uint32_t pick;

		if (peers_get(t, &a, NOW) == NULL)
			exit(1);
		dice(&seed, &pick, sizeof(pick));
		hit[i] = address(pick % MANY);
		miss[i] = address(MANY + pick % MANY);
	}
	printf("lookup_ns %.1f\n", time_lookups(t, hit, false));
	printf("lookup_miss_ns %.1f\n", time_lookups(t, miss, false));
	printf("lookup_batched_ns %.1f\n", time_lookups(t, hit, true));
	peers_free(t);
	free(hit);
	free(miss);
}

/* ---- memory ---- */

static double resident_kib(void)
{
	unsigned long pages = 0, all;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL || fscanf(f, "%lu %lu", &all, &pages) != 2)
		exit(1);
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1024;
}

static void print_relay(uint32_t n)
{
	static struct teredo_outbox ob;
	uint64_t seed = 5991;
	struct teredo_env env = { .ctx = &seed, .random = dice };
	struct teredo_relay_config config = { .prefix = addr_default_prefix(),
					      .max_peers = n };
	struct teredo_relay_status st;
	double kib = resident_kib();
	struct teredo_relay *r = teredo_relay_new(&config, &env);

	if (r == NULL)
		exit(1);
	for (uint32_t i = 0; i < n; i++) {
		struct teredo_addr a = address(i);

		teredo_relay_restore_peer(r, &a, endpoint(&a), NOW, NOW, &ob);
		outbox_clear(&ob);
	}
	teredo_relay_status(r, &st);
	if (st.peers_proven != n)
		exit(1);
	kib = resident_kib() - kib;
	printf("relay_kib_%u %.0f\n", n, kib);
	if (n == MANY)
		printf("peer_bytes %.1f\n", kib * 1024 / n);
	teredo_relay_free(r);
}

int main(void)
{
	static const uint32_t size[] = { 0, 1000, 100000, MANY };
	int status;

	for (unsigned i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		pid_t child = fork();

		if (child == 0) {
			if (size[i] == 0)
				print_lookups();
			else
				print_relay(size[i]);
			fflush(stdout);
			_exit(0);
		}
		if (child < 0 || waitpid(child, &status, 0) != child ||
		    status != 0)
			return 1;
	}
	return 0;
}
