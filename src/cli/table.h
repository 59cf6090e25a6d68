// Text in aligned columns.
#pragma once

#include <string>
#include <vector>

namespace inkmesh::cli {

class Table {
 public:
  struct Column {
    std::string title;
    bool right = false;  ///< numbers stand to the right
  };

  explicit Table(std::vector<Column> columns);

  /// One cell for each column; what is missing is blank.
  void add(std::vector<std::string> cells);

  bool empty() const {
    return rows_.empty();
  }

  /// Titles and rows, two spaces between columns, a line end after each, no spaces at a line's end.
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace inkmesh::cli
