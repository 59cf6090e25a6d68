#include "faults.h"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace inkmesh::store {

Faults faults;

FaultsEnd::~FaultsEnd() {
  faults.fdatasync_errno = 0;
  faults.fallocate_errno = 0;
  faults.write_errno = 0;
  faults.write_short = false;
}

namespace {

bool fails(const std::atomic<int>& with) {
  const int error = with;
  if (error != 0) errno = error;
  return error != 0;
}

}  // namespace
}  // namespace inkmesh::store

using inkmesh::store::fails;
using inkmesh::store::faults;

extern "C" {

int fdatasync(int fd) {
  ++faults.fdatasync_calls;
  return fails(faults.fdatasync_errno) ? -1 : static_cast<int>(syscall(SYS_fdatasync, fd));
}

int fallocate(int fd, int mode, off_t offset, off_t length) {
  return fails(faults.fallocate_errno) ? -1 : static_cast<int>(syscall(SYS_fallocate, fd, mode, offset, length));
}

ssize_t pwrite(int fd, const void* bytes, size_t count, off_t offset) {
  if (fails(faults.write_errno)) return -1;
  return syscall(SYS_pwrite64, fd, bytes, faults.write_short ? count - 1 : count, offset);
}

ssize_t writev(int fd, const iovec* parts, int count) {
  if (fails(faults.write_errno)) return -1;
  return syscall(SYS_writev, fd, parts, faults.write_short ? count - 1 : count);
}
}
