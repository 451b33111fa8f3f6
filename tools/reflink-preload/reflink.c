/*
 * For programs that insist on FICLONE (cp --reflink=always, file managers, xfs_io): no FUSE file
 * system is ever asked for it, so on files of a gocryptfs-rs mount this library makes a copy
 * instead that shares its storage or fails. Every other call goes where it always went.
 *
 *   cc -O2 -shared -fPIC -o reflink.so reflink.c
 *   LD_PRELOAD=$PWD/reflink.so cp --reflink=always FILE COPY
 *
 * The numbers below are those of src/sys/sharing.rs.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ioctl_ficlonerange(2) */
#define FICLONE 0x40049409u
#define FICLONERANGE 0x4020940du
struct clone_range {
    int64_t source;
    uint64_t source_at, len, target_at;
};

#define STRICT 0xc004e901u
#define FUSE_MAGIC 0x65735546

/* <sys/ioctl.h> stays out: the C libraries disagree on the type of the number, int or long. Both
 * pass it in the same place, and only its low 32 bits count. */
typedef int ioctl_function(int, unsigned long, ...);
ioctl_function ioctl;

static int is_in_one_fuse_mount(int source, int target)
{
    struct stat from, to;
    struct statfs fs;
    return fstatfs(target, &fs) == 0 && (uint32_t)fs.f_type == FUSE_MAGIC &&
           fstat(source, &from) == 0 && fstat(target, &to) == 0 && from.st_dev == to.st_dev;
}

/* A len of 0 means to the end of the source. */
static int share(int target, const struct clone_range *range)
{
    int64_t from = range->source_at, to = range->target_at;
    struct stat source;
    if (fstat(range->source, &source) != 0)
        return -1;
    uint64_t size = source.st_size;
    uint64_t available = range->source_at < size ? size - range->source_at : 0;
    uint64_t left = range->len != 0 ? range->len : available;
    if (left > available) {
        errno = EINVAL;
        return -1;
    }
    while (left > 0) {
        size_t most = left < (1u << 30) ? left : 1u << 30;
        long done = syscall(SYS_copy_file_range, (int)range->source, &from, target, &to, most, 0);
        if (done == 0)
            errno = EINVAL; /* the source has shrunk */
        if (done == 0 || (done < 0 && errno != EINTR))
            return -1;
        left -= done > 0 ? done : 0;
    }
    return 0;
}

int ioctl(int fd, unsigned long number, ...)
{
    va_list list;
    va_start(list, number);
    void *data = va_arg(list, void *);
    va_end(list);

    ioctl_function *next = (ioctl_function *)dlsym(RTLD_NEXT, "ioctl");
    struct clone_range range = {0};
    if ((uint32_t)number == FICLONE)
        range.source = (int)(intptr_t)data;
    else if ((uint32_t)number == FICLONERANGE && data != NULL)
        range = *(struct clone_range *)data;
    else
        return next(fd, number, data);

    int before = errno;
    uint32_t strict = 1;
    if (!is_in_one_fuse_mount(range.source, fd) || next(fd, STRICT, &strict) != 0) {
        errno = before;
        return next(fd, number, data);
    }
    int result = share(fd, &range);
    int reason = result == 0 ? before : errno;
    next(fd, STRICT, &strict); /* what it was */
    errno = reason;
    return result;
}
