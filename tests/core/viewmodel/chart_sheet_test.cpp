#include "core/viewmodel/chart_sheet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <variant>

#include "core/figure/labels.h"
#include "core/viewmodel/charts.h"

namespace dachlast::viewmodel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Words& english() {
  return Words::of(Language::kEnglish);
}

figure::Figure chart() {
  return {.id = "c",
          .size = {200.0, 100.0},
          .title = "Shares",
          .description = {},
          .primitives = {figure::Rect{{0.0, 0.0, 10.0, 100.0}, figure::Role::kMemory},
                         figure::HitBox{{0.0, 0.0, 10.0, 100.0}, "bar", "one\ntwo"}}};
}

Table table(std::size_t n_rows) {
  Table table{.id = "t", .title = "Numbers", .columns = {}, .rows = {}, .notes = {}};
  table.columns = {
      {"name", "Name", "", "", Align::kLeft},
      {"time_s", "Time", "ms", ""},
      {"remark",
       "A remark that is wider than the whole chart above, margins and all, by as many words as it takes to be so", "",
       "", Align::kLeft, 1}};
  for (std::size_t i = 0; i < n_rows; ++i)
    table.rows.push_back({text_cell("row"), number_cell(0.001, "1.00", Origin::kEstimated), text_cell("r")});
  return table;
}

std::vector<std::string> texts_of(const figure::Figure& figure) {
  std::vector<std::string> texts;
  for (const auto& primitive : figure.primitives)
    if (const auto* text = std::get_if<figure::Text>(&primitive)) texts.push_back(text->text);
  return texts;
}

TEST(ChartSheet, CarriesHeadTitleAndTable) {
  const figure::Figure sheet = chart_sheet({"gpt2 on a CPU", {"measured today"}}, chart(), table(1), english());
  EXPECT_THAT(texts_of(sheet), ElementsAre("gpt2 on a CPU", "measured today", "Shares", "Numbers", "Name", "Time, ms",
                                           "row", "≈\u20091.00"));
}

TEST(ChartSheet, NothingOfItLiesOutsideOrOverTheChart) {
  const figure::Figure sheet = chart_sheet({"a title", {"a line", "another"}}, chart(), table(3), english());
  double chart_top = 0.0;
  double chart_bottom = 0.0;
  for (const auto& primitive : sheet.primitives)
    if (const auto* rect = std::get_if<figure::Rect>(&primitive)) {
      chart_top = rect->box.y;
      chart_bottom = rect->box.bottom();
    }
  ASSERT_GT(chart_top, 0.0);
  for (const auto& primitive : sheet.primitives)
    if (const auto* text = std::get_if<figure::Text>(&primitive)) {
      EXPECT_TRUE(text->at.y < chart_top || text->at.y - text->size > chart_bottom) << text->text;
      EXPECT_LT(text->at.y, sheet.size.height);
      if (text->anchor != figure::Anchor::kStart) continue;
      EXPECT_LT(text->at.x + figure::text_width(text->text, text->size), sheet.size.width) << text->text;
    }
}

TEST(ChartSheet, LongSentencesAreWrappedNotCut) {
  const std::string sentence =
      "Decode is memory-bound: most of its time is spent near the bandwidth of this machine. Prefill is compute-bound "
      "from 512 tokens on.";
  std::string joined;
  for (const auto& text : texts_of(chart_sheet({"t", {sentence}}, chart(), {}, english())))
    if (text != "t" && text != "Shares") joined += (joined.empty() ? "" : " ") + text;
  EXPECT_EQ(joined, sentence);
}

TEST(ChartSheet, ManyRowsAreCounted) {
  EXPECT_THAT(texts_of(chart_sheet({"t", {}}, chart(), table(53), english())),
              testing::Contains("13 more rows are not shown."));
}

TEST(ChartSheet, AForeignNameOfManyKilobytesDoesNotWidenIt) {
  Table long_name = table(1);
  long_name.rows[0][0] = text_cell(std::string(10'000, 'x'));
  EXPECT_LT(chart_sheet({"t", {}}, chart(), long_name, english()).size.width, 700.0);
}

TEST(ChartSheet, SpeaksTheLanguageOfItsWords) {
  const Words& german = Words::of(Language::kGerman);
  const figure::Figure sheet =
      chart_sheet(sheet_head("gpt2 on a CPU", {}, "2026-03-01T14:05:00Z", german), chart(), table(1), german);
  EXPECT_THAT(texts_of(sheet), testing::IsSupersetOf({"gpt2 auf a CPU", "≈\u20091,00", "Zeit, ms"}));
}

TEST(FactsTable, ListsWhatEveryDatumTells) {
  const Table facts = facts_table(chart());
  ASSERT_EQ(facts.rows.size(), 1U);
  EXPECT_EQ(facts.rows[0][0].text, "bar");
  EXPECT_EQ(facts.rows[0][1].text, "one; two");
}

TEST(DataOfAChart, IsItsDataThenItsTableThenItsFacts) {
  NamedChart named{"c", chart()};
  EXPECT_EQ(data_of(named).columns.front().key, "datum");
  named.table = table(1);
  EXPECT_EQ(data_of(named).columns.front().key, "name");
  named.data = Table{};
  EXPECT_THAT(data_of(named).columns, IsEmpty());
}

}  // namespace
}  // namespace dachlast::viewmodel
