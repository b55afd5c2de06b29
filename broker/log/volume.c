/*
 * volume.c -- the file of a closed range (docs/log-format.md, "Volumes").
 *
 *   head    label  environment id 16  first u64  end u64  hashes of the tree
 *           of the entries before, low bit first
 *   blocks  of 32 entries:  u16 length, leaf  u16 length, evidence (or 0)
 *   table   a row a block:  its offset u64  BLAKE2b-128( environment id
 *           first u64  number u64  its bytes )
 *   note    the checkpoint of size `end`
 *   foot    offset of the table u64  length of the note u32
 *           BLAKE2b-256 of head, note and the two
 */
#include "broker/log/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LABEL_LEN (sizeof(HT_VOLUME_LABEL) - 1)
#define FIXED     (LABEL_LEN + HT_ENV_ID_SIZE + 16) /* of the head */
#define HEAD_MAX  (FIXED + HT_FRONTIER_MAX * HT_HASH_SIZE)
#define SUM       16
#define ROW       (8 + SUM)
#define FOOT      (8 + 4 + HT_HASH_SIZE)

void
ht_volume_name(uint64_t first, char out[static HT_VOLUME_NAME])
{
	(void)snprintf(
	    out, HT_VOLUME_NAME, "%016llx.vol", (unsigned long long)first);
}

enum ht_err
ht_volume_name_parse(const char *name, uint64_t *ret)
{
	char again[HT_VOLUME_NAME];
	uint64_t first = strtoull(name, NULL, 16);

	ht_volume_name(first, again);
	if (strcmp(again, name) != 0)
		return HT_EMALFORMED;
	*ret = first;
	return HT_OK;
}

static uint64_t
count_of(const struct ht_volume_head *head)
{
	return head->end - head->first;
}

static uint64_t
blocks_of(const struct ht_volume_head *head)
{
	return (count_of(head) + HT_VOLUME_BLOCK - 1) / HT_VOLUME_BLOCK;
}

static bool
range_ok(const struct ht_volume_head *head)
{
	return head->first < head->end && head->end <= HT_TREE_MAX &&
	       count_of(head) <= HT_VOLUME_ENTRIES &&
	       head->before.size == head->first;
}

static size_t
head_len(uint64_t first)
{
	return FIXED + (size_t)__builtin_popcountll(first) * HT_HASH_SIZE;
}

static void
put_head(const struct ht_volume_head *head, struct ht_buf *out)
{
	ht_buf_str(out, HT_VOLUME_LABEL);
	ht_buf_add(out, head->env, sizeof(head->env));
	ht_buf_u64(out, head->first);
	ht_buf_u64(out, head->end);
	for (unsigned bit = 0; bit < HT_FRONTIER_MAX; bit++)
		if (head->first >> bit & 1)
			ht_buf_add(out, head->before.at[bit].at, HT_HASH_SIZE);
}

static void
sum_block(const struct ht_volume_head *head, uint64_t number,
    struct ht_slice bytes, uint8_t out[static SUM])
{
	uint8_t where[16];
	struct ht_slice parts[] = {HT_SLICE(head->env, sizeof(head->env)),
	    HT_SLICE(where, sizeof(where)), bytes};

	ht_be64(where, head->first);
	ht_be64(where + 8, number);
	ht_blake2b_keyed(HT_SLICE(NULL, 0), parts, HT_COUNT(parts), out, SUM);
}

/* Of all that is neither a block nor the table. */
static struct ht_hash
sum_foot(
    struct ht_slice head, struct ht_slice note, const uint8_t foot[static 12])
{
	struct ht_slice parts[] = {head, note, HT_SLICE(foot, 12)};

	return ht_blake2b(parts, HT_COUNT(parts));
}

/* Is it a checkpoint of that tree?  @vkey NULL: whoever signed it. */
static enum ht_err
note_fits(struct ht_slice bytes, const struct ht_vkey *vkey, uint64_t size,
    const struct ht_hash *root)
{
	struct ht_checkpoint cp;
	struct ht_note note;
	enum ht_err err;

	if (vkey != NULL) {
		err = ht_checkpoint_open(bytes, vkey, &cp);
	} else {
		err = ht_note_parse(bytes, &note);
		if (err == HT_OK)
			err = ht_checkpoint_parse(note.text, &cp);
	}
	if (err != HT_OK)
		return err == HT_ENOMEM || err == HT_EBADSIG ? err
		                                             : HT_EINTEGRITY;
	return cp.size == size && (root == NULL || ht_hash_eq(&cp.root, root))
	           ? HT_OK
	           : HT_EINTEGRITY;
}

/* ---- writing ---- */

struct ht_volume_writer {
	struct ht_volume_head head;
	struct ht_volume_sink sink;
	struct ht_frontier tree;
	struct ht_buf bytes; /* the head, to be summed up in the end */
	struct ht_buf block;
	struct ht_buf table;
	uint64_t at; /* bytes written */
};

static enum ht_err
put(struct ht_volume_writer *w, struct ht_slice bytes)
{
	enum ht_err err = w->sink.write(w->sink.arg, bytes);

	w->at += bytes.len;
	return err;
}

enum ht_err
ht_volume_begin(const struct ht_volume_head *head,
    const struct ht_volume_sink *sink, struct ht_volume_writer **ret)
{
	HT_AUTO(ht_volume_writer_free) struct ht_volume_writer *w = NULL;
	enum ht_err err;

	if (!range_ok(head))
		return HT_EINVALID;
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return HT_ENOMEM;
	w->head = *head;
	w->sink = *sink;
	w->tree = head->before;
	w->bytes = HT_BUF(HEAD_MAX);
	w->block = HT_BUF(HT_VOLUME_BLOCK_MAX);
	w->table = HT_BUF(blocks_of(head) * ROW);
	put_head(head, &w->bytes);
	if (w->bytes.err != HT_OK)
		return w->bytes.err;
	err = put(w, ht_buf_slice(&w->bytes));
	if (err == HT_OK)
		*ret = HT_TAKE(w);
	return err;
}

static enum ht_err
end_block(struct ht_volume_writer *w)
{
	uint8_t sum[SUM];
	enum ht_err err = w->block.err;

	sum_block(&w->head, w->table.len / ROW, ht_buf_slice(&w->block), sum);
	ht_buf_u64(&w->table, w->at);
	ht_buf_add(&w->table, sum, sizeof(sum));
	if (err == HT_OK)
		err = w->table.err;
	if (err == HT_OK)
		err = put(w, ht_buf_slice(&w->block));
	ht_buf_reset(&w->block);
	return err;
}

enum ht_err
ht_volume_add(struct ht_volume_writer *w, const struct ht_volume_entry *entry)
{
	struct ht_hash hash;

	if (w->tree.size >= w->head.end || entry->leaf.len == 0 ||
	    entry->leaf.len > HT_LEAF_MAX ||
	    entry->evidence.len > HT_EVIDENCE_MAX)
		return HT_EINVALID;
	ht_buf_u16(&w->block, (uint16_t)entry->leaf.len);
	ht_buf_add(&w->block, entry->leaf.at, entry->leaf.len);
	ht_buf_u16(&w->block, (uint16_t)entry->evidence.len);
	if (entry->evidence.len > 0)
		ht_buf_add(&w->block, entry->evidence.at, entry->evidence.len);
	hash = ht_leaf_hash(entry->leaf);
	ht_frontier_append(&w->tree, &hash, NULL, NULL);
	if (w->tree.size == w->head.end ||
	    (w->tree.size - w->head.first) % HT_VOLUME_BLOCK == 0)
		return end_block(w);
	return w->block.err;
}

enum ht_err
ht_volume_finish(struct ht_volume_writer *w, struct ht_slice note)
{
	struct ht_hash root = ht_frontier_root(&w->tree), sum;
	uint8_t foot[FOOT];
	enum ht_err err;

	if (w->tree.size != w->head.end || note.len > HT_VOLUME_NOTE_MAX)
		return HT_EINVALID;
	err = note_fits(note, NULL, w->head.end, &root);
	if (err != HT_OK)
		return err;
	ht_be64(foot, w->at);
	ht_be32(foot + 8, (uint32_t)note.len);
	sum = sum_foot(ht_buf_slice(&w->bytes), note, foot);
	memcpy(foot + 12, sum.at, HT_HASH_SIZE);
	err = put(w, ht_buf_slice(&w->table));
	if (err == HT_OK)
		err = put(w, note);
	return err == HT_OK ? put(w, HT_SLICE(foot, sizeof(foot))) : err;
}

void
ht_volume_writer_free(struct ht_volume_writer **writer_p)
{
	struct ht_volume_writer *w = HT_TAKE(*writer_p);

	if (w == NULL)
		return;
	ht_buf_fini(&w->bytes);
	ht_buf_fini(&w->block);
	ht_buf_fini(&w->table);
	free(w);
}

/* ---- opening ---- */

struct ht_volume {
	struct ht_volume_source source;
	struct ht_volume_head head;
	uint64_t table_at;
	struct ht_buf note;

	pthread_mutex_t lock; /* over the block read last, and its entries */
	struct ht_buf block;
	uint64_t number; /* its; UINT64_MAX: none */
	struct ht_volume_entry entries[HT_VOLUME_BLOCK];
};

static enum ht_err
read_at(struct ht_volume *v, uint64_t at, void *out, size_t len)
{
	if (at > v->source.len || len > v->source.len - at)
		return HT_EINTEGRITY;
	return len == 0 ? HT_OK : v->source.read(v->source.arg, at, out, len);
}

static enum ht_err
read_into(struct ht_volume *v, uint64_t at, size_t len, struct ht_buf *ret)
{
	uint8_t *room;

	ht_buf_reset(ret);
	room = ht_buf_room(ret, len);
	return room == NULL ? ret->err : read_at(v, at, room, len);
}

static enum ht_err
read_head(struct ht_volume *v, struct ht_buf *bytes)
{
	struct ht_volume_head *head = &v->head;
	struct ht_cur cur;
	enum ht_err err = read_into(v, 0, FIXED, bytes);

	if (err != HT_OK)
		return err;
	cur = ht_cur(ht_buf_slice(bytes));
	if (!ht_slice_is(ht_cur_take(&cur, LABEL_LEN), HT_VOLUME_LABEL))
		return HT_EINTEGRITY;
	ht_cur_copy(&cur, head->env, sizeof(head->env));
	head->before.size = head->first = ht_cur_u64(&cur);
	head->end = ht_cur_u64(&cur);
	if (!range_ok(head))
		return HT_EINTEGRITY;
	err = read_into(v, 0, head_len(head->first), bytes);
	if (err != HT_OK)
		return err;
	cur = ht_cur(ht_buf_slice(bytes));
	(void)ht_cur_take(&cur, FIXED);
	for (unsigned bit = 0; bit < HT_FRONTIER_MAX; bit++)
		if (head->first >> bit & 1)
			ht_cur_copy(
			    &cur, head->before.at[bit].at, HT_HASH_SIZE);
	return ht_cur_end(&cur);
}

static enum ht_err
read_foot(struct ht_volume *v, struct ht_slice head)
{
	uint64_t table = blocks_of(&v->head) * ROW, note_at;
	uint8_t foot[FOOT];
	uint32_t note_len;
	struct ht_hash sum;
	enum ht_err err;

	if (v->source.len < head.len + table + FOOT)
		return HT_EINTEGRITY;
	err = read_at(v, v->source.len - FOOT, foot, FOOT);
	if (err != HT_OK)
		return err;
	v->table_at = ht_load64(foot);
	note_len = ht_load32(foot + 8);
	note_at = v->source.len - FOOT - note_len;
	if (note_len > HT_VOLUME_NOTE_MAX ||
	    v->source.len - FOOT - table - head.len < note_len ||
	    v->table_at != note_at - table)
		return HT_EINTEGRITY;
	err = read_into(v, note_at, note_len, &v->note);
	if (err != HT_OK)
		return err;
	sum = sum_foot(head, ht_buf_slice(&v->note), foot);
	if (memcmp(sum.at, foot + 12, HT_HASH_SIZE) != 0)
		return HT_EINTEGRITY;
	return note_fits(ht_buf_slice(&v->note), NULL, v->head.end, NULL);
}

enum ht_err
ht_volume_open(const struct ht_volume_source *source, struct ht_volume **ret)
{
	HT_AUTO(ht_volume_close) struct ht_volume *v = calloc(1, sizeof(*v));
	HT_AUTO(ht_buf_fini) struct ht_buf head = HT_BUF(HEAD_MAX);
	enum ht_err err;

	if (v == NULL) {
		if (source->close != NULL)
			source->close(source->arg);
		return HT_ENOMEM;
	}
	v->source = *source;
	v->note = HT_BUF(HT_VOLUME_NOTE_MAX);
	v->block = HT_BUF(HT_VOLUME_BLOCK_MAX);
	v->number = UINT64_MAX;
	pthread_mutex_init(&v->lock, NULL);
	err = read_head(v, &head);
	if (err == HT_OK)
		err = read_foot(v, ht_buf_slice(&head));
	if (err == HT_OK)
		*ret = HT_TAKE(v);
	return err;
}

void
ht_volume_close(struct ht_volume **volume_p)
{
	struct ht_volume *v = HT_TAKE(*volume_p);

	if (v == NULL)
		return;
	if (v->source.close != NULL)
		v->source.close(v->source.arg);
	ht_buf_fini(&v->note);
	ht_buf_fini(&v->block);
	pthread_mutex_destroy(&v->lock);
	free(v);
}

/* ---- of a file ---- */

struct file {
	int fd;
	uint64_t base;
};

static enum ht_err
read_file(void *arg, uint64_t at, void *out, size_t len)
{
	const struct file *file = arg;
	uint8_t *to = out;

	while (len > 0) {
		ssize_t n = pread(file->fd, to, len, (off_t)(file->base + at));

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? HT_EINTEGRITY : HT_ESYSTEM;
		to += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return HT_OK;
}

static void
close_file(void *arg)
{
	struct file *file = arg;

	ht_fd_close(&file->fd);
	free(file);
}

enum ht_err
ht_volume_open_file(
    const char *path, uint64_t base, uint64_t len, struct ht_volume **ret)
{
	struct file *file = malloc(sizeof(*file));
	struct ht_volume_source source = {
	    .read = read_file, .close = close_file, .arg = file, .len = len};
	struct stat st;

	if (file == NULL)
		return HT_ENOMEM;
	file->base = base;
	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file->fd == -1 || fstat(file->fd, &st) == -1) {
		enum ht_err err = errno == ENOENT ? HT_ENOTFOUND : HT_ESYSTEM;

		close_file(file);
		return err;
	}
	if (len == 0 && (uint64_t)st.st_size > base)
		source.len = (uint64_t)st.st_size - base;
	return ht_volume_open(&source, ret);
}

const struct ht_volume_head *
ht_volume_head(const struct ht_volume *volume)
{
	return &volume->head;
}

struct ht_slice
ht_volume_note(const struct ht_volume *volume)
{
	return ht_buf_slice(&volume->note);
}

/* ---- blocks ---- */

enum ht_err
ht_volume_block(struct ht_slice bytes, unsigned n,
    struct ht_volume_entry out[static HT_VOLUME_BLOCK])
{
	struct ht_cur cur = ht_cur(bytes);

	for (unsigned i = 0; i < n && i < HT_VOLUME_BLOCK; i++) {
		out[i].leaf = ht_cur_bytes16(&cur);
		out[i].evidence = ht_cur_bytes16(&cur);
		if (out[i].leaf.len == 0 || out[i].leaf.len > HT_LEAF_MAX ||
		    out[i].evidence.len > HT_EVIDENCE_MAX)
			return HT_EMALFORMED;
	}
	return ht_cur_end(&cur) == HT_OK ? HT_OK : HT_EMALFORMED;
}

/* Where it stands, and what its sum must be. */
static enum ht_err
find_block(struct ht_volume *v, uint64_t number, uint64_t *ret_at,
    uint64_t *ret_end, uint8_t sum[static SUM])
{
	bool last = number + 1 == blocks_of(&v->head);
	uint8_t rows[2 * ROW];
	enum ht_err err = read_at(
	    v, v->table_at + number * ROW, rows, last ? ROW : sizeof(rows));

	if (err != HT_OK)
		return err;
	*ret_at = ht_load64(rows);
	*ret_end = last ? v->table_at : ht_load64(rows + ROW);
	memcpy(sum, rows + 8, SUM);
	return *ret_at >= head_len(v->head.first) && *ret_at < *ret_end &&
	               *ret_end <= v->table_at &&
	               *ret_end - *ret_at <= HT_VOLUME_BLOCK_MAX &&
	               (number > 0 || *ret_at == head_len(v->head.first))
	           ? HT_OK
	           : HT_EINTEGRITY;
}

/* The lock is held. */
static enum ht_err
load_block(struct ht_volume *v, uint64_t number)
{
	uint64_t at, end, left = count_of(&v->head) - number * HT_VOLUME_BLOCK;
	uint8_t want[SUM], found[SUM];
	enum ht_err err;

	if (v->number == number)
		return HT_OK;
	v->number = UINT64_MAX;
	err = find_block(v, number, &at, &end, want);
	if (err == HT_OK)
		err = read_into(v, at, (size_t)(end - at), &v->block);
	if (err != HT_OK)
		return err;
	sum_block(&v->head, number, ht_buf_slice(&v->block), found);
	if (memcmp(want, found, SUM) != 0)
		return HT_EINTEGRITY;
	err = ht_volume_block(ht_buf_slice(&v->block),
	    left < HT_VOLUME_BLOCK ? (unsigned)left : HT_VOLUME_BLOCK,
	    v->entries);
	if (err != HT_OK)
		return HT_EINTEGRITY;
	v->number = number;
	return HT_OK;
}

static enum ht_err
read_entry(struct ht_volume *v, uint64_t seq, struct ht_buf *ret_leaf,
    struct ht_buf *ret_evidence)
{
	uint64_t place = seq - v->head.first;
	const struct ht_volume_entry *e;
	enum ht_err err = load_block(v, place / HT_VOLUME_BLOCK);

	if (err != HT_OK)
		return err;
	e = &v->entries[place % HT_VOLUME_BLOCK];
	if (ret_leaf != NULL)
		ht_buf_add(ret_leaf, e->leaf.at, e->leaf.len);
	if (ret_evidence != NULL && e->evidence.len > 0)
		ht_buf_add(ret_evidence, e->evidence.at, e->evidence.len);
	if (ret_leaf != NULL && ret_leaf->err != HT_OK)
		return ret_leaf->err;
	return ret_evidence != NULL ? ret_evidence->err : HT_OK;
}

enum ht_err
ht_volume_read(struct ht_volume *v, uint64_t seq, struct ht_buf *ret_leaf,
    struct ht_buf *ret_evidence)
{
	enum ht_err err;

	if (seq < v->head.first || seq >= v->head.end)
		return HT_ENOTFOUND;
	pthread_mutex_lock(&v->lock);
	err = read_entry(v, seq, ret_leaf, ret_evidence);
	pthread_mutex_unlock(&v->lock);
	return err;
}

/* ---- all of it ---- */

struct check {
	struct ht_volume *volume;
	struct ht_frontier tree;
	struct ht_bundle bundle; /* scratch */
	uint64_t end_of_block;   /* bytes: where the next must begin */
	uint64_t last_us;
};

static enum ht_err
check_entry(struct check *c, uint64_t seq, const struct ht_volume_entry *stored)
{
	struct ht_hash hash = ht_leaf_hash(stored->leaf);
	struct ht_entry e;
	bool begins;

	if (ht_entry_decode(stored->leaf, &e) != HT_OK || e.seq != seq ||
	    e.time_us < c->last_us)
		return HT_EINTEGRITY;
	c->last_us = e.time_us;
	begins = ht_entry_has_header(&e) && e.bundle_seq == seq;
	if (begins != (stored->evidence.len > 0))
		return HT_EINTEGRITY;
	if (begins && ht_evidence_unpack(stored->evidence, &c->bundle) != HT_OK)
		return HT_EINTEGRITY;
	ht_frontier_append(&c->tree, &hash, NULL, NULL);
	return HT_OK;
}

/* Blocks follow one another: there is one form. */
static enum ht_err
check_place(struct check *c, uint64_t number)
{
	uint64_t at, end;
	uint8_t sum[SUM];
	enum ht_err err = find_block(c->volume, number, &at, &end, sum);

	if (err == HT_OK && number > 0 && at != c->end_of_block)
		err = HT_EINTEGRITY;
	c->end_of_block = end;
	return err;
}

static enum ht_err
check_block(struct check *c, uint64_t number,
    struct ht_volume_entry entries[static HT_VOLUME_BLOCK],
    struct ht_buf *bytes)
{
	struct ht_volume *v = c->volume;
	enum ht_err err;

	/* A copy, so that whoever is called may read the volume. */
	pthread_mutex_lock(&v->lock);
	err = load_block(v, number);
	if (err == HT_OK) {
		ht_buf_reset(bytes);
		ht_buf_add(bytes, v->block.at, v->block.len);
		err = bytes->err;
	}
	pthread_mutex_unlock(&v->lock);
	if (err == HT_OK)
		err = check_place(c, number);
	if (err == HT_OK &&
	    ht_volume_block(ht_buf_slice(bytes),
	        c->volume->head.end - c->tree.size < HT_VOLUME_BLOCK
	            ? (unsigned)(c->volume->head.end - c->tree.size)
	            : HT_VOLUME_BLOCK,
	        entries) != HT_OK)
		err = HT_EINTEGRITY;
	return err;
}

enum ht_err
ht_volume_check(struct ht_volume *volume, const struct ht_vkey *vkey,
    enum ht_err (*each)(
        void *arg, uint64_t seq, const struct ht_volume_entry *entry),
    void *arg, uint64_t *ret_bad)
{
	HT_AUTO(ht_mem_free) struct check *c = calloc(1, sizeof(*c));
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_VOLUME_BLOCK_MAX);
	struct ht_volume_entry entries[HT_VOLUME_BLOCK];
	uint64_t seq = volume->head.first, end = volume->head.end;
	enum ht_err err = c == NULL ? HT_ENOMEM : HT_OK;
	struct ht_hash root;

	if (err != HT_OK)
		return err;
	c->volume = volume;
	c->tree = volume->head.before;
	for (; seq < end && err == HT_OK; seq++) {
		uint64_t place = seq - volume->head.first;
		struct ht_volume_entry *e = &entries[place % HT_VOLUME_BLOCK];

		*ret_bad = seq;
		if (place % HT_VOLUME_BLOCK == 0)
			err = check_block(
			    c, place / HT_VOLUME_BLOCK, entries, &bytes);
		if (err == HT_OK)
			err = check_entry(c, seq, e);
		if (err == HT_OK && each != NULL)
			err = each(arg, seq, e);
	}
	if (err != HT_OK)
		return err;
	*ret_bad = end;
	root = ht_frontier_root(&c->tree);
	return note_fits(ht_buf_slice(&volume->note), vkey, end, &root);
}

/* ---- the entry ---- */

void
ht_volume_said_pack(const struct ht_volume_said *said, struct ht_buf *out)
{
	ht_pack_map(out, 2);
	ht_pack_cstr(out, "first");
	ht_pack_uint(out, said->first);
	ht_pack_cstr(out, "segment");
	ht_pack_uint(out, said->segment);
}

enum ht_err
ht_volume_said_decode(struct ht_slice payload, struct ht_volume_said *ret)
{
	struct ht_volume_said said;
	struct ht_unpack u;

	if (ht_pack_check(payload, NULL, NULL) != HT_OK)
		return HT_EMALFORMED;
	u = ht_unpack(payload);
	ht_unpack_demand(&u, ht_unpack_map(&u, 2) == 2);
	ht_unpack_key(&u, "first");
	said.first = ht_unpack_uint(&u, HT_TREE_MAX);
	ht_unpack_key(&u, "segment");
	said.segment = (uint32_t)ht_unpack_uint(&u, UINT32_MAX);
	if (ht_unpack_end(&u) != HT_OK)
		return HT_EMALFORMED;
	*ret = said;
	return HT_OK;
}
