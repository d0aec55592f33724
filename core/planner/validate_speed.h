#pragma once

#include <map>
#include <string>

#include "core/planner/speed_question.h"
#include "core/planner/validation.h"

namespace dachlast {

/// Answers the questions of rows, each of them once: the metrics of one benchmark run stand in rows of their own.
class SpeedCheck {
 public:
  explicit SpeedCheck(RowCatalog& catalog) : catalog_(catalog) {}

  void check(const ThroughputRow& row, Validation& validation);
  void check(const ServingRow& row, Validation& validation);

 private:
  struct Known {
    SpeedReading reading;
    std::optional<SpeedAnswer> answer;
  };
  template <class Row>
  const Known& known(const std::string& key, const Row& row);

  RowCatalog& catalog_;
  std::map<std::string, Known, std::less<>> known_;
};

}  // namespace dachlast
