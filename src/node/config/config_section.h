// Reading one map of a YAML tree, key by key, with every mistake noted where it stands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "node/config/config_yaml.h"
#include "node/config/yaml_tree.h"

namespace inkmesh::config {

using Mistakes = std::vector<ConfigMistake>;

/// A value as mistakes quote it: `"12"`, "a list", "nothing". Cut and cleaned of control characters.
std::string shown(const YamlValue& value);

/// A map while it is read: every key is asked for by its name, and finish() reports those that nobody asked for.
/// `value` and `mistakes` must outlive it.
class Section {
 public:
  /// `path` is the map's own key ("nodes[2]"), empty for the file's outermost map.
  Section(const YamlValue& value, std::string path, Mistakes& mistakes);

  std::string path_of(std::string_view key) const;

  /// The key's value, or nullptr.
  const YamlValue* optional(const std::string& key);

  /// The same; that it is missing is noted as a mistake.
  const YamlValue* required(const std::string& key, const std::string& expected);

  /// Notes that a value of this map is not what was expected.
  void refuse(const YamlValue& value, const std::string& expected);

  /// Sets `number` where the key is given; outside of [min, max] it is refused.
  template <typename Number>
  void whole(const std::string& key, Number& number, std::uint64_t min, std::uint64_t max) {
    if (std::uint64_t found = 0; read_whole(key, found, min, max)) number = static_cast<Number>(found);
  }

  /// The same for a size with its unit, in whole pages.
  template <typename Number>
  void size(const std::string& key, Number& number, std::uint64_t min, std::uint64_t max) {
    if (std::uint64_t found = 0; read_size(key, found, min, max)) number = static_cast<Number>(found);
  }

  void finish();

 private:
  bool read_whole(const std::string& key, std::uint64_t& number, std::uint64_t min, std::uint64_t max);
  bool read_size(const std::string& key, std::uint64_t& number, std::uint64_t min, std::uint64_t max);
  std::string advice(const std::string& key) const;

  const YamlValue& value_;
  std::string path_;
  Mistakes& mistakes_;
  bool is_map_;
  std::vector<std::string> known_;
};

}  // namespace inkmesh::config
