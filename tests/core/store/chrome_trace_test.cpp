#include "core/store/chrome_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/core/store/stored_run.h"

namespace dachlast {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::steps;

StoredRun stored_with(int n_steps) {
  StoredRun stored;
  stored.run = testing::full_header();
  stored.run.model.name = "quoted \"name\"";
  stored.timelines = {{10, n_steps, steps(n_steps)}};
  return stored;
}

std::string trace_of(const StoredRun& stored) {
  std::ostringstream out;
  write_chrome_trace(out, stored);
  return out.str();
}

std::vector<json> complete_events(const json& trace) {
  std::vector<json> events;
  for (const json& event : trace.at("traceEvents"))
    if (event.at("ph") == "X") events.push_back(event);
  return events;
}

TEST(ChromeTrace, IsJsonWithOneCompleteEventPerSpan) {
  const json trace = json::parse(trace_of(stored_with(2)));
  const auto events = complete_events(trace);
  ASSERT_EQ(events.size(), 6u);
  for (const json& event : events)
    for (const char* key : {"name", "cat", "pid", "tid", "ts", "dur", "args"}) EXPECT_TRUE(event.contains(key)) << key;
}

TEST(ChromeTrace, TimesAreMicrosecondsFromTheFirstSpanToTheNanosecond) {
  const std::string text = trace_of(stored_with(2));
  const auto events = complete_events(json::parse(text));
  EXPECT_DOUBLE_EQ(events[2]["ts"].get<double>(), 0.0);   // the first step
  EXPECT_DOUBLE_EQ(events[0]["ts"].get<double>(), 1.0);   // 1000 ns after it
  EXPECT_DOUBLE_EQ(events[5]["ts"].get<double>(), 10.0);  // the second step: 10,000 ns
  EXPECT_THAT(text, HasSubstr("\"dur\":3.001"));          // 4001 − 1000 ns
}

TEST(ChromeTrace, StepsAndOperationsAreRowsWithNames) {
  const json trace = json::parse(trace_of(stored_with(1)));
  const auto events = complete_events(trace);
  EXPECT_EQ(events[0]["name"], "attention");
  EXPECT_EQ(events[2]["name"], "decode");
  EXPECT_NE(events[0]["tid"], events[2]["tid"]);
  EXPECT_EQ(events[0]["tid"], events[1]["tid"]);
  int n_named_rows = 0;
  for (const json& event : trace["traceEvents"]) n_named_rows += event["name"] == "thread_name" ? 1 : 0;
  EXPECT_EQ(n_named_rows, 2);
}

TEST(ChromeTrace, LevelsAreCountersAndWhatWasNotReadIsLeftOut) {
  StoredRun stored = stored_with(1);
  const std::int64_t start_ns = stored.timelines[0].spans.back().start_ns;  // of the step
  stored.timelines[0].memory = {{start_ns, 1e9}};
  stored.timelines[0].clock_power = {{start_ns - 500, 2.5e9, {}}, {start_ns + 2000, {}, 80.0}};
  const json trace = json::parse(trace_of(stored));
  std::vector<json> counters;
  for (const json& event : trace["traceEvents"])
    if (event["ph"] == "C") counters.push_back(event);
  ASSERT_EQ(counters.size(), 3u);
  EXPECT_EQ(counters[0]["args"]["bytes"], 1e9);
  EXPECT_EQ(counters[1]["args"]["hz"], 2.5e9);
  EXPECT_EQ(counters[1]["ts"], 0.0);  // it came first: everything counts from there
  EXPECT_EQ(counters[2]["args"]["watts"], 80.0);
  EXPECT_EQ(counters[2]["ts"], 2.5);
}

TEST(ChromeTrace, ArgumentsCarryTheWorkAndOnlyLayersHaveANumber) {
  const auto events = complete_events(json::parse(trace_of(stored_with(1))));
  EXPECT_EQ(events[0]["args"],
            (json{{"layer", 3}, {"tokens", 1}, {"kv_len", 100}, {"flops", 1000.0}, {"bytes", 512.0}}));
  EXPECT_FALSE(events[1]["args"].contains("layer"));  // lm_head
}

TEST(ChromeTrace, TheProcessNameSaysWhatIsShown) {
  const json trace = json::parse(trace_of(stored_with(2)));
  EXPECT_EQ(trace["traceEvents"][0]["args"]["name"], "quoted \"name\" (timeline of 2 of 10 measured steps)");
}

TEST(ChromeTrace, ARunWithoutTimelineIsAnEmptyTrace) {
  StoredRun stored;
  EXPECT_TRUE(complete_events(json::parse(trace_of(stored))).empty());
}

}  // namespace
}  // namespace dachlast
