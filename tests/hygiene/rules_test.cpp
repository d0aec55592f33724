#include "tests/hygiene/rules.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace dachlast::hygiene {
namespace {

TEST(LayerRules, ArrowsReachOverOtherLayers) {
  const Rules rules =
      parse_rules("layer base core/base ->\nlayer model core/model -> base\nlayer app app/cli -> model\n");
  EXPECT_TRUE(rules.reaches(rules.layers[2], rules.layers[0]));
  EXPECT_FALSE(rules.reaches(rules.layers[0], rules.layers[2]));
}

TEST(LayerRules, TheLongestFolderNamesTheLayer) {
  const Rules rules = parse_rules("layer outer core ->\nlayer inner core/base ->\n");
  EXPECT_EQ(rules.layer_of("core/base/units.h")->name, "inner");
  EXPECT_EQ(rules.layer_of("core/baseline/x.h")->name, "outer");
  EXPECT_EQ(rules.layer_of("kernels/cost.h"), nullptr);
}

TEST(LayerRules, AWrongTableIsRefused) {
  EXPECT_THROW(parse_rules("layer base core/base\n"), Error);              // no arrow
  EXPECT_THROW(parse_rules("layer a x -> nowhere\n"), Error);              // unknown layer
  EXPECT_THROW(parse_rules("layer a x -> b\nlayer b y -> a\n"), Error);    // cycle
  EXPECT_THROW(parse_rules("header sqlite3 mostly core/store\n"), Error);  // unknown scope
  EXPECT_THROW(parse_rules("lines many core\n"), Error);                   // no number
  EXPECT_THROW(parse_rules("colour blue core\n"), Error);                  // unknown rule
}

}  // namespace
}  // namespace dachlast::hygiene
