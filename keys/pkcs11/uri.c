/*
 * uri.c -- where a key is, as RFC 7512 writes it.  One spelling is read: the
 * reader takes the text apart, writes it again and compares.
 */
#include <stdio.h>
#include <string.h>

#include "keys/pkcs11/token.h"

#define TOKEN  "pkcs11:token="
#define ID     ";id="
#define MODULE "?module-path="

static bool
plain(uint8_t c, bool path)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || strchr("-._~", c) != NULL ||
	       (path && c == '/');
}

enum spelling { LABEL, BYTES, PATH };

static void
add(struct ht_buf *out, const void *bytes, size_t len, enum spelling how)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++)
		if (at[i] != 0 && how != BYTES && plain(at[i], how == PATH))
			ht_buf_u8(out, at[i]);
		else
			ht_buf_fmt(out, "%%%02X", at[i]);
}

void
ht_token_uri(const struct ht_token_ref *ref, char out[static HT_TOKEN_URI])
{
	struct ht_buf buf = {
	    .at = (uint8_t *)out, .cap = HT_TOKEN_URI, .max = HT_TOKEN_URI - 1};

	ht_buf_str(&buf, TOKEN);
	add(&buf, ref->label, strlen(ref->label), LABEL);
	ht_buf_str(&buf, ID);
	add(&buf, ref->id, ref->id_len, BYTES);
	ht_buf_str(&buf, MODULE);
	add(&buf, ref->module, strlen(ref->module), PATH);
	/* 32 and 16 times three, and 255 of a path times three, and words. */
	out[buf.err == HT_OK ? buf.len : 0] = '\0';
}

/* What stands up to @end (or the end of all), its %XX undone. */
static bool
take(struct ht_slice *rest, const char *end, uint8_t *out, size_t max,
    size_t *ret_len)
{
	size_t end_len = strlen(end), n = 0;

	while (rest->len > 0 && (end_len == 0 || rest->len < end_len ||
	                            memcmp(rest->at, end, end_len) != 0)) {
		size_t used = 1;
		char two[3] = "";

		if (n == max)
			return false;
		out[n] = rest->at[0];
		if (rest->at[0] == '%') {
			if (rest->len < 3)
				return false;
			memcpy(two, rest->at + 1, 2);
			if (ht_unhex(two, &out[n], 1) != HT_OK)
				return false;
			used = 3;
		}
		n++;
		*rest = HT_SLICE(rest->at + used, rest->len - used);
	}
	if (rest->len < end_len)
		return false;
	*rest = HT_SLICE(rest->at + end_len, rest->len - end_len);
	*ret_len = n;
	return n > 0;
}

enum ht_err
ht_token_uri_parse(struct ht_slice text, struct ht_token_ref *ret)
{
	struct ht_token_ref ref = {.id_len = 0};
	struct ht_slice rest = text;
	char again[HT_TOKEN_URI];
	size_t len;

	if (text.len < strlen(TOKEN) ||
	    memcmp(text.at, TOKEN, strlen(TOKEN)) != 0)
		return HT_EMALFORMED;
	rest = HT_SLICE(text.at + strlen(TOKEN), text.len - strlen(TOKEN));
	if (!take(
	        &rest, ID, (uint8_t *)ref.label, sizeof(ref.label) - 1, &len) ||
	    !take(&rest, MODULE, ref.id, sizeof(ref.id), &ref.id_len) ||
	    !take(&rest, "", (uint8_t *)ref.module, sizeof(ref.module) - 1,
	        &len) ||
	    ref.module[0] != '/')
		return HT_EMALFORMED;
	ht_token_uri(&ref, again);
	if (!ht_slice_is(text, again))
		return HT_EMALFORMED;
	*ret = ref;
	return HT_OK;
}
