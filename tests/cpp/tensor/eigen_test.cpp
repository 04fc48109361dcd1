// Eigen's matrices are read and written in place, by whichever order they have. Skipped without Eigen.
#include <doctest/doctest.h>

#if __has_include(<eigen3/Eigen/Dense>)
#include <eigen3/Eigen/Dense>
#define LAMINA_TEST_EIGEN
#elif __has_include(<Eigen/Dense>)
#include <Eigen/Dense>
#define LAMINA_TEST_EIGEN
#endif

#include "lamina/lamina.h"

#ifndef LAMINA_TEST_EIGEN

TEST_CASE("Eigen: SKIPPED, Eigen is not installed (Debian, Ubuntu: libeigen3-dev)") {
  MESSAGE("SKIPPED: the tests with Eigen need Eigen (Debian, Ubuntu: libeigen3-dev)");
}

#else

using namespace lamina;

namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Random numbers of a seed of its own: Eigen's are rand().
template <class M>
M random_matrix(Eigen::Index rows, Eigen::Index cols, std::uint64_t seed) {
  RandomStream random(seed, RandomUse::weights, 0);
  M matrix(rows, cols);
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (Eigen::Index j = 0; j < cols; ++j) {
      matrix(i, j) = static_cast<typename M::Scalar>(2 * random.next_uniform() - 1);
    }
  }
  return matrix;
}

template <class A, class B>
bool near(const A& a, const B& b, double tolerance = 1e-5) {
  return (a.template cast<double>() - b.template cast<double>()).cwiseAbs().maxCoeff() <= tolerance;
}

}  // namespace

TEST_CASE_TEMPLATE("Eigen: products and formulas in place", M, Eigen::MatrixXf, RowMajor) {
  const M a = random_matrix<M>(7, 5, 1);
  const RowMajor b = random_matrix<RowMajor>(5, 9, 2);
  M c(7, 9);
  gemm(a, b, c);
  CHECK(near(c, a.template cast<double>() * b.template cast<double>()));
  gemm(b, a, M(c.transpose()), {.transpose_a = true, .transpose_b = true, .accumulate = true});
  gemm(b, a, map(c).transposed(), {.transpose_a = true, .transpose_b = true, .accumulate = true});
  CHECK(near(c, 2 * (a.template cast<double>() * b.template cast<double>())));

  const Eigen::RowVectorXf bias = random_matrix<Eigen::RowVectorXf>(1, 9, 3);
  M y(7, 9);
  map(y) = tanh(map(c) + bias) * 2.0F;
  CHECK(near(y, ((c.rowwise() + bias).array().tanh() * 2.0F).matrix()));
  CHECK(sum(y) == doctest::Approx(y.template cast<double>().sum()));
  CHECK(max(y.block(1, 1, 3, 4)) == y.block(1, 1, 3, 4).maxCoeff());
  auto part = y.block(2, 3, 4, 5);
  const M want = 3.0F * part;
  map(part) *= 3.0F;
  CHECK(near(part, want, 0));
}

TEST_CASE("Eigen: a model trains on and predicts Eigen's rows") {
  const RowMajor x = random_matrix<RowMajor>(64, 4, 5);
  const Eigen::VectorXf weights = random_matrix<Eigen::VectorXf>(4, 1, 6);
  const Eigen::VectorXf y = x * weights;
  Trainer trainer(sequential({input({4}), dense(1)}),
                  {.optimizer = adam({.learning_rate = 0.05}), .loss = "mse", .seed = 1});
  const History history = trainer.fit(x, y, {.epochs = 60, .batch_size = 16});
  CHECK(history.history.at("loss").back() < 1e-4);
  // Every second row of a larger matrix, float64: read in place, too.
  const auto wide =
      random_matrix<Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> >(8, 6, 7);
  const RowMajor dense_rows = wide.leftCols(4).cast<float>();
  CHECK(trainer.predict(wide.leftCols(4)) == trainer.predict(dense_rows));
  const ArrayView view(wide.leftCols(4));
  CHECK(view.data == wide.data());
  CHECK(view.dtype == DType::f64);
  CHECK(view.row_stride == 6 * sizeof(double));
  const Eigen::Map<const RowMajor, 0, Eigen::Stride<Eigen::Dynamic, 2> > sparse(
      x.data(), 4, 2, Eigen::Stride<Eigen::Dynamic, 2>(4, 2));
  CHECK_THROWS_WITH_AS(ArrayView{sparse},
                       "Array: expected rows whose numbers lie one after the other, got numbers 2 apart.",
                       ShapeError);
}

#endif
