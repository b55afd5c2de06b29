/*
 * verify_own.c -- entries of the broker's own: their payloads, and what those
 * of rolls, disclosures and volumes say of the log.
 */
#include "broker/check/verify_in.h"

#include <string.h>

#include "broker/log/disclose.h"

/* The keys of each map, and their types: s str, i int, b bin,
 * h hash, d id; I and H:
 * or nil. */
static const struct {
	unsigned type;
	const char *keys[6];
	const char *types;
} maps[] = {
    {HT_ENTRY_REJECT,        {"hash", "len"},                                "hi"    },
    {HT_ENTRY_EXPIRED,       {"record", "sender"},                           "ds"    },
    {HT_ENTRY_ADMIN,         {"act", "by", "detail"},                        "sss"   },
    {HT_ENTRY_SNAPSHOT,      {"hash", "issued", "note", "version"},          "hihi"  },
    {HT_ENTRY_SNAPSHOT,      {"hash", "version"},                            "hi"    }, /* before that */
    {HT_ENTRY_AUDIT_QUERY,
     {"auditor", "hash", "matched", "purpose", "query", "size"},             "sHIssi"},
    {HT_ENTRY_START,         {"host", "random", "version"},                  "shs"   },
    {HT_ENTRY_STOP,          {"reason"},                                     "s"     },
    {HT_ENTRY_ROLLBACK_SEEN, {"anchor", "by", "checkpoint", "found", "why"},
     "isbis"                                                                         },
    {HT_ENTRY_REFUSALS,      {"count", "from", "member"},                    "iis"   },
};

static void
take_value(struct ht_unpack *u, char type)
{
	uint8_t bytes[HT_HASH_SIZE];

	if ((type == 'I' || type == 'H') && ht_unpack_is_nil(u)) {
		ht_unpack_nil(u);
		return;
	}
	switch (type) {
	case 's':
		(void)ht_unpack_str(u, HT_LEAF_MAX);
		break;
	case 'b':
		(void)ht_unpack_bin(u, HT_LEAF_MAX);
		break;
	case 'i':
	case 'I':
		(void)ht_unpack_uint(u, UINT64_MAX);
		break;
	case 'h':
	case 'H':
		ht_unpack_fixed(u, bytes, HT_HASH_SIZE);
		break;
	default:
		ht_unpack_fixed(u, bytes, HT_ID_SIZE);
		break;
	}
}

/* Is it a map of these keys, and nothing else? */
static bool
fits_map(struct ht_slice payload, size_t i)
{
	struct ht_unpack u = ht_unpack(payload);
	uint32_t n = (uint32_t)strlen(maps[i].types);

	if (ht_unpack_map(&u, n) != n)
		return false;
	for (uint32_t k = 0; k < n; k++) {
		if (!ht_slice_is(ht_unpack_str(&u, 16), maps[i].keys[k]))
			return false;
		take_value(&u, maps[i].types[k]);
	}
	return ht_unpack_end(&u) == HT_OK;
}

enum ht_err
verify_map(struct verify *s, const struct ht_entry *e)
{
	const char *why = NULL;
	bool known = false;
	size_t at = 0;

	if (ht_pack_check(e->payload, &at, &why) != HT_OK)
		return verify_bad(s, "its payload is malformed at byte %zu: %s",
		    at, why != NULL ? why : "");
	for (size_t i = 0; i < HT_COUNT(maps); i++) {
		if (maps[i].type != e->type)
			continue;
		known = true;
		if (fits_map(e->payload, i))
			return HT_OK;
	}
	return known ? verify_bad(s, "its payload is not that of %s",
	                   ht_entry_type_text(e->type))
	             : verify_bad(s,
	                   "entries of type %s do not exist in this version",
	                   ht_entry_type_text(e->type));
}

/* ---- rolls ---- */

/* Whatever a list of looks was proven by must be what the tags give. */
enum ht_err
verify_roll(struct verify *s, const struct ht_entry *e)
{
	struct ht_roll_said said, made;
	bool gone;
	enum ht_err err;

	if (ht_roll_said_decode(e->payload, &said) != HT_OK || said.to > s->seq)
		return verify_bad(s, "its payload is not that of INDEX_ROOT");
	s->v->rolls++;
	if (s->v->no_vault)
		return HT_OK;
	if (said.from < ht_log_begin(s->log)) {
		s->v->rolls_gone++;
		return HT_OK;
	}
	err = ht_roll_remake(s->log, &said, s->seq, &made, &gone);
	if (err != HT_OK)
		return err;
	if (gone) {
		s->v->rolls_gone++;
		return HT_OK;
	}
	if (made.count != said.count)
		return verify_bad(s,
		    "it says that the tags of entries %llu to %llu name %llu "
		    "subjects; they name %llu",
		    (unsigned long long)said.from,
		    (unsigned long long)said.to - 1,
		    (unsigned long long)said.count,
		    (unsigned long long)made.count);
	return ht_hash_eq(&made.root, &said.root)
	           ? HT_OK
	           : verify_bad_hash(
	                 s, "the root of its roll", &made.root, &said.root);
}

/* ---- looks that are hidden no more ---- */

/* Counted again once all entries are known to be good. */
static enum ht_err
take_claim(struct verify *s, const struct ht_entry *e,
    const struct ht_disclose_said *said)
{
	enum ht_err err;

	if (said->to_us > e->time_us)
		return verify_bad(s, "it counts looks of a time to come");
	err = ht_recount_add(&s->recount, s->seq, said);
	return err == HT_EINVALID
	           ? verify_bad(s,
	                 "its item is none, or its time is not behind that "
	                 "of the DISCLOSE before")
	           : err;
}

enum ht_err
verify_disclose(struct verify *s, const struct ht_entry *e)
{
	struct ht_disclose_said said;

	if (ht_disclose_said_decode(e->payload, &said) != HT_OK)
		return verify_bad(s, "its payload is not that of DISCLOSE");
	if (said.n > 0 && said.entries[said.n - 1] >= s->seq)
		return verify_bad(s, "it names entry %llu, which comes later",
		    (unsigned long long)said.entries[said.n - 1]);
	s->v->disclosures++;
	s->v->disclosed += said.count;
	return said.ordered ? HT_OK : take_claim(s, e, &said);
}

/* All that was said by time, in one more walk. */
enum ht_err
verify_claims(struct verify *s)
{
	const struct ht_recount_claim *wrong;
	enum ht_err err;

	/* A claim that reaches below is not to be counted anew. */
	if (ht_log_begin(s->log) > 0)
		s->recount.since_us = s->v->first_us;
	err = ht_recount_run(&s->recount, s->log, s->log->head.frontier.size);

	if (err != HT_OK)
		return err;
	wrong = ht_recount_wrong(&s->recount);
	if (wrong == NULL)
		return HT_OK;
	s->seq = wrong->seq;
	return verify_bad(s,
	    "it says that %llu looks are hidden no more, and the log has %llu "
	    "of that item in that time",
	    (unsigned long long)wrong->said, (unsigned long long)wrong->found);
}

/* ---- closed volumes ---- */

enum ht_err
verify_volume(struct verify *s, const struct ht_entry *e)
{
	if (s->seq > 0 && s->seq == ht_log_begin(s->log))
		return verify_border(s, e);
	if (!ht_ranges_volume(&s->ranges, s->seq, e->payload))
		return verify_bad(s,
		    "it does not close the volume that begins at entry %llu",
		    (unsigned long long)s->ranges.first);
	s->v->volumes++;
	return HT_OK;
}
