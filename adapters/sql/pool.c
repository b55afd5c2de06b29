#include "adapters/sql/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/sql/odbc.h"
#include "adapters/sql/worker.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"
#include "schemas/status.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000
#define WORKER_FD      3
#define READ_CHUNK     65536
#define DYING_MAX      64   /* processes that the kernel cannot end */
#define CANCEL_MS      1000 /* to tell the server, perhaps far away */

struct job {
	struct job *next;
	json_t *message;
	uint64_t deadline_ms;
	ht_sql_fn *done;
	void *arg;
};

struct worker {
	pid_t pid; /* 0: none runs */
	int fd;
	struct job *job; /* being answered */
	struct ht_buf in;
	struct ht_buf out; /* not yet sent: from @sent on */
	size_t sent;
	bool want_write;
	uint64_t not_before_ms;
	uint64_t backoff_ms;
};

/* A process told to end, not yet reaped. */
struct dying {
	pid_t pid;
	uint64_t kill_ms; /* it had its time to end by itself; 0: killed */
};

struct ht_sql {
	char *name;
	char *dir;     /* NULL: the program's */
	json_t *first; /* the configuration message */
	int epoll;
	unsigned n_workers;
	struct worker workers[HT_SQL_WORKERS_MAX];
	struct job *head, **tail; /* waiting */
	unsigned waiting;
	unsigned n_dying;
	struct dying dying[DYING_MAX];
};

/* ---- jobs ---- */

static void
finish(
    struct job *job, unsigned status, const json_t *result, const char *detail)
{
	job->done(job->arg, status, result, detail);
	json_decref(job->message);
	free(job);
}

static void
enqueue(struct ht_sql *sql, struct job *job)
{
	*sql->tail = job;
	sql->tail = &job->next;
	sql->waiting++;
}

static struct job *
dequeue(struct ht_sql *sql)
{
	struct job *job = sql->head;

	if (job == NULL)
		return NULL;
	sql->head = job->next;
	if (sql->head == NULL)
		sql->tail = &sql->head;
	sql->waiting--;
	job->next = NULL;
	return job;
}

/* ---- processes ---- */

/* Killed ones go as the kernel lets them: nothing here waits for that. */
static void
reap(struct ht_sql *sql, uint64_t now_ms)
{
	unsigned left = 0;

	for (unsigned i = 0; i < sql->n_dying; i++) {
		struct dying *d = &sql->dying[i];

		if (waitpid(d->pid, NULL, WNOHANG) != 0)
			continue;
		if (d->kill_ms != 0 && now_ms >= d->kill_ms) {
			(void)kill(d->pid, SIGKILL);
			d->kill_ms = 0;
		}
		sql->dying[left++] = *d;
	}
	sql->n_dying = left;
}

/* @kill_ms: when to kill it that was told to end; 0: now. */
static void
bury(struct ht_sql *sql, struct worker *w, uint64_t kill_ms)
{
	if (w->pid == 0)
		return;
	/* One that cannot be watched is not given time. */
	if (sql->n_dying == DYING_MAX)
		kill_ms = 0;
	(void)kill(w->pid, kill_ms == 0 ? SIGKILL : SIGTERM);
	if (sql->n_dying < DYING_MAX)
		sql->dying[sql->n_dying++] = (struct dying){w->pid, kill_ms};
	w->pid = 0;
	ht_fd_close(&w->fd); /* leaves the epoll set by itself */
	ht_buf_reset(&w->in);
	ht_buf_reset(&w->out);
	w->sent = 0;
	w->want_write = false;
}

static void
back_off(struct worker *w, uint64_t now_ms)
{
	w->not_before_ms = now_ms + w->backoff_ms;
	w->backoff_ms *= 2;
	if (w->backoff_ms > BACKOFF_MAX_MS)
		w->backoff_ms = BACKOFF_MAX_MS;
}

static void
lose(struct ht_sql *sql, struct worker *w, const char *how, uint64_t now_ms)
{
	struct job *job = w->job;

	ht_log(HT_ERROR, "source %s: worker %s pid=%d", sql->name, how,
	    (int)w->pid);
	w->job = NULL;
	bury(sql, w, 0);
	back_off(w, now_ms);
	if (job != NULL)
		finish(job, HT_ST_SOURCE_DOWN, NULL, "");
}

/* A process of its own group (a terminal's ^C is not for it) and signals. */
static int
spawn(const char *dir, int fd, pid_t *ret_pid)
{
	char option[] = HT_WORKER_OPTION, number[] = "3";
	char program[] = "hutong-adapter: worker";
	char *argv[] = {program, option, number, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawnattr_init(&attr);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP |
	                                          POSIX_SPAWN_SETSIGMASK |
	                                          POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setsigdefault(&attr, &all);
	rc = posix_spawn_file_actions_adddup2(&files, fd, WORKER_FD);
	if (rc == 0 && dir != NULL)
		rc = posix_spawn_file_actions_addchdir_np(&files, dir);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(
		    &files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(
		    &files, STDERR_FILENO, STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(
		    &files, WORKER_FD + 1);
	if (rc == 0)
		rc = posix_spawn(
		    ret_pid, "/proc/self/exe", &files, &attr, argv, environ);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&attr);
	return rc;
}

/* Start a worker and queue its configuration. */
static bool
start(struct ht_sql *sql, struct worker *w, uint64_t now_ms)
{
	struct epoll_event event = {
	    .events = EPOLLIN, .data.u32 = (uint32_t)(w - sql->workers)};
	int ends[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
		ht_log(HT_ERROR, "source %s: no socket for a worker: %s",
		    sql->name, strerror(errno));
		back_off(w, now_ms);
		return false;
	}
	rc = spawn(sql->dir, ends[1], &w->pid);
	(void)close(ends[1]);
	w->fd = ends[0];
	if (rc != 0) {
		ht_log(HT_ERROR, "source %s: no worker can be started: %s",
		    sql->name, strerror(rc));
		w->pid = 0;
		ht_fd_close(&w->fd);
		back_off(w, now_ms);
		return false;
	}
	if (epoll_ctl(sql->epoll, EPOLL_CTL_ADD, w->fd, &event) != 0 ||
	    ht_worker_frame(sql->first, &w->out) != HT_OK) {
		lose(sql, w, "cannot be talked to", now_ms);
		return false;
	}
	return true;
}

/* ---- talking ---- */

static void
watch_writing(struct ht_sql *sql, struct worker *w, bool want)
{
	struct epoll_event event = {
	    .events = want ? EPOLLIN | EPOLLOUT : EPOLLIN,
	    .data.u32 = (uint32_t)(w - sql->workers)};

	if (want == w->want_write)
		return;
	w->want_write = want;
	(void)epoll_ctl(sql->epoll, EPOLL_CTL_MOD, w->fd, &event);
}

/* False when the worker is gone. */
static bool
flush(struct ht_sql *sql, struct worker *w)
{
	ssize_t n;

	while (w->sent < w->out.len) {
		n = send(w->fd, w->out.at + w->sent, w->out.len - w->sent,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			watch_writing(sql, w, true);
			return true;
		}
		if (n < 0)
			return false;
		w->sent += (size_t)n;
	}
	ht_buf_reset(&w->out);
	w->sent = 0;
	watch_writing(sql, w, false);
	return true;
}

/* HT_OK with a message, HT_EAGAIN without, else the worker is lost. */
static enum ht_err
receive(struct worker *w, json_t **ret)
{
	uint8_t *room;
	ssize_t n;

	for (;;) {
		room = ht_buf_room(&w->in, READ_CHUNK);
		if (room == NULL)
			return w->in.err;
		w->in.len -= READ_CHUNK;
		n = recv(w->fd, room, READ_CHUNK, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return ht_worker_unframe(&w->in, ret);
		if (n <= 0)
			return HT_ESYSTEM;
		w->in.len += (size_t)n;
	}
}

static unsigned
status_of(json_int_t fault)
{
	switch (fault) {
	case HT_SQL_FINE:
		return HT_ST_OK;
	case HT_SQL_WRONG:
		return HT_ST_SOURCE_INVALID;
	case HT_SQL_TIMEOUT:
		return HT_ST_SOURCE_SLOW;
	default:
		return HT_ST_SOURCE_DOWN;
	}
}

/* What drivers say is for the provider's log; callers get the code. */
static void
answered(struct ht_sql *sql, struct worker *w, const json_t *message)
{
	const json_t *result = json_object_get(message, "result");
	const char *why = json_string_value(json_object_get(message, "why"));
	unsigned status =
	    status_of(json_integer_value(json_object_get(message, "fault")));
	struct job *job = HT_TAKE(w->job);

	if (status == HT_ST_OK) {
		w->backoff_ms = BACKOFF_MIN_MS;
		finish(job, status, result, "");
		return;
	}
	ht_log(HT_ERROR, "source %s: %s", sql->name,
	    why != NULL ? why : "failed without a word");
	finish(job, status, NULL,
	    status == HT_ST_SOURCE_INVALID
	        ? "its statement or its data does not fit"
	        : "");
}

static void
read_worker(struct ht_sql *sql, struct worker *w, uint64_t now_ms)
{
	json_t *message = NULL;
	enum ht_err err = receive(w, &message);

	if (err == HT_EAGAIN)
		return;
	if (err == HT_OK && w->job != NULL && json_is_object(message))
		answered(sql, w, message);
	else
		lose(sql, w, "died or lost its mind", now_ms);
	json_decref(message);
}

/* ---- the turn ---- */

static void
hand_out(struct ht_sql *sql, struct worker *w, uint64_t now_ms)
{
	if (sql->head == NULL || w->job != NULL || now_ms < w->not_before_ms)
		return;
	if (w->pid == 0 && !start(sql, w, now_ms))
		return;
	w->job = dequeue(sql);
	/* The database's own limit: a little later than ours. */
	if (json_object_set_new(w->job->message, "seconds",
	        json_integer(
	            (json_int_t)(w->job->deadline_ms - now_ms + 999) / 1000 +
	            1)) != 0 ||
	    ht_worker_frame(w->job->message, &w->out) != HT_OK ||
	    !flush(sql, w))
		lose(sql, w, "died", now_ms);
}

static void
check_running(struct ht_sql *sql, struct worker *w, uint64_t now_ms)
{
	struct job *job = w->job;

	if (job == NULL || now_ms < job->deadline_ms)
		return;
	ht_log(HT_WARN,
	    "source %s: no answer by the deadline; worker stopped pid=%d",
	    sql->name, (int)w->pid);
	w->job = NULL;
	bury(sql, w, now_ms + CANCEL_MS);
	finish(job, HT_ST_SOURCE_SLOW, NULL, "");
}

/* Deadlines differ from item to item, so any place in the queue may lapse. */
static void
check_waiting(struct ht_sql *sql, uint64_t now_ms)
{
	unsigned n = sql->waiting;

	while (n-- > 0) {
		struct job *job = dequeue(sql);

		if (now_ms < job->deadline_ms)
			enqueue(sql, job);
		else
			finish(job, HT_ST_SOURCE_SLOW, NULL,
			    "no worker was free in time");
	}
}

void
ht_sql_step(struct ht_sql *sql, uint64_t now_ms)
{
	struct epoll_event events[HT_SQL_WORKERS_MAX];
	int n = epoll_wait(sql->epoll, events, HT_SQL_WORKERS_MAX, 0);

	reap(sql, now_ms);
	for (int i = 0; i < n; i++) {
		struct worker *w = &sql->workers[events[i].data.u32];

		if ((events[i].events & EPOLLOUT) != 0 && !flush(sql, w))
			lose(sql, w, "died", now_ms);
		else if ((events[i].events & (EPOLLIN | EPOLLHUP)) != 0)
			read_worker(sql, w, now_ms);
	}
	for (unsigned i = 0; i < sql->n_workers; i++)
		check_running(sql, &sql->workers[i], now_ms);
	check_waiting(sql, now_ms);
	for (unsigned i = 0; i < sql->n_workers; i++)
		hand_out(sql, &sql->workers[i], now_ms);
}

static void
sooner(uint64_t at_ms, uint64_t *first_ms)
{
	if (at_ms < *first_ms)
		*first_ms = at_ms;
}

int
ht_sql_wait_ms(const struct ht_sql *sql, uint64_t now_ms)
{
	uint64_t first = UINT64_MAX;

	for (const struct job *job = sql->head; job != NULL; job = job->next)
		sooner(job->deadline_ms, &first);
	for (unsigned i = 0; i < sql->n_workers; i++) {
		const struct worker *w = &sql->workers[i];

		if (w->job != NULL)
			sooner(w->job->deadline_ms, &first);
		else if (sql->head != NULL)
			sooner(w->not_before_ms, &first);
	}
	for (unsigned i = 0; i < sql->n_dying; i++)
		if (sql->dying[i].kill_ms != 0)
			sooner(sql->dying[i].kill_ms, &first);
	if (first == UINT64_MAX)
		return -1;
	if (first <= now_ms)
		return 0;
	return first - now_ms > 60000 ? 60000 : (int)(first - now_ms);
}

int
ht_sql_fd(const struct ht_sql *sql)
{
	return sql->epoll;
}

enum ht_err
ht_sql_ask(struct ht_sql *sql, const char *statement, json_t *params,
    uint32_t rows_max, uint64_t deadline_ms, ht_sql_fn *done, void *arg)
{
	struct job *job;

	if (sql->waiting == HT_SQL_WAITING_MAX)
		return HT_EAGAIN;
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return HT_ENOMEM;
	job->message = json_pack("{s:O, s:I, s:s}", "params", params, "rows",
	    (json_int_t)rows_max, "sql", statement);
	if (job->message == NULL) {
		free(job);
		return HT_ENOMEM;
	}
	job->deadline_ms = deadline_ms;
	job->done = done;
	job->arg = arg;
	enqueue(sql, job);
	return HT_OK;
}

/* ---- opening, closing ---- */

static json_t *
first_message(const struct ht_sql_conf *conf)
{
	json_t *message = json_pack("{s:s, s:s, s:s?}", "charset",
	    conf->charset != NULL ? conf->charset : "utf-8", "connect",
	    conf->connect, "exists", conf->must_exist);
	json_t *prepare = conf->prepare != NULL ? json_deep_copy(conf->prepare)
	                                        : json_array();

	if (message == NULL ||
	    json_object_set_new(message, "prepare", prepare) != 0) {
		json_decref(message);
		return NULL;
	}
	return message;
}

enum ht_err
ht_sql_open(const struct ht_sql_conf *conf, struct ht_sql **ret)
{
	struct ht_sql *sql = calloc(1, sizeof(*sql));

	if (sql == NULL)
		return HT_ENOMEM;
	sql->tail = &sql->head;
	sql->n_workers = conf->workers > 0 ? conf->workers : 1;
	HT_ASSERT(sql->n_workers <= HT_SQL_WORKERS_MAX);
	for (unsigned i = 0; i < sql->n_workers; i++)
		sql->workers[i] = (struct worker){.fd = -1,
		    .in = HT_BUF(HT_WORKER_MESSAGE_MAX + READ_CHUNK + 4),
		    .out = HT_BUF(HT_WORKER_MESSAGE_MAX + 4),
		    .backoff_ms = BACKOFF_MIN_MS};
	sql->name = strdup(conf->name);
	sql->dir = conf->dir != NULL ? strdup(conf->dir) : NULL;
	sql->first = first_message(conf);
	sql->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (sql->name == NULL || (conf->dir != NULL && sql->dir == NULL) ||
	    sql->first == NULL || sql->epoll < 0) {
		enum ht_err err = sql->epoll < 0 ? HT_ESYSTEM : HT_ENOMEM;

		ht_sql_close(&sql);
		return err;
	}
	*ret = sql;
	return HT_OK;
}

/* Our own end would be theirs at once. */
static void
wait_for_cancels(struct ht_sql *sql)
{
	uint64_t end_ms = ht_clock_mono_ms() + CANCEL_MS;

	reap(sql, 0);
	while (sql->n_dying > 0 && ht_clock_mono_ms() < end_ms) {
		(void)poll(NULL, 0, 10);
		reap(sql, 0);
	}
	reap(sql, UINT64_MAX);
}

void
ht_sql_close(struct ht_sql **sql_p)
{
	struct ht_sql *sql = *sql_p;
	struct job *job;

	if (sql == NULL)
		return;
	for (unsigned i = 0; i < sql->n_workers; i++) {
		struct worker *w = &sql->workers[i];

		bury(sql, w, w->job != NULL ? UINT64_MAX : 0);
		if (w->job != NULL)
			finish(w->job, HT_ST_SOURCE_DOWN, NULL, "");
		ht_buf_fini(&w->in);
		ht_buf_fini(&w->out);
	}
	while ((job = dequeue(sql)) != NULL)
		finish(job, HT_ST_SOURCE_DOWN, NULL, "");
	wait_for_cancels(sql);
	ht_fd_close(&sql->epoll);
	json_decref(sql->first);
	free(sql->name);
	free(sql->dir);
	free(sql);
	*sql_p = NULL;
}
