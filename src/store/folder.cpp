#include "store/folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "store/lmdb_store.h"

namespace inkmesh::store {
namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw StoreError("store folder " + path + ": " + why);
}

std::string error_text(int error) {
  return std::generic_category().message(error);
}

/// The process id that the lock's holder wrote; for the message only.
std::string holder_of(int lock_fd) {
  char text[32] = {};
  const ssize_t size = pread(lock_fd, text, sizeof text - 1, 0);
  std::string holder(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!holder.empty() && holder.back() == '\n')
    holder.pop_back();
  return holder.empty() ? "another process" : "process " + holder;
}

}  // namespace

void sync_folder(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) refuse(path, "cannot be opened: " + error_text(errno));
  const int failed = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  // Some file systems have no fsync for folders; their names need none.
  if (failed != 0 && failed != EINVAL) refuse(path, "cannot be flushed to disk: " + error_text(failed));
}

const char* network_file_system(unsigned long f_type) {
  switch (f_type) {
    case 0x6969:
      return "NFS";
    case 0x517b:
    case 0xff534d42:
    case 0xfe534d42:
      return "SMB";
    case 0x01021997:
      return "9P";
    case 0x00c36400:
      return "Ceph";
    case 0x5346414f:
    case 0x6b414653:
      return "AFS";
    case 0x73757245:
      return "Coda";
    case 0x01161970:
      return "GFS2";
    case 0x7461636f:
      return "OCFS2";
    case 0x0bd00bd0:
      return "Lustre";
    case 0x65735546:
      return "FUSE";
    default:
      return nullptr;
  }
}

Folder::Folder(std::string path) : path_(std::move(path)) {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error) refuse(path_, "cannot be made: " + error.message() + ". Check storage.path and its permissions.");

  struct statfs info {};
  if (statfs(path_.c_str(), &info) != 0) refuse(path_, "cannot be looked at: " + error_text(errno));
  if (const char* name = network_file_system(static_cast<unsigned long>(info.f_type) & 0xffffffffUL)) {
    refuse(path_, std::string("is on a network file system (") + name +
                      "), where memory-mapped files lose data. Point storage.path at a local disk.");
  }

  const std::string lock_path = path_ + "/inkmesh.lock";
  lock_fd_ = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (lock_fd_ < 0) refuse(path_, "cannot make inkmesh.lock: " + error_text(errno));
  if (flock(lock_fd_, LOCK_EX | LOCK_NB) != 0) {
    const int failed = errno;
    const std::string holder = holder_of(lock_fd_);
    close(lock_fd_);
    if (failed == EWOULDBLOCK) {
      refuse(path_, "is in use by " + holder + ". Stop that one, or give this node a storage.path of its own.");
    }
    refuse(path_, "cannot lock inkmesh.lock: " + error_text(failed));
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(lock_fd_, 0) != 0 || pwrite(lock_fd_, pid.data(), pid.size(), 0) < 0) {
    // The lock holds without its text: a full disk must not keep a node from starting to read.
    return;
  }
}

Folder::~Folder() {
  close(lock_fd_);
}

void Folder::sync() const {
  sync_folder(path_);
  sync_folder(std::filesystem::absolute(path_).lexically_normal().parent_path().string());
}

}  // namespace inkmesh::store
