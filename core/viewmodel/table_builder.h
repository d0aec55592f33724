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

}  // namespace dachlast::viewmodel
