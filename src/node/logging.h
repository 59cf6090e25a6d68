// The node's log, on standard error: a sentence and key=value fields, as text or as JSON lines. Any thread. Never
// blocks: when nobody reads it, the oldest waiting lines are dropped.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include "inkmesh/effect.h"

namespace inkmesh::node {

struct Field {
  std::string key;
  std::string value;
  bool number = false;

  Field(std::string_view name, std::string_view text) : key(name), value(text) {}
  Field(std::string_view name, const char* text) : Field(name, std::string_view(text)) {}
  Field(std::string_view name, const std::string& text) : Field(name, std::string_view(text)) {}
  template <typename Number, typename = std::enable_if_t<std::is_arithmetic_v<Number>>>
  Field(std::string_view name, Number value_of) : key(name), value(std::to_string(value_of)), number(true) {}
};
using Fields = std::initializer_list<Field>;

/// Once, before the first line. `level` is one of RunOptions::log_level.
void start_logging(const std::string& level, bool json, const NodeId& node);

void log(Severity severity, std::string_view text, Fields fields = {});

/// Writes what waits, for a bounded time.
void finish_logging();

/// Logs the reason, writes what waits, for a bounded time, then ends the process without running destructors, which
/// could hang.
[[noreturn]] void end_process(int exit_code, std::string_view reason);

/// A line as it is written, without time and level: `text key=value` or `"msg":"text","key":"value"`.
std::string text_line(std::string_view text, Fields fields);
std::string json_members(std::string_view text, Fields fields);

}  // namespace inkmesh::node
