#include "reports/html.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "reports/escape.h"
#include "tests/support/sample_run.h"

namespace dachlast::reports {
namespace {

HtmlOptions dated() {
  HtmlOptions made;
  made.timestamp = "2026-03-01T15:00:00Z";
  return made;
}

std::string sample_html() {
  return run_html(test::sample_run(), dated(), test::sample_memory());
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

// Byte for byte. After a wanted change: DACHLAST_UPDATE_GOLDEN=1 writes the file anew; look at it in a browser before
// committing.
TEST(RunHtml, MatchesTheGoldenFile) {
  const std::string path = std::string(DACHLAST_TEST_DATA_DIR) + "/reports/sample_run.html";
  if (std::getenv("DACHLAST_UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << sample_html();
  EXPECT_EQ(sample_html(), read(path)) << "the report changed";
}

TEST(RunHtml, EqualInputGivesEqualBytes) {
  EXPECT_EQ(sample_html(), sample_html());
}

TEST(RunHtml, RefersToNothingOutsideTheFile) {
  const std::string html = sample_html();
  const std::regex reference(R"re((src|href|xlink:href)\s*=\s*"([^"]*)")re");
  for (auto it = std::sregex_iterator(html.begin(), html.end(), reference); it != std::sregex_iterator(); ++it)
    EXPECT_TRUE((*it)[2].str().starts_with("#") || (*it)[2] == "data:") << (*it)[0];  // anchors, and what scripts save
  EXPECT_EQ(html.find("@import"), std::string::npos);
  EXPECT_EQ(std::regex_search(html, std::regex(R"re(url\((?!#))re")), false);
  EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
}

TEST(RunHtml, StaysFarBelowOneMebibyte) {
  EXPECT_LT(sample_html().size(), 400'000u);
}

TEST(RunHtml, HoldsTheSectionsInOrder) {
  const std::string html = sample_html();
  std::size_t at = 0;
  for (const char* id :
       {"summary", "configuration", "memory", "phases", "roofline", "kv-cache", "assumptions", "reproduce", "data"}) {
    const std::size_t found = html.find(std::string("<section id=\"") + id + "\"");
    ASSERT_NE(found, std::string::npos) << id;
    EXPECT_GT(found, at) << id;
    at = found;
  }
}

TEST(RunHtml, LeavesOutSectionsWithoutContent) {
  auto run = test::sample_run();
  run.uncached.reset();
  const std::string html = run_html(run, dated());
  EXPECT_EQ(html.find("id=\"kv-cache\""), std::string::npos);
  EXPECT_EQ(html.find("id=\"memory\""), std::string::npos);
}

TEST(RunHtml, EveryIdIsUnique) {
  const std::string html = sample_html();
  const std::regex id("\\sid=\"([^\"]*)\"");
  std::set<std::string> seen;
  for (auto it = std::sregex_iterator(html.begin(), html.end(), id); it != std::sregex_iterator(); ++it)
    EXPECT_TRUE(seen.insert((*it)[1]).second) << (*it)[1];
}

TEST(RunHtml, TablesHaveCaptionsAndScopes) {
  const std::string html = sample_html();
  EXPECT_EQ(count(html, "<table "), count(html, "<caption>"));
  EXPECT_EQ(count(html, "<th "), count(html, "<th scope="));
}

TEST(RunHtml, HostileNamesStayText) {
  auto run = test::sample_run();
  const std::string name =
      "<script>alert(1)</script>\"'&\xE2\x80\xAE"
      "evil \xF0\x9F\x92\xA5 \xFF";
  run.model.name = name + std::string(10'000, 'x');
  run.warnings[0].text = "</script><!--" + name;
  run.command = "dachlast run --model '" + name + "'";
  run.host.cpu_name = run.roofs.device = name;
  const std::string html = run_html(run, dated());
  const std::string plain = run_html(test::sample_run(), dated());
  EXPECT_EQ(count(html, "<script"), count(plain, "<script"));
  EXPECT_EQ(count(html, "</script"), count(plain, "</script"));
  EXPECT_EQ(html.find("<!--"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;alert(1)"), std::string::npos);
  EXPECT_NE(html.find("[U+202E]evil \xF0\x9F\x92\xA5 \uFFFD"), std::string::npos);
}

TEST(RunHtml, LeavesFoldersOutOfTheReport) {
  auto run = test::sample_run();
  run.command = "dachlast run --model /home/someone/models/llama --context 128";
  const std::string html = run_html(run, dated());
  EXPECT_EQ(html.find("/home/someone"), std::string::npos);
  EXPECT_NE(html.find("--model llama --context 128"), std::string::npos);
}

TEST(RunHtml, ARunWithoutPointsSaysSo) {
  auto run = test::sample_run();
  run.points.clear();
  run.complete = false;
  const std::string html = run_html(run, dated());
  EXPECT_NE(html.find("Nothing was measured"), std::string::npos);
  EXPECT_NE(html.find("partial (0 of 4 points)"), std::string::npos);
}

TEST(Escape, ReplacesBrokenUtf8AndControlCharacters) {
  EXPECT_EQ(safe_text("a\xC3"), "a\uFFFD");                    // cut sequence
  EXPECT_EQ(safe_text("\xC0\xAF"), "\uFFFD\uFFFD");            // overlong slash
  EXPECT_EQ(safe_text("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // surrogate
  EXPECT_EQ(safe_text("\x1B[2J"), "\u241B[2J");
  EXPECT_EQ(safe_text("ok ä \xF0\x9F\x92\xA5\n"), "ok ä \xF0\x9F\x92\xA5\n");
}

}  // namespace
}  // namespace dachlast::reports
