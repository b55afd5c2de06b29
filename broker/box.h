/*
 * box.h -- the trust in force, as all threads of the core see it.
 */
#ifndef HT_BROKER_BOX_H
#define HT_BROKER_BOX_H

#include <pthread.h>

#include "schemas/trust.h"

struct ht_trust_box {
	pthread_mutex_t lock;
	struct ht_trust *trust;
	uint64_t place; /* of its SNAPSHOT entry */
};
/* Takes a count of its own. */
void ht_box_init(struct ht_trust_box *box, struct ht_trust *trust);
void ht_box_fini(struct ht_trust_box *box);
/* Counted for the caller; @ret_place may be NULL. */
struct ht_trust *ht_box_get(struct ht_trust_box *box, uint64_t *ret_place);
void ht_box_set(
    struct ht_trust_box *box, struct ht_trust *trust, uint64_t place);

#endif
