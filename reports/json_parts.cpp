#include "reports/json_parts.h"

#include <cmath>

#include "reports/json.h"

namespace dachlast::reports {

void put(Json& json, const char* key, double value) {
  if (std::isfinite(value)) json[key] = value;
}

void put_sample(Json& json, const std::string& key, const RoofSample& sample) {
  put(json, key.c_str(), sample.median);
  put(json, (key + "_min").c_str(), sample.min);
  put(json, (key + "_max").c_str(), sample.max);
  json["n"] = sample.n;
}

Json remarks_json(const std::vector<Remark>& remarks) {
  Json json = Json::array();
  for (const auto& remark : remarks) json.push_back({{"code", remark.code}, {"text", remark.text}});
  return json;
}

Json segments_json(std::span<const MemorySegment> segments) {
  Json list = Json::array();
  for (const MemorySegment& segment : segments)
    list.push_back({{"name", segment.name},
                    {"bytes", segment.bytes.value},
                    {"origin", name_of(segment.origin)},
                    {"formula", segment.formula}});
  return list;
}

std::string text_of(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string json_string(std::string_view text) {
  return line_of(Json(std::string(text)));
}

std::string json_table(std::string_view schema, std::string_view key, const viewmodel::Table& table) {
  Json json;
  json["schema"] = schema;
  Json& rows = json[std::string(key)] = Json::array();
  for (const auto& row : table.rows) {
    Json entry = Json::object();
    for (std::size_t i = 0; i < row.size(); ++i) {
      const char* name = table.columns[i].key.c_str();
      if (const auto* number = std::get_if<double>(&row[i].raw)) put(entry, name, *number);
      if (const auto* count = std::get_if<std::int64_t>(&row[i].raw)) entry[name] = *count;
      if (const auto* text = std::get_if<std::string>(&row[i].raw)) entry[name] = *text;
    }
    rows.push_back(std::move(entry));
  }
  return text_of(json) + "\n";
}

}  // namespace dachlast::reports
