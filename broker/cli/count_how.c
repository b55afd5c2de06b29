#include "broker/cli/count_how.h"

#include <string.h>

#include "lib/base/clock.h"

static void
add(struct ht_buf *out, const char *key, const char *text)
{
	ht_pack_cstr(out, key);
	ht_pack_cstr(out, text != NULL ? text : "");
}

void
ht_count_how_encode(const struct ht_audit_opts *opts, struct ht_buf *out)
{
	char zone[HT_ZONE_SIZE];

	ht_zone_text(opts->zone_minutes, zone);
	ht_pack_map(out, 6);
	add(out, "by", opts->by);
	add(out, "counts", opts->counts);
	add(out, "lang", opts->chinese ? "zh" : "en");
	add(out, "month", opts->month);
	add(out, "period", opts->period);
	add(out, "zone", zone);
}

static void
take(struct ht_unpack *u, const char *key, char out[static HT_HOW_TEXT])
{
	struct ht_slice text;

	ht_unpack_key(u, key);
	text = ht_unpack_str(u, HT_HOW_TEXT - 1);
	ht_unpack_demand(
	    u, text.len == 0 || memchr(text.at, 0, text.len) == NULL);
	if (u->err != HT_OK)
		return;
	if (text.len > 0)
		memcpy(out, text.at, text.len);
	out[text.len] = '\0';
}

static bool
one_of(const char *text, const char *a, const char *b)
{
	return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

/* A report has a month, and nothing that stats have. */
static bool
fits(const struct ht_count_how *how)
{
	if (strcmp(how->counts, "report") == 0)
		return how->month[0] != '\0' && how->by[0] == '\0' &&
		       how->period[0] == '\0';
	return strcmp(how->counts, "stats") == 0 && how->month[0] == '\0' &&
	       (how->period[0] == '\0' || one_of(how->period, "day", "month"));
}

enum ht_err
ht_count_how_decode(struct ht_slice bytes, struct ht_count_how *how)
{
	char lang[HT_HOW_TEXT] = "", zone[HT_HOW_TEXT] = "";
	char again[HT_ZONE_SIZE];
	struct ht_unpack u;

	*how = (struct ht_count_how){0};
	if (ht_pack_check(bytes, NULL, NULL) != HT_OK)
		return HT_EMALFORMED;
	u = ht_unpack(bytes);
	ht_unpack_demand(&u, ht_unpack_map(&u, 6) == 6);
	take(&u, "by", how->by);
	take(&u, "counts", how->counts);
	take(&u, "lang", lang);
	take(&u, "month", how->month);
	take(&u, "period", how->period);
	take(&u, "zone", zone);
	if (ht_unpack_end(&u) != HT_OK || !fits(how) ||
	    !one_of(lang, "en", "zh") ||
	    ht_zone_parse(zone, &how->zone_minutes) != HT_OK)
		return HT_EMALFORMED;
	how->chinese = strcmp(lang, "zh") == 0;
	ht_zone_text(how->zone_minutes, again);
	return strcmp(zone, again) == 0 ? HT_OK : HT_EMALFORMED;
}

/* Not given and empty are one. */
static const char *
given(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

void
ht_count_how_apply(const struct ht_count_how *how, struct ht_audit_opts *opts)
{
	opts->counts = how->counts;
	opts->by = given(how->by);
	opts->period = given(how->period);
	opts->month = given(how->month);
	opts->zone_minutes = how->zone_minutes;
	opts->chinese = how->chinese;
}
