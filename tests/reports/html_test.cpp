#include "reports/html.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "core/base/error.h"
#include "core/figure/palette.h"
#include "core/viewmodel/localise.h"
#include "core/viewmodel/run_view.h"
#include "reports/escape.h"
#include "tests/reports/html_checker.h"
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

HtmlOptions german_summary() {
  HtmlOptions made = dated();
  made.language = viewmodel::Language::kGerman;
  made.level = ReportLevel::kSummary;
  return made;
}

std::string sample_comparison(const HtmlOptions& options) {
  const auto base = test::sample_run();
  auto other = test::sample_run_on_one_thread();
  for (double& sample : other.points[2].samples_s) sample *= 1.3;
  return comparison_html(base, other, compare_runs(base, other), options, test::sample_memory());
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
void expect_golden(const std::string& html, const char* name) {
  const std::string path = std::string(DACHLAST_TEST_DATA_DIR) + "/reports/" + name;
  if (std::getenv("DACHLAST_UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << html;
  EXPECT_EQ(html, read(path)) << "the report changed";
}

TEST(RunHtml, MatchesTheGoldenFile) {
  expect_golden(sample_html(), "sample_run.html");
}

TEST(RunHtml, MatchesTheGoldenFileInGerman) {
  expect_golden(run_html(test::sample_run(), german_summary(), test::sample_memory()), "sample_run_summary_de.html");
}

TEST(RunHtml, IsWellFormed) {
  for (const auto language : {viewmodel::Language::kEnglish, viewmodel::Language::kGerman})
    for (const auto level : {ReportLevel::kSummary, ReportLevel::kFull}) {
      HtmlOptions options = dated();
      options.language = language;
      options.level = level;
      options.author = "A & B";
      options.logo = image_uri("logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>");
      EXPECT_EQ(html_faults(run_html(test::sample_run(), options, test::sample_memory())), std::vector<std::string>());
      EXPECT_EQ(html_faults(sample_comparison(options)), std::vector<std::string>());
      options.medium = Medium::kPaper;
      EXPECT_EQ(html_faults(run_html(test::sample_run(), options)), std::vector<std::string>());
    }
}

TEST(RunHtml, ASummaryLeavesOutTheDetailAndKeepsTheData) {
  HtmlOptions options = dated();
  options.level = ReportLevel::kSummary;
  const std::string html = run_html(test::sample_run(), options, test::sample_memory());
  for (const char* id : {"summary", "memory", "roofline", "data"})
    EXPECT_NE(html.find(std::string("<section id=\"") + id), std::string::npos) << id;
  for (const char* id : {"configuration", "phases", "kv-cache", "assumptions", "reproduce"})
    EXPECT_EQ(html.find(std::string("<section id=\"") + id), std::string::npos) << id;
  EXPECT_EQ(html.find("class=\"more\""), std::string::npos);
  EXPECT_NE(html.find("id=\"dachlast-data\""), std::string::npos);
}

TEST(RichText, HoldsTheSectionsOfTheFileWithChartsAsPictures) {
  for (const auto level : {ReportLevel::kSummary, ReportLevel::kFull}) {
    HtmlOptions options = dated();
    options.level = level;
    options.note = "<b>a note</b>";
    const EmbeddedData data[] = {{"dachlast-data", "{}"}};
    const auto view = viewmodel::report_view(test::sample_run(), test::sample_memory());
    const std::string file = report_html(view, data, options);
    const RichReport rich = report_rich_text(view, data, options);
    EXPECT_EQ(count(rich.html, "<section id="), count(file, "<section id="));
    EXPECT_EQ(count(rich.html, "<h2"), count(file, "<h2"));
    EXPECT_EQ(count(rich.html, "<img src=\"figure:"), rich.pictures.size());
    // A file draws every chart twice, for two widths.
    EXPECT_EQ(2 * rich.pictures.size(), count(file, "<svg"));
    for (const char* foreign : {"<svg", "<script", "<button", "<b>a note"})
      EXPECT_EQ(rich.html.find(foreign), std::string::npos) << foreign;
  }
}

TEST(Appendix, HoldsTheChartsTheReaderAdded) {
  auto view = viewmodel::report_view(test::sample_run());
  EXPECT_EQ(report_html(view, {}, dated()).find("id=\"appendix\""), std::string::npos);
  view.appendix = {view.roofline->wide, view.roofline->wide};
  const std::string html = report_html(view, {}, dated());
  EXPECT_NE(html.find("<section id=\"appendix\""), std::string::npos);
  EXPECT_EQ(html_faults(html), std::vector<std::string>());  // ids stay unique though a chart stands there three times
}

TEST(RunHtml, PaperHasNeitherScriptsNorVariables) {
  HtmlOptions options = dated();
  options.medium = Medium::kPaper;
  const std::string html = run_html(test::sample_run(), options, test::sample_memory());
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("var(--"), std::string::npos);
}

TEST(RunHtml, GermanCarriesTheSameData) {
  const auto data = [](const std::string& html) {
    const std::size_t at = html.find("id=\"dachlast-data\"");
    return html.substr(at, html.find("</script>", at) - at);
  };
  EXPECT_EQ(data(run_html(test::sample_run(), german_summary())), data(run_html(test::sample_run(), dated())));
}

TEST(ComparisonHtml, ShowsChangesOutsideTheNoiseAndCountsTheRest) {
  const std::string html = sample_comparison(dated());
  EXPECT_NE(html.find("<section id=\"comparison\""), std::string::npos);
  EXPECT_NE(html.find("SLOWER: "), std::string::npos);
  EXPECT_NE(html.find("3\u00a0points within noise."), std::string::npos);  // four points, one made slower
  for (const char* id : {"dachlast-data", "dachlast-base", "dachlast-comparison"})
    EXPECT_NE(html.find(std::string("id=\"") + id + "\""), std::string::npos) << id;
}

// -------- colours

figure::Rgb rgb(const std::string& hex) {
  const auto channel = [&](std::size_t at) {
    return static_cast<std::uint8_t>(std::stoi(hex.substr(at, 2), nullptr, 16));
  };
  return {channel(1), channel(3), channel(5)};
}

/// Values of a custom property in the order they are defined: light, then dark.
std::vector<figure::Rgb> values_of(const std::string& html, const std::string& name) {
  std::vector<figure::Rgb> values;
  const std::regex definition("--" + name + ":(#[0-9a-f]{3,6})[;}]");
  for (auto it = std::sregex_iterator(html.begin(), html.end(), definition); it != std::sregex_iterator(); ++it)
    values.push_back(rgb((*it)[1]));
  return values;
}

// WCAG 2.1, 1.4.3: text 4.5:1; 1.4.11: graphics 3:1.
TEST(ReportColours, AreLegibleInBothThemes) {
  const std::string html = sample_html();
  const auto expect = [&](const char* ink, const char* ground, double least) {
    const auto inks = values_of(html, ink);
    const auto grounds = values_of(html, ground);
    ASSERT_GE(inks.size(), 2u) << ink;
    ASSERT_EQ(inks.size(), grounds.size()) << ink << " on " << ground;
    for (std::size_t i = 0; i < inks.size(); ++i)
      EXPECT_GE(figure::contrast(inks[i], grounds[i]), least) << ink << " on " << ground << ", theme " << i;
  };
  for (const char* ink : {"text", "muted", "memory", "good", "warn", "bad"})
    for (const char* ground : {"surface", "page", "soft"}) expect(ink, ground, 4.5);
  for (const char* ink : {"axis", "series1", "series2", "series3", "series4", "series5", "series6"})
    expect(ink, "surface", 3.0);
}

TEST(ImageUri, TakesImagesAndNothingElse) {
  EXPECT_EQ(image_uri("logo", std::string_view("\x89PNG\r\n\x1a\n", 8)), "data:image/png;base64,iVBORw0KGgo=");
  EXPECT_EQ(image_uri("logo", "<svg/>"), "data:image/svg+xml;base64,PHN2Zy8+");
  EXPECT_THROW(image_uri("logo", "MZ"), Error);
  EXPECT_THROW(image_uri("logo", ""), Error);
  EXPECT_THROW(image_uri("logo", "<svg/>" + std::string(300'000, ' ')), Error);
}

TEST(RunHtml, EqualInputGivesEqualBytes) {
  EXPECT_EQ(sample_html(), sample_html());
}

TEST(RunHtml, RefersToNothingOutsideTheFile) {
  const std::string html = sample_html();
  const std::regex reference(R"re((src|href|xlink:href)\s*=\s*"([^"]*)")re");
  for (auto it = std::sregex_iterator(html.begin(), html.end(), reference); it != std::sregex_iterator(); ++it)
    EXPECT_TRUE((*it)[2].str().starts_with("#") || (*it)[2].str().starts_with("data:"))
        << (*it)[0];  // anchors, and what scripts save
  EXPECT_EQ(html.find("@import"), std::string::npos);
  EXPECT_EQ(std::regex_search(html, std::regex(R"re(url\((?!#))re")), false);
  EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
}

TEST(RunHtml, StaysFarBelowOneMebibyte) {
  EXPECT_LT(sample_html().size(), 400'000u);
}

// UX.md §4: 1 MB typical. 200 points of 14 operations are more than a run of all powers of two has.
TEST(RunHtml, OfTwoHundredPointsStaysBelowOneMegabyte) {
  auto run = test::sample_run();
  const std::vector<MeasuredPoint> kinds = run.points;
  run.points.clear();
  for (int i = 0; i < 200; ++i) {
    run.points.push_back(kinds[static_cast<std::size_t>(i) % kinds.size()]);
    run.points.back().batch_size = 1 + i / static_cast<int>(kinds.size());
  }
  EXPECT_LT(run_html(run, dated(), test::sample_memory()).size(), 800'000u);
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
  HtmlOptions options = dated();
  options.title = options.author = options.note = name;
  for (const auto language : {viewmodel::Language::kEnglish, viewmodel::Language::kGerman}) {
    options.language = language;
    EXPECT_EQ(html_faults(run_html(run, options)), std::vector<std::string>());
  }
  const std::string html = run_html(run, options);
  const std::string plain = run_html(test::sample_run(), dated());
  EXPECT_EQ(count(html, "<script"), count(plain, "<script"));
  EXPECT_EQ(count(html, "</script"), count(plain, "</script"));
  EXPECT_EQ(html.find("<!--"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;alert(1)"), std::string::npos);
  EXPECT_NE(html.find("[U+202E]evil \xF0\x9F\x92\xA5 \uFFFD"), std::string::npos);
}

TEST(ReportHtml, NoTextOfAViewModelBecomesMarkup) {
  const std::string hostile = "</title></style></script><img src=x onerror=alert(1)>\"'&<!-- ]]> \xE2\x80\xAE \xFF \n";
  auto report = viewmodel::report_view(test::sample_run(), test::sample_memory());
  viewmodel::change_texts(report, [&](viewmodel::TextKind, const std::string& english) { return hostile + english; });
  report.command = report.generated_text = report.program_version = report.measured_at = hostile;
  const EmbeddedData data[] = {{"dachlast-data", "{\"name\": \"</script><script>alert(1)</script><!--\"}"}};
  for (const auto language : {viewmodel::Language::kEnglish, viewmodel::Language::kGerman}) {
    HtmlOptions options = dated();
    options.language = language;
    options.timestamp = hostile;
    const std::string html = report_html(report, data, options);
    EXPECT_EQ(html_faults(html), std::vector<std::string>());
    EXPECT_EQ(html.find("<img src=x"), std::string::npos);
    EXPECT_EQ(html.find("<!--"), std::string::npos);
    EXPECT_EQ(count(html, "<script"), 2u);  // the data, and the one of the page
    EXPECT_EQ(count(html, "</style>"), 1u);
  }
}

/// A report with every section of UX.md §4.
viewmodel::ReportView whole_report() {
  const auto base = test::sample_run();
  auto other = test::sample_run_on_one_thread();
  for (double& sample : other.points[2].samples_s) sample *= 1.3;
  auto report = viewmodel::report_view(base, other, compare_runs(base, other), test::sample_memory());
  report.options = viewmodel::ReportOptions{{"one option"}, report.roofline, {*report.phases}};
  report.options->tables.front().id = "options";
  report.options->chart->wide.id = "options-chart";
  report.options->chart->narrow.id = "options-chart-narrow";
  report.latency_lines = {"a line"};
  report.appendix = {report.roofline->wide};
  report.accuracy_lines = {"a line"};
  return report;
}

// As names of models, devices, files and notes reach every text, each text is made hostile in turn by all of these.
TEST(ReportHtml, HostileTextStaysTextInEverySectionAndChart) {
  const std::string hostiles[] = {"<script>alert(1)</script>", "\" onload=\"alert(1)",       "'><svg onload=alert(1)>",
                                  "\u202Etxt.exe\u2066",       "\U0001F4A5\u200D\U0001F9D1", "&lt;b&gt; &#60;b&#62;",
                                  std::string(10'000, 'W')};
  for (const std::string& hostile : hostiles) {
    auto report = whole_report();
    viewmodel::change_texts(report, [&](viewmodel::TextKind, const std::string&) { return hostile; });
    report.command = report.generated_text = hostile;
    HtmlOptions options = dated();
    options.title = options.author = options.note = hostile;
    const std::string html = report_html(report, {}, options);
    for (const char* id : {"summary", "configuration", "memory", "phases", "roofline", "kv-cache", "latency", "options",
                           "comparison", "assumptions", "reproduce", "appendix"})
      EXPECT_NE(html.find(std::string("<section id=\"") + id + "\""), std::string::npos) << id;
    EXPECT_EQ(html_faults(html), std::vector<std::string>()) << hostile.substr(0, 40);
    EXPECT_EQ(count(html, "<script"), 1u) << hostile.substr(0, 40);  // the page's own
    EXPECT_EQ(html.find("<svg onload"), std::string::npos);
    EXPECT_EQ(html.find("\" onload=\""), std::string::npos);
    EXPECT_EQ(html.find("\u202E"), std::string::npos);
    EXPECT_EQ(html.find("\u2066"), std::string::npos);
    // Unescaped, this would show as <b>; the style sheet before holds the title as a CSS string.
    EXPECT_EQ(html.find("&lt;b&gt; &#60;", html.find("</style>")), std::string::npos);
  }
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
