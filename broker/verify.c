#include "broker/verify.h"

#include <pthread.h>
#include <stdlib.h>

#include "broker/pipe.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"

#define PARCELS_MAX 65536
#define BATCH       4 /* a lone one waits for nobody, many share a lock */

struct ht_verifier {
	struct ht_queue *parcels;
	struct ht_trust_box *box;
	struct ht_committer *committer;
	size_t n;
	pthread_t threads[];
};

static void
verify(struct ht_verifier *v, struct ht_parcel *parcel)
{
	struct ht_trust *trust = ht_box_get(v->box, NULL);

	ht_parcel_check(parcel, trust, ht_clock_wall_ms());
	ht_trust_unref(&trust);
	if (ht_committer_parcel(v->committer, &parcel) != HT_OK)
		/* Stopping, or no memory: the sender will ask again. */
		ht_parcel_free(&parcel);
}

static void *
run(void *arg)
{
	struct ht_verifier *v = arg;
	void *parcels[BATCH];
	size_t n;

	(void)pthread_setname_np(pthread_self(), "verifier");
	while ((n = ht_queue_pop(v->parcels, parcels, BATCH, -1)) > 0)
		for (size_t i = 0; i < n; i++)
			verify(v, parcels[i]);
	return NULL;
}

enum ht_err
ht_verifier_start(size_t threads, struct ht_trust_box *box,
    struct ht_committer *committer, struct ht_verifier **ret)
{
	struct ht_verifier *v =
	    calloc(1, sizeof(*v) + threads * sizeof(v->threads[0]));
	enum ht_err err;

	if (v == NULL)
		return HT_ENOMEM;
	v->box = box;
	v->committer = committer;
	err = ht_queue_new(
	    PARCELS_MAX, HT_PIPE_WINDOW + HT_PIPE_MAX, false, &v->parcels);
	while (err == HT_OK && v->n < threads) {
		if (pthread_create(&v->threads[v->n], NULL, run, v) != 0)
			err = HT_ESYSTEM;
		else
			v->n++;
	}
	if (err != HT_OK) {
		ht_verifier_stop(&v);
		return err;
	}
	*ret = v;
	return HT_OK;
}

static void
drop(void *item)
{
	struct ht_parcel *parcel = item;

	ht_parcel_free(&parcel);
}

void
ht_verifier_stop(struct ht_verifier **verifier_p)
{
	struct ht_verifier *v = HT_TAKE(*verifier_p);

	if (v == NULL)
		return;
	if (v->parcels != NULL)
		ht_queue_close(v->parcels);
	for (size_t i = 0; i < v->n; i++)
		HT_ASSERT(pthread_join(v->threads[i], NULL) == 0);
	ht_queue_free(&v->parcels, drop);
	free(v);
}

enum ht_err
ht_verifier_push(struct ht_verifier *verifier, struct ht_parcel **parcel_p)
{
	enum ht_err err;

	ht_committer_expect(verifier->committer);
	err =
	    ht_queue_push(verifier->parcels, *parcel_p, (*parcel_p)->frame_len);
	if (err == HT_OK)
		*parcel_p = NULL;
	else
		ht_committer_forget(verifier->committer);
	return err;
}

size_t
ht_verifier_depth(const struct ht_verifier *verifier)
{
	return ht_queue_depth(verifier->parcels);
}
