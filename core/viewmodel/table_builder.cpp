#include "core/viewmodel/table_builder.h"

#include <cassert>
#include <functional>
#include <limits>
#include <utility>

namespace dachlast::viewmodel {
namespace {

using Values = std::vector<std::optional<double>>;

std::vector<Cell> number_cells(const Values& values, Origin origin, const std::function<std::string(double)>& text) {
  std::vector<Cell> cells;
  cells.reserve(values.size());
  for (const auto& value : values) cells.push_back(value ? number_cell(*value, text(*value), origin) : missing_cell());
  return cells;
}

Unit unit_of(Measure measure, const Values& values) {
  std::vector<double> present;
  for (const auto& value : values)
    if (value) present.push_back(*value);
  return unit_for(measure, present);
}

}  // namespace

TableBuilder::TableBuilder(std::string id, std::string title) {
  table_.id = std::move(id);
  table_.title = std::move(title);
}

TableBuilder& TableBuilder::cells(Column column, std::vector<Cell> cells) {
  if (table_.columns.empty()) table_.rows.resize(cells.size());
  assert(cells.size() == table_.rows.size());
  table_.columns.push_back(std::move(column));
  for (std::size_t i = 0; i < cells.size(); ++i) table_.rows[i].push_back(std::move(cells[i]));
  return *this;
}

TableBuilder& TableBuilder::text(Column column, const std::vector<std::string>& values) {
  column.align = Align::kLeft;
  std::vector<Cell> made;
  for (const auto& value : values) made.push_back(text_cell(value));
  return cells(std::move(column), std::move(made));
}

TableBuilder& TableBuilder::count(Column column, const std::vector<std::int64_t>& values, Origin origin) {
  std::vector<Cell> made;
  for (const auto value : values) made.push_back(count_cell(value, origin));
  return cells(std::move(column), std::move(made));
}

TableBuilder& TableBuilder::measure(Column column, Measure measure, const Values& values, Origin origin) {
  return in_unit_of(std::move(column), unit_of(measure, values), values, origin);
}

TableBuilder& TableBuilder::in_unit_of(Column column, const Unit& unit, const Values& values, Origin origin) {
  column.unit = unit.text;
  return cells(std::move(column), number_cells(values, origin, [&](double value) { return in_unit(value, unit); }));
}

TableBuilder& TableBuilder::percent(Column column, const Values& shares, Origin origin) {
  column.unit = "%";
  return cells(std::move(column), number_cells(shares, origin, percent_number));
}

TableBuilder& TableBuilder::factor(Column column, const Values& factors, Origin origin) {
  return cells(std::move(column), number_cells(factors, origin, format_factor));
}

TableBuilder& TableBuilder::note(std::string text) {
  table_.notes.push_back(std::move(text));
  return *this;
}

void SettingsBuilder::add(std::string name, std::string value) {
  if (value.empty() || value == kMissing) return;
  names_.push_back(std::move(name));
  values_.push_back(std::move(value));
}

void SettingsBuilder::add(std::string name, double value, Measure measure) {
  if (value > 0.0) add(std::move(name), format(measure, value));
}

void SettingsBuilder::add_count(std::string name, std::int64_t value) {
  if (value > 0) add(std::move(name), format_count(value));
}

Table SettingsBuilder::build(std::string id, std::string title) const {
  TableBuilder table(std::move(id), std::move(title));
  table.text({"setting", "Setting", "", ""}, names_);
  table.text({"value", "Value", "", ""}, values_);
  return table.build();
}

}  // namespace dachlast::viewmodel
