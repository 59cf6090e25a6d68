#include "store/committer.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "store/commit_pace.h"

namespace inkmesh::store {
namespace {

using Clock = std::chrono::steady_clock;

// A group ends at whichever comes first. Larger ones gain nothing: the flush is shared by then, and the wait grows.
constexpr std::size_t kGroupBytesMax = std::size_t{8} << 20;
constexpr std::size_t kGroupStrokesMax = 16'384;

// Past this, strokes are worth a commit of their own, whatever its pace.
constexpr std::size_t kWorthStrokes = 128;
constexpr std::size_t kWorthBytes = std::size_t{256} << 10;

// Publishes are refused from 90 % on, and taken again below 88 %.
constexpr std::uint64_t kRefusePercent = 90;
constexpr std::uint64_t kAcceptPercent = 88;
/// While publishes are refused, the disk may be given room without a commit that would show it.
constexpr std::chrono::seconds kFillRecheckEvery{1};

struct Waiting {
  std::variant<Append, Repair, Note> write;
  std::size_t bytes = 0;
  std::size_t strokes = 0;
};

Waiting weigh(Append&& append) {
  Waiting waiting;
  for (const Append::Item& item : append.items)
    waiting.bytes += cost_of(*item.stroke);
  waiting.strokes = append.items.size();
  waiting.write = std::move(append);
  return waiting;
}

Waiting weigh(Repair&& repair) {
  Waiting waiting;
  for (const StrokePtr& stroke : repair.strokes)
    waiting.bytes += cost_of(*stroke);
  waiting.strokes = repair.strokes.size();
  waiting.write = std::move(repair);
  return waiting;
}

AppendError error_of(WriteResult result) {
  return result == WriteResult::full ? AppendError::full : AppendError::failed;
}

}  // namespace

struct Committer::Impl {
  using Query = std::variant<Read, FindSince, FindOp>;

  Impl(Store& store_, Durability durability, std::uint32_t interval_ms, Answer answer_, Fatal fatal_)
      : store(store_),
        interval(durability == Durability::async ? interval_ms : 0),
        answer(std::move(answer_)),
        fatal(std::move(fatal_)) {
    writer = std::thread([this] { guarded([this] { write_loop(); }); });
    reader = std::thread([this] { read_loop(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(write_mutex);
      stopping_writes = true;
    }
    {
      const std::lock_guard lock(read_mutex);
      stopping_reads = true;
    }
    write_wake.notify_all();
    read_wake.notify_all();
    writer.join();
    reader.join();
  }

  // ---- the writer -----------------------------------------------------------------------------------------------

  void enqueue(Waiting&& waiting) {
    bool wake = false;
    {
      const std::lock_guard lock(write_mutex);
      waiting_bytes += waiting.bytes;
      waiting_strokes += waiting.strokes;
      writes.push_back(std::move(waiting));
      wake = writes.size() == 1 || worth_a_commit();
    }
    if (wake) write_wake.notify_one();
  }

  bool worth_a_commit() const {
    const bool full = waiting_bytes >= kGroupBytesMax || waiting_strokes >= kGroupStrokesMax;
    return full || (interval.count() == 0 && (waiting_bytes >= kWorthBytes || waiting_strokes >= kWorthStrokes));
  }

  void write_loop() {
    pthread_setname_np(pthread_self(), "store-writer");
    check_fill();
    std::vector<Waiting> group;
    while (dead.empty() && next_group(group)) {
      if (!group.empty()) commit(group);
      if (dead.empty()) check_fill();
    }
    if (!dead.empty()) fatal(dead);
  }

  /// Waits for what is to be committed next; nothing when it is time to look at the fill. False at the end.
  bool next_group(std::vector<Waiting>& group) {
    group.clear();
    std::unique_lock lock(write_mutex);
    const auto something = [this] { return !writes.empty() || stopping_writes || !read_failure.empty(); };
    if (refusing) {
      if (!write_wake.wait_for(lock, kFillRecheckEvery, something)) return true;
    } else {
      write_wake.wait(lock, something);
    }
    const auto wait = interval.count() > 0 ? committed_at + interval - Clock::now() : pace.pause(Clock::now());
    if (wait.count() > 0) {
      write_wake.wait_for(lock, wait, [this] { return worth_a_commit() || stopping_writes || !read_failure.empty(); });
    }
    if (!read_failure.empty()) dead = read_failure;
    if (writes.empty() || !dead.empty()) return false;
    take_group(group);
    return true;
  }

  /// One Repair, the Notes in a row (a start brings one for each peer), or Appends up to the group's bounds and at
  /// least one.
  void take_group(std::vector<Waiting>& group) {
    std::size_t bytes = 0;
    std::size_t strokes = 0;
    do {
      Waiting& next = writes.front();
      bytes += next.bytes;
      strokes += next.strokes;
      waiting_bytes -= next.bytes;
      waiting_strokes -= next.strokes;
      group.push_back(std::move(next));
      writes.pop_front();
      if (std::holds_alternative<Repair>(group.front().write)) return;
    } while (!writes.empty() && writes.front().write.index() == group.front().write.index() &&
             bytes + writes.front().bytes <= kGroupBytesMax && strokes + writes.front().strokes <= kGroupStrokesMax);
  }

  void commit(const std::vector<Waiting>& group) {
    if (const auto* repair = std::get_if<Repair>(&group.front().write)) {
      const WriteResult result = timed(group, [&] { return store.repair(*repair); });
      if (result != WriteResult::fatal) reply(repair->ticket, result);
      return;
    }
    if (std::holds_alternative<Note>(group.front().write)) {
      std::vector<const Note*> notes;
      for (const Waiting& waiting : group)
        notes.push_back(&std::get<Note>(waiting.write));
      timed(group, [&] { return store.keep(notes); });
      return;
    }
    std::vector<const Append*> appends;
    std::uint64_t generation_max = 0;
    for (const Waiting& waiting : group) {
      const auto& append = std::get<Append>(waiting.write);
      if (refused(append)) continue;
      appends.push_back(&append);
      generation_max = std::max(generation_max, append.generation);
    }
    WriteResult result = WriteResult::ok;
    if (!appends.empty()) result = timed(group, [&] { return store.append(appends); });
    if (result == WriteResult::fatal) return;
    const auto earlier = failed;
    for (const Waiting& waiting : group) {
      const auto& append = std::get<Append>(waiting.write);
      reply(append.ticket, earlier && append.generation <= earlier->generation ? earlier->result : result);
    }
    if (result != WriteResult::ok) failed = Failure{generation_max, result};
  }

  bool refused(const Append& append) const {
    return failed && append.generation <= failed->generation;
  }

  template <typename Write>
  WriteResult timed(const std::vector<Waiting>& group, const Write& write) {
    const auto begin = Clock::now();
    committed_at = begin;
    const WriteOutcome outcome = write();
    const auto us =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin).count());
    std::size_t strokes = 0;
    for (const Waiting& waiting : group)
      strokes += waiting.strokes;
    pace.committed(Clock::now(), us, strokes);
    if (outcome.result == WriteResult::fatal) dead = outcome.detail;
    if (outcome.result == WriteResult::ok) count_commit(group, us);
    return outcome.result;
  }

  void count_commit(const std::vector<Waiting>& group, std::uint64_t us) {
    std::uint64_t strokes = 0;
    for (const Waiting& waiting : group) {
      const auto* append = std::get_if<Append>(&waiting.write);
      if (append == nullptr || !refused(*append)) strokes += waiting.strokes;
    }
    const std::lock_guard lock(stats_mutex);
    ++stats.commits;
    stats.strokes += strokes;
    stats.commit_us_total += us;
    stats.commit_us_max = std::max(stats.commit_us_max, us);
  }

  void reply(Ticket ticket, WriteResult result) {
    if (result == WriteResult::ok) {
      answer(Committed{ticket});
    } else {
      answer(AppendFailed{ticket, error_of(result)});
    }
  }

  void check_fill() {
    const StoreUsage usage = store.usage();
    const std::uint64_t capacity = usage.capacity_bytes != 0 ? usage.capacity_bytes : usage.map_bytes;
    const std::uint64_t mark = capacity / 100 * (refusing ? kAcceptPercent : kRefusePercent);
    const bool refuse = capacity != 0 && (refusing ? usage.used_bytes >= mark : usage.used_bytes > mark);
    if (refuse == refusing) return;
    refusing = refuse;
    answer(StoreFill{refusing});
  }

  // ---- the reader -----------------------------------------------------------------------------------------------

  void enqueue(Query&& query) {
    {
      const std::lock_guard lock(read_mutex);
      queries.push_back(std::move(query));
    }
    read_wake.notify_one();
  }

  void read_loop() {
    pthread_setname_np(pthread_self(), "store-reader");
    try {
      while (const auto query = next_query())
        answer_query(*query);
    } catch (const std::exception& error) {
      fail_reads(error.what());
    }
  }

  /// Nothing at the end.
  std::optional<Query> next_query() {
    std::unique_lock lock(read_mutex);
    read_wake.wait(lock, [this] { return !queries.empty() || stopping_reads; });
    if (queries.empty()) return std::nullopt;
    std::optional<Query> query(std::move(queries.front()));
    queries.pop_front();
    return query;
  }

  void answer_query(const Query& query) {
    Event found = look_up(query);
    {
      const std::lock_guard lock(stats_mutex);
      ++stats.reads;
    }
    answer(std::move(found));
  }

  Event look_up(const Query& query) {
    if (const auto* read = std::get_if<Read>(&query)) return store.read(*read);
    if (const auto* since = std::get_if<FindSince>(&query)) return store.find_since(*since);
    const auto& find = std::get<FindOp>(query);
    return OpFound{find.ticket, store.find_op(find.channel, find.client, find.op)};
  }

  /// The writer says it, so that it is said once and from one thread.
  void fail_reads(const std::string& reason) {
    {
      const std::lock_guard lock(write_mutex);
      read_failure = reason;
    }
    write_wake.notify_one();
  }

  template <typename Body>
  void guarded(const Body& body) {
    try {
      body();
    } catch (const std::exception& error) {
      fatal(error.what());
    }
  }

  struct Failure {
    std::uint64_t generation = 0;
    WriteResult result = WriteResult::full;
  };

  Store& store;
  const std::chrono::milliseconds interval;
  const Answer answer;
  const Fatal fatal;

  mutable std::mutex write_mutex;
  std::condition_variable write_wake;
  std::deque<Waiting> writes;
  std::size_t waiting_bytes = 0;
  std::size_t waiting_strokes = 0;
  bool stopping_writes = false;
  std::string read_failure;

  mutable std::mutex read_mutex;
  std::condition_variable read_wake;
  std::deque<Query> queries;
  bool stopping_reads = false;

  mutable std::mutex stats_mutex;
  CommitterStats stats;

  // The writer's own.
  std::optional<Failure> failed;
  std::string dead;
  bool refusing = false;
  Clock::time_point committed_at = Clock::now() - interval;
  CommitPace pace;

  std::thread writer;
  std::thread reader;
};

Committer::Committer(Store& store, Durability durability, std::uint32_t commit_interval_ms, Answer answer, Fatal fatal)
    : impl_(std::make_unique<Impl>(store, durability, commit_interval_ms, std::move(answer), std::move(fatal))) {}

Committer::~Committer() = default;

void Committer::submit(Append&& append) {
  impl_->enqueue(weigh(std::move(append)));
}

void Committer::submit(Repair&& repair) {
  impl_->enqueue(weigh(std::move(repair)));
}

void Committer::submit(Note&& note) {
  Waiting waiting;
  waiting.write = std::move(note);
  impl_->enqueue(std::move(waiting));
}

void Committer::submit(Read&& read) {
  impl_->enqueue(Impl::Query(std::move(read)));
}

void Committer::submit(FindSince&& find) {
  impl_->enqueue(Impl::Query(std::move(find)));
}

void Committer::submit(FindOp&& find) {
  impl_->enqueue(Impl::Query(std::move(find)));
}

CommitterStats Committer::stats() const {
  CommitterStats stats;
  {
    const std::lock_guard lock(impl_->stats_mutex);
    stats = impl_->stats;
  }
  {
    const std::lock_guard lock(impl_->write_mutex);
    stats.queue_now += impl_->writes.size();
  }
  const std::lock_guard lock(impl_->read_mutex);
  stats.queue_now += impl_->queries.size();
  return stats;
}

}  // namespace inkmesh::store
