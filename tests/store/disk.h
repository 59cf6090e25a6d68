// What the tests of the store on disk share: ways to hurt its file, and what a refusal said.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <lmdb.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "fixture.h"

namespace inkmesh::store {

/// What the StoreError said.
inline std::string refusal(const std::function<void()>& open) {
  try {
    open();
  } catch (const StoreError& error) {
    return error.what();
  }
  return "it was not refused";
}

inline std::string file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Flips a bit of every place in the file where `text` stands. Returns how many there were.
inline int flip(const std::string& path, const std::string& text, std::size_t offset = 0) {
  const std::string bytes = file_bytes(path);
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  int flipped = 0;
  for (std::size_t at = bytes.find(text); at != std::string::npos; at = bytes.find(text, at + 1)) {
    const char bad = static_cast<char>(bytes[at + offset] ^ 1);
    if (pwrite(fd, &bad, 1, static_cast<off_t>(at + offset)) == 1) ++flipped;
  }
  close(fd);
  return flipped;
}

/// Runs `body` in one transaction on the file's own tables, without the store.
inline void with_tables(const TemporaryFolder& folder, const std::function<void(MDB_txn*)>& body) {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  ASSERT_EQ(mdb_env_create(&env), 0);
  ASSERT_EQ(mdb_env_set_mapsize(env, 64 * kMiB), 0);
  ASSERT_EQ(mdb_env_set_maxdbs(env, 8), 0);
  ASSERT_EQ(mdb_env_open(env, folder.path().c_str(), 0, 0640), 0);
  ASSERT_EQ(mdb_txn_begin(env, nullptr, 0, &txn), 0);
  body(txn);
  ASSERT_EQ(mdb_txn_commit(txn), 0);
  mdb_env_close(env);
}

}  // namespace inkmesh::store
