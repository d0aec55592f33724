#include "core/workbench/project.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>

#include "core/base/error.h"
#include "core/workbench/project_json.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kProjectSchema = "dachlast.project/";
constexpr int kProjectVersion = 1;
// 10,000 runs with names and notes take a few MB.
constexpr std::uintmax_t kLargestProject = 32u << 20;
// Ours is 3 deep; what a newer version adds may be deeper, but a bomb of brackets is refused before it is a tree.
constexpr int kDeepest = 32;
constexpr int kMostSizes = 1 << 30;

constexpr const char* kKnownMembers[] = {"schema", "note", "runs", "baseline", "shown", "pins", "scenario", "window"};

[[noreturn]] void refuse_project(const std::string& subject, const std::string& reason) {
  throw Error(ErrorKind::kInput, subject, reason, "Copy the file again, or open the runs one by one.");
}

/// nullptr where the file cannot be read or is larger than any project.
std::optional<std::string> content_of(const fs::path& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error) || fs::file_size(file, error) > kLargestProject || error) return std::nullopt;
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return in ? std::optional(text.str()) : std::nullopt;
}

/// The tree of a text, refused where it is too deep.
std::optional<json> parsed(const std::string& text) {
  bool deep = false;
  const json::parser_callback_t guard = [&](int depth, json::parse_event_t, json&) {
    deep = deep || depth > kDeepest;
    return !deep;
  };
  json document = json::parse(text, guard, false);
  if (deep || !document.is_object()) return std::nullopt;
  return document;
}

/// The version a document states; empty where it is no project.
std::optional<int> version_of(const json& document) {
  const auto schema = document.find("schema");
  if (schema == document.end() || !schema->is_string()) return std::nullopt;
  const std::string text = schema->get<std::string>();
  if (!text.starts_with(kProjectSchema)) return std::nullopt;
  int version = 0;
  for (const char digit : text.substr(kProjectSchema.size())) {
    if (digit < '0' || digit > '9' || version > 1'000'000) return std::nullopt;
    version = 10 * version + (digit - '0');
  }
  return version > 0 ? std::optional(version) : std::nullopt;
}

class Reader {
 public:
  Reader(const std::string& subject, const fs::path& folder) : subject_(subject), folder_(folder) {}

  OpenedProject read(const json& document) {
    const auto version = version_of(document);
    if (!version) refuse_project(subject_, "it is no project.");
    if (*version > kProjectVersion)
      opened_.skipped.push_back(fmt::format("what is new in version {} of projects", *version));
    Project& project = opened_.project;
    project.note = document.value("note", "");
    read_runs(document);
    project.baseline = place(document, "baseline");
    project.shown = place(document, "shown");
    for (const json& pin : list(document, "pins")) project.pins.push_back(scenario(pin));
    if (document.contains("scenario")) project.scenario.push_back(scenario(document.at("scenario")));
    if (document.contains("window"))
      project.layout = {document.at("window").value("page", ""), document.at("window").value("docks", "")};
    keep_foreign(document);
    return std::move(opened_);
  }

 private:
  json list(const json& document, const char* key) const {
    const json entries = document.value(key, json::array());
    if (!entries.is_array()) refuse_project(subject_, fmt::format("its '{}' is no list.", key));
    if (entries.size() > kMostProjectEntries)
      refuse_project(subject_, fmt::format("its '{}' lists more than {} entries.", key, kMostProjectEntries));
    return entries;
  }

  void read_runs(const json& document) {
    for (const json& run : list(document, "runs")) {
      const std::string file = run.at("file").get<std::string>();
      if (file.empty() || file.find('\0') != std::string::npos) refuse_project(subject_, "a run in it names no file.");
      const fs::path path(file);
      opened_.project.runs.push_back({(path.is_absolute() ? path : folder_ / path).lexically_normal(),
                                      run.value("name", ""), run.value("note", "")});
    }
  }

  int place(const json& document, const char* key) const {
    const int index = document.value(key, -1);
    if (index < -1 || index >= static_cast<int>(opened_.project.runs.size()))
      refuse_project(subject_,
                     fmt::format("its '{}' is {}, and it lists {} runs.", key, index, opened_.project.runs.size()));
    return index;
  }

  ProjectScenario scenario(const json& j) const {
    ProjectScenario scenario = scenario_from_json(j);
    const Layout& layout = scenario.request.layout;
    for (const int size : {scenario.context_tokens, scenario.batch_size, layout.tensor_parallel,
                           layout.pipeline_parallel, layout.attention_data_parallel})
      if (size < 1 || size > kMostSizes)
        refuse_project(subject_, fmt::format("a scenario in it has the size {}.", size));
    const auto& share = scenario.request.limits.memory_fraction;
    if (share && !(*share > 0.0 && *share <= 1.0))
      refuse_project(subject_, fmt::format("a scenario in it takes {} of the memory.", *share));
    return scenario;
  }

  void keep_foreign(const json& document) {
    json foreign = document;
    for (const char* known : kKnownMembers) foreign.erase(known);
    for (const auto& member : foreign.items()) opened_.skipped.push_back(fmt::format("its part '{}'", member.key()));
    if (!foreign.empty()) opened_.project.foreign = foreign.dump(-1, ' ', false, json::error_handler_t::replace);
  }

  const std::string& subject_;
  const fs::path& folder_;
  OpenedProject opened_;
};

/// Beside or below the project: relative, so that both can be moved together. Elsewhere: as it is.
std::string stored_path(const fs::path& file, const fs::path& folder) {
  if (folder.empty()) return file.string();
  const fs::path relative = file.lexically_relative(folder);
  return relative.empty() || *relative.begin() == ".." ? file.string() : relative.string();
}

[[noreturn]] void fail_to_write(const fs::path& file, int error) {
  throw Error(ErrorKind::kFailure, file.string(), fmt::format("cannot be written: {}.", std::strerror(error)),
              "Choose a folder that can be written and has room.");
}

/// 0, or why the file could not be written to the disk.
int write_through(const fs::path& file, const std::string& text) {
  const int handle = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (handle < 0) return errno;
  int error = 0;
  for (std::size_t done = 0; done < text.size() && error == 0;) {
    const ssize_t n = ::write(handle, text.data() + done, text.size() - done);
    if (n > 0) done += static_cast<std::size_t>(n);
    if (n < 0 && errno != EINTR) error = errno;
  }
  if (error == 0 && ::fsync(handle) != 0) error = errno;
  if (::close(handle) != 0 && error == 0) error = errno;
  return error;
}

}  // namespace

void replace_file(const fs::path& file, const std::string& text) {
  // Through a link, the file behind it is replaced and not the link.
  std::error_code no_link;
  const fs::path resolved = fs::canonical(file, no_link);
  const fs::path target = no_link ? file : resolved;
  fs::path part = target;
  part += fmt::format(".part{}", ::getpid());
  if (const int error = write_through(part, text); error != 0) {
    ::unlink(part.c_str());
    fail_to_write(file, error);
  }
  if (::rename(part.c_str(), target.c_str()) == 0) return;
  const int error = errno;
  ::unlink(part.c_str());
  fail_to_write(file, error);
}

std::string project_text(const Project& project, const fs::path& folder) {
  json document = project.foreign.empty() ? json::object() : json::parse(project.foreign);
  document["schema"] = fmt::format("{}{}", kProjectSchema, kProjectVersion);
  if (!project.note.empty()) document["note"] = project.note;
  document["runs"] = json::array();
  for (const ProjectRun& run : project.runs) {
    json entry{{"file", stored_path(run.file, folder)}};
    if (!run.name.empty()) entry["name"] = run.name;
    if (!run.note.empty()) entry["note"] = run.note;
    document["runs"].push_back(std::move(entry));
  }
  document["baseline"] = project.baseline;
  document["shown"] = project.shown;
  document["pins"] = json::array();
  for (const ProjectScenario& pin : project.pins) document["pins"].push_back(scenario_json(pin));
  if (!project.scenario.empty()) document["scenario"] = scenario_json(project.scenario.front());
  if (project.layout != ProjectLayout{})
    document["window"] = {{"page", project.layout.page}, {"docks", project.layout.docks}};
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

OpenedProject project_from(const std::string& subject, const std::string& text, const fs::path& folder) {
  const auto document = parsed(text);
  if (!document) refuse_project(subject, "it is no project, or damaged.");
  try {
    return Reader(subject, folder).read(*document);
  } catch (const json::exception& error) {
    refuse_project(subject, fmt::format("the data in it are damaged: {}.", error.what()));
  }
}

bool is_project(const fs::path& file) {
  const auto text = content_of(file);
  if (!text || text->find(kProjectSchema) == std::string::npos) return false;
  const auto document = parsed(*text);
  return document && version_of(*document);
}

OpenedProject read_project(const fs::path& file) {
  const auto text = content_of(file);
  if (!text) refuse_project(file.string(), "it cannot be read as a project.");
  return project_from(file.string(), *text, fs::absolute(file).parent_path());
}

void write_project(const Project& project, const fs::path& file) {
  replace_file(file, project_text(project, fs::absolute(file).lexically_normal().parent_path()));
}

}  // namespace dachlast
