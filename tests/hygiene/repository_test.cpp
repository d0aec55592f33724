// The rules of layers.txt, held against the repository this test was built from.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/hygiene/listed_files.h"
#include "tests/hygiene/source_rules.h"

namespace dachlast::hygiene {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = DACHLAST_SOURCE_DIR;
constexpr const char* kFolders[] = {"app", "core", "kernels", "reports", "tests", "ui"};

std::string content_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

template <class Suits>
std::vector<SourceFile> files_where(Suits suits) {
  std::vector<SourceFile> files;
  for (const char* folder : kFolders) {
    if (!fs::exists(kRoot / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder))
      if (entry.is_regular_file() && suits(entry.path()))
        files.push_back({entry.path().lexically_relative(kRoot).generic_string(), content_of(entry.path())});
  }
  return files;
}

std::vector<SourceFile> sources() {
  return files_where([](const fs::path& path) {
    const fs::path extension = path.extension();
    return extension == ".h" || extension == ".cpp" || extension == ".cu" || extension == ".cuh";
  });
}

std::vector<SourceFile> cmake_lists() {
  return files_where([](const fs::path& path) { return path.filename() == "CMakeLists.txt"; });
}

// Headers of programs and tests are found through the sources that include them; those of libraries are installed.
bool must_be_listed(std::string_view path) {
  return path.ends_with(".cpp") || path.ends_with(".cu") || !is_within_any(path, {"app", "tests"});
}

Rules repository_rules() {
  return parse_rules(content_of(kRoot / "tests/hygiene/layers.txt"));
}

std::string text_of(const std::vector<Violation>& violations) {
  std::string text;
  for (const Violation& violation : violations)
    text += fmt::format("{}:{}: {}\n", violation.path, violation.line, violation.message);
  return text;
}

TEST(Repository, SourcesFollowTheRules) {
  const Rules rules = repository_rules();
  const std::vector<SourceFile> files = sources();
  ASSERT_GT(files.size(), 20u);  // else the walk has lost the tree
  std::string found;
  for (const SourceFile& file : files) found += text_of(source_violations(file, rules));
  EXPECT_EQ(found, "");
}

TEST(Repository, LinksFollowTheArrows) {
  const Rules rules = repository_rules();
  std::string found;
  for (const SourceFile& file : cmake_lists()) found += text_of(link_violations(file, rules));
  EXPECT_EQ(found, "");
}

TEST(Repository, APlantedViolationIsFound) {
  const Rules rules = repository_rules();
  EXPECT_EQ(source_violations({"core/base/x.h", "#include \"core/engine/engine.h\"\n"}, rules).size(), 1u);
  EXPECT_EQ(source_violations({"kernels/cpu/x.cpp", "#include <chrono>\n"}, rules).size(), 1u);
  EXPECT_EQ(source_violations({"core/engine/x.cpp", "#include <sqlite3.h>\n"}, rules).size(), 1u);
  EXPECT_EQ(source_violations({"reports/x.cpp", "#include <QtCore>\n"}, rules).size(), 1u);
  EXPECT_EQ(source_violations({"core/model/x.cpp", "void f() { std::cout << 1; }\n"}, rules).size(), 1u);
  EXPECT_EQ(link_violations({"core/base/CMakeLists.txt", "LINKS dachlast::engine"}, rules).size(), 1u);
}

TEST(Repository, EveryLibraryHeaderAndSourceIsNamedByACMakeLists) {
  std::set<std::string> listed;
  for (const SourceFile& file : cmake_lists())
    listed.merge(listed_paths(fs::path(file.path).parent_path().generic_string(), file.text));
  std::string unlisted;
  for (const SourceFile& file : sources())
    if (must_be_listed(file.path) && !listed.contains(file.path)) unlisted += file.path + "\n";
  EXPECT_EQ(unlisted, "") << "Name public headers under HEADERS, private ones beside the .cpp files under SOURCES.";
}

}  // namespace
}  // namespace dachlast::hygiene
