/* Damage of every kind: fsck names the part, the place, and goes on. */
#include "tests/lib/logged.h"

#include "broker/check/fsck.h"
#include "broker/index/index_in.h"
#include "broker/log/evidence.h"
#include "schemas/status.h"

#define ENTRIES   300 /* at least: the tree is stored up to level 8 */
#define VALUE_MAX 4096
#define GONE      SIZE_MAX /* the length of a row that is not there */

/* One log for all damage, which is undone each time. */
static struct ht_logged l;
static uint64_t size;    /* of it */
static uint64_t expired; /* the last EXPIRED */

static enum ht_err
note_expired(void *arg, uint64_t seq, struct ht_slice leaf)
{
	struct ht_entry e;

	(void)arg;
	assert_ok(ht_entry_decode(leaf, &e));
	if (e.type == HT_ENTRY_EXPIRED)
		expired = seq;
	return HT_OK;
}

static int
make_log(void **state)
{
	ht_logged_make_world(state);
	ht_logged_start(&l);
	for (unsigned i = 0; ht_log_size(l.log) < ENTRIES; i++)
		ht_history_exchanges(&l.h, 5, 3, i % 4, NULL);
	ht_history_refused(&l.h, HT_ST_PURPOSE);
	ht_history_stop(&l.h);
	size = ht_log_size(l.log);
	ht_logged_index(&l, 100); /* not where blocks end */
	assert_ok(ht_log_walk(l.log, 0, size, note_expired, NULL));
	ht_logged_close(&l);
	return 0;
}

static int
drop_log(void **state)
{
	ht_logged_finish(&l);
	return ht_logged_drop_world(state);
}

/* ---- a row that is changed ---- */

struct row {
	bool index; /* of the index, not of the evidence */
	unsigned db;
	uint8_t key[200];
	size_t key_len;
	uint8_t value[VALUE_MAX];
	size_t len; /* GONE: there is none */
};

static struct ht_store *
open_store(bool index)
{
	HT_AUTO(ht_mem_free) char *path = NULL;
	struct ht_store *store = NULL;

	assert_true(asprintf(&path, "%s/%s", l.log_dir,
	                index ? "index" : "evidence") > 0);
	assert_ok(ht_store_open(path, HT_STORE_DURABLE, HT_EV_MAP,
	    index ? index_dbs : ht_ev_dbs, index ? INDEX_DBS : HT_EV_COUNT,
	    &store));
	return store;
}

static void
take_value(struct row *row, struct ht_slice value)
{
	assert_true(value.len <= sizeof(row->value));
	memcpy(row->value, value.at, value.len);
	row->len = value.len;
}

static struct row
row_at(bool index, unsigned db, const void *key, size_t key_len)
{
	struct row row = {.index = index, .db = db, .key_len = key_len};
	struct ht_store *store = open_store(index);
	struct ht_txn *txn = NULL;
	struct ht_slice value;
	enum ht_err err;

	memcpy(row.key, key, key_len);
	assert_ok(ht_txn_begin(store, false, &txn));
	err = ht_txn_get(txn, db, HT_SLICE(key, key_len), &value);
	row.len = GONE;
	if (err == HT_OK)
		take_value(&row, value);
	ht_txn_abort(&txn);
	ht_store_close(&store);
	return row;
}

static struct row
row_of(unsigned db, uint64_t seq)
{
	return row_at(false, db, &seq, sizeof(seq));
}

/* The first or the last row of a database of the index. */
static struct row
index_row_at_end(unsigned db, bool last)
{
	struct row row = {.index = true, .db = db};
	struct ht_store *store = open_store(true);
	struct ht_txn *txn = NULL;
	struct ht_seek *seek = NULL;
	struct ht_slice key, value;

	assert_ok(ht_txn_begin(store, false, &txn));
	assert_ok(ht_seek_open(txn, db, &seek));
	assert_ok(last ? ht_seek_last(seek, &key, &value)
	               : ht_seek_ge(seek, HT_SLICE("", 1), &key, &value));
	memcpy(row.key, key.at, key.len);
	row.key_len = key.len;
	take_value(&row, value);
	ht_seek_close(&seek);
	ht_txn_abort(&txn);
	ht_store_close(&store);
	return row;
}

static void
put(const struct row *row)
{
	struct ht_store *store = open_store(row->index);
	struct ht_slice key = HT_SLICE(row->key, row->key_len);
	struct ht_txn *txn = NULL;

	assert_ok(ht_txn_begin(store, true, &txn));
	if (row->len == GONE)
		assert_ok(ht_txn_del(txn, row->db, key));
	else
		assert_ok(ht_txn_put(
		    txn, row->db, key, HT_SLICE(row->value, row->len)));
	assert_ok(ht_txn_commit(&txn));
	ht_store_close(&store);
}

/* ---- damage ---- */

/* The hash of an entry fits again: who wrote it could do that. */
static void
hash_again(struct row *row)
{
	struct ht_hash hash =
	    ht_leaf_hash(HT_SLICE(row->value, row->len - HT_HASH_SIZE));

	memcpy(row->value + row->len - HT_HASH_SIZE, hash.at, HT_HASH_SIZE);
}

static struct row
entry(uint64_t seq)
{
	return row_of(HT_EV_ENTRIES, seq);
}

static struct row
a_bit(void)
{
	struct row row = entry(40);

	row.value[row.len - HT_HASH_SIZE - 1] ^= 1;
	return row;
}

static struct row
missing(void)
{
	struct row row = entry(40);

	row.len = GONE;
	return row;
}

static struct row
one_more(void)
{
	struct row row = entry(40);

	memcpy(row.key, &size, sizeof(size));
	return row;
}

static struct row
another_form(void)
{
	struct row row = entry(40);

	row.value[0] = 9;
	hash_again(&row);
	return row;
}

static struct row
another_place(void)
{
	struct row row = entry(40);

	row.value[9] = 39; /* the last byte of its seq */
	hash_again(&row);
	return row;
}

static struct row
earlier(void)
{
	struct row row = entry(40);

	row.value[10] = 0; /* the first byte of its time that is not 0 */
	row.value[11] = 1;
	hash_again(&row);
	return row;
}

static struct row
no_header(void)
{
	struct row row = entry(l.h.records > 0 ? 3 : 0);
	struct ht_entry e;

	assert_ok(
	    ht_entry_decode(HT_SLICE(row.value, row.len - HT_HASH_SIZE), &e));
	assert_true(ht_entry_has_header(&e));
	*(uint8_t *)(uintptr_t)(e.payload.at + 1) = 0xc1;
	hash_again(&row);
	return row;
}

/* It is the entry START that an EXPIRED says it is about. */
static struct row
cites_start(void)
{
	struct row row = entry(expired);
	struct ht_buf leaf = HT_BUF(HT_LEAF_MAX);
	struct ht_entry e;

	assert_ok(
	    ht_entry_decode(HT_SLICE(row.value, row.len - HT_HASH_SIZE), &e));
	assert_int_equal(e.type, HT_ENTRY_EXPIRED);
	e.cites = 1;
	assert_ok(ht_entry_encode(&e, &leaf));
	assert_int_equal(leaf.len, row.len - HT_HASH_SIZE);
	memcpy(row.value, leaf.at, leaf.len);
	ht_buf_fini(&leaf);
	hash_again(&row);
	return row;
}

static struct row
leaf_of_tree(void)
{
	struct row row = row_of(HT_EV_N0, 2);

	row.value[9 * HT_HASH_SIZE] ^= 1;
	return row;
}

static struct row
upper(unsigned level, uint64_t number)
{
	uint8_t key[9] = {(uint8_t)level};

	ht_be64(key + 1, number);
	return row_at(false, HT_EV_NUP, key, sizeof(key));
}

static struct row
level_4(void)
{
	struct row row = upper(4, 1);

	row.value[HT_HASH_SIZE] ^= 1;
	return row;
}

static struct row
level_8(void)
{
	struct row row = upper(8, 0);

	row.len = GONE;
	return row;
}

static struct row
level_12(void)
{
	struct row row = upper(12, 0);

	memset(row.value, 7, HT_HASH_SIZE);
	row.len = HT_HASH_SIZE;
	return row;
}

static struct row
head_with(void (*change)(struct ht_head *head))
{
	struct row row =
	    row_at(false, HT_EV_STATE, HT_HEAD_KEY, sizeof(HT_HEAD_KEY) - 1);
	struct ht_buf bytes = HT_BUF(VALUE_MAX);
	struct ht_head head;

	assert_ok(ht_head_decode(HT_SLICE(row.value, row.len), &head));
	change(&head);
	ht_head_encode(&head, &bytes);
	take_value(&row, ht_buf_slice(&bytes));
	ht_buf_fini(&bytes);
	return row;
}

static void
change_root(struct ht_head *head)
{
	head->root.at[0] ^= 1;
}

static struct row
head_root(void)
{
	return head_with(change_root);
}

static void
change_frontier(struct ht_head *head)
{
	head->frontier.at[8].at[0] ^= 1;
}

static struct row
head_frontier(void)
{
	return head_with(change_frontier);
}

static void
change_time(struct ht_head *head)
{
	head->last_us++;
}

static struct row
head_time(void)
{
	return head_with(change_time);
}

static struct row
head_sum(void)
{
	struct row row =
	    row_at(false, HT_EV_STATE, HT_HEAD_KEY, sizeof(HT_HEAD_KEY) - 1);

	row.value[20] ^= 1;
	return row;
}

/* A checkpoint that is there, where another must be. */
static struct row
moved_note(uint64_t to)
{
	struct row row = row_of(HT_EV_CPS, to);
	struct ht_store *store = open_store(false);
	struct ht_txn *txn = NULL;
	struct ht_seek *seek = NULL;
	struct ht_slice key, value;

	assert_ok(ht_txn_begin(store, false, &txn));
	assert_ok(ht_seek_open(txn, HT_EV_CPS, &seek));
	assert_ok(ht_seek_last(seek, &key, &value));
	take_value(&row, value);
	ht_seek_close(&seek);
	ht_txn_abort(&txn);
	ht_store_close(&store);
	return row;
}

static struct row
note_of_another(void)
{
	return moved_note(101);
}

static struct row
note_ahead(void)
{
	return moved_note(size + 7);
}

static struct row
no_note(void)
{
	struct row row = moved_note(101);

	row.len = 12;
	return row;
}

static struct row
no_first(unsigned db)
{
	struct row row = index_row_at_end(db, false);

	row.len = GONE;
	return row;
}

static struct row
no_exchange(void)
{
	return no_first(BY_EXCHANGE);
}

static struct row
no_member(void)
{
	return no_first(BY_MEMBER);
}

static struct row
no_item(void)
{
	return no_first(BY_ITEM);
}

static struct row
no_status(void)
{
	return no_first(BY_STATUS);
}

static struct row
no_type(void)
{
	return no_first(BY_TYPE);
}

static struct row
no_subject(void)
{
	return no_first(BY_SUBJECT);
}

/* One more look at a subject; another name for a member. */
static struct row
strange_subject(void)
{
	struct row row = index_row_at_end(BY_SUBJECT, true);

	row.key[row.key_len - 1] ^= 1;
	return row;
}

static struct row
strange_member(void)
{
	struct row row = index_row_at_end(BY_MEMBER, false);

	row.key[0] ^= 1;
	return row;
}

static struct row
a_look_less(void)
{
	struct row row = index_row_at_end(BY_MEMBER, false);

	row.len -= 2;
	return row;
}

static struct row
another_look(void)
{
	struct row row = index_row_at_end(BY_MEMBER, false);

	row.value[row.len - 1] ^= 1;
	return row;
}

static struct row
looks_astray(void)
{
	struct row row = index_row_at_end(BY_MEMBER, false);
	uint8_t first[2];

	memcpy(first, row.value, 2);
	memcpy(row.value, row.value + 2, 2);
	memcpy(row.value + 2, first, 2);
	return row;
}

static struct row
half_a_look(void)
{
	struct row row = index_row_at_end(BY_ITEM, true);

	row.len--;
	return row;
}

static struct row
a_value(void)
{
	struct row row = index_row_at_end(BY_EXCHANGE, true);

	row.value[0] = 1;
	row.len = 1;
	return row;
}

#define PART(name) (1u << HT_FSCK_##name)

static const struct {
	const char *why;
	struct row (*damage)(void);
	unsigned parts; /* those with findings, and no other */
	const char *says;
} cases[] = {
    {"a bit of an entry",             a_bit,
     PART(ENTRIES) | PART(TREE) | PART(HEAD) | PART(SIGNED),
     "entry 40 is not the one that was logged"                                                       },
    {"an entry is gone",              missing,         PART(ENTRIES), "entry 40 is missing"          },
    {"an entry too many",             one_more,        PART(ENTRIES),
     "entries stand behind the last"                                                                 },
    {"no leaf, though it was hashed", another_form,
     PART(ENTRIES) | PART(TREE) | PART(HEAD) | PART(SIGNED),
     "entry 40 is malformed"                                                                         },
    {"another's number",              another_place,
     PART(ENTRIES) | PART(TREE) | PART(HEAD) | PART(SIGNED),
     "entry 40 says that it is entry 39"                                                             },
    {"a time gone back",              earlier,
     PART(ENTRIES) | PART(TREE) | PART(HEAD) | PART(SIGNED),
     "entry 40 is older than the one before"                                                         },
    {"no header in it",               no_header,
     PART(ENTRIES) | PART(TREE) | PART(HEAD) | PART(SIGNED),
     "entry 3: its header is malformed"                                                              },
    {"about an entry without one",    cites_start,
     PART(ENTRIES) | PART(TREE) | PART(HEAD) | PART(SIGNED),
     "cites entry 0, which has no header"                                                            },
    {"a leaf's hash in the tree",     leaf_of_tree,    PART(TREE),
     "of level 0, number 41, is not"                                                                 },
    {"a hash above",                  level_4,         PART(TREE),    "of level 4, number 17, is not"},
    {"a chunk is gone",               level_8,         PART(TREE),
     "of level 8, number 0, is missing"                                                              },
    {"a chunk too many",              level_12,        PART(TREE),    "rows of no entry"             },
    {"the root in head",              head_root,       PART(HEAD),    "the root in head is not"      },
    {"the frontier in head",          head_frontier,   PART(HEAD),
     "frontier in head, of level 8"                                                                  },
    {"the time in head",              head_time,       PART(HEAD),    "another time than the last"   },
    {"the sum of head",               head_sum,        PART(HEAD),    "head"                         },
    {"a checkpoint of another tree",  note_of_another, PART(SIGNED),
     "of size 101 is not of these"                                                                   },
    {"a checkpoint ahead",            note_ahead,      PART(SIGNED),
     "was signed, and there are"                                                                     },
    {"no checkpoint",                 no_note,         PART(SIGNED),  "of size 101 is no note"       },
    {"a row less",                    no_exchange,     PART(INDEX),   "by_exchange is not made of"   },
    {"a row less",                    no_member,       PART(INDEX),   "by_member is not made of"     },
    {"a row less",                    no_item,         PART(INDEX),   "by_item is not made of"       },
    {"a row less",                    no_status,       PART(INDEX),   "by_status is not made of"     },
    {"a row less",                    no_type,         PART(INDEX),   "by_type is not made of"       },
    {"a row less",                    no_subject,      PART(INDEX),   "by_subject is not made of"    },
    {"a row more",                    strange_subject, PART(INDEX),   "by_subject is not made of"    },
    {"a block more",                  strange_member,  PART(INDEX),   "by_member is not made of"     },
    {"an entry of a block less",      a_look_less,     PART(INDEX),
     "by_member is not made of"                                                                      },
    {"another entry in a block",      another_look,    PART(INDEX),   "by_member"                    },
    {"entries out of order",          looks_astray,    PART(INDEX),
     "by_member has a row of another"                                                                },
    {"half a number",                 half_a_look,     PART(INDEX),   "by_item has a row of another" },
    {"a value where none is",         a_value,         PART(INDEX),
     "by_exchange has a row of another"                                                              },
};

/* ---- what is found ---- */

struct seen {
	unsigned parts;
	bool said;
	const char *says; /* NULL: nothing is looked for */
	char last[400];
};

static void
note(void *arg, enum ht_fsck_part part, const char *what)
{
	struct seen *seen = arg;

	seen->parts |= 1u << part;
	seen->said |= seen->says != NULL && strstr(what, seen->says) != NULL;
	(void)snprintf(seen->last, sizeof(seen->last), "%s", what);
}

static struct seen
fsck(const char *says, struct ht_fsck *ret)
{
	struct seen seen = {.says = says};

	*ret = (struct ht_fsck){.found = note, .arg = &seen};
	assert_ok(ht_fsck_log(l.log_dir, ret));
	return seen;
}

static void
a_whole_log_has_no_finding(void **state)
{
	struct ht_fsck f;
	struct seen seen = fsck(NULL, &f);

	(void)state;
	if (seen.parts != 0)
		fail_msg("%s", seen.last);
	assert_int_equal(f.size, size);
	assert_int_equal(f.indexed, size);
	assert_true(f.rows > 3 * size);
	assert_true(f.pieces > size / 2);
}

static void
damage_is_named(void **state)
{
	struct ht_fsck f;

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct row bad = cases[i].damage();
		struct row good =
		    row_at(bad.index, bad.db, bad.key, bad.key_len);
		struct seen seen;

		put(&bad);
		seen = fsck(cases[i].says, &f);
		put(&good);
		if (!seen.said || seen.parts != cases[i].parts)
			fail_msg("%s (%s): parts %#x, last \"%s\"",
			    cases[i].why, cases[i].says, seen.parts, seen.last);
	}
	a_whole_log_has_no_finding(state);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_whole_log_has_no_finding),
    cmocka_unit_test(damage_is_named),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, make_log, drop_log);
}
