#include "node/logging.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "node/node.h"

namespace inkmesh::node {
namespace {

constexpr std::size_t kWaitingLinesMax = 8192;
constexpr std::chrono::milliseconds kFlushMax{500};

struct Log {
  std::shared_ptr<spdlog::details::thread_pool> writer;
  std::shared_ptr<spdlog::logger> lines;
  bool json = false;
};

/// Never freed: threads may log until the very end.
std::atomic<Log*> current{nullptr};

constexpr std::array kLevels = {"trace", "debug", "info", "warning", "error", "off"};

spdlog::level::level_enum level_of(Severity severity) {
  switch (severity) {
    case Severity::debug:
      return spdlog::level::debug;
    case Severity::info:
      return spdlog::level::info;
    case Severity::warning:
      return spdlog::level::warn;
    case Severity::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

/// One line stays one line, whatever a client's text holds.
void append_escaped(std::string& line, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      line += c;
    } else {
      line += "\\x";
      line += kHex[byte >> 4];
      line += kHex[byte & 15];
    }
  }
}

bool needs_quotes(std::string_view value) {
  return value.empty() || value.find_first_of(" =\"") != std::string_view::npos;
}

using Json = rapidjson::Writer<rapidjson::StringBuffer, rapidjson::UTF8<>, rapidjson::ASCII<>>;

void append_json(std::string& line, std::string_view text) {
  rapidjson::StringBuffer buffer;
  Json writer(buffer);
  // Bytes that are no UTF-8 make the writer stop.
  if (writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()))) {
    line.append(buffer.GetString(), buffer.GetSize());
    return;
  }
  std::string clean;
  append_escaped(clean, text);
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return (c & 0x80) != 0 || c == '"' || c == '\\'; }, '?');
  line += '"' + clean + '"';
}

}  // namespace

bool valid_log_level(const std::string& level) {
  return std::find(kLevels.begin(), kLevels.end(), level) != kLevels.end();
}

std::string text_line(std::string_view text, Fields fields) {
  std::string line;
  append_escaped(line, text);
  for (const Field& field : fields) {
    line += ' ' + field.key + '=';
    if (!needs_quotes(field.value)) {
      append_escaped(line, field.value);
      continue;
    }
    std::string quoted;
    for (const char c : field.value) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    line += '"';
    append_escaped(line, quoted);
    line += '"';
  }
  return line;
}

std::string json_members(std::string_view text, Fields fields) {
  std::string line = "\"msg\":";
  append_json(line, text);
  for (const Field& field : fields) {
    line += ",\"" + field.key + "\":";
    if (field.number) {
      line += field.value;
    } else {
      append_json(line, field.value);
    }
  }
  return line;
}

void start_logging(const std::string& level, bool json, const NodeId& node) {
  auto* started = new Log;
  started->json = json;
  started->writer = std::make_shared<spdlog::details::thread_pool>(kWaitingLinesMax, 1U);
  started->lines =
      std::make_shared<spdlog::async_logger>("inkmesh", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                             started->writer, spdlog::async_overflow_policy::overrun_oldest);
  started->lines->set_level(spdlog::level::from_str(level));
  started->lines->set_pattern(json ? R"({"ts":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","node":")" + node + R"(",%v})"
                                   : "%Y-%m-%dT%H:%M:%S.%eZ %-7l " + node + " %v",
                              spdlog::pattern_time_type::utc);
  current.store(started, std::memory_order_release);
}

void log(Severity severity, std::string_view text, Fields fields) {
  const Log* log = current.load(std::memory_order_acquire);
  if (log == nullptr || !log->lines->should_log(level_of(severity))) return;
  // The line is no format string.
  log->lines->log(level_of(severity), "{}", log->json ? json_members(text, fields) : text_line(text, fields));
}

void finish_logging() {
  const Log* log = current.load(std::memory_order_acquire);
  if (log == nullptr) return;
  const auto end = std::chrono::steady_clock::now() + kFlushMax;
  while (log->writer->queue_size() > 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  // The last line has left the queue; the writer gets a moment to bring it out.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

void end_process(int exit_code, std::string_view reason) {
  log(Severity::error, reason, {{"exit_code", exit_code}});
  finish_logging();
  _exit(exit_code);
}

}  // namespace inkmesh::node
