#include "core/store/roof_store.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <system_error>
#include <utility>

#include "core/base/error.h"
#include "core/base/user_data_dir.h"
#include "core/store/record_json.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kSchema = "dachlast.roofs/1";

[[noreturn]] void throw_damaged(const fs::path& file, std::string_view why) {
  throw Error(ErrorKind::kInput, file.string(), fmt::format("the stored roofs cannot be read: {}.", why),
              "Delete the file and measure again with `dachlast calibrate`.");
}

[[noreturn]] void throw_unwritable(const fs::path& file, std::string_view why) {
  throw Error(ErrorKind::kFailure, file.string(), fmt::format("the roofs cannot be stored: {}.", why),
              "Set XDG_DATA_HOME to a folder that can be written.");
}

json empty_document() {
  return {{"schema", kSchema}, {"hosts", json::object()}};
}

/// The document on disk, or an empty one where there is no file yet.
json read_document(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error)) return empty_document();
  std::ifstream in(file);
  if (!in) throw_damaged(file, "it cannot be opened");
  json document = json::parse(in, nullptr, false);
  if (document.is_discarded()) throw_damaged(file, "it is not JSON");
  if (!document.is_object() || !document.contains("hosts") || !document["hosts"].is_object())
    throw_damaged(file, "it holds no hosts");
  if (document.value("schema", json()) != kSchema) throw_damaged(file, "another version wrote it");
  return document;
}

void write_document(const fs::path& file, const json& document) {
  std::error_code error;
  if (file.has_parent_path()) fs::create_directories(file.parent_path(), error);
  if (error) throw_unwritable(file, error.message());
  fs::path part = file;
  part += fmt::format(".part{}", ::getpid());
  std::ofstream out(part);
  out << document.dump(1, ' ', false, json::error_handler_t::replace) << '\n';
  out.close();
  if (out) fs::rename(part, file, error);
  if (out && !error) return;
  std::error_code ignored;
  fs::remove(part, ignored);
  throw_unwritable(file, error ? error.message() : "the folder or the disk refuses");
}

/// ISO 8601 UTC dates of one format sort as text.
std::string date_of(const json& roofs) {
  return roofs.value("measured_at", std::string());
}

bool earlier(const json& a, const json& b) {
  return date_of(a) < date_of(b);
}

/// Puts roofs in their place by date and drops the oldest beyond what is kept.
void append(const fs::path& file, json& list, const json& roofs) {
  if (!list.is_array()) list = json::array();
  try {
    list.push_back(roofs);
    std::stable_sort(list.begin(), list.end(), earlier);
  } catch (const json::exception& error) {
    throw_damaged(file, error.what());
  }
  while (list.size() > kRoofsKeptPerHost) list.erase(list.begin());
}

}  // namespace

fs::path default_roof_file() {
  return user_data_dir("roofs of this computer") / "roofs.json";
}

RoofStore::RoofStore(fs::path file) : file_(std::move(file)) {}

void RoofStore::save(const DeviceRoofs& roofs) const {
  json document = read_document(file_);
  append(file_, document["hosts"][roofs.host_id], roofs);
  write_document(file_, document);
}

void RoofStore::save(const GpuRoofs& roofs) const {
  json document = read_document(file_);
  try {
    append(file_, document["gpus"][roofs.host_id][fmt::format("{}", roofs.index)], roofs);
  } catch (const json::exception& error) {
    throw_damaged(file_, error.what());
  }
  write_document(file_, document);
}

void RoofStore::save(const HostCurves& curves) const {
  json document = read_document(file_);
  document["curves"][curves.host_id][fmt::format("{}", curves.n_threads)] = curves;
  write_document(file_, document);
}

std::optional<HostCurves> RoofStore::curves(const std::string& host_id, int n_threads) const {
  const json document = read_document(file_);
  const json hosts = document.value("curves", json::object());
  const json of_host = hosts.value(host_id, json::object());
  const std::string threads = fmt::format("{}", n_threads);
  if (!of_host.contains(threads)) return std::nullopt;
  try {
    HostCurves curves = of_host.at(threads).get<HostCurves>();
    curves.host_id = host_id;
    curves.n_threads = n_threads;
    return curves;
  } catch (const json::exception& error) {
    throw_damaged(file_, error.what());
  }
}

std::optional<DeviceRoofs> RoofStore::latest(const std::string& host_id) const {
  const json document = read_document(file_);
  const json& hosts = document["hosts"];
  if (!hosts.contains(host_id) || hosts[host_id].empty()) return std::nullopt;
  try {
    std::vector<std::string> skipped;  // roofs this version cannot use, so nothing is lost by not naming them
    return roofs_from_json(hosts.at(host_id).back(), skipped);
  } catch (const json::exception& error) {
    throw_damaged(file_, error.what());
  }
}

std::optional<GpuRoofs> RoofStore::latest_of_gpu(const std::string& host_id, int index,
                                                 const std::string& device) const {
  const json document = read_document(file_);
  if (!document.contains("gpus")) return std::nullopt;
  try {
    const json of_host = document["gpus"].value(host_id, json::object());
    const json list = of_host.value(fmt::format("{}", index), json::array());
    if (list.empty()) return std::nullopt;
    auto roofs = list.back().get<GpuRoofs>();
    if (roofs.device != device) return std::nullopt;
    return roofs;
  } catch (const json::exception& error) {
    throw_damaged(file_, error.what());
  }
}

}  // namespace dachlast
