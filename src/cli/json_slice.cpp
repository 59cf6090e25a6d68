#include "cli/json_slice.h"

#include <rapidjson/encodedstream.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

#include "node/config/config_values.h"

namespace inkmesh::cli {
namespace {

constexpr unsigned kParseFlags =
    rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;

/// Notes where the members or elements of the outermost value end. The stream's place is just past the token that an
/// event is about; but RapidJSON's iterative parser tells of a bracket while it still stands before it.
class Slicer : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Slicer> {
 public:
  Slicer(std::string_view text, const rapidjson::MemoryStream& stream) : text_(text), stream_(stream) {}

  bool Default() {
    return value_ends(stream_.Tell());
  }
  bool RawNumber(const char*, rapidjson::SizeType, bool) {
    return Default();
  }
  bool String(const char*, rapidjson::SizeType, bool) {
    return Default();
  }
  bool Key(const char* name, rapidjson::SizeType size, bool) {
    if (depth_ == 1) {
      name_.assign(name, size);
      begin_ = stream_.Tell();
    }
    return true;
  }
  bool StartObject() {
    return open('{');
  }
  bool EndObject(rapidjson::SizeType) {
    return close();
  }
  bool StartArray() {
    return open('[');
  }
  bool EndArray(rapidjson::SizeType) {
    return close();
  }

  char kind() const {
    return kind_;
  }
  std::vector<JsonObject::Member> take() {
    return std::move(parts_);
  }

 private:
  bool open(char kind) {
    if (depth_ == 0) {
      kind_ = kind;
      begin_ = stream_.Tell() + 1;
    }
    ++depth_;
    return true;
  }
  bool close() {
    --depth_;
    return value_ends(stream_.Tell() + 1);
  }
  bool value_ends(std::size_t end) {
    if (depth_ != 1) return true;
    std::string_view raw = text_.substr(begin_, end - begin_);
    // Before a value stand the colon or comma that leads to it, and blanks.
    raw.remove_prefix(std::min(raw.find_first_not_of(" \t\r\n:,"), raw.size()));
    parts_.push_back({name_, raw});
    begin_ = end;
    return true;
  }

  std::string_view text_;
  const rapidjson::MemoryStream& stream_;
  std::size_t depth_ = 0;
  std::size_t begin_ = 0;
  char kind_ = 0;
  std::string name_;
  std::vector<JsonObject::Member> parts_;
};

/// RapidJSON takes a zero byte for the end.
bool has_zero(std::string_view json) {
  return json.find('\0') != std::string_view::npos;
}

/// RapidJSON takes the second half of a surrogate pair alone, and writes it as three bytes that are not UTF-8.
bool has_half_surrogate(std::string_view text) {
  for (std::size_t at = text.find('\xED'); at != std::string_view::npos; at = text.find('\xED', at + 1)) {
    if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) >= 0xA0) return true;
  }
  return false;
}

std::optional<std::vector<JsonObject::Member>> slice(std::string_view json, char kind) {
  if (has_zero(json)) return std::nullopt;
  rapidjson::MemoryStream stream(json.data(), json.size());
  Slicer slicer(json, stream);
  rapidjson::Reader reader;
  if (!reader.Parse<kParseFlags>(stream, slicer) || slicer.kind() != kind) return std::nullopt;
  return slicer.take();
}

}  // namespace

std::string_view JsonObject::raw(std::string_view name) const {
  const auto at = std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.name == name; });
  return at == members_.end() ? std::string_view{} : at->raw;
}

std::string JsonObject::text(std::string_view name) const {
  return text_of(raw(name));
}

std::optional<std::uint64_t> JsonObject::number(std::string_view name) const {
  return config::parse_whole(raw(name));
}

bool JsonObject::flag(std::string_view name) const {
  return raw(name) == "true";
}

std::optional<JsonObject> slice_object(std::string_view json) {
  auto members = slice(json, '{');
  if (!members) return std::nullopt;
  return JsonObject(std::move(*members));
}

std::optional<std::vector<std::string_view>> slice_array(std::string_view json) {
  const auto parts = slice(json, '[');
  if (!parts) return std::nullopt;
  std::vector<std::string_view> elements;
  elements.reserve(parts->size());
  for (const JsonObject::Member& part : *parts)
    elements.push_back(part.raw);
  return elements;
}

std::string text_of(std::string_view raw) {
  struct Text : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Text> {
    bool Default() {
      return false;
    }
    bool RawNumber(const char*, rapidjson::SizeType, bool) {
      return false;
    }
    bool String(const char* value, rapidjson::SizeType size, bool) {
      text.assign(value, size);
      return true;
    }
    std::string text;
  };
  rapidjson::MemoryStream stream(raw.data(), raw.size());
  Text text;
  rapidjson::Reader reader;
  if (!reader.Parse<kParseFlags>(stream, text) || has_half_surrogate(text.text)) return {};
  return text.text;
}

std::string json_mistake(std::string_view json) {
  if (has_zero(json)) return "a zero byte";
  rapidjson::MemoryStream stream(json.data(), json.size());
  rapidjson::BaseReaderHandler<> nobody;
  rapidjson::Reader reader;
  const rapidjson::ParseResult result = reader.Parse<kParseFlags>(stream, nobody);
  if (!result.IsError()) return {};
  return std::string(rapidjson::GetParseError_En(result.Code())) + " (byte " + std::to_string(result.Offset() + 1) +
         ")";
}

std::string json_string(std::string_view text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace inkmesh::cli
