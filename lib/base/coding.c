/*
 * coding.c -- hex and base64 (see bytes.h).  Neither is constant-time: secret
 * bytes go through the coders of keys/.
 */
#include <string.h>

#include "lib/base/bytes.h"

void
ht_hex(char *out, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *in = bytes;

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[in[i] >> 4];
		*out++ = digits[in[i] & 15];
	}
	*out = '\0';
}

/* 0..15, or -1. */
static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum ht_err
ht_unhex(const char *text, void *out, size_t len)
{
	uint8_t *bytes = out;

	if (strlen(text) != 2 * len)
		return HT_EMALFORMED;
	for (size_t i = 0; i < 2 * len; i++)
		if (hex_digit(text[i]) < 0)
			return HT_EMALFORMED;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 |
		                     hex_digit(text[2 * i + 1]));
	return HT_OK;
}

static const char b64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";

void
ht_b64(char *out, const void *bytes, size_t len)
{
	const uint8_t *in = bytes;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t three = (uint32_t)in[i] << 16;

		if (i + 1 < len)
			three |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < len)
			three |= in[i + 2];
		*out++ = b64_digits[three >> 18];
		*out++ = b64_digits[three >> 12 & 63];
		*out++ = i + 1 < len ? b64_digits[three >> 6 & 63] : '=';
		*out++ = i + 2 < len ? b64_digits[three & 63] : '=';
	}
	*out = '\0';
}

/* 0..63, or -1. */
static int
b64_digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Four digits, the last `pad` of them "=", to 3 - pad bytes. */
static enum ht_err
b64_quad(const uint8_t in[static 4], unsigned pad, uint8_t out[static 3])
{
	uint32_t three = 0;

	for (unsigned i = 0; i < 4; i++) {
		int digit = i < 4 - pad ? b64_digit(in[i]) : 0;

		if (digit < 0)
			return HT_EMALFORMED;
		three = three << 6 | (uint32_t)digit;
	}
	/* Bits that no byte uses are zero, or two texts would mean one. */
	if ((three & ((1u << 8 * pad) - 1)) != 0)
		return HT_EMALFORMED;
	out[0] = (uint8_t)(three >> 16);
	out[1] = (uint8_t)(three >> 8);
	out[2] = (uint8_t)three;
	return HT_OK;
}

static unsigned
b64_pad(struct ht_slice text)
{
	if (text.len == 0 || text.at[text.len - 1] != '=')
		return 0;
	return text.at[text.len - 2] == '=' ? 2 : 1;
}

enum ht_err
ht_unb64(struct ht_slice text, void *out, size_t max, size_t *ret_len)
{
	unsigned pad;
	size_t len;
	uint8_t *to = out;

	if (text.len % 4 != 0)
		return HT_EMALFORMED;
	pad = b64_pad(text);
	len = text.len / 4 * 3 - pad;
	if (len > max)
		return HT_ETOOBIG;
	for (size_t i = 0; i < text.len; i += 4) {
		bool last = i + 4 == text.len;
		unsigned skip = last ? pad : 0;
		uint8_t three[3];
		enum ht_err err = b64_quad(text.at + i, skip, three);

		if (err != HT_OK)
			return err;
		memcpy(to, three, 3 - skip);
		to += 3 - skip;
	}
	*ret_len = len;
	return HT_OK;
}
