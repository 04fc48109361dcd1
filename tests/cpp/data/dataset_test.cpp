// Reading the caller's arrays: every element type, rows at any distance, and what is refused.
#include "lamina/data/dataset.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "lamina/core/error.h"

using namespace lamina;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::vector<float> gathered(const ArrayView& array, const RowSelection& rows, bool check = false) {
  std::vector<float> out(rows.count * array.row_elements(), -7.0F);
  gather(array, rows, out.data(), check, "x", thread_pool());
  return out;
}

TargetSpec labels_spec(std::size_t classes, std::optional<std::int64_t> ignored = {}) {
  return {Shape{classes}, TargetKind::labels, "Loss", "sibling", ignored};
}

std::vector<std::int32_t> labels(const ArrayView& array, const TargetSpec& spec) {
  std::vector<std::int32_t> out(array.shape.elements(), -7);
  gather_labels(array, {nullptr, 0, array.rows()}, spec, out.data());
  return out;
}

// Six numbers as three rows of two: in order, shuffled, and upside down with every second row left out.
template <class T>
void check_type(DType dtype, const std::vector<T>& six, const std::vector<float>& expected) {
  CAPTURE(name_of(dtype));
  const auto row = static_cast<std::ptrdiff_t>(2 * sizeof(T));
  const ArrayView array(six.data(), dtype, Shape{3, 2}, row);
  CHECK(gathered(array, {nullptr, 0, 3}) == expected);
  CHECK(gathered(array, {nullptr, 1, 1}) == std::vector<float>{expected[2], expected[3]});
  const std::vector<std::size_t> order = {2, 0, 0};
  CHECK(gathered(array, {order.data(), 0, 3}) ==
        std::vector<float>{expected[4], expected[5], expected[0], expected[1], expected[0], expected[1]});
  const ArrayView reversed(six.data() + 4, dtype, Shape{2, 2}, -2 * row);
  CHECK(gathered(reversed, {nullptr, 0, 2}) ==
        std::vector<float>{expected[4], expected[5], expected[0], expected[1]});
  const ArrayView repeated(six.data() + 2, dtype, Shape{4, 2}, 0);  // one row, many times
  CHECK(gathered(repeated, {nullptr, 2, 2}) ==
        std::vector<float>{expected[2], expected[3], expected[2], expected[3]});

  const std::vector<T> classes = {six[1], six[0], six[1]};
  CHECK(labels(ArrayView(classes.data(), dtype, Shape{3}, sizeof(T)), labels_spec(2)) ==
        std::vector<std::int32_t>{1, 0, 1});
  CHECK(labels(ArrayView(classes.data() + 1, dtype, Shape{2}, -static_cast<std::ptrdiff_t>(sizeof(T))),
               labels_spec(2)) == std::vector<std::int32_t>{0, 1});
}

template <class T>
void check_integers(const std::vector<T>& six) {
  std::vector<float> expected;
  for (const T value : six) expected.push_back(static_cast<float>(value));
  check_type(dtype_of<T>(), six, expected);
}

template <class T>
void check_bad_labels(DType dtype, const std::vector<T>& bad) {
  for (const T value : bad) {
    const std::vector<T> classes = {T{}, value};
    CAPTURE(name_of(dtype));
    CHECK_THROWS_AS(labels(ArrayView(classes.data(), dtype, Shape{2}, sizeof(T)), labels_spec(3)), DataError);
  }
}

Dataset dataset(const ArrayView& x, const ArrayView& y) {
  Dataset data;
  data.inputs = {x};
  data.targets = {y};
  return data;
}

}  // namespace

TEST_CASE("rows of all twelve types become float32") {
  check_type<std::uint8_t>(DType::boolean, {0, 1, 1, 0, 1, 1}, {0, 1, 1, 0, 1, 1});
  check_integers<std::uint8_t>({0, 1, 255, 7, 128, 3});
  check_integers<std::int8_t>({0, 1, -128, 127, -1, 3});
  check_integers<std::uint16_t>({0, 1, 65535, 7, 32768, 3});
  check_integers<std::int16_t>({0, 1, -32768, 32767, -1, 3});
  check_integers<std::uint32_t>({0, 1, 4294967295U, 16777217U, 2147483648U, 3});
  check_integers<std::int32_t>({0, 1, -2147483647 - 1, 16777217, -1, 3});
  check_integers<std::uint64_t>({0, 1, 18446744073709551615U, 9007199254740993U, 7, 3});
  check_integers<std::int64_t>({0, 1, INT64_MIN, INT64_MAX, -1, 3});
  check_type<std::uint16_t>(DType::f16, {0x0000, 0x3C00, 0xC000, 0x7C00, 0x0001, 0x7BFF},
                            {0.0F, 1.0F, -2.0F, INFINITY, 5.9604645e-8F, 65504.0F});
  check_type<float>(DType::f32, {0, 1, -0.5F, 1e-40F, 3e38F, 7}, {0, 1, -0.5F, 1e-40F, 3e38F, 7});
  check_type<double>(DType::f64, {0, 1, 0.1, 1e300, -1e-300, 16777217.0},
                     {0, 1, 0.1F, INFINITY, -0.0F, 16777216.0F});
}

TEST_CASE("labels of every type are checked where they are used") {
  check_bad_labels<std::uint8_t>(DType::u8, {3, 255});
  check_bad_labels<std::int8_t>(DType::i8, {3, -1});
  check_bad_labels<std::uint16_t>(DType::u16, {3, 65535});
  check_bad_labels<std::int16_t>(DType::i16, {3, -1});
  check_bad_labels<std::uint32_t>(DType::u32, {3, 4294967295U});
  check_bad_labels<std::int32_t>(DType::i32, {3, -1});
  check_bad_labels<std::uint64_t>(DType::u64, {3, 4294967296U, 18446744073709551615U});
  check_bad_labels<std::int64_t>(DType::i64, {3, -1, std::int64_t{1} << 32U, INT64_MIN});
  check_bad_labels<std::uint16_t>(DType::f16,
                                  {0x4200, 0xBC00, 0x3800, 0x7E00, 0x7C00});  // 3, -1, 0.5, NaN, infinity
  check_bad_labels<float>(DType::f32, {3.0F, -1.0F, 0.5F, kNaN, INFINITY, 1e30F});
  check_bad_labels<double>(DType::f64, {3.0, -1.0, 0.5, std::nan(""), 4294967296.0, 1e300});
}

TEST_CASE("an ignored label is allowed besides the classes") {
  const std::vector<std::int32_t> classes = {-1, 2, -1};
  CHECK(labels(ArrayView(classes), labels_spec(3, -1)) == classes);
  CHECK_THROWS_AS(labels(ArrayView(classes), labels_spec(3, 255)), DataError);
}

TEST_CASE("errors name the array, the row, what was expected and what came") {
  const std::vector<float> x = {1, 2, 3, kNaN};
  const ArrayView array(x.data(), Shape{2, 2});
  const std::vector<float> y = {0, 1.5F};
  const std::vector<std::int64_t> whole = {1, 0};
  const std::vector<Shape> shapes = {Shape{2}};
  const std::vector<TargetSpec> specs = {labels_spec(3)};
  CHECK_THROWS_WITH_AS(gathered(array, {nullptr, 0, 2}, true),
                       "Data: expected finite float32 numbers in x, got NaN or infinity in row 1.",
                       DataError);
  CHECK(gathered(array, {nullptr, 0, 1}, true) == std::vector<float>{1, 2});
  CHECK_THROWS_WITH_AS(check_inputs(dataset(array, whole), shapes, true),
                       "Data: expected finite float32 numbers in x, got NaN or infinity in row 1.",
                       DataError);
  check_inputs(dataset(array, whole), shapes, false);
  CHECK_THROWS_WITH_AS(check_targets(dataset(array, y), specs, true),
                       "Loss: expected labels that are whole numbers in [0, 3), got 1.5 in row 1.",
                       DataError);
  const std::vector<std::int64_t> large = {1, 3};
  CHECK_THROWS_WITH_AS(check_targets(dataset(array, large), specs, true),
                       "Loss: expected labels that are whole numbers in [0, 3), got 3 in row 1.", DataError);
  CHECK_THROWS_WITH_AS(check_inputs(dataset(ArrayView(x.data(), Shape{1, 4}), whole), shapes, false),
                       "Model: expected x of shape (batch, 2), got (1, 4).", ShapeError);
  CHECK_THROWS_WITH_AS(check_inputs(dataset(ArrayView(x.data(), Shape{0, 2}), whole), shapes, false),
                       "Data: expected at least one row, got empty arrays.", DataError);
  CHECK_THROWS_WITH_AS(check_targets(dataset(array, std::vector<std::int64_t>{1}), specs, false),
                       "Data: expected y to have as many rows as x (2), got 1.", ShapeError);
  CHECK_THROWS_WITH_AS(
      check_targets(dataset(array, ArrayView(x.data(), Shape{2, 3})), specs, false),
      "Loss: expected integer labels y of shape (batch,), got (2, 3); for one-hot rows use 'sibling'.",
      ShapeError);
  Dataset weighted = dataset(array, whole);
  weighted.weights = {ArrayView(x.data(), Shape{2, 2})};
  CHECK_THROWS_WITH_AS(check_targets(weighted, specs, false),
                       "Data: expected sample_weight of shape (batch,), got (2, 2).", ShapeError);
  const std::vector<TargetSpec> values = {{Shape{3}, TargetKind::values, "Loss", "sibling", {}}};
  CHECK_THROWS_WITH_AS(check_targets(dataset(array, whole), values, false),
                       "Loss: expected y of shape (batch, 3), got (2,); for integer labels use 'sibling'.",
                       ShapeError);
}

TEST_CASE("(n,) is taken for (n, 1), for inputs, values and labels") {
  const std::vector<float> x = {1, 2, 3};
  const std::vector<std::int32_t> classes = {0, 1, 2};
  const std::vector<Shape> shapes = {Shape{1}};
  check_inputs(dataset(x, x), shapes, true);
  const std::vector<TargetSpec> values = {{Shape{1}, TargetKind::values, "Loss", "", {}}};
  check_targets(dataset(x, x), values, true);
  const std::vector<TargetSpec> specs = {labels_spec(3)};
  check_targets(dataset(x, ArrayView(classes.data(), Shape{3, 1})), specs, true);
}

TEST_CASE("a row index beyond the array is refused") {
  const std::vector<float> x = {1, 2, 3};
  const std::vector<std::size_t> order = {0, 3};
  CHECK_THROWS_AS(gathered(ArrayView(x), {order.data(), 0, 2}), DataError);
}
