// The tests that docs/ux-checklist.md names are there.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace dachlast::hygiene {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::set<std::string> tests_of(const fs::path& root) {
  static const std::regex test(R"(TEST(?:_F|_P)?\((\w+), (\w+)\))");
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(root / "tests")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string text = read(entry.path());
    for (auto it = std::sregex_iterator(text.begin(), text.end(), test); it != std::sregex_iterator(); ++it)
      names.insert((*it)[1].str() + "." + (*it)[2].str());
  }
  return names;
}

TEST(Checklist, NamesTestsThatExist) {
  const fs::path root = DACHLAST_SOURCE_DIR;
  const std::set<std::string> tests = tests_of(root);
  const std::string text = read(root / "docs/ux-checklist.md");
  static const std::regex name(R"(`([A-Z]\w+\.[A-Z]\w+)`)");
  int n = 0;
  for (auto it = std::sregex_iterator(text.begin(), text.end(), name); it != std::sregex_iterator(); ++it) {
    if ((*it)[1] == "Suite.Name") continue;  // how to read the list
    ++n;
    EXPECT_TRUE(tests.contains((*it)[1])) << (*it)[1];
  }
  EXPECT_GE(n, 20);  // the pattern still finds them
}

}  // namespace
}  // namespace dachlast::hygiene
