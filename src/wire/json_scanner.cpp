#include "wire/json_scanner.h"

#include <cstring>

#include "wire/utf8.h"

namespace inkmesh::wire {
namespace {

constexpr std::uint64_t repeat(unsigned char byte) {
  return 0x0101010101010101ULL * byte;
}

/// True when some of the 8 bytes at `at` needs a look: a quote, a backslash, a control character, or not ASCII.
bool any_special(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  const auto zero_byte = [](std::uint64_t x) { return (x - repeat(1)) & ~x; };
  const std::uint64_t special =
      word | (word - repeat(0x20)) | zero_byte(word ^ repeat('"')) | zero_byte(word ^ repeat('\\'));
  return (special & repeat(0x80)) != 0;
}

bool plain_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

bool digit(char c) {
  return c >= '0' && c <= '9';
}

int hex(char c) {
  if (digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

unsigned hex4(const char* at) {
  unsigned value = 0;
  for (int i = 0; i < 4; ++i)
    value = value << 4U | static_cast<unsigned>(hex(at[i]));
  return value;
}

void append_utf8(std::string& out, unsigned code_point) {
  const auto put = [&out](unsigned byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0U | code_point >> 6U);
    put(0x80U | (code_point & 0x3FU));
  } else if (code_point < 0x10000) {
    put(0xE0U | code_point >> 12U);
    put(0x80U | (code_point >> 6U & 0x3FU));
    put(0x80U | (code_point & 0x3FU));
  } else {
    put(0xF0U | code_point >> 18U);
    put(0x80U | (code_point >> 12U & 0x3FU));
    put(0x80U | (code_point >> 6U & 0x3FU));
    put(0x80U | (code_point & 0x3FU));
  }
}

/// The character that a short escape stands for.
char short_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

}  // namespace

JsonScanner::JsonScanner(std::string_view text, unsigned depth_max)
    : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()), depth_max_(depth_max) {}

bool JsonScanner::fail(const char* what) {
  if (fault_ == nullptr) fault_ = what;
  return false;
}

void JsonScanner::skip_space() {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t'))
    ++at_;
}

bool JsonScanner::begin_object() {
  skip_space();
  if (peek() != '{') return fail("expected an object");
  ++at_;
  first_member_ = true;
  return true;
}

bool JsonScanner::begin_array() {
  skip_space();
  if (peek() != '[') return fail("expected an array");
  ++at_;
  first_member_ = true;
  return true;
}

bool JsonScanner::next_element() {
  return next_of(']', "expected ',' or ']' after an element");
}

/// To where the next member or element begins; false at the closing bracket, which it takes.
bool JsonScanner::next_of(char closing, const char* expected) {
  skip_space();
  if (peek() == closing) {
    ++at_;
    return false;
  }
  if (!first_member_) {
    if (peek() != ',') return fail(expected);
    ++at_;
    skip_space();
  }
  first_member_ = false;
  return true;
}

bool JsonScanner::next_member(std::string_view& key) {
  if (!next_of('}', "expected ',' or '}' after a member")) return false;
  const char* const begin = at_;
  if (peek() != '"') return fail("expected a key in double quotes");
  if (!string()) return false;
  key = {begin, static_cast<std::size_t>(at_ - begin)};
  skip_space();
  if (peek() != ':') return fail("expected ':' after a key");
  ++at_;
  return true;
}

bool JsonScanner::end() {
  skip_space();
  return at_ == end_ || fail("expected nothing more");
}

bool JsonScanner::value(JsonSlice& slice) {
  skip_space();
  const char* const begin = at_;
  switch (peek()) {
    case '{':
      slice.kind = JsonKind::object;
      break;
    case '[':
      slice.kind = JsonKind::array;
      break;
    case '"':
      slice.kind = JsonKind::string;
      break;
    case 't':
    case 'f':
      slice.kind = JsonKind::boolean;
      break;
    case 'n':
      slice.kind = JsonKind::null;
      break;
    default:
      slice.kind = JsonKind::number;
  }
  depth_ = 0;
  bool done = false;
  while (!done) {
    const char c = peek();
    if (c == '{' || c == '[') {
      bool empty = false;
      if (!open(c, empty)) return false;
      if (!empty) continue;
    } else if (!scalar()) {
      return false;
    }
    if (!close_or_next(done)) return false;
  }
  slice.text = {begin, static_cast<std::size_t>(at_ - begin)};
  return true;
}

/// Goes one level down, up to where its first value begins; `empty` when it has none.
bool JsonScanner::open(char bracket, bool& empty) {
  if (depth_ == depth_max_) {
    too_deep_ = true;
    return fail("nested too deep");
  }
  const bool object = bracket == '{';
  go_down(object);
  ++at_;
  skip_space();
  empty = peek() == (object ? '}' : ']');
  return empty || !object || key_and_colon();
}

void JsonScanner::go_down(bool object) {
  if (depth_ > 0 && depth_ % 64 == 0) outer_.push_back(objects_);
  objects_ = objects_ << 1U | (object ? 1U : 0U);
  ++depth_;
}

void JsonScanner::go_up() {
  --depth_;
  objects_ >>= 1U;
  if (depth_ > 0 && depth_ % 64 == 0) {
    objects_ = outer_.back();
    outer_.pop_back();
  }
}

/// After a value (or an opening bracket of nothing): closes every level that ends here, then goes to where the next
/// value begins; `done` when the outermost has ended.
bool JsonScanner::close_or_next(bool& done) {
  for (; depth_ > 0; go_up()) {
    const bool object = (objects_ & 1U) != 0;
    skip_space();
    const char c = peek();
    if (c == ',') {
      ++at_;
      skip_space();
      return !object || key_and_colon();
    }
    if (c != (object ? '}' : ']')) return fail(object ? "expected ',' or '}'" : "expected ',' or ']'");
    ++at_;
  }
  done = true;
  return true;
}

bool JsonScanner::key_and_colon() {
  if (peek() != '"') return fail("expected a key in double quotes");
  if (!string()) return false;
  skip_space();
  if (peek() != ':') return fail("expected ':' after a key");
  ++at_;
  skip_space();
  return true;
}

bool JsonScanner::scalar() {
  switch (peek()) {
    case '"':
      return string();
    case 't':
      return literal("true");
    case 'f':
      return literal("false");
    case 'n':
      return literal("null");
    default:
      return number();
  }
}

bool JsonScanner::literal(std::string_view word) {
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  if (rest.substr(0, word.size()) != word) return fail("expected a value");
  at_ += word.size();
  return true;
}

bool JsonScanner::digits(const char* what) {
  if (!digit(peek())) return fail(what);
  while (digit(peek()))
    ++at_;
  return true;
}

bool JsonScanner::number() {
  const bool minus = peek() == '-';
  if (minus) ++at_;
  if (peek() == '0') {
    ++at_;
  } else if (!digits(minus ? "expected a digit after '-'" : "expected a value")) {
    return false;
  }
  if (peek() == '.') {
    ++at_;
    if (!digits("expected a digit after '.'")) return false;
  }
  if (peek() == 'e' || peek() == 'E') {
    ++at_;
    if (peek() == '+' || peek() == '-') ++at_;
    if (!digits("expected a digit in the exponent")) return false;
  }
  return true;
}

bool JsonScanner::string() {
  ++at_;
  for (;;) {
    while (end_ - at_ >= 8 && !any_special(at_))
      at_ += 8;
    while (at_ != end_ && plain_byte(*at_))
      ++at_;
    if (at_ == end_) return fail("a string without its closing quote");
    if (*at_ == '"') {
      ++at_;
      return true;
    }
    if (*at_ == '\\') {
      if (!escape()) return false;
    } else if (static_cast<unsigned char>(*at_) < 0x20) {
      return fail("a control character in a string");
    } else {
      const std::size_t length = utf8_multibyte(at_, end_);
      if (length == 0) return fail("not UTF-8");
      at_ += length;
    }
  }
}

bool JsonScanner::escape() {
  ++at_;
  const char c = peek();
  if (c == 'u') {
    if (end_ - at_ < 5) return fail("expected four hexadecimal digits");
    for (int i = 1; i <= 4; ++i) {
      if (hex(at_[i]) < 0) return fail("expected four hexadecimal digits");
    }
    at_ += 5;
    return true;
  }
  if (c == '\0' || std::strchr("\"\\/bfnrt", c) == nullptr) return fail("no such escape in a string");
  ++at_;
  return true;
}

std::optional<std::string_view> plain(std::string_view quoted) {
  const std::string_view inside = quoted.substr(1, quoted.size() - 2);
  if (inside.find('\\') != std::string_view::npos) return std::nullopt;
  return inside;
}

std::optional<std::string> unescape(std::string_view quoted) {
  const std::string_view inside = quoted.substr(1, quoted.size() - 2);
  std::string out;
  out.reserve(inside.size());
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] != '\\') {
      out.push_back(inside[i]);
      continue;
    }
    ++i;
    if (inside[i] != 'u') {
      out.push_back(short_escape(inside[i]));
      continue;
    }
    unsigned code = hex4(inside.data() + i + 1);
    i += 4;
    const bool high = code >= 0xD800 && code < 0xDC00;
    const bool low = code >= 0xDC00 && code < 0xE000;
    if (low || (high && inside.substr(i + 1, 2) != "\\u")) return std::nullopt;
    if (high) {
      const unsigned second = hex4(inside.data() + i + 3);
      if (second < 0xDC00 || second >= 0xE000) return std::nullopt;
      code = 0x10000 + ((code - 0xD800) << 10U) + (second - 0xDC00);
      i += 6;
    }
    append_utf8(out, code);
  }
  return out;
}

}  // namespace inkmesh::wire
