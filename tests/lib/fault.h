/*
 * fault.h -- fail the nth allocation, for every n.
 *
 *	TORTURE(err = ht_thing_new(&thing))
 *	{
 *		assert_int_equal(err, HT_ENOMEM);
 *		assert_null(thing);
 *	}
 *	assert_ok(err);		(the run with nothing left to fail)
 *
 * The linker's --wrap puts the seams in; a fault is the calling thread's own.
 */
#ifndef HT_TESTS_LIB_FAULT_H
#define HT_TESTS_LIB_FAULT_H

#include <stdbool.h>

/* Let the nth allocation from now fail (0: none). */
void ht_fault_arm(unsigned nth);
/* Disarm; true if it had come to the failure. */
bool ht_fault_fired(void);

#define TORTURE(attempt)                                                       \
	for (unsigned torture_n_ = 1;                                          \
	     ht_fault_arm(torture_n_++), (attempt), ht_fault_fired();)

#endif
