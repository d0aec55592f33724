#include "core/base/nearest_name.h"

#include <gtest/gtest.h>

#include <vector>

namespace dachlast {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsAndReplacements) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);  // k→s, e→i, +g
  EXPECT_EQ(edit_distance("", "gpt2"), 4u);
  EXPECT_EQ(edit_distance("gpt2", ""), 4u);
  EXPECT_EQ(edit_distance("gpt2", "gpt2"), 0u);
  EXPECT_EQ(edit_distance("GPT2", "gpt2"), 0u);
}

TEST(EditDistance, CountsASwapOfNeighboursOnce) {
  EXPECT_EQ(edit_distance("ab", "ba"), 1u);
  EXPECT_EQ(edit_distance("rnu", "run"), 1u);
  EXPECT_EQ(edit_distance("lpna", "plan"), 2u);  // two swaps
  EXPECT_EQ(edit_distance("ca", "abc"), 3u);     // no letter is touched twice: -c, a, +b, +c
}

TEST(NearestName, SuggestsWhatWasMeant) {
  const std::vector<std::string> names = {"gpt2", "gpt2-xl", "llama-3.2-1b", "llama-3.2-3b"};
  EXPECT_EQ(nearest_name("gtp2", names), "gpt2");
  EXPECT_EQ(nearest_name("rnu", std::vector<std::string>{"gpus", "run", "report"}), "run");
  EXPECT_EQ(nearest_name("Llama-3.2-1B", names), "llama-3.2-1b");
  EXPECT_EQ(nearest_name("llama3.2-3b", names), "llama-3.2-3b");
}

TEST(NearestName, OfEquallyNearTheFirstWins) {
  const std::vector<std::string> names = {"llama-3.2-1b", "llama-3.2-3b"};
  EXPECT_EQ(nearest_name("llama-3.2-2b", names), "llama-3.2-1b");
}

TEST(NearestName, KeepsSilentWhereNothingIsNear) {
  const std::vector<std::string> names = {"gpt2", "opt-125m"};
  EXPECT_EQ(nearest_name("mixtral", names), std::nullopt);
  EXPECT_EQ(nearest_name(std::string(1000, 'g'), names), std::nullopt);
  EXPECT_EQ(nearest_name("gpt2", {}), std::nullopt);
}

}  // namespace
}  // namespace dachlast
