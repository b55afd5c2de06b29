#include "lib/base/text.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/base/panic.h"

/* ---- UTF-8 ---- */

/*
 * Decode the character at the front (RFC 3629 section 4).  Returns its length
 * and *ret_point, or 0 if what stands there is no character.
 */
static size_t
utf8_next(struct ht_slice text, uint32_t *ret_point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t point;
	uint8_t first;
	size_t n;

	if (text.len == 0)
		return 0;
	first = text.at[0];
	if (first < 0x80) {
		*ret_point = first;
		return 1;
	}
	n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc2 || first > 0xf4 || n > text.len)
		return 0;
	point = first & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((text.at[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (text.at[i] & 0x3f);
	}
	if (point < least[n] || point > 0x10ffff ||
	    (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_point = point;
	return n;
}

static struct ht_slice
skip(struct ht_slice text, size_t n)
{
	HT_ASSERT(n <= text.len);
	return HT_SLICE(text.at + n, text.len - n);
}

/* How much of the front is ASCII, in steps of eight bytes. */
static size_t
ascii_front(struct ht_slice text)
{
	size_t at = 0;
	uint64_t eight;

	for (; text.len - at >= sizeof(eight); at += sizeof(eight)) {
		memcpy(&eight, text.at + at, sizeof(eight));
		if ((eight & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	return at;
}

bool
ht_utf8_valid(struct ht_slice text)
{
	uint32_t point;

	while (text.len > 0) {
		size_t n = ascii_front(text);

		if (n > 0) {
			text = skip(text, n);
			continue;
		}
		n = utf8_next(text, &point);

		if (n == 0)
			return false;
		text = skip(text, n);
	}
	return true;
}

size_t
ht_utf8_count(struct ht_slice text)
{
	uint32_t point;
	size_t count = 0;

	while (text.len > 0) {
		size_t n = utf8_next(text, &point);

		if (n == 0)
			return 0;
		text = skip(text, n);
		count++;
	}
	return count;
}

size_t
ht_utf8_cut(struct ht_slice text, size_t max)
{
	size_t cut = max;

	if (text.len <= max)
		return text.len;
	/* Back over at most three continuation bytes to where one starts. */
	while (cut > 0 && max - cut < 3 && (text.at[cut] & 0xc0) == 0x80)
		cut--;
	return cut;
}

bool
ht_text_line(struct ht_slice *rest, struct ht_slice *ret)
{
	const uint8_t *end =
	    rest->len > 0 ? memchr(rest->at, '\n', rest->len) : NULL;

	if (end == NULL)
		return false;
	*ret = HT_SLICE(rest->at, (size_t)(end - rest->at));
	*rest = HT_SLICE(end + 1, rest->len - ret->len - 1);
	return true;
}

/* ---- text for a terminal ---- */

/*
 * What may steer a terminal or make text read otherwise than it is: C0, DEL,
 * C1; line and paragraph separators; bidirectional controls (UAX #9); and
 * characters that cannot be seen.
 */
static bool
is_trick(uint32_t point)
{
	static const struct {
		uint32_t from, to;
	} tricks[] = {
	    {0x0000,  0x001f }, /* C0 */
	    {0x007f,  0x009f }, /* DEL and C1 */
	    {0x00ad,  0x00ad }, /* soft hyphen */
	    {0x061c,  0x061c }, /* Arabic letter mark */
	    {0x180e,  0x180e }, /* Mongolian vowel separator */
	    {0x200b,  0x200f }, /* zero widths, LRM, RLM */
	    {0x2028,  0x202e }, /* separators, embeddings, overrides */
	    {0x2060,  0x206f }, /* word joiner, isolates, deprecated */
	    {0xfeff,  0xfeff }, /* byte order mark */
	    {0xfff9,  0xfffb }, /* interlinear annotation */
	    {0xe0000, 0xe007f}, /* tags */
	};

	for (size_t i = 0; i < HT_COUNT(tricks); i++)
		if (point >= tricks[i].from && point <= tricks[i].to)
			return true;
	return false;
}

void
ht_text_safe(struct ht_buf *out, struct ht_slice text)
{
	while (text.len > 0) {
		uint32_t point = 0;
		size_t n = utf8_next(text, &point);

		if (n == 0)
			ht_buf_fmt(out, "\\x%02x", text.at[0]);
		else if (is_trick(point) && point < 0x80)
			ht_buf_fmt(out, "\\x%02x", (unsigned)point);
		else if (is_trick(point))
			ht_buf_fmt(out, "\\u{%04x}", (unsigned)point);
		else
			ht_buf_add(out, text.at, n);
		text = skip(text, n == 0 ? 1 : n);
	}
}

static long
find_trick(struct ht_slice text, bool one_line, uint32_t *ret_point)
{
	size_t at = 0;

	while (at < text.len) {
		struct ht_slice rest = skip(text, at);
		uint32_t point = 0;
		size_t n = utf8_next(rest, &point);
		bool blank = point == '\n' || point == '\r' || point == '\t';

		*ret_point = point;
		if (n == 0 || (is_trick(point) && (one_line || !blank)))
			return (long)at;
		at += n;
	}
	return -1;
}

long
ht_text_trick(struct ht_slice text, uint32_t *ret_point)
{
	return find_trick(text, false, ret_point);
}

long
ht_text_trick_line(struct ht_slice text, uint32_t *ret_point)
{
	return find_trick(text, true, ret_point);
}

void
ht_text_safe_json(struct ht_buf *out, struct ht_slice json)
{
	while (json.len > 0) {
		uint32_t point = 0;
		size_t n = utf8_next(json, &point);

		if (n == 0 || !is_trick(point))
			ht_buf_add(out, json.at, n == 0 ? 1 : n);
		else if (point < 0x10000)
			ht_buf_fmt(out, "\\u%04x", (unsigned)point);
		else
			ht_buf_fmt(out, "\\u%04x\\u%04x",
			    0xd7c0 + (unsigned)(point >> 10),
			    0xdc00 + (unsigned)(point & 0x3ff));
		json = skip(json, n == 0 ? 1 : n);
	}
}

/* ---- GB 18030 ---- */

static void
shut(iconv_t *cd)
{
	(void)iconv_close(*cd);
}

static enum ht_err
convert(const char *to, const char *from, struct ht_slice in,
    struct ht_buf *out, size_t *ret_bad)
{
	iconv_t opened = iconv_open(to, from);
	char *at = (char *)(uintptr_t)in.at; /* iconv only reads it */
	size_t left = in.len;

	if (opened == (iconv_t)-1)
		return HT_ESYSTEM;

	HT_AUTO(shut) iconv_t cd = opened;

	while (left > 0) {
		char chunk[512], *to_at = chunk;
		size_t room = sizeof(chunk);
		size_t rc = iconv(cd, &at, &left, &to_at, &room);
		int why = errno;

		ht_buf_add(out, chunk, sizeof(chunk) - room);
		if (rc == (size_t)-1 && why != E2BIG) {
			*ret_bad = in.len - left;
			return HT_EMALFORMED;
		}
	}
	return out->err;
}

enum ht_err
ht_text_from_gb18030(struct ht_slice in, struct ht_buf *out, size_t *ret_bad)
{
	return convert("UTF-8", "GB18030", in, out, ret_bad);
}

enum ht_err
ht_text_to_gb18030(struct ht_slice in, struct ht_buf *out, size_t *ret_bad)
{
	return convert("GB18030", "UTF-8", in, out, ret_bad);
}

/* ---- names ---- */

#define PART_MAX 64

static bool
is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* Every header of the log has a dozen: one look for each character. */
static const bool in_names[UINT8_MAX + 1] = {
    ['0' ... '9'] = true,
    ['A' ... 'Z'] = true,
    ['a' ... 'z'] = true,
    ['.'] = true,
    ['-'] = true,
};

bool
ht_name_part(struct ht_slice part)
{
	if (part.len == 0 || part.len > PART_MAX || !is_alnum(part.at[0]))
		return false;
	for (size_t i = 1; i < part.len; i++)
		if (!in_names[part.at[i]])
			return false;
	return true;
}

bool
ht_name_valid(struct ht_slice name)
{
	const uint8_t *slash;
	size_t domain;

	if (name.len == 0)
		return false;
	slash = memchr(name.at, '/', name.len);
	if (slash == NULL)
		return false;
	domain = (size_t)(slash - name.at);
	return ht_name_part(HT_SLICE(name.at, domain)) &&
	       ht_name_part(skip(name, domain + 1));
}

_Static_assert(HT_NAME_MAX == 2 * PART_MAX + 1, "a name is two parts");
