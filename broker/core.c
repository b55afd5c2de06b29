#include "broker/core.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "broker/core_in.h"
#include "keys/keyfile.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"
#include "lib/base/version.h"

#define TURN_MS    50 /* the longest sleep: timers need no more */
#define OUTS_MAX   4096
#define OUTS_BYTES ((size_t)512 << 20)
/* Buffers kept to be filled again: one is filled while others are written. */
#define SPARES_MAX   4
#define SPARES_BYTES ((size_t)16 << 20)
/* Searches scan what is not indexed yet; each commit rewrites pages. */
#define INDEX_BATCH    20000
#define INDEX_GAP_MS   1000
#define INDEX_AGAIN_MS 10000

void
core_stop(struct core *core, int exit_code, const char *reason)
{
	if (core->done)
		return;
	core->done = true;
	core->exit_code = exit_code;
	snprintf(core->reason, sizeof(core->reason), "%s", reason);
}

static void
print_findings(const struct ht_report *report)
{
	for (unsigned i = 0; i < ht_report_count(report) && i < HT_FINDINGS_MAX;
	     i++)
		ht_log(HT_ERROR, "broker: %s%s%s", ht_report_where(report, i),
		    ht_report_where(report, i)[0] == '\0' ? "" : ": ",
		    ht_report_text(report, i));
}

/* ---- before anything is opened ---- */

/* The public half of a key file is what the root says it must be. */
static bool
key_fits(const char *path, enum ht_key_for what, const struct ht_pub *want,
    struct ht_report *report)
{
	struct ht_keyfile file;

	if (ht_keyfile_look(path, &file, report) != HT_OK)
		return false;
	if (file.what != what)
		ht_report_add(report, path, "is a %s key; a %s key is needed",
		    ht_key_for_text(file.what), ht_key_for_text(what));
	else if (memcmp(file.pub.at, want->at, sizeof(want->at)) != 0)
		ht_report_add(report, path,
		    "is not the %s key that the root note names; configure "
		    "the key it names, or have the officers sign a new root",
		    ht_key_for_text(what));
	else
		return true;
	return false;
}

static enum ht_err
load_and_check(const struct ht_broker_conf *conf, struct ht_report *report,
    struct ht_root *root, struct ht_trust **ret)
{
	enum ht_err err = rule_load(conf, NULL, NULL, report, root, ret);
	bool log_fits, transport_fits;

	if (err != HT_OK)
		return err;
	log_fits = key_fits(conf->log_key, HT_KEY_LOG, &root->log.pub, report);
	transport_fits = key_fits(conf->transport_key, HT_KEY_TRANSPORT,
	    &root->broker_transport, report);
	return log_fits && transport_fits ? HT_OK : HT_EINVALID;
}

int
ht_core_check(const struct ht_broker_conf *conf, struct ht_report *report)
{
	struct ht_trust *trust = NULL;
	struct ht_root root;
	enum ht_err err;

	if (ht_keys_init() != HT_OK)
		return HT_BROKER_UNAVAILABLE;
	err = load_and_check(conf, report, &root, &trust);
	if (err == HT_OK && ht_trust_until_ms(trust) < ht_clock_wall_ms())
		ht_report_add(report, conf->authority,
		    "the current note's time is over; items go on for their "
		    "grace only: hutong catalog freshen");
	ht_trust_unref(&trust);
	return err == HT_OK ? HT_BROKER_DONE : HT_BROKER_REFUSED;
}

/* ---- the log ---- */

static enum ht_err
read_log_key(const char *path, struct ht_key **ret, struct ht_report *report)
{
	struct ht_keyfile file;
	char *passphrase = NULL;
	enum ht_err err = ht_keyfile_look(path, &file, report);

	if (err == HT_OK && file.locked)
		err = ht_passphrase_get("log key", &passphrase);
	if (err == HT_OK)
		err = ht_keyfile_read(
		    path, HT_KEY_LOG, passphrase, ret, &file, report);
	if (passphrase != NULL)
		ht_wipe(passphrase, strlen(passphrase));
	free(passphrase);
	return err;
}

static int
exit_code_of(enum ht_err err)
{
	switch (err) {
	case HT_EINTEGRITY:
	case HT_EROLLBACK:
	case HT_EBADSIG:
		return HT_BROKER_INTEGRITY;
	case HT_EAGAIN: /* another broker writes this log */
	case HT_ENOTFOUND:
	case HT_ESYSTEM:
		return HT_BROKER_UNAVAILABLE;
	case HT_ESTORE:
		return HT_BROKER_STORE;
	default:
		return HT_BROKER_REFUSED;
	}
}

static int
open_log(struct core *core, struct ht_key **key, struct ht_report *report)
{
	const struct ht_broker_conf *conf = core->conf;
	enum ht_err err = read_log_key(conf->log_key, key, report);

	if (err == HT_OK)
		err = ht_fs_mkdirs(conf->log_dir, 0700);
	if (err == HT_OK)
		err = ht_log_open_behind(conf->log_dir, core->root.log.name,
		    *key, core->act, report, &core->log);
	if (err == HT_OK)
		return HT_BROKER_DONE;
	print_findings(report);
	ht_log(HT_ERROR, "broker: cannot open the log in %s: %s%s",
	    conf->log_dir, ht_err_text(err),
	    err == HT_EAGAIN ? " (is another broker running on it?)" : "");
	return exit_code_of(err);
}

struct rooting {
	struct core *core;
	bool appended;
};

/* The committer waits for nobody, so the index may wait for it. */
static enum ht_err
append_roots(void *arg, const struct ht_slice *payloads, size_t n)
{
	struct rooting *rooting = arg;

	rooting->appended = true;
	return ht_committer_entries(
	    rooting->core->committer, HT_ENTRY_INDEX_ROOT, payloads, n, NULL);
}

static void
index_rest(struct core *core, unsigned rest_ms)
{
	for (unsigned ms = 0; ms < rest_ms && !atomic_load(&core->index_stop);
	     ms += 50)
		(void)usleep(50000);
}

/* A disk that was full may have room again. */
static void *
run_index(void *arg)
{
	struct core *core = arg;
	bool more = false, stood = false;

	(void)pthread_setname_np(pthread_self(), "indexer");
	while (!atomic_load(&core->index_stop)) {
		struct rooting rooting = {.core = core};
		enum ht_err err =
		    ht_index_catch_up(core->index, INDEX_BATCH, &more);

		if (err == HT_OK)
			err =
			    ht_index_roots(core->index, append_roots, &rooting);
		more |= rooting.appended; /* lists want to find them */
		if (err == HT_OK && !more)
			err = disclose_due(core);
		/* Not now; or the broker is stopping. */
		if (err == HT_EAGAIN) {
			more = false;
			err = HT_OK;
		}
		if (err != HT_OK && !stood)
			ht_log(HT_ERROR,
			    "broker: the index stands still: %s; searches go "
			    "on without it, and it is tried again",
			    ht_err_text(err));
		if (err == HT_OK && stood)
			ht_log(HT_INFO, "broker: the index goes on");
		stood = err != HT_OK;
		if (stood)
			index_rest(core, INDEX_AGAIN_MS);
		else if (!more)
			index_rest(core, INDEX_GAP_MS);
	}
	return NULL;
}

static bool
find_auditor(void *arg, struct ht_slice name, struct ht_vkey *ret)
{
	struct core *core = arg;
	struct ht_trust *trust = ht_box_get(&core->box, NULL);
	const struct ht_root *root = ht_trust_root(trust);
	bool found = false;

	for (unsigned i = 0; i < root->n_auditors && !found; i++)
		if (ht_slice_is(name, root->auditors[i].name)) {
			*ret = root->auditors[i];
			found = true;
		}
	ht_trust_unref(&trust);
	return found;
}

static enum ht_err
note_query(void *arg, struct ht_slice payload, uint64_t *ret_seq)
{
	struct core *core = arg;

	return ht_committer_entry(
	    core->committer, HT_ENTRY_AUDIT_QUERY, payload, ret_seq);
}

static enum ht_err
open_audit(struct core *core)
{
	struct ht_audit_config config = {
	    .path = core->conf->audit,
	    .log = core->log,
	    .auditor = find_auditor,
	    .note = note_query,
	    .arg = core,
	};
	HT_AUTO(ht_mem_free)
	char *dir = ht_fs_join(core->conf->log_dir, "index");
	enum ht_err err;

	if (dir == NULL)
		return HT_ENOMEM;
	err = ht_index_open(dir, core->log, &core->index);
	if (err != HT_OK)
		return err;
	if (pthread_create(&core->indexer, NULL, run_index, core) != 0)
		return HT_ESYSTEM;
	core->indexing = true;
	config.index = core->index;
	return core->conf->audit == NULL
	           ? HT_OK
	           : ht_audit_server_start(&config, &core->audit);
}

/* ---- start and end ---- */

static enum ht_err
start_threads(struct core *core)
{
	char host[256] = "";
	struct ht_committer_conf conf = {
	    .log = core->log,
	    .box = &core->box,
	    .generation = &core->generation,
	    .credit = &core->credit,
	    .lane = core->conf->lane,
	    .disk_reserve = core->conf->disk_reserve,
	    .volumes = core->conf->volumes,
	    .host = host,
	    .version = HT_VERSION,
	};
	enum ht_err err;

	(void)gethostname(host, sizeof(host) - 1);
	err = ht_queue_new(OUTS_MAX, OUTS_BYTES, true, &core->outs);
	if (err == HT_OK)
		err = ht_queue_new(
		    SPARES_MAX, SPARES_BYTES, false, &core->spares);
	conf.outs = core->outs;
	conf.spares = core->spares;
	if (err == HT_OK)
		err = ht_committer_start(&conf, &core->committer);
	if (err == HT_OK)
		err = ht_verifier_start((size_t)core->conf->verify_threads,
		    &core->box, core->committer, &core->verifier);
	return err;
}

/* Signals come as bytes to read, in all threads of the process. */
static enum ht_err
open_signals(struct core *core)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return HT_ESYSTEM;
	(void)signal(SIGPIPE, SIG_IGN);
	core->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return core->signal_fd == -1 ? HT_ESYSTEM : HT_OK;
}

static enum ht_err
open_parts(struct core *core)
{
	enum ht_err err = cosign_open(core);

	if (err == HT_OK)
		err = start_threads(core);
	/* The act is an entry now. */
	if (err == HT_OK)
		err = ht_log_rolled_back(core->log, &core->rolled);
	if (err == HT_OK) /* before anybody is connected */
		err = cosign_recall(core);
	if (err == HT_OK)
		err = open_audit(core);
	if (err == HT_OK)
		err = closing_open(core);
	erase_open(core);
	backup_open(core);
	if (err == HT_OK)
		err = reload_open(core);
	if (err == HT_OK)
		err = ctl_open(core);
	if (err == HT_OK)
		err = link_start(core);
	return err;
}

static void
drop_out(void *item)
{
	struct ht_out *out = item;

	ht_out_free(&out);
}

/*
 * First nothing more comes in, then what did is settled, then the log is
 * closed with a STOP.
 */
static void
close_parts(struct core *core)
{
	ctl_close(core);
	/* While the committer still answers them. */
	erase_close(core);
	reload_close(core);
	backup_close(core);
	ht_audit_server_stop(&core->audit);
	ht_verifier_stop(&core->verifier);
	closing_close(core);
	if (core->indexing) { /* its thread appends entries, too */
		atomic_store(&core->index_stop, true);
		HT_ASSERT(pthread_join(core->indexer, NULL) == 0);
	}
	ht_committer_stop(&core->committer, core->reason);
	for (int i = 0; i < 50 && core->outs != NULL; i++) {
		void *out;

		while (ht_queue_pop(core->outs, &out, 1, 0) == 1) {
			struct ht_out *one = out;

			link_take(core, &one);
		}
		link_flush(core);
		if (core->link.pid == 0 || core->link.first == NULL)
			break;
		(void)usleep(10000);
	}
	link_close(core);
	ht_index_close(&core->index);
	disclose_fini(&core->discloser);
	ht_queue_free(&core->outs, drop_out);
	ht_queue_free(&core->spares, drop_out);
}

/* ---- the loop ---- */

/* SIGHUP is nobody's signature: where roles are parted it says nothing. */
static void
hang_up(struct core *core)
{
	if (core->root.parted) {
		ctl_refused(core, "SIGHUP",
		    "reload: it is the security administrator's: hutong-broker "
		    "ctl --key FILE reload");
		return;
	}
	if (ht_committer_admin(core->committer, "reload", "SIGHUP",
	        core->conf->authority) == HT_OK &&
	    !reload_begin(core, -1))
		ht_log(HT_WARN, "broker: too many wait for a reload already");
}

static void
read_signals(struct core *core)
{
	struct signalfd_siginfo info;

	while (read(core->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			link_reap(core);
			break;
		case SIGHUP:
			hang_up(core);
			break;
		default:
			core_stop(core, HT_BROKER_DONE,
			    info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
			break;
		}
	}
}

static void
take_outs(struct core *core)
{
	void *outs[64];
	size_t n;

	while ((n = ht_queue_pop(core->outs, outs, HT_COUNT(outs), 0)) > 0)
		for (size_t i = 0; i < n; i++) {
			struct ht_out *out = outs[i];

			link_take(core, &out);
		}
}

static void
run_timers(struct core *core)
{
	uint64_t now = ht_clock_mono_ms();

	reload_tick(core);
	link_tick(core, now);
	talk_sweep(core, now);
	cosign_tick(core, now);
	due_tick(core, now);
	if (now >= core->keys_ms)
		rule_keys(core, false);
	if (now >= core->freshen_ms) {
		core->freshen_ms = now + core->conf->freshen_ms;
		rule_freshen(core);
	}
}

static void
loop(struct core *core)
{
	while (!core->done) {
		struct pollfd at[] = {
		    {core->signal_fd,                    POLLIN, 0},
		    {core->control_fd[HT_ROLE_SYSTEM],   POLLIN, 0},
		    {ht_queue_fd(core->outs),            POLLIN, 0},
		    {core->link.fd,                      POLLIN, 0},
		    {core->control_fd[HT_ROLE_SECURITY], POLLIN, 0},
		    {core->control_fd[HT_ROLE_AUDIT],    POLLIN, 0},
		    {core->reloader.event_fd,            POLLIN, 0},
		};

		if (core->link.first != NULL)
			at[3].events |= POLLOUT;
		if (poll(at, HT_COUNT(at), TURN_MS) < 0 && errno != EINTR) {
			core_stop(core, HT_BROKER_UNAVAILABLE, "poll failed");
			break;
		}
		if (at[0].revents != 0)
			read_signals(core);
		if (at[1].revents != 0)
			ctl_serve(core, HT_ROLE_SYSTEM);
		if (at[4].revents != 0)
			ctl_serve(core, HT_ROLE_SECURITY);
		if (at[5].revents != 0)
			ctl_serve(core, HT_ROLE_AUDIT);
		if (at[3].revents & (POLLIN | POLLHUP | POLLERR))
			link_read(core);
		take_outs(core);
		if (atomic_load(&core->eraser.broken)) {
			ht_committer_halt(core->committer);
			core_stop(
			    core, HT_BROKER_STORE, "an erasure did not end");
		}
		run_timers(core);
		link_flush(core);
	}
}

static int
fail(const char *what, enum ht_err err, const struct ht_report *report)
{
	print_findings(report);
	ht_log(HT_ERROR, "broker: %s: %s", what,
	    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
	return exit_code_of(err);
}

static int
check_continues(struct core *core, struct ht_report *report)
{
	struct ht_trust *trust = ht_box_get(&core->box, NULL);
	enum ht_err err =
	    rule_continues(trust, core->log, core->conf->authority, report);
	int code;

	ht_trust_unref(&trust);
	if (err == HT_OK)
		return HT_BROKER_DONE;
	code =
	    fail("the policy does not continue that of the log; not starting",
	        err, report);
	return err == HT_EROLLBACK ? HT_BROKER_REFUSED : code;
}

/* To go on with an older log is the security administrator's. */
static bool
may_roll_back(const struct core *core, struct ht_report *report)
{
	if (core->act == NULL || !core->root.parted ||
	    (core->act->admin != NULL &&
	        ht_admin_role_of(&core->root, core->act->admin) ==
	            HT_ROLE_SECURITY))
		return true;
	ht_report_add(report, "--accept-rollback",
	    "only a security administrator that the root names may go on with "
	    "an older log: give that key with --key");
	return false;
}

static int
run(struct core *core, struct ht_report *report)
{
	HT_AUTO(ht_key_free) struct ht_key *log_key = NULL;
	struct ht_trust *trust = NULL;
	enum ht_err err;
	int code;

	err = load_and_check(core->conf, report, &core->root, &trust);
	if (err != HT_OK) {
		ht_trust_unref(&trust);
		(void)fail(
		    "there is no usable policy; not starting", err, report);
		return HT_BROKER_REFUSED;
	}
	if (!may_roll_back(core, report)) {
		ht_trust_unref(&trust);
		(void)fail("not starting", HT_EDENIED, report);
		return HT_BROKER_REFUSED;
	}
	ht_box_init(&core->box, trust);
	ht_trust_unref(&trust);
	err = open_signals(core);
	code = err == HT_OK ? open_log(core, &log_key, report)
	                    : fail("signals", err, report);
	if (code == HT_BROKER_DONE)
		code = check_continues(core, report);
	if (code == HT_BROKER_DONE) {
		err = open_parts(core);
		if (err != HT_OK)
			core_stop(core, fail("cannot start", err, report),
			    "cannot start");
		loop(core);
		ht_log(HT_INFO, "broker: stopping: %s", core->reason);
		close_parts(core);
		code = core->exit_code;
	}
	ht_log_close(&core->log);
	ht_box_fini(&core->box);
	return code;
}

static void
drop_conn(void *value)
{
	struct ht_conn *conn = value;

	ht_conn_unref(&conn);
}

int
ht_core_run(const struct ht_broker_conf *conf, const struct ht_rollback *act)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	static struct core core; /* large */
	int code = HT_BROKER_UNAVAILABLE;

	core.conf = conf;
	core.act = act;
	core.signal_fd = core.link.fd = core.reloader.event_fd = -1;
	for (enum ht_role role = 0; role < HT_ROLES; role++)
		core.control_fd[role] = -1;
	core.conns = ht_map_new();
	core.newest = ht_map_new();
	core.strikes = ht_map_new();
	core.told = ht_map_new();
	if (core.conns != NULL && core.newest != NULL && core.strikes != NULL &&
	    core.told != NULL && ht_keys_init() == HT_OK)
		code = run(&core, report);
	cosign_close(&core);
	rule_fini(&core);
	ht_map_free(&core.conns, drop_conn);
	ht_map_free(&core.newest, NULL);
	ht_map_free(&core.told, fetch_told_free);
	ht_fd_close(&core.signal_fd);
	return code;
}
