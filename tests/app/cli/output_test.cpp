#include "app/cli/output.h"

#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>

namespace dachlast::cli {
namespace {

/// A variable of the environment for the length of a test; empty optional: unset.
class Environment {
 public:
  Environment(const char* name, const std::optional<std::string>& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    set(value);
  }
  ~Environment() { set(before_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  void set(const std::optional<std::string>& value) const {
    if (value)
      setenv(name_, value->c_str(), 1);
    else
      unsetenv(name_);
  }

  const char* name_;
  std::optional<std::string> before_;
};

/// Makes standard output a terminal of `columns`. Nothing is written to it.
class Terminal {
 public:
  explicit Terminal(unsigned short columns) : stdout_(dup(STDOUT_FILENO)) {
    const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    opened_ = openpty(&master_, &slave_, nullptr, nullptr, &size) == 0;
    if (opened_) dup2(slave_, STDOUT_FILENO);
  }
  ~Terminal() {
    dup2(stdout_, STDOUT_FILENO);
    close(stdout_);
    if (!opened_) return;
    close(slave_);
    close(master_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  bool opened() const { return opened_; }

 private:
  int stdout_ = -1;
  int master_ = -1;
  int slave_ = -1;
  bool opened_ = false;
};

reports::TerminalStyle style_on_terminal(ColorMode mode = ColorMode::kAuto) {
  const Terminal terminal(132);
  EXPECT_TRUE(terminal.opened());
  CommonOptions common;
  common.color = mode;
  return terminal_style(common);
}

TEST(TerminalStyle, HasColourOnATerminalOnly) {
  const Environment no_color("NO_COLOR", std::nullopt);
  const Environment term("TERM", "xterm");
  EXPECT_EQ(style_on_terminal().color, reports::Color::kAlways);
  EXPECT_EQ(style_on_terminal(ColorMode::kNever).color, reports::Color::kNever);
}

TEST(TerminalStyle, HonoursNoColorUnlessColourIsAskedFor) {
  const Environment term("TERM", "xterm");
  const Environment no_color("NO_COLOR", "1");
  EXPECT_EQ(style_on_terminal().color, reports::Color::kNever);
  EXPECT_EQ(style_on_terminal(ColorMode::kAlways).color, reports::Color::kAlways);
  const Environment empty("NO_COLOR", "");  // no-color.org: present and not empty
  EXPECT_EQ(style_on_terminal().color, reports::Color::kAlways);
}

TEST(TerminalStyle, HasNoColourOnADumbTerminal) {
  const Environment no_color("NO_COLOR", std::nullopt);
  const Environment term("TERM", "dumb");
  EXPECT_EQ(style_on_terminal().color, reports::Color::kNever);
}

TEST(TerminalStyle, TakesItsWidthFromColumnsThenTheTerminal) {
  {
    const Environment columns("COLUMNS", std::nullopt);
    EXPECT_EQ(style_on_terminal().width, 132);
  }
  for (const auto& [value, width] : {std::pair("100", 100), std::pair("5", 40), std::pair("many", 132)}) {
    const Environment columns("COLUMNS", value);
    EXPECT_EQ(style_on_terminal().width, width) << value;
  }
}

}  // namespace
}  // namespace dachlast::cli
