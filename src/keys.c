/*
 * keys.c - key files: identifiers and secrets for secure qualification
 *
 * The parent and miredo-checkconf read them with this, nobody else. A file
 * that others may read, or write, holds no secret: it is refused, with the
 * remedy (SEC-MITM-02). A short secret is only a warning, for the other side
 * may have chosen it.
 *
 * Secrets are kept off messages, and out of memory that goes back to libc.
 * What the names and values mean to the protocol is in libteredo/auth.h.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys.h"

#define KEYS_PLACE_MAX (sizeof(((struct conf *)0)->file) + 32)
#define FILE_MAX (128u << 10)	/* more than AUTH_KEYS lines need */
#define WORDS 4			/* identifier, algorithm, secret, "expired" */

struct word {
	const char *at;
	size_t len;
};

struct reading {
	struct auth_keys *keys;
	const char *file, *line;	/* where the line begins */
	unsigned number;
	int errors;
	FILE *err;
};

__attribute__((format(printf, 3, 4))) static void
fault(struct reading *r, struct word w, const char *fmt, ...)
{
	va_list ap;

	r->errors++;
	fprintf(r->err, "%s:%u:%zu: error: ", r->file, r->number,
		(size_t)(w.at - r->line) + 1);
	va_start(ap, fmt);
	vfprintf(r->err, fmt, ap);
	va_end(ap);
	fputc('\n', r->err);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is(struct word w, const char *text)
{
	return w.len == strlen(text) && strncasecmp(w.at, text, w.len) == 0;
}

/* ---- a line ---- */

bool keys_is_id(const char *id, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (id[i] == '\0' || strchr(KEYS_ID_CHARACTERS, id[i]) == NULL)
			return false;
	return len > 0 && len <= AUTH_ID_MAX;
}

static bool take_id(struct reading *r, struct word w, struct auth_key *key)
{
	if (!keys_is_id(w.at, w.len)) {
		fault(r, w, "an identifier is 1 to %d letters, digits and "
			    ".-_+@:", AUTH_ID_MAX);
		return false;
	}
	for (uint32_t i = 0; i < r->keys->n; i++)
		if (r->keys->key[i].id_len == w.len &&
		    memcmp(r->keys->key[i].id, w.at, w.len) == 0) {
			fault(r, w, "this identifier is there already");
			return false;
		}
	memcpy(key->id, w.at, w.len);
	key->id_len = (uint8_t)w.len;
	return true;
}

static bool take_algorithm(struct reading *r, struct word w,
			   struct auth_key *key)
{
	const char *name;

	for (unsigned a = TEREDO_HMAC_SHA1;
	     (name = auth_algorithm_name(a)) != NULL; a++)
		if (is(w, name))
			key->algorithm = (uint8_t)a;
	if (key->algorithm == 0)
		fault(r, w, "the algorithm is hmac-sha1 or hmac-sha256");
	return key->algorithm != 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_secret(struct reading *r, struct word w, struct auth_key *key)
{
	bool good = w.len % 2 == 0 && w.len / 2 <= AUTH_SECRET_MAX;

	for (size_t i = 0; good && i + 1 < w.len; i += 2) {
		int high = digit(w.at[i]), low = digit(w.at[i + 1]);

		good = high >= 0 && low >= 0;
		key->secret[i / 2] = (uint8_t)(high * 16 + low);
	}
	if (!good) {
		fault(r, w, "a secret is 1 to %d octets as hexadecimal digits, "
			    "two each: openssl rand -hex 32", AUTH_SECRET_MAX);
		return false;
	}
	key->secret_len = (uint8_t)(w.len / 2);
	if (key->secret_len < KEYS_WEAK)
		fprintf(r->err, "%s:%u:%zu: warning: this secret has %u octets "
				"and can be guessed: take at least %d\n",
			r->file, r->number, (size_t)(w.at - r->line) + 1,
			key->secret_len, KEYS_WEAK);
	return true;
}

/* The words of a line, at most one too many; the rest is one word. */
static unsigned split(const char *s, const char *end,
		      struct word words[WORDS + 1])
{
	unsigned n = 0;

	while (n <= WORDS) {
		while (s < end && is_blank(*s))
			s++;
		if (s == end || *s == '#')
			break;
		words[n].at = s;
		while (s < end && !is_blank(*s))
			s++;
		words[n].len = (size_t)(s - words[n].at);
		n++;
	}
	return n;
}

static void read_line(struct reading *r, const char *end)
{
	struct word w[WORDS + 1];
	unsigned n = split(r->line, end, w);
	struct auth_key key = { .algorithm = 0 };

	if (n == 0)
		return;
	if (n < 3)
		fault(r, w[0], "a line is: identifier algorithm secret");
	else if (n > WORDS || (n == WORDS && !is(w[3], "expired")))
		fault(r, w[3], "behind the secret stands nothing or: expired");
	else if (r->keys->n == AUTH_KEYS)
		fault(r, w[0], "more than %d identifiers", AUTH_KEYS);
	else if (take_id(r, w[0], &key) && take_algorithm(r, w[1], &key) &&
		 take_secret(r, w[2], &key)) {
		key.expired = n == WORDS;
		r->keys->key[r->keys->n++] = key;
	}
	explicit_bzero(&key, sizeof(key));
}

int keys_parse(struct auth_keys *keys, const char *file, const char *text,
	       size_t len, FILE *err)
{
	struct reading r = { .keys = keys, .file = file, .err = err };
	const char *end = text + len, *stop;

	keys->n = 0;
	for (r.line = text; r.line < end; r.line = stop + 1) {
		stop = memchr(r.line, '\n', (size_t)(end - r.line));
		if (stop == NULL)
			stop = end;
		r.number++;
		read_line(&r, stop);
	}
	if (keys->n == 0 && r.errors == 0) {
		fprintf(err, "%s: error: there is no key in it\n", file);
		r.errors++;
	}
	if (r.errors != 0)
		keys_wipe(keys);
	return r.errors;
}

/* ---- a file ---- */

/* "miredo.conf:3:10: " or "" */
static void set_place(char at[KEYS_PLACE_MAX], const struct conf *conf)
{
	at[0] = '\0';
	if (conf->key_file_place.line > 0)
		snprintf(at, KEYS_PLACE_MAX, "%s:%u:%u: ", conf->file,
			 conf->key_file_place.line,
			 conf->key_file_place.column);
}

/* Whether it is one that only who may know the secrets can read. */
static bool is_private(int fd, const char *file, const char *at, uid_t user,
		       FILE *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		fprintf(err, "%serror: KeyFile %s is no regular file\n", at,
			file);
		return false;
	}
	if (st.st_uid != 0 && st.st_uid != user && st.st_uid != geteuid()) {
		fprintf(err, "%serror: KeyFile %s belongs to user %u, who is "
			     "neither root nor the service's: chown it\n",
			at, file, st.st_uid);
		return false;
	}
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		fprintf(err, "%serror: KeyFile %s has mode %04o, so that others "
			     "know the secrets: chmod 600 %s, and change them\n",
			at, file, st.st_mode & 07777u, file);
		return false;
	}
	return true;
}

/* All of it: its length, or -errno. */
static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, text + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return (ssize_t)len;
		len += (size_t)n;
	}
	return -EFBIG;
}

static int read_file(struct auth_keys *keys, const char *file, const char *at,
		     uid_t user, FILE *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *text = fd < 0 ? NULL : malloc(FILE_MAX);
	ssize_t n = fd < 0 ? -errno : -ENOMEM;

	keys->n = 0;
	if (text != NULL && !is_private(fd, file, at, user, err))
		n = 1;
	else if (text != NULL && (n = read_all(fd, text, FILE_MAX)) >= 0)
		n = keys_parse(keys, file, text, (size_t)n, err);
	if (text != NULL)
		explicit_bzero(text, FILE_MAX);
	free(text);
	if (fd >= 0)
		close(fd);
	return (int)n;
}

int keys_read(struct auth_keys *keys, const struct conf *conf, uid_t user,
	      FILE *err)
{
	char at[KEYS_PLACE_MAX];
	int n;

	keys_wipe(keys);
	if (conf->key_file[0] == '\0')
		return 0;
	set_place(at, conf);
	n = read_file(keys, conf->key_file, at, user, err);
	if (n != 0 || conf->role != CONF_CLIENT ||
	    keys_select(keys, conf->client_id))
		return n;
	if (conf->client_id[0] != '\0')
		fprintf(err, "%serror: KeyFile %s has no key of "
			     "ClientIdentifier %s\n",
			at, conf->key_file, conf->client_id);
	else
		fprintf(err, "%serror: KeyFile %s has more than one key: set "
			     "ClientIdentifier\n", at, conf->key_file);
	return 1;
}

void keys_say_unreadable(const struct conf *conf, int error, const char *how,
			 FILE *err)
{
	char at[KEYS_PLACE_MAX];

	set_place(at, conf);
	fprintf(err, "%s%s: KeyFile %s cannot be read: %s\n", at, how,
		conf->key_file, strerror(error));
}

bool keys_select(struct auth_keys *keys, const char *id)
{
	size_t len = strlen(id);
	uint32_t found = keys->n;
	struct auth_key key;

	for (uint32_t i = 0; i < keys->n; i++)
		if (len == 0 ? keys->n == 1
			     : keys->key[i].id_len == len &&
				       memcmp(keys->key[i].id, id, len) == 0)
			found = i;
	if (found == keys->n) {
		keys_wipe(keys);
		return false;
	}
	key = keys->key[found];
	keys_wipe(keys);
	keys->key[keys->n++] = key;
	explicit_bzero(&key, sizeof(key));
	return true;
}

void keys_wipe(struct auth_keys *keys)
{
	explicit_bzero(keys, sizeof(*keys));
}
