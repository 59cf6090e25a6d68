#include "store/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

#include "store/folder.h"
#include "store/lmdb_store.h"

namespace inkmesh::store {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& doing, int error) {
  throw StoreError("store file " + path + ": " + doing + ": " + std::generic_category().message(error));
}

/// 0 or errno.
int write_all(int fd, std::string_view bytes, std::size_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return EIO;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::size_t>(written);
  }
  return 0;
}

int flush(int fd) {
  int code = 0;
  do {
    code = fdatasync(fd) == 0 ? 0 : errno;
  } while (code == EINTR);
  return code;
}

/// One file's records, as far as they follow each other.
struct Chain {
  std::uint64_t generation = 0;
  std::uint64_t last = 0;  ///< the last record's checksum
  std::size_t end = 0;     ///< where the next record goes
  std::vector<std::string_view> payloads;
};

Chain chain_in(std::string_view bytes) {
  Chain chain;
  while (const auto record = read_journal_record(bytes.substr(std::min(chain.end, bytes.size())))) {
    const bool first = chain.payloads.empty();
    if (first) chain.generation = record->generation;
    if (record->generation != chain.generation) break;
    if (record->previous != (first ? record->generation : chain.last)) break;
    chain.last = record->checksum;
    chain.end += record->bytes();
    chain.payloads.push_back(record->payload);
  }
  return chain;
}

/// True when a record past the chain is of a generation that was not applied: one between them is lost.
bool stray_records(std::string_view bytes, std::size_t from, std::uint64_t applied) {
  for (std::size_t at = from; at < bytes.size(); at += kJournalBlockBytes) {
    const auto record = read_journal_record(bytes.substr(at));
    if (record && record->generation > applied) return true;
  }
  return false;
}

}  // namespace

Journal::Journal(const std::string& folder, std::size_t segment_bytes, std::uint64_t applied)
    : segment_bytes_(segment_bytes) {
  files_[0].path = folder + "/journal.0";
  files_[1].path = folder + "/journal.1";
  try {
    for (File& file : files_)
      open_file(file);
    // A name that a power cut takes away takes what was flushed with it.
    sync_folder(folder);
    recover(applied);
  } catch (...) {
    for (const File& file : files_) {
      if (file.fd >= 0) close(file.fd);
    }
    throw;
  }
}

Journal::~Journal() {
  for (const File& file : files_)
    close(file.fd);
}

void Journal::open_file(File& file) {
  file.fd = open(file.path.c_str(), O_RDWR | O_CLOEXEC);
  if (file.fd < 0 && errno == ENOENT) {
    make_file(file);
    file.fd = open(file.path.c_str(), O_RDWR | O_CLOEXEC);
  }
  if (file.fd < 0) fail(file.path, "cannot be opened", errno);
}

/// Whole, of zeros that are on the disk, or not at all: a later flush then has no new block to note.
void Journal::make_file(const File& file) const {
  const std::string path = file.path + ".new";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd < 0) fail(path, "cannot be made", errno);
  int code = write_all(fd, std::string(segment_bytes_, '\0'), 0);
  if (code == 0) code = flush(fd);
  close(fd);
  if (code == 0 && rename(path.c_str(), file.path.c_str()) != 0) code = errno;
  if (code != 0) {
    unlink(path.c_str());
    fail(path, "cannot be written (" + std::to_string(segment_bytes_) + " bytes)", code);
  }
}

std::string Journal::contents(const File& file) const {
  struct stat info {};
  if (fstat(file.fd, &info) != 0) fail(file.path, "cannot be looked at", errno);
  std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t got = pread(file.fd, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(file.path, "cannot be read", errno);
    if (got == 0) break;
    at += static_cast<std::size_t>(got);
  }
  bytes.resize(at);
  return bytes;
}

void Journal::recover(std::uint64_t applied) {
  generation_ = applied + 1;
  previous_ = generation_;
  std::uint64_t newest = applied;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    // After a kill a record may be in the kernel's memory and not on the disk: what is believed here must be there.
    if (const int code = flush(files_[i].fd); code != 0) fail(files_[i].path, "cannot be flushed", code);
    const std::string bytes = contents(files_[i]);
    const Chain chain = chain_in(bytes);
    const bool applied_before = chain.generation <= applied;
    if (stray_records(bytes, applied_before ? 0 : chain.end, applied)) found_.damaged = true;
    if (applied_before) continue;
    JournalFound::Segment segment{chain.generation, {}};
    for (const std::string_view payload : chain.payloads) {
      auto items = decode_journal_payload(payload);
      if (!items) {
        found_.damaged = true;
        break;
      }
      std::move(items->begin(), items->end(), std::back_inserter(segment.items));
    }
    found_.segments.push_back(std::move(segment));
    if (chain.generation <= newest) continue;
    newest = chain.generation;
    active_ = i;
    generation_ = chain.generation;
    previous_ = chain.last;
    offset_ = chain.end;
  }
  std::sort(found_.segments.begin(), found_.segments.end(),
            [](const auto& a, const auto& b) { return a.generation < b.generation; });
  // One generation follows the other, none is empty: one that is not here was in a file that is gone, or data.mdb was
  // set back to before it.
  std::uint64_t next = applied;
  for (const JournalFound::Segment& segment : found_.segments) {
    if (segment.generation != ++next) found_.damaged = true;
  }
}

JournalFound Journal::take_found() {
  return std::exchange(found_, {});
}

int Journal::append(JournalRecordWriter& record, bool& flush_failed) {
  std::uint64_t checksum = 0;
  const std::string_view bytes = record.finish(generation_, previous_, checksum);
  const int fd = files_[active_].fd;
  if (const int code = write_all(fd, bytes, offset_); code != 0) return code;
  if (const int code = flush(fd); code != 0) {
    flush_failed = true;
    return code;
  }
  offset_ += bytes.size();
  previous_ = checksum;
  return 0;
}

void Journal::next_segment() {
  active_ = 1 - active_;
  ++generation_;
  previous_ = generation_;
  offset_ = 0;
}

}  // namespace inkmesh::store
