/*
 * tar.c -- POSIX ustar (IEEE Std 1003.1, pax, "ustar Interchange Format").
 */
#include "broker/log/tar.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_  100
#define PREFIX_MAX 155
#define SIZE_MAX_  UINT64_C(077777777777)

/* The header as it stands: numbers are octal text. */
struct header {
	char name[NAME_MAX_];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char chksum[8];
	char typeflag;
	char linkname[100];
	char magic[6];
	char version[2];
	char uname[32];
	char gname[32];
	char devmajor[8];
	char devminor[8];
	char prefix[PREFIX_MAX];
	char pad[12];
};
_Static_assert(sizeof(struct header) == HT_TAR_BLOCK, "no padding");

/* Every part of it is a name, and none leads upwards. */
static bool
stays_inside(const char *name)
{
	const char *at = name;

	for (;;) {
		size_t len = strcspn(at, "/");

		if (len == 0 || (len == 1 && at[0] == '.') ||
		    (len == 2 && at[0] == '.' && at[1] == '.'))
			return false;
		if (at[len] == '\0')
			return true;
		at += len + 1;
	}
}

/* Where a long name is parted: prefix, "/" (not stored), name. */
static bool
put_name(struct header *h, const char *name)
{
	size_t len = strlen(name);
	const char *slash = name;

	if (len <= NAME_MAX_) {
		memcpy(h->name, name, len);
		return true;
	}
	while ((slash = strchr(slash, '/')) != NULL) {
		size_t before = (size_t)(slash - name);

		slash++;
		if (before > PREFIX_MAX)
			return false;
		if (len - before - 1 > NAME_MAX_)
			continue;
		memcpy(h->prefix, name, before);
		memcpy(h->name, slash, len - before - 1);
		return true;
	}
	return false;
}

static void
put_octal(char *out, size_t size, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%0*llo", (int)size - 1,
	    (unsigned long long)value);
	memcpy(out, text, size);
}

/* Of the header's bytes, its own place counted as spaces. */
static void
put_sum(struct header *h)
{
	const unsigned char *at = (const unsigned char *)h;
	unsigned sum = 0;

	memset(h->chksum, ' ', sizeof(h->chksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += at[i];
	put_octal(h->chksum, 7, sum);
}

enum ht_err
ht_tar_head(struct ht_buf *out, const char *name, unsigned mode,
    uint64_t time_s, uint64_t len)
{
	struct header h = {.typeflag = '0'};

	if (!stays_inside(name) || !put_name(&h, name) || len > SIZE_MAX_ ||
	    time_s > SIZE_MAX_)
		return HT_EINVALID;
	put_octal(h.mode, sizeof(h.mode), mode & 0777);
	put_octal(h.uid, sizeof(h.uid), 0);
	put_octal(h.gid, sizeof(h.gid), 0);
	put_octal(h.size, sizeof(h.size), len);
	put_octal(h.mtime, sizeof(h.mtime), time_s);
	memcpy(h.magic, "ustar", sizeof(h.magic));
	memcpy(h.version, "00", sizeof(h.version));
	put_octal(h.devmajor, sizeof(h.devmajor), 0);
	put_octal(h.devminor, sizeof(h.devminor), 0);
	put_sum(&h);
	ht_buf_add(out, &h, sizeof(h));
	return out->err;
}

enum ht_err
ht_tar_add(struct ht_buf *out, const char *name, unsigned mode, uint64_t time_s,
    struct ht_slice bytes)
{
	static const char zeros[HT_TAR_BLOCK];
	enum ht_err err = ht_tar_head(out, name, mode, time_s, bytes.len);

	if (err != HT_OK)
		return err;
	if (bytes.len > 0)
		ht_buf_add(out, bytes.at, bytes.len);
	ht_buf_add(out, zeros, HT_TAR_PAD(bytes.len));
	return out->err;
}

/* Eleven octal digits and a NUL, as we write them. */
static bool
get_octal(const char *at, size_t size, uint64_t *ret)
{
	uint64_t value = 0;

	for (size_t i = 0; i + 1 < size; i++) {
		if (at[i] < '0' || at[i] > '7')
			return false;
		value = value << 3 | (uint64_t)(at[i] - '0');
	}
	*ret = value;
	return at[size - 1] == '\0';
}

static bool
sum_fits(const struct header *h)
{
	struct header again = *h;

	put_sum(&again);
	return memcmp(again.chksum, h->chksum, 7) == 0;
}

enum ht_err
ht_tar_parse(const uint8_t block[static HT_TAR_BLOCK],
    char name[static HT_TAR_NAME], uint64_t *ret_len)
{
	static const uint8_t zeros[HT_TAR_BLOCK];
	struct header h;

	if (memcmp(block, zeros, HT_TAR_BLOCK) == 0)
		return HT_ENOTFOUND;
	memcpy(&h, block, sizeof(h));
	if (memcmp(h.magic, "ustar", 6) != 0 || h.typeflag != '0' ||
	    !sum_fits(&h) || !get_octal(h.size, sizeof(h.size), ret_len))
		return HT_EMALFORMED;
	if (h.prefix[0] != '\0')
		(void)snprintf(name, HT_TAR_NAME, "%.*s/%.*s", PREFIX_MAX - 1,
		    h.prefix, NAME_MAX_, h.name);
	else
		(void)snprintf(name, HT_TAR_NAME, "%.*s", NAME_MAX_, h.name);
	return stays_inside(name) ? HT_OK : HT_EMALFORMED;
}

enum ht_err
ht_tar_end(struct ht_buf *out)
{
	static const char zeros[2 * HT_TAR_BLOCK];

	ht_buf_add(out, zeros, sizeof(zeros));
	return out->err;
}
