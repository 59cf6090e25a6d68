#include "node/config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <utility>

namespace inkmesh::config {
namespace {

using Kind = YamlValue::Kind;

unsigned line_of(const YAML::Mark& mark) {
  return mark.line < 0 ? 0 : static_cast<unsigned>(mark.line) + 1;
}

/// Builds the tree bottom-up: a container is on the stack until it ends, and then goes to its parent.
class TreeBuilder : public YAML::EventHandler {
 public:
  YamlValue take() {
    return std::move(root_);
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(leaf(mark, {}, anchor, Kind::nothing, {}));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw YamlError{line_of(mark), "aliases (*name) are not taken: write the value out"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    add(leaf(mark, tag, anchor, Kind::scalar, value));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(leaf(mark, tag, anchor, Kind::list, {}));
  }
  void OnSequenceEnd() override {
    close();
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(leaf(mark, tag, anchor, Kind::map, {}));
  }
  void OnMapEnd() override {
    close();
  }

 private:
  struct Open {
    YamlValue value;
    bool has_key = false;
    std::string key;
    unsigned key_line = 0;
  };

  YamlValue leaf(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Kind kind, std::string text) {
    const unsigned line = line_of(mark);
    if (anchor != 0) throw YamlError{line, "anchors (&name) are not taken: write the value out"};
    // yaml-cpp's "?" is a plain value and "!" a quoted one; all else was written as a tag.
    if (!tag.empty() && tag != "?" && tag != "!") throw YamlError{line, "tags (!name) are not taken"};
    if (++values_ > kYamlValuesMax) {
      throw YamlError{line, "more than " + std::to_string(kYamlValuesMax) + " values"};
    }
    YamlValue value;
    value.kind = kind;
    value.line = line;
    value.scalar = std::move(text);
    return value;
  }

  void open(YamlValue value) {
    if (stack_.size() >= kYamlDepthMax) {
      throw YamlError{value.line, "nested more than " + std::to_string(kYamlDepthMax) + " levels deep"};
    }
    if (awaits_key()) throw YamlError{value.line, "expected a plain word as a key"};
    stack_.push_back(Open{std::move(value), false, {}, 0});
  }

  void close() {
    YamlValue value = std::move(stack_.back().value);
    stack_.pop_back();
    add(std::move(value));
  }

  void add(YamlValue value) {
    if (stack_.empty()) {
      root_ = std::move(value);
      return;
    }
    Open& parent = stack_.back();
    if (awaits_key()) {
      if (value.kind != Kind::scalar) throw YamlError{value.line, "expected a plain word as a key"};
      parent.key = std::move(value.scalar);
      parent.key_line = value.line;
      parent.has_key = true;
      return;
    }
    if (parent.value.kind == Kind::map) {
      value.key = std::move(parent.key);
      value.key_line = parent.key_line;
      parent.has_key = false;
      // yaml-cpp gives a missing value the place of whatever comes next.
      if (value.kind == Kind::nothing) value.line = value.key_line;
    }
    parent.value.children.push_back(std::move(value));
  }

  bool awaits_key() const {
    return !stack_.empty() && stack_.back().value.kind == Kind::map && !stack_.back().has_key;
  }

  YamlValue root_;
  std::vector<Open> stack_;
  std::size_t values_ = 0;
};

}  // namespace

YamlValue parse_yaml(std::string_view text) {
  if (text.size() > kYamlBytesMax) throw YamlError{1, "longer than 1 MiB: this is no cluster file"};
  TreeBuilder builder;
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    if (!parser.HandleNextDocument(builder)) return {};
    TreeBuilder rest;
    if (parser.HandleNextDocument(rest)) throw YamlError{rest.take().line, "expected one document, found another"};
  } catch (const YAML::Exception& error) {
    throw YamlError{line_of(error.mark), "not YAML: " + error.msg};
  }
  return builder.take();
}

}  // namespace inkmesh::config
