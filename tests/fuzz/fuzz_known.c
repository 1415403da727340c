/*
 * fuzz_known.c - any octets as the file of last known servers
 *
 * What is called sound can be used: every name ends, every address is one that
 * a server can have. Chance does not find a checksum, so the same octets are
 * also tried with a right one.
 */
#include "config.h"

#include <assert.h>
#include <string.h>

#include "../../libteredo/addr.h"
#include "../../src/known.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void use(const struct known_file *file)
{
	struct known known = { .fd = -1, .file = *file };
	uint32_t ip, ip2;

	for (unsigned i = 0; i < PRIV_SERVERS; i++) {
		const char *name = file->server[i].name;

		assert(strnlen(name, PRIV_NAME_MAX) < PRIV_NAME_MAX);
		assert(known_find(&known, name, &ip, &ip2) ==
		       (name[0] != '\0'));
		assert(name[0] == '\0' || ipv4_is_global(ip));
	}
	assert(known_put(&known, "new.example", 0x01010101u, 0) == 0);
	assert(known_find(&known, "new.example", &ip, &ip2));
	assert(ip == 0x01010101u && ip2 == 0);
	known.file.check = known_check(&known.file);
	assert(known_is_sound(&known.file, sizeof(known.file)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct known_file file = { 0 };

	memcpy(&file, data, len < sizeof(file) ? len : sizeof(file));
	if (known_is_sound(data, len))
		use(&file);
	file.magic = KNOWN_MAGIC;
	file.version = KNOWN_VERSION;
	file.check = known_check(&file);
	if (known_is_sound(&file, sizeof(file)))
		use(&file);
	return 0;
}
