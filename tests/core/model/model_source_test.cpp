#include "core/model/model_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "core/model/preset_catalog.h"
#include "tests/core/model/config_fixture.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ModelSourceTest : public ConfigTest {
 protected:
  fs::path checkpoint(const std::string& name) {
    fs::create_directories(folder_ / name);
    write(name + "/config.json", small_config("llama"));
    return folder_ / name;
  }

  std::string message_of(const std::string& name, ErrorKind kind) {
    try {
      resolve_model(name);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      return error.what();
    }
    ADD_FAILURE() << "no error for " << name;
    return "";
  }
};

/// Sets an environment variable while it lives.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ~ScopedVariable() {
    if (old_)
      ::setenv(name_, old_->c_str(), 1);
    else
      ::unsetenv(name_);
  }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

TEST_F(ModelSourceTest, ThePresetWithWeightsIsComplete) {
  const ModelSource source = resolve_model("stories-260k");
  EXPECT_EQ(source.spec.name, "stories-260k");
  EXPECT_EQ(attention_of(source.spec.layers[0]).n_kv_heads, 4);
  ASSERT_TRUE(source.weights_path);
  EXPECT_TRUE(fs::exists(*source.weights_path / "model.safetensors"));
  ASSERT_TRUE(source.tokenizer_path);
  EXPECT_TRUE(source.warnings.empty());
}

TEST_F(ModelSourceTest, PresetsAnswerToTheirHuggingFaceNameInAnyCase) {
  EXPECT_EQ(resolve_model("GPT2").spec.name, "gpt2");
  EXPECT_EQ(resolve_model("openai-community/gpt2").spec.name, "gpt2");
  EXPECT_FALSE(resolve_model("gpt2").weights_path);
}

TEST_F(ModelSourceTest, NamesOfTheSameArchitectureAreTakenForThePresetAndSaySo) {
  const ModelSource source = resolve_model("meta-llama/Llama-3.3-70B-Instruct-FP8");
  EXPECT_EQ(source.spec.name, resolve_model("llama-3.1-70b").spec.name);
  const auto warned_of = [&](std::string_view code) {
    return std::ranges::any_of(source.warnings, [&](const ConfigWarning& warning) { return warning.code == code; });
  };
  EXPECT_TRUE(warned_of("taken_for"));
  EXPECT_TRUE(warned_of("data_type_in_name"));
}

TEST_F(ModelSourceTest, FoldersBringTheirWeightsAndTokenizer) {
  const fs::path folder = checkpoint("mine");
  EXPECT_FALSE(resolve_model(folder).weights_path);
  write("mine/model.safetensors.index.json", "{}");
  write("mine/tokenizer.bin", "");
  for (const fs::path& path : {folder, folder / "config.json", folder / "model.safetensors.index.json"}) {
    const ModelSource source = resolve_model(path);
    EXPECT_EQ(source.spec.name, "mine");
    EXPECT_EQ(source.weights_path, folder) << path;
    EXPECT_EQ(source.tokenizer_path, folder / "tokenizer.bin");
  }
}

TEST_F(ModelSourceTest, AWeightsFileIsReadWithTheConfigBesideIt) {
  const fs::path folder = checkpoint("mine");
  const fs::path weights = write("mine/other.safetensors", "");
  EXPECT_EQ(resolve_model(weights).weights_path, weights);
  EXPECT_EQ(resolve_model(weights).config_path, folder / "config.json");
  EXPECT_THAT(message_of(write("lonely.safetensors", ""), ErrorKind::kInput), HasSubstr("holds no config.json"));
}

TEST_F(ModelSourceTest, AConfigUnderAnotherNameStandsAlone) {
  const ModelSource source = resolve_model(write("tiny.json", small_config("llama")));
  EXPECT_EQ(source.spec.name, "tiny");
  EXPECT_FALSE(source.weights_path);
}

TEST_F(ModelSourceTest, TheHashIsThatOfTheBytes) {
  // FNV-1a of "{" is (0xcbf29ce484222325 ^ 0x7b) · 0x100000001b3 mod 2^64; two files of equal bytes agree, others not.
  const auto hash = [&](const std::string& more) {
    return resolve_model(write("tiny.json", small_config("llama", more))).config_hash;
  };
  EXPECT_EQ(hash(""), hash(""));
  EXPECT_NE(hash(""), hash(R"("vocab_size": 32000)"));
  EXPECT_THAT(hash(""), testing::MatchesRegex("[0-9a-f]{16}"));
}

TEST_F(ModelSourceTest, UnknownNamesGetASuggestion) {
  EXPECT_THAT(message_of("llama-3.2-1", ErrorKind::kUsage), HasSubstr("Did you mean \"llama-3.2-1b\"?"));
  EXPECT_THAT(message_of("zzzzzzzzzzzzzzzzz", ErrorKind::kUsage), HasSubstr("List the presets"));
  EXPECT_THAT(message_of("", ErrorKind::kUsage), HasSubstr("no name"));
}

TEST_F(ModelSourceTest, AbsentPathsAreNoPresets) {
  EXPECT_THAT(message_of("./absent", ErrorKind::kInput), HasSubstr("does not exist"));
  EXPECT_THAT(message_of("absent/config.json", ErrorKind::kInput), HasSubstr("does not exist"));
  EXPECT_THAT(message_of(folder_, ErrorKind::kInput), HasSubstr("holds no config.json"));
  EXPECT_THAT(message_of(write("model.txt", "x"), ErrorKind::kInput), HasSubstr("is no model"));
}

TEST_F(ModelSourceTest, AWrongDataFolderNamesItsVariable) {
  const ScopedVariable variable("DACHLAST_DATA_DIR", (folder_ / "absent").string());
  try {
    data_dir();
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("DACHLAST_DATA_DIR"));
  }
  EXPECT_EQ(resolve_model(checkpoint("mine")).spec.name, "mine");  // a path needs no data folder
}

TEST_F(ModelSourceTest, PresetsAreSorted) {
  const auto presets = list_presets();
  ASSERT_GT(presets.size(), 40u);
  for (std::size_t i = 1; i < presets.size(); ++i) EXPECT_LT(presets[i - 1].name, presets[i].name);
}

TEST_F(ModelSourceTest, CellsOfThePresetTableMayBeQuoted) {
  const auto sources = read_preset_sources(
      write("a.csv", "name,title,hf_id,source,published_parameters,parameters_source\nx,\"A, \"\"B\"\"\",h,s,12,\n"));
  ASSERT_EQ(sources.size(), 1u);
  EXPECT_EQ(sources[0].title, "A, \"B\"");
  EXPECT_EQ(sources[0].published_parameters, 12.0);
}

TEST_F(ModelSourceTest, ADamagedTableIsRefused) {
  EXPECT_THROW(read_preset_sources(write("a.csv", "slug\n")), Error);
  EXPECT_THROW(
      read_preset_sources(write("b.csv", "name,title,hf_id,source,published_parameters,parameters_source\nx,y\n")),
      Error);
}

}  // namespace
}  // namespace dachlast
