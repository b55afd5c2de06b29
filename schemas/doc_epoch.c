/*
 * doc_epoch.c -- the keys of an epoch of tags: the auditors' annex key, and
 * the tracker key sealed to each member.
 */
#include <stdio.h>
#include <string.h>

#include "lib/conf/conf.h"
#include "schemas/doc.h"

#define TRACKER_SIZE  32
#define SEALED_SIZE   (HT_ENC_SIZE + TRACKER_SIZE + HT_AEAD_TAG)
#define TRACKER_LABEL "hutong-tracker/v1\n"
#define TRACKER_SUITE 1
#define INFO_SIZE     (sizeof(TRACKER_LABEL) - 1 + 1 + HT_KEYID_SIZE)

static void
read_sealed(struct ht_read *r, struct ht_yaml *value, struct ht_slice *ret)
{
	uint8_t *at = ht_read_alloc(r, SEALED_SIZE, 1);
	const char *text;
	size_t len;

	if (at == NULL ||
	    !ht_yaml_as_str(value, HT_B64_SIZE(SEALED_SIZE), &text))
		return;
	if (ht_unb64(ht_slice_str(text), at, SEALED_SIZE, &len) != HT_OK ||
	    len != SEALED_SIZE)
		ht_yaml_complain(value,
		    "base64 of %d bytes is expected, as `hutong epoch new` "
		    "writes it",
		    SEALED_SIZE);
	else
		*ret = HT_SLICE(at, SEALED_SIZE);
}

static void
read_tracker(struct ht_read *r, struct ht_yaml *map, struct ht_tracker *ret)
{
	struct ht_yaml *key;
	const char *text;

	if (map == NULL)
		return;
	ht_read_name(ht_yaml_need(map, "member"), ret->member);
	key = ht_yaml_need(map, "key");
	if (ht_yaml_as_str(key, 2 * HT_KEYID_SIZE, &text) &&
	    ht_unhex(text, ret->key.at, sizeof(ret->key.at)) != HT_OK)
		ht_yaml_complain(key, "a key id in hex is expected: 16 digits");
	read_sealed(r, ht_yaml_need(map, "sealed"), &ret->sealed);
}

#define TRACKERS_MAX 10000 /* HT_DOC_MAX is reached long before */

static void
read_trackers(struct ht_read *r, struct ht_yaml *list)
{
	struct ht_epoch_entry *epoch = r->doc->epoch;
	size_t n = ht_yaml_count(ht_yaml_as_list(list));

	if (n > TRACKERS_MAX) {
		ht_yaml_complain(list, "too many trackers");
		ht_yaml_take(list);
		return;
	}
	epoch->trackers = ht_read_alloc(r, n, sizeof(*epoch->trackers));
	if (epoch->trackers == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		read_tracker(r, ht_yaml_as_map(ht_yaml_at(list, i)),
		    &epoch->trackers[i]);
	epoch->n_trackers = (unsigned)n;
}

void
ht_read_epoch(struct ht_read *r)
{
	struct ht_epoch_entry *epoch = r->doc->epoch;
	struct ht_yaml *name = ht_yaml_need(r->top, "epoch");

	ht_read_name(name, epoch->name);
	if (strlen(epoch->name) > HT_GRANT_MAX) /* a tag's field */
		ht_yaml_complain(name, "%d bytes at most, like gx.demo/2026Q4",
		    HT_GRANT_MAX);
	ht_yaml_as_u64(ht_yaml_need(r->top, "revision"), 1, HT_REVISION_MAX,
	    &r->doc->revision);
	ht_read_period(r->top, &epoch->from_ms, &epoch->until_ms);
	ht_read_pub(ht_yaml_need(r->top, "annex"), false, &epoch->annex);
	epoch->annex_id = ht_keyid(HT_KEY_ANNEX, &epoch->annex);
	read_trackers(r, ht_yaml_need(r->top, "trackers"));
	(void)snprintf(r->doc->name, sizeof(r->doc->name), "%s", epoch->name);
}

/* ---- the sealed tracker key ---- */

static void
tracker_info(const struct ht_keyid *key, uint8_t out[static INFO_SIZE])
{
	const size_t label = sizeof(TRACKER_LABEL) - 1;

	memcpy(out, TRACKER_LABEL, label);
	out[label] = TRACKER_SUITE;
	memcpy(out + label + 1, key->at, HT_KEYID_SIZE);
}

enum ht_err
ht_tracker_seal(const char *epoch, const struct ht_keyinfo *to,
    const struct ht_key *tracker, struct ht_buf *ret)
{
	uint8_t info[INFO_SIZE];
	enum ht_err err;

	tracker_info(&to->id, info);
	err = ht_seal_once(&to->pub, HT_SLICE(info, sizeof(info)),
	    ht_slice_str(epoch), HT_SLICE(ht_key_open(tracker), TRACKER_SIZE),
	    ret);
	ht_key_shut(tracker);
	return err;
}

static enum ht_err
open_one(const struct ht_epoch_entry *epoch, const struct ht_tracker *at,
    const struct ht_key *sealing, struct ht_key **ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf plain = HT_BUF(TRACKER_SIZE);
	uint8_t info[INFO_SIZE];
	enum ht_err err;

	tracker_info(&at->key, info);
	err = ht_open_once(sealing, HT_SLICE(info, sizeof(info)),
	    ht_slice_str(epoch->name), at->sealed, &plain);
	if (err == HT_OK && plain.len != TRACKER_SIZE)
		err = HT_EMALFORMED;
	if (err == HT_OK)
		err = ht_key_from_seed(HT_KEY_TRACKER, plain.at, ret);
	if (plain.at != NULL)
		ht_wipe(plain.at, plain.cap);
	return err;
}

enum ht_err
ht_tracker_open(const struct ht_epoch_entry *epoch, struct ht_slice member,
    const struct ht_key *sealing, struct ht_key **ret)
{
	struct ht_keyid id = ht_key_id(sealing);

	for (unsigned i = 0; i < epoch->n_trackers; i++)
		if (ht_slice_is(member, epoch->trackers[i].member) &&
		    ht_keyid_eq(&epoch->trackers[i].key, &id))
			return open_one(
			    epoch, &epoch->trackers[i], sealing, ret);
	return HT_ENOTFOUND;
}
