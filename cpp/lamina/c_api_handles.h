// What stands behind the handles of c_api.h, and how exceptions become a status.
#pragma once

#include <exception>
#include <string>
#include <utility>

#include "lamina/c_api.h"
#include "lamina/core/error.h"
#include "lamina/core/tensor.h"
#include "lamina/model/model.h"

struct lamina_model {
  lamina::Model model;
};

namespace lamina::c_api {

// Keeps the message for lamina_last_error(); allocates nothing.
lamina_status fail(lamina_status status, const char* message) noexcept;

// Within a catch block: the status of the exception in flight, its message kept.
lamina_status fail_with_current_exception() noexcept;

// Calls `function`; its exceptions become a status.
template <class Function>
lamina_status guarded(Function&& function) noexcept {
  try {
    std::forward<Function>(function)();
    return LAMINA_OK;
  } catch (...) {
    return fail_with_current_exception();
  }
}

// ArgumentError unless the pointer points somewhere.
inline void expect(const void* pointer, const char* function, const char* argument) {
  if (pointer != nullptr) return;
  throw ArgumentError(std::string(function) + ": expected " + argument + ", got a null pointer.");
}

// The caller's array, with rows of `row_shape` where that many numbers stand in a row.
ArrayView view_of(const lamina_array& array, const Shape& row_shape, const char* function,
                  const char* argument);

}  // namespace lamina::c_api
