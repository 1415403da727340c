/*
 * firewall.h - what may come in by the tunnel
 */
#ifndef MIREDO_FIREWALL_H
#define MIREDO_FIREWALL_H

#include "conf.h"

struct firewall;

/* Loads the rules that conf has, in the place of those before, or takes them
 * away when conf->firewall is not set. *f is NULL at first, and where there are
 * none. 0; else said why, nothing changed, and -errno. Needs CAP_NET_ADMIN. */
int firewall_set(struct firewall **f, const struct conf *conf);

/* The rules go, too. NULL is nothing. */
void firewall_free(struct firewall *f);

#endif
