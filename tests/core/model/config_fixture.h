#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/model/model_source.h"
#include "tests/core/model/temp_folder.h"

namespace dachlast {

/// Reads configs written as text.
class ConfigTest : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& content) const {
    return temp_.write(name, content);
  }

  ModelSpec read(const std::string& json) {
    warnings_.clear();
    return read_model_spec(write("config.json", json), warnings_);
  }

  /// What the error says about `json`; a failure of the test where there is none.
  std::string error_of(const std::string& json) {
    try {
      read(json);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_THAT(error.subject(), testing::HasSubstr("config.json"));
      return std::string(error.reason()) + " " + error.way_out();
    }
    ADD_FAILURE() << "no error for " << json;
    return "";
  }

  std::vector<std::string> warning_codes() const {
    std::vector<std::string> codes;
    for (const ConfigWarning& warning : warnings_) codes.push_back(warning.code);
    return codes;
  }

  TempFolder temp_;
  const std::filesystem::path& folder_ = temp_.path();
  std::vector<ConfigWarning> warnings_;
};

/// A config of `model_type` with small sizes: width 64, 2 layers, 4 heads; `more` is appended ("\"key\": value, …").
inline std::string small_config(const std::string& model_type, const std::string& more = "") {
  return R"({"model_type": ")" + model_type +
         R"(", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4)" +
         (more.empty() ? "" : ", " + more) + "}";
}

}  // namespace dachlast
