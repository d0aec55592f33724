// The development rows of published figures, held to the thresholds the program promises.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "core/hardware/device_catalog.h"
#include "core/model/model_source.h"
#include "core/planner/cross_validation.h"
#include "core/planner/known_load.h"
#include "core/planner/residuals.h"
#include "core/planner/validation.h"

namespace dachlast {
namespace {

const Validation& validated(const std::string& table) {
  static std::map<std::string, Validation> known;
  const auto found = known.find(table);
  if (found != known.end()) return found->second;
  std::vector<DeviceSpec> devices;
  for (DeviceSpec& package : list_devices()) devices.push_back(per_device(std::move(package)));
  RowCatalog catalog(read_preset_catalog(data_dir() / "models"), std::move(devices));
  const std::string file = fmt::format("{}/reference/{}.csv", DACHLAST_TEST_DATA_DIR, table);
  return known.emplace(table, validate_rows(read_reference_rows(file), catalog)).first->second;
}

ComponentErrors errors_of(const std::string& table, const std::string& component) {
  for (const ComponentErrors& errors : component_errors(validated(table)))
    if (errors.component == component) return errors;
  return {};
}

void expect_every_row_counted(const std::string& table, std::int64_t n_rows) {
  const Validation& validation = validated(table);
  EXPECT_EQ(validation.n_rows, n_rows);
  std::set<std::string> ids;
  for (const PredictedFigure& figure : validation.figures) ids.insert(figure.id);
  for (const FitCheck& check : validation.fits) ids.insert(check.id);
  for (const SkippedFigure& skip : validation.skipped) ids.insert(skip.id);
  EXPECT_EQ(static_cast<std::int64_t>(ids.size()), n_rows) << "a row was dropped";
}

TEST(PublishedStarts, EveryRowIsPredictedOrNamed) {
  expect_every_row_counted("memory_kv_dev", 27);
  expect_every_row_counted("kv_tables_dev", 19);
  expect_every_row_counted("memory_llamacpp_dev", 101);
  expect_every_row_counted("throughput_dev", 1426);
  expect_every_row_counted("serving_silicon_dev", 2090);
}

// What the time model reaches today, with a margin for changes that move a few rows; docs/accuracy.md has the table.
TEST(PublishedSpeeds, GapsBetweenTokensOfServedModels) {
  const ComponentErrors errors = errors_of("serving_silicon_dev", "tpot");
  EXPECT_GE(errors.n, 1200);
  EXPECT_LE(errors.median_abs, 0.11);
}

/// Rows with figures of speed that no figure was predicted for, though model, device and engine are known.
double skipped_share(const std::string& table) {
  constexpr std::string_view kUnknown[] = {"no known config", "is not in the catalog", "no profile of",
                                           "Ollama",          "no capacity of",        "on a processor"};
  std::set<std::string> predicted;
  std::set<std::string> skipped;
  for (const PredictedFigure& figure : validated(table).figures) predicted.insert(figure.id);
  for (const SkippedFigure& skip : validated(table).skipped) {
    const bool unknown = std::ranges::any_of(
        kUnknown, [&](std::string_view words) { return skip.reason.find(words) != std::string::npos; });
    if (!unknown && !predicted.contains(skip.id)) skipped.insert(skip.id);
  }
  return static_cast<double>(skipped.size()) / static_cast<double>(skipped.size() + predicted.size());
}

TEST(PublishedSpeeds, OneInTenIsSkippedAtMostWhereModelDeviceAndEngineAreKnown) {
  EXPECT_LE(skipped_share("throughput_dev"), 0.10);
  const double both = (skipped_share("throughput_dev") * 1426 + skipped_share("serving_silicon_dev") * 2090) / 3516;
  EXPECT_LE(both, 0.10);
}

TEST(PublishedSpeeds, LlamaCppTokensOneByOne) {
  std::vector<double> sizes;
  for (const PredictedFigure& figure : validated("throughput_dev").figures)
    if (figure.item == "tg_tok_s") sizes.push_back(std::abs(figure.error()));
  EXPECT_GE(sizes.size(), 120u);
  EXPECT_LE(median(sizes), 0.08);
}

// What plans held to a measured load print as intervals: the rows' own quantiles, to the second digit.
TEST(PublishedSpeeds, OneKnownLoadSaysWhatTheProgramPromises) {
  const std::vector<KnownLoadErrors> errors = known_load_errors(validated("serving_silicon_dev"));
  ASSERT_EQ(errors.size(), 6U);
  for (const KnownLoadErrors& of : errors) {
    const auto ratios = known_load_ratios(of.distance);
    if (!ratios) continue;
    const RatioInterval& printed = of.component == "ttft" ? ratios->ttft : ratios->tpot;
    EXPECT_NEAR(of.ratios.low / printed.low, 1.0, 0.02) << of.component << ", " << name_of(of.distance);
    EXPECT_NEAR(of.ratios.high / printed.high, 1.0, 0.02) << of.component << ", " << name_of(of.distance);
  }
  EXPECT_LE(errors.front().median_abs, 0.12);  // TTFT at loads like the known one
  EXPECT_LE(errors[3].median_abs, 0.07);       // TPOT
  EXPECT_LE(errors[3].p90_abs, 0.25);
}

TEST(PublishedSpeeds, NineOfTenLieInTheirIntervals) {
  for (const char* component : {"tpot", "ttft"}) {
    const ComponentErrors errors = errors_of("serving_silicon_dev", component);
    ASSERT_TRUE(errors.interval_coverage.has_value());
    EXPECT_GE(*errors.interval_coverage, 0.85) << component;
  }
}

TEST(PublishedStarts, WeightsAreHitToHalfAPerCent) {
  const ComponentErrors errors = errors_of("memory_kv_dev", "weights");
  EXPECT_GE(errors.n, 11);
  EXPECT_LE(errors.median_abs, 0.005);
  EXPECT_LE(errors.p90_abs, 0.03);
}

TEST(PublishedStarts, TokensAreHitToAPerCent) {
  const ComponentErrors errors = errors_of("memory_kv_dev", "kv_tokens");
  EXPECT_GE(errors.n, 12);
  EXPECT_LE(errors.median_abs, 0.01);
  EXPECT_LE(errors.p90_abs, 0.12);  // "~525k tokens" in "~50 GB" are 11 % off: m055 says that it is approximate
}

TEST(PublishedStarts, VerdictsAreRight) {
  for (const FitCheck& check : validated("memory_kv_dev").fits)
    EXPECT_TRUE(check.right()) << check.id << " " << check.detail;
}

/// The development rows and the starts found after the laws were made.
const Validation& all_starts() {
  static const Validation merged = [] {
    Validation all = validated("memory_kv_dev");
    all.merge(validated("memory_kv_extra"));
    return all;
  }();
  return merged;
}

TEST(PublishedStarts, ResidualsAreThoseOfTheTable) {
  const std::vector<LeftOutResidual> found = left_out_residuals(all_starts());
  ASSERT_EQ(found.size(), beside_residuals().size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(beside_residuals()[i].source, found[i].source);
    EXPECT_NEAR(beside_residuals()[i].share, found[i].share, 0.002) << found[i].source;
  }
}

TEST(PublishedStarts, ConstantsHoldWithoutAPublisher) {
  for (const ConstantCheck& check : leave_one_source_out(all_starts().observations)) {
    // Of a budget of 72 GiB half a gibibyte is 0.7 %: constants with two publishers stay within it.
    EXPECT_LE(check.median_abs, 0.2) << check.constant;
    if (check.left_out_worst_abs) {
      EXPECT_LE(*check.left_out_worst_abs, 0.5) << check.constant;
    }
  }
}

/// vLLM 0.15 to 0.19, published after the laws of weights, cache and activations were made. Rows 15 and 16 are pipelines,
/// whose trial runs sample on the last stage alone and print the first; rows 31 to 33 and 36 read pictures.
TEST(LaterStarts, AreHit) {
  const Validation& later = validated("memory_kv_extra");
  EXPECT_EQ(later.n_rows, 37);
  EXPECT_TRUE(later.skipped.empty());
  for (const FitCheck& check : later.fits) EXPECT_TRUE(check.right()) << check.id << " " << check.detail;
  const std::map<std::string, double> limits = {
      {"weights", 0.01}, {"kv_tokens", 0.001}, {"kv_bytes", 0.01}, {"activations", 0.01}};
  for (const PredictedFigure& figure : later.figures) {
    const bool pipeline = figure.id == "h015" || figure.id == "h016";
    const bool sees = figure.id == "h031" || figure.id == "h032" || figure.id == "h033" || figure.id == "h036";
    const auto limit = limits.find(figure.component);
    if (limit == limits.end() || (pipeline && figure.component == "activations")) continue;
    const bool wide = figure.component == "activations" && (sees || figure.id == "h034");
    EXPECT_LE(std::abs(figure.error()), wide ? 0.08 : limit->second) << figure.id << " " << figure.component;
  }
}

TEST(PublishedCaches, BytesAreHit) {
  EXPECT_LE(errors_of("kv_tables_dev", "kv_bytes").worst_abs, 0.005);
  for (const PredictedFigure& figure : validated("kv_tables_dev").figures) {
    if (figure.component != "kv_bytes_per_token") continue;
    // 70,272 B are rounded to 69 KiB. The source of k024 gives Gemma 4 31B's full layers 16 KV heads, its config 4.
    if (figure.id == "k024")
      EXPECT_DOUBLE_EQ(figure.predicted / figure.published, 0.25);
    else
      EXPECT_LE(std::abs(figure.error()), 0.006) << figure.id;
  }
}

TEST(PublishedLoadLogs, BuffersAreHit) {
  EXPECT_LE(errors_of("memory_llamacpp_dev", "weights").median_abs, 0.0005);
  EXPECT_LE(errors_of("memory_llamacpp_dev", "weights").p90_abs, 0.015);
  EXPECT_LE(errors_of("memory_llamacpp_dev", "kv_bytes").median_abs, 0.0001);
  EXPECT_LE(errors_of("memory_llamacpp_dev", "kv_bytes").p90_abs, 0.0005);
  EXPECT_LE(errors_of("memory_llamacpp_dev", "compute_buffer").median_abs, 0.0005);
}

TEST(PublishedSpeeds, WhatRanFits) {
  std::int64_t wrong = 0;
  for (const FitCheck& check : validated("throughput_dev").fits) {
    if (check.right()) continue;
    ++wrong;
    if (wrong <= 10) ADD_FAILURE() << check.id << " " << check.detail;
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace dachlast
