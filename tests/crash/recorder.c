/*
 * recorder.c -- loaded before libc (LD_PRELOAD): writes down what a process
 * does to the files below one folder, and makes its calls fail on demand.
 *
 *   HT_CRASH_ROOT   the folder; nothing outside it is looked at
 *   HT_CRASH_TRACE  where the trace goes (trace.h); unset: no trace
 *   HT_CRASH_FAULT  CALL:KIND:N, see faults below; unset: no fault
 *   HT_CRASH_FIRED  a file that is made when the fault came to pass
 *
 * One lock is held over each call and its record, so the trace has one order
 * and it is the true one.  A record is one write to a file opened O_APPEND:
 * what other processes append (marks) has its place in the same order.
 */
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/crash/trace.h"

#define FDS_MAX  4096
#define PATH_LEN 512
#define IOV_MAX_ 1024

struct file {
	bool known;
	bool dir;
	bool durable; /* O_DSYNC or O_SYNC */
	bool mapped;  /* LMDB's lock file: shared memory, not data */
	uint64_t ino;
	char path[PATH_LEN];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file files[FDS_MAX];
static char root[PATH_LEN];
static int trace = -1;

/* The symbol that comes after ours: libc's. */
#define REAL(ret, name, ...)                                                   \
	static ret (*real_##name)(__VA_ARGS__);                                \
	if (real_##name == NULL)                                               \
	*(void **)&real_##name = dlsym(RTLD_NEXT, #name)

/* ---- the trace ---- */

static void
emit(const struct trace_head *head, const char *path, const char *path2,
    const struct iovec *data, int n)
{
	struct iovec parts[3 + IOV_MAX_] = {
	    {(void *)(uintptr_t)head,  sizeof(*head)  },
	    {(void *)(uintptr_t)path,  head->path_len },
	    {(void *)(uintptr_t)path2, head->path2_len}
        };
	int saved = errno;

	if (trace == -1)
		return;
	if (n > 0)
		memcpy(&parts[3], data, (size_t)n * sizeof(*data));
	if (syscall(SYS_writev, trace, parts, 3 + n) == -1)
		abort();
	errno = saved;
}

static void
say(enum trace_kind kind, const char *path, const char *path2, uint64_t ino,
    uint64_t offset)
{
	struct trace_head head = {.kind = (uint8_t)kind,
	    .path_len = (uint16_t)strlen(path),
	    .path2_len = (uint16_t)strlen(path2),
	    .ino = ino,
	    .offset = offset};

	emit(&head, path, path2, NULL, 0);
}

static void
say_text(enum trace_kind kind, const char *text)
{
	struct iovec data = {(void *)(uintptr_t)text, strlen(text)};
	struct trace_head head = {
	    .kind = (uint8_t)kind, .data_len = (uint32_t)data.iov_len};

	emit(&head, "", "", &data, 1);
}

/* For the recorded program itself: what it has just been told, or told. */
void crash_mark(const char *text);
void
crash_mark(const char *text)
{
	pthread_mutex_lock(&lock);
	say_text(TRACE_MARK, text);
	pthread_mutex_unlock(&lock);
}

/* ---- faults ---- */

/*
 * The Nth call (from 1) of this name, or of any, does not do its work; with
 * "@WORD" after the name, of those on paths that have it:
 *
 *   eio, enospc   it fails with that error; with a "+" all later ones fail too
 *   short         half of it is written
 *   kill          the process is killed before it
 *   flip          one bit of what it writes is another, and nobody is told:
 *                 of the bytes HT_CRASH_NEEDLE (hex) if given, else a random
 * one
 */
static struct {
	char call[16];
	char where[32];
	char kind[16];
	bool sticky;
	unsigned long n, seen;
	unsigned char needle[64];
	size_t needle_len;
} fault;

static void
read_needle(void)
{
	const char *hex = getenv("HT_CRASH_NEEDLE");
	unsigned byte;

	for (; hex != NULL && fault.needle_len < sizeof(fault.needle) &&
	       sscanf(hex, "%2x", &byte) == 1;
	     hex += 2)
		fault.needle[fault.needle_len++] = (unsigned char)byte;
}

static void
read_fault(void)
{
	const char *text = getenv("HT_CRASH_FAULT");
	char call[40], *plus;

	if (text == NULL || sscanf(text, "%39[^:]:%15[^:]:%lu", call,
	                        fault.kind, &fault.n) != 3)
		return;
	(void)sscanf(call, "%15[^@]@%31s", fault.call, fault.where);
	plus = strchr(fault.kind, '+');
	if (plus != NULL) {
		fault.sticky = true;
		*plus = '\0';
	}
	read_needle();
}

static void
fired(const char *call, const char *where)
{
	const char *path = getenv("HT_CRASH_FIRED");
	char text[PATH_LEN + 64];
	int fd;

	(void)snprintf(
	    text, sizeof(text), "%s /%s %s", call, where, fault.kind);
	say_text(TRACE_FAULT, text);
	if (path == NULL)
		return;
	fd = (int)syscall(SYS_openat, AT_FDCWD, path,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	(void)!syscall(SYS_write, fd, text, strlen(text));
	(void)syscall(SYS_close, fd);
}

/* The kind of fault that this call gets, or NULL. */
static const char *
fault_of(const char *call, const char *where)
{
	if (fault.n == 0 || strstr(where, fault.where) == NULL ||
	    (strcmp(fault.call, "any") != 0 && strcmp(fault.call, call) != 0))
		return NULL;
	fault.seen++;
	if (fault.seen < fault.n || (fault.seen > fault.n && !fault.sticky))
		return NULL;
	if (fault.seen == fault.n)
		fired(call, where);
	if (strcmp(fault.kind, "kill") == 0)
		(void)raise(SIGKILL);
	return fault.kind;
}

/* Halves and flipped bits are of what writes. */
static bool
writes_only(void)
{
	return strcmp(fault.kind, "short") == 0 ||
	       strcmp(fault.kind, "flip") == 0;
}

/* True: the call has failed, with errno. */
static bool
fails(const char *call, const char *where)
{
	const char *kind = writes_only() ? NULL : fault_of(call, where);

	if (kind == NULL)
		return false;
	errno = strcmp(kind, "eio") == 0 ? EIO : ENOSPC;
	return true;
}

/* ---- which descriptors are ours ---- */

static struct file *
file_of(int fd)
{
	return fd >= 0 && fd < FDS_MAX && files[fd].known ? &files[fd] : NULL;
}

/* The path below the root, without the root; NULL: elsewhere. */
static const char *
below(const char *path)
{
	size_t len = strlen(root);

	if (len == 0 || path == NULL)
		return NULL;
	if (strncmp(path, root, len) != 0 ||
	    (path[len] != '/' && path[len] != '\0'))
		return NULL;
	return path[len] == '/' ? path + len + 1 : "";
}

static void
alien(const char *call, const char *path)
{
	char text[PATH_LEN + 64];

	(void)snprintf(text, sizeof(text), "%s of %s", call, path);
	say_text(TRACE_ALIEN, text);
}

static void
opened(int fd, const char *path, int flags, bool existed)
{
	struct stat st;
	struct file *f = &files[fd];

	if (fd >= FDS_MAX || fstat(fd, &st) == -1)
		abort();
	*f = (struct file){.known = true,
	    .dir = S_ISDIR(st.st_mode),
	    .durable = (flags & O_DSYNC) != 0,
	    .mapped = strstr(path, "lock.mdb") != NULL ||
	              strstr(path, ".new-lock") != NULL,
	    .ino = st.st_ino};
	(void)snprintf(f->path, sizeof(f->path), "%s", path);
	if ((flags & O_CREAT) && !existed)
		say(TRACE_CREATE, path, "", f->ino, 0);
	else if (flags & O_TRUNC)
		say(TRACE_SIZE, "", "", f->ino, 0);
	if (flags & O_APPEND)
		alien("open with O_APPEND", path);
}

static int
open_any(int at, const char *path, int flags, mode_t mode)
{
	const char *rel = below(path);
	bool existed;
	int fd = -1;

	if (rel == NULL)
		return (int)syscall(SYS_openat, at, path, flags, mode);
	pthread_mutex_lock(&lock);
	existed = access(path, F_OK) == 0;
	/* Reading alone is no step towards losing anything. */
	if ((flags & O_ACCMODE) == O_RDONLY || !fails("open", rel))
		fd = (int)syscall(SYS_openat, at, path, flags, mode);
	if (fd != -1)
		opened(fd, rel, flags, existed);
	pthread_mutex_unlock(&lock);
	return fd;
}

#define OPEN_MODE(flags)                                                       \
	mode_t mode = 0;                                                       \
	if ((flags) & (O_CREAT | O_TMPFILE)) {                                 \
		va_list ap;                                                    \
		va_start(ap, flags);                                           \
		mode = (mode_t)va_arg(ap, int);                                \
		va_end(ap);                                                    \
	}

int
open(const char *path, int flags, ...)
{
	OPEN_MODE(flags)
	return open_any(AT_FDCWD, path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
	OPEN_MODE(flags)
	return open_any(AT_FDCWD, path, flags, mode);
}

int
openat(int at, const char *path, int flags, ...)
{
	OPEN_MODE(flags)
	return open_any(at, path, flags, mode);
}

int
openat64(int at, const char *path, int flags, ...)
{
	OPEN_MODE(flags)
	return open_any(at, path, flags, mode);
}

/* What a fortified program calls. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int
__open_2(const char *path, int flags)
{
	return open_any(AT_FDCWD, path, flags, 0);
}

int
__open64_2(const char *path, int flags)
{
	return open_any(AT_FDCWD, path, flags, 0);
}

int
mkostemp(char *path, int flags)
{
	const char *rel;
	int fd;

	REAL(int, mkostemp, char *, int);
	if (below(path) == NULL)
		return real_mkostemp(path, flags);
	pthread_mutex_lock(&lock);
	fd = fails("open", below(path)) ? -1 : real_mkostemp(path, flags);
	rel = below(path);
	if (fd != -1)
		opened(fd, rel, flags | O_CREAT, false);
	pthread_mutex_unlock(&lock);
	return fd;
}

int
close(int fd)
{
	pthread_mutex_lock(&lock);
	if (fd >= 0 && fd < FDS_MAX)
		files[fd].known = false;
	pthread_mutex_unlock(&lock);
	return (int)syscall(SYS_close, fd);
}

int
dup(int fd)
{
	if (file_of(fd) != NULL)
		alien("dup", files[fd].path);
	return (int)syscall(SYS_dup, fd);
}

int
dup2(int fd, int to)
{
	if (file_of(fd) != NULL)
		alien("dup2", files[fd].path);
	return (int)syscall(SYS_dup2, fd, to);
}

void *
mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	struct file *f = file_of(fd);

	if (f != NULL && (prot & PROT_WRITE) && (flags & MAP_SHARED) &&
	    !f->mapped)
		alien("a writable map", f->path);
	return (void *)syscall(SYS_mmap, at, len, prot, flags, fd, offset);
}

void *
mmap64(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	return mmap(at, len, prot, flags, fd, offset);
}

/* ---- writing ---- */

static void
wrote(const struct file *f, off_t offset, const struct iovec *iov, int n,
    size_t len)
{
	struct iovec kept[IOV_MAX_];
	struct trace_head head = {.kind = TRACE_WRITE,
	    .flags = f->durable ? TRACE_DURABLE : 0,
	    .ino = f->ino,
	    .offset = (uint64_t)offset,
	    .data_len = (uint32_t)len};
	int m = 0;

	for (; m < n && len > 0; m++) {
		kept[m] = iov[m];
		if (kept[m].iov_len > len)
			kept[m].iov_len = len;
		len -= kept[m].iov_len;
	}
	emit(&head, "", "", kept, m);
}

static size_t
gather(const struct iovec *iov, int n, unsigned char **ret)
{
	size_t len = 0, at = 0;

	for (int i = 0; i < n; i++)
		len += iov[i].iov_len;
	*ret = malloc(len + 1);
	if (*ret == NULL)
		abort();
	for (int i = 0; i < n; i++) {
		memcpy(*ret + at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	return len;
}

static bool
has_needle(const unsigned char *bytes, size_t len)
{
	return fault.needle_len == 0 ||
	       memmem(bytes, len, fault.needle, fault.needle_len) != NULL;
}

/* A bit in each copy of the needle: which is the live one, LMDB knows. */
static void
flip(unsigned char *bytes, size_t len)
{
	unsigned char *at = bytes, *end = bytes + len;

	if (fault.needle_len == 0) {
		srandom((unsigned)fault.n);
		bytes[(size_t)random() % len] ^= 0x10;
		return;
	}
	while ((at = memmem(at, (size_t)(end - at), fault.needle,
	            fault.needle_len)) != NULL)
		*at++ ^= 0x10;
}

static ssize_t
write_flipped(
    const char *call, int fd, off_t offset, const struct iovec *iov, int n)
{
	unsigned char *bytes;
	size_t len = gather(iov, n, &bytes);
	struct iovec one = {bytes, len};
	ssize_t rc;

	if (has_needle(bytes, len) && fault_of(call, files[fd].path) != NULL)
		flip(bytes, len);
	rc = syscall(SYS_pwrite64, fd, bytes, len, offset);
	if (rc > 0)
		wrote(&files[fd], offset, &one, 1, (size_t)rc);
	free(bytes);
	return rc;
}

static ssize_t
write_half(int fd, off_t offset, const struct iovec *iov, int n)
{
	unsigned char *bytes;
	size_t len = gather(iov, n, &bytes);
	struct iovec one = {bytes, len};
	ssize_t rc = syscall(SYS_pwrite64, fd, bytes, (len + 1) / 2, offset);

	if (rc > 0)
		wrote(&files[fd], offset, &one, 1, (size_t)rc);
	free(bytes);
	return rc;
}

/* All writing ends here; the offset is known, and the lock is held. */
static ssize_t
write_locked(
    const char *call, int fd, off_t offset, const struct iovec *iov, int n)
{
	const char *kind;
	ssize_t rc;

	if (n > IOV_MAX_)
		abort();
	if (fault.n > 0 && strcmp(fault.kind, "flip") == 0)
		return write_flipped(call, fd, offset, iov, n);
	kind = fault_of(call, files[fd].path);
	if (kind != NULL && strcmp(kind, "short") == 0)
		return write_half(fd, offset, iov, n);
	if (kind != NULL) {
		errno = strcmp(kind, "eio") == 0 ? EIO : ENOSPC;
		return -1;
	}
	rc = syscall(SYS_pwritev, fd, iov, n, offset, 0L);
	if (rc > 0)
		wrote(&files[fd], offset, iov, n, (size_t)rc);
	return rc;
}

static ssize_t
write_any(
    const char *call, int fd, off_t offset, const struct iovec *iov, int n)
{
	ssize_t rc;

	pthread_mutex_lock(&lock);
	rc = write_locked(call, fd, offset, iov, n);
	pthread_mutex_unlock(&lock);
	return rc;
}

/* Where the descriptor stands; it moves by what was written. */
static ssize_t
write_here(const char *call, int fd, const struct iovec *iov, int n)
{
	off_t at = (off_t)syscall(SYS_lseek, fd, 0L, SEEK_CUR);
	ssize_t rc = write_any(call, fd, at, iov, n);

	if (rc > 0)
		(void)syscall(SYS_lseek, fd, at + rc, SEEK_SET);
	return rc;
}

ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	struct iovec iov = {(void *)(uintptr_t)bytes, len};

	if (file_of(fd) == NULL)
		return syscall(SYS_pwrite64, fd, bytes, len, offset);
	return write_any("pwrite", fd, offset, &iov, 1);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t len, off_t offset)
{
	return pwrite(fd, bytes, len, offset);
}

ssize_t
write(int fd, const void *bytes, size_t len)
{
	struct iovec iov = {(void *)(uintptr_t)bytes, len};

	if (file_of(fd) == NULL)
		return syscall(SYS_write, fd, bytes, len);
	return write_here("write", fd, &iov, 1);
}

ssize_t
writev(int fd, const struct iovec *iov, int n)
{
	if (file_of(fd) == NULL)
		return syscall(SYS_writev, fd, iov, n);
	return write_here("writev", fd, iov, n);
}

ssize_t
pwritev(int fd, const struct iovec *iov, int n, off_t offset)
{
	if (file_of(fd) == NULL)
		return syscall(SYS_pwritev, fd, iov, n, offset, 0L);
	return write_any("pwritev", fd, offset, iov, n);
}

ssize_t
pwritev64(int fd, const struct iovec *iov, int n, off_t offset)
{
	return pwritev(fd, iov, n, offset);
}

/* ---- sizes ---- */

int
ftruncate(int fd, off_t size)
{
	int rc = -1;

	if (file_of(fd) == NULL)
		return (int)syscall(SYS_ftruncate, fd, size);
	pthread_mutex_lock(&lock);
	if (!fails("ftruncate", files[fd].path))
		rc = (int)syscall(SYS_ftruncate, fd, size);
	if (rc == 0)
		say(TRACE_SIZE, "", "", files[fd].ino, (uint64_t)size);
	pthread_mutex_unlock(&lock);
	return rc;
}

int
ftruncate64(int fd, off_t size)
{
	return ftruncate(fd, size);
}

int
fallocate(int fd, int mode, off_t offset, off_t len)
{
	int rc = -1;

	/* Blocks set aside behind the end hold nothing that could be lost. */
	if (file_of(fd) == NULL || mode == FALLOC_FL_KEEP_SIZE)
		return (int)syscall(SYS_fallocate, fd, mode, offset, len);
	pthread_mutex_lock(&lock);
	if (mode != 0)
		alien("fallocate with a mode", files[fd].path);
	if (!fails("fallocate", files[fd].path))
		rc = (int)syscall(SYS_fallocate, fd, mode, offset, len);
	if (rc == 0)
		say(TRACE_EXTEND, "", "", files[fd].ino,
		    (uint64_t)(offset + len));
	pthread_mutex_unlock(&lock);
	return rc;
}

int
fallocate64(int fd, int mode, off_t offset, off_t len)
{
	return fallocate(fd, mode, offset, len);
}

int
posix_fallocate(int fd, off_t offset, off_t len)
{
	return fallocate(fd, 0, offset, len) == 0 ? 0 : errno;
}

int
posix_fallocate64(int fd, off_t offset, off_t len)
{
	return posix_fallocate(fd, offset, len);
}

/* ---- syncing ---- */

static int
sync_any(const char *call, enum trace_kind kind, int fd, long number)
{
	int rc = -1;

	if (file_of(fd) == NULL)
		return (int)syscall(number, fd);
	pthread_mutex_lock(&lock);
	if (!fails(call, files[fd].path))
		rc = (int)syscall(number, fd);
	if (rc == 0 && files[fd].dir)
		say(TRACE_SYNC_DIR, files[fd].path, "", files[fd].ino, 0);
	else if (rc == 0)
		say(kind, "", "", files[fd].ino, 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

int
fsync(int fd)
{
	return sync_any("fsync", TRACE_SYNC, fd, SYS_fsync);
}

int
fdatasync(int fd)
{
	return sync_any("fdatasync", TRACE_DATASYNC, fd, SYS_fdatasync);
}

int
msync(void *at, size_t len, int flags)
{
	return (int)syscall(SYS_msync, at, len, flags);
}

/* ---- names ---- */

int
rename(const char *from, const char *to)
{
	const char *rel = below(from), *rel2 = below(to);
	int rc = -1;

	if (rel == NULL || rel2 == NULL)
		return (int)syscall(SYS_rename, from, to);
	pthread_mutex_lock(&lock);
	if (!fails("rename", rel))
		rc = (int)syscall(SYS_rename, from, to);
	if (rc == 0)
		say(TRACE_RENAME, rel, rel2, 0, 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

int
unlink(const char *path)
{
	const char *rel = below(path);
	int rc = -1;

	if (rel == NULL)
		return (int)syscall(SYS_unlink, path);
	pthread_mutex_lock(&lock);
	if (!fails("unlink", rel))
		rc = (int)syscall(SYS_unlink, path);
	if (rc == 0)
		say(TRACE_UNLINK, rel, "", 0, 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

int
mkdir(const char *path, mode_t mode)
{
	const char *rel = below(path);
	int rc = -1;

	if (rel == NULL)
		return (int)syscall(SYS_mkdir, path, mode);
	pthread_mutex_lock(&lock);
	if (!fails("mkdir", rel))
		rc = (int)syscall(SYS_mkdir, path, mode);
	if (rc == 0)
		say(TRACE_MKDIR, rel, "", 0, 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

int
link(const char *from, const char *to)
{
	const char *rel = below(from), *rel2 = below(to);
	int rc = -1;

	if (rel == NULL && rel2 == NULL)
		return (int)syscall(SYS_link, from, to);
	pthread_mutex_lock(&lock);
	if (!fails("link", rel2 != NULL ? rel2 : rel))
		rc = (int)syscall(SYS_link, from, to);
	if (rc == 0 && (rel == NULL || rel2 == NULL))
		alien("link from elsewhere", to);
	else if (rc == 0)
		say(TRACE_LINK, rel, rel2, 0, 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

/* ---- beginning ---- */

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("HT_CRASH_TRACE");
	const char *dir = getenv("HT_CRASH_ROOT");

	if (dir == NULL)
		return;
	(void)snprintf(root, sizeof(root), "%s", dir);
	read_fault();
	if (path == NULL)
		return;
	trace = (int)syscall(SYS_openat, AT_FDCWD, path,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (trace == -1)
		abort();
}
