/*
 * state.c -- databases:
 *
 *   facts      name                         -> bytes
 *              "c" recipient 0 item         -> u64: first number not reserved
 *   answers    sender 0 record              -> u64 expires, header hash,
 *              u32 header, header, u32 tag, tag, u32 body, body
 *   expiry     u64 expires, sender 0 record -> nothing
 *   told       exchange, record, served     -> told.h
 *   told-age   u64 ended, key of told       -> nothing
 *   notes      SHA-256 of a note            -> the note
 */
#include "adapters/state_in.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/map.h"
#include "lib/store/store.h"

/* Address space, not memory: 8 GiB of answers, 16 of history, and trees. */
#define MAP_SIZE      ((size_t)32 << 30)
#define COUNTER_BLOCK 1024
#define KEY_BYTES     (2 + 2 * (HT_NAME_MAX + 1) + 8 + HT_ID_SIZE)
#define KEEP_MAX                                                               \
	(64 + HT_HEADER_MAX + HT_TAG_MAX + HT_BODY_MAX) /* of one answer */

static const struct ht_store_db dbs[] = {
    {"facts",    HT_STORE_BYTES},
    {"answers",  HT_STORE_BYTES},
    {"expiry",   HT_STORE_BYTES},
    {"told",     HT_STORE_BYTES},
    {"told-age", HT_STORE_BYTES},
    {"notes",    HT_STORE_BYTES},
};

/* Numbers reserved on the disk, and how far they are used. */
struct counter {
	uint64_t next, end;
};

/* ---- opening ---- */

static enum ht_err
take_lock(struct ht_state *state, struct ht_report *report)
{
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(state->dir, "lock");
	uint64_t until = ht_clock_mono_ms() + HT_STATE_WAIT_MS;

	if (path == NULL)
		return HT_ENOMEM;
	state->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (state->lock_fd < 0) {
		ht_report_add(report, path,
		    "cannot be made: %s; the state "
		    "folder must be this user's",
		    strerror(errno));
		return HT_ESYSTEM;
	}
	while (flock(state->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (ht_clock_mono_ms() >= until) {
			ht_report_add(report, state->dir,
			    "another process is using this node's state; stop "
			    "it, or give this one a node of its own");
			return HT_EAGAIN;
		}
		(void)usleep(20000);
	}
	return HT_OK;
}

static enum ht_err
open_store(struct ht_state *state, struct ht_report *report)
{
	HT_AUTO(ht_mem_free) char *store = ht_fs_join(state->dir, "store");
	enum ht_err err;

	if (store == NULL)
		return HT_ENOMEM;
	err = ht_store_open(store, HT_STORE_DURABLE, MAP_SIZE, dbs,
	    HT_COUNT(dbs), &state->store);
	if (err != HT_OK)
		ht_report_add(
		    report, store, "cannot be opened: %s", ht_err_text(err));
	return err;
}

static struct ht_state *
state_new(const char *dir)
{
	HT_AUTO(ht_state_close)
	struct ht_state *state = calloc(1, sizeof(*state));

	if (state == NULL)
		return NULL;
	state->lock_fd = -1;
	state->found = HT_BUF(KEEP_MAX);
	state->dir = strdup(dir);
	state->counters = ht_map_new();
	state->kept = ht_map_new();
	state->kept_max = HT_STATE_ANSWERS;
	state->aside = HT_STATE_ASIDE;
	if (state->dir == NULL || state->counters == NULL ||
	    state->kept == NULL)
		return NULL;
	return HT_TAKE(state);
}

enum ht_err
ht_state_open(const char *dir, struct ht_report *report, struct ht_state **ret)
{
	HT_AUTO(ht_state_close) struct ht_state *state = NULL;
	enum ht_err err;

	err = ht_fs_mkdirs(dir, 0700);
	if (err != HT_OK) {
		ht_report_add(
		    report, dir, "cannot be made: %s", strerror(errno));
		return err;
	}
	state = state_new(dir);
	err = state != NULL ? take_lock(state, report) : HT_ENOMEM;
	if (err == HT_OK)
		err = open_store(state, report);
	if (err == HT_OK)
		err = state_kept_load(state);
	if (err != HT_OK)
		return err;
	*ret = HT_TAKE(state);
	return HT_OK;
}

enum ht_err
ht_state_look(const char *dir, struct ht_report *report, struct ht_state **ret)
{
	HT_AUTO(ht_state_close) struct ht_state *state = state_new(dir);
	HT_AUTO(ht_mem_free)
	char *file = ht_fs_join(dir, "store/data.mdb");
	enum ht_err err;

	if (state == NULL || file == NULL)
		return HT_ENOMEM;
	if (access(file, R_OK | W_OK) != 0) {
		ht_report_add(report, dir,
		    "holds no state of a node that this user may read: %s",
		    strerror(errno));
		return HT_ENOTFOUND;
	}
	err = open_store(state, report);
	if (err == HT_OK)
		*ret = HT_TAKE(state);
	return err;
}

void
ht_state_close(struct ht_state **state_p)
{
	struct ht_state *state = HT_TAKE(*state_p);

	if (state == NULL)
		return;
	ht_txn_abort(&state->txn);
	ht_store_close(&state->store);
	ht_map_free(&state->counters, free);
	ht_map_free(&state->kept, free);
	ht_fd_close(&state->lock_fd);
	ht_buf_fini(&state->found);
	free(state->dir);
	free(state);
}

const char *
ht_state_dir(const struct ht_state *state)
{
	return state->dir;
}

void
ht_state_bound(struct ht_state *state, uint64_t bytes)
{
	state->kept_max = bytes;
}

/* ---- transactions ---- */

enum ht_err
state_group(struct ht_state *state)
{
	return state->txn != NULL
	           ? HT_OK
	           : ht_txn_begin(state->store, true, &state->txn);
}

enum ht_err
ht_state_commit(struct ht_state *state)
{
	state->gathered = 0;
	return state->txn != NULL ? ht_txn_commit(&state->txn) : HT_OK;
}

enum ht_err
state_reading(
    struct ht_state *state, struct ht_txn **ret_own, struct ht_txn **ret)
{
	enum ht_err err = HT_OK;

	if (state->txn == NULL)
		err = ht_txn_begin(state->store, false, ret_own);
	*ret = state->txn != NULL ? state->txn : *ret_own;
	return err;
}

enum ht_err
state_read(struct ht_state *state, unsigned db, struct ht_slice key,
    struct ht_buf *ret)
{
	HT_AUTO(ht_txn_abort) struct ht_txn *own = NULL;
	struct ht_txn *txn;
	struct ht_slice value;
	enum ht_err err = state_reading(state, &own, &txn);

	if (err == HT_OK)
		err = ht_txn_get(txn, db, key, &value);
	if (err == HT_OK) {
		ht_buf_add(ret, value.at, value.len);
		err = ret->err;
	}
	return err;
}

/* ---- facts ---- */

enum ht_err
ht_state_get(struct ht_state *state, const char *name, struct ht_buf *ret)
{
	return state_read(state, FACTS, ht_slice_str(name), ret);
}

enum ht_err
ht_state_put(struct ht_state *state, const char *name, struct ht_slice value)
{
	enum ht_err err = state_group(state);

	return err == HT_OK
	           ? ht_txn_put(state->txn, FACTS, ht_slice_str(name), value)
	           : err;
}

/* ---- counters ---- */

static enum ht_err
reserve(struct ht_state *state, struct ht_slice key, struct counter *counter)
{
	struct ht_buf old = HT_BUF(8);
	uint8_t value[8];
	enum ht_err err;

	err = state_read(state, FACTS, key, &old);
	if (err == HT_OK && old.len == 8)
		counter->next = ht_load64(old.at);
	else if (err == HT_ENOTFOUND)
		counter->next = 1;
	else if (err == HT_OK)
		err = HT_ESTORE;
	ht_buf_fini(&old);
	if (err != HT_OK && err != HT_ENOTFOUND)
		return err;
	counter->end = counter->next + COUNTER_BLOCK;
	ht_be64(value, counter->end);
	err = state_group(state);
	if (err == HT_OK)
		err = ht_txn_put(state->txn, FACTS, key, HT_SLICE(value, 8));
	if (err != HT_OK)
		counter->end = counter->next;
	return err;
}

enum ht_err
ht_state_counter(struct ht_state *state, struct ht_slice recipient,
    struct ht_slice item, uint64_t *ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf key = HT_BUF(KEY_BYTES);
	struct counter *counter;
	enum ht_err err;

	ht_buf_u8(&key, 'c');
	ht_buf_add(&key, recipient.at, recipient.len);
	ht_buf_u8(&key, 0);
	ht_buf_add(&key, item.at, item.len);
	if (key.err != HT_OK)
		return key.err;
	counter = ht_map_get(state->counters, ht_buf_slice(&key));
	if (counter == NULL) {
		counter = calloc(1, sizeof(*counter));
		if (counter == NULL)
			return HT_ENOMEM;
		err = ht_map_put(
		    state->counters, ht_buf_slice(&key), counter, NULL);
		if (err != HT_OK) {
			free(counter);
			return err;
		}
	}
	if (counter->next == counter->end) {
		err = reserve(state, ht_buf_slice(&key), counter);
		if (err != HT_OK)
			return err;
	}
	*ret = counter->next++;
	return HT_OK;
}

/* ---- answers ---- */

static struct ht_slice
answer_key(struct ht_slice sender, const struct ht_id *record,
    uint8_t out[static KEY_BYTES])
{
	size_t len = sender.len < HT_NAME_MAX ? sender.len : HT_NAME_MAX;

	memcpy(out, sender.at, len);
	out[len] = 0;
	memcpy(out + len + 1, record->at, HT_ID_SIZE);
	return HT_SLICE(out, len + 1 + HT_ID_SIZE);
}

static struct ht_slice
take_part(struct ht_cur *cur)
{
	return ht_cur_take(cur, ht_cur_u32(cur));
}

enum ht_err
ht_state_find(struct ht_state *state, struct ht_slice sender,
    const struct ht_id *record, struct ht_answered *ret)
{
	struct ht_answered answered;
	uint8_t key[KEY_BYTES];
	struct ht_cur cur;
	enum ht_err err;

	ht_buf_reset(&state->found);
	err = state_read(
	    state, ANSWERS, answer_key(sender, record, key), &state->found);
	if (err != HT_OK)
		return err;
	cur = ht_cur(ht_buf_slice(&state->found));
	answered.expires_ms = ht_cur_u64(&cur);
	ht_cur_copy(&cur, answered.request.at, sizeof(answered.request.at));
	answered.header = take_part(&cur);
	answered.tag = take_part(&cur);
	answered.body = take_part(&cur);
	if (ht_cur_end(&cur) != HT_OK)
		return HT_ESTORE;
	*ret = answered;
	return HT_OK;
}

static void
add_part(struct ht_buf *out, struct ht_slice part)
{
	ht_buf_u32(out, (uint32_t)part.len);
	ht_buf_add(out, part.at, part.len);
}

enum ht_err
ht_state_keep(struct ht_state *state, struct ht_slice sender,
    const struct ht_id *record, const struct ht_answered *answered)
{
	HT_AUTO(ht_buf_fini) struct ht_buf value = HT_BUF(KEEP_MAX);
	uint8_t expiry[8 + KEY_BYTES];
	struct ht_slice key = answer_key(sender, record, expiry + 8);
	enum ht_err err = state_group(state);

	ht_be64(expiry, answered->expires_ms);
	ht_buf_u64(&value, answered->expires_ms);
	ht_buf_add(&value, answered->request.at, HT_HASH_SIZE);
	add_part(&value, answered->header);
	add_part(&value, answered->tag);
	add_part(&value, answered->body);
	if (err == HT_OK)
		err = value.err;
	if (err == HT_OK && (!ht_state_room(state, sender, value.len) ||
	                        !state_disk_holds(state, value.len)))
		err = HT_EAGAIN;
	if (err == HT_OK)
		err =
		    ht_txn_put(state->txn, ANSWERS, key, ht_buf_slice(&value));
	if (err == HT_OK)
		err = ht_txn_put(state->txn, EXPIRY,
		    HT_SLICE(expiry, 8 + key.len), HT_SLICE("", 0));
	if (err == HT_OK)
		err = state_kept_add(state, sender, value.len);
	return err;
}

/* The oldest expiry, if its time is over: its key is copied to @out. */
static enum ht_err
first_expired(struct ht_state *state, uint64_t now_ms,
    uint8_t out[static 8 + KEY_BYTES], size_t *ret_len)
{
	static const uint8_t least[8] = {0};
	HT_AUTO(ht_seek_close) struct ht_seek *seek = NULL;
	struct ht_slice key, value;
	enum ht_err err;

	err = ht_seek_open(state->txn, EXPIRY, &seek);
	if (err == HT_OK)
		err = ht_seek_ge(seek, HT_SLICE(least, 8), &key, &value);
	if (err != HT_OK)
		return err;
	if (key.len < 8 || key.len > 8 + KEY_BYTES)
		return HT_ESTORE;
	if (ht_load64(key.at) > now_ms)
		return HT_ENOTFOUND;
	memcpy(out, key.at, key.len);
	*ret_len = key.len;
	return HT_OK;
}

/* One answer, and the room that it took. */
static enum ht_err
forget(struct ht_state *state, struct ht_slice key)
{
	struct ht_slice value;
	enum ht_err err = ht_txn_get(state->txn, ANSWERS, key, &value);
	size_t len = err == HT_OK ? value.len : 0;

	if (err == HT_OK)
		err = ht_txn_del(state->txn, ANSWERS, key);
	if (err == HT_OK)
		state_kept_drop(state, state_kept_sender(key), len);
	return err;
}

enum ht_err
ht_state_sweep(struct ht_state *state, uint64_t now_ms, unsigned max)
{
	uint8_t key[8 + KEY_BYTES];
	enum ht_err err = state_group(state);
	size_t len;

	while (err == HT_OK && max-- > 0) {
		err = first_expired(state, now_ms, key, &len);
		if (err != HT_OK)
			break;
		err = forget(state, HT_SLICE(key + 8, len - 8));
		if (err == HT_OK || err == HT_ENOTFOUND)
			err =
			    ht_txn_del(state->txn, EXPIRY, HT_SLICE(key, len));
	}
	return err == HT_ENOTFOUND ? HT_OK : err;
}
