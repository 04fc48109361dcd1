// No file, however bad, does more than throw a FormatError, and none makes the reader allocate beyond its own
// size and 16 MB.
#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <limits>

#include "allocation.h"
#include "lamina/core/error.h"
#include "lamina/layers/batch_normalization.h"
#include "lamina/layers/dense.h"
#include "lamina/layers/input.h"
#include "lamina/model/model_file.h"
#include "lamina/model/safetensors.h"
#include "model/files.h"

using namespace lamina;
using namespace lamina::test;

namespace {

Model small_model() {
  return sequential({input({3}), dense(2, "relu"), batch_normalization(), dense(2, "softmax")}, 5);
}

// "": a FormatError within the bound on memory. Else what happened instead.
std::string outcome(const std::string& path, const std::function<void()>& load) {
  const std::size_t size = std::filesystem::file_size(path);
  const AllocationCount allocated;
  std::string result;
  try {
    load();
    result = "it was loaded";
  } catch (const FormatError&) {
  } catch (const std::exception& error) {
    result = std::string("another error: ") + error.what();
  }
  if (counts_allocations() && allocated.peak_bytes() > size + (16U << 20U)) {
    result += "; allocated " + std::to_string(allocated.peak_bytes()) + " bytes for a file of " +
              std::to_string(size);
  }
  return result;
}

std::string outcome_of_bytes(const TemporaryFolder& folder, const std::string& bytes) {
  const std::string path = folder.file("hostile");
  write_text(path, bytes);
  const std::string loaded = outcome(path, [&] { load_model(path); });
  return loaded;
}

// A file whose header is wrong whatever it is used for.
void check_header(const std::string& header, const std::string& data = "") {
  const TemporaryFolder folder;
  CAPTURE(header.substr(0, 300));
  CHECK(outcome_of_bytes(folder, safetensors_bytes(header, data)) == "");
  const std::string path = folder.file("hostile");
  CHECK(outcome(path, [&] { inspect_file(path); }) == "");
  Model model = small_model();
  CHECK(outcome(path, [&] { load_weights(model, path); }) == "");
}

std::string tensor(const std::string& name, const std::string& dtype, const std::string& shape,
                   const std::string& offsets) {
  return "\"" + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets +
         "}";
}

// A file with this architecture, a right checksum and these tensors.
std::string outcome_of_architecture(const std::string& architecture,
                                    const std::vector<safetensors::Tensor>& tensors = {}) {
  const TemporaryFolder folder;
  const std::string path = folder.file("hostile");
  safetensors::write(path, {{"lamina", architecture}}, tensors, "lamina.crc32");
  return outcome(path, [&] { load_model(path); });
}

std::string layer(const std::string& name, const std::string& description) {
  return R"({"name":")" + name + R"(","trainable":true,"layer":)" + description + "}";
}
std::string layer_of(const std::string& type, const std::string& config) {
  return layer("a", R"({"class_name":")" + type + R"(","config":)" + config + "}");
}
std::string architecture(const std::string& layers, const std::string& nodes,
                         const std::string& outputs = "[[1,0]]") {
  return R"({"version":1,"layers":[)" + layers + R"(],"nodes":[)" + nodes + R"(],"outputs":)" + outputs +
         R"(,"seed":null})";
}
std::string chain_of(const std::string& layer_text, const std::string& shape = "[2]") {
  return architecture(layer_text, R"({"shape":)" + shape + R"(},{"layer":0,"inputs":[[0,0]]})");
}

std::string repeat(const std::string& text, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE("every damaged byte of a model file is noticed") {
  const TemporaryFolder folder;
  const std::string path = folder.file("model");
  save_model(small_model(), path);
  const std::string good = read_text(path);
  std::string failed;
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto put = [&](std::size_t at, char byte) {
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
    file.flush();
  };
  constexpr std::array<int, 4> kMasks = {0x01, 0x20, 0x80, 0xFF};
  for (std::size_t i = 0; i < good.size() && failed.empty(); ++i) {
    for (std::size_t mask = 0; mask < kMasks.size(); ++mask) {
      if (i >= 64 && mask != i % 4) continue;  // all of them for the length and the first bytes, else one
      put(i, static_cast<char>(good[i] ^ kMasks[mask]));
      const std::string result = outcome(path, [&] { load_model(path); });
      if (!result.empty())
        failed = "byte " + std::to_string(i) + " mask " + std::to_string(kMasks[mask]) + ": " + result;
    }
    put(i, good[i]);
  }
  load_model(path);
  CHECK(failed == "");
}

TEST_CASE("every truncation of a model file is noticed, and what is behind its end") {
  const TemporaryFolder folder;
  const std::string path = folder.file("model");
  save_model(small_model(), path);
  const std::string good = read_text(path);
  std::string failed;
  for (std::size_t length = good.size(); length-- > 0 && failed.empty();) {
    std::filesystem::resize_file(path, length);
    const std::string result = outcome(path, [&] { load_model(path); });
    if (!result.empty()) failed = "length " + std::to_string(length) + ": " + result;
  }
  CHECK(failed == "");
  CHECK(outcome_of_bytes(folder, good + '\0') == "");
  CHECK(outcome_of_bytes(folder, good + good) == "");
}

TEST_CASE("headers that claim too much") {
  const TemporaryFolder folder;
  for (const std::uint64_t length :
       {std::uint64_t{1}, std::uint64_t{1} << 20U, (std::uint64_t{4} << 20U) + 1, std::uint64_t{1} << 40U,
        std::uint64_t{1} << 63U, std::numeric_limits<std::uint64_t>::max(),
        std::numeric_limits<std::uint64_t>::max() - 7}) {
    CAPTURE(length);
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    CHECK(outcome_of_bytes(folder, bytes) == "");
    CHECK(outcome_of_bytes(folder, bytes + "{}      ") == "");
  }
  CHECK(outcome_of_bytes(folder, safetensors_bytes(std::string((4U << 20U) + 1, ' '), "")) == "");
  CHECK(outcome_of_bytes(folder, safetensors_bytes("{}" + std::string((4U << 20U) - 2, ' '), "")) == "");
}

TEST_CASE("headers that are no tables of tensors") {
  for (const char* header : {"",
                             " ",
                             "[]",
                             "3",
                             "null",
                             "\"a\"",
                             "{",
                             "{}}",
                             "{\"a\"}",
                             "{\"a\":1}",
                             "{\"a\":[]}",
                             "{\"a\":{}}",
                             "{\"__metadata__\":[]}",
                             "{\"__metadata__\":{\"a\":1}}",
                             "{\"__metadata__\":\"a\"}",
                             "{'a':1}",
                             "{\"class_name\":\"a\",\"config\":{}}",
                             "\xff\xfe",
                             "{\"\xff\":{}}",
                             "nan",
                             "{\"a\":NaN}",
                             "\0"}) {
    check_header(header);
  }
  check_header(std::string("{}\0", 3));
}

TEST_CASE("deep nesting and many values") {
  for (const std::size_t depth : {33U, 1000U, 1000000U}) {
    check_header(repeat("[", depth));
    check_header(repeat("[", depth) + repeat("]", depth));
    check_header(repeat("{\"a\":", depth) + "1" + repeat("}", depth));
  }
  check_header("{\"a\":[" + repeat("0,", 1000000) + "0]}");
  check_header("{\"a\":[" + repeat("[],", 1000000) + "0]}");
  check_header("{\"a\":[" + repeat("{},", 1000000) + "0]}");
  check_header("[\"" + std::string(3 << 20, 'a') + "\"]");
  check_header("[\"" + repeat("\\u0000", 600000) + "\"]");
  check_header("{\"__metadata__\":{\"lamina\":\"" + std::string(4000000, '[') +
               "\",\"lamina.crc32\":\"00000000\"}}x");
}

TEST_CASE("keys that stand twice") {
  const std::string data(4, '\0');
  const std::string one = tensor("a", "F32", "[1]", "[0,4]");
  check_header("{" + one + "," + one + "}", data);
  check_header(R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", data);
  check_header(R"({"__metadata__":{"k":"1","k":"2"},)" + one + "}", data);
  check_header(R"({"__metadata__":{},"__metadata__":{},)" + one + "}", data);
}

TEST_CASE("offsets that overlap, leave gaps, overflow or lie outside") {
  const std::string data(16, '\0');
  const auto check_pair = [&](const std::string& a, const std::string& b) {
    check_header("{" + tensor("a", "F32", "[2]", a) + "," + tensor("b", "F32", "[2]", b) + "}", data);
  };
  check_pair("[0,8]", "[4,12]");
  check_pair("[0,8]", "[0,8]");
  check_pair("[4,12]", "[12,20]");
  check_pair("[0,8]", "[12,20]");
  check_pair("[8,16]", "[16,24]");
  check_pair("[8,0]", "[0,8]");
  check_pair("[0,8]", "[8,24]");
  check_pair("[0,8]", "[-8,0]");
  check_pair("[0,8]", "[8]");
  check_pair("[0,8]", "[8,16,24]");
  check_pair("[0,8]", "[8.0,16.0]");
  check_pair("[0,8]", "[\"8\",\"16\"]");
  check_pair("[0,8]", "[9223372036854775800,9223372036854775808]");
  check_pair("[0,8]", "[18446744073709551608,0]");
  check_pair("[0,8]", "[1e400,1e400]");
  check_header("{" + tensor("a", "F32", "[2]", "[0,8]") + "}", data);
  check_header("{" + tensor("a", "F32", "[2]", "[8,16]") + "}", data);
}

TEST_CASE("dtypes and shapes that don't fit the data") {
  const std::string data(16, '\0');
  for (const char* dtype : {"F64", "F16", "F8", "f32", "", "C64", "F32 "})
    check_header("{" + tensor("a", dtype, "[4]", "[0,16]") + "}", data);
  for (const char* shape : {"[3]", "[5]", "[-4]", "[4.0]", "[4,0]", "[null]", "4", "[4294967296,4294967296]",
                            "[9223372036854775807,9223372036854775807,4]", "[4611686018427387904,4]", "[[4]]",
                            "{}", "[0,9223372036854775807]"}) {
    check_header("{" + tensor("a", "F32", shape, "[0,16]") + "}", data);
  }
}

TEST_CASE("a model file without its checksum, or with that of another") {
  const TemporaryFolder folder;
  const std::string path = folder.file("hostile");
  const std::string good =
      architecture(layer_of("Dropout", R"({"rate":0.5})"), R"({"shape":[2]},{"layer":0,"inputs":[[0,0]]})");
  safetensors::write(path, {{"lamina", good}}, {}, "lamina.crc32");
  load_model(path);  // fine so far
  safetensors::write(path, {{"lamina", good}}, {}, "");
  CHECK(outcome(path, [&] { load_model(path); }) == "");
  for (const char* checksum : {"", "00000000", "no number", "000000000000000000000"}) {
    safetensors::write(path, {{"lamina", good}, {"lamina.crc32", checksum}}, {}, "");
    CHECK(outcome(path, [&] { load_model(path); }) == "");
  }
  safetensors::write(path, {}, {}, "lamina.crc32");
  CHECK(outcome(path, [&] { load_model(path); }) == "");
}

TEST_CASE("architectures that are none") {
  const std::string dropout = layer_of("Dropout", R"({"rate":0.5})");
  const std::string node = R"({"shape":[2]},{"layer":0,"inputs":[[0,0]]})";
  for (const std::string& text :
       {std::string(),
        std::string("{}"),
        std::string("[]"),
        std::string("null"),
        std::string("{\"version\":1}"),
        std::string(R"({"version":2,"layers":[],"nodes":[],"outputs":[],"seed":null})"),
        std::string(R"({"version":1.0,"layers":[],"nodes":[],"outputs":[],"seed":null})"),
        std::string(R"({"version":1,"layers":{},"nodes":{},"outputs":{},"seed":null})"),
        std::string(R"({"version":1,"layers":[],"nodes":[],"outputs":[],"seed":null})"),
        architecture(dropout, R"({"shape":[2]})"),
        architecture(dropout, node, "[]"),
        architecture(dropout, node, "[[2,0]]"),
        architecture(dropout, node, "[[1,1]]"),
        architecture(dropout, node, "[[-1,0]]"),
        architecture(dropout, node, "[[1,65535]]"),
        architecture(dropout, node, "[[1]]"),
        architecture(dropout, node, "[[1.0,0.0]]"),
        architecture(dropout, node, "[1,0]"),
        architecture(dropout, R"({"layer":0,"inputs":[[1,0]]},{"shape":[2]})"),  // a cycle, or the future
        architecture(dropout, R"({"shape":[2]},{"layer":0,"inputs":[[1,0]]})"),  // itself
        architecture(dropout, R"({"shape":[2]},{"layer":0,"inputs":[[0,1]]})"),
        architecture(dropout, R"({"shape":[2]},{"layer":0,"inputs":[[0,60000]]})"),
        architecture(dropout, R"({"shape":[2]},{"layer":1,"inputs":[[0,0]]})"),
        architecture(dropout, R"({"shape":[2]},{"layer":-1,"inputs":[[0,0]]})"),
        architecture(dropout, R"({"shape":[2]},{"layer":18446744073709551615,"inputs":[[0,0]]})"),
        architecture(dropout, R"({"shape":[2]},{"layer":0,"inputs":[]})"),
        architecture(dropout, R"({"shape":[2]},{"layer":0,"inputs":[[0,0],[0,0]]})"),
        architecture(dropout, R"({"shape":[2]},{"layer":0})"),
        architecture(dropout, R"({"shape":[2]},3)"),
        architecture(dropout, R"({"shape":[-2]},{"layer":0,"inputs":[[0,0]]})"),
        architecture(dropout, R"({"shape":[1,1,1,1,1,1,1,1,1]},{"layer":0,"inputs":[[0,0]]})"),
        architecture(dropout + "," + dropout, node),
        architecture(layer("", R"({"class_name":"Dropout","config":{"rate":0.5}})"), node),
        architecture(R"({"name":"a","trainable":1,"layer":{"class_name":"Dropout","config":{"rate":0.5}}})",
                     node),
        architecture(R"({"name":"a","layer":{"class_name":"Dropout","config":{"rate":0.5}}})", node),
        architecture(R"({"name":3,"trainable":true,"layer":{"class_name":"Dropout","config":{"rate":0.5}}})",
                     node),
        architecture("3", node),
        architecture("null", node),
        architecture(layer("a", "null"), node)}) {
    CAPTURE(text);
    CHECK(outcome_of_architecture(text) == "");
  }
}

TEST_CASE("layers with hostile hyperparameters") {
  const auto dense_with = [](const std::string& fields) { return layer_of("Dense", "{" + fields + "}"); };
  for (
      const std::string& text :
      {layer_of("Evil", "{}"),
       layer_of("custom:Evil", "{}"),
       layer_of("", "{}"),
       layer_of("Dense", "{}"),
       dense_with(R"("units":1000000000000000000)"),
       dense_with(R"("units":9223372036854775807)"),
       dense_with(R"("units":-1)"),
       dense_with(R"("units":0)"),
       dense_with(R"("units":1e18)"),
       dense_with(R"("units":1.5)"),
       dense_with(R"("units":"3")"),
       dense_with(R"("units":null)"),
       dense_with(R"("units":[3])"),
       dense_with(R"("units":true)"),
       dense_with(R"("units":2,"evil":1)"),
       dense_with(R"("units":2,"activation":"evil")"),
       dense_with(R"("units":2,"activation":3)"),
       dense_with(R"("units":2,"kernel_initializer":null)"),
       dense_with(R"("units":2,"kernel_initializer":"evil")"),
       dense_with(R"("units":2,"kernel_initializer":{"class_name":"Dense","config":{"units":2}})"),
       dense_with(R"("units":2,"kernel_regularizer":{"class_name":"L2","config":{"l2":-1}})"),
       dense_with(R"("units":2,"kernel_regularizer":{"class_name":"L2","config":{"l2":1e999}})"),
       dense_with(R"("units":2,"kernel_constraint":{"class_name":"MaxNorm","config":{"axis":1000000}})"),
       dense_with(
           R"("units":2,"kernel_constraint":{"class_name":"MaxNorm","config":{"axis":-9223372036854775808}})"),
       dense_with(R"("units":2)"),  // fine, but its tensors are missing
       layer_of("Dropout", R"({"rate":-1})"),
       layer_of("Dropout", R"({"rate":1e308})"),
       layer_of("Dropout", R"({"rate":"0.5"})"),
       layer_of("Reshape", R"({"target_shape":[-1,-1]})"),
       layer_of("Reshape", R"({"target_shape":[-2]})"),
       layer_of("Reshape", R"({"target_shape":[3]})"),
       layer_of("Reshape", R"({"target_shape":[0,-1]})"),
       layer_of("Reshape", R"({"target_shape":[4294967296,4294967296,4294967296]})"),
       layer_of("Reshape", R"({"target_shape":[1,1,1,1,1,1,1,1,2]})"),
       layer_of("Reshape", R"({"target_shape":3})"),
       layer_of("BatchNormalization", R"({"axis":5})"),
       layer_of("BatchNormalization", R"({"epsilon":-1})"),
       layer_of("LayerNormalization", R"({"axis":-9223372036854775808})"),
       layer_of("Softmax", R"({"axis":9})"),
       layer_of("Input", R"({"shape":[3]})"),
       layer_of("GaussianNoise", R"({"stddev":-1})"),
       layer_of("BatchNormalization", R"({"name":"b/c"})")}) {
    CAPTURE(text);
    CHECK(outcome_of_architecture(chain_of(text)) == "");
  }
  for (const char* shape :
       {"[9223372036854775807]", "[4294967296,4294967296]", "[0]", "[]", "[1,0,9223372036854775807]"}) {
    CAPTURE(shape);
    CHECK(outcome_of_architecture(chain_of(dense_with(R"("units":1000000)"), shape)) == "");
    CHECK(outcome_of_architecture(chain_of(layer_of("BatchNormalization", "{}"), shape)) == "");
  }
}

TEST_CASE("architectures as large as a header can be stay within the bound, and don't take forever") {
  std::string layers;
  std::string names;
  for (std::size_t i = 0; i < 6000; ++i) {
    const std::string comma = i == 0 ? "" : ",";
    const std::string name = "n" + std::to_string(i);
    layers += comma + layer(name, R"({"class_name":"Dropout","config":{"rate":0.5}})");
    names += comma + layer(i == 0 ? "dropout" : "dropout_" + std::to_string(i),
                           R"({"class_name":"Dropout","config":{"rate":0.5}})");
  }
  const std::string missing = R"({"shape":[2]},{"layer":6000,"inputs":[[0,0]]})";
  CHECK(outcome_of_architecture(architecture(layers, missing)) == "");
  CHECK(outcome_of_architecture(architecture(names, missing)) == "");
  std::string norms;
  for (std::size_t i = 0; i < 6000; ++i)
    norms += (i == 0 ? "" : ",") +
             layer("n" + std::to_string(i), R"({"class_name":"BatchNormalization","config":{}})");
  CHECK(outcome_of_architecture(architecture(norms, missing)) == "");
  std::string nodes = R"({"shape":[2]})";
  for (std::size_t i = 0; i < 7000; ++i) nodes += R"(,{"layer":0,"inputs":[[0,0]]})";
  CHECK(outcome_of_architecture(architecture(layer_of("BatchNormalization", "{}"), nodes)) == "");
  std::string wide = R"({"shape":[2]},{"layer":0,"inputs":[[0,0])" + repeat(",[0,0]", 15000) + "]}";
  CHECK(outcome_of_architecture(architecture(layer_of("Dropout", R"({"rate":0.5})"), wide)) == "");
  std::string inputs = R"({"shape":[2,2,2,2]})" + repeat(R"(,{"shape":[1,1,1,1]})", 8000);
  CHECK(outcome_of_architecture(architecture(layer_of("Dropout", R"({"rate":0.5})"), inputs, "[[9000,0]]")) ==
        "");
}

TEST_CASE("tensors beside the model's cost no more memory than the file has") {
  const TemporaryFolder folder;
  const std::string path = folder.file("hostile");
  const std::string text = chain_of(layer_of("Dropout", R"({"rate":0.5})"));
  constexpr std::size_t kBytes = std::size_t{40} << 20U;
  // A right checksum for a tensor of bytes: as a writer of ours would compute it.
  for (const auto& kind : {std::pair<std::string, std::size_t>{"U8", 1}, {"F16", 2}, {"BOOL", 1}}) {
    const std::string& dtype = kind.first;
    const std::size_t bytes = kind.second;
    CAPTURE(dtype);
    const std::string offsets = "[0," + std::to_string(kBytes) + "]";
    const std::string table = tensor("x", dtype, "[" + std::to_string(kBytes / bytes) + "]", offsets);
    const auto write = [&](const std::string& checksum) {
      std::string quoted;
      for (const char c : text) quoted += (c == '"' ? "\\" : "") + std::string(1, c);
      const std::string metadata =
          R"("__metadata__":{"lamina":")" + quoted + R"(","lamina.crc32":")" + checksum + "\"}";
      write_text(path, safetensors_bytes("{" + metadata + "," + table + "}", std::string(kBytes, '\0')));
    };
    write("00000000");
    const std::string checksum = safetensors::hexadecimal(safetensors::Reader(path).checksum("lamina.crc32"));
    write(checksum);
    CHECK(outcome(path, [&] { load_model(path); }) == "");
  }
}
