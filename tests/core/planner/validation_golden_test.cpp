// The development rows of published figures, held to the thresholds the program promises.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "core/hardware/device_catalog.h"
#include "core/model/model_source.h"
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
  RowCatalog catalog(read_preset_sources(data_dir() / "models" / "SOURCES.csv"), std::move(devices));
  const std::string file = fmt::format("{}/reference/{}_dev.csv", DACHLAST_TEST_DATA_DIR, table);
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
  expect_every_row_counted("memory_kv", 27);
  expect_every_row_counted("kv_tables", 19);
  expect_every_row_counted("memory_llamacpp", 101);
  expect_every_row_counted("throughput", 1426);
  expect_every_row_counted("serving_silicon", 2090);
}

// What the time model reaches today, with a margin for changes that move a few rows; docs/accuracy.md has the table.
TEST(PublishedSpeeds, GapsBetweenTokensOfServedModels) {
  const ComponentErrors errors = errors_of("serving_silicon", "tpot");
  EXPECT_GE(errors.n, 1200);
  EXPECT_LE(errors.median_abs, 0.11);
}

TEST(PublishedSpeeds, LlamaCppTokensOneByOne) {
  std::vector<double> sizes;
  for (const PredictedFigure& figure : validated("throughput").figures)
    if (figure.item == "tg_tok_s") sizes.push_back(std::abs(figure.error()));
  EXPECT_GE(sizes.size(), 120u);
  EXPECT_LE(median(sizes), 0.08);
}

TEST(PublishedSpeeds, NineOfTenLieInTheirIntervals) {
  for (const char* component : {"tpot", "ttft"}) {
    const ComponentErrors errors = errors_of("serving_silicon", component);
    ASSERT_TRUE(errors.interval_coverage.has_value());
    EXPECT_GE(*errors.interval_coverage, 0.85) << component;
  }
}

TEST(PublishedStarts, WeightsAreHitToHalfAPerCent) {
  const ComponentErrors errors = errors_of("memory_kv", "weights");
  EXPECT_GE(errors.n, 11);
  EXPECT_LE(errors.median_abs, 0.005);
  EXPECT_LE(errors.p90_abs, 0.03);
}

TEST(PublishedStarts, TokensAreHitToAPerCent) {
  const ComponentErrors errors = errors_of("memory_kv", "kv_tokens");
  EXPECT_GE(errors.n, 10);
  EXPECT_LE(errors.median_abs, 0.01);
  EXPECT_LE(errors.p90_abs, 0.03);
}

TEST(PublishedStarts, VerdictsAreRight) {
  for (const FitCheck& check : validated("memory_kv").fits)
    EXPECT_TRUE(check.right()) << check.id << " " << check.detail;
}

TEST(PublishedStarts, ResidualsAreThoseOfTheTable) {
  std::map<std::string, double> found;
  for (const BesideFigure& figure : validated("memory_kv").residuals) found[figure.id] = figure.share;
  EXPECT_EQ(found.size(), beside_residuals().size());
  for (const BesideResidual& residual : beside_residuals())
    EXPECT_NEAR(residual.share, found[std::string(residual.id)], 0.002) << residual.id;
}

TEST(PublishedCaches, BytesAreHit) {
  EXPECT_LE(errors_of("kv_tables", "kv_bytes").worst_abs, 0.005);
  EXPECT_LE(errors_of("kv_tables", "kv_bytes_per_token").worst_abs, 0.006);  // 70,272 B, rounded to 69 KiB
}

TEST(PublishedSpeeds, WhatRanFits) {
  std::int64_t wrong = 0;
  for (const FitCheck& check : validated("throughput").fits) {
    if (check.right()) continue;
    ++wrong;
    if (wrong <= 10) ADD_FAILURE() << check.id << " " << check.detail;
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace dachlast
