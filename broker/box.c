#include "broker/box.h"

#include "lib/base/panic.h"

void
ht_box_init(struct ht_trust_box *box, struct ht_trust *trust)
{
	HT_ASSERT(pthread_mutex_init(&box->lock, NULL) == 0);
	box->trust = ht_trust_ref(trust);
	box->place = 0;
}

void
ht_box_fini(struct ht_trust_box *box)
{
	ht_trust_unref(&box->trust);
	HT_ASSERT(pthread_mutex_destroy(&box->lock) == 0);
}

struct ht_trust *
ht_box_get(struct ht_trust_box *box, uint64_t *ret_place)
{
	struct ht_trust *trust;

	HT_ASSERT(pthread_mutex_lock(&box->lock) == 0);
	trust = ht_trust_ref(box->trust);
	if (ret_place != NULL)
		*ret_place = box->place;
	HT_ASSERT(pthread_mutex_unlock(&box->lock) == 0);
	return trust;
}

void
ht_box_set(struct ht_trust_box *box, struct ht_trust *trust, uint64_t place)
{
	struct ht_trust *old;

	HT_ASSERT(pthread_mutex_lock(&box->lock) == 0);
	old = box->trust;
	box->trust = ht_trust_ref(trust);
	box->place = place;
	HT_ASSERT(pthread_mutex_unlock(&box->lock) == 0);
	ht_trust_unref(&old);
}
