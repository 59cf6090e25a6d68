// The journal: two files of fixed size beside data.mdb, written one after the other. A group of strokes is one record,
// flushed before append() returns: one write and one flush of a place that the file already has, where LMDB writes some
// pages for each stroke. docs/storage_format.md says what survives what.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "inkmesh/effect.h"
#include "store/journal_record.h"

namespace inkmesh::store {

/// What the journal held when it was opened.
struct JournalFound {
  struct Segment {
    std::uint64_t generation = 0;
    std::vector<Append::Item> items;
  };
  /// Those past the applied generation, oldest first; two at most.
  std::vector<Segment> segments;
  /// Records are missing between others: what they held was perhaps acknowledged.
  bool damaged = false;
};

/// Not thread-safe.
class Journal {
 public:
  /// Opens or makes the files in `folder`, and reads what they hold past the generation `applied`. Throws StoreError.
  Journal(const std::string& folder, std::size_t segment_bytes, std::uint64_t applied);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Once: what was found at the start.
  JournalFound take_found();

  /// Of the file that is written.
  const std::string& path() const {
    return files_[active_].path;
  }
  /// The generation of the segment that is written.
  std::uint64_t generation() const {
    return generation_;
  }
  std::size_t segment_bytes() const {
    return segment_bytes_;
  }
  bool fits(const JournalRecordWriter& record) const {
    return offset_ + record.bytes() <= segment_bytes_;
  }
  /// Writes and flushes. 0, or the errno with which it failed: then nothing of it counts as written.
  /// `flush_failed` is set when it was the flush that failed: nothing may be written any more.
  int append(JournalRecordWriter& record, bool& flush_failed);
  /// The other file from its begin, in a new generation. What that one held must be applied.
  void next_segment();

 private:
  struct File {
    std::string path;
    int fd = -1;
  };

  void open_file(File& file);
  void make_file(const File& file) const;
  std::string contents(const File& file) const;
  void recover(std::uint64_t applied);

  const std::size_t segment_bytes_;
  std::array<File, 2> files_;
  std::size_t active_ = 0;
  std::uint64_t generation_ = 0;
  std::size_t offset_ = 0;
  std::uint64_t previous_ = 0;  ///< the last record's checksum, or the generation
  JournalFound found_;
};

}  // namespace inkmesh::store
