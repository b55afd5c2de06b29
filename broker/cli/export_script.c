/*
 * export_script.c -- verify.sh, carried in the program, so that a case can be
 * made where nothing else of us is installed.  The Makefile makes the lines.
 */
#include "broker/cli/export.h"

const char *const ht_case_script[] = {
#include "broker/cli/verify_sh.inc"
    NULL,
};
