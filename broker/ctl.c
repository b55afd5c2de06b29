/*
 * ctl.c -- the administrators' sockets: one line in, some lines out, and every
 * act is an entry of the log (hutong-broker(8), "CONTROL"; docs/roles.md).
 *
 * The sockets are 0600: who may open one may ask, and may command what
 * admin.h allows.  An answer is "ok" or "error REASON", then JSON, one object
 * a line.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/core_in.h"
#include "broker/replay.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/version.h"
#include "schemas/json.h"

/* And the bytes of the order that follow; those of the folder's name. */
#define ERASE_WORD    "erase "
#define DISCLOSE_WORD "disclose "
#define REMOVE_WORD   "remove "
#define BACKUP_WORD   "backup "
/* "as NAME SIGNATURE COMMAND": a key's name and 64 bytes in base64. */
#define LINE_MAX_BYTES (HT_ADMIN_LINE_MAX + HT_VKEY_NAME_MAX + 128)
#define WAIT_MS        200 /* for a line, and for its answer to be taken */
#define ANSWER_MAX     ((size_t)16 << 20)

struct visit {
	struct core *core;
	int fd;
	enum ht_role socket;
	enum ht_role key; /* whose signature verified; HT_ROLES: nobody's */
	char by[HT_VKEY_NAME_MAX + 40];
	char challenge[2 * HT_HASH_SIZE + 1]; /* "": none was given */
	struct ht_buf out;
};

static void
print_json(struct visit *v, json_t *json)
{
	if (json == NULL || ht_json_print(json, &v->out) != HT_OK)
		v->out.err = HT_ENOMEM;
	ht_buf_str(&v->out, "\n");
	json_decref(json);
}

/* The act's entry comes first: what cannot be logged is not done. */
static bool
logged(struct visit *v, const char *act, const char *detail)
{
	if (ht_committer_admin(v->core->committer, act, v->by, detail) ==
	    HT_OK) {
		ht_log(HT_INFO, "broker: %s by %s", act, v->by);
		return true;
	}
	ht_buf_str(&v->out, "error the act cannot be logged\n");
	return false;
}

/* ---- what can be asked ---- */

static json_t *
lane_json(const struct ht_lane_stats *s)
{
	return json_pack("{sI sI sI sI sI sI sI sI sI sI sI sI}", "accepted",
	    (json_int_t)s->accepted, "answered", (json_int_t)s->answered,
	    "rejected", (json_int_t)s->rejected, "refused-bundles",
	    (json_int_t)s->refused_bundles, "expired", (json_int_t)s->expired,
	    "late", (json_int_t)s->late, "conflicts", (json_int_t)s->conflicts,
	    "duplicates", (json_int_t)s->duplicates, "open",
	    (json_int_t)s->open, "remembered", (json_int_t)s->ids, "delivered",
	    (json_int_t)s->delivered, "got", (json_int_t)s->got);
}

static json_t *
front_json(const struct link *link)
{
	return json_pack("{si sb ss sI sI sI sI sI sI}", "pid", (int)link->pid,
	    "ready", (int)link->ready, "address", link->address, "starts",
	    (json_int_t)link->starts, "floods", (json_int_t)link->floods,
	    "memory", (json_int_t)link->memory, "frames",
	    (json_int_t)link->frames, "bytes", (json_int_t)link->bytes,
	    "waiting", (json_int_t)link->waiting);
}

/* Has an operator gone on with an older log, and is that vouched for? */
static json_t *
rollback_json(const struct core *core)
{
	if (core->rolled.anchor == 0)
		return json_string("never");
	return json_pack("{sI sI sb}", "entry", (json_int_t)core->rolled.place,
	    "given-up", (json_int_t)core->rolled.anchor, "vouched-for",
	    core->round.met_size > core->rolled.place);
}

static json_int_t
age_s(uint64_t then_s)
{
	uint64_t now_s = ht_clock_wall_ms() / 1000;

	return now_s > then_s ? (json_int_t)(now_s - then_s) : 0;
}

/* Has a quorum of witnesses vouched for the log, how far, since when? */
static json_t *
witnesses_json(const struct ht_round *round, uint64_t size)
{
	if (round->needed == 0)
		return json_string("none in the root");
	if (round->met_size == 0)
		return json_pack("{si si sb}", "listed", (int)round->n,
		    "needed", (int)round->needed, "quorum-met", 0);
	return json_pack("{si si sb sI sI sI}", "listed", (int)round->n,
	    "needed", (int)round->needed, "quorum-met", 1, "entries",
	    (json_int_t)round->met_size, "behind",
	    (json_int_t)(size - round->met_size), "age-s", age_s(round->met_s));
}

/* A row for each that the root lists. */
static void
witnesses(struct visit *v)
{
	const struct ht_round *round = &v->core->round;

	ht_buf_str(&v->out, "ok\n");
	for (unsigned i = 0; i < round->n; i++) {
		const struct ht_round_witness *w = &round->at[i];

		print_json(
		    v, json_pack("{ss sb sI sI si}", "witness", w->key.name,
		           "connected", w->user[0] != '\0', "cosigned",
		           (json_int_t)w->cosigned, "age-s",
		           w->time_s != 0 ? age_s(w->time_s) : (json_int_t)-1,
		           "refused", (int)w->refused));
	}
}

static void
status(struct visit *v)
{
	struct core *core = v->core;
	struct ht_trust *trust = ht_box_get(&core->box, NULL);
	struct ht_committer_stats s;
	char until[HT_TIME_SIZE];

	ht_committer_stats(core->committer, &s);
	ht_time_text(until, ht_trust_until_ms(trust) * 1000);
	ht_buf_str(&v->out, "ok\n");
	print_json(v,
	    json_pack(
	        "{ss si ss ss ss sI ss sI sI sI sI sI sI sI sI so so so so "
	        "so}",
	        "version", HT_VERSION, "pid", (int)getpid(), "admits",
	        s.admission.status == HT_ST_OK
	            ? "yes"
	            : ht_status_name(s.admission.status),
	        "because", s.admission.why, "log", core->root.log.name,
	        "entries", (json_int_t)s.size, "current-until", until,
	        "snapshot", (json_int_t)ht_trust_version(trust), "runs-out",
	        (json_int_t)core->n_due, "commits", (json_int_t)s.groups,
	        "nodes", (json_int_t)ht_map_count(core->conns), "to-verify",
	        (json_int_t)ht_verifier_depth(core->verifier), "disk-free-mib",
	        (json_int_t)(s.room >> 20), "disk-reserve-mib",
	        (json_int_t)(core->conf->disk_reserve >> 20), "busy",
	        (json_int_t)core->busy, "records", lane_json(&s.lane), "front",
	        front_json(&core->link), "witnesses",
	        witnesses_json(&core->round, s.size), "rollback",
	        rollback_json(core), "backup", backup_age_json(core)));
	ht_trust_unref(&trust);
}

static void
nodes(struct visit *v)
{
	uint64_t now = ht_clock_mono_ms();
	struct ht_slice handle;
	size_t at = 0;
	void *value;

	ht_buf_str(&v->out, "ok\n");
	while (ht_map_next(v->core->conns, &at, &handle, &value)) {
		const struct ht_conn *conn = value;
		char name[HT_NAME_MAX + HT_NODE_MAX + 2];

		snprintf(name, sizeof(name), "%s/%s", conn->member, conn->node);
		print_json(
		    v, json_pack("{ss sb sb sI sI}", "node", name, "serves",
		           (int)conn->serves, "proofs", (int)conn->proofs,
		           "silent-ms", (json_int_t)(now - conn->heard_ms),
		           "in-flight",
		           (json_int_t)atomic_load(&conn->in_flight)));
	}
}

static void
erasure(struct visit *v)
{
	ht_buf_str(&v->out, "ok\n");
	print_json(v, erase_json(v->core));
}

static void
backup(struct visit *v)
{
	ht_buf_str(&v->out, "ok\n");
	print_json(v, backup_json(v->core));
}

static void
volumes(struct visit *v)
{
	ht_buf_str(&v->out, "ok\n");
	print_json(v, volumes_json(v->core));
}

/* ---- what can be done ---- */

static void
print_findings(struct visit *v, const struct ht_report *report)
{
	for (unsigned i = 0; i < ht_report_count(report) && i < HT_FINDINGS_MAX;
	     i++)
		print_json(
		    v, json_pack("{ss ss}", "where", ht_report_where(report, i),
		           "why", ht_report_text(report, i)));
}

/* The answer comes when it is known: others are served meanwhile. */
static void
reload(struct visit *v)
{
	if (!logged(v, "reload", v->core->conf->authority))
		return;
	if (reload_begin(v->core, v->fd))
		v->fd = -1;
	else
		ht_buf_str(&v->out, "error too many wait for a reload "
		                    "already; ask again\n");
}

static void
tell_reloaded(struct visit *v, enum ht_err err, const struct ht_report *report,
    bool changed)
{
	struct ht_trust *trust;

	if (err != HT_OK) {
		ht_buf_fmt(&v->out,
		    "error %s; what was in force stays so, and nothing "
		    "changed\n",
		    ht_err_text(err));
		print_findings(v, report);
		return;
	}
	trust = ht_box_get(&v->core->box, NULL);
	ht_buf_str(&v->out, "ok\n");
	print_json(v,
	    json_pack("{sI sb}", "snapshot",
	        (json_int_t)ht_trust_version(trust), "changed", (int)changed));
	ht_trust_unref(&trust);
}

static void
stop(struct visit *v)
{
	if (!logged(v, "stop", ""))
		return;
	core_stop(v->core, HT_BROKER_DONE, "ctl stop");
	ht_buf_str(&v->out, "ok\n");
}

/* The file is written after it, beside what goes on; `volumes` says when. */
static void
close_volume(struct visit *v)
{
	uint64_t entry;
	enum ht_err err;

	if (!logged(v, "close-volume", ""))
		return;
	err = ht_committer_volume(v->core->committer, &entry);
	if (err == HT_OK) {
		ht_buf_str(&v->out, "ok\n");
		print_json(v, json_pack("{sI}", "entry", (json_int_t)entry));
		return;
	}
	ht_buf_fmt(&v->out, "error %s; nothing was closed\n",
	    err == HT_ETOOBIG ? "there are as many volumes as a log may have"
	                      : ht_err_text(err));
}

static void
resume(struct visit *v)
{
	if (!logged(v, "resume",
	        v->core->held ? HT_REPLAY_RESUMED
	                      : "the operator has looked at the clock"))
		return;
	v->core->resumed = v->core->resumed || v->core->held;
	ht_committer_resume(v->core->committer);
	ht_buf_str(&v->out, "ok\n");
}

static void
forgive(struct visit *v)
{
	if (!logged(v, "forgive", ""))
		return;
	ht_buf_str(&v->out, "ok\n");
	print_json(v, json_pack("{sI}", "admitted-again",
	                  (json_int_t)rule_forgive(v->core)));
}

static void
front_restart(struct visit *v)
{
	if (!logged(v, "front-restart", ""))
		return;
	link_restart(v->core, "the operator said so");
	ht_buf_str(&v->out, "ok\n");
}

static void
take_order_of(struct visit *v, struct ht_slice note, enum ht_doc_kind kind)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	enum ht_err err;

	/* The attempt is logged, whatever the order is worth. */
	if (!logged(v, ht_doc_kind_text(kind), "an order was handed in"))
		return;
	err = erase_take(v->core, note, kind, report);
	if (err == HT_OK) {
		erasure(v);
		return;
	}
	ht_buf_fmt(&v->out, "error %s; nothing was %sd\n",
	    err == HT_EAGAIN
	        ? "another erasure or removal, or a backup, is going on"
	        : ht_err_text(err),
	    ht_doc_kind_text(kind));
	print_findings(v, report);
}

static void
take_order(struct visit *v, struct ht_slice note)
{
	take_order_of(v, note, HT_DOC_ERASE);
}

static void
take_removal(struct visit *v, struct ht_slice note)
{
	take_order_of(v, note, HT_DOC_REMOVE);
}

static void
make_backup(struct visit *v, struct ht_slice dir)
{
	char detail[HT_BACKUP_PATH_MAX + 1];
	const char *why;

	if (!backup_may(v->core, dir, &why)) {
		ht_buf_fmt(&v->out, "error %s\n", why);
		return;
	}
	snprintf(
	    detail, sizeof(detail), "%.*s", (int)dir.len, (const char *)dir.at);
	/* Before it begins, so that it is in the backup, too. */
	if (!logged(v, "backup", detail))
		return;
	if (backup_take(v->core, dir) == HT_OK)
		backup(v);
	else
		ht_buf_str(&v->out, "error no thread can be started\n");
}

static void
disclose(struct visit *v, struct ht_slice note)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	uint64_t entry;
	size_t count;
	enum ht_err err;

	if (!logged(v, "disclose", "an order was handed in"))
		return;
	err = disclose_take(v->core, note, report, &entry, &count);
	if (err == HT_OK) {
		ht_buf_str(&v->out, "ok\n");
		print_json(v, json_pack("{sI sI}", "entry", (json_int_t)entry,
		                  "count", (json_int_t)count));
		return;
	}
	ht_buf_fmt(
	    &v->out, "error %s; nothing was disclosed\n", ht_err_text(err));
	print_findings(v, report);
}

static const struct {
	const char *word;
	void (*run)(struct visit *v);
} commands[] = {
    {"status",        status       },
    {"nodes",         nodes        },
    {"erasure",       erasure      },
    {"backup",        backup       },
    {"witnesses",     witnesses    },
    {"volumes",       volumes      },
    {"close-volume",  close_volume },
    {"reload",        reload       },
    {"stop",          stop         },
    {"resume",        resume       },
    {"forgive",       forgive      },
    {"front-restart", front_restart},
};

/* ---- the socket ---- */

static bool
wait_for(int fd, short events)
{
	struct pollfd at = {fd, events, 0};

	return poll(&at, 1, WAIT_MS) == 1;
}

static bool
read_line(int fd, char line[static LINE_MAX_BYTES])
{
	size_t len = 0;

	/* Byte by byte: what follows the line is not taken. */
	while (len < LINE_MAX_BYTES - 1 && wait_for(fd, POLLIN)) {
		if (recv(fd, &line[len], 1, 0) != 1)
			return false;
		if (line[len] == '\n') {
			line[len] = '\0';
			return true;
		}
		len++;
	}
	return false;
}

/* As many bytes as the line said; nobody waits for a slow operator. */
static bool
read_bytes(int fd, const char *count, struct ht_buf *ret)
{
	char *end;
	unsigned long len = strtoul(count, &end, 10);

	if (*count < '0' || *count > '9' || *end != '\0' || len > HT_DOC_MAX)
		return false;
	while (ret->len < len) {
		size_t want = len - ret->len;
		uint8_t *room = ht_buf_room(ret, want);
		ssize_t n;

		if (room == NULL || !wait_for(fd, POLLIN))
			return false;
		n = recv(fd, room, want, 0);
		if (n <= 0)
			return false;
		ret->len -= want - (size_t)n;
	}
	return true;
}

static void
answer(struct visit *v)
{
	size_t at = 0;

	if (v->out.err != HT_OK)
		return;
	while (at < v->out.len && wait_for(v->fd, POLLOUT)) {
		ssize_t n =
		    send(v->fd, &v->out.at[at], v->out.len - at, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		at += (size_t)n;
	}
}

static void
log_findings(const struct ht_report *report)
{
	for (unsigned i = 0; i < ht_report_count(report) && i < HT_FINDINGS_MAX;
	     i++)
		ht_log(HT_ERROR, "broker: %s: %s", ht_report_where(report, i),
		    ht_report_text(report, i));
	ht_log(HT_ERROR, "broker: not reloaded; what was in force stays so");
}

void
ctl_reloaded(struct core *core, int fd, enum ht_err err,
    const struct ht_report *report, bool changed)
{
	struct visit v = {.core = core, .fd = fd, .out = HT_BUF(ANSWER_MAX)};

	if (fd == -1) {
		if (err != HT_OK)
			log_findings(report);
		return;
	}
	tell_reloaded(&v, err, report, changed);
	answer(&v);
	ht_buf_fini(&v.out);
	ht_fd_close(&v.fd);
}

/* ---- who may ---- */

void
ctl_refused(struct core *core, const char *by, const char *what)
{
	char detail[400], before[64] = "";
	uint64_t left;

	ht_log(HT_WARN, "broker: refused to %s: %s", by, what);
	if (!ht_admin_refusal(&core->refusals, ht_clock_mono_ms(), &left))
		return;
	if (left > 0)
		(void)snprintf(before, sizeof(before),
		    "; %llu before it have no entry", (unsigned long long)left);
	(void)snprintf(detail, sizeof(detail), "%.320s%s", what, before);
	if (ht_committer_admin(core->committer, "refused", by, detail) != HT_OK)
		core->busy++;
}

/* To who asked, and to the log; of the line only a word that we know. */
static void
refuse(struct visit *v, const char *line, const char *why)
{
	bool known = ht_admin_is_act(line);
	char what[320];

	ht_buf_fmt(&v->out, "error %s\n", why);
	(void)snprintf(what, sizeof(what), "%s socket: %.*s: %s",
	    ht_role_text(v->socket), known ? (int)strcspn(line, " ") : 16,
	    known ? line : "no known command", why);
	ctl_refused(v->core, v->by, what);
}

static bool
allowed(struct visit *v, const char *line)
{
	enum ht_role owner = HT_ROLES;
	char why[200];

	switch (ht_admin_decide(
	    v->core->root.parted, v->socket, v->key, line, &owner)) {
	case HT_ADMIN_YES:
		return true;
	case HT_ADMIN_UNKNOWN:
		ht_buf_str(&v->out,
		    "error no such command; hutong-broker --help "
		    "lists them\n");
		return false;
	case HT_ADMIN_NEEDS_KEY:
		(void)snprintf(why, sizeof(why),
		    "it is the %s administrator's: sign it with --key",
		    ht_role_text(owner));
		break;
	case HT_ADMIN_NOT_ROLE:
		(void)snprintf(why, sizeof(why),
		    "it is the %s administrator's, and no other's",
		    ht_role_text(owner));
		break;
	case HT_ADMIN_NOT_SOCKET:
		(void)snprintf(why, sizeof(why), "%s",
		    v->core->root.parted
		        ? "this key is of another role than this socket"
		        : "the root names no administrators: the control "
		          "socket is the operator's");
		break;
	}
	refuse(v, line, why);
	return false;
}

static bool
check_signed(
    struct visit *v, const struct ht_admin_line *line, struct ht_slice body)
{
	char user[32];

	if (v->challenge[0] == '\0' ||
	    ht_admin_signed(&v->core->root, line->name, &line->sig,
	        v->challenge, line->command, body, &v->key) != HT_OK) {
		v->key = HT_ROLES;
		refuse(
		    v, line->command, "not the signature of an administrator");
		return false;
	}
	(void)snprintf(user, sizeof(user), "%.31s", v->by);
	(void)snprintf(v->by, sizeof(v->by), "%s (%s)", line->name, user);
	return true;
}

/* What takes bytes behind its line. */
static const struct {
	const char *word;
	void (*take)(struct visit *v, struct ht_slice bytes);
	const char *missing;
} longer[] = {
    {ERASE_WORD,    take_order,   "the order did not come"},
    {DISCLOSE_WORD, disclose,     "the order did not come"},
    {REMOVE_WORD,   take_removal, "the order did not come"},
    {BACKUP_WORD,   make_backup,  "no folder was named"   },
};

/* Of that table; its size if it is none of them. */
static size_t
find_longer(const char *line)
{
	size_t i = 0;

	while (i < HT_COUNT(longer) &&
	       strncmp(line, longer[i].word, strlen(longer[i].word)) != 0)
		i++;
	return i;
}

static void
run_command(struct visit *v, const char *line, struct ht_slice body)
{
	size_t l = find_longer(line);

	if (l < HT_COUNT(longer)) {
		longer[l].take(v, body);
		return;
	}
	for (size_t i = 0; i < HT_COUNT(commands); i++)
		if (strcmp(line, commands[i].word) == 0)
			commands[i].run(v);
}

static void
obey(struct visit *v, const char *text)
{
	HT_AUTO(ht_buf_fini) struct ht_buf body = HT_BUF(HT_DOC_MAX);
	struct ht_admin_line line;
	size_t l;

	if (ht_admin_parse(text, &line) != HT_OK) {
		ht_buf_str(&v->out,
		    "error no such command; hutong-broker --help "
		    "lists them\n");
		return;
	}
	l = find_longer(line.command);
	if (l < HT_COUNT(longer) &&
	    !read_bytes(v->fd, line.command + strlen(longer[l].word), &body)) {
		ht_buf_fmt(&v->out, "error %s\n", longer[l].missing);
		return;
	}
	if (line.is_signed && !check_signed(v, &line, ht_buf_slice(&body)))
		return;
	if (allowed(v, line.command))
		run_command(v, line.command, ht_buf_slice(&body));
}

/* Something that nobody has signed yet. */
static void
challenge(struct visit *v)
{
	uint8_t bytes[HT_HASH_SIZE];

	ht_random(bytes, sizeof(bytes));
	ht_hex(v->challenge, bytes, sizeof(bytes));
	ht_buf_fmt(&v->out, "challenge %s\n", v->challenge);
	answer(v);
	ht_buf_reset(&v->out);
}

void
ctl_serve(struct core *core, enum ht_role socket)
{
	HT_AUTO(ht_fd_close)
	int fd = accept4(
	    core->control_fd[socket], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct visit v = {
	    .core = core,
	    .fd = fd,
	    .socket = socket,
	    .key = HT_ROLES,
	    .by = "uid ?",
	    .out = HT_BUF(ANSWER_MAX),
	};
	struct ucred cred;
	socklen_t len = sizeof(cred);
	char line[LINE_MAX_BYTES];

	if (fd == -1 || !read_line(fd, line))
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
		snprintf(v.by, sizeof(v.by), "uid %u", (unsigned)cred.uid);
	if (strcmp(line, "auth") == 0) {
		challenge(&v);
		if (!read_line(fd, line)) {
			ht_buf_fini(&v.out);
			return;
		}
	}
	obey(&v, line);
	if (v.fd == -1)
		fd = -1; /* it is answered later */
	else
		answer(&v);
	ht_buf_fini(&v.out);
}

static const char *
path_of(const struct core *core, enum ht_role socket)
{
	switch (socket) {
	case HT_ROLE_SECURITY:
		return core->conf->security;
	case HT_ROLE_AUDIT:
		return core->conf->audit_control;
	default:
		return core->conf->control;
	}
}

static enum ht_err
open_socket(const char *path, int *ret)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd;

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return HT_ESYSTEM;
	/* The log's lock says that no other broker lives: it is a dead one's.
	 */
	(void)unlink(path);
	mask = umask(0177);
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) != 0 ||
	    listen(fd, 8) != 0) {
		int saved = errno;

		(void)umask(mask);
		close(fd);
		errno = saved;
		return HT_ESYSTEM;
	}
	(void)umask(mask);
	*ret = fd;
	return HT_OK;
}

enum ht_err
ctl_open(struct core *core)
{
	enum ht_err err = HT_OK;

	for (enum ht_role role = 0; role < HT_ROLES && err == HT_OK; role++)
		if (path_of(core, role) != NULL)
			err = open_socket(
			    path_of(core, role), &core->control_fd[role]);
	return err;
}

void
ctl_close(struct core *core)
{
	for (enum ht_role role = 0; role < HT_ROLES; role++) {
		if (core->control_fd[role] != -1)
			(void)unlink(path_of(core, role));
		ht_fd_close(&core->control_fd[role]);
	}
}
