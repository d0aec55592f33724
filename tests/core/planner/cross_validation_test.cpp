#include "core/planner/cross_validation.h"

#include <gtest/gtest.h>

namespace dachlast {
namespace {

TEST(Publishers, ThreadsAreOneEachAndDocumentsOneARepository) {
  const auto publisher = [](const char* repo, const char* ref) {
    return publisher_of({.id = {}, .repo = repo, .ref = ref, .notes = {}, .words = {}});
  };
  EXPECT_EQ(publisher("vllm-project/vllm", "issue 10517#20k"), "vllm-project/vllm issue 10517");
  EXPECT_EQ(publisher("vllm-project/vllm", "PR 2031#pr"), "vllm-project/vllm PR 2031");
  EXPECT_EQ(publisher("a/b", "docs/x.md#one"), publisher("a/b", "results/y.md"));
}

TEST(CrossValidation, AConstantIsEstimatedFromTheOtherPublishers) {
  const std::vector<ConstantObservation> seen = {{"c", "1", "x", 0.2, 0.1},
                                                 {"c", "2", "x", 0.2, 0.5},
                                                 {"c", "3", "y", 0.2, 0.3},
                                                 {"c", "4", "z", 0.2, 0.5},
                                                 {"d", "5", "x", 1.0, 1.5}};
  const auto checks = leave_one_source_out(seen);
  ASSERT_EQ(checks.size(), 2u);
  EXPECT_EQ(checks[0].n, 4);
  EXPECT_EQ(checks[0].n_sources, 3);
  EXPECT_NEAR(checks[0].median_abs, 0.2, 1e-12);  // of 0.1, 0.3, 0.1 and 0.3
  // Left out: x from (0.3 + 0.5) / 2 = 0.4 misses by 0.3 and 0.1; y from (0.3 + 0.5) / 2 by 0.1; z from (0.3 + 0.3) / 2 by 0.2.
  EXPECT_NEAR(*checks[0].left_out_median_abs, 0.15, 1e-12);
  EXPECT_NEAR(*checks[0].left_out_worst_abs, 0.3, 1e-12);
  EXPECT_FALSE(checks[1].left_out_median_abs);  // one publisher
}

TEST(CrossValidation, AResidualKnowsNothingOfItsPublisher) {
  Validation validation;
  validation.observations = {{"library memory of vllm, 0.50 GiB", "1", "x", 0.5, 0.5},
                             {"library memory of vllm, 0.50 GiB", "2", "y", 0.5, 1.5},
                             {"library memory of vllm, 0.10 GiB", "3", "y", 0.1, 0.1}};
  validation.residuals = {{"1", "x", 2.0, 2.0, 0.5, "library memory of vllm, 0.50 GiB"},
                          {"4", "x", 2.0, 3.3, 0.5, "library memory of vllm, 0.50 GiB"},
                          {"3", "y", 1.1, 1.5, 0.1, "library memory of vllm, 0.10 GiB"}};
  const auto residuals = left_out_residuals(validation);
  ASSERT_EQ(residuals.size(), 2u);
  // x: 2.0 − 0.5 + y's 1.5 = 3.0; the row that misses by most is −1/3, the other +0.1.
  EXPECT_EQ(residuals[0].n, 2);
  EXPECT_NEAR(residuals[0].share, -1.0 / 3.0, 1e-12);
  // y: no other publisher has this constant, so that of the other one stands for it: 1.1 − 0.1 + 0.5 = 1.5.
  EXPECT_NEAR(residuals[1].share, 0.0, 1e-12);
}

}  // namespace
}  // namespace dachlast
