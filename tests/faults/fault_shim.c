// Preloaded into a node: a wall clock that can be stepped and a flush that can fail or crawl while it runs, by a small
// file that the harness writes. (libfaketime reads its own file at every look at the clock and wraps the timed waits as
// well; here the node's threads keep running as they ship.)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

// The file's layout; host.mjs knows it too.
struct control {
  volatile int64_t clock_ns;
  volatile int32_t flush_mode;
  volatile int32_t flush_delay_ms;
  volatile int64_t flushes;
  volatile int64_t flushes_hurt;
  volatile int64_t clock_reads;
};
enum { flush_failing = 1, flush_slow = 2 };

static struct control none;
static struct control* control = &none;
static int (*real_clock_gettime)(clockid_t, struct timespec*);
static int (*real_fdatasync)(int);
static int (*real_fsync)(int);

__attribute__((constructor)) static void load(void) {
  real_clock_gettime = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  real_fdatasync = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  real_fsync = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  const char* path = getenv("INKMESH_FAULT_CONTROL");
  if (path == NULL) return;
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) abort();
  void* mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) abort();
  close(fd);
  control = mapped;
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  if (real_clock_gettime == NULL) load();
  const int result = real_clock_gettime(clock, now);
  const int64_t shift_ns = control->clock_ns;
  if (result != 0 || shift_ns == 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return result;
  const int64_t ns = now->tv_sec * INT64_C(1000000000) + now->tv_nsec + shift_ns;
  now->tv_sec = ns / 1000000000;
  now->tv_nsec = ns % 1000000000;
  __atomic_fetch_add(&control->clock_reads, 1, __ATOMIC_RELAXED);
  return 0;
}

int gettimeofday(struct timeval* now, void* zone) {
  (void)zone;
  struct timespec exact;
  if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* where) {
  struct timespec exact;
  if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
  if (where != NULL) *where = exact.tv_sec;
  return exact.tv_sec;
}

static int flush(int (*real)(int), int fd) {
  __atomic_fetch_add(&control->flushes, 1, __ATOMIC_RELAXED);
  const int mode = control->flush_mode;
  if (mode == flush_failing) {
    __atomic_fetch_add(&control->flushes_hurt, 1, __ATOMIC_RELAXED);
    errno = EIO;
    return -1;
  }
  if (mode == flush_slow) {
    __atomic_fetch_add(&control->flushes_hurt, 1, __ATOMIC_RELAXED);
    usleep((useconds_t)control->flush_delay_ms * 1000);
  }
  return real(fd);
}
int fdatasync(int fd) {
  return flush(real_fdatasync, fd);
}
int fsync(int fd) {
  return flush(real_fsync, fd);
}
