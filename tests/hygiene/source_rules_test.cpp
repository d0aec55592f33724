#include "tests/hygiene/source_rules.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace dachlast::hygiene {
namespace {

Rules small_rules() {
  return parse_rules(
      "layer base core/base ->\n"
      "layer store core/store -> base\n"
      "layer view core/view -> base\n"
      "header sqlite3 only core/store\n"
      "header sqlite3 sources\n"
      "header chrono never core/base\n"
      "text exit( never core\n"
      "text std::cout never core\n"
      "lines 4 core\n");
}

std::vector<int> lines_found(const std::string& path, const std::string& text) {
  std::vector<int> lines;
  for (const Violation& violation : source_violations({path, text}, small_rules())) lines.push_back(violation.line);
  return lines;
}

using Lines = std::vector<int>;

TEST(SourceRules, AllowedIncludesPass) {
  EXPECT_EQ(lines_found("core/store/a.cpp", "#include <sqlite3.h>\n#include \"core/base/units.h\"\n"), Lines{});
}

TEST(SourceRules, IncludesAgainstTheArrowsAreFound) {
  EXPECT_EQ(lines_found("core/base/a.h", "\n#include \"core/store/b.h\"\n"), Lines{2});
  EXPECT_EQ(lines_found("core/view/a.h", "#include \"core/store/b.h\"\n"), Lines{1});
  EXPECT_EQ(lines_found("core/view/a.h", "  #  include <core/store/b.h>\n"), Lines{1});
}

TEST(SourceRules, QuotedPathsStartAtTheRoot) {
  EXPECT_EQ(lines_found("core/base/a.h", "#include \"b.h\"\n"), Lines{1});
}

TEST(SourceRules, HeadersOutOfTheirRoomAreFound) {
  EXPECT_EQ(lines_found("core/base/a.cpp", "#include <sqlite3.h>\n"), Lines{1});
  EXPECT_EQ(lines_found("core/base/a.cpp", "#include <chrono>\n"), Lines{1});
  EXPECT_EQ(lines_found("core/store/a.h", "#include <sqlite3.h>\n"), Lines{1});
}

TEST(SourceRules, ForbiddenCallsAreFoundInCodeOnly) {
  EXPECT_EQ(lines_found("core/base/a.cpp", "void f() { exit(1); }\n"), Lines{1});
  EXPECT_EQ(lines_found("core/base/a.cpp", "// exit(1)\n/* std::cout\n exit( */ const char* s = \"exit(\";\n"),
            Lines{});
  EXPECT_EQ(lines_found("core/base/a.cpp", "menu.exit(); on_exit(); std::coutner x;\n"), Lines{});
}

TEST(SourceRules, LongFilesAreFound) {
  EXPECT_EQ(lines_found("core/base/a.cpp", "\n\n\n\n"), Lines{});
  EXPECT_EQ(lines_found("core/base/a.cpp", "\n\n\n\n\n"), Lines{0});
}

TEST(SourceRules, AFolderWithoutALayerIsFound) {
  EXPECT_EQ(lines_found("core/new_room/a.cpp", "int x;\n"), Lines{0});
}

TEST(SourceRules, TestsMayIncludeAnything) {
  EXPECT_EQ(lines_found("tests/core/base/a_test.cpp", "#include \"core/store/b.h\"\n#include <sqlite3.h>\n"), Lines{});
}

TEST(SourceRules, LinksNeedAnArrowOfTheirOwn) {
  const Rules rules = small_rules();
  EXPECT_TRUE(link_violations({"core/store/CMakeLists.txt", "LINKS dachlast::base # dachlast::view"}, rules).empty());
  EXPECT_EQ(link_violations({"core/store/CMakeLists.txt", "LINKS\n dachlast::view"}, rules).at(0).line, 2);
}

TEST(CodeOnly, KeepsCodeAndLines) {
  EXPECT_EQ(code_only("a // b\nc"), "a     \nc");
  EXPECT_EQ(code_only("a /* b\n */ c"), "a     \n    c");
  EXPECT_EQ(code_only(R"(f("x\"y", 'z'))"), R"(f("    ", ' '))");
  EXPECT_EQ(code_only("1'000 + 'x'"), "1'000 + ' '");
  EXPECT_EQ(code_only("R\"q(a \" b)q\" c"), "R\"q(     )q\" c");
  EXPECT_EQ(code_only("/* open"), "       ");
}

}  // namespace
}  // namespace dachlast::hygiene
