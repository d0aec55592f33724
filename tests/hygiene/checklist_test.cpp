// docs/ux-checklist.md: twenty details, each shown by tests that exist or by pictures that scripts/screenshots.sh writes.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace dachlast::hygiene {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = DACHLAST_SOURCE_DIR;

std::string content_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::set<std::string> tests_of_the_repository() {
  const std::regex macro(R"(\bTEST(?:_F|_P)?\((\w+),\s*(\w+)\))");
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "tests")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string text = content_of(entry.path());
    for (auto it = std::sregex_iterator(text.begin(), text.end(), macro); it != std::sregex_iterator(); ++it)
      names.insert((*it)[1].str() + "." + (*it)[2].str());
  }
  return names;
}

std::vector<std::string> marked(const std::string& line) {
  const std::regex code("`([^`]+)`");
  std::vector<std::string> words;
  for (auto it = std::sregex_iterator(line.begin(), line.end(), code); it != std::sregex_iterator(); ++it)
    words.push_back((*it)[1]);
  return words;
}

/// "roofline-light-1280.png", in a folder of its own where it is German or enlarged.
bool is_picture(const std::string& name) {
  static const std::regex form(
      "(?:german/|200-percent/"
      ")?(?:overview|roofline|timeline|memory|kv-cache|plan|compare|report|measure)-(?:light|dark)-"
      "(?:1280|1024)\\.png");
  return std::regex_match(name, form);
}

TEST(Checklist, EveryDetailIsShownByATestThatExistsOrAPicture) {
  const std::set<std::string> tests = tests_of_the_repository();
  ASSERT_GT(tests.size(), 500u);  // else the walk has lost the tree
  std::istringstream lines(content_of(kRoot / "docs/ux-checklist.md"));
  int rows = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| ") || line.find("Shown by") != std::string::npos) continue;
    ++rows;
    const std::vector<std::string> shown = marked(line);
    EXPECT_FALSE(shown.empty()) << line;
    for (const std::string& name : shown)
      EXPECT_TRUE(tests.contains(name) || is_picture(name)) << name << " in: " << line;
  }
  EXPECT_GE(rows, 20);
}

TEST(Checklist, CountsToTwenty) {
  const std::string text = content_of(kRoot / "docs/ux-checklist.md");
  for (int i = 1; i <= 20; ++i)
    EXPECT_NE(text.find("\n| " + std::to_string(i) + " | "), std::string::npos) << "row " << i << " is missing";
}

}  // namespace
}  // namespace dachlast::hygiene
