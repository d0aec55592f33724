// Every text of the view-models has German: what reports of sample runs show, and every literal of the sources.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "core/viewmodel/localise.h"
#include "core/viewmodel/report_view.h"
#include "tests/support/sample_run.h"

namespace dachlast::viewmodel {
namespace {

namespace fs = std::filesystem;

const Words& german() {
  return Words::of(Language::kGerman);
}

/// Texts of a report that the catalogue does not know and that are no names.
std::set<std::string> unknown_texts(ReportView report, const std::set<std::string>& names) {
  std::set<std::string> unknown;
  change_texts(report, [&](TextKind kind, const std::string& english) {
    const bool is_name = kind == TextKind::kTitle || names.contains(english);
    if (!is_name && !german().find(english)) unknown.insert(english);
    return english;
  });
  return unknown;
}

const std::set<std::string>& names_of_sample() {
  static const std::set<std::string> names = {"gpt2",
                                              "a1b2c3d4e5f60718",
                                              "0123456789abcdef",
                                              "20260301-140500-sample",
                                              "0.1.0",
                                              "Sample CPU",
                                              "AVX2 · FMA",
                                              "AVX2 FMA",
                                              "FP32",
                                              "L2",
                                              "L3",
                                              "DRAM",
                                              "128 · 512",
                                              "L1 2 × 32 KiB · L2 2 × 1.00 MiB · L3 16.0 MiB",
                                              "–"};
  return names;
}

bool is_operation(const std::string& text) {
  return op_kind_from_name(text).has_value();
}

void expect_none(std::set<std::string> unknown) {
  std::erase_if(unknown, [](const std::string& text) {
    const std::string word = text.substr(text.find(' ') + 1);  // "3 mlp_up" beside a point of the roofline
    return is_operation(text) || is_operation(word) ||
           std::regex_match(text, std::regex("[A-Z0-9/· .,×a-zµ%-]{1,8}")) ||
           text.find("\u00a0KiB · ") != std::string::npos;
  });
  for (const std::string& text : unknown) ADD_FAILURE() << "no German in core/viewmodel/catalog for: " << text;
}

TEST(German, KnowsEveryTextOfARun) {
  expect_none(unknown_texts(report_view(test::sample_run(), test::sample_memory()), names_of_sample()));
}

TEST(German, KnowsEveryTextOfPrefillAtADepth) {
  auto run = test::sample_run();
  for (MeasuredPoint& point : run.points)
    if (point.phase == Phase::kPrefill) point.depth_tokens = point.context_tokens / 4;
  expect_none(unknown_texts(report_view(run), names_of_sample()));
  expect_none(unknown_texts(report_view(run, run, compare_runs(run, run)), names_of_sample()));
}

TEST(German, KnowsEveryTextOfAComparison) {
  const auto base = test::sample_run();
  auto other = test::sample_run_on_one_thread();
  for (double& sample : other.points[2].samples_s) sample *= 1.3;
  for (double& sample : other.points[1].samples_s) sample *= 0.8;
  expect_none(unknown_texts(report_view(base, other, compare_runs(base, other)), names_of_sample()));
}

TEST(German, KnowsEveryTextOfAPartialRun) {
  auto run = test::sample_run();
  run.points.resize(1);
  run.complete = false;
  expect_none(unknown_texts(report_view(run), names_of_sample()));
  run.points.clear();
  expect_none(unknown_texts(report_view(run), names_of_sample()));
}

TEST(German, TranslatesTheFactsOfALineOneByOne) {
  EXPECT_EQ(german()("124 M parameters · FP32 weights, random · 2 threads · tiled attention"),
            "124\u00a0M Parameter · FP32-Gewichte, zufällig · 2\u00a0Threads · Attention gekachelt");
  EXPECT_EQ(german()("1: fewest GPUs, highest throughput per GPU"), "1: wenigste GPUs, höchster Durchsatz je GPU");
  EXPECT_EQ(german()("FP8, a scale a row, BF16 for the rest"), "FP8, eine Skala je Zeile, BF16 für den Rest");
}

TEST(German, ShowsTheSameDigitsAsEnglish) {
  const ReportView english = report_view(test::sample_run(), test::sample_memory());
  const ReportView other = in_language(english, german());
  ASSERT_EQ(english.key_figures.size(), other.key_figures.size());
  const auto digits = [](std::string text) {
    std::erase_if(text, [](char c) { return c < '0' || c > '9'; });
    return text;
  };
  for (std::size_t i = 0; i < english.key_figures.size(); ++i)
    EXPECT_EQ(digits(english.key_figures[i].value), digits(other.key_figures[i].value));
}

TEST(German, LeavesRawValuesAndIdsAlone) {
  const ReportView english = report_view(test::sample_run(), test::sample_memory());
  const ReportView other = in_language(english, german());
  ASSERT_TRUE(english.phases && other.phases);
  EXPECT_EQ(english.phases->id, other.phases->id);
  for (std::size_t row = 0; row < english.phases->rows.size(); ++row)
    for (std::size_t i = 0; i < english.phases->columns.size(); ++i) {
      EXPECT_EQ(english.phases->rows[row][i].raw, other.phases->rows[row][i].raw);
      EXPECT_EQ(english.phases->columns[i].key, other.phases->columns[i].key);
    }
  EXPECT_EQ(english.command, other.command);
}

// -------- literals

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// String literals of a source file, neighbours joined, as the compiler joins them; escapes of spaces resolved.
std::vector<std::string> literals_of(const std::string& source) {
  std::vector<std::string> literals;
  bool joins = false;  // nothing but space since the last literal
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source.compare(i, 2, "//") == 0) {
      i = std::min(source.find('\n', i), source.size());
      continue;
    }
    if (source[i] == '\'' && i + 2 < source.size()) {
      i = source[i + 1] == '\\' ? i + 3 : source[i + 2] == '\'' ? i + 2 : i;
      joins = false;
      continue;
    }
    if (source[i] != '"') {
      joins = joins && std::isspace(static_cast<unsigned char>(source[i])) != 0;
      continue;
    }
    std::string literal;
    for (++i; i < source.size() && source[i] != '"'; ++i) {
      if (source[i] == '\\')
        literal += source[++i] == 'n' ? '\n' : source[i];
      else
        literal += source[i];
    }
    if (joins && !literals.empty())
      literals.back() += literal;
    else
      literals.push_back(std::move(literal));
    joins = true;
  }
  return literals;
}

/// What a person reads: words apart, or a word that starts with a capital.
bool is_prose(const std::string& text) {
  if (text.find_first_of("<=\\/") != std::string::npos && text.find(' ') == std::string::npos) return false;
  const bool words = std::regex_search(text, std::regex("[a-z]{2,} [a-z(]|[A-Za-z]{3,}, [a-z]"));
  return words || std::regex_match(text, std::regex("[A-Z][a-z]{2,}( .*)?"));
}

/// The longest stretch between placeholders.
std::string longest_chunk(const std::string& text) {
  const std::regex cut(R"(\{[^}]*\}|\n)");
  std::string longest;
  for (std::sregex_token_iterator it(text.begin(), text.end(), cut, -1), end; it != end; ++it)
    if (it->length() > static_cast<std::ptrdiff_t>(longest.size())) longest = *it;
  const std::size_t first = longest.find_first_not_of(' ');
  return first == std::string::npos ? "" : longest.substr(first, longest.find_last_not_of(' ') - first + 1);
}

bool is_known(const std::string& chunk) {
  for (const std::string& entry : german().entries())
    if (entry.find(chunk) != std::string::npos) return true;
  return false;
}

// Not shown in reports or windows as they are: messages of errors, and machine values.
const std::set<std::string>& exceptions() {
  static const std::set<std::string> list = {
      "needs at least two tokens generated both ways.",
      "KV cache chart",
      "context chart",
      "needs at least two contexts.",
      "no DRAM bandwidth or no compute peak is known.",
      "Measure its roofs: dachlast calibrate.",
      "DACHLAST_VERSION comes from the build",
      "dachlast plan",
      "latency-bound: below 60 % of both roofs",  // measures a width; what is shown carries the run's own threshold
  };
  return list;
}

std::vector<fs::path> sources() {
  const fs::path root = DACHLAST_SOURCE_DIR;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(root / "core/viewmodel"))
    if (entry.path().extension() == ".cpp") files.push_back(entry.path());
  std::erase_if(files, [](const fs::path& file) {
    constexpr std::array<std::string_view, 4> kMachines = {"flat_table", "format", "catalogue", "language"};
    return std::ranges::find(kMachines, file.stem().string()) != kMachines.end();
  });
  for (const char* file :
       {"core/workbench/scenario_view.cpp", "core/workbench/scenario_report.cpp", "core/workbench/sweep_view.cpp"})
    files.push_back(root / file);
  return files;
}

std::vector<std::string> literals_without_german(const fs::path& file) {
  std::vector<std::string> unknown;
  for (std::string& literal : literals_of(read(file)))
    if (is_prose(literal) && !exceptions().contains(literal) && !is_known(longest_chunk(literal)))
      unknown.push_back(std::move(literal));
  return unknown;
}

TEST(German, KnowsEveryLiteralOfTheViewModels) {
  for (const fs::path& file : sources())
    for (const std::string& literal : literals_without_german(file))
      ADD_FAILURE() << file.filename().string() << ": add German to core/viewmodel/catalog for: " << literal;
}

// What readers of files, the planner and the workbench refuse, and why: the window says it in the reader's language.
const std::vector<std::string>& refusing_sources() {
  static const std::vector<std::string> list = {
      "core/engine/calibration.cpp",      "core/engine/calibration_plan.cpp",
      "core/engine/load_monitor.cpp",     "core/hardware/data_object.cpp",
      "core/hardware/device_catalog.cpp", "core/hardware/device_spec.cpp",
      "core/hardware/yaml_file.cpp",      "core/import/attached_trace.cpp",
      "core/import/json_stream.cpp",      "core/import/kernel_tables.cpp",
      "core/import/kineto_trace.cpp",     "core/import/launch_links.cpp",
      "core/import/nsys_trace.cpp",       "core/import/profile_file.cpp",
      "core/import/step_ranges.cpp",      "core/model/config_object.cpp",
      "core/model/config_reader.cpp",     "core/model/gguf.cpp",
      "core/model/gguf_config.cpp",       "core/model/gguf_finish.cpp",
      "core/model/gguf_header.cpp",       "core/model/gguf_model.cpp",
      "core/model/json_file.cpp",         "core/model/kv_spec.cpp",
      "core/model/mapped_file.cpp",       "core/model/model_import.cpp",
      "core/model/model_source.cpp",      "core/model/preset_catalog.cpp",
      "core/model/safetensors.cpp",       "core/model/safetensors_header.cpp",
      "core/model/safetensors_index.cpp", "core/model/safetensors_weights.cpp",
      "core/model/strict_json.cpp",       "core/model/what_if.cpp",
      "core/planner/layout.cpp",          "core/planner/memory_planner.cpp",
      "core/planner/price_list.cpp",      "core/planner/recommend_search.cpp",
      "core/planner/served_speed.cpp",    "core/roofline/roofline.cpp",
      "core/store/database.cpp",          "core/store/document_extras.cpp",
      "core/store/document_fields.cpp",   "core/store/roof_store.cpp",
      "core/store/run_json.cpp",          "core/store/run_reader.cpp",
      "core/store/run_writer.cpp",        "core/workbench/execute_run.cpp",
      "core/workbench/generate.cpp",      "core/workbench/gpu_run.cpp",
      "core/workbench/open_plan.cpp",     "core/workbench/own_cache.cpp",
      "core/workbench/parse.cpp",         "core/workbench/plan_run.cpp",
      "core/workbench/project.cpp",       "core/workbench/recommend_page.cpp",
      "core/workbench/scenario.cpp",      "core/workbench/scenario_speed.cpp",
  };
  return list;
}

/// SQL, and what assertions of the compiler, makers' names, columns of other programs and parts of sentences say.
bool is_no_refusal(const std::string& literal) {
  static const std::set<std::string> list = {"SQLite format 3",
                                             "sample blobs are little-endian",
                                             "safetensors data is little-endian and used in place",
                                             "GGUF is read in place",
                                             "Intel",
                                             "Google",
                                             "Apple",
                                             "at least about ",
                                             "$TMPDIR or a cache folder; --scratch",
                                             "Attached program",
                                             "Nsight Systems trace",
                                             "Nsight Systems kernel summary",
                                             "Nsight Compute details",
                                             "Total Time (ns)",
                                             "Instances",
                                             "Min (ns)",
                                             "Max (ns)",
                                             "Kernel Name",
                                             "Metric Name",
                                             "Metric Unit",
                                             "Metric Value",
                                             "Compute (SM) Throughput",
                                             "Kbyte",
                                             "Mbyte",
                                             "Gbyte",
                                             "Tbyte",
                                             "Memcpy",
                                             "Memset",
                                             "Runtime",
                                             "Input Dims",
                                             "Input dims",
                                             "Input type",
                                             "Concrete Inputs",
                                             "no limit to {} ({})"};
  return list.contains(literal) || literal.starts_with("SELECT ") || literal.starts_with("INSERT ") ||
         literal.starts_with("<script");
}

/// The same with places of every kind alike, nouns of counts apart: "{} tokens" is listed as "{q}" too.
bool is_known_by_parts(const std::string& literal) {
  const std::regex noun(R"re(\{[^}]*\} ((tokens|sequences|requests|points|batch|GiB)\b|%))re");
  return is_known(longest_chunk(std::regex_replace(literal, noun, "{}")));
}

TEST(German, KnowsEveryRefusal) {
  const fs::path root = DACHLAST_SOURCE_DIR;
  for (const std::string& file : refusing_sources())
    for (const std::string& literal : literals_of(read(root / file))) {
      const bool says_something = is_prose(literal) && !is_no_refusal(literal);
      EXPECT_TRUE(!says_something || is_known(longest_chunk(literal)) || is_known_by_parts(literal))
          << file << ": add German to core/viewmodel/catalog/german_errors.txt for: " << literal;
    }
}

TEST(German, KnowsEveryWordOfThePage) {
  const fs::path root = DACHLAST_SOURCE_DIR;
  std::vector<fs::path> files = {root / "reports/html.cpp", root / "reports/html_parts.cpp"};
  for (const auto& entry : fs::directory_iterator(root / "reports/sections")) files.push_back(entry.path());
  const std::regex words(
      R"re((?:words\(|html_section\(page, "[a-z-]+", |Section\{"[a-z-]+", |remarks\(page, )"([^"]+)")re");
  std::size_t n = 0;
  for (const fs::path& file : files) {
    const std::string text = read(file);
    for (auto it = std::sregex_iterator(text.begin(), text.end(), words); it != std::sregex_iterator(); ++it, ++n)
      EXPECT_TRUE(is_known((*it)[1])) << file.filename().string() << ": " << (*it)[1];
  }
  EXPECT_GT(n, 30u);  // the pattern still finds them
}

TEST(German, IsNoCopyOfTheEnglish) {
  std::set<std::string> seen;
  for (const std::string& entry : german().entries()) EXPECT_TRUE(seen.insert(entry).second) << "twice: " << entry;
}

}  // namespace
}  // namespace dachlast::viewmodel
