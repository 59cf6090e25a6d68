// Reads JSON (RFC 8259) as slices of its own text: checks every byte, converts nothing.
//
// A stroke's data must be delivered as the very JSON that came in. Parsers that turn values into C++ ones refuse JSON
// that is valid (RapidJSON: 1e400, an integer of 400 digits, "\ud800"); a scanner has no number to overflow. It does
// not recurse: a level of nesting takes one bit, and nothing is allocated for the first 64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inkmesh::wire {

enum class JsonKind { null, boolean, number, string, array, object };

/// A whole value as it stands in the text, without the whitespace around it. Empty: there is none.
struct JsonSlice {
  std::string_view text;
  JsonKind kind = JsonKind::null;

  bool absent() const {
    return text.empty();
  }
};

/// Walks one object: begin_object(), then next_member() and value() in turn until next_member() says no more, then
/// end(). An array: begin_array(), next_element() and value(), end(). Any one value: value(), end(). After a false,
/// fault() says what was wrong, if anything was.
class JsonScanner {
 public:
  /// `text` outlives the scanner and its slices. Each value() may be nested `depth_max` levels deep.
  JsonScanner(std::string_view text, unsigned depth_max);

  /// Takes the opening brace.
  bool begin_object();
  /// Takes a member's key and colon, or the closing brace (false). `key` keeps its quotes and escapes.
  bool next_member(std::string_view& key);
  /// Takes the opening bracket.
  bool begin_array();
  /// Goes to the next element, or takes the closing bracket (false).
  bool next_element();
  /// Takes one value, however large.
  bool value(JsonSlice& slice);
  /// True when nothing but whitespace is left.
  bool end();

  /// What was wrong, for a person; null while all is well.
  const char* fault() const {
    return fault_;
  }
  /// Where, in bytes from the start.
  std::size_t fault_at() const {
    return static_cast<std::size_t>(at_ - begin_);
  }
  bool too_deep() const {
    return too_deep_;
  }

 private:
  bool fail(const char* what);
  char peek() const {
    return at_ == end_ ? '\0' : *at_;
  }
  void skip_space();
  bool scalar();
  bool string();
  bool escape();
  bool number();
  bool digits(const char* what);
  bool literal(std::string_view word);
  bool key_and_colon();
  bool open(char bracket, bool& empty);
  bool close_or_next(bool& done);
  void go_down(bool object);
  void go_up();
  bool next_of(char closing, const char* expected);

  const char* const begin_;
  const char* at_;
  const char* const end_;
  const unsigned depth_max_;
  unsigned depth_ = 0;
  std::uint64_t objects_ = 0;         ///< a bit for each open level, the innermost lowest: 1 is an object, 0 an array
  std::vector<std::uint64_t> outer_;  ///< the same of the levels further out, 64 each
  bool first_member_ = true;
  bool too_deep_ = false;
  const char* fault_ = nullptr;
};

/// The characters of a string that a JsonScanner took, as UTF-8. Nothing where an escape is half of a surrogate pair:
/// valid JSON, but no text.
std::optional<std::string> unescape(std::string_view quoted);

/// The characters between the quotes, without a copy; nothing where there are escapes.
std::optional<std::string_view> plain(std::string_view quoted);

}  // namespace inkmesh::wire
