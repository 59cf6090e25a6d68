// JSON that a node or a file brings to the command line: taken apart without a change, or refused with the reason.
#include <string>
#include <vector>

#include "cli/json_slice.h"
#include "door.h"

namespace {

using namespace inkmesh;
using fuzz::expect;

/// An element takes two bytes at least, and is a member without a name for a while.
constexpr fuzz::Growth kGrowth{160, 4096};

void check(const cli::JsonObject& object) {
  std::string text;
  for (const auto& [name, raw] : object.members()) {
    expect(cli::json_mistake(raw).empty());
    text += (text.empty() ? "{" : ",") + cli::json_string(name) + ":" + std::string(raw);
  }
  if (text.empty()) return;
  text += "}";
  const auto again = cli::slice_object(text);
  expect(again && again->members().size() == object.members().size());
  for (std::size_t i = 0; i < object.members().size(); ++i) {
    expect(again->members()[i].name == object.members()[i].name);
    expect(again->members()[i].raw == object.members()[i].raw);
  }
}

void check(const std::vector<std::string_view>& elements) {
  std::string text;
  for (const std::string_view raw : elements) {
    expect(cli::json_mistake(raw).empty());
    text += (text.empty() ? "[" : ",") + std::string(raw);
  }
  if (text.empty()) return;
  text += "]";
  const auto again = cli::slice_array(text);
  expect(again && *again == elements);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = fuzz::text_of(bytes, size);
  const auto object = fuzz::within(kGrowth, size, [&] { return cli::slice_object(text); });
  const auto array = fuzz::within(kGrowth, size, [&] { return cli::slice_array(text); });
  const std::string mistake = cli::json_mistake(text);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const char kind = mistake.empty() ? text[first] : '\0';
  expect(object.has_value() == (kind == '{') && array.has_value() == (kind == '['));
  if (object) check(*object);
  if (array) check(*array);
  const std::string read = fuzz::within(kGrowth, size, [&] { return cli::text_of(text); });
  if (kind == '"') expect(cli::text_of(cli::json_string(read)) == read);
  return 0;
}
