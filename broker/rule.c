/*
 * rule.c -- what is in force: the root, the trust documents, and the list of
 * transport keys that follows from them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "broker/core_in.h"
#include "broker/replay.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"

#define KEYS_MS     30000 /* periods of keys begin and end */
#define CHUNK_BYTES (512 * 1024)

/* ---- documents ---- */

/* Believed because the operator configured it. */
static enum ht_err
read_anchor(const char *path, struct ht_report *report, struct ht_root *ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	enum ht_err err = ht_fs_read(path, &note);

	if (err == HT_OK)
		return ht_root_parse(ht_buf_slice(&note), path, report, ret);
	ht_report_add(report, path, "cannot be read: %s",
	    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
	return err;
}

/* Another key would have every member take the log for another's. */
static enum ht_err
check_log_key(const struct ht_root *old, const struct ht_root *new,
    const char *where, struct ht_report *report)
{
	if (strcmp(old->log.name, new->log.name) == 0 &&
	    memcmp(&old->log.pub, &new->log.pub, sizeof(old->log.pub)) == 0)
		return HT_OK;
	ht_report_add(report, where,
	    "its root names another log key: that is another log, and a "
	    "broker of its own; it is not taken by this one");
	return HT_EINVALID;
}

/* Nobody must be left without the socket that their commands need. */
static enum ht_err
check_roles(const struct ht_broker_conf *conf, const struct ht_root *root,
    struct ht_report *report)
{
	if (!root->parted ||
	    (conf->security != NULL && conf->audit_control != NULL))
		return HT_OK;
	ht_report_add(report, conf->authority,
	    "its root names administrators, and two of them have no socket: "
	    "give "
	    "'security' and 'audit-control' in the broker's configuration, "
	    "and start it again");
	return HT_EINVALID;
}

/*
 * A note of tomorrow, made by a clock that was wrong, would stay in force: an
 * older one may not replace it, nor end what it was made for.
 */
static enum ht_err
check_now(
    const struct ht_trust *trust, const char *where, struct ht_report *report)
{
	uint64_t issued_ms = ht_trust_issued_ms(trust);
	char text[HT_TIME_SIZE];

	if (issued_ms <= ht_clock_wall_ms() + HT_SKEW_MS)
		return HT_OK;
	ht_time_text(text, issued_ms * 1000);
	ht_report_add(report, where,
	    "has a current note issued %s, which is in the future; look at the "
	    "clock here and at the one where it was signed, and freshen it "
	    "again (hutong catalog freshen)",
	    text);
	return HT_EINVALID;
}

enum ht_err
rule_load(const struct ht_broker_conf *conf, const struct ht_root *old_root,
    const struct ht_trust *before, struct ht_report *report,
    struct ht_root *ret_root, struct ht_trust **ret)
{
	HT_AUTO(ht_trust_unref) struct ht_trust *trust = NULL;
	struct ht_root anchor;
	enum ht_err err = HT_OK;

	if (old_root != NULL)
		anchor = *old_root;
	else
		err = read_anchor(conf->root, report, &anchor);
	if (err != HT_OK)
		return err;
	err =
	    ht_trust_load_dir(&anchor, conf->authority, before, report, &trust);
	if (err != HT_OK && ht_report_count(report) == 0)
		ht_report_add(report, conf->authority, "%s", ht_err_text(err));
	if (err == HT_OK && old_root != NULL)
		err = check_log_key(
		    old_root, ht_trust_root(trust), conf->authority, report);
	if (err == HT_OK)
		err = check_roles(conf, ht_trust_root(trust), report);
	if (err == HT_OK)
		err = check_now(trust, conf->authority, report);
	if (err != HT_OK)
		return err;
	*ret_root = *ht_trust_root(trust);
	*ret = HT_TAKE(trust);
	return HT_OK;
}

/* The same snapshot, under a note that may not know of a suspension. */
static enum ht_err
check_issued(const struct ht_trust *trust,
    const struct ht_replay_snapshot *last, const char *where,
    struct ht_report *report)
{
	uint64_t issued_ms = ht_trust_issued_ms(trust);
	char text[HT_TIME_SIZE], last_text[HT_TIME_SIZE];

	if (issued_ms >= last->issued_ms)
		return HT_OK;
	ht_time_text(text, issued_ms * 1000);
	ht_time_text(last_text, last->issued_ms * 1000);
	ht_report_add(report, where,
	    "has a current note issued %s, and one issued %s is in force since "
	    "entry %llu of the log: what is suspended since would be "
	    "forgotten; "
	    "bring the folder up to date, or freshen it (hutong catalog "
	    "freshen)",
	    text, last_text, (unsigned long long)last->issued_place);
	return HT_EROLLBACK;
}

/*
 * The authority's folder may have been put back; while the broker runs it
 * would be compared with what is in force, and at start with the log.
 */
enum ht_err
rule_continues(const struct ht_trust *trust, struct ht_log *log,
    const char *where, struct ht_report *report)
{
	struct ht_hash hash = ht_trust_hash(trust);
	uint64_t version = ht_trust_version(trust);
	struct ht_replay_snapshot last;
	char text[2 * HT_HASH_SIZE + 1], last_text[2 * HT_HASH_SIZE + 1];
	enum ht_err err = ht_replay_snapshot(log, &last);

	if (err == HT_ENOTFOUND)
		return HT_OK;
	if (err == HT_EINTEGRITY)
		ht_report_add(report, "log",
		    "its last entries name a trust snapshot that no SNAPSHOT "
		    "entry put in force; look at it with hutong-audit verify");
	if (err != HT_OK)
		return err;
	if (version > last.version ||
	    (version == last.version && ht_hash_eq(&hash, &last.hash)))
		return check_issued(trust, &last, where, report);
	ht_hex(text, hash.at, sizeof(hash.at));
	ht_hex(last_text, last.hash.at, sizeof(last.hash.at));
	ht_report_add(report, where,
	    "has snapshot %llu (%s), and snapshot %llu (%s) is in force since "
	    "entry %llu of the log; bring the folder up to date, or publish a "
	    "snapshot with a version above %llu",
	    (unsigned long long)version, text, (unsigned long long)last.version,
	    last_text, (unsigned long long)last.place,
	    (unsigned long long)last.version);
	return HT_EROLLBACK;
}

static int64_t
mtime_of(const struct core *core)
{
	HT_AUTO(ht_mem_free)
	char *path = ht_fs_join(core->conf->authority, "current.note");
	struct stat st;

	if (path == NULL || stat(path, &st) != 0)
		return 0;
	return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

void
rule_seen(struct core *core)
{
	core->current_mtime_ns = mtime_of(core);
}

static enum ht_err
take(struct core *core, struct ht_trust *trust)
{
	enum ht_err err = ht_committer_trust(core->committer, trust);

	if (err != HT_OK)
		return err;
	rule_keys(core, false);
	talk_notice(core);
	core->due_ms = core->stale_ms = 0; /* look at it at once */
	return HT_OK;
}

enum ht_err
rule_take(struct core *core, const struct ht_root *root,
    struct ht_trust *before, struct ht_trust *trust, bool *ret_changed)
{
	struct ht_hash old = ht_trust_hash(before), new = ht_trust_hash(trust);
	struct ht_trust_work work = ht_trust_work(trust);
	bool other = !ht_hash_eq(&old, &new);
	enum ht_err err = HT_OK;

	*ret_changed = other || !ht_slice_eq(ht_trust_current(before),
	                            ht_trust_current(trust));
	if (memcmp(&root->broker_transport, &core->root.broker_transport,
	        sizeof(root->broker_transport)) != 0)
		ht_log(HT_WARN,
		    "broker: the root of today names another transport "
		    "key: nodes expect it from their next connection "
		    "on; configure it (transport-key) and start again");
	core->root = *root;
	cosign_root(core);
	if (*ret_changed)
		err = take(core, trust);
	if (err == HT_OK && other)
		ht_log(HT_INFO,
		    "broker: snapshot %llu is in force; of %zu documents %zu "
		    "were read, %zu verified",
		    (unsigned long long)ht_trust_version(trust),
		    ht_trust_n_docs(trust) - 2, work.n_read, work.n_verified);
	else if (err == HT_OK)
		ht_log(HT_INFO, "broker: snapshot %llu is in force%s",
		    (unsigned long long)ht_trust_version(trust),
		    *ret_changed ? "" : ", as before");
	return err;
}

/*
 * A fresher word on the same snapshot decides nothing, so it needs no act of
 * the operator; a suspension in it must not wait for one.
 */
void
rule_freshen(struct core *core)
{
	HT_AUTO(ht_report_free) struct ht_report *report = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(HT_DOC_MAX);
	HT_AUTO(ht_mem_free) char *path = NULL;
	struct ht_trust *before, *trust = NULL;
	int64_t mtime = mtime_of(core);
	enum ht_err err;

	/* Which will read it, too; or it comes after. */
	if (reload_busy(core))
		return;
	if (mtime == 0 || mtime == core->current_mtime_ns)
		return;
	core->current_mtime_ns = mtime;
	path = ht_fs_join(core->conf->authority, "current.note");
	report = ht_report_new();
	if (path == NULL || ht_fs_read(path, &note) != HT_OK)
		return;
	before = ht_box_get(&core->box, NULL);
	if (!ht_slice_eq(ht_buf_slice(&note), ht_trust_current(before))) {
		err = ht_trust_freshen(
		    before, ht_buf_slice(&note), report, &trust);
		if (err == HT_OK)
			err = take(core, trust);
		if (err == HT_OK)
			ht_log(HT_INFO, "broker: took a fresher current note");
		else
			ht_log(HT_WARN,
			    "broker: %s is not taken: %s; if it is of a new "
			    "snapshot: hutong-broker ctl reload",
			    path,
			    ht_report_count(report) > 0
			        ? ht_report_text(report, 0)
			        : ht_err_text(err));
	}
	ht_trust_unref(&trust);
	ht_trust_unref(&before);
}

/* ---- transport keys ---- */

/* The list being made. */
struct listing {
	struct core *core;
	uint64_t now_ms;
	struct ht_map *admitted, *holders;
	struct ht_buf all; /* (key 32, user u8 len)* */
	enum ht_err err;
};

static void
hold(struct listing *l, const struct ht_member *member,
    const struct ht_node_entry *node, const struct ht_pub *pub, unsigned status)
{
	struct ht_hash hash = ht_sha256(HT_SLICE(pub->at, sizeof(pub->at)));
	struct holder *holder = calloc(1, sizeof(*holder));
	void *old = NULL;

	if (holder == NULL) {
		l->err = HT_ENOMEM;
		return;
	}
	holder->status = status;
	snprintf(holder->member, sizeof(holder->member), "%s", member->name);
	snprintf(holder->node, sizeof(holder->node), "%s", node->name);
	l->err = ht_map_put(
	    l->holders, HT_SLICE(hash.at, sizeof(hash.at)), holder, &old);
	free(l->err == HT_OK ? old : holder);
}

static bool
is_out(const struct core *core, struct ht_slice user)
{
	const struct ht_strike *strike = ht_map_get(core->strikes, user);

	return strike != NULL && strike->out;
}

static void
list_key(struct listing *l, const struct ht_member *member,
    const struct ht_node_entry *node, const struct ht_keyinfo *key)
{
	enum ht_key_state state = ht_keyinfo_state(key, l->now_ms);
	char user[HT_USERID_MAX + 1], id[2 * HT_KEYID_SIZE + 1];
	struct ht_slice name;

	if (state != HT_KEY_OK) {
		hold(l, member, node, &key->pub,
		    state == HT_KEY_REVOKED ? HT_ST_KEY_REVOKED
		                            : HT_ST_KEY_EXPIRED);
		return;
	}
	ht_hex(id, key->id.at, sizeof(key->id.at));
	snprintf(user, sizeof(user), "%s/%s#%s", member->name, node->name, id);
	name = ht_slice_str(user);
	if (is_out(l->core, name)) {
		hold(l, member, node, &key->pub, HT_ST_KEY_REVOKED);
		return;
	}
	ht_buf_add(&l->all, key->pub.at, sizeof(key->pub.at));
	ht_buf_u8(&l->all, (uint8_t)name.len);
	ht_buf_add(&l->all, name.at, name.len);
	l->err = ht_map_put(l->admitted, name, "", NULL);
}

static void
list_all(struct listing *l, const struct ht_trust *trust)
{
	const struct ht_member *member;

	for (size_t i = 0; (member = ht_trust_member_at(trust, i)) != NULL; i++)
		for (unsigned n = 0; n < member->n_nodes; n++) {
			const struct ht_node_entry *node = &member->nodes[n];

			for (unsigned k = 0;
			     k < node->n_transport && l->err == HT_OK; k++)
				list_key(l, member, node, &node->transport[k]);
		}
	if (l->err == HT_OK)
		l->err = l->all.err;
}

/* In pieces, each of whole keys; the last one puts all of them in force. */
static void
send_list(struct core *core, const struct ht_buf *all)
{
	HT_AUTO(ht_buf_fini) struct ht_buf body = HT_BUF(HT_PIPE_MAX);
	struct ht_cur cur = ht_cur(ht_buf_slice(all));

	ht_buf_u8(&body, cur.at == cur.end);
	while (cur.at < cur.end) {
		const uint8_t *from = cur.at;

		(void)ht_cur_take(&cur, HT_CURVE_SIZE);
		(void)ht_cur_str8(&cur);
		HT_ASSERT(cur.err == HT_OK);
		ht_buf_add(&body, from, (size_t)(cur.at - from));
		if (cur.at < cur.end && body.len > CHUNK_BYTES) {
			link_send_keys(core, ht_buf_slice(&body));
			ht_buf_reset(&body);
			ht_buf_u8(&body, 0);
		}
	}
	if (body.err == HT_OK) {
		body.at[0] = 1;
		link_send_keys(core, ht_buf_slice(&body));
	}
}

void
rule_keys(struct core *core, bool always)
{
	struct ht_trust *trust = ht_box_get(&core->box, NULL);
	struct listing l = {
	    .core = core,
	    .now_ms = ht_clock_wall_ms(),
	    .admitted = ht_map_new(),
	    .holders = ht_map_new(),
	    .all = HT_BUF((size_t)1 << 28),
	};
	struct ht_hash hash;

	core->keys_ms = ht_clock_mono_ms() + KEYS_MS;
	if (l.admitted == NULL || l.holders == NULL)
		l.err = HT_ENOMEM;
	else
		list_all(&l, trust);
	ht_trust_unref(&trust);
	hash = ht_sha256(ht_buf_slice(&l.all));
	if (l.err == HT_OK) {
		struct ht_map *old = core->admitted;

		core->admitted = l.admitted;
		l.admitted = old;
		old = core->holders;
		core->holders = l.holders;
		l.holders = old;
		if (always || !ht_hash_eq(&hash, &core->keys_hash))
			send_list(core, &l.all);
		core->keys_hash = hash;
	} else {
		ht_log(HT_ERROR, "broker: cannot list the keys: %s",
		    ht_err_text(l.err));
	}
	ht_map_free(&l.admitted, NULL);
	ht_map_free(&l.holders, free);
	ht_buf_fini(&l.all);
}

unsigned
rule_refused(struct core *core, const struct ht_hash *key,
    const char **ret_member, const char **ret_node)
{
	const struct holder *holder =
	    ht_map_get(core->holders, HT_SLICE(key->at, sizeof(key->at)));

	*ret_member = holder == NULL ? "" : holder->member;
	*ret_node = holder == NULL ? "" : holder->node;
	return holder == NULL ? HT_ST_UNKNOWN_MEMBER : holder->status;
}

/* ---- floods ---- */

void
rule_strike(struct core *core, struct ht_slice user, uint64_t bytes)
{
	struct ht_strike *strike = ht_map_get(core->strikes, user);
	char name[HT_USERID_MAX + 1], detail[HT_USERID_MAX + 64];
	bool out;

	snprintf(
	    name, sizeof(name), "%.*s", (int)user.len, (const char *)user.at);
	if (strike == NULL) {
		strike = calloc(1, sizeof(*strike));
		if (strike == NULL ||
		    ht_map_put(core->strikes, user, strike, NULL) != HT_OK) {
			free(strike);
			return;
		}
	}
	out = ht_strike_add(strike, ht_clock_mono_ms());
	ht_log(HT_WARN,
	    "broker: %s brought %llu bytes that were nothing whole, or did not "
	    "take them: flood %u",
	    name, (unsigned long long)bytes, strike->floods);
	if (!out)
		return;
	snprintf(detail, sizeof(detail), "%s: %u floods in ten minutes", name,
	    strike->floods);
	if (ht_committer_admin(core->committer, "shut-out", "broker", detail) !=
	    HT_OK)
		core->busy++;
	ht_log(HT_WARN,
	    "broker: %s is shut out until: hutong-broker ctl forgive", name);
	rule_keys(core, false);
}

unsigned
rule_forgive(struct core *core)
{
	struct ht_slice user;
	size_t at = 0;
	void *value;
	unsigned n = 0;

	while (ht_map_next(core->strikes, &at, &user, &value)) {
		struct ht_strike *strike = value;

		n += strike->out;
		*strike = (struct ht_strike){0};
	}
	if (n > 0)
		rule_keys(core, false);
	return n;
}

void
rule_fini(struct core *core)
{
	ht_map_free(&core->admitted, NULL);
	ht_map_free(&core->holders, free);
	ht_map_free(&core->strikes, free);
}
