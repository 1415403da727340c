/*
 * datapath.c - what the offloads are called, in the log and in the status
 *
 * The names are part of the status's JSON: they stay as they are.
 */
#include "config.h"

#include "datapath.h"

#include <stddef.h>
#include <string.h>

static const struct {
	uint32_t bit;
	const char *name;
} names[] = {
	{ DATAPATH_TSO, "tun-tso" },
	{ DATAPATH_TSO_READ, "tun-tso-read" },
	{ DATAPATH_USO, "tun-uso" },
	{ DATAPATH_USO_READ, "tun-uso-read" },
	{ DATAPATH_SEGMENT, "udp-segment" },
	{ DATAPATH_GRO, "udp-gro" },
	{ DATAPATH_BATCH, "batch" },
};

const char *datapath_name(unsigned i, uint32_t *bit)
{
	if (i >= sizeof(names) / sizeof(names[0]))
		return NULL;
	*bit = names[i].bit;
	return names[i].name;
}

const char *datapath_text(char text[DATAPATH_TEXT_LEN], uint32_t features)
{
	const char *name;
	uint32_t bit;

	text[0] = '\0';
	for (unsigned i = 0; (name = datapath_name(i, &bit)) != NULL; i++) {
		if ((features & bit) == 0)
			continue;
		if (text[0] != '\0')
			strcat(text, ", ");
		strcat(text, name);
	}
	return text[0] != '\0' ? text : "plain";
}
