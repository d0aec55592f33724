#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace dachlast {

// A record names its fields once, for writing and for reading:
//   constexpr auto kTraffic = [](auto& fields, auto& traffic) {
//     fields("n_steps", traffic.n_steps);
//     fields.list("points", traffic.points, kPoint);
//   };
// Reading throws nlohmann's exceptions where a field is missing or of another type.

/// Puts fields into a JSON object.
class FieldWriter {
 public:
  explicit FieldWriter(nlohmann::json& json) : json_(json) { json_ = nlohmann::json::object(); }

  template <class T>
  void operator()(const char* key, const T& value) {
    json_[key] = value;
  }

  /// Nothing where there is no value.
  template <class T>
  void optional(const char* key, const std::optional<T>& value) {
    if (value) json_[key] = *value;
  }

  template <class Record, class NameFields>
  void record(const char* key, const Record& record, NameFields name_fields) {
    FieldWriter inner(json_[key]);
    name_fields(inner, record);
  }

  template <class Record, class NameFields>
  void list(const char* key, const std::vector<Record>& records, NameFields name_fields) {
    nlohmann::json& list = json_[key] = nlohmann::json::array();
    for (const Record& record : records) {
      FieldWriter inner(list.emplace_back());
      name_fields(inner, record);
    }
  }

  /// A list that files of older versions lack.
  template <class Record, class NameFields>
  void late_list(const char* key, const std::vector<Record>& records, NameFields name_fields) {
    list(key, records, name_fields);
  }

 private:
  nlohmann::json& json_;
};

/// Takes fields out of a JSON object.
class FieldReader {
 public:
  explicit FieldReader(const nlohmann::json& json) : json_(json) {}

  template <class T>
  void operator()(const char* key, T& value) {
    json_.at(key).get_to(value);
  }

  template <class T>
  void optional(const char* key, std::optional<T>& value) {
    const auto found = json_.find(key);
    if (found == json_.end())
      value.reset();
    else
      value = found->get<T>();
  }

  template <class Record, class NameFields>
  void record(const char* key, Record& record, NameFields name_fields) {
    FieldReader inner(json_.at(key));
    name_fields(inner, record);
  }

  template <class Record, class NameFields>
  void list(const char* key, std::vector<Record>& records, NameFields name_fields) {
    read_list(json_.at(key), records, name_fields);
  }

  template <class Record, class NameFields>
  void late_list(const char* key, std::vector<Record>& records, NameFields name_fields) {
    records.clear();
    if (const auto found = json_.find(key); found != json_.end()) read_list(*found, records, name_fields);
  }

 private:
  template <class Record, class NameFields>
  static void read_list(const nlohmann::json& list, std::vector<Record>& records, NameFields name_fields) {
    records.clear();
    for (const nlohmann::json& one : list) {
      FieldReader inner(one);
      name_fields(inner, records.emplace_back());
    }
  }

  const nlohmann::json& json_;
};

template <class Record, class NameFields>
void write_fields(nlohmann::json& json, const Record& record, NameFields name_fields) {
  FieldWriter fields(json);
  name_fields(fields, record);
}

template <class Record, class NameFields>
void read_fields(const nlohmann::json& json, Record& record, NameFields name_fields) {
  FieldReader fields(json);
  name_fields(fields, record);
}

}  // namespace dachlast
