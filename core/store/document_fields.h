#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/roofline/run.h"

namespace dachlast {

/// Fields of the public schema "dachlast.run/1", checked as they are read. What is absent reads as 0 or empty.
/// Errors   throw `Error` (kInput) naming the document where a figure is none.
class DocumentFields {
 public:
  /// `subject` names the document in errors and must outlive this.
  explicit DocumentFields(const std::string& subject) : subject_(subject) {}

  static std::string text(const nlohmann::json& j, const char* key) { return j.value(key, ""); }
  double number(const nlohmann::json& j, const char* key) const;
  int count(const nlohmann::json& j, const char* key) const;
  std::int64_t long_count(const nlohmann::json& j, const char* key) const;
  std::vector<double> numbers(const nlohmann::json& j, const char* key) const;
  static std::vector<Remark> remarks(const nlohmann::json& j, const char* key);

  /// The rows of a table, each as an object: the table may be a list of them, or an object of equally long columns, as
  /// the data of reports hold it for their size.
  std::vector<nlohmann::json> records(const nlohmann::json& j, const char* key) const;

  template <class Value>
  Value required(std::optional<Value> value, const char* what, const std::string& name) const {
    if (!value) refuse_damaged(fmt::format("\"{}\" is no {} of this version", name, what));
    return *value;
  }

  [[noreturn]] void refuse(const std::string& reason, const char* way_out) const;
  [[noreturn]] void refuse_damaged(std::string_view what) const;

 private:
  const std::string& subject_;
};

Serving serving_from(const DocumentFields& fields, const nlohmann::json& j);
KvTrafficPerStep kv_traffic_from(const DocumentFields& fields, const nlohmann::json& j);
KvBreakEven break_even_from(const DocumentFields& fields, const nlohmann::json& j);
/// Leaves out points of phases that a newer version knows, and names them in `skipped`.
WhatIfRun what_if_from(const DocumentFields& fields, const nlohmann::json& j, std::vector<std::string>& skipped);

}  // namespace dachlast
