/*
 * core_in.h -- the core's insides: core.c (start, loop, end), link.c (the
 * front's process and stream), talk.c (messages of nodes), rule.c (trust:
 * keys, reload), due.c (what runs out), order.c (orders of the officers),
 * erase.c and disclose.c (carrying them out), backup.c (copies), closing.c (the
 * files of closed volumes), ctl.c (the operator's socket).
 *
 * All of it runs on one thread, but for what commit.h and verify.h start.
 */
#ifndef HT_BROKER_CORE_IN_H
#define HT_BROKER_CORE_IN_H

#include <sys/types.h>

#include "broker/admin.h"
#include "broker/audit/server.h"
#include "broker/commit.h"
#include "broker/core.h"
#include "broker/log/copy.h"
#include "broker/log/disclose.h"
#include "broker/log/erase.h"
#include "broker/log/rollback.h"
#include "broker/pipe.h"
#include "broker/round.h"
#include "broker/strike.h"
#include "broker/verify.h"
#include "lib/base/map.h"
#include "schemas/json.h"
#include "schemas/message.h"

/* The front's process, and what goes to it. */
struct link {
	pid_t pid; /* 0: none runs */
	int fd;
	struct ht_pipe_in in;
	bool ready;                  /* it listens */
	bool was_ready;              /* one did, since the broker started */
	bool killed;                 /* by us, and why is said already */
	char address[300];           /* bound; a restart takes it again */
	struct ht_out *first, *last; /* to be written */
	size_t waiting;              /* bytes of these */
	struct ht_buf own;           /* messages of ours, not yet among them */
	uint64_t said;               /* bytes of these, ever */
	uint64_t started_ms, restart_ms, backoff_ms;
	uint64_t starts, floods;
	uint64_t memory, frames, bytes; /* as it last said */
	unsigned heavy; /* looks in a row that found it too large */
};

/* Whose a transport key is that is not admitted (or no longer). */
struct holder {
	unsigned status;
	char member[HT_NAME_MAX + 1];
	char node[HT_NODE_MAX + 1];
};

/* What one user was answered, as of then, and what it is reading. */
struct told {
	struct account {
		uint64_t bytes; /* answered, and not forgotten yet */
		uint64_t at_ms;
		uint64_t per_ms; /* so many are */
	} whole, other;          /* all of a snapshot; what is left */
	struct ht_trust
	    *reading;     /* pages of it are still to come; NULL: none */
	uint64_t place;   /* in the log */
	uint64_t read_ms; /* the last page */
};

enum erase_state { ERASE_NONE, ERASE_RUNS, ERASE_DONE, ERASE_FAILED };

/* What was last ordered to be destroyed, and the thread that does it. */
struct eraser {
	pthread_t thread;
	bool started;     /* to be joined */
	atomic_bool busy; /* it runs */
	atomic_bool stop;
	/* Of what the disk holds nobody can be sure: the broker must end. */
	atomic_bool broken;
	struct ht_doc *order;
	char by[HT_ERASE_BY_MAX + 1]; /* who signed it */

	pthread_mutex_t lock; /* over how it went */
	enum erase_state state;
	uint64_t entry; /* ERASE, when done */
	uint64_t count;
	char why[600]; /* failed: reasons */
};

enum backup_state { BACKUP_NONE, BACKUP_RUNS, BACKUP_DONE, BACKUP_FAILED };

#define HT_BACKUP_PATH_MAX 500 /* it stands in an entry */

/* The last backup, and the thread that makes it. */
struct backup {
	pthread_t thread;
	bool started;     /* to be joined */
	atomic_bool busy; /* it runs */
	atomic_bool stop;
	char dir[HT_BACKUP_PATH_MAX + 1];
	struct ht_copy copy;

	pthread_mutex_t lock; /* over how it went */
	enum backup_state state;
	char why[600];
	uint64_t good_size, good_s; /* of the last that ended well; 0 none */
	bool good_same_disk;        /* it lies where the log lies */
};

/* The thread that writes the files of closed volumes. */
struct closer {
	pthread_t thread;
	bool started;
	atomic_bool stop;
	atomic_bool failing; /* the last attempt did not end well */
};

#define HT_RELOAD_WAITERS 16 /* operators at one time */

/*
 * The next trust is loaded beside the loop, which goes on serving; and the one
 * before is taken apart beside it, once nobody decides by it any more.
 */
struct reloader {
	pthread_t thread;
	bool started; /* to be joined */
	atomic_bool ended;
	int event_fd; /* readable once the thread has ended */
	const struct ht_broker_conf *conf;
	struct ht_root root; /* in force; then what was loaded */
	struct ht_trust *before, *trust;
	struct ht_report *report;
	enum ht_err err;
	uint64_t began_ms;
	bool again; /* asked for while it ran */
	/* Connections of the control sockets that wait for this, and for the
	 * next one; -1: SIGHUP. */
	unsigned n_now, n_next;
	int now[HT_RELOAD_WAITERS], next[HT_RELOAD_WAITERS];
	struct ht_trust *old; /* to be taken apart */
};

/* Up to when looks by an item that hides them were disclosed. */
struct discloser {
	uint64_t next_ms;
	bool loaded;
	size_t n, cap;
	struct disclosed {
		char item[HT_DISCLOSE_ITEM_MAX + 1];
		uint64_t to_us;
	} * at;
};

struct core {
	const struct ht_broker_conf *conf;
	const struct ht_rollback *act;
	struct ht_rolled_back rolled; /* the last time, if ever */
	bool resumed;                 /* the operator did not wait for that */
	bool held;                    /* until a quorum has cosigned past it */
	struct ht_root root;
	struct ht_trust_box box;
	struct ht_log *log;
	struct ht_index *index;
	struct ht_audit_server *audit;
	pthread_t indexer;
	bool indexing;
	atomic_bool index_stop;
	struct ht_committer *committer;
	struct ht_verifier *verifier;
	struct ht_queue *outs, *spares;
	atomic_uint generation;
	atomic_ullong credit;
	struct link link;
	struct ht_map *conns;     /* handle -> struct ht_conn, counted */
	struct ht_map *newest;    /* user -> struct ht_conn, borrowed */
	struct ht_map *admitted;  /* user -> "" */
	struct ht_map *strikes;   /* user -> struct ht_strike */
	struct ht_map *told;      /* user -> struct told; as many as keys */
	struct ht_map *holders;   /* SHA-256 of a key -> struct holder */
	struct ht_hash keys_hash; /* of the list as last sent */
	uint64_t keys_ms, freshen_ms, sweep_ms, watch_ms;
	uint64_t due_ms, stale_ms;
	unsigned n_due; /* keys, grants, epochs that end, as last looked */
	int64_t current_mtime_ns;
	struct eraser eraser;
	struct backup backup;
	struct closer closer;
	struct reloader reloader;
	struct discloser discloser;      /* the indexer's */
	struct ht_round round;           /* the witnesses */
	uint64_t witness_ms;             /* the next look at them */
	uint64_t quorum_size, quorum_ms; /* of their last quorum; mono */
	int signal_fd, control_fd[HT_ROLES];
	struct ht_admin_refusals refusals;
	bool done;
	int exit_code;
	char reason[64];
	uint64_t busy, hellos, parts;
	struct ht_message m; /* large; one is enough */
};

/* Make the loop end; the first reason stays. */
void core_stop(struct core *core, int exit_code, const char *reason);

/* ---- link.c ---- */

enum ht_err link_start(struct core *core);
/* Read what the front says, and act on it. */
void link_read(struct core *core);
/* Write what waits; what does not fit waits on. */
void link_flush(struct core *core);
/* A committed group's frames. */
void link_take(struct core *core, struct ht_out **out_p);
/* Timers: restart, memory, credit. */
void link_tick(struct core *core, uint64_t now_ms);
/* A child has ended. */
void link_reap(struct core *core);
/* End this front; another is started. */
void link_restart(struct core *core, const char *why);
void link_close(struct core *core);
/* The message in core->m, to a connection. */
void link_send(struct core *core, struct ht_slice handle);
/* So much waits for the front that no question should be answered. */
bool link_full(const struct core *core);
void link_send_keys(struct core *core, struct ht_slice body);

/* ---- talk.c ---- */

void talk_frame(struct core *core, const struct ht_pipe_msg *msg);
void talk_parts(struct core *core, const struct ht_pipe_msg *msg);
/* That connection is no more. */
void talk_lost(struct core *core, struct ht_slice handle);
void talk_lost_all(struct core *core);
/* Connections that have been silent too long. */
void talk_sweep(struct core *core, uint64_t now_ms);
void talk_notice(struct core *core);
void talk_error(struct core *core, struct ht_slice handle, uint64_t ref,
    unsigned status, uint32_t retry_ms, const char *detail);
/* What an answer can prove from: the newest note, and its size. */
enum ht_err talk_note(
    struct core *core, struct ht_buf *note, uint64_t *ret_size) HT_MUST_USE;

/* Does this log continue a checkpoint that @user shows? */
enum talk_seen {
	TALK_CONTINUED,
	TALK_GIVEN_UP, /* with the operator's act: ROLLBACK_SEEN */
	TALK_BEHIND,   /* no: the broker stops */
	TALK_NONE,     /* it is none of this log's key */
};
enum talk_seen talk_continues(
    struct core *core, const char *user, struct ht_slice seen_note);

/* ---- fetch.c ---- */

/* NULL: out of memory. */
struct told *fetch_told(struct core *core, struct ht_slice user);
/* What the answer to the message at hand is charged to. */
struct account *fetch_account(struct core *core, struct told *told);
/* False: too much was asked for, and that was said. */
bool fetch_may(
    struct core *core, const struct ht_pipe_msg *msg, struct account *at);
/* GET_SNAPSHOT. */
void fetch_snapshot(
    struct core *core, const struct ht_conn *conn, struct told *told);
void fetch_sweep(struct core *core, uint64_t now_ms);
void fetch_told_free(void *told);

/* ---- cosign.c ---- */

/* What was cosigned in earlier runs; the witnesses of the root. */
enum ht_err cosign_open(struct core *core) HT_MUST_USE;
void cosign_close(struct core *core);
/* Another root is in force. */
void cosign_root(struct core *core);
/* Admit nothing new while a log that was put back is not vouched for. */
void cosign_hold(struct core *core);
/* The same at the start: what the operator said before is in the log. */
enum ht_err cosign_recall(struct core *core) HT_MUST_USE;
void cosign_tick(struct core *core, uint64_t now_ms);
/* core->m is a COSIGN of this connection. */
void cosign_answer(struct core *core, const struct ht_conn *conn);
void cosign_lost(struct core *core, const char *user);

/* ---- rule.c ---- */

/*
 * Trust from disk, and its root, which may be later than the configured one
 * (@old_root NULL), or than the one in force; findings to @report.
 */
enum ht_err rule_load(const struct ht_broker_conf *conf,
    const struct ht_root *old_root, const struct ht_trust *before,
    struct ht_report *report, struct ht_root *ret_root, struct ht_trust **ret)
    HT_MUST_USE;
/*
 * @trust, loaded from @where, is the snapshot that @log's last entries are
 * under, or a later one.  Else HT_EROLLBACK, and @report says what to do.
 */
enum ht_err rule_continues(const struct ht_trust *trust, struct ht_log *log,
    const char *where, struct ht_report *report) HT_MUST_USE;
/*
 * Put @trust in force, of @root, in place of @before.  *ret_changed false: it
 * is the same.
 */
enum ht_err rule_take(struct core *core, const struct ht_root *root,
    struct ht_trust *before, struct ht_trust *trust, bool *ret_changed)
    HT_MUST_USE;
/* The current note as it lies there now is about to be read. */
void rule_seen(struct core *core);
/* Only a fresher current note for the snapshot in force. */
void rule_freshen(struct core *core);
/* Make the list of admitted keys; tell the front if it is another. */
void rule_keys(struct core *core, bool always);
/* Who holds a refused key: its status, and the names if they are known. */
unsigned rule_refused(struct core *core, const struct ht_hash *key,
    const char **ret_member, const char **ret_node);
/* Its front was flooded by this user. */
void rule_strike(struct core *core, struct ht_slice user, uint64_t bytes);
/* Those who flooded are admitted again; how many. */
unsigned rule_forgive(struct core *core);
void rule_fini(struct core *core);

/* ---- reload.c ---- */

enum ht_err reload_open(struct core *core) HT_MUST_USE;
/*
 * Take what the authority's folder has now, or keep the old; then @fd (-1:
 * none) is answered, and closed.  False: too many wait already.
 */
bool reload_begin(struct core *core, int fd);
bool reload_busy(const struct core *core);
/* The loop's share: what has ended, what can be taken apart. */
void reload_tick(struct core *core);
void reload_close(struct core *core);

/* ---- due.c ---- */

void due_tick(struct core *core, uint64_t now_ms);

/* ---- order.c ---- */

/*
 * Is it an order of that kind, signed by enough officers of the root in force,
 * about this log and this time?  Reasons go to @report; @by: who signed.
 */
enum ht_err order_check(struct core *core, struct ht_slice note,
    enum ht_doc_kind kind, struct ht_report *report, struct ht_doc **ret,
    char by[static HT_ERASE_BY_MAX + 1]) HT_MUST_USE;

/* ---- disclose.c ---- */

/* Take an order, and log it: that is all there is to do. */
enum ht_err disclose_take(struct core *core, struct ht_slice note,
    struct ht_report *report, uint64_t *ret_entry, size_t *ret_count)
    HT_MUST_USE;
/*
 * Looks whose time to be hidden is over: an entry an item says how many.
 * Thread: the indexer's.
 */
enum ht_err disclose_due(struct core *core) HT_MUST_USE;
void disclose_fini(struct discloser *d);

/* ---- proving.c ---- */

/*
 * The row of an entry in which the member has a part, appended to @out; nothing
 * for another.  HT_ENOTFOUND, HT_EGONE; HT_EINTEGRITY.
 */
enum ht_err proving_row(struct core *core, const char *member, uint64_t place,
    struct ht_buf *out) HT_MUST_USE;

/* ---- erase.c ---- */

/*
 * Take an order, to erase or to remove: its form, its signatures, its time;
 * then a thread carries it out.  Reasons go to @report.  HT_EAGAIN while
 * another one runs.
 */
enum ht_err erase_take(struct core *core, struct ht_slice note,
    enum ht_doc_kind kind, struct ht_report *report) HT_MUST_USE;
/* How the last one went; counted text in @out. */
json_t *erase_json(struct core *core);
/* How it went, for whoever asks; or that it broke off in the middle. */
void erase_ended(struct eraser *e, enum erase_state state, uint64_t entry,
    uint64_t count, const char *why);
void erase_broke(
    struct eraser *e, enum ht_err err, uint64_t entry, uint64_t count);
void erase_open(struct core *core);
/* Let the one at hand end, at the next place where it may. */
void erase_close(struct core *core);

/* ---- removal.c ---- */

/*
 * The volume that the eraser's order names goes, if it may; in the eraser's
 * thread.  Why not goes to @report.
 */
enum ht_err removal(struct core *core, struct ht_report *report) HT_MUST_USE;

/* ---- backup.c ---- */

/* False: not now, or not there; *ret_why says so. */
bool backup_may(
    const struct core *core, struct ht_slice dir, const char **ret_why);
/* Begin; backup_may() said yes.  HT_ESYSTEM. */
enum ht_err backup_take(struct core *core, struct ht_slice dir) HT_MUST_USE;
/* How the last one went, or goes; and how old the last good one is. */
json_t *backup_json(struct core *core);
json_t *backup_age_json(struct core *core);
void backup_open(struct core *core);
/* Let the one at hand end at its next batch; the next one goes on. */
void backup_close(struct core *core);

/* ---- closing.c ---- */

enum ht_err closing_open(struct core *core) HT_MUST_USE;
/* Before the committer: it is asked by that thread. */
void closing_close(struct core *core);
json_t *volumes_json(struct core *core);

/* ---- ctl.c ---- */

/* The sockets of the administrators (docs/roles.md), as far as configured. */
enum ht_err ctl_open(struct core *core) HT_MUST_USE;
void ctl_serve(struct core *core, enum ht_role socket);
void ctl_close(struct core *core);
/* How a reload went; closes @fd. */
void ctl_reloaded(struct core *core, int fd, enum ht_err err,
    const struct ht_report *report, bool changed);
/* An entry that says so, while refusals have room in the log. */
void ctl_refused(struct core *core, const char *by, const char *what);

#endif
