/* A clock that can be moved while a program runs: preloaded, it answers for the clock a person can set, and for nothing
 * else. The steady clocks, sleeping and waiting are the machine's own.
 *
 * libfaketime does the same and more: it also stands between a program and its sleep, and Python's `time.sleep` fails
 * under it with EINVAL as soon as its steady clock is left alone.
 *
 * CLOCK_FILE names a file of eight bytes: by how many nanoseconds this clock is ahead. Compiled without any header, so
 * that a compiler is all it takes.
 */

struct timespec { long s, ns; };
struct timeval { long s, us; };

extern long syscall(long number, ...);
extern char *getenv(const char *name);
extern int open(const char *path, int flags, ...);
extern int close(int file);
extern void *mmap(void *at, unsigned long length, int protection, int flags, int file, long offset);

#if defined(__x86_64__)
enum { CLOCK_GETTIME = 228 };
#elif defined(__aarch64__)
enum { CLOCK_GETTIME = 113 };
#else
#error "the number of clock_gettime on this machine is not known here"
#endif

enum { REALTIME = 0, REALTIME_COARSE = 5, READ = 1, SHARED = 1, SECOND = 1000000000 };

static const long right = 0;
static const volatile long *ahead_ns = &right;

__attribute__((constructor)) static void open_clock(void) {
    const char *path = getenv("CLOCK_FILE");
    int file = path ? open(path, 0) : -1;
    if (file < 0) return;
    void *found = mmap(0, sizeof(long), READ, SHARED, file, 0);
    if (found != (void *)-1) ahead_ns = found;
    close(file);
}

int clock_gettime(int clock, struct timespec *at) {
    long failed = syscall(CLOCK_GETTIME, clock, at);
    if (failed || (clock != REALTIME && clock != REALTIME_COARSE)) return (int)failed;
    long ns = at->ns + *ahead_ns % SECOND + SECOND;
    at->s += *ahead_ns / SECOND + ns / SECOND - 1;
    at->ns = ns % SECOND;
    return 0;
}

int gettimeofday(struct timeval *at, void *zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(REALTIME, &now);
    at->s = now.s;
    at->us = now.ns / 1000;
    return 0;
}

/* Nobody keeps this clock right, whatever the machine's own kernel would say of its. */
int adjtimex(void *timex) {
    (void)timex;
    return 5;
}

long time(long *at) {
    struct timespec now;
    clock_gettime(REALTIME_COARSE, &now);
    if (at) *at = now.s;
    return now.s;
}
