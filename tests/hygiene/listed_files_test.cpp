#include "tests/hygiene/listed_files.h"

#include <gtest/gtest.h>

namespace dachlast::hygiene {
namespace {

TEST(ListedFiles, PathsAreRelativeToTheRoot) {
  const auto paths = listed_paths("core/model",
                                  "add(SOURCES a.cpp ../hardware/host.cpp\n"
                                  "  ${PROJECT_SOURCE_DIR}/core/x.h \"${CMAKE_CURRENT_SOURCE_DIR}/y.h\") # z.cpp");
  EXPECT_TRUE(paths.contains("core/model/a.cpp"));
  EXPECT_TRUE(paths.contains("core/hardware/host.cpp"));
  EXPECT_TRUE(paths.contains("core/x.h"));
  EXPECT_TRUE(paths.contains("core/model/y.h"));
  EXPECT_FALSE(paths.contains("core/model/z.cpp"));
}

}  // namespace
}  // namespace dachlast::hygiene
