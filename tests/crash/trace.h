/*
 * trace.h -- what the recorder writes down, and trace.py reads.
 *
 * A trace is records, one after another, in the order in which the calls
 * returned: the head, two paths (of so many bytes, without NUL), data.
 * Numbers are in the machine's order; a trace never leaves it.
 */
#ifndef HT_TESTS_CRASH_TRACE_H
#define HT_TESTS_CRASH_TRACE_H

#include <stdint.h>

enum trace_kind {
	TRACE_CREATE = 1,   /* path, ino: a new file */
	TRACE_WRITE = 2,    /* ino, offset, data; TRACE_DURABLE: by O_DSYNC */
	TRACE_SIZE = 3,     /* ino, offset: the new size */
	TRACE_EXTEND = 4,   /* ino, offset: the size is at least this */
	TRACE_SYNC = 5,     /* ino: fsync of a file */
	TRACE_DATASYNC = 6, /* ino: fdatasync of a file */
	TRACE_SYNC_DIR = 7, /* path */
	TRACE_RENAME = 8,   /* path, second path */
	TRACE_UNLINK = 9,   /* path */
	TRACE_MKDIR = 10,   /* path */
	TRACE_MARK = 11,    /* data: what somebody was told */
	TRACE_FAULT = 12,   /* data: the fault that was put in here */
	TRACE_ALIEN = 13, /* data: a call that no model knows; no trace then */
	TRACE_LINK = 14,  /* path, second path: another name of it */
};

#define TRACE_DURABLE 1u

struct trace_head {
	uint8_t kind;
	uint8_t flags;
	uint16_t path_len;
	uint16_t path2_len;
	uint16_t zero;
	uint64_t ino;
	uint64_t offset;
	uint32_t data_len;
	uint32_t zero2;
};
_Static_assert(sizeof(struct trace_head) == 32, "trace.py reads 32 bytes");

#endif
