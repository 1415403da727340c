/*
 * keys.h - key files: identifiers and secrets for secure qualification
 *
 * A line each: identifier, algorithm (hmac-sha1 or hmac-sha256), secret in
 * hexadecimal digits and perhaps "expired"; see miredo.conf(5). Messages name
 * file, line and column and never show a line.
 */
#ifndef MIREDO_KEYS_H
#define MIREDO_KEYS_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "../libteredo/auth.h"
#include "conf.h"

#define KEYS_WEAK 16	/* octets: a shorter secret can be guessed */

/* What identifiers are made of. */
#define KEYS_ID_CHARACTERS                                                     \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"       \
	".-_+@:"

bool keys_is_id(const char *id, size_t len);

/*
 * Reads conf's KeyFile, which must be a regular file of root's, of `user`'s or
 * our own that nobody else may read. A client keeps its own key alone. What is
 * wrong is written to err. 0: *keys is good; without a KeyFile there are none.
 * > 0: as many errors. -errno: it cannot be read, which is not said. Unless 0,
 * there is no secret in *keys.
 */
int keys_read(struct auth_keys *keys, const struct conf *conf, uid_t user,
	      FILE *err);

/* Says so, with the directive's place; how: "error" or "warning". */
void keys_say_unreadable(const struct conf *conf, int error, const char *how,
			 FILE *err);

/* All keys of len octets of text; `file` is their name in messages. 0, or the
 * number of errors, and no keys. */
int keys_parse(struct auth_keys *keys, const char *file, const char *text,
	       size_t len, FILE *err);

/* Leaves only the key with that identifier; with "" the only one there is.
 * false: there is none, or more than one; all are wiped. */
bool keys_select(struct auth_keys *keys, const char *id);

void keys_wipe(struct auth_keys *keys);

#endif
