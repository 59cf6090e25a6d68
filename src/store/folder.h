// The store's folder: made when missing, on a local disk, open in one process at a time.
#pragma once

#include <string>

namespace inkmesh::store {

/// Holds the folder's lock file for life. LMDB must not be open twice on one file, be it in one process or in two.
class Folder {
 public:
  /// Throws StoreError when the folder cannot be made, lies on a network file system, or is in use.
  explicit Folder(std::string path);
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const {
    return path_;
  }

  /// Makes the names of new files in the folder, and the folder's own, survive a power cut. Throws StoreError.
  void sync() const;

 private:
  std::string path_;
  int lock_fd_ = -1;
};

/// Flushes the names in a folder. Throws StoreError.
void sync_folder(const std::string& path);

/// A name for a statfs f_type that may be on another machine; null for any other.
const char* network_file_system(unsigned long f_type);

}  // namespace inkmesh::store
