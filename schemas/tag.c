/*
 * tag.c -- the tag beside a header (docs/protocol.md section 3.4).
 */
#include "schemas/tag.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/panic.h"
#include "lib/base/text.h"

#define TAG_FIELDS 7
#define ANNEX_MIN  (HT_ENC_SIZE + HT_AEAD_TAG + 1)

/* ---- reading ---- */

static void
subjects_read(struct ht_unpack *u, struct ht_tag *tag)
{
	tag->n_subjects = ht_unpack_array(u, HT_SUBJECTS_MAX);
	for (unsigned i = 0; i < tag->n_subjects; i++) {
		ht_unpack_fixed(u, tag->subjects[i].at, HT_PSEUDONYM_SIZE);
		ht_unpack_demand(
		    u, i == 0 || ht_pseudonym_cmp(&tag->subjects[i - 1],
		                     &tag->subjects[i]) < 0);
	}
}

static void
bulk_read(struct ht_unpack *u, struct ht_tag *tag)
{
	tag->bulk_count = 0;
	if (ht_unpack_is_nil(u)) {
		ht_unpack_nil(u);
		return;
	}
	ht_unpack_array_of(u, 2);
	tag->bulk_count = ht_unpack_uint(u, UINT64_MAX);
	ht_unpack_demand(u, tag->bulk_count > HT_SUBJECTS_MAX);
	ht_unpack_fixed(u, tag->bulk_list.at, HT_HASH_SIZE);
}

static void
tag_read(struct ht_unpack *u, struct ht_tag *tag)
{
	ht_unpack_expect(u, "epoch (1): a catalog/epoch is expected");
	tag->epoch = ht_unpack_str(u, HT_EPOCH_MAX);
	ht_unpack_demand(u, ht_name_valid(tag->epoch));
	ht_unpack_expect(u, "salt (2): bin of 16 is expected");
	ht_unpack_fixed(u, tag->salt, sizeof(tag->salt));
	ht_unpack_expect(
	    u, "subjects (3): at most 16 increasing bin of 16 are expected");
	subjects_read(u, tag);
	ht_unpack_expect(
	    u, "bulk (4): nil, or a count above 16 and bin of 32, is expected");
	bulk_read(u, tag);
	ht_unpack_expect(u, "bulk (4): either subjects or bulk is expected");
	ht_unpack_demand(u, (tag->n_subjects > 0) == (tag->bulk_count == 0));
	ht_unpack_expect(u, "commitment (5): bin of 32 is expected");
	ht_unpack_fixed(u, tag->commitment.at, HT_HASH_SIZE);
	ht_unpack_expect(u, "annex (6): bin of at least 49 is expected");
	tag->annex = ht_unpack_bin(u, HT_TAG_MAX);
	ht_unpack_demand(u, tag->annex.len >= ANNEX_MIN);
}

static void
tag_open(struct ht_unpack *u)
{
	uint64_t version;

	ht_unpack_expect(u, "a tag is an array of 7 that begins with 1");
	ht_unpack_array_of(u, TAG_FIELDS);
	version = ht_unpack_uint(u, UINT32_MAX);
	if (u->err == HT_OK && version != 1) {
		ht_unpack_expect(u, "a version of the tag not known here");
		ht_unpack_fail(u, HT_EPROTOCOL);
	}
}

enum ht_err
ht_tag_decode(struct ht_slice bytes, struct ht_tag *ret, const char **ret_why)
{
	struct ht_unpack u = ht_unpack(bytes);
	struct ht_tag tag = {.raw = bytes};
	const char *why = "a tag has at most 2048 bytes";
	enum ht_err err = HT_ETOOBIG;

	if (bytes.len <= HT_TAG_MAX)
		err = ht_pack_check(bytes, NULL, &why);
	if (err == HT_OK) {
		tag_open(&u);
		tag_read(&u, &tag);
		err = ht_unpack_end(&u);
		why = u.want;
		if (err == HT_ETOOBIG) /* of a part: the whole was not */
			err = HT_EMALFORMED;
	}
	if (err == HT_OK)
		*ret = tag;
	else if (ret_why != NULL)
		*ret_why = why;
	return err;
}

/* ---- writing ---- */

enum ht_err
ht_tag_encode(const struct ht_tag *tag, struct ht_buf *out)
{
	size_t start = out->len;

	if (!ht_name_valid(tag->epoch) || tag->epoch.len > HT_EPOCH_MAX ||
	    tag->n_subjects > HT_SUBJECTS_MAX ||
	    (tag->n_subjects == 0) != (tag->bulk_count > HT_SUBJECTS_MAX) ||
	    tag->annex.len < ANNEX_MIN)
		return HT_EINVALID;
	ht_pack_array(out, TAG_FIELDS);
	ht_pack_uint(out, 1);
	ht_pack_str(out, tag->epoch);
	ht_pack_bin(out, tag->salt, sizeof(tag->salt));
	ht_pack_array(out, tag->n_subjects);
	for (unsigned i = 0; i < tag->n_subjects; i++)
		ht_pack_bin(out, tag->subjects[i].at, HT_PSEUDONYM_SIZE);
	if (tag->bulk_count == 0) {
		ht_pack_nil(out);
	} else {
		ht_pack_array(out, 2);
		ht_pack_uint(out, tag->bulk_count);
		ht_pack_bin(out, tag->bulk_list.at, HT_HASH_SIZE);
	}
	ht_pack_bin(out, tag->commitment.at, HT_HASH_SIZE);
	ht_pack_bin(out, tag->annex.at, tag->annex.len);
	if (out->err == HT_OK && out->len - start > HT_TAG_MAX)
		out->err = HT_ETOOBIG;
	return out->err;
}

struct ht_hash
ht_tag_hash(struct ht_slice raw)
{
	const struct ht_slice parts[] = {ht_slice_str("hutong-tag/v1\n"), raw};

	return ht_blake2b(parts, HT_COUNT(parts));
}

static bool
lists(const struct ht_tag *tag, const struct ht_pseudonym *subject)
{
	for (unsigned i = 0; i < tag->n_subjects; i++)
		if (ht_pseudonym_cmp(&tag->subjects[i], subject) == 0)
			return true;
	return false;
}

bool
ht_tag_covers(const struct ht_tag *has, const struct ht_tag *need)
{
	if (has->bulk_count > 0)
		return true;
	if (need->bulk_count > 0)
		return false;
	for (unsigned i = 0; i < need->n_subjects; i++)
		if (!lists(has, &need->subjects[i]))
			return false;
	return true;
}

/* ---- subjects ---- */

static int
by_bytes(const void *a, const void *b)
{
	return ht_pseudonym_cmp(a, b);
}

/* Sort, and drop what stands twice; how many are left. */
static size_t
sort_unique(struct ht_pseudonym *all, size_t n)
{
	size_t kept = 0;

	qsort(all, n, sizeof(*all), by_bytes);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || ht_pseudonym_cmp(&all[kept - 1], &all[i]) != 0)
			all[kept++] = all[i];
	return kept;
}

static struct ht_hash
bulk_hash(const struct ht_pseudonym *all, size_t n)
{
	const struct ht_slice parts[] = {
	    ht_slice_str("hutong-bulk/v1\n"),
	    HT_SLICE(all, n * sizeof(*all)),
	};

	return ht_sha256_parts(parts, HT_COUNT(parts));
}

/* Fill the subjects of @tag: listed, or as bulk. */
static enum ht_err
subjects_set(struct ht_tag *tag, const struct ht_epoch *epoch,
    const struct ht_subject *subjects, size_t n)
{
	HT_AUTO(ht_mem_free) struct ht_pseudonym *all = NULL;
	enum ht_err err;

	HT_ASSERT(epoch->tracker != NULL);
	if (n == 0)
		return HT_EINVALID;
	all = calloc(n, sizeof(*all));
	if (all == NULL)
		return HT_ENOMEM;
	for (size_t i = 0; i < n; i++) {
		err = ht_pseudonym(epoch->tracker, subjects[i].registry,
		    subjects[i].id, &all[i]);
		if (err != HT_OK)
			return err;
	}
	n = sort_unique(all, n);
	if (n > HT_SUBJECTS_MAX) {
		tag->bulk_count = n;
		tag->bulk_list = bulk_hash(all, n);
		return HT_OK;
	}
	tag->n_subjects = (unsigned)n;
	memcpy(tag->subjects, all, n * sizeof(*all));
	return HT_OK;
}

/* Is "registry:id" one of the texts that commas part? */
static bool
names_subject(struct ht_slice list, const struct ht_subject *subject)
{
	size_t len = subject->registry.len + 1 + subject->id.len;

	while (list.len > 0) {
		const uint8_t *comma = memchr(list.at, ',', list.len);
		size_t one =
		    comma == NULL ? list.len : (size_t)(comma - list.at);
		struct ht_cur cur = ht_cur(HT_SLICE(list.at, one));

		if (one == len &&
		    ht_slice_eq(ht_cur_take(&cur, subject->registry.len),
		        subject->registry) &&
		    ht_cur_u8(&cur) == ':' &&
		    ht_slice_eq(
		        ht_cur_take(&cur, subject->id.len), subject->id))
			return true;
		one += comma != NULL;
		list = HT_SLICE(list.at + one, list.len - one);
	}
	return false;
}

static size_t
count_listed(struct ht_slice list)
{
	size_t n = list.len > 0;

	for (size_t i = 0; i < list.len; i++)
		n += list.at[i] == ',';
	return n;
}

/*
 * The auditors read the annex: it must name those whom the pseudonyms stand
 * for.  A bulk tag's annex has no room for them, and says what was asked.
 */
static bool
annex_names(const struct ht_tag *tag, const struct ht_annex *annex,
    const struct ht_subject *subjects, size_t n)
{
	struct ht_slice list;

	if (annex->subject == NULL)
		return false;
	list = ht_slice_str(annex->subject);
	if (tag->bulk_count > 0)
		return list.len > 0;
	for (size_t i = 0; i < n; i++)
		if (!names_subject(list, &subjects[i]))
			return false;
	return count_listed(list) == tag->n_subjects;
}

/* ---- the annex ---- */

#define ANNEX_LABEL "hutong-annex/v1\n"

static void
annex_info(const struct ht_pub *key, struct ht_buf *out)
{
	struct ht_keyid id = ht_keyid(HT_KEY_ANNEX, key);

	ht_buf_str(out, ANNEX_LABEL);
	ht_buf_u8(out, 1); /* the suite */
	ht_buf_add(out, id.at, sizeof(id.at));
}

static void
annex_aad(struct ht_slice epoch, struct ht_buf *out)
{
	ht_buf_str(out, ANNEX_LABEL);
	ht_buf_add(out, epoch.at, epoch.len);
}

static void
annex_pack(const struct ht_annex *annex, struct ht_buf *out)
{
	struct ht_annex_field fields[HT_ANNEX_FIELDS];
	size_t n = ht_annex_fields(annex, fields);

	ht_pack_map(out, 2);
	ht_pack_cstr(out, "entry");
	ht_pack_bin(out, annex->entry, sizeof(annex->entry));
	ht_pack_cstr(out, "fields");
	ht_pack_map(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		ht_pack_str(out, fields[i].name);
		ht_pack_str(out, fields[i].value);
	}
}

static enum ht_err
annex_seal(const struct ht_epoch *epoch, const struct ht_annex *annex,
    struct ht_buf *ret)
{
	uint8_t info_room[64], aad_room[256], room[HT_TAG_MAX];
	struct ht_buf info = HT_BUF_ON(info_room);
	struct ht_buf aad = HT_BUF_ON(aad_room);
	struct ht_buf plain = HT_BUF_ON(room); /* one copy, to be wiped */
	enum ht_err err;

	annex_pack(annex, &plain);
	annex_info(&epoch->annex, &info);
	annex_aad(ht_slice_str(epoch->name), &aad);
	HT_ASSERT(info.err == HT_OK && aad.err == HT_OK);
	err = plain.err;
	if (err == HT_OK)
		err = ht_seal_once(&epoch->annex, ht_buf_slice(&info),
		    ht_buf_slice(&aad), ht_buf_slice(&plain), ret);
	ht_wipe(room, sizeof(room));
	return err;
}

static enum ht_err
commitment_of(
    const struct ht_annex *annex, struct ht_slice sealed, struct ht_hash *ret)
{
	struct ht_annex_field fields[HT_ANNEX_FIELDS];
	size_t n = ht_annex_fields(annex, fields);

	return ht_annex_commitment(annex->entry, fields, n, sealed, ret);
}

enum ht_err
ht_tag_make(const struct ht_epoch *epoch, const struct ht_subject *subjects,
    size_t n, const struct ht_annex *annex, struct ht_buf *out)
{
	HT_AUTO(ht_buf_fini) struct ht_buf sealed = HT_BUF(HT_TAG_MAX);
	struct ht_tag tag = {.epoch = ht_slice_str(epoch->name)};
	enum ht_err err;

	err = subjects_set(&tag, epoch, subjects, n);
	if (err != HT_OK)
		return err;
	if (!annex_names(&tag, annex, subjects, n))
		return HT_EINVALID;
	err = annex_seal(epoch, annex, &sealed);
	if (err != HT_OK)
		return err;
	tag.annex = ht_buf_slice(&sealed);
	err = commitment_of(annex, tag.annex, &tag.commitment);
	if (err != HT_OK)
		return err;
	ht_random(tag.salt, sizeof(tag.salt));
	return ht_tag_encode(&tag, out);
}

static bool
same_subjects(const struct ht_tag *a, const struct ht_tag *b)
{
	if (a->n_subjects != b->n_subjects || a->bulk_count != b->bulk_count)
		return false;
	if (a->bulk_count > 0)
		return ht_hash_eq(&a->bulk_list, &b->bulk_list);
	return memcmp(a->subjects, b->subjects,
	           a->n_subjects * sizeof(*a->subjects)) == 0;
}

enum ht_err
ht_tag_check(const struct ht_tag *tag, const struct ht_epoch *epoch,
    const struct ht_subject *subjects, size_t n, const struct ht_annex *annex,
    const char **ret_why)
{
	struct ht_tag want = {.n_subjects = 0};
	struct ht_hash commitment;
	const char *why = NULL;
	enum ht_err err;

	err = subjects_set(&want, epoch, subjects, n);
	if (err == HT_ENOMEM)
		return err;
	if (!ht_slice_is(tag->epoch, epoch->name))
		why = "the tag is of another epoch";
	else if (err != HT_OK || !same_subjects(tag, &want))
		why = "the tag's pseudonyms are not those of the subjects";
	else if (!annex_names(&want, annex, subjects, n))
		why = "the annex does not name the subjects";
	else if (commitment_of(annex, tag->annex, &commitment) != HT_OK ||
	         !ht_hash_eq(&commitment, &tag->commitment))
		why = "the tag's commitment is not that of the annex";
	if (why == NULL)
		return HT_OK;
	if (ret_why != NULL)
		*ret_why = why;
	return HT_EINVALID;
}

enum ht_err
ht_annex_open(
    const struct ht_tag *tag, const struct ht_key *annex, struct ht_buf *ret)
{
	uint8_t info_room[64], aad_room[256];
	struct ht_buf info = HT_BUF_ON(info_room);
	struct ht_buf aad = HT_BUF_ON(aad_room);
	struct ht_pub pub = ht_key_pub(annex);

	HT_ASSERT(ht_key_what(annex) == HT_KEY_ANNEX);
	annex_info(&pub, &info);
	annex_aad(tag->epoch, &aad);
	HT_ASSERT(info.err == HT_OK && aad.err == HT_OK);
	return ht_open_once(
	    annex, ht_buf_slice(&info), ht_buf_slice(&aad), tag->annex, ret);
}
