/*
 * fuzz_syntax.c - the same directives in both syntaxes
 *
 * The input chooses directives and values from what a configuration is made
 * of, good ones and bad ones; they are written as Miredo does and as libconfuse
 * does. Both are good or both are not, and if they are, the configuration is
 * the same.
 */
#include "config.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const names[] = {
	"RelayType", "InterfaceName", "ServerAddress", "ServerAddress2",
	"Prefix", "InterfaceMTU", "BindAddress", "BindPort", "RelayScope",
	"ServerBindAddress", "ServerBindAddress2", "ServerPublicAddress",
	"ServerPublicAddress2", "KeyFile", "ClientIdentifier",
	"RequireAuthentication", "SyslogFacility", "LocalDiscovery",
	"DiscoveryInterfaces", "prefix", "BINDPORT", "Nonsense",
};

static const char *const values[] = {
	"client", "relay", "cone", "restricted", "server", "autoclient",
	"host", "router", "yes", "no", "none", "daemon", "user", "local7",
	"teredo", "miredo0", "a-name-of-an-interface", "2001::", "2001:0:0:0::",
	"2001:db8::", "fe80::", "1280", "1500", "65507", "65508", "0", "3544",
	"65536", "0x500", "-1", "192.0.2.1", "198.51.100.7", "10.0.0.1",
	"127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "192.0.2",
	"server.example", "a.b.c", "-.example", "/etc/keys", "keys", "alice",
	"alice@example", "x",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char *write_as(bool confuse, const uint8_t *data, size_t len)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert(out != NULL);
	for (size_t i = 0; i + 2 <= len && i < 64; i += 2) {
		const char *name = names[data[i] % COUNT(names)];
		const char *value = values[data[i + 1] % COUNT(values)];

		if (data[i] >= 240)	/* a word of the input's own */
			fprintf(out, confuse ? "%s = \"%c%c\"\n" : "%s %c%c\n",
				name, 'a' + data[i + 1] % 26,
				'0' + data[i + 1] % 10);
		else
			fprintf(out, confuse ? "%s = \"%s\"\n" : "%s %s\n",
				name, value);
	}
	fclose(out);
	return text;
}

/* The configuration printed, or NULL: it is not good. */
static char *meaning(enum conf_program program, const char *text)
{
	char *printed = NULL, *said = NULL;
	size_t size, said_size;
	FILE *out = open_memstream(&printed, &size);
	FILE *err = open_memstream(&said, &said_size);
	struct conf conf;
	int errors;

	assert(out != NULL && err != NULL);
	errors = conf_parse(&conf, program, "f", text, strlen(text), NULL, err);
	if (errors == 0)
		conf_print(&conf, false, out);
	fclose(out);
	fclose(err);
	assert(errors == 0 || said_size > 0);
	free(said);
	if (errors == 0)
		return printed;
	free(printed);
	return NULL;
}

static void compare(enum conf_program program, const char *text,
		    const char *other)
{
	char *a = meaning(program, text), *b = meaning(program, other);

	assert((a == NULL) == (b == NULL));
	assert(a == NULL || strcmp(a, b) == 0);
	free(a);
	free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *plain = write_as(false, data, len);
	char *confuse = write_as(true, data, len);

	compare(CONF_MIREDO, plain, confuse);
	compare(CONF_MIREDO_SERVER, plain, confuse);
	free(plain);
	free(confuse);
	return 0;
}
