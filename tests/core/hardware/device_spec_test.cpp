#include "core/hardware/device_spec.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/hardware/data_object.h"
#include "core/hardware/yaml_file.h"
#include "tests/core/model/temp_folder.h"

namespace dachlast {
namespace {

using testing::HasSubstr;

class DeviceFile : public testing::Test {
 protected:
  DeviceSpec read(const std::string& name, const std::string& text) {
    return read_device_file(folder_.write(name, text));
  }

  /// Refuses the file, naming it, with `reason`.
  void expect_refused(const std::string& name, const std::string& text, const std::string& reason) {
    try {
      read(name, text);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput) << text;
      EXPECT_THAT(error.subject(), HasSubstr(name));
      EXPECT_THAT(error.reason(), HasSubstr(reason)) << text;
    }
  }

  TempFolder folder_;
};

TEST(ParseSize, ReadsSizesWithTheirUnits) {
  EXPECT_DOUBLE_EQ(*parse_size("192 GiB", Dimension::kCapacity), 192.0 * kGiB);
  EXPECT_DOUBLE_EQ(*parse_size("192GB", Dimension::kCapacity), 192e9);
  EXPECT_DOUBLE_EQ(*parse_size(" 81,559 MiB ", Dimension::kCapacity), 81559.0 * kMiB);
  EXPECT_DOUBLE_EQ(*parse_size("3.35 TB/s", Dimension::kBandwidth), 3.35e12);
  EXPECT_DOUBLE_EQ(*parse_size("2.25 PFLOP/s", Dimension::kRate), 2.25e15);
  EXPECT_DOUBLE_EQ(*parse_size("1,979 TOPS", Dimension::kRate), 1979e12);
}

TEST(ParseSize, RefusesWhatIsNoSizeOfThatKind) {
  for (const char* text : {"", "GiB", "192", "192 gib", "192 G", "-1 GiB", "0 GiB", "1e9 GiB", "1.2.3 GiB", "192 GiB/s",
                           "nan GiB", "99999999999999999999999999 TiB"})
    EXPECT_FALSE(parse_size(text, Dimension::kCapacity)) << text;
  EXPECT_FALSE(parse_size("8 TB", Dimension::kBandwidth));
}

TEST_F(DeviceFile, YamlAndJsonSayTheSame) {
  const DeviceSpec yaml = read(
      "a.yaml", "id: a\nmemory: [{capacity: 8 GiB, bandwidth_gb_s: 100}]\npeak_dense: {int8_tops: 50}\ntdp_w: 75\n");
  const DeviceSpec json = read(
      "a.json",
      R"({"id":"a","memory":[{"capacity_mib":8192,"bandwidth":"100 GB/s"}],"peak_dense":{"int8":"50 TOPS"},"tdp_w":75})");
  for (const DeviceSpec& spec : {yaml, json}) {
    EXPECT_EQ(spec.name, "a");  // the id, where no name is given
    EXPECT_DOUBLE_EQ(spec.main_memory().capacity->value, 8 * kGiB);
    EXPECT_DOUBLE_EQ(spec.main_memory().bandwidth->value, 1e11);
    EXPECT_DOUBLE_EQ(spec.peak(ComputeType::kInt8)->value, 50e12);
    EXPECT_DOUBLE_EQ(*spec.tdp_w, 75.0);
  }
}

TEST_F(DeviceFile, WhatIsLeftOutIsAbsent) {
  const DeviceSpec spec = read("bare.yaml", "id: bare\nmemory: [{bandwidth: 1 TB/s, capacity: null}]\n");
  EXPECT_FALSE(spec.main_memory().capacity);
  EXPECT_FALSE(spec.peak(ComputeType::kBf16));
  EXPECT_FALSE(spec.n_units || spec.tdp_w || spec.interconnect || spec.host_link || spec.last_level_cache);
}

TEST_F(DeviceFile, EveryMistakeNamesFileAndKey) {
  expect_refused("a.yaml", "memory: [{capacity: 1 GiB}]\n", "\"id\" is missing");
  expect_refused("a.yaml", "id: A B\nmemory: [{capacity: 1 GiB}]\n", "\"id\" is \"A B\"");
  expect_refused("a.yaml", "id: ../../etc\nmemory: [{capacity: 1 GiB}]\n", "\"id\"");
  expect_refused("a.yaml", "id: a\n", "\"memory\" names no memory");
  expect_refused("a.yaml", "id: a\nmemory: 8 GiB\n", "\"memory\" is \"8 GiB\", not a list");
  expect_refused("a.yaml", "id: a\nmemory: [8]\n", "\"memory[0]\" is not an object");
  expect_refused("a.yaml", "id: a\nmemory: [{capacity: 8}]\n", "\"memory[0].capacity\" is 8");
  expect_refused("a.yaml", "id: a\nmemory: [{capacity_gib: -8}]\n", "\"memory[0].capacity_gib\" is -8");
  expect_refused("a.yaml", "id: a\nmemory: [{capacity_gib: .nan}]\n", "\"memory[0].capacity_gib\"");
  expect_refused("a.yaml", "id: a\nmemory: [{capacity: 8 GiB, capacity_gib: 8}]\n", "states again");
  expect_refused("a.yaml", "id: a\nmemory: [{capcity: 8 GiB}]\n", "\"memory[0].capcity\" is not a key");
  expect_refused("a.yaml", "id: a\nmemory: [{kind: hbm}]\n", "\"memory[0].kind\" is \"hbm\"");
  expect_refused("a.yaml", "id: a\nmemory: [{}]\npeak_dense: {bf16: fast}\n", "\"peak_dense.bf16\"");
  expect_refused("a.yaml", "id: a\nmemory: [{}]\nn_units: 1.5\n", "\"n_units\" is 1.5, not a whole number");
  expect_refused("a.yaml", "id: a\nmemory: [{}]\nn_devices: 0\n", "\"n_devices\" is 0");
  expect_refused("a.yaml", "id: a\nmemory: [{}]\ntdp_w: -1\n", "\"tdp_w\" is -1");
  expect_refused("a.json", R"({"id":"a","memory":[{}],"schema":"dachlast.device/9"})", "\"schema\"");
}

TEST_F(DeviceFile, DamagedAndHostileFilesAreRefusedWithTheirPlace) {
  expect_refused("a.yaml", "id: a\nmemory: [{capacity: 8 GiB\n", "is not valid YAML at line");
  expect_refused("a.yaml", "id: a\nid: b\nmemory: [{}]\n", "states \"id\" twice");
  expect_refused("a.yaml", std::string(100'000, '['), "not valid YAML");
  expect_refused("a.yaml", "a: " + std::string(70, '[') + std::string(70, ']') + "\n", "nested more than 64 deep");
  expect_refused("a.json", "{\"id\": \"a\"", "is not valid JSON at line 1");
  expect_refused("a.yaml", "", "is not an object");
  expect_refused("a.yaml", std::string((1 << 20) + 1, ' '), "bytes long");
  expect_refused("a.txt", "id: a\n", "ends neither in .yaml nor in .json");
  // Each line holds ten aliases of the line above: ten to the ninth values from a few hundred bytes.
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i) {
    bomb += fmt::format("a{}: &a{} [", i, i);
    for (int j = 0; j < 10; ++j) bomb += fmt::format("{}*a{}", j == 0 ? "" : ",", i - 1);
    bomb += "]\n";
  }
  expect_refused("a.yaml", bomb, "more than 10000 values");
}

TEST(Yaml, OnlyPlainScalarsAreNumbers) {
  const auto document =
      parse_yaml("a.yaml", "a: 12\nb: '12'\nc: 1.5\nd: true\ne: ~\nf: 1e3\ng: .inf\nh: nan\ni: 0x10\n");
  EXPECT_EQ(document["a"], 12);
  EXPECT_EQ(document["b"], "12");
  EXPECT_EQ(document["c"], 1.5);
  EXPECT_EQ(document["d"], true);
  EXPECT_TRUE(document["e"].is_null());
  EXPECT_EQ(document["f"], 1000.0);
  for (const char* key : {"g", "h", "i"}) EXPECT_TRUE(document[key].is_string()) << key;
}

}  // namespace
}  // namespace dachlast
