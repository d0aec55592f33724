#include "app/documents/pdf.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/error.h"

extern char** environ;

namespace dachlast {
namespace {

namespace fs = std::filesystem;

// WeasyPrint rather than Qt: QTextDocument knows neither inline SVG nor page counters, and drawing the report a second
// time would let the two drift apart. A browser would do as well, but none may be needed.
constexpr const char* kConverter = "weasyprint";

/// A folder of this process alone, gone with it.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "dachlast-pdf-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
      throw Error(ErrorKind::kFailure, name, fmt::format("cannot be made: {}.", std::strerror(errno)),
                  "Set TMPDIR to a folder that can be written.");
    folder_ = name;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  std::string file(const char* name) const { return (folder_ / name).string(); }

 private:
  fs::path folder_;
};

std::string read_whole(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

/// The last lines a converter wrote: enough to see what it stumbled over.
std::string last_words(const std::string& file) {
  constexpr std::size_t kMost = 300;
  std::string text = read_whole(file);
  while (text.ends_with('\n')) text.pop_back();
  return text.size() > kMost ? "…" + text.substr(text.size() - kMost) : text;
}

/// The report leaves the sheet to whoever prints it.
std::string style_of(const Paper& paper) {
  return fmt::format("@page{{size:{}mm {}mm !important}}\n", paper.width_mm, paper.height_mm);
}

/// Runs the converter and waits for it; its messages go to `messages`, never to our stdout.
int run_converter(const std::string& html, const std::string& style, const std::string& pdf,
                  const std::string& messages) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, messages.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  std::array<std::string, 6> words = {kConverter, "--quiet", "--stylesheet", style, html, pdf};
  std::array<char*, 7> arguments = {};
  std::ranges::transform(words, arguments.begin(), [](std::string& word) { return word.data(); });
  pid_t child = 0;
  const int failed = posix_spawnp(&child, kConverter, &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed == ENOENT)
    throw Error(ErrorKind::kDevice, kConverter, "is not installed, and PDF is made with it.",
                "Install it (Debian: apt install weasyprint), or write HTML and print it to a file.");
  if (failed != 0)
    throw Error(ErrorKind::kFailure, kConverter, fmt::format("cannot be started: {}.", std::strerror(failed)));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace

std::string pdf_of(const std::string& html, const Paper& paper) {
  const ScratchFolder scratch;
  const std::string page = scratch.file("report.html");
  const std::string style = scratch.file("paper.css");
  const std::string pdf = scratch.file("report.pdf");
  const std::string messages = scratch.file("messages");
  std::ofstream(page, std::ios::binary) << html;
  std::ofstream(style, std::ios::binary) << style_of(paper);
  const int code = run_converter(page, style, pdf, messages);
  std::string bytes = read_whole(pdf);
  if (code != 0 || !bytes.starts_with("%PDF"))
    throw Error(ErrorKind::kFailure, kConverter, fmt::format("made no PDF: {}", last_words(messages)),
                "Write HTML and print it to a file.");
  return bytes;
}

}  // namespace dachlast
