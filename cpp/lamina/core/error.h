// Errors of lamina. Each message is one sentence: the thing, what was expected, what came.
//
// The Python package maps every class to one that is also the built-in a Python user would catch
// (named behind each class).
#pragma once

#include <stdexcept>
#include <string>

namespace lamina {

// The root of every error of lamina.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// An array or tensor has another shape than expected (ValueError).
class ShapeError : public Error {
 public:
  using Error::Error;
};

// A hyperparameter, label, name or value that is not allowed (ValueError).
class ArgumentError : public Error {
 public:
  using Error::Error;
};

// An array or argument of a type that is not supported (TypeError).
class DTypeError : public Error {
 public:
  using Error::Error;
};

// The data hold NaN, infinity or a label that is out of range (ValueError).
class DataError : public Error {
 public:
  using Error::Error;
};

// Something is asked of an object that is not in the state for it, such as predicting before the model is
// built (RuntimeError).
class StateError : public Error {
 public:
  using Error::Error;
};

// A model file is damaged, or is not one (ValueError).
class FormatError : public Error {
 public:
  using Error::Error;
};

// A file can't be read or written (OSError).
class FileError : public Error {
 public:
  using Error::Error;
};

}  // namespace lamina
