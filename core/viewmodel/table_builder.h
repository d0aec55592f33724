#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/viewmodel/format.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// Builds a table column by column: only a whole column knows the unit that suits it.
class TableBuilder {
 public:
  TableBuilder(std::string id, std::string title);

  TableBuilder& text(Column column, const std::vector<std::string>& values);
  TableBuilder& count(Column column, const std::vector<std::int64_t>& values, Origin origin);
  /// One unit for the whole column, chosen by its largest value.
  TableBuilder& measure(Column column, Measure measure, const std::vector<std::optional<double>>& values,
                        Origin origin);
  /// As `measure`, in the unit given: columns that are compared share one.
  TableBuilder& in_unit_of(Column column, const Unit& unit, const std::vector<std::optional<double>>& values,
                           Origin origin);
  /// Shares of one, shown in percent.
  TableBuilder& percent(Column column, const std::vector<std::optional<double>>& shares, Origin origin);
  TableBuilder& factor(Column column, const std::vector<std::optional<double>>& factors, Origin origin);
  TableBuilder& cells(Column column, std::vector<Cell> cells);
  TableBuilder& note(std::string text);

  Table build() { return std::move(table_); }

 private:
  Table table_;
};

/// Rows of a setting and its value, for tables of what was asked for.
class SettingsBuilder {
 public:
  /// Leaves out what has no value.
  void add(std::string name, std::string value);
  void add(std::string name, double value, Measure measure);
  void add_count(std::string name, std::int64_t value);
  Table build(std::string id, std::string title) const;

 private:
  std::vector<std::string> names_;
  std::vector<std::string> values_;
};

}  // namespace dachlast::viewmodel
