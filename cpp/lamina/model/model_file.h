// Model files: valid safetensors files with the architecture as JSON in their metadata.
//
//   8 bytes     length of the header, little endian
//   header      JSON: {"__metadata__": {"lamina": architecture, "lamina.crc32": ..., ...}, "dense/kernel":
//   {...}, ...} data        the tensors, float32 little endian, in the order of their offsets
//
// Loading runs no code, trusts no size or offset (header at most 4 MB, depth at most 32) and never allocates
// more than the file's size + 16 MB. Writing is atomic: temporary file, fsync, rename, fsync of the folder.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lamina/core/config.h"
#include "lamina/core/tensor.h"
#include "lamina/model/model.h"

namespace lamina {

// FileError when the path can't be read or written, FormatError for a damaged file. StateError for a model
// that is not built.
void save_model(const Model& model, const std::string& path);
Model load_model(const std::string& path);

// The weights alone: any safetensors file whose names and shapes match the model's (float16, bfloat16,
// float32 or float64).
void save_weights(const Model& model, const std::string& path);
void load_weights(Model& model, const std::string& path);

// ---- what checkpoints are made of
// A tensor beside the
// model's own.
struct ExtraTensor {
  std::string name;
  Shape shape;
  std::vector<float> values;
};

struct FileContents {
  Model model;
  std::map<std::string, std::string> metadata;  // without lamina's own entries
  std::vector<ExtraTensor> tensors;             // those that are not the model's
};

void save_file(const Model& model, const std::map<std::string, std::string>& metadata,
               const std::vector<ExtraTensor>& tensors, const std::string& path);
FileContents load_file(const std::string& path);

// JSON of a Value and back; objects become {"class_name": ..., "config": {...}}. FormatError for what is no
// JSON, ArgumentError for what would not be read again (too large, too deep, not UTF-8).
std::string to_json(const Value& value);
Value from_json(std::string_view text);

// What stands in a file, without building the model; for `lamina inspect`.
struct FileSummary {
  struct Tensor {
    std::string name, dtype;
    Shape shape;
    std::size_t bytes;
  };
  std::map<std::string, std::string> metadata;
  std::vector<Tensor> tensors;
};
FileSummary inspect_file(const std::string& path);

}  // namespace lamina
