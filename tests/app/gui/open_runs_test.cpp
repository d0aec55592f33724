#include "app/gui/open_runs.h"

#include <gtest/gtest.h>

#include <QSignalSpy>
#include <QUndoStack>

#include "app/gui/edit.h"
#include "app/gui/plan_command_line.h"
#include "tests/support/sample_run.h"

namespace dachlast::gui {
namespace {

TEST(OpenRuns, ShowTheOneOpenedLast) {
  OpenRuns runs;
  EXPECT_EQ(runs.shown(), nullptr);
  runs.add("/data/a.dachlast", test::sample_run());
  runs.add("/data/b.dachlast", test::sample_run());
  ASSERT_NE(runs.shown(), nullptr);
  EXPECT_EQ(runs.shown()->name, "b");
  EXPECT_EQ(runs.base(), nullptr);
  EXPECT_EQ(runs.effectiveBaseline(), 0);
}

TEST(OpenRuns, AFileIsOpenOnce) {
  OpenRuns runs;
  runs.add("a.dachlast", test::sample_run());
  runs.add("b.dachlast", test::sample_run());
  runs.add("a.dachlast", test::sample_run());
  EXPECT_EQ(runs.runs().size(), 2u);
  EXPECT_EQ(runs.current(), 0);
}

TEST(OpenRuns, ClosingKeepsBaselineAndColours) {
  OpenRuns runs;
  for (const char* file : {"a.dachlast", "b.dachlast", "c.dachlast"}) runs.add(file, test::sample_run());
  runs.setBaseline(2);
  const figure::Role colour = runs.runs()[2].role();
  runs.close(0);
  EXPECT_EQ(runs.baseline(), 1);
  EXPECT_EQ(runs.base()->role(), colour);
  runs.add("d.dachlast", test::sample_run());
  EXPECT_EQ(runs.runs()[2].slot, 0);  // what was closed gives its colour to the next
  runs.close(1);
  EXPECT_EQ(runs.base(), nullptr);
}

TEST(OpenRuns, ClosingTheLastTellsThatNothingIsShown) {
  OpenRuns runs;
  runs.add("a.dachlast", test::sample_run());
  const QSignalSpy told(&runs, &OpenRuns::currentChanged);
  runs.close(0);
  EXPECT_EQ(told.count(), 1);
  EXPECT_EQ(runs.shown(), nullptr);
  runs.close(0);
  runs.setCurrent(5);
  runs.setBaseline(7);
  EXPECT_EQ(runs.baseline(), -1);
}

TEST(Edit, ChangesOfOneGestureAreOne) {
  QUndoStack stack;
  int value = 0;
  const auto push = [&](int to) {
    stack.push(new Edit(
        "edit", [&value, to] { value = to; }, [&value, before = value] { value = before; }, Edit::kScenario));
  };
  push(1);
  push(2);
  push(3);
  EXPECT_EQ(stack.count(), 1);
  stack.undo();
  EXPECT_EQ(value, 0);
  stack.redo();
  EXPECT_EQ(value, 3);
}

TEST(Edit, ChangesOfOtherKindsStandAlone) {
  QUndoStack stack;
  for (int i = 0; i < 2; ++i)
    stack.push(new Edit(
        "edit", [] {}, [] {}));
  EXPECT_EQ(stack.count(), 2);
}

TEST(CommandLine, SaysWhatTheFormSays) {
  ui::ScenarioFields fields;
  fields.model = "llama-3.1-8b";
  fields.device = "h100-sxm5-80gb";
  fields.engine = "vllm";
  fields.batch_size = 8;
  fields.context_tokens = 32768;
  fields.memory_percent = 85;
  EXPECT_EQ(plan_command_line(fields),
            "dachlast plan --model llama-3.1-8b --gpu h100-sxm5-80gb --context 32768 --batch 8 --engine vllm "
            "--memory-fraction 85%");
}

TEST(CommandLine, QuotesWhatAShellWouldTakeApart) {
  ui::MeasureFields fields;
  fields.model = "/models/it's mine/$HOME";
  fields.contexts = "512,4096";
  EXPECT_EQ(run_command_line(fields), "dachlast run --model '/models/it'\\''s mine/$HOME' --context 512,4096");
}

TEST(CommandLine, SaysHowTheCacheLiesAndWhatIsKept) {
  ui::MeasureFields fields;
  fields.model = "gpt2";
  fields.layout = "paged:16";
  fields.spans = ui::MeasureFields::Spans::kEveryStep;
  EXPECT_EQ(run_command_line(fields), "dachlast run --model gpt2 --kv paged:16 --timeline");
}

}  // namespace
}  // namespace dachlast::gui
