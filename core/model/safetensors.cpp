#include "core/model/safetensors.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <set>
#include <system_error>
#include <utility>

#include "core/base/error.h"
#include "core/model/strict_json.h"

namespace dachlast {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian and used in place");

namespace fs = std::filesystem;

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the limit of the reference implementation
constexpr std::uint64_t kMaxIndexBytes = 100'000'000;
constexpr const char* kSingleFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Error damaged(const fs::path& path, std::string reason) {
  return {ErrorKind::kInput, path.string(), std::move(reason), "The file is damaged: copy or download it again."};
}

/// Length of the header, checked against the file before anything is read or allocated by it.
std::uint64_t header_length(const MappedFile& file) {
  const std::span<const std::byte> bytes = file.bytes();
  if (bytes.size() < kLengthBytes)
    throw damaged(file.path(), fmt::format("it is {} bytes long; a safetensors file begins with 8 bytes that give the "
                                           "length of its header.",
                                           bytes.size()));
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > kMaxHeaderBytes)
    throw damaged(file.path(),
                  fmt::format("its header claims {} bytes; more than {} are never valid.", length, kMaxHeaderBytes));
  if (length > bytes.size() - kLengthBytes)
    throw damaged(file.path(),
                  fmt::format("its header claims {} bytes, but only {} follow.", length, bytes.size() - kLengthBytes));
  return length;
}

std::vector<fs::path> safetensors_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".safetensors") found.push_back(entry->path());
  if (error) throw Error(ErrorKind::kInput, folder.string(), fmt::format("it cannot be listed ({}).", error.message()));
  return found;
}

fs::path weights_in(const fs::path& folder) {
  std::error_code ignored;  // what cannot be looked at is reported when it is opened
  for (const char* name : {kSingleFile, kIndexFile})
    if (fs::exists(folder / name, ignored)) return folder / name;
  const std::vector<fs::path> found = safetensors_in(folder);
  if (found.size() == 1) return found.front();
  if (found.empty())
    throw Error(ErrorKind::kInput, folder.string(), "the folder holds no .safetensors file.",
                "Other weight formats must be converted first.");
  throw Error(ErrorKind::kInput, folder.string(),
              fmt::format("the folder holds {} .safetensors files and no {}.", found.size(), kIndexFile),
              "Add the index, or name one file.");
}

}  // namespace

SafetensorsFile::SafetensorsFile(const fs::path& path) : file_(path) {
  const std::uint64_t length = header_length(file_);
  data_begin_ = kLengthBytes + length;
  tensors_ = read_safetensors_header(text_of(file_.bytes().subspan(kLengthBytes, length)),
                                     file_.bytes().size() - data_begin_, path.string());
}

const SafetensorsFile& Checkpoint::open_shard(const std::string& name) {
  const fs::path shard = path_.parent_path() / name;
  std::error_code ignored;
  if (!fs::exists(shard, ignored))
    throw Error(ErrorKind::kInput, path_.string(), fmt::format("its shard {} is missing.", printable(name)),
                "Copy or download it into the same folder.");
  return files_.emplace_back(shard);
}

Checkpoint::Checkpoint(const fs::path& path) {
  std::error_code ignored;
  path_ = fs::is_directory(path, ignored) ? weights_in(path) : path;
  if (path_.extension() == ".json")
    add_shards();
  else
    add_single_file();
}

void Checkpoint::add_single_file() {
  files_.emplace_back(path_);
  for (const auto& [name, tensor] : files_.front().tensors())
    tensors_.emplace(name, Location{&files_.front(), &tensor});
}

void Checkpoint::add_shards() {
  const MappedFile index(path_);
  if (index.bytes().size() > kMaxIndexBytes) throw damaged(path_, "an index is never larger than 100 MB.");
  const auto file_names = read_safetensors_index(text_of(index.bytes()), path_.string());
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : file_names) shards.insert(shard);
  files_.reserve(shards.size());  // locations point into it
  std::map<std::string_view, const SafetensorsFile*> by_name;
  for (const std::string& shard : shards) by_name.emplace(shard, &open_shard(shard));
  for (const auto& [name, shard] : file_names) {
    const SafetensorsFile& file = *by_name.at(shard);
    const auto found = file.tensors().find(name);
    if (found == file.tensors().end())
      throw Error(
          ErrorKind::kInput, file.path().string(),
          fmt::format("tensor {} is not in it, although {} says so.", printable(name), path_.filename().string()),
          "Index and shards belong to different checkpoints: copy or download all of them again.");
    tensors_.emplace(name, Location{&file, &found->second});
  }
}

const Checkpoint::Location* Checkpoint::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

std::vector<MappedFile> Checkpoint::take_files() && {
  std::vector<MappedFile> files;
  for (SafetensorsFile& file : files_) files.push_back(std::move(file).take_file());
  return files;
}

}  // namespace dachlast
