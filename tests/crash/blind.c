/*
 * blind.c -- a control: the log does not read back what it wrote.  Linked into
 * drive-blind alone, in the place of ht_log_readback() (--wrap); if that is
 * renamed, the control catches nothing any more, and its test fails.
 */
#include "broker/log/evidence.h"

enum ht_err __wrap_ht_log_readback(struct ht_log *log);

enum ht_err
__wrap_ht_log_readback(struct ht_log *log)
{
	(void)log;
	return HT_OK;
}
