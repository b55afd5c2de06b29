/*
 * link.c -- the front: started, fed, watched, and started again.
 *
 * Each has a generation number; frames of an old one, and connections that
 * lived in it, are no more once it has died.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/core_in.h"
#include "broker/front.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"

#define FRONT_FD       3
#define WAITING_MAX    ((size_t)512 << 20) /* then the front is stuck */
#define OWN_MAX        ((size_t)64 << 20)
#define OWN_HIGH       ((size_t)4 << 20)   /* then it joins what waits */
#define ANSWERS_HIGH   ((size_t)128 << 20) /* then questions wait */
#define WATCH_MS       250
#define BACKOFF_MS     100
#define BACKOFF_MAX_MS 5000
#define HEAVY_LOOKS    4     /* a second: its own watch, 50 ms, comes first */
#define STEADY_MS      10000 /* having lived so long, it starts at once */
#define SOCKET_BUFFER  (4 << 20)

extern char **environ;

/* ---- to the front ---- */

static void
enqueue(struct link *link, struct ht_out *out)
{
	out->next = NULL;
	out->at = 0;
	if (link->last != NULL)
		link->last->next = out;
	else
		link->first = out;
	link->last = out;
	link->waiting += out->bytes.len;
}

/* Own messages keep their place in the order of all. */
static void
own_waits(struct link *link)
{
	struct ht_out *out;

	if (link->own.err != HT_OK || link->own.len == 0)
		return;
	out = calloc(1, sizeof(*out));
	if (out == NULL)
		return;
	out->bytes = link->own;
	link->own = HT_BUF(OWN_MAX);
	enqueue(link, out);
}

static void
tell(struct core *core, unsigned type, struct ht_slice body)
{
	struct ht_pipe_msg msg = {
	    .generation = atomic_load(&core->generation),
	    .type = type,
	    .body = body,
	};

	ht_pipe_put(&core->link.own, &msg);
}

void
link_send(struct core *core, struct ht_slice handle)
{
	struct ht_pipe_msg head = {
	    .generation = atomic_load(&core->generation),
	    .type = HT_PIPE_SEND,
	    .handle = handle,
	};
	struct link *link = &core->link;
	size_t began;

	if (link->own.len > OWN_HIGH)
		own_waits(link);
	began = ht_pipe_begin(&link->own, &head);
	/* No memory for it: link_flush() finds the error and starts anew. */
	if (ht_message_encode(&core->m, &link->own) == HT_OK)
		ht_pipe_end(&link->own, began);
	link->said += link->own.len - began;
}

bool
link_full(const struct core *core)
{
	return core->link.waiting + core->link.own.len > ANSWERS_HIGH;
}

void
link_send_keys(struct core *core, struct ht_slice body)
{
	tell(core, HT_PIPE_KEYS, body);
}

static void
tell_conf(struct core *core)
{
	HT_AUTO(ht_buf_fini) struct ht_buf body = HT_BUF(16384);
	struct link *link = &core->link;
	const char *address =
	    link->address[0] != '\0' ? link->address : core->conf->listen;

	ht_buf_u64(&body, core->conf->front_memory);
	ht_buf_u16(&body, (uint16_t)strlen(address));
	ht_buf_str(&body, address);
	ht_buf_u16(&body, (uint16_t)strlen(core->conf->transport_key));
	ht_buf_str(&body, core->conf->transport_key);
	tell(core, HT_PIPE_CONF, ht_buf_slice(&body));
}

static void
drop_waiting(struct link *link)
{
	while (link->first != NULL) {
		struct ht_out *out = link->first;

		link->first = out->next;
		ht_out_free(&out);
	}
	link->last = NULL;
	link->waiting = 0;
	ht_buf_fini(&link->own);
	link->own = HT_BUF(OWN_MAX);
}

static void
enqueue_own(struct core *core)
{
	struct link *link = &core->link;

	if (link->own.err != HT_OK)
		link_restart(core, "there is no memory for what it should say");
	else
		own_waits(link);
}

void
link_take(struct core *core, struct ht_out **out_p)
{
	struct link *link = &core->link;

	if (link->pid == 0 ||
	    (*out_p)->generation != atomic_load(&core->generation)) {
		ht_out_free(out_p);
		return;
	}
	enqueue_own(core);
	enqueue(link, HT_TAKE(*out_p));
	if (link->waiting > WAITING_MAX)
		link_restart(core, "it takes nothing any more");
}

void
link_flush(struct core *core)
{
	struct link *link = &core->link;

	if (link->pid == 0)
		return;
	enqueue_own(core);
	while (link->first != NULL) {
		struct ht_out *out = link->first;
		ssize_t n = send(link->fd, &out->bytes.at[out->at],
		    out->bytes.len - out->at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return; /* full; or dead, which reading tells */
		out->at += (size_t)n;
		link->waiting -= (size_t)n;
		if (out->at < out->bytes.len)
			continue;
		link->first = out->next;
		if (link->first == NULL)
			link->last = NULL;
		if (!out->refill ||
		    ht_queue_push(core->spares, out, out->bytes.cap) != HT_OK)
			ht_out_free(&out);
	}
}

/* ---- starting ---- */

static int
spawn(struct link *link, int child_fd)
{
	char *argv[] = {"hutong-broker", "--front", "3", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	HT_ASSERT(posix_spawn_file_actions_init(&actions) == 0);
	HT_ASSERT(posix_spawnattr_init(&attr) == 0);
	HT_ASSERT(posix_spawnattr_setsigmask(&attr, &none) == 0);
	HT_ASSERT(posix_spawnattr_setsigdefault(&attr, &all) == 0);
	/* A terminal's ^C is for the core, which ends its front itself. */
	HT_ASSERT(posix_spawnattr_setpgroup(&attr, 0) == 0);
	HT_ASSERT(posix_spawnattr_setflags(
	              &attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
	                         POSIX_SPAWN_SETPGROUP) == 0);
	rc = posix_spawn_file_actions_adddup2(&actions, child_fd, FRONT_FD);
	if (rc == 0)
		rc = posix_spawn(&link->pid, "/proc/self/exe", &actions, &attr,
		    argv, environ);
	HT_ASSERT(posix_spawn_file_actions_destroy(&actions) == 0);
	HT_ASSERT(posix_spawnattr_destroy(&attr) == 0);
	if (rc != 0)
		link->pid = 0;
	return rc;
}

static void
widen(int fd)
{
	int size = SOCKET_BUFFER;

	/* As far as the system allows; a smaller one costs more calls. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

enum ht_err
link_start(struct core *core)
{
	struct link *link = &core->link;
	int fds[2];
	int rc;

	HT_ASSERT(link->pid == 0);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return HT_ESYSTEM;
	widen(fds[0]);
	widen(fds[1]);
	rc = spawn(link, fds[1]);
	close(fds[1]);
	if (rc != 0) {
		close(fds[0]);
		errno = rc;
		return HT_ESYSTEM;
	}
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	link->fd = fds[0];
	link->ready = link->killed = false;
	link->heavy = 0;
	link->started_ms = ht_clock_mono_ms();
	link->starts++;
	drop_waiting(link);
	atomic_fetch_add(&core->generation, 1);
	atomic_store(&core->credit, 0);
	if (ht_pipe_in_init(&link->in, link->fd) != HT_OK)
		return HT_ENOMEM;
	tell_conf(core);
	rule_keys(core, true);
	link_flush(core);
	return HT_OK;
}

/* ---- ending ---- */

static void
say_end(const struct link *link, int status)
{
	double lived = (double)(ht_clock_mono_ms() - link->started_ms) / 1000;

	if (link->killed)
		return;
	if (WIFSIGNALED(status))
		ht_log(HT_WARN,
		    "broker: front pid=%d ended by signal %d after %.1f s",
		    link->pid, WTERMSIG(status), lived);
	else if (WEXITSTATUS(status) == HT_FRONT_FLOOD)
		ht_log(HT_WARN,
		    "broker: front pid=%d was flooded, and ended after %.1f s",
		    link->pid, lived);
	else
		ht_log(HT_WARN,
		    "broker: front pid=%d ended with code %d after %.1f s",
		    link->pid, WEXITSTATUS(status), lived);
}

static void
plan_restart(struct link *link)
{
	uint64_t now = ht_clock_mono_ms();

	if (now - link->started_ms >= STEADY_MS)
		link->backoff_ms = 0;
	link->restart_ms = now + link->backoff_ms;
	link->backoff_ms =
	    link->backoff_ms == 0 ? BACKOFF_MS : 2 * link->backoff_ms;
	if (link->backoff_ms > BACKOFF_MAX_MS)
		link->backoff_ms = BACKOFF_MAX_MS;
}

static void
gone(struct core *core, int status)
{
	struct link *link = &core->link;

	say_end(link, status);
	link->pid = 0;
	link->ready = false;
	ht_fd_close(&link->fd);
	ht_pipe_in_fini(&link->in);
	drop_waiting(link);
	/* What the committer makes for the old one is dropped from now on. */
	atomic_fetch_add(&core->generation, 1);
	talk_lost_all(core);
	if (WIFEXITED(status) && WEXITSTATUS(status) == HT_FRONT_CONF &&
	    !link->was_ready)
		core_stop(
		    core, HT_BROKER_UNAVAILABLE, "the front cannot start");
	plan_restart(link);
}

static void
end_front(struct core *core)
{
	int status = 0;

	(void)kill(core->link.pid, SIGKILL);
	while (waitpid(core->link.pid, &status, 0) < 0 && errno == EINTR)
		;
	gone(core, status);
}

void
link_reap(struct core *core)
{
	siginfo_t info = {.si_pid = 0};
	pid_t pid = core->link.pid;

	if (pid == 0 ||
	    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
	    info.si_pid != pid)
		return;
	/* Its last words first: they end the stream, and with it the front. */
	for (int i = 0; i < 100 && core->link.pid == pid; i++)
		link_read(core);
	if (core->link.pid == pid)
		end_front(core);
}

void
link_restart(struct core *core, const char *why)
{
	if (core->link.pid == 0)
		return;
	ht_log(
	    HT_WARN, "broker: front pid=%d restarted: %s", core->link.pid, why);
	core->link.killed = true;
	end_front(core);
}

void
link_close(struct core *core)
{
	struct link *link = &core->link;

	if (link->pid != 0) {
		int status;

		ht_fd_close(&link->fd); /* it ends when the stream does */
		for (int i = 0; i < 100; i++) {
			if (waitpid(link->pid, &status, WNOHANG) != 0)
				break;
			(void)usleep(10000);
			if (i == 99) {
				(void)kill(link->pid, SIGKILL);
				(void)waitpid(link->pid, &status, 0);
			}
		}
		link->pid = 0;
		ht_pipe_in_fini(&link->in);
	}
	drop_waiting(link);
}

/* ---- from the front ---- */

static void
heard_ready(struct core *core, const struct ht_pipe_msg *msg)
{
	struct link *link = &core->link;

	link->ready = link->was_ready = true;
	snprintf(link->address, sizeof(link->address), "%.*s",
	    (int)msg->body.len, (const char *)msg->body.at);
	ht_log(HT_INFO, "broker: front pid=%d listens on %s", link->pid,
	    link->address);
}

static void
heard_refused(struct core *core, const struct ht_pipe_msg *msg)
{
	struct ht_cur cur = ht_cur(msg->body);

	while (cur.err == HT_OK && cur.at < cur.end) {
		const char *member, *node;
		struct ht_hash key;
		uint32_t count;
		unsigned status;

		ht_cur_copy(&cur, key.at, sizeof(key.at));
		count = ht_cur_u32(&cur);
		if (cur.err != HT_OK)
			return;
		status = rule_refused(core, &key, &member, &node);
		ht_log(
		    HT_DEBUG, "broker: transport key refused %u times", count);
		if (ht_committer_refused(core->committer, member, node, &key,
		        HT_CURVE_SIZE, status) != HT_OK)
			core->busy++;
	}
}

static void
heard(struct core *core, const struct ht_pipe_msg *msg)
{
	struct link *link = &core->link;
	struct ht_cur cur = ht_cur(msg->body);

	if (msg->generation != atomic_load(&core->generation))
		return;
	switch (msg->type) {
	case HT_PIPE_READY:
		heard_ready(core, msg);
		break;
	case HT_PIPE_FRAME:
		talk_frame(core, msg);
		break;
	case HT_PIPE_PARTS:
		talk_parts(core, msg);
		break;
	case HT_PIPE_LOST:
		talk_lost(core, msg->handle);
		break;
	case HT_PIPE_REFUSED:
		heard_refused(core, msg);
		break;
	case HT_PIPE_STATS:
		link->memory = ht_cur_u64(&cur);
		link->frames = ht_cur_u64(&cur);
		link->bytes = ht_cur_u64(&cur);
		break;
	case HT_PIPE_FLOOD:
		link->floods++;
		rule_strike(core, msg->user, ht_cur_u64(&cur));
		break;
	default:
		link_restart(core, "it says what no front says");
		break;
	}
}

void
link_read(struct core *core)
{
	struct link *link = &core->link;

	for (int i = 0; i < 4 && link->pid != 0; i++) {
		struct ht_pipe_msg msg;
		enum ht_err err = ht_pipe_in_fill(&link->in);

		if (err == HT_EAGAIN)
			return;
		if (err != HT_OK) {
			end_front(core);
			return;
		}
		while (link->pid != 0 &&
		       (err = ht_pipe_in_next(&link->in, &msg)) == HT_OK)
			heard(core, &msg);
		if (link->pid != 0 && err == HT_EMALFORMED)
			link_restart(core, "its stream is broken");
	}
}

/* ---- time ---- */

static uint64_t
memory_of(pid_t pid)
{
	unsigned long size, resident = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	fclose(file);
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

void
link_tick(struct core *core, uint64_t now_ms)
{
	struct link *link = &core->link;
	uint8_t body[4];
	unsigned long long credit;

	if (link->pid == 0) {
		if (now_ms < link->restart_ms)
			return;
		if (link_start(core) != HT_OK) {
			ht_log(HT_ERROR, "broker: cannot start a front: %s",
			    strerror(errno));
			plan_restart(link);
		}
		return;
	}
	credit = atomic_exchange(&core->credit, 0);
	if (credit > 0) {
		ht_be32(body, (uint32_t)credit);
		tell(core, HT_PIPE_CREDIT, HT_SLICE(body, sizeof(body)));
	}
	if (now_ms < core->watch_ms)
		return;
	core->watch_ms = now_ms + WATCH_MS;
	/* It watches itself, and says who did it; this is for when it can't. */
	if (memory_of(link->pid) <= core->conf->front_memory * 3 / 2)
		link->heavy = 0;
	else if (++link->heavy >= HEAVY_LOOKS)
		link_restart(core, "it takes too much memory");
}
