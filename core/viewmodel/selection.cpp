#include "core/viewmodel/selection.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "core/base/statistics.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

/// How amounts of one unit read: "sum_s" in seconds.
struct AmountWords {
  Measure measure;
  const char* suffix;  // of a column's key
  const char* title;
};

constexpr AmountWords words_of(figure::AmountUnit unit) {
  constexpr AmountWords kWords[] = {{Measure::kTime, "_s", "Durations of the selection"},
                                    {Measure::kCapacity, "_bytes", "Sizes of the selection"},
                                    {Measure::kTokenRate, "_tokens_s", "Rates of the selection"},
                                    {Measure::kCount, "", "Amounts of the selection"}};
  return kWords[static_cast<std::size_t>(unit)];
}

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

class StatisticsTable {
 public:
  StatisticsTable(std::span<const double> values, const AmountWords& words)
      : values_(values), words_(words), table_("statistics", words.title) {}

  Table build() {
    const auto n = static_cast<std::int64_t>(values_.size());
    table_.count({"count", "Count", "", ""}, {n}, Origin::kMeasured);
    add("sum", "Sum", [&] { return std::accumulate(values_.begin(), values_.end(), 0.0); });
    add("min", "Min", [&] { return *std::ranges::min_element(values_); });
    add("median", "Median", [&] { return median(values_); });
    add("mean", "Mean", [&] { return mean_of(values_); });
    add("p95", "p95", [&] { return percentile(values_, 95.0); });
    add("max", "Max", [&] { return *std::ranges::max_element(values_); });
    add("sd", "SD", [&] { return n < 2 ? std::nullopt : std::optional(standard_deviation(values_)); });
    return table_.build();
  }

 private:
  template <class Compute>
  void add(const char* key, const char* title, const Compute& compute) {
    const std::string_view name(title);
    std::optional<double> value;
    if (!values_.empty()) value = compute();
    table_.measure({std::string(key) + words_.suffix, std::string(name), "", name == "SD" ? "Standard deviation." : ""},
                   words_.measure, {value}, Origin::kMeasured);
  }

  std::span<const double> values_;
  const AmountWords& words_;
  TableBuilder table_;
};

Table statistics_of(std::span<const double> values, figure::AmountUnit unit) {
  const AmountWords words = words_of(unit);
  return StatisticsTable(values, words).build();
}

}  // namespace

Table duration_statistics(std::span<const double> seconds) {
  return statistics_of(seconds, figure::AmountUnit::kSeconds);
}

std::optional<Table> selection_statistics(std::span<const figure::Amount> amounts) {
  if (amounts.empty()) return std::nullopt;
  std::vector<double> values;
  for (const figure::Amount& amount : amounts) {
    if (amount.unit != amounts.front().unit) return std::nullopt;
    values.push_back(amount.value);
  }
  return statistics_of(values, amounts.front().unit);
}

}  // namespace dachlast::viewmodel
