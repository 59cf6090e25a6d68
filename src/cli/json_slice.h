// JSON text taken apart without being changed: members and elements come out as the very bytes that went in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inkmesh::cli {

/// The members of a JSON object in their order, each value as raw JSON.
class JsonObject {
 public:
  struct Member {
    std::string name;
    std::string_view raw;
  };

  explicit JsonObject(std::vector<Member> members) : members_(std::move(members)) {}

  const std::vector<Member>& members() const {
    return members_;
  }

  /// A member's raw JSON, the last one's where there are several; empty when it is not there.
  std::string_view raw(std::string_view name) const;
  /// A string member's value; empty when it is not there or no string.
  std::string text(std::string_view name) const;
  /// A whole number; nothing when it is not there or no whole number from 0.
  std::optional<std::uint64_t> number(std::string_view name) const;
  /// True when the member is there and true.
  bool flag(std::string_view name) const;

 private:
  std::vector<Member> members_;
};

// All of these take what nodes take, in any depth: they check the whole text, UTF-8 included, without recursion, and
// turn no number into another. What they return refers to the text.

/// Nothing when the text is no JSON object.
std::optional<JsonObject> slice_object(std::string_view json);

/// Nothing when the text is no JSON array.
std::optional<std::vector<std::string_view>> slice_array(std::string_view json);

/// The value of a JSON string; empty when it is none, or holds half of a surrogate pair and so is no text.
std::string text_of(std::string_view raw);

/// What is wrong with a JSON text, in words; empty when it is one value and nothing else.
std::string json_mistake(std::string_view json);

/// A JSON string of a text.
std::string json_string(std::string_view text);

}  // namespace inkmesh::cli
