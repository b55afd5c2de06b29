/*
 * commit_jobs.c -- what other threads hand to the committer, and how they wait
 * for it.
 */
#include "broker/commit_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/panic.h"

#define PAYLOAD_MAX 1024

void
job_drop(void *item)
{
	struct job *job = item;

	ht_parcel_free(&job->parcel);
	ht_conn_unref(&job->conn);
	ht_trust_unref(&job->trust);
	ht_buf_fini(&job->note);
	free(job);
}

void
job_done(struct ht_committer *c, struct job *job)
{
	if (job->parcel != NULL) {
		struct ht_conn *conn = job->parcel->conn;

		atomic_fetch_sub(&conn->in_flight, 1);
		if (conn->generation == atomic_load(c->conf.generation))
			atomic_fetch_add(
			    c->conf.credit, job->parcel->frame_len);
	}
	ht_parcel_free(&job->parcel);
	ht_conn_unref(&job->conn);
	ht_trust_unref(&job->trust);
	ht_buf_fini(&job->note);
	if (job->waiter != NULL) {
		struct waiter *waiter = job->waiter;

		HT_ASSERT(pthread_mutex_lock(&waiter->lock) == 0);
		waiter->done = true;
		HT_ASSERT(pthread_cond_signal(&waiter->done_cond) == 0);
		HT_ASSERT(pthread_mutex_unlock(&waiter->lock) == 0);
	}
	free(job);
}

/* ---- events ---- */

static struct job *
new_job(enum job_type type)
{
	struct job *job = malloc(sizeof(*job));

	if (job == NULL)
		return NULL;
	job->type = type;
	job->parcel = NULL;
	job->conn = NULL;
	job->trust = NULL;
	job->waiter = NULL;
	job->note = HT_BUF(16384);
	job->n_payloads = 0;
	job->n_places = 0;
	return job;
}

/* The job is taken, or freed. */
static enum ht_err
push(struct ht_committer *c, struct job *job)
{
	enum ht_err err = ht_queue_push(c->jobs, job, 1);

	if (err != HT_OK)
		job_drop(job);
	return err;
}

void
ht_committer_expect(struct ht_committer *committer)
{
	atomic_fetch_add(&committer->expected, 1);
}

void
ht_committer_forget(struct ht_committer *committer)
{
	atomic_fetch_sub(&committer->expected, 1);
}

enum ht_err
ht_committer_parcel(struct ht_committer *committer, struct ht_parcel **parcel_p)
{
	struct job *job = new_job(JOB_PARCEL);
	enum ht_err err = HT_ENOMEM;

	if (job != NULL) {
		job->parcel = *parcel_p;
		/* A verifier may wait: that bounds the work at hand. */
		err = ht_queue_push_wait(committer->jobs, job, 1);
	}
	ht_committer_forget(committer);
	if (err == HT_OK)
		*parcel_p = NULL;
	else
		free(job);
	return err;
}

enum ht_err
ht_committer_refused(struct ht_committer *committer, const char *member,
    const char *node, const struct ht_hash *hash, uint64_t len, unsigned status)
{
	struct job *job = new_job(JOB_REFUSED);

	if (job == NULL)
		return HT_ENOMEM;
	snprintf(job->member, sizeof(job->member), "%s", member);
	snprintf(job->node, sizeof(job->node), "%s", node);
	job->hash = *hash;
	job->len = len;
	job->status = status;
	return push(committer, job);
}

static struct job *
about_conn(enum job_type type, struct ht_conn *conn)
{
	struct job *job = new_job(type);

	if (job != NULL)
		job->conn = ht_conn_ref(conn);
	return job;
}

/* Not to be missed: requests would go to a connection that is no more. */
static enum ht_err
push_wait(struct ht_committer *c, struct job *job)
{
	enum ht_err err;

	if (job == NULL)
		return HT_ENOMEM;
	err = ht_queue_push_wait(c->jobs, job, 1);
	if (err != HT_OK)
		job_drop(job);
	return err;
}

enum ht_err
ht_committer_up(struct ht_committer *committer, struct ht_conn *conn)
{
	return push_wait(committer, about_conn(JOB_UP, conn));
}

enum ht_err
ht_committer_down(struct ht_committer *committer, struct ht_conn *conn)
{
	return push_wait(committer, about_conn(JOB_DOWN, conn));
}

enum ht_err
ht_committer_got(struct ht_committer *committer, struct ht_conn *conn,
    const uint64_t *places, size_t n)
{
	struct job *job = about_conn(JOB_GOT, conn);

	HT_ASSERT(n <= HT_BUNDLE_MAX);
	if (job == NULL)
		return HT_ENOMEM;
	job->n_places = n;
	if (n > 0)
		memcpy(job->places, places, n * sizeof(*places));
	return push(committer, job);
}

/* ---- waiting for an entry ---- */

static enum ht_err
push_and_wait(
    struct ht_committer *committer, struct job *job, uint64_t *ret_seq)
{
	struct waiter waiter = {.done = false};
	enum ht_err err;

	HT_ASSERT(pthread_mutex_init(&waiter.lock, NULL) == 0);
	HT_ASSERT(pthread_cond_init(&waiter.done_cond, NULL) == 0);
	/* It is done, or the job dropped, before this function ends. */
	/* cppcheck-suppress autoVariables */
	job->waiter = &waiter;
	err = ht_queue_push_wait(committer->jobs, job, 1);
	if (err == HT_OK) {
		HT_ASSERT(pthread_mutex_lock(&waiter.lock) == 0);
		while (!waiter.done)
			HT_ASSERT(pthread_cond_wait(
			              &waiter.done_cond, &waiter.lock) == 0);
		HT_ASSERT(pthread_mutex_unlock(&waiter.lock) == 0);
		if (waiter.dropped)
			err = HT_EAGAIN;
		else if (waiter.err != HT_OK)
			err = waiter.err;
		else if (ret_seq != NULL)
			*ret_seq = waiter.seq;
	} else {
		job_drop(job);
	}
	HT_ASSERT(pthread_cond_destroy(&waiter.done_cond) == 0);
	HT_ASSERT(pthread_mutex_destroy(&waiter.lock) == 0);
	return err;
}

enum ht_err
ht_committer_entries(struct ht_committer *committer, unsigned type,
    const struct ht_slice *payloads, size_t n, uint64_t *ret_last)
{
	struct job *job = new_job(JOB_ENTRY);

	HT_ASSERT(n > 0 && n <= HT_BUNDLE_MAX);
	if (job == NULL)
		return HT_ENOMEM;
	job->status = type;
	job->payloads = payloads;
	job->n_payloads = n;
	return push_and_wait(committer, job, ret_last);
}

enum ht_err
ht_committer_entry(struct ht_committer *committer, unsigned type,
    struct ht_slice payload, uint64_t *ret_seq)
{
	return ht_committer_entries(committer, type, &payload, 1, ret_seq);
}

enum ht_err
ht_committer_admin(struct ht_committer *committer, const char *act,
    const char *by, const char *detail)
{
	HT_AUTO(ht_buf_fini) struct ht_buf payload = HT_BUF(PAYLOAD_MAX);

	ht_pack_map(&payload, 3);
	ht_pack_cstr(&payload, "act");
	ht_pack_cstr(&payload, act);
	ht_pack_cstr(&payload, "by");
	ht_pack_cstr(&payload, by);
	ht_pack_cstr(&payload, "detail");
	ht_pack_cstr(&payload, detail);
	if (payload.err != HT_OK)
		return payload.err;
	return ht_committer_entry(
	    committer, HT_ENTRY_ADMIN, ht_buf_slice(&payload), NULL);
}

enum ht_err
ht_committer_cosigned(
    struct ht_committer *committer, uint64_t size, struct ht_slice note)
{
	struct job *job = new_job(JOB_COSIGNED);

	if (job == NULL)
		return HT_ENOMEM;
	job->len = size;
	ht_buf_add(&job->note, note.at, note.len);
	if (job->note.err != HT_OK) {
		job_drop(job);
		return HT_ENOMEM;
	}
	return push(committer, job);
}

enum ht_err
ht_committer_volume(struct ht_committer *committer, uint64_t *ret_seq)
{
	struct job *job = new_job(JOB_VOLUME);

	return job == NULL ? HT_ENOMEM : push_and_wait(committer, job, ret_seq);
}

enum ht_err
ht_committer_keep(struct ht_committer *committer, uint64_t end)
{
	struct job *job = new_job(JOB_KEEP);

	if (job == NULL)
		return HT_ENOMEM;
	job->len = end;
	return push_and_wait(committer, job, NULL);
}

enum ht_err
ht_committer_trust(struct ht_committer *committer, struct ht_trust *trust)
{
	struct job *job = new_job(JOB_TRUST);

	if (job == NULL)
		return HT_ENOMEM;
	job->trust = ht_trust_ref(trust);
	return push_and_wait(committer, job, NULL);
}

void
ht_committer_halt(struct ht_committer *committer)
{
	atomic_store(&committer->halted, true);
}

void
ht_committer_hold(struct ht_committer *committer, bool held)
{
	atomic_store(&committer->held, held);
}

void
ht_committer_resume(struct ht_committer *committer)
{
	HT_ASSERT(pthread_mutex_lock(&committer->lock) == 0);
	committer->resume = true;
	HT_ASSERT(pthread_mutex_unlock(&committer->lock) == 0);
}

void
ht_committer_stats(
    struct ht_committer *committer, struct ht_committer_stats *ret)
{
	HT_ASSERT(pthread_mutex_lock(&committer->lock) == 0);
	*ret = committer->stats;
	HT_ASSERT(pthread_mutex_unlock(&committer->lock) == 0);
	/* Held since the last group: so will the next one find it. */
	if (atomic_load(&committer->held) && ret->admission.status == HT_ST_OK)
		ret->admission = ht_admission(false, true, ret->room, 0);
}
