#include "lamina/model/model_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <bit>
#include <cmath>
#include <csignal>

#include "lamina/core/error.h"
#include "lamina/layers/batch_normalization.h"
#include "lamina/layers/dense.h"
#include "lamina/layers/dropout.h"
#include "lamina/layers/input.h"
#include "lamina/layers/reshape.h"
#include "lamina/losses/loss.h"
#include "lamina/metrics/metric.h"
#include "lamina/model/crc32.h"
#include "lamina/model/graph.h"
#include "lamina/model/safetensors.h"
#include "lamina/optimizers/optimizer.h"
#include "model/files.h"
#include "model/graph_layers.h"

using namespace lamina;
using namespace lamina::test;

namespace {

Model small_model() {
  return sequential(
      {input({6}), reshape({3, 2}), dense(4, "selu"), batch_normalization(), dropout(0.25), dense(1)}, 9);
}

std::vector<float> floats(std::span<const float> values) {
  return {values.begin(), values.end()};
}
std::vector<float> state_of(const Model& model) {
  return floats(model.graph().state_values.span());
}

// Everything of a kind can be written down and made again.
template <class Base>
void check_registry() {
  for (const auto& entry : Base::registry().entries()) {
    CAPTURE(entry.schema.type);
    Config config{entry.schema.type, {}};
    for (const FieldInfo& field : entry.schema.fields) {
      if (!field.required) continue;
      const bool list = field.kind.rfind("list", 0) == 0 || field.kind == "shape";
      // Any value that the field takes; a list one longer serves boundaries and values alike.
      config.fields.emplace_back(field.name, list ? Value(Value::List{Value(2)}) : Value(2));
      if (field.kind == "float") config.fields.back().second = Value(0.5);
      if (field.kind.rfind("activation", 0) == 0) config.fields.back().second = Value("relu");
      if (field.kind == "list of float")
        config.fields.back().second = Value(Value::List{Value(0.5), Value(1.5)});
    }
    if (entry.schema.type == "PiecewiseConstantDecay") {
      config.fields = {{"boundaries", Value::List{Value(2)}},
                       {"values", Value::List{Value(0.5), Value(0.25)}}};
    }
    const auto object = Base::registry().make(config);
    const Value value(object->config());
    const Value again = from_json(to_json(value));
    CHECK(again == value);
    REQUIRE(again.object() != nullptr);
    CHECK(Base::registry().make(*again.object())->config() == object->config());
  }
}

// "dense/kernel" of shape (2, 3) and "dense/bias" of zeros, in this type.
std::string weights_file(const std::string& dtype, const std::string& kernel, std::size_t bytes) {
  const std::size_t middle = kernel.size();
  const std::string header = R"({"dense/kernel":{"dtype":")" + dtype +
                             R"(","shape":[2,3],"data_offsets":[0,)" + std::to_string(middle) +
                             R"(]},"dense/bias":{"dtype":")" + dtype + R"(","shape":[3],"data_offsets":[)" +
                             std::to_string(middle) + "," + std::to_string(middle + 3 * bytes) + "]}}";
  return safetensors_bytes(header, kernel + std::string(3 * bytes, '\0'));
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

}  // namespace

TEST_CASE("crc32 is that of zip and PNG") {
  const auto crc = [](std::string_view text) {
    Crc32 value;
    value.add(text);
    return value.value();
  };
  CHECK(crc("123456789") == 0xCBF43926U);
  CHECK(crc("") == 0U);
  CHECK(crc("a") == 0xE8B7BE43U);
  CHECK(crc("The quick brown fox jumps over the lazy dog") == 0x414FA339U);
  CHECK(crc(std::string(32, '\0')) == 0x190A55ADU);
  // Wherever it is cut.
  for (std::size_t cut = 0; cut <= 43; ++cut) {
    const std::string_view text = "The quick brown fox jumps over the lazy dog";
    Crc32 parts;
    parts.add(text.substr(0, cut));
    parts.add(text.substr(cut));
    CHECK(parts.value() == 0x414FA339U);
  }
  CHECK(safetensors::hexadecimal(0x00C0FFEEU) == "00c0ffee");
}

TEST_CASE("a model comes back bit for bit") {
  const TemporaryFolder folder;
  const std::string path = folder.file("model.safetensors");
  Model model = small_model();
  model.set_trainable(2, false);
  for (float& value : model.graph().state_values.span()) value += 0.123F;
  auto weights = model.flat_parameters();
  weights[0] = -0.0F;
  weights[1] = 1e-42F;  // subnormal
  weights[2] = 3.4e38F;
  save_model(model, path);
  Model loaded = load_model(path);
  CHECK(std::memcmp(loaded.flat_parameters().data(), weights.data(), weights.size_bytes()) == 0);
  CHECK(state_of(loaded) == state_of(model));
  CHECK_FALSE(loaded.trainable(2));
  CHECK(loaded.trainable(1));
  CHECK(loaded.graph().seed == 9);
  REQUIRE(loaded.num_layers() == model.num_layers());
  for (std::size_t i = 0; i < model.num_layers(); ++i) {
    CHECK(loaded.layer_name(i) == model.layer_name(i));
    CHECK(loaded.graph().layers[i].layer->config() == model.graph().layers[i].layer->config());
  }
  // Saved again it is the same file.
  save_model(loaded, folder.file("again"));
  CHECK(read_text(folder.file("again")) == read_text(path));
  CHECK(folder.entries() == 2);
}

TEST_CASE("a graph with shared layers and several outputs comes back") {
  const TemporaryFolder folder;
  auto graph = std::make_shared<Graph>();
  const Edge a{graph->add_input({Shape{3}}), 0};
  const Edge b{graph->add_input({Shape{3}}), 0};
  const std::size_t shared = graph->add_layer(dense(3, "tanh"));
  const Edge left{graph->add_call(shared, {a}), 0};
  const Edge right{graph->add_call(shared, {b}), 0};
  graph->outputs = {right, {graph->add_call(graph->add_layer(dense(2)), {left}), 0}, a};
  graph->build();
  save_model(Model(graph), folder.file("graph"));
  const Model loaded = load_model(folder.file("graph"));
  CHECK(loaded.graph().outputs == graph->outputs);
  CHECK(loaded.graph().inputs == graph->inputs);
  REQUIRE(loaded.graph().nodes.size() == graph->nodes.size());
  for (std::size_t i = 0; i < graph->nodes.size(); ++i) {
    CHECK(loaded.graph().nodes[i].inputs == graph->nodes[i].inputs);
    CHECK(loaded.graph().nodes[i].layer == graph->nodes[i].layer);
  }
  CHECK(floats(loaded.flat_parameters()) == floats(graph->parameter_values.span()));
}

TEST_CASE("an edge to an output that a layer doesn't have is refused") {
  Graph graph;
  const std::size_t x = graph.add_input({Shape{3}});
  graph.add_call(graph.add_layer(dense(3)), {{x, 1}});
  CHECK_THROWS_WITH_AS(
      graph.build(), "Dense 'dense': expected an output below 1 of the layer before it, got 1.", ShapeError);
}

TEST_CASE("metadata and tensors beside the model") {
  const TemporaryFolder folder;
  const std::string path = folder.file("file");
  const std::map<std::string, std::string> metadata = {{"a", ""}, {"b", "line\nline \"quoted\" \xc3\xa9"}};
  save_file(small_model(), metadata, {{"extra/one", Shape{2, 2}, {1, 2, 3, 4}}, {"extra/none", Shape{0}, {}}},
            path);
  const FileContents contents = load_file(path);
  CHECK(contents.metadata == metadata);
  REQUIRE(contents.tensors.size() == 2);
  CHECK(contents.tensors[0].shape == Shape{2, 2});
  CHECK(contents.tensors[0].values == std::vector<float>{1, 2, 3, 4});
  CHECK(contents.tensors[1].values.empty());
  const FileSummary summary = inspect_file(path);
  CHECK(summary.metadata.at("b") == metadata.at("b"));
  CHECK(summary.tensors.front().name == "dense/kernel");
  CHECK(summary.tensors.front().shape == Shape{2, 4});
  CHECK(summary.tensors.front().dtype == "F32");
  CHECK(summary.tensors.front().bytes == 32);
}

TEST_CASE("weights alone") {
  const TemporaryFolder folder;
  const std::string path = folder.file("weights");
  Model model = small_model();
  save_weights(model, path);
  Model other = small_model();
  for (float& weight : other.flat_parameters()) weight = 0;
  const float* where = other.flat_parameters().data();
  load_weights(other, path);
  CHECK(other.flat_parameters().data() == where);
  CHECK(floats(other.flat_parameters()) == floats(model.flat_parameters()));
  CHECK_THROWS_AS(load_model(path), FormatError);

  Model wrong =
      sequential({input({6}), reshape({3, 2}), dense(5), batch_normalization(), dropout(0.25), dense(1)}, 9);
  const std::vector<float> before = floats(wrong.flat_parameters());
  CHECK_THROWS_WITH_AS(load_weights(wrong, path),
                       ("File '" + path + "': expected 'dense/kernel' of shape (2, 5), got (2, 4).").c_str(),
                       ShapeError);
  CHECK(floats(wrong.flat_parameters()) == before);
  Model lacking = sequential({input({6}), dense({.units = 5, .name = "mine"})});
  CHECK_THROWS_WITH_AS(load_weights(lacking, path),
                       ("File '" + path + "': expected the tensor 'mine/kernel', got none.").c_str(),
                       FormatError);
  Model lazy = sequential({dense(5)});
  CHECK_THROWS_AS(load_weights(lazy, path), StateError);
  CHECK_THROWS_AS(save_weights(lazy, path), StateError);
  CHECK_THROWS_AS(save_model(lazy, path), StateError);
}

TEST_CASE("weights of other floating types") {
  const TemporaryFolder folder;
  const std::string path = folder.file("weights");
  Model model = sequential({input({2}), dense(3)});
  const auto kernel = [&](const std::string& file) {
    write_text(path, file);
    load_weights(model, path);
    return floats(model.flat_parameters().first(6));
  };
  // 1, -2, 0.5, the smallest subnormal, infinity, 65504 in float16; 3.140625 is the nearest bfloat16 to pi.
  CHECK(kernel(weights_file("F16", bytes_of<std::uint16_t>({0x3C00, 0xC000, 0x3800, 0x0001, 0x7C00, 0x7BFF}),
                            2)) == std::vector<float>{1.0F, -2.0F, 0.5F, 5.9604645e-8F, INFINITY, 65504.0F});
  CHECK(kernel(weights_file("BF16", bytes_of<std::uint16_t>({0x3F80, 0xC000, 0x3F00, 0x4049, 0x7F80, 0x0001}),
                            2)) ==
        std::vector<float>{1.0F, -2.0F, 0.5F, 3.140625F, INFINITY, std::bit_cast<float>(0x00010000U)});
  CHECK(kernel(weights_file("F64", bytes_of<double>({1.0, -2.0, 0.1, 1e300, -1e-300, 16777217.0}), 8)) ==
        std::vector<float>{1.0F, -2.0F, 0.1F, INFINITY, -0.0F, 16777216.0F});
  CHECK(kernel(weights_file("F32", bytes_of<float>({1, 2, 3, 4, 5, 6}), 4)) ==
        std::vector<float>{1, 2, 3, 4, 5, 6});
  const std::vector<float> before = floats(model.flat_parameters());
  for (const char* dtype : {"I32", "U32"}) {
    write_text(path, weights_file(dtype, bytes_of<float>({9, 9, 9, 9, 9, 9}), 4));
    CHECK_THROWS_AS(load_weights(model, path), FormatError);
  }
  CHECK(floats(model.flat_parameters()) == before);
}

TEST_CASE("a write that fails leaves what was there, and nothing beside it") {
  const TemporaryFolder folder;
  const std::string path = folder.file("model");
  write_text(path, "precious");
  const Model model = sequential({input({100}), dense(100)});
  SUBCASE("the disk is full") {
    // A limit on the size of files stands for it.
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{10000, before.rlim_max};
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    std::string message;
    try {
      save_model(model, path);
    } catch (const FileError& error) {
      message = error.what();
    }
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    CHECK(message == "File '" + path + "': can't be written: File too large.");
    CHECK(folder.entries() == 1);
    CHECK(read_text(path) == "precious");
  }
  SUBCASE("a folder has the name") {
    std::filesystem::create_directory(folder.file("taken"));
    CHECK_THROWS_AS(save_model(model, folder.file("taken")), FileError);
    CHECK(folder.entries() == 2);
  }
  SUBCASE("there is no such folder") {
    CHECK_THROWS_AS(save_model(model, folder.file("none/model")), FileError);
  }
  SUBCASE("what is described is too much to be read again") {
    std::vector<LayerPtr> layers = {input({1})};
    for (std::size_t i = 0; i < 9000; ++i)
      layers.push_back(dropout({.rate = 0.5, .name = "d" + std::to_string(i)}));
    CHECK_THROWS_AS(save_model(sequential(std::move(layers)), path), ArgumentError);
    CHECK(folder.entries() == 1);
    CHECK(read_text(path) == "precious");
  }
  SUBCASE("a name is not UTF-8") {
    CHECK_THROWS_AS(save_model(sequential({input({1}), dense({.units = 1, .name = "\xff"})}), path),
                    ArgumentError);
    CHECK(read_text(path) == "precious");
  }
}

TEST_CASE("what can't be read") {
  const TemporaryFolder folder;
  const std::string none = folder.file("none");
  CHECK_THROWS_WITH_AS(load_model(none),
                       ("File '" + none + "': can't be read: No such file or directory.").c_str(), FileError);
  CHECK_THROWS_AS(load_model(folder.path().string()), FileError);
  REQUIRE(::mkfifo(folder.file("pipe").c_str(), 0600) == 0);
  // A pipe without a writer would block its reader for ever.
  const int keep = ::open(folder.file("pipe").c_str(), O_RDWR | O_CLOEXEC);
  CHECK_THROWS_AS(load_model(folder.file("pipe")), FileError);
  ::close(keep);
}

TEST_CASE("every registered object comes back from its JSON") {
  check_registry<Layer>();
  check_registry<Loss>();
  check_registry<Metric>();
  check_registry<Optimizer>();
  check_registry<Schedule>();
  check_registry<Initializer>();
  check_registry<Regularizer>();
  check_registry<Constraint>();
}

TEST_CASE("values come back from JSON as they were") {
  const Value::List list = {Value(),
                            true,
                            false,
                            0,
                            -1,
                            std::int64_t{INT64_MAX},
                            std::int64_t{INT64_MIN},
                            1.0,
                            0.1,
                            1e300,
                            5e-324,
                            -0.0,
                            "text",
                            "",
                            "\n\"\\\t\x01",
                            "\xe2\x82\xac",
                            Value::List{},
                            Value(Config{"", {}})};
  for (const Value& value : list) {
    CAPTURE(to_json(value));
    const Value again = from_json(to_json(value));
    CHECK(again.storage().index() == value.storage().index());
    CHECK(again == value);
  }
  const Value nested(Config{"Type", {{"a", Config{"", {{"b", list}}}}, {"c", Config{"Other", {}}}}});
  CHECK(from_json(to_json(nested)) == nested);
  CHECK(from_json(R"("\u0041\u00e9\u20ac\ud83d\ude00\/")") ==
        Value("A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80/"));
  CHECK_THROWS_AS(from_json("{\"a\":1} x"), FormatError);
  CHECK_THROWS_AS(from_json("18446744073709551615"), FormatError);
}

TEST_CASE("nothing is written that would not be read again") {
  const auto nested = [](std::size_t depth) {
    Value value(1);
    for (std::size_t i = 0; i < depth; ++i) value = Value::List{value};
    return value;
  };
  CHECK(from_json(to_json(nested(32))) == nested(32));
  CHECK_THROWS_AS(to_json(nested(33)), ArgumentError);
  CHECK_THROWS_AS(to_json(Value(Value::List(50000))), ArgumentError);
  CHECK(from_json(to_json(Value(Value::List(49999)))) == Value(Value::List(49999)));
  CHECK_THROWS_AS(to_json(Value("\xff")), ArgumentError);
  CHECK_THROWS_AS(to_json(Value(Config{"", {{"a", 1}, {"a", 2}}})), ArgumentError);
}
